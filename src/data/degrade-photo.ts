/**
 * What happens to a photograph on its way from the lens to the web: it is blurred, resized, gets noise and is
 * compressed, and all that once more when somebody edits or shares it. Real-ESRGAN (Wang et al., ICCVW 2021)
 * calls that a second-order degradation. Everything is drawn at random, so a network meets every mixture.
 */
import {
  ArgumentError,
  anything,
  checkArguments,
  checkOptions,
  isObject,
  type Wanted,
} from "../options/arguments.ts";
import { quote, whole } from "../options/kinds.ts";
import type { Random } from "../tensor/random.ts";
import { aPairScale } from "./pair-sizes.ts";

/** One value for all pictures, or bounds between which each picture's value is drawn, uniformly. */
export type Range = number | readonly [min: number, max: number];

/** "bicubic", "bilinear" and "area" (the mean) use every pixel; "nearest" takes one of scale * scale. */
export type Shrink = "bicubic" | "bilinear" | "area" | "nearest";

/** A Gaussian: its standard deviations along two perpendicular axes, the first turned by `angle` degrees. */
export interface Blur {
  sigma: number;
  sigma2: number;
  angle: number;
}

/** One thing that is done to a picture; fit for JSON. Every step ends in bytes. */
export type DegradationStep =
  | { blur: Blur }
  /** Resizes to `size` times the sides of LR. */
  | { resize: Shrink; size: number }
  /** Gaussian noise: its standard deviation in levels. Grey noise is the same in all three colours. */
  | { noise: number; grey?: boolean }
  /** Shot noise: photons that a white sample counts. */
  | { photons: number; grey?: boolean }
  /** Quality 1 to 100, with 4:2:0 chroma. */
  | { jpeg: number }
  /** The ideal low-pass filter, cut off at `reach` pixels: frequencies up to `sinc` radians per pixel pass. */
  | { sinc: number; reach: number };

/** A degradation of the second order (of as many orders as there are stages), drawn at random. */
export interface PhotoOptions {
  kind: "photo";
  /** Determines everything that is drawn at random. Any whole number. */
  seed: number;
  /** One after the other. What a stage leaves out is as in `photoStages`. Default: those two. */
  stages?: readonly Partial<PhotoStage>[];
  /** Share of the pictures that ring at the end, as sharpened ones do. Default 0.8, as Real-ESRGAN. */
  sinc?: number;
  /** Share of the pictures to which nothing happens but bicubic shrinking. Default 0.1. */
  clean?: number;
}

/** One stage. Shares are probabilities, 0 to 1. */
export interface PhotoStage {
  /** Share of blurred pictures. */
  blur: number;
  /** Standard deviations in pixels: of HR in the first stage, later about those of LR. 0 to 20. */
  sigma: Range;
  /** Share of round kernels among them; the others have two sigmas and are turned. */
  round: number;
  /** Share of pictures that are made larger. */
  enlarge: number;
  /** How many times, at most: compared with HR in the first stage, with LR later. 1 to 4. */
  largest: number;
  /** Share of pictures that are made smaller; what is left keeps its size. */
  shrink: number;
  /** How small, at least, compared with LR: 0.1 to 1. */
  smallest: number;
  /** Share of pictures with noise; half of them get Gaussian noise, and half shot noise. */
  noisy: number;
  /** Gaussian noise: standard deviation in levels, 0 to 255. */
  noise: Range;
  /** Shot noise: its standard deviation in white is this, in levels times 16; 0.01 to 10. */
  shot: Range;
  /** Share of grey noise, the same in all three colours. */
  grey: number;
  /** Share of pictures that are compressed. */
  compressed: number;
  /** JPEG quality, 1 to 100. */
  jpeg: Range;
}

/** The ranges. Where they are not Real-ESRGAN's, docs/degradation.md says why. */
export const photoStages: readonly PhotoStage[] = [
  // biome-ignore format: a line each for blur, size, noise and JPEG
  {
    blur: 0.8, sigma: [0.2, 3], round: 0.6,
    enlarge: 0.2, largest: 1.5, shrink: 0.7, smallest: 0.6,
    noisy: 0.7, noise: [1, 30], shot: [0.05, 3], grey: 0.4,
    compressed: 0.7, jpeg: [30, 95],
  },
  // biome-ignore format: a line each for blur, size, noise and JPEG
  {
    blur: 0.5, sigma: [0.2, 1.5], round: 0.6,
    enlarge: 0.3, largest: 1.2, shrink: 0.4, smallest: 0.6,
    noisy: 0.5, noise: [1, 25], shot: [0.05, 2.5], grey: 0.4,
    compressed: 0.9, jpeg: [30, 95],
  },
];

export function isPhoto(options: object): options is PhotoOptions {
  return "kind" in options;
}

/** @throws RangeError for wrong options, and without a scale. */
export function drawPhoto(
  options: PhotoOptions,
  random: Random,
  scale: number | undefined,
): { steps: DegradationStep[]; seed: number } {
  const { stages, sinc, clean } = checkPhotoOptions(options);
  checkArguments("drawDegradation", { scale: [scale, aPairScale] });
  const seed = random.next();
  if (happens(random, clean)) return { steps: [{ resize: "bicubic", size: 1 }], seed };
  const steps: DegradationStep[] = [];
  let last: DegradationStep[] = [];
  for (const [i, stage] of stages.entries()) {
    steps.push(...last, ...beforeCompression(stage, i === 0 ? scale! : 1, random));
    last = compression(stage, random);
  }
  // The last file is compressed before or after its picture gets its final size.
  const toSize: DegradationStep[] = [{ resize: pick(random, resizings), size: 1 }];
  const cutoff = random.uniform();
  const reach = 3 + random.int(8);
  if (happens(random, sinc)) toSize.push({ sinc: Math.PI * (1 / 3 + (2 / 3) * cutoff), reach });
  const [before, after] = random.int(2) === 0 ? [last, toSize] : [toSize, last];
  return { steps: [...steps, ...before, ...after], seed };
}

/** Blur, another size, noise. `base` is the size that `largest` counts from, in sides of LR. */
function beforeCompression(stage: PhotoStage, base: number, random: Random): DegradationStep[] {
  const steps: DegradationStep[] = [];
  const [sigma, other, angle] = [
    between(random, stage.sigma),
    between(random, stage.sigma),
    random.uniform(),
  ];
  const round = happens(random, stage.round);
  if (happens(random, stage.blur)) {
    steps.push({
      blur: round ? { sigma, sigma2: sigma, angle: 0 } : { sigma, sigma2: other, angle: 180 * angle },
    });
  }
  const resize = pick(random, resizings);
  const [which, how] = [random.uniform(), random.uniform()];
  if (which < stage.enlarge) steps.push({ resize, size: base * (1 + how * (stage.largest - 1)) });
  else if (which < stage.enlarge + stage.shrink) {
    steps.push({ resize, size: stage.smallest + how * (base - stage.smallest) });
  }
  const grey = happens(random, stage.grey);
  const [noise, shot] = [between(random, stage.noise), between(random, stage.shot)];
  const gaussian = random.int(2) === 0;
  if (happens(random, stage.noisy))
    steps.push(gaussian ? { noise, grey } : { photons: (16 / shot) ** 2, grey });
  return steps;
}

function compression(stage: PhotoStage, random: Random): DegradationStep[] {
  const jpeg = Math.round(between(random, stage.jpeg));
  return happens(random, stage.compressed) ? [{ jpeg }] : [];
}

const resizings: readonly Shrink[] = ["area", "bilinear", "bicubic"];

/** All of these draw as many numbers whatever comes of them, so that one option does not change the others. */
const pick = <T>(random: Random, list: readonly T[]): T => list[random.int(list.length)];
const happens = (random: Random, share: number): boolean => random.uniform() < share;
function between(random: Random, range: Range): number {
  const [min, max] = typeof range === "number" ? [range, range] : range;
  return min + random.uniform() * (max - min);
}

/** The options with nothing left open, in one order of their names. */
export function completePhoto(options: PhotoOptions): PhotoOptions {
  const { stages, sinc, clean } = checkPhotoOptions(options);
  return { kind: "photo", seed: options.seed, stages, sinc, clean };
}

function checkPhotoOptions(options: PhotoOptions) {
  const names = { kind: aKind, seed: whole(), stages: someStages, sinc: probability, clean: probability };
  checkOptions("drawDegradation", options, names, ["kind", "seed"]);
  const { stages = photoStages, sinc = 0.8, clean = 0.1 } = options;
  const complete = stages.map((stage, i) => {
    checkOptions("drawDegradation", stage, stageNames);
    const all = { ...photoStages[Math.min(i, photoStages.length - 1)], ...stage };
    boundsOf("sigma", all.sigma, 0, 20);
    boundsOf("noise", all.noise, 0, 255);
    boundsOf("shot", all.shot, 0.01, 10);
    boundsOf("jpeg", all.jpeg, 1, 100);
    boundsOf("largest", all.largest, 1, 4);
    boundsOf("smallest", all.smallest, 0.1, 1);
    boundsOf("enlarge and shrink together", all.enlarge + all.shrink, 0, 1);
    return all;
  });
  return { stages: complete, sinc, clean };
}

const probability: Wanted<number> = {
  wants: "a probability, 0 to 1",
  fits: (value): value is number => typeof value === "number" && value >= 0 && value <= 1,
};

const aKind: Wanted = { wants: '"photo"', fits: (value): value is "photo" => value === "photo" };

const someStages: Wanted<readonly object[]> = {
  wants: "a list of 1 to 4 stages, such as [{}, { jpeg: [50, 95] }]",
  fits: (value): value is readonly object[] =>
    Array.isArray(value) && value.length >= 1 && value.length <= 4 && value.every(isObject),
};

// biome-ignore format: a line each for blur, size, noise and JPEG
const stageNames: Readonly<Record<keyof PhotoStage, Wanted>> = {
  blur: probability, sigma: anything, round: probability,
  enlarge: probability, largest: anything, shrink: probability, smallest: anything,
  noisy: probability, noise: anything, shot: anything, grey: probability,
  compressed: probability, jpeg: anything,
};

/** Both bounds of a range. @throws RangeError if it is none, or exceeds what makes sense. */
export function boundsOf(
  name: string,
  range: Range,
  lowest: number,
  highest: number,
): readonly [number, number] {
  const bounds = Array.isArray(range) && range.length === 2 ? range : [range, range];
  const [min, max] = bounds;
  const numeric = range !== null && bounds.every((bound) => typeof bound === "number");
  if (numeric && lowest <= min && min <= max && max <= highest) return [min, max];
  const wanted = `a number or [min, max] in ${lowest}..${highest}`;
  throw new ArgumentError("drawDegradation", `${name} must be ${wanted}, not ${quote(range)}.`);
}
