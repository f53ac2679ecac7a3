/** The page's sentences in English. site/README.md says how to add a language. */
import type { Choice } from "../../src/index.ts";
import { firstNames, type SentencesLike } from "./list.ts";

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
    "Your own device computes everything, with its graphics card where it can. Pictures and networks never leave your device. Once loaded, the page works offline, with the networks that it has used.",
  source: "Source code",
  licence: "Licence: MIT",
  kernelPage: "How a convolution gets fast",
  samplesOrigin:
    "Sample photographs: public domain, from scikit-image (S. van der Walt, R. Michetti, NASA) and stdlib",
  dismiss: "Dismiss",
  whatToDo: "What to do",
  enlargeTab: "Enlarge",
  trainTab: "Fine-tune",
  videoTab: "Video",
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
  notStarted:
    "This page’s script has not started. If you opened the page as a file, serve its folder instead (npx serve) and open the address that is printed. Otherwise allow this page to run JavaScript.",
  chooser: "Picture",
  choosePicture: "Choose a picture…",
  dropHint: "or drop or paste one,",
  trySample: "or try",
  pictures: "Pictures",
  toSize: "Size",
  targetWidth: "Pixels wide, at most",
  targetHeight: "Pixels high, at most",
  targetHint: "One of the two is enough.",
  quality: "Quality",
  fast: "Fast",
  best: "Best",
  other: "Other",
  details: "Details",
  method: "Method",
  automatic: "chosen by the picture",
  removeNetwork: "Remove this network",
  methodHint:
    "“Best” looks at the picture, and takes a network for clean ones or one for those that JPEG, noise or blur has damaged. “Fast” is ESPCN. All have seen many photographs small and large. The others are there to compare with.",
  moreNetworks:
    "More networks: drop or choose a weight file, trained with pixelgrad (.safetensors) or by another program (.pth), or make one under “Fine-tune”. They stay in this browser. Nothing in a file is executed.",
  enlargeProgress: "Progress",
  saveAs: "Save as",
  lossless: "PNG, lossless",
  download: "Download",
  copy: "Copy",
  shareResult: "Share…",
  left: "Left",
  original: "original",
  bicubicLeft: "bicubic",

  // ---- The page
  title: "pixelgrad: larger pictures",
  dropHere: "Drop a picture, a video or weights anywhere",
  sample: (name: string) => `Sample: ${name}`,
  sampleNames: { Cat: "Cat", Astronaut: "Astronaut", Cup: "Cup", Flower: "Flower" } as Readonly<
    Record<string, string>
  >,
  sampleNotLoaded: (why: string) => `The sample could not be loaded (${why}). Choose a picture of your own.`,
  oneVideo: (name: string) => `Only the first video is opened, ${name}. Choose the others one by one.`,
  noFile: "That was no file. Save the picture first, and then drop its file.",
  damagedDrawing: (name: string) =>
    `${name} is an SVG drawing, but it is damaged. Download or copy it again.`,
  drawingTooLarge: (name: string, size: string) =>
    `${name} wants to be ${size} pixels, more than this browser can draw. Give it a smaller width and height.`,
  unreadable: (name: string) =>
    `${name} cannot be read: it was changed, moved or removed since it was chosen. Choose it again.`,
  noPicturesIn: (folders: string) => `No pictures were found in ${folders}.`,
  lookingForWebGpu: "Looking for WebGPU…",
  noWebGpuShort: "no WebGPU",
  gpuBusy: "The GPU is busy; try again in a moment.",
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

  // ---- The comparison
  window: "Picture: plus and minus zoom, 0 fits, 1 shows every pixel as one of the screen, arrows move",
  divider: "Share of the left picture",
  dividerAt: (percent: number, left: string, right: string) => `${percent} % ${left}, the rest ${right}`,
  zoom: "Zoom",
  zoomIn: "Zoom in",
  zoomOut: "Zoom out",
  fit: "Fit",
  actual: "Every pixel is one of the screen",
  loupe: "Loupe",
  loupeHint: "Shows the place under the pointer larger, in both pictures (key L)",
  tryPart: "Try this part",
  partHint: "Arrow keys move it, Enter enlarges it",
  wholePicture: "Whole picture",

  // ---- Enlarging
  reading: (name: string) => `Reading ${name}…`,
  enlarge: (count: number) => (count < 2 ? "Enlarge" : `Enlarge ${count} pictures`),
  becomes: (from: string, to: string) => `${from} becomes ${to} pixels.`,
  cannotDo: (method: string, scales: readonly string[]) => `${method} cannot do ${scales.join(", ")}.`,
  notSoLarge: (method: string, scale: number, size: string) =>
    `“${method}” enlarges by ${scale} at most, which is ${size} pixels. Choose fewer pixels.`,
  wrongTarget: "Say how many pixels the result may have: a width, a height, or both.",
  pictureOf: (at: number, count: number) => `Picture ${at} of ${count}: `,
  loading: "Loading…",
  preparing: "Preparing the network…",
  done: (time: string) => `Done in ${time}.`,
  partDone: (time: string) => `This part took ${time}.`,
  allDone: (count: number, time: string) => `Done: ${count} pictures in ${time}.`,
  someDone: (done: number, count: number) =>
    `${done} of ${count} pictures are done. The list says what failed.`,
  from: "From",
  to: "To",
  by: "By",
  /** Which network was taken, where the picture decided, and why. */
  chosenFor: ({ signs, damage }: Choice) => {
    const words = { jpeg: `JPEG at quality ${damage.jpegQuality}`, noise: "noise", blur: "blur" };
    return signs.length > 0
      ? `for a picture with ${signs.map((sign) => words[sign]).join(", ")}`
      : "for a picture without signs of damage";
  },
  time: "Time",
  tiles: "Tiles",
  on: "On",
  and: (parts: readonly string[]) => parts.join(" and "),
  states: { waiting: "waiting", working: "being enlarged", done: "done", failed: "failed" },
  removeFromList: (name: string) => `Remove ${name} from the list`,

  // ---- Files
  downloadAll: (count: number) => `Download all ${count} (ZIP)`,
  saveAll: (count: number) => `Save all ${count} in a folder…`,
  writing: "Writing the file…",
  writingOf: (at: number, count: number) => `Writing file ${at} of ${count}…`,
  saved: (size: string) => `Saved, ${size}.`,
  savedAll: (count: number, size: string) => `Saved ${plural(count, "picture")}, ${size}.`,
  savedInto: (count: number, folder: string) => `Saved ${plural(count, "picture")} in “${folder}”.`,
  noteOn: (note: string, names: readonly string[]) =>
    `${note} (${firstNames(names, (n) => `and ${n} more`)})`,
  notSaved: (names: readonly string[], why: string) =>
    `Not saved: ${firstNames(names, (n) => `and ${n} more`)}. ${why}`,
  copied: "Copied.",
  shareAgain: "The picture is ready. Press “Share…” once more.",

  // ---- The worker
  workerFailed: (reason: string) => `The page's worker failed: ${reason}. Reload the page.`,
  workerNotLoaded:
    "A file of this page could not be loaded, its worker. Check the connection and reload the page. (If the page is yours: its folder has to be served whole, and its policy has to allow workers.)",

  partNotLoaded:
    "A file of this page could not be loaded. Check the connection and try again, or reload the page.",

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
    `Left out, because they are no pictures, too small, too many, or further sizes of a pair: ${firstNames(names, (n) => `and ${n} more`)}.`,
  filesChosen: (count: number) => plural(count, "file"),
  reopened: (step: number) =>
    `The graphics device was lost. Training goes on from step ${step} on a new one.`,
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

/** All sentences of the page: texts, and functions that put names and numbers into texts. */
export type Sentences = SentencesLike<typeof english>;
