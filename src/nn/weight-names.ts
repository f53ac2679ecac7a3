/**
 * What the names around weights mean. Programs keep weights in dictionaries with other things, or put a prefix
 * before all names of a network: "params_ema", "net_g.", "state_dict_ema", "generator_ema.". Whole words of
 * such a name tell what is there, in every kind of file.
 */

/** Averaged over the last steps: usually better than the weights of the last step. */
const averagedWords = ["ema", "swa", "avg", "average", "averaged", "shadow", "polyak"];

/** The network that makes pictures, of two that were trained against each other. */
const generatorWords = ["g", "gen", "generator"];

/** Weights, and networks as such. */
const plainWords = [
  ...["model", "models", "net", "network", "module", "orig", "mod", "student", "online"],
  ...["params", "parameters", "weights", "state", "dict", "statedict"],
];

/** What stands beside weights and is never the network: helpers of training, and networks that judge. */
const otherWords = [
  ...["optim", "optims", "optimizer", "optimizers", "opt", "exp", "momentum", "grad", "grads", "gradients"],
  ...["scheduler", "schedulers", "scaler", "rng", "loss", "losses", "criterion", "metric", "metrics"],
  ...["psnr", "ssim", "lpips", "vgg", "perceptual", "d", "disc", "discriminator", "critic"],
];

/** What changes a network's pictures on their way in or out, if it is beside the network. */
const aroundWords = ["mean", "std", "shift", "norm", "normalize", "normalization"];

/** "net_g_ema" and "netG-EMA" are net, g and ema. */
function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
}

const has = (name: string, words: readonly string[]) => wordsOf(name).some((word) => words.includes(word));

export const isAveraged = (path: string): boolean => has(path, averagedWords);
export const isGenerator = (path: string): boolean => has(path, generatorWords);
export const isBesideWeights = (name: string): boolean => has(name, otherWords);
export const isAroundNetwork = (name: string): boolean => has(name, aroundWords);

/** Does each word of a name say that weights are there? */
export function namesWeights(name: string): boolean {
  const known = [...averagedWords, ...generatorWords, ...plainWords];
  const words = wordsOf(name);
  return words.length > 0 && words.every((word) => known.includes(word));
}

/** Of several weights, those with the highest rank are taken: averaged ones, and then those of a generator. */
export function rankOf(path: string): number {
  return 2 * Number(isAveraged(path)) + Number(isGenerator(path));
}
