/** Takes devices away, as a crash of the driver would. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { GpuDevice, parseSafetensors, type Random } from "../../src/node.ts";
import { type TrainConfig, type TrainOptions, type TrainResult, train } from "../../src/train/index.ts";

/** Destroys the GPU behind the library's back, before or after it submits commands for the n-th time. */
export function loseAt(
  device: GpuDevice,
  n: number,
  when: "before" | "after",
  lose: () => void = () => device.gpu.destroy(),
): { readonly count: number } {
  const { queue } = device.gpu;
  const submit = queue.submit.bind(queue);
  const calls = { count: 0 };
  queue.submit = (commands) => {
    calls.count++;
    if (calls.count === n && when === "before") lose();
    submit(commands);
    if (calls.count === n && when === "after") lose();
  };
  return calls;
}

/** Calls `lose` once, at some moment of the device's work. */
export type Moment = (device: GpuDevice, lose: () => void) => void;

/** After a random time of up to `within` milliseconds. */
export function afterTime(within: number, random: Random): Moment {
  return (_, lose) => void setTimeout(lose, within * random.uniform());
}

/** Before commands are submitted, at a random one of the next `within` times. */
export function beforeSubmit(within: number, random: Random): Moment {
  return (device, lose) => void loseAt(device, 1 + random.int(within), "before", lose);
}

/**
 * Trains while a device that the run works on is lost now and then, up to `losses` times. Moments count from before a
 * run's first step, and from before the first one after each loss. Resolves with the result and the number of devices
 * that were lost.
 */
export async function trainWithLosses(
  config: TrainConfig,
  { losses, moment }: { losses: number; moment: Moment },
  options: TrainOptions = {},
): Promise<TrainResult & { lost: number }> {
  const { compileAhead } = GpuDevice.prototype;
  let lost = 0;
  let isOver = false;
  // Every run begins with this on its device, before its first step.
  GpuDevice.prototype.compileAhead = function (this: GpuDevice, body: () => void) {
    if (lost < losses)
      moment(this, () => {
        if (isOver) return;
        lost++;
        this.gpu.destroy();
      });
    return compileAhead.call(this, body);
  };
  try {
    return { ...(await train(config, options)), lost };
  } finally {
    isOver = true;
    GpuDevice.prototype.compileAhead = compileAhead;
  }
}

/** Names of the files whose tensors two runs do not have in common, to the last bit. */
export function differentWeights(one: string, other: string): string[] {
  return ["checkpoint", "best", "last"]
    .map((name) => `${name}.safetensors`)
    .filter((file) => {
      const [a, b] = [one, other].map((folder) => parseSafetensors(readFileSync(join(folder, file))).tensors);
      return a.size !== b.size || [...a].some(([name, { data }]) => !sameBytes(data, b.get(name)?.data));
    });
}

function sameBytes(a: Float32Array, b: Float32Array | undefined): boolean {
  const bytes = ({ buffer, byteOffset, byteLength }: Float32Array) =>
    Buffer.from(buffer, byteOffset, byteLength);
  return b !== undefined && bytes(a).equals(bytes(b));
}
