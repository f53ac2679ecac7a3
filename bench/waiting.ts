/**
 * How long a training run waits for pictures: the product's own trainer and loader learn from PNGs as large as
 * DIV2K's, with the decoded pictures in memory, and in files (--cache).
 */
import { mkdirSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writePng } from "../src/data/index.ts";
import type { GpuDevice } from "../src/device/gpu-device.ts";
import { memoryForPictures } from "../src/files/resources.ts";
import { removeTemporary, temporaryFor } from "../src/files/temporary.ts";
import { presets, type TrainOptions, train } from "../src/train/index.ts";
import { readLog } from "../src/train/run-folder.ts";
import { table } from "./markdown.ts";
import { percent, short } from "./report.ts";
import { height, makeTrainingPictures, PNG_BYTES, width } from "./training-pictures.ts";

/** What is trained: EDSR 4x16 x2 on batches of 16 patches of 48x48 (HR 96x96), the paper's batches. */
const [BATCH, PATCH, SCALE] = [16, 48, 2];

export interface WaitingSizes {
  /** Files, and how many of them are no copies of others. */
  readonly pictures: number;
  readonly different: number;
  readonly steps: number;
  /** A run ends after these, with fewer steps. */
  readonly maxSeconds: number;
}

/** Some steps of a run. */
export interface Stretch {
  readonly steps: number;
  readonly seconds: number;
  /** Share of the time that went into waiting for pictures, 0..1. */
  readonly waiting: number;
}

export interface WaitingRun {
  readonly where: "memory" | "cache";
  /** Without the first step, in which pictures are opened and kernels compiled. Undefined if there is no other. */
  readonly overall?: Stretch;
  /** Since all pictures have been decoded once. Undefined if the run was too short for it. */
  readonly later?: Stretch;
}

export interface Waiting {
  readonly network: string;
  readonly pictures: number;
  readonly size: readonly [width: number, height: number];
  /** Bytes that all of them take when they are decoded, and that the loader keeps in memory. */
  readonly bytes: { readonly decoded: number; readonly kept: number };
  readonly runs: readonly WaitingRun[];
}

/** Of all runs: what is trained, on what. */
export function waitingFacts({ pictures }: WaitingSizes): Omit<Waiting, "runs"> {
  return {
    network: `EDSR 4x16 x${SCALE}, batches of ${BATCH} patches of ${PATCH} x ${PATCH}`,
    ...{ pictures, size: [width, height] },
    bytes: { decoded: pictures * decodedBytes, kept: memoryForPictures() },
  };
}

/** Of a picture and its LR. */
const decodedBytes = width * height * 3 * (1 + 1 / SCALE ** 2);

async function requireSpace({ pictures }: WaitingSizes): Promise<void> {
  const needed = pictures * (PNG_BYTES + decodedBytes);
  const { bavail, bsize } = await statfs(tmpdir());
  if (bavail * bsize >= needed) return;
  // The folder's name may hold a user's, and reports have none.
  const [wanted, free] = [needed, bavail * bsize].map((bytes) => `${(bytes / 1e9).toFixed(2)} GB`);
  throw new Error(
    `The pictures need ${wanted} in the system's folder for temporary files, which has ${free} left. Make room, ` +
      "or name another folder by the environment variable TMPDIR (TEMP on Windows).",
  );
}

/**
 * Makes a folder of pictures to train on, gives it to `body`, and removes it.
 *
 * @throws Error if the system's folder for temporary files has no room for it
 */
export async function withPictures(
  sizes: WaitingSizes,
  signal: AbortSignal,
  body: (folder: string) => Promise<void>,
): Promise<void> {
  await requireSpace(sizes);
  // Also removed if the process is ended meanwhile.
  const folder = temporaryFor(join(tmpdir(), "pixelgrad-bench-pictures"));
  try {
    mkdirSync(folder, { mode: 0o700 });
    const held = join(folder, "held-out");
    await makeTrainingPictures(join(folder, "high"), {
      ...{ count: sizes.pictures, different: sizes.different, signal },
    });
    mkdirSync(held);
    await writePng(join(held, "held-out.png"), smallPicture());
    await body(folder);
  } finally {
    await removeTemporary(folder);
  }
}

/** One run, on the pictures of `withPictures`. */
export async function measureWaiting(
  device: GpuDevice,
  sizes: WaitingSizes,
  {
    folder,
    where,
    signal,
  }: Pick<WaitingRun, "where"> & { readonly folder: string; readonly signal: AbortSignal },
): Promise<WaitingRun> {
  const out = join(folder, `run-${where}`);
  const config = {
    ...presets.EDSR.quick,
    ...{
      batch: BATCH,
      patch: PATCH,
      data: [join(folder, "high")],
      valid: join(folder, "held-out"),
      validPictures: 1,
    },
    ...{ out, lr: 1e-4, steps: sizes.steps, evalEvery: sizes.steps, logEvery: Math.ceil(sizes.steps / 100) },
    ...(where === "cache" && { cache: join(folder, "decoded") }),
  };
  await trainFor(sizes.maxSeconds, signal, (options) => train(config, { device, ...options }));
  const stretches = stretchesOf(readLog(out), Math.ceil(sizes.pictures / BATCH));
  if (!stretches.overall) signal.throwIfAborted(); // a run that was stopped ends without an error
  return { where, ...stretches };
}

/** Stops a run so many seconds after its first step: opening pictures and compiling, before that, do not count. */
async function trainFor(
  seconds: number,
  signal: AbortSignal,
  body: (options: Pick<TrainOptions, "signal" | "onProgress">) => Promise<unknown>,
): Promise<void> {
  const limit = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onProgress = () => {
    timer ??= setTimeout(() => limit.abort(), 1e3 * seconds);
  };
  try {
    await body({ signal: AbortSignal.any([signal, limit.signal]), onProgress });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * All steps of a run's log but those of its first line, and those after its first epoch. A line has the mean time `ms`
 * of the steps since the line before, and the share `waiting` of it; the first one has step 1 alone.
 *
 * @param firstEpoch steps of the first epoch.
 */
export function stretchesOf(
  log: readonly Readonly<Record<string, unknown>>[],
  firstEpoch: number,
): Omit<WaitingRun, "where"> {
  const lines = log.filter(({ ms }) => typeof ms === "number") as unknown as {
    readonly [name in "step" | "ms" | "waiting"]: number;
  }[];
  const parts = lines.slice(1).map(({ step, ms, waiting }, i) => {
    const from = lines[i].step; // of the line before
    return { from, steps: step - from, ms: ms * (step - from), waited: waiting * ms * (step - from) };
  });
  const total = (some: typeof parts): Stretch | undefined => {
    if (some.length === 0) return undefined;
    const sum = (of: (part: (typeof parts)[number]) => number) =>
      some.reduce((all, part) => all + of(part), 0);
    const ms = sum((part) => part.ms);
    return { steps: sum((part) => part.steps), seconds: ms / 1e3, waiting: sum((part) => part.waited) / ms };
  };
  return { overall: total(parts), later: total(parts.filter(({ from }) => from >= firstEpoch)) };
}

function smallPicture() {
  const side = 96;
  const data = Uint8Array.from({ length: side * side * 3 }, (_, i) => (i * i) >> 5);
  return { width: side, height: side, channels: 3 as const, data };
}

export function waitingLines({ network, pictures, size, bytes, runs }: Waiting): string[] {
  const gigabytes = (count: number) => `${short(count / 1e9)} GB`;
  const cells = (stretch: Stretch | undefined) =>
    stretch
      ? [String(stretch.steps), short(stretch.steps / stretch.seconds), percent(stretch.waiting)]
      : ["-", "-", "-"];
  const rows = runs.map(({ where, overall, later }) => [
    where === "memory" ? "in memory" : "in files (`--cache`)",
    ...cells(overall),
    ...cells(later),
  ]);
  const of = ["steps", "steps a second", "waiting"];
  return [
    `${network}, out of ${pictures} PNGs of ${size.join(" x ")}. Decoded, these take ${gigabytes(bytes.decoded)}; the`,
    `loader keeps up to ${gigabytes(bytes.kept)} in memory. The first step is left out: kernels are compiled in it.`,
    "",
    ...table(["decoded pictures", ...of, ...of.map((title) => `${title}, after the first epoch`)], rows),
  ];
}
