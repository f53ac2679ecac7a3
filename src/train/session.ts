/** Everything that a run works with, new or as it was at a checkpoint. */
import { readHeaderOfFile } from "../data/decode.ts";
import { readBytes, readImage } from "../data/files.ts";
import { DataError, type PairFiles, PatchLoader } from "../data/index.ts";
import { sizeOfPictureFile } from "../data/picture-file.ts";
import { reductionsOf } from "../data/reductions.ts";
import {
  Adam,
  type Device,
  parseSafetensors,
  Random,
  type SuperResolver,
  setDefaultDevice,
} from "../node.ts";
import { isTransparent } from "../picture/alpha.ts";
import { toPlanar } from "../picture/index.ts";
import type { Checkpoint, PictureNames } from "./checkpoint.ts";
import { networkOf, type TrainConfig } from "./config.ts";
import { openPictures } from "./datasets.ts";
import { Validation } from "./validation.ts";

export interface Session {
  readonly config: TrainConfig;
  readonly device: Device;
  /** The pictures, in words. */
  readonly description: string;
  readonly pictureNames: PictureNames;
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
const exampleCount = 20;

export async function openSession(
  config: TrainConfig,
  device: Device,
  onMessage: (line: string) => void = () => {},
  checkpoint?: Checkpoint,
): Promise<Session> {
  const { seed, batch, patch } = config;
  const { architecture, options } = networkOf(config.network);
  const { colors, inputSize } = architecture;
  setDefaultDevice(device);
  onMessage(`Adapter: ${device.name}`);

  const format = { scale: options.scale, colors, inputSize };
  const { train, valid, description } = openPictures(config, format, onMessage);
  onMessage(`Pictures: ${description}`);
  const pictureNames = { train: train.names, valid: valid.names };
  if (checkpoint) checkPictures(checkpoint.state.pictures, pictureNames);
  await refuseSmall(train.files ?? [], options.scale, patch);
  const paths = [...(train.files ?? []), ...(valid.files ?? [])].flatMap(({ high, low }) =>
    low === undefined ? [high] : [high, low],
  );
  await refuseTransparent(paths);
  for (const { text } of await reductionsOf(paths)) onMessage(text);
  const validation = await Validation.open(valid, config.validPictures);
  const count = architecture.looksAtExamples(options) ? Math.min(exampleCount, train.length) : 0;
  const pairs = await Promise.all(Array.from({ length: count }, (_, i) => train.load(i)));
  const examples = pairs.map(({ low }) => ({
    shape: [low.channels, low.height, low.width],
    data: toPlanar(low),
  }));

  const loader = new PatchLoader(train, { batch, patch, seed, cacheFolder: config.cache });
  // With the same seed, network and average begin alike.
  const begin = () => architecture.build(options, new Random(seed), examples);
  const model = begin();
  const average = config.ema === undefined ? undefined : begin();
  const build = () => architecture.build(options, new Random(seed));
  const adam = new Adam(model.parameters(), { lr: config.lr });
  onMessage(`Network: ${architecture.describe(options)}, ${model.parameterCount()} parameters`);
  const close = async () => {
    await loader.close();
    for (const owner of [model, average, adam]) owner?.dispose();
  };
  const session: Session = {
    ...{ config, device, description, pictureNames, loader, validation },
    ...{ model, average, adam, build, close },
  };
  try {
    if (checkpoint) restore(session, checkpoint, onMessage);
    else if (config.init !== undefined) await loadInitial(session, config.init, onMessage);
  } catch (error) {
    await close();
    throw error;
  }
  return session;
}

/** Patches are cut later, but headers tell now which pictures are too small. @throws DataError */
async function refuseSmall(files: readonly PairFiles[], scale: number, patch: number): Promise<void> {
  const small: string[] = [];
  for (const { high } of files) {
    const size = await sizeOfPictureFile(high).catch(() => undefined); // what is damaged shows when it is read
    if (size && Math.floor(Math.min(size.width, size.height) / scale) < patch) {
      small.push(`${high} (${size.width}x${size.height})`);
    }
  }
  if (small.length === 0) return;
  throw new DataError(
    `Too small to train on, as a patch takes ${patch * scale}x${patch * scale} pixels of HR: ${listed(small)}. ` +
      "Leave such pictures out, or choose a smaller --patch.",
  );
}

/**
 * The colours of transparent pixels are arbitrary, and a network would learn them. An alpha channel that is
 * opaque does no harm. @throws DataError
 */
async function refuseTransparent(paths: readonly string[]): Promise<void> {
  const transparent: string[] = [];
  for (const path of paths) {
    const header = await readHeaderOfFile(path).catch(() => undefined);
    if (!header || header.channels % 2 === 1) continue;
    const image = await readImage(path).catch(() => undefined);
    if (image && isTransparent(image)) transparent.push(path);
  }
  if (transparent.length === 0) return;
  throw new DataError(
    `Transparent pictures are nothing to train on, as what is not seen has any colour: ${listed(transparent)}. ` +
      "Put them on a background, or leave them out.",
  );
}

function listed(names: readonly string[]): string {
  return names.slice(0, 5).join(", ") + (names.length > 5 ? ` and ${names.length - 5} more` : "");
}

function restore(
  { config, device, loader, model, average, adam }: Session,
  checkpoint: Checkpoint,
  onMessage: (line: string) => void,
): void {
  const { state, weights, sums } = checkpoint;
  model.loadStateDict(weights, { source: "the checkpoint" });
  average?.loadStateDict(checkpoint.average!, { source: "the checkpoint" });
  adam.loadStateDict({ steps: state.step, lr: config.lr, sums });
  loader.restore(state.loader);
  const other = state.device === device.name ? "" : `; before on ${state.device}, which may round otherwise`;
  onMessage(`Resumed at step ${state.step} of ${config.steps}${other}`);
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
 * paper. Returns the names of the tensors that the file lacks, which keep their random values. Throws a
 * DataError if nothing fits.
 */
async function initialWeights(model: SuperResolver, path: string): Promise<string[]> {
  const { tensors } = parseSafetensors(await readBytes(path), path);
  const { missing, misshapen } = model.loadStateDict(tensors, { strict: false });
  const lacking = [...missing, ...misshapen];
  if (lacking.length < model.namedTensors().size) return lacking;
  throw new DataError(
    `${path}: none of its tensors has the name and shape of one of this network's. Begin with weights of ` +
      `the same architecture and options.`,
  );
}

/** Training must go on with the pictures it began with. Their folders may have moved. */
function checkPictures(before: PictureNames, now: PictureNames): void {
  for (const [part, purpose, flag] of [
    ["train", "train", "--data"],
    ["valid", "measure", "--valid or --data"],
  ] as const) {
    const [old, present] = [before[part], now[part]];
    const other = old.findIndex((name, i) => name !== present[i]);
    if (other < 0 && old.length === present.length) continue;
    throw new DataError(
      `These are not the pictures that training began with: of those to ${purpose} on there were ` +
        `${old.length}, now ${present.length}` +
        (other >= 0 ? `, and number ${other + 1} was ${old[other]}` : "") +
        `. Resume with ${flag} naming the same ones.`,
    );
  }
}
