/** Takes devices away, as a crash of the driver would. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { GpuDevice, parseSafetensors, type Random } from "../../src/node.ts";
import { type TrainConfig, type TrainOptions, type TrainResult, train } from "../../src/train/index.ts";

/** Destroys the GPU behind the library's back, before or after it submits commands for the n-th time. */
export function loseAt(device: GpuDevice, n: number, when: "before" | "after"): { readonly count: number } {
  const { queue } = device.gpu;
  const submit = queue.submit.bind(queue);
  const calls = { count: 0 };
  queue.submit = (commands) => {
    calls.count++;
    if (calls.count === n && when === "before") device.gpu.destroy();
    submit(commands);
    if (calls.count === n && when === "after") device.gpu.destroy();
  };
  return calls;
}

/**
 * Trains while a device that the run works on is lost now and then, up to `losses` times, each after a random
 * time of up to `within` milliseconds. Resolves with the result and the number of devices that were lost.
 */
export async function trainWithLosses(
  config: TrainConfig,
  { losses, within, random }: { losses: number; within: number; random: Random },
  options: TrainOptions = {},
): Promise<TrainResult & { lost: number }> {
  const { compileAhead } = GpuDevice.prototype;
  let lost = 0;
  let timer: NodeJS.Timeout | undefined;
  const loseLater = (device: GpuDevice) => {
    if (lost >= losses) return;
    timer = setTimeout(() => {
      lost++;
      device.gpu.destroy();
    }, within * random.uniform());
  };
  // Every run begins with this on its device, before its first step.
  GpuDevice.prototype.compileAhead = function (this: GpuDevice, body: () => void) {
    loseLater(this);
    return compileAhead.call(this, body);
  };
  try {
    return { ...(await train(config, options)), lost };
  } finally {
    clearTimeout(timer);
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
