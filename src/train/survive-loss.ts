/** What becomes of a run whose device is lost: it fails, or goes on from its last checkpoint on a new one. */
import { setTimeout } from "node:timers/promises";
import { isGpu } from "../device/gpu-device.ts";
import { type Device, GpuError, openDevice } from "../node.ts";
import { type Checkpoint, readCheckpoint } from "./checkpoint.ts";
import type { RunFolder } from "./run-folder.ts";

/** What becomes of a run whose device is lost: see TrainOptions. */
export type OnLoss = (typeof onLossChoices)[number];
/** The values of `onLoss`; the first is the default. */
export const onLossChoices = ["fail", "resume"] as const;

/** The options of TrainOptions that matter here. */
interface LossOptions {
  readonly device?: Device;
  readonly onLoss?: OnLoss;
  readonly onMessage?: (message: string) => void;
}

/**
 * Runs `work` on a device, and on a new one after each loss if that is wanted.
 *
 * @param work trains from a checkpoint on, the last one that was saved.
 * @param adapter the one of new devices, and of the first if `options.device` is not given.
 */
export async function surviveLoss<T>(
  work: (device: Device, checkpoint: Checkpoint | undefined) => Promise<T>,
  adapter: string | undefined,
  folder: RunFolder,
  options: LossOptions,
  checkpoint: Checkpoint | undefined,
): Promise<T> {
  let device = options.device ?? (await openDevice({ adapter }));
  let lossesInARow = 0;
  try {
    for (;;) {
      try {
        return await work(device, checkpoint);
      } catch (error) {
        const loss = await lossOf(device);
        if (loss === undefined) throw error;
        // A run that ends here goes on from no checkpoint: `resume` will say which one.
        const onMessage = options.onLoss === "resume" ? options.onMessage : undefined;
        const saved = folder.begun ? lastCheckpoint(folder, loss, onMessage) : undefined;
        const step = saved?.state.step ?? 0;
        lossesInARow = step > (checkpoint?.state.step ?? 0) ? 1 : lossesInARow + 1;
        if (options.onLoss !== "resume" || lossesInARow > MAX_LOSSES) {
          throw lossError(loss, folder, step, options.onLoss);
        }
        options.onMessage?.(`${loss} Going on with step ${step + 1} on a new device`);
        if (step > 0) checkpoint = saved;
        if (device !== options.device) device.destroy();
        device = await openAgain(adapter);
      }
    }
  } finally {
    if (device !== options.device) device.destroy();
  }
}

/** So often in a row a device may be lost without any progress. After that it is the work that kills it. */
const MAX_LOSSES = 10;

/** Says how a device was lost; undefined if it works. The news may come after the calls that it makes fail. */
async function lossOf(device: Device): Promise<string | undefined> {
  if (!isGpu(device)) return undefined;
  const info = await Promise.race([device.gpu.lost, setTimeout(500, undefined)]);
  if (!info) return undefined;
  await device.sync().catch(() => {}); // it has reported its failure, and need not once more at the end
  const reason = info.message ? ` (${info.message.trim().split("\n")[0]})` : "";
  return `The GPU device ${device.name} was lost${reason}.`;
}

/** The one to go on from. Where none is whole, the loss is still what ended the run. */
function lastCheckpoint(folder: RunFolder, loss: string, onMessage: LossOptions["onMessage"]): Checkpoint {
  try {
    return readCheckpoint(folder.path, onMessage);
  } catch (error) {
    throw new GpuError(`${loss} The run cannot go on: ${(error as Error).message}`, { cause: error });
  }
}

function lossError(loss: string, folder: RunFolder, step: number, onLoss: OnLoss | undefined): GpuError {
  const saved = folder.begun
    ? `The run in ${folder.path} is saved up to step ${step}: go on with it by \`resume\`.`
    : "Nothing had been learned yet: begin again.";
  const advice =
    onLoss === "resume"
      ? `That was number ${MAX_LOSSES + 1} in a row without a checkpoint between them. Smaller patches or ` +
        `batches, or more \`accumulate\`, may help.`
      : `With \`onLoss\` "resume" a run goes on by itself.`;
  return new GpuError(`${loss} ${saved} ${advice}`);
}

/** Opens a device after a loss. A driver that crashed may need a moment. */
async function openAgain(adapter: string | undefined): Promise<Device> {
  for (let seconds = 1; ; seconds *= 2) {
    try {
      return await openDevice({ adapter });
    } catch (error) {
      if (seconds > 16) throw error;
      await setTimeout(1000 * seconds);
    }
  }
}
