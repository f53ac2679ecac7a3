/** Everything that a run of training consists of, new or as it was at a checkpoint. */
import { DataError, PatchLoader } from "../data/index.ts";
import { Adam, type Device, Random, type SuperResolver, setDefaultDevice } from "../node.ts";
import { toPlanar } from "../picture/index.ts";
import type { Checkpoint, PictureNames } from "./checkpoint.ts";
import type { TrainConfig } from "./config.ts";
import { loadPairs, openPictures } from "./datasets.ts";
import { initialWeights, networkOf } from "./network.ts";
import { Validation } from "./validation.ts";

export interface Session {
  readonly device: Device;
  /** What is trained on, for people. */
  readonly description: string;
  readonly pictureNames: PictureNames;
  readonly loader: PatchLoader;
  readonly validation: Validation;
  readonly model: SuperResolver;
  /** The moving average of the model's weights, where the configuration has one. */
  readonly average: SuperResolver | undefined;
  readonly adam: Adam;
  /** Makes another network of the same kind, with the first weights. */
  build(): SuperResolver;
  /** Frees all of it but the device. */
  close(): Promise<void>;
}

/** How many pictures a network is fitted to before the first step, if it looks at any. */
const exampleCount = 20;

export async function openSession(
  config: TrainConfig,
  device: Device,
  onMessage: (line: string) => void = () => {},
  checkpoint?: Checkpoint,
): Promise<Session> {
  const { seed, batch, patch, validPictures } = config;
  const { architecture, options } = networkOf(config.network);
  const { colors, inputSize } = architecture;
  setDefaultDevice(device);
  onMessage(`Adapter: ${device.name}`);

  const { train, valid, description } = openPictures(
    config,
    { scale: options.scale, colors, inputSize },
    onMessage,
  );
  onMessage(`Pictures: ${description}`);
  const pictureNames = { train: train.names, valid: valid.names };
  if (checkpoint) checkPictures(checkpoint.state.pictures, pictureNames);
  const validation = await Validation.open(valid, validPictures);
  const pairs = architecture.looksAtExamples(options) ? await loadPairs(train, exampleCount) : [];
  const examples = pairs.map(({ low }) => ({
    shape: [low.channels, low.height, low.width],
    data: toPlanar(low),
  }));

  const loader = new PatchLoader(train, { batch, patch, seed, cacheFolder: config.cache });
  // The same seed: network and average begin alike.
  const build = () => architecture.build(options, new Random(seed), examples);
  const model = build();
  const average = config.ema === undefined ? undefined : build();
  const adam = new Adam(model.parameters(), { lr: config.lr });
  onMessage(`Network: ${architecture.describe(options)}, ${model.parameterCount()} parameters`);
  const close = async () => {
    await loader.close();
    for (const owner of [model, average, adam]) owner?.dispose();
  };
  const session = {
    device,
    description,
    pictureNames,
    loader,
    validation,
    model,
    average,
    adam,
    build,
    close,
  };
  try {
    if (checkpoint) restore(session, checkpoint, config, onMessage);
    else if (config.init !== undefined) await begin(session, config.init, onMessage);
  } catch (error) {
    await close();
    throw error;
  }
  return session;
}

function restore(
  { device, loader, model, average, adam }: Session,
  checkpoint: Checkpoint,
  { lr, steps }: TrainConfig,
  onMessage: (line: string) => void,
): void {
  const { state, weights, sums } = checkpoint;
  model.loadStateDict(weights, { source: "the checkpoint" });
  average?.loadStateDict(checkpoint.average!, { source: "the checkpoint" });
  adam.loadStateDict({ steps: state.step, lr, sums });
  loader.restore(state.loader);
  const other = state.device === device.name ? "" : `; before on ${state.device}, which may round otherwise`;
  onMessage(`Resumed at step ${state.step} of ${steps}${other}`);
}

/** Begins with the weights of a file. */
async function begin(
  { model, average }: Session,
  file: string,
  onMessage: (line: string) => void,
): Promise<void> {
  const random = await initialWeights(model, file);
  if (average) await initialWeights(average, file);
  const others = random.length > 0 ? `; at random as it lacks them: ${random.join(", ")}` : "";
  onMessage(`Weights: from ${file}${others}`);
}

/** Resumed training must go on with the pictures it began with; their folders may have moved. */
function checkPictures(before: PictureNames, now: PictureNames): void {
  for (const [part, purpose, flag] of [
    ["train", "train", "--data"],
    ["valid", "measure", "--valid or --data"],
  ] as const) {
    const [old, present] = [before[part], now[part]];
    const other = old.findIndex((name, i) => name !== present[i]);
    if (other < 0 && old.length === present.length) continue;
    throw new DataError(
      `These are not the pictures that the training began with: of those to ${purpose} on there were ` +
        `${old.length}, now ${present.length}` +
        (other >= 0 ? `, and number ${other + 1} was ${old[other]}` : "") +
        `. Resume with ${flag} naming the same ones.`,
    );
  }
}
