/** Everything that a run works with, new or as it was at a checkpoint. */
import { basename } from "node:path";
import { DataError, type PairDataset, PatchLoader } from "../data/index.ts";
import { pathsOf } from "../data/pairs.ts";
import type { Note } from "../files/picture-file.ts";
import { statsOf } from "../files/same-file.ts";
import { Adam, type Device, onDevice, outsideScopes, Random, type SuperResolver } from "../node.ts";
import { quantity } from "../options/lists.ts";
import { excerpt } from "../options/printable.ts";
import { toPlanar } from "../picture/index.ts";
import type { Checkpoint, PictureNames } from "./checkpoint.ts";
import { networkOf, type TrainConfig } from "./config.ts";
import { openPictures } from "./datasets.ts";
import { readInitial } from "./initial.ts";
import { rateAfterResume } from "./schedule.ts";
import { survey } from "./survey.ts";
import { Validation } from "./validation.ts";

export interface Session {
  readonly config: TrainConfig;
  readonly device: Device;
  /** The pictures, in words. */
  readonly description: string;
  readonly pictureNames: PictureNames;
  /** What the pictures have that training does not use. */
  readonly notes: readonly Note[];
  /** What the folders hold that is not used, in words and without paths. */
  readonly leftOut: readonly string[];
  /** What makes the figures worth less. */
  readonly warnings: readonly string[];
  readonly loader: PatchLoader;
  readonly validation: Validation;
  readonly model: SuperResolver;
  /** The moving average of the model's weights, where the configuration has one. */
  readonly average: SuperResolver | undefined;
  readonly adam: Adam;
  /** Makes another network of the same kind, with random weights. */
  build(): SuperResolver;
  /** Frees all of it but the device. */
  close(): Promise<void>;
}

/** Number of pictures that a network sees before the first step, if it looks at any. */
const EXAMPLE_COUNT = 20;

/**
 * A network with its pictures, loss and optimizer on a device, from random weights, from those that the configuration
 * names, or as a checkpoint left them. The caller closes it.
 *
 * @throws DataError if pictures or weights cannot be read, or do not fit the network.
 */
export async function openSession(
  config: TrainConfig,
  device: Device,
  onMessage: (line: string) => void = () => {},
  checkpoint?: Checkpoint,
): Promise<Session> {
  const { seed, batch, patch } = config;
  const { architecture, options } = networkOf(config.network);
  const { colors = architecture.colors } = options;
  const { inputSize } = architecture;
  onMessage(`Adapter: ${device.name}`);

  const format = { scale: options.scale, colors, inputSize };
  const leftOut: string[] = [];
  const { train, valid, description, warnings } = openPictures(config, format, (line) => {
    onMessage(line);
    leftOut.push(withoutPaths(line, config));
  });
  onMessage(`Pictures: ${description}`);
  for (const warning of warnings) onMessage(warning);
  const pictureNames = { train: train.names, valid: valid.names, trainBytes: bytesOf(train) };
  if (checkpoint) checkPictures(checkpoint.state.pictures, pictureNames, onMessage);

  const loader = new PatchLoader(train, { batch, patch, seed, cacheFolder: config.cache });
  const owners: { dispose(): void }[] = [];
  const close = async () => {
    await loader.close();
    for (const owner of owners) owner.dispose();
  };
  try {
    if (checkpoint) loader.restore(checkpoint.state.loader);
    // The rest takes seconds, in which its threads can read. Nothing is written before all is known to be right.
    if (config.cache === undefined) loader.start();
    const measured = (valid.files ?? []).slice(0, config.validPictures);
    const notes = await survey(train.files ?? [], measured, { scale: options.scale, patch });
    for (const { text } of notes) onMessage(text);
    const validation = await Validation.open(valid, config.validPictures, onMessage);
    const count = architecture.looksAtExamples(options) ? Math.min(EXAMPLE_COUNT, train.length) : 0;
    const pairs = await Promise.all(Array.from({ length: count }, (_, i) => train.load(i)));
    const examples = pairs.map(({ low }) => ({
      shape: [low.channels, low.height, low.width],
      data: toPlanar(low),
    }));

    // With the same seed, network and average begin alike. The program around the run keeps its default device.
    const build = (fitTo?: typeof examples) =>
      onDevice(device, () => outsideScopes(() => architecture.build(options, new Random(seed), fitTo)));
    const model = build(examples);
    owners.push(model);
    const average = config.ema === undefined ? undefined : build(examples);
    if (average) owners.push(average);
    const adam = new Adam(model.parameters(), { lr: config.lr });
    owners.push(adam);
    onMessage(`Network: ${architecture.describe(options)}, ${quantity(model.parameterCount(), "parameter")}`);
    const session: Session = {
      config,
      device,
      description,
      pictureNames,
      notes,
      leftOut,
      warnings,
      loader,
      validation,
      model,
      average,
      adam,
      build: () => build(),
      close,
    };
    if (checkpoint) restore(session, checkpoint, onMessage);
    else if (config.init !== undefined) await loadInitial(session, config.init, onMessage);
    return session;
  } catch (error) {
    await close();
    throw error;
  }
}

/** A line about a folder, which is its name alone in files that travel. */
function withoutPaths(line: string, { data, valid = "" }: TrainConfig): string {
  return [...data, valid]
    .filter((folder) => folder !== "")
    .reduce((text, folder) => text.replaceAll(folder, basename(folder)), line);
}

function restore(
  { config, device, model, average, adam }: Session,
  checkpoint: Checkpoint,
  onMessage: (line: string) => void,
): void {
  const { state, weights, sums } = checkpoint;
  const source = config.out === undefined ? "the checkpoint" : `${config.out}: the checkpoint`;
  model.loadStateDict(weights, { source });
  average?.loadStateDict(checkpoint.average!, { source });
  adam.loadStateDict({ steps: state.step, lr: config.lr, sums });
  const other = state.device === device.name ? "" : `; before on ${state.device}, which may round otherwise`;
  onMessage(`Resumed at step ${state.step} of ${config.steps}${other}`);
  const rate = rateAfterResume(state.config, config, state.step);
  if (rate !== undefined) onMessage(rate);
}

/** Begins with the weights of a file. */
async function loadInitial(
  { model, average }: Session,
  file: string,
  onMessage: (line: string) => void,
): Promise<void> {
  const missing = await initialWeights(model, file);
  if (average) await initialWeights(average, file);
  const others = missing.length > 0 ? `; at random as it lacks them: ${missing.join(", ")}` : "";
  onMessage(`Weights: from ${file}${others}`);
}

/**
 * Copies from a weight file every tensor that the network has under the same name and in the same shape. So a
 * network for x3 can begin with all that one for x2 has learned but the enlargement itself, as in EDSR's
 * paper. Files of other programs get this library's names first. Returns the names of the tensors that the
 * file lacks, which keep their random values. Throws a DataError if nothing fits.
 */
async function initialWeights(model: SuperResolver, path: string): Promise<string[]> {
  const { state, metadata } = await readInitial(path, model.scale);
  const [theirs, own] = [metadata.rgbRange, model.metadata().rgbRange];
  if (theirs !== undefined && own !== undefined && theirs !== own) {
    throw new DataError(
      `${path}: its rgbRange is ${excerpt(theirs)}, and this network's is ${own}. Begin with weights that compute ` +
        `with values of the same range, or give the network theirs.`,
    );
  }
  const { missing, misshapen } = model.loadStateDict(state, { strict: false, source: path });
  const lacking = [...missing, ...misshapen];
  if (lacking.length < model.namedTensors().size) return lacking;
  throw new DataError(
    `${path}: none of its tensors has the name and shape of one of this network's. Begin with weights of ` +
      `the same architecture and options.`,
  );
}

/**
 * Training must go on with the pictures it began with. Their folders may have moved, also to a system that encodes
 * the accents of their names otherwise.
 */
function checkPictures(before: PictureNames, now: PictureNames, onMessage: (line: string) => void): void {
  for (const [part, purpose, flag] of [
    ["train", "train", "`data`"],
    ["valid", "measure", "`valid` or `data`"],
  ] as const) {
    const [old, present] = [before[part], now[part]];
    const other = old.findIndex((name, i) => name.normalize("NFC") !== present[i]?.normalize("NFC"));
    if (other < 0 && old.length === present.length) continue;
    const counts = old.length === present.length ? "" : `there were ${old.length}, now ${present.length}`;
    const is = other in present ? ` and is ${present[other]}` : "";
    const name = other < 0 ? "" : `number ${other + 1} was ${old[other]}${is}`;
    throw new DataError(
      `These are not the pictures that training began with: of those to ${purpose} on ` +
        `${[counts, name].filter((part) => part !== "").join(", and ")}. Resume with ${flag} naming the same ones.`,
    );
  }
  if (before.trainBytes !== undefined && before.trainBytes !== now.trainBytes) {
    onMessage(
      "The files to train on are not those that training began with, though they have the same names. What is " +
        "learned from now on, is learned from these",
    );
  }
}

/** Bytes of all files to learn from, together. */
function bytesOf({ files = [] }: PairDataset): number {
  return files.flatMap(pathsOf).reduce((sum, path) => sum + Number(statsOf(path)?.size ?? 0), 0);
}
