/** The page's sentences in English. language.ts says how to add a language. */
import { listed } from "./list.ts";

const plural = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

export const english = {
  // ---- Fixed texts, which index.html has, too
  tagline: "Enlarges pictures with neural networks, on your own device. Nothing is uploaded.",
  languageLabel: "Language",
  noWebGpu: "Networks need WebGPU, which this browser does not offer",
  meanwhile: "Interpolation works without it.",
  whatHelps: "What helps",
  helpsBrowser: "Use a current Chrome or Edge, Firefox 141 or newer on Windows, or Safari 26.",
  helpsSecure: "Open the page over https or from localhost; elsewhere browsers hide WebGPU.",
  helpsAcceleration: "In Chrome, chrome://gpu says whether graphics acceleration is switched off.",
  helpsLinux: "On Linux, Chrome may need the flag --enable-unsafe-webgpu.",
  howItWorks: "How it works",
  howEnlarge:
    "A picture made small has lost its finest detail. A network that has seen many pictures, each large and small, has learned what detail usually belongs to what is left: edges become sharp, and what no one can know stays soft. It does not know your picture and may guess wrongly, so compare the result with the original.",
  howTrain:
    "Fine-tuning goes on with that learning on your own pictures. They are made small, the network tries to restore them, and its numbers are changed a little wherever it failed. A part that it never learns from shows whether it got better. That is measured in decibels (dB): one more is a difference that you can see side by side.",
  howPrivate:
    "Everything is computed by your own graphics card, through WebGPU. Pictures and networks never leave this device, and the page works without a network once it has been loaded.",
  source: "Source code",
  licence: "Licence: MIT",
  kernelPage: "How a convolution gets fast",
  samplesOrigin: "Sample photographs: public domain (CC0), from the data sets of stdlib",
  dismiss: "Dismiss",
  whatToDo: "What to do",
  enlargeTab: "Enlarge",
  trainTab: "Fine-tune",
  trainHint:
    "Trains a network on your own pictures. A part of them is held out, and shows whether the training helped.",
  beginWith: "Begin with",
  learnFrom: "Learn from",
  thisPicture: "this picture",
  myFiles: "my own files",
  choosePictures: "Choose pictures…",
  chooseFolder: "Choose a folder…",
  filesHint:
    "Large pictures alone, or pairs with their small versions: photo.png and photo_x2.png, or low/photo.png and high/photo.png.",
  scaleLabel: "Scale",
  stepsLabel: "Steps",
  train: "Train",
  trainingProgress: "Progress of the training run",
  lossCaption: "The network’s error on what it learns from, compared with",
  use: "Enlarge with it",
  saveWeights: "Save weights",
  yourNetworks: "Your networks",
  keptHint: "They stay in this browser until you remove them.",

  // ---- The page
  lookingForWebGpu: "Looking for WebGPU…",
  noWebGpuShort: "no WebGPU",
  notLoaded: "not loaded",
  sixteenBits: "16 bits",
  software: (adapter: string) => `${adapter} (software, slow)`,

  // ---- Tasks
  stop: "Stop",
  stopping: "Stopping…",
  stopped: "Stopped.",
  starting: "Starting…",
  progress: (what: string, done: number, total: number, left: string | undefined) =>
    `${what} ${done} of ${total}${left === undefined ? "" : `, about ${left} left`}`,
  share: (prefix: string, percent: number, left: string | undefined) =>
    `${prefix}${percent} %${left === undefined ? "" : `, about ${left} left`}`,

  // ---- Training
  yourPicture: "your picture",
  trainingNeedsWebGpu: "Training needs WebGPU.",
  newNetwork: "a new small network",
  newName: "New network",
  ownFiles: "own files",
  tunedFor: (network: string, source: string) => `${network} for ${source}`,
  wrongSteps: (max: string) => `Steps must be a whole number from 1 to ${max}.`,
  noFiles: "Choose the files to learn from first.",
  measuring: "Measuring the network as it is…",
  step: "Step",
  trained: (steps: number, time: string) => `${plural(steps, "step")} in ${time}.`,
  before: "Before",
  after: "After",
  afterSteps: (step: number) => `After ${plural(step, "step")}`,
  bicubic: "Bicubic",
  noError: "no error",
  gained: (decibels: string, step: number, network: string) =>
    `Training gained ${decibels} on the part that was held out. “${network}” is the network after step ${step}, the best one.`,
  nothingGained:
    "Nothing was gained: on the part that was held out, no step was better than the beginning. The network you began with is the better one, and nothing was changed.",
  nothingToGain:
    "Nothing can be gained here: the part that was held out is restored without any error from the start. A picture with more detail would teach more.",
  fewPixels: "The picture is tiny, so there is little to learn from.",
  slowTraining: "This browser computes in software, without a graphics card, which is slow.",
  learnsFrom: (pairs: number, singles: number) =>
    `Learns from ${[pairs > 0 && plural(pairs, "pair"), singles > 0 && plural(singles, "single picture")]
      .filter(Boolean)
      .join(" and ")}.`,
  leftOut: (names: readonly string[]) =>
    `Left out, because they are no pictures, too small, or too many: ${listed(names, (n) => `and ${n} more`)}.`,
  filesChosen: (count: number) => plural(count, "file"),
  reopened: (step: number) =>
    `The graphics device was lost. Training goes on from step ${step} on a new one.`,
  deviceGone:
    "The graphics device was lost, and the browser offers no new one. Try again in a minute; if that does not help, reload the page.",
  nothingToLearnFrom: (width: number, height: number, scale: number) =>
    `There is nothing to learn from: at ×${scale}, each side of a picture needs at least ${8 * scale} pixels. The picture on show has ${width} × ${height}.`,
  otherScale: (scale: number, chosen: number) =>
    `These are pairs for ×${scale}, and ×${chosen} is chosen. Choose ×${scale}.`,
  stepsAxis: "steps",
  noLossYet: "Loss: no steps yet",
  lossAfter: (steps: number, percent: string) =>
    `Loss after ${plural(steps, "step")}: ${percent} % of bicubic's`,

  // ---- The user's networks
  nameOf: (network: string) => `Name of ${network}`,
  saveNetwork: "Save",
  remove: "Remove",
  reallyRemove: (network: string) => `Remove “${network}” from this browser?`,
  notKept: (network: string) =>
    `This browser keeps nothing for this page, as in a private window. Save “${network}” before you leave.`,
};

type Widened<T> = { readonly [K in keyof T]: T[K] extends string ? string : T[K] };
/** All sentences of the page: texts, and functions that put names and numbers into texts. */
export type Sentences = Widened<typeof english>;
