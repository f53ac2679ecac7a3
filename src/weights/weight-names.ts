/**
 * What the names around weights mean. Programs keep weights in dictionaries with other things, or put a prefix
 * before all names of a network: "params_ema", "net_g.", "state_dict_ema", "generator_ema.". Whole words of
 * such a name tell what is there, in every kind of file.
 */

/** Averaged over the last steps: usually better than the weights of the last step. */
const averagedWords = ["ema", "swa", "avg", "average", "averaged", "shadow", "polyak"];

/** What a name of averaged weights may say besides. */
const averagedBesides = [
  ...["moving", "exponential", "running", "decay", "weight", "copy", "checkpoint", "ckpt"],
  ...["current", "last", "latest", "final"],
];

/** The network that makes pictures, of two that were trained against each other. */
const generatorWords = ["g", "gen", "generator"];

/** Weights, and networks as such. */
const plainWords = [
  ...["model", "models", "net", "network", "module", "orig", "mod", "online"],
  ...["params", "parameters", "weights", "state", "dict", "statedict"],
];

/** Words that say too little alone: a dictionary "state" or "avg" often has figures. */
const vagueWords = ["state", "dict", "avg", "average"];

/**
 * Weights of another time or for another purpose than the result of the training. Names alone do not tell which
 * is better of a student and a teacher: the teacher may be a larger network, or the student's average.
 */
const lesserWords = [
  ...["backup", "collected", "init", "initial", "start", "pretrained", "pretrain", "student", "teacher"],
  ...["best", "old", "prev", "previous", "history"],
];

/** What stands beside weights and is never the network: helpers of training, and networks that judge. */
const otherWords = [
  ...["optim", "optims", "optimizer", "optimizers", "opt", "exp", "momentum", "grad", "grads", "gradients"],
  ...["scheduler", "schedulers", "scaler", "rng", "loss", "losses", "criterion", "metric", "metrics"],
  ...["psnr", "ssim", "lpips", "vgg", "perceptual", "d", "disc", "discriminator", "critic"],
];

/** A word in the name of a single number among weights that only counts. */
const figureWord = /(?:^|_)(?:n|num|count|total|steps?|iters?|epochs?|updates|decay|initted)(?:_|$)/;

/** What changes a network's pictures on their way in or out, if it is beside the network. */
const aroundWords = ["mean", "std", "shift", "norm", "normalize", "normalization"];

/** The commonest names of dictionaries with weights: of several, the first counts. */
const dictionaryNames = [
  ...["params_ema", "params-ema", "g_ema", "params", "state_dict", "model_state_dict", "model", "net"],
  ...["network", "generator", "netG", "G", "weights", "net_g"],
];

/** The commonest prefixes of the network that makes pictures: of several, the first counts. */
const generatorPrefixes = ["netG", "net_g", "generator", "G"];

/** "netG-EMA", "EMAModel" and "ema0.999" are net, g, ema; ema, model; and ema, 0, 999. "2d" is one word. */
function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .replace(/([A-Z])([A-Z][a-z]{2})/g, "$1_$2")
    .toLowerCase()
    .replace(/([a-z])(\d)/g, "$1_$2")
    .replace(/(\d)(?!d(?![a-z]))([a-z])/g, "$1_$2")
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
}

const has = (name: string, words: readonly string[]) => wordsOf(name).some((word) => words.includes(word));

export const isBesideWeights = (name: string): boolean => has(name, otherWords);
export const isFigureName = (name: string): boolean => figureWord.test(name) || has(name, otherWords);
export const isAroundNetwork = (name: string): boolean => has(name, aroundWords);
export const isGeneratorPrefix = (name: string): boolean => generatorPrefixes.includes(name);

/** Is a dictionary of this name likely to have figures, unless it is as large as a network? */
export const isVague = (name: string): boolean => {
  const [word, ...more] = wordsOf(name);
  return more.length === 0 && vagueWords.includes(word);
};

/** Does a name say that averaged weights are there, with nothing in it that may mean something else? */
export function isAveraged(name: string): boolean {
  const known = [...averagedWords, ...averagedBesides, ...generatorWords, ...plainWords];
  // A number or a letter tells one average from another.
  const isLabel = (word: string) => /^(?:\d+|[a-z])$/.test(word) && !otherWords.includes(word);
  return has(name, averagedWords) && wordsOf(name).every((word) => known.includes(word) || isLabel(word));
}

/** Does each word of a name say that weights are there? */
export function namesWeights(name: string): boolean {
  const known = [...generatorWords, ...plainWords];
  const words = wordsOf(name);
  return isAveraged(name) || (words.length > 0 && words.every((word) => known.includes(word)));
}

/** A name on the way to weights: a dictionary's, or a prefix of tensors' names. */
export interface PathName {
  readonly name: string;
  readonly isDictionary: boolean;
}

/** Has one of the names such weights, and does none say that they are of another time or purpose? */
export function isAveragedPath(path: readonly PathName[]): boolean {
  return path.some(({ name }) => isAveraged(name)) && !path.some(({ name }) => has(name, lesserWords));
}

/**
 * Chooses of several weights those whose names come first; more than one if their names do not tell. Averaged ones
 * come before all others, and those of another time or purpose last. Where this is the same, the first names that
 * differ decide: those that say that weights are there come before others.
 */
export function firstByName<T extends { readonly path: readonly PathName[] }>(weights: readonly T[]): T[] {
  const kindOf = ({ path }: T) =>
    isAveragedPath(path) ? 2 : path.some(({ name }) => has(name, lesserWords)) ? 0 : 1;
  let first = highest(weights, kindOf);
  for (let i = 0; first.length > 1 && first.every(({ path }) => path.length > i); i++) {
    first = highest(first, ({ path }) => rankOf(path[i]));
    if (new Set(first.map(({ path }) => path[i].name)).size > 1) break;
  }
  return first;
}

/** The elements with the highest of some number, in their order. */
function highest<T>(elements: readonly T[], numberOf: (element: T) => number): T[] {
  const numbers = elements.map(numberOf);
  const most = numbers.reduce((a, b) => Math.max(a, b), -Infinity);
  return elements.filter((_, i) => numbers[i] === most);
}

function rankOf({ name, isDictionary }: PathName): number {
  if (has(name, lesserWords)) return Number(has(name, averagedWords));
  const common = isDictionary ? dictionaryNames : generatorPrefixes;
  const place = common.indexOf(name);
  // Less than the steps between kinds of names.
  const within = place >= 0 ? common.length + 1 - place : Number(has(name, generatorWords));
  return 100 * (isAveraged(name) ? 3 : namesWeights(name) ? 2 : 1) + within;
}
