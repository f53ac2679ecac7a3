/**
 * What the lesson's script says, in English. english-prose.ts has the fixed texts. site/README.md says how to add a
 * language.
 */
import type { SentencesLike } from "../../sentences/list.ts";
import type { Layer } from "../messages.ts";

const plural = (count: number, one: string) => `${count} ${count === 1 ? one : `${one}s`}`;

export const english = {
  // ---- The page
  title: "How a convolution gets fast · pixelgrad",
  lookingForWebGpu: "Looking for WebGPU…",
  noWebGpu: "No WebGPU",
  notLoaded: "Not loaded",
  software: (adapter: string) => `${adapter} (software: slow)`,
  workerFailed: (reason: string) => `The page's worker failed: ${reason}. Reload the page.`,
  workerNotLoaded:
    "A file of this page could not be loaded, its worker. Check the connection and reload the page. (If the page is yours: its folder has to be served whole, and its policy has to allow workers.)",
  stop: "Stop",
  stopped: "Stopped.",

  // ---- Measuring
  layer: ({ batch, inputs, outputs, window, side }: Layer) =>
    `${inputs} → ${outputs} channels, ${window}×${window}, ${batch > 1 ? `${batch} pictures of ` : ""}${side} × ${side}`,
  measuring: "Measuring…",
  findingCeilings: "What the card can do at best: multiply-adds in registers, and copies…",
  computingReference: (layer: string) => `The reference on the CPU, in plain loops: ${layer}…`,
  checkingStep: (step: string) => `${step}: compiling, and checking the result…`,
  checkingEdit: "Checking the result…",
  fitting: (program: string) => `${program}: how often it fits into a run…`,
  timing: (program: string, turn: number) => `${program}: timing, turn ${turn}…`,
  /** A step's program as somebody has changed it. */
  edited: (step: string) => `${step}, edited`,
  beginsAgain: "The device was lost. The measurement begins again on a new one.",
  onAdapter: (layer: string, adapter: string) => `${layer} on ${adapter}`,
  wayBack: "The way back",
  wrongSteps: (steps: string) => `Wrong on this adapter: ${steps}. That should not be; please report it.`,
  rightSteps: (count: number) => `All ${plural(count, "step")} are right.`,
  refusedSteps: (steps: string) => `This adapter's driver refuses ${steps}.`,
  fastestStep: (step: string, time: string, ratio: string, first: string) =>
    `The fastest, ${step}, takes ${time}, ${ratio} as fast as ${first}.`,
  wasLost: "The device was lost meanwhile, and all this was measured on a new one.",
  doesNotRun: "does not run",
  right: "right",
  within: (error: string) => `within ${error} of the largest value`,
  wrongBy: (percent: string) => `wrong by ${percent}`,
  copied: "Copied.",
  cannotCopy: "This browser does not let the page copy; take the JSON.",

  // ---- What was measured, and how
  ceilings: (before: string, after: string) =>
    `Multiply-adds in registers alone: ${before} before, ${after} after.`,
  unsteady: "The adapter's speed changed meanwhile, so trust ratios more than shares.",
  bestTime: (copy: string, best: string, limit: "bytes" | "multiply-add") =>
    `A copy of this size: ${copy}. At best this convolution would take ${best}, limited by ${limit === "bytes" ? "moving its data" : "arithmetic"}.`,
  nothingTimed: "Nothing was timed.",
  medians: (runs: number, clock: "gpu" | "wall") =>
    `Times are medians of ${runs} runs in turns, after a warm-up, ${
      clock === "gpu"
        ? "by the GPU's own clock"
        : "by wall, since this adapter has no clock of its own to read; each run repeats the kernel and waits once"
    }.`,
  someValues: (checked: string, all: string, name: string) => `${checked} of ${all} values of ${name}`,
  allCompared: "All values were compared with plain loops on the CPU in float64.",
  partlyCompared: (parts: readonly string[]) =>
    `Plain loops on the CPU in float64 checked ${parts.join(" and ")}; all others were compared with the first step's.`,

  // ---- A step
  runKernel: "Run this kernel",
  reset: "Reset",
  compiling: "Compiling…",
  programOf: (step: string) => `The program of step ${step} in WGSL`,
  prelude: "What is put before it: constants for this convolution",
  perLoad: "Multiply-adds for each load",
  perSharedRead: "… for each read of workgroup memory",
  threads: "Workgroups × threads",
  barriers: "Barriers",
  largestDifference: "Largest difference",
  wrongAt: (error: string) => `${error}: wrong`,
  onThisAdapter: "On this adapter",
  doesNotCompile: "does not compile",
  compiledIn: "Compiled in",
  time: "Time",
  speed: "Speed",
  ofCeiling: "Of the ceiling",
  notLaunched: "It does not compile, or cannot be launched:",
  lostInEdit:
    "The device was lost while this kernel ran: perhaps one of its loops does not end, or takes longer than the browser allows. It will be opened again for the next run.",
  line: (line: number) => `Line ${line}`,
  rightEdit: "Right",
  rightWithin: (error: string) => `, within ${error} of the largest value.`,
  timedEdit: (time: string, speed: string, share: string, compared: string, original: string) =>
    `${time}, ${speed}, ${share} of the ceiling: ${compared} (${original}, in turns with it).`,
  asFast: "about as fast as the step was",
  faster: (ratio: string) => `${ratio} as fast as the step was`,
  slower: (ratio: string) => `slower than the step was: ${ratio} its time`,
  wrongEdit: (percent: string, place: string, got: string, want: string) =>
    `Wrong. The largest difference is ${percent} of the largest value, at ${place}: ${got} in place of ${want}. How fast it is does not matter, so it was not timed.`,
  unwrittenEdit: (place: string, got: string, want: string) =>
    `Wrong. There are values that are no numbers, or that it never wrote, such as ${place}: ${got} in place of ${want}. How fast it is does not matter, so it was not timed.`,
  placeInY: (picture: number, channel: number, row: number, column: number) =>
    `picture ${picture}, channel ${channel}, row ${row}, column ${column}`,
  placeInDw: (output: number, input: number, row: number, column: number) =>
    `output channel ${output}, input channel ${input}, row ${row} and column ${column} of the window`,

  // ---- The drawings of the steps
  play: "Play",
  pause: "Pause",
  previous: "Previous picture",
  next: "Next picture",
  frameCount: (at: number, all: number, loads: string, multiplyAdds: string, ratio: string) =>
    `${at}/${all} · ${loads} loads, ${multiplyAdds} multiply-adds so far: ${ratio} each`,
  marks: {
    load: "loads from memory",
    shared: "in workgroup memory",
    read: "reads from nearby",
    compute: "sums that grow",
    coming: "on its way",
  },
  pixels: "pixels",
  ownPixels: "this lane's pixels",
  channelPixels: "pixels of one channel",
  weights: "weights",
  weightsOf: (channels: number) => `weights of ${channels} channels`,
  weightsByLanes: "weights, by lanes",
  outputs: "outputs",
  channelOutputs: "outputs of one channel",
  sums: "sums in registers",
  weightGradient: "gradient of the weights",
  dyOf: (channels: number) => `dy of ${channels} channels`,
  nextRound: "the next round",
  workgroupOf: (rows: number, columns: number) =>
    `A workgroup: ${rows} × ${columns} threads, each with one output`,
  threadOf: (pixels: number, channels: number) =>
    `One thread: ${pixels} pixels in ${channels} output channels`,
  laneOf: (lanes: number, pixels: number, channels: number) =>
    `One lane of ${lanes}: ${pixels} pixels in ${channels} output channels`,
  tileOf: (threads: number, channels: number, rows: number, columns: number) =>
    `A workgroup of ${threads} threads: ${channels} channels of ${rows} × ${columns}; one thread is drawn`,
  threadsOfPair: (threads: number) => `The ${threads} threads of one pair of channels, each with one weight`,
  gradThreadOf: (weights: number, channels: number) =>
    `One thread: ${weights} weights to each of ${channels} output channels; the first two strips of a row are drawn, and all others load like the second`,
  gradTileOf: (threads: number, inputs: number, outputs: number) =>
    `A workgroup of ${threads} threads: ${inputs} input to ${outputs} output channels; one thread is drawn`,
  gradRowsOf: (threads: number, inputs: number, outputs: number) =>
    `A workgroup of ${threads} threads: ${inputs} input to ${outputs} output channels; one thread and the first two rows are drawn, and all other rows load like the second`,
  equalShares:
    "All threads load equal shares, so some load a value that nobody needs. The count below has these, too.",
  naiveFrame:
    "Each of the 64 threads loads its own pixel and, each for itself, the same weight: 128 loads for 64 multiply-adds.",
  tiledCopy: (rows: number, columns: number) =>
    `All threads together copy ${rows} × ${columns} pixels into workgroup memory, each pixel once, and wait.`,
  tiledFrame: (threads: number) =>
    `Pixels now come from workgroup memory. The weight still comes from memory, for each of the ${threads} threads.`,
  blockedLoad: (pixels: number) => `The thread loads ${pixels} pixels of a row into registers.`,
  blockedFrame: (channels: number, pixels: number) =>
    `${channels} weights, one for each channel. Each is multiplied with ${pixels} pixels: ${channels * pixels} multiply-adds.`,
  broadcastPixels: (pixels: number) => `Each lane loads ${pixels} pixels of its own.`,
  neighborsPixels:
    "What lies beside them comes from the neighbouring lanes. It is loaded for the outermost lanes alone.",
  broadcastWeights: (lanes: number, weights: number, share: number) =>
    `The ${lanes} lanes share out the ${weights} weights: each loads ${share}. Brightness tells the lanes apart.`,
  broadcastFrame: "The lane that has a weight hands it to all the others. No load.",
  sharedCopy:
    "The workgroup copies the pixels under its tile, and the weights of its channels, into workgroup memory. All wait.",
  sharedColumn: (pixels: number) => `A thread reads a column of ${pixels} pixels, for all rows of its block.`,
  sharedFrame: (channels: number, multiplyAdds: number) =>
    `For each of its ${channels} channels it reads one weight, four at a time: ${multiplyAdds} multiply-adds.`,
  prefetchCopy: "The pixels and weights that have arrived go into workgroup memory. All wait.",
  prefetchPairs: (reads: number) =>
    `A thread reads the pixels under its block, two at a time: ${reads} reads. It keeps them in registers.`,
  prefetchFrame: "While the threads compute, what they will need next is on its way into registers.",
  gradNaiveFrame: (weights: number) =>
    `At this place, each thread loads dy and the pixel that its weight met: ${2 * weights} loads for ${weights} multiply-adds.`,
  gradLoad: (outputs: number, rows: number, columns: number) =>
    `A strip of ${outputs} outputs saw ${rows} × ${columns} pixels. The thread loads them.`,
  gradNextLoad: (columns: number) =>
    `The next strip: the thread keeps the columns that it has, and loads ${columns} new ones in each row.`,
  gradLanes: (lanes: number, values: number, share: number) =>
    `The ${lanes} lanes of a subgroup share out the ${values} values of dy: each loads ${share}, and hands them to the others. Brightness tells the lanes apart.`,
  gradFrame: (channels: number, pixels: number) =>
    `${channels} values of dy. Each is multiplied with ${pixels} pixels: ${channels * pixels} multiply-adds.`,
  gradSharedCopy: (columns: number) =>
    `The workgroup copies ${columns} columns of dy, and the pixels that the window saw there, into workgroup memory.`,
  gradSharedFrame: (rows: number, columns: number, outputs: number, channels: number, multiplyAdds: number) =>
    `From there a thread reads ${rows} × ${columns} pixels and ${outputs} × ${channels} values of dy, for ${multiplyAdds} multiply-adds.`,
  gradRollingCopy: (rows: number, columns: number) =>
    `The workgroup copies the ${rows} rows of pixels that the window sees, and ${columns} columns of a row of dy, into workgroup memory.`,
  gradRollingDown:
    "One row down. Only one row of pixels and one of dy are new; they were on their way while the threads computed.",

  // ---- The training step
  flower: "Flower",
  town: "Town",
  rings: "Rings",
  noPicture: (name: string) => `${name} is no picture that this browser can read.`,
  wentOn: (adapter: string) =>
    `The device was lost. The network went on from its last drawing on ${adapter}; Adam's memory began anew.`,
  input: (width: number, height: number) => `input, ${width} × ${height}`,
  target: "target",
  maps: (layer: number, count: number) => `after layer ${layer}: ${count} maps`,
  output: "output",
  difference: "output − target, grey is 0",
  gradientOfOutput:
    "by the output's three colours, grey is 0; the root of each value is drawn, so that small ones show",
  gradientOfMaps: (layer: number) => `by the maps after layer ${layer}, grey is 0; the root is drawn`,
  firstWeights: "first layer's weights: one picture for each of its maps",
  theirGradients: "their gradients",
  change: "change since the first drawing",
  baseline: "the input as it is",
  stepAndLoss: (step: number, loss: string) => `step ${step}, loss ${loss}`,
  noLossYet: "Loss: no steps yet",
  lossAfter: (steps: number, loss: string, baseline: string) =>
    `Loss after ${plural(steps, "step")}: ${loss}; of the input as it is: ${baseline}`,
};

/** What the lesson's script says: texts, and functions that put names and numbers into texts. */
export type Sentences = SentencesLike<typeof english>;
