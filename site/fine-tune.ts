/**
 * Trains a network on the very pictures that it will enlarge. Patterns of a picture at half its size often
 * appear elsewhere in it at full size. So a network can learn from one picture alone (Shocher, Cohen, Irani,
 * "Zero-Shot Super-Resolution using Deep Internal Learning", 2018).
 *
 * It never makes things worse: a part of the picture is held out and measured again and again, and the result is
 * the network at its best step, if that is better than the beginning.
 */
import {
  Adam,
  backward,
  cosineAnnealingLR,
  DeviceLostError,
  defaultDevice,
  init,
  keep,
  l1Loss,
  type NamedArray,
  networkUpscaler,
  type SuperResolver,
  scope,
  serializeSafetensors,
  type Tensor,
  tensor,
} from "../src/index.ts";
import { type Image, imresize, psnr } from "../src/picture/index.ts";
import { type Material, type Pair, readMaterial } from "./material.ts";
import type { FineTuneEvent, FineTuneInput, FineTuneResult, Quality } from "./messages.ts";
import { type Batch, Patches } from "./patches.ts";
import type { Context } from "./serve-tasks.ts";

/** Highest learning rates: of a new network, and of one that has been trained. */
const NEW_LR = 2e-3;
const TRAINED_LR = 1e-4;
/**
 * Steps over which the learning rate rises. Adam's first steps are as long as the rate allows, in directions
 * that it has hardly measured.
 */
const WARMUP = 30;
/** Training goes on at least this many times as long as the last measurement took, before the next one. */
const STEPS_PER_MEASUREMENT = 6;
/** Milliseconds between two measurements at least. */
const BETWEEN_MEASUREMENTS = 250;
/** After Stop, what is under way may take so many milliseconds to be of use. */
export const GRACE = 300;
/** A gain below this, in decibels, is none. */
const LEAST_GAIN = 0.01;
/** A device that is lost more often than this will be lost again. */
const MAX_LOSSES = 3;

type State = Map<string, NamedArray>;

/** What survives the loss of a device, and what is left when a run is stopped. */
interface Progress {
  step: number;
  /** The weights at the last measurement, and its step. */
  latest?: { readonly step: number; readonly state: State };
  before?: { readonly error: number; readonly preview: Image };
  best?: { readonly step: number; readonly error: number; readonly state: State };
  quality?: Quality;
  metadata: Record<string, string>;
}

/** An abort ends it early, and the best step so far is the result. `open` makes a copy of the network to train. */
export async function fineTune(
  open: () => Promise<SuperResolver>,
  input: FineTuneInput,
  { signal, report, leave }: Omit<Context<FineTuneEvent>, "inTurn">,
): Promise<FineTuneResult> {
  const began = performance.now();
  const progress: Progress = { step: 0, metadata: {} };
  const work = train(open, input, progress, {
    signal,
    report: (event) => signal.aborted || report(event),
  });
  leave(work);
  await Promise.race([work, graceAfterStop(signal)]);
  const { quality, best, step, metadata } = progress;
  if (!quality) throw signal.reason; // stopped before anything was measured
  return {
    weights: best && quality.bestStep > 0 ? serializeSafetensors(best.state, metadata) : undefined,
    quality,
    steps: step,
    ms: performance.now() - began,
  };
}

function graceAfterStop(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const later = () => setTimeout(resolve, GRACE);
    if (signal.aborted) later();
    else signal.addEventListener("abort", later);
  });
}

type RunContext = Pick<Context<FineTuneEvent>, "signal" | "report">;

/** Trains until the last step or the signal, on a new device if one is lost. */
async function train(
  open: () => Promise<SuperResolver>,
  { pictures, scale, steps, start }: FineTuneInput,
  progress: Progress,
  context: RunContext,
): Promise<void> {
  const material = await readMaterial(pictures, scale);
  const { pairs, singles, leftOut, pixels } = material;
  context.report({ kind: "material", pairs, singles, leftOut, pixels });
  for (let losses = 0; ; losses++) {
    if (defaultDevice().failure) await reopen();
    const model = await open();
    try {
      if (progress.latest) model.loadStateDict(progress.latest.state);
      progress.step = progress.latest?.step ?? 0;
      if (losses > 0) context.report({ kind: "reopened", step: progress.step });
      const lr = start === undefined ? NEW_LR : TRAINED_LR;
      await trainOn(model, material, { lr, steps }, progress, context);
      return;
    } catch (error) {
      if (!(await isLost()) || losses === MAX_LOSSES) throw error;
    } finally {
      model.dispose();
    }
  }
}

async function trainOn(
  model: SuperResolver,
  material: Material,
  { lr, steps }: { readonly lr: number; readonly steps: number },
  progress: Progress,
  { signal, report }: RunContext,
): Promise<void> {
  progress.metadata = model.metadata();
  const first = progress.step;
  const patches = new Patches(material.training, model, first);
  const cosine = cosineAnnealingLR(lr, { tMax: steps });
  const adam = new Adam(model.parameters());
  const measureNow = async (): Promise<{ time: number; cost: number }> => {
    const began = performance.now();
    await measure(model, material.heldOut, progress, report);
    const time = performance.now();
    return { time, cost: time - began };
  };
  try {
    let last = progress.latest ? { time: performance.now(), cost: 0 } : await measureNow();
    while (progress.step < steps && !signal.aborted) {
      adam.lr = cosine(progress.step) * Math.min(1, (progress.step - first + 1) / WARMUP);
      const batch = patches.next();
      const loss = learn(model, adam, batch);
      // Waiting for the loss also lets messages in, such as a request to stop.
      const value = await loss.item();
      loss.dispose();
      progress.step++;
      report({ kind: "step", step: progress.step, loss: value, bicubicLoss: batch.bicubicLoss });
      const sinceLast = performance.now() - last.time;
      const due = sinceLast > Math.max(BETWEEN_MEASUREMENTS, STEPS_PER_MEASUREMENT * last.cost);
      if (due || progress.step === steps || (signal.aborted && last.cost < GRACE)) last = await measureNow();
    }
  } finally {
    adam.dispose();
  }
}

/** One step. Returns the loss before it. */
function learn(model: SuperResolver, adam: Adam, { low, lowShape, high, highShape }: Batch): Tensor {
  using _ = scope();
  const loss = l1Loss(model.forward(tensor(low, lowShape)), tensor(high, highShape));
  adam.step(backward(loss));
  return keep(loss);
}

/** Measures the network on what is held out, and keeps its weights. */
async function measure(
  model: SuperResolver,
  heldOut: readonly Pair[],
  progress: Progress,
  report: RunContext["report"],
): Promise<void> {
  const { step } = progress;
  const upscaler = networkUpscaler(model);
  const results: Image[] = [];
  for (const { low } of heldOut) results.push(await upscaler.upscale(low));
  const error = meanError(results, heldOut, model.scale);
  const now = withAlpha(results[0], heldOut[0].alpha);
  const state = await model.stateDict();
  progress.latest = { step, state };
  progress.before ??= { error, preview: now };
  const { before } = progress;
  progress.best ??= { step, error, state };
  if (error < progress.best.error) progress.best = { step, error, state };
  const bicubic = heldOut.map(({ low }) => imresize(low, model.scale));
  const gained = decibels(progress.best.error) - decibels(before.error) >= LEAST_GAIN;
  progress.quality = {
    bicubic: decibels(meanError(bicubic, heldOut, model.scale)),
    before: decibels(before.error),
    now: decibels(error),
    best: decibels(gained ? progress.best.error : before.error),
    bestStep: gained ? progress.best.step : 0,
  };
  report({ kind: "measured", step, quality: progress.quality, preview: { before: before.preview, now } });
}

/** Mean squared difference of luma over all visible pixels, as a share of the largest. */
function meanError(results: readonly Image[], originals: readonly Pair[], scale: number): number {
  let [errors, pixels] = [0, 0];
  for (const [i, { high, alpha }] of originals.entries()) {
    const size = high.width * high.height;
    // Where alpha is 0, both are black: it counts for nothing.
    const seen = alpha ? alpha.data.filter((value) => value > 0).length : size;
    errors += 10 ** (-psnr(results[i], high, { border: scale, channels: "y" }) / 10) * size;
    pixels += seen;
  }
  return pixels === 0 ? 0 : errors / pixels;
}

function decibels(error: number): number {
  return -10 * Math.log10(error);
}

/** With the original's transparency, for showing. */
function withAlpha(image: Image, alpha: Image | undefined): Image {
  if (!alpha) return image;
  const { width, height, data } = image;
  const pixels = new Uint8Array(4 * width * height);
  for (let i = 0; i < alpha.data.length; i++) {
    const a = alpha.data[i];
    for (let c = 0; c < 3; c++)
      pixels[4 * i + c] = a && Math.min(255, Math.round((data[3 * i + c] * 255) / a));
    pixels[4 * i + 3] = a;
  }
  return { width, height, channels: 4, data: pixels };
}

/** The loss of a device is known a little later than the failure of what ran on it. */
async function isLost(): Promise<boolean> {
  for (let tries = 0; tries < 10 && !defaultDevice().failure; tries++) await pause(50);
  return defaultDevice().failure instanceof DeviceLostError;
}

/** After a crash of its graphics process, a browser needs a moment. */
async function reopen(): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await init();
      return;
    } catch (error) {
      if (tries === 3) throw error;
      await pause(500);
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
