/** Every step of the convolution's ladder and of its weight gradient's, on one shape. */
import type { GpuDevice } from "../src/device/gpu-device.ts";
import { conv2d, variants } from "../src/kernels/conv2d/index.ts";
import { conv2dSteps, launchStep } from "../src/kernels/conv2d/steps.ts";
import type { Timed } from "../src/measure/in-turns.ts";
import { randn } from "../src/tensor/create.ts";
import { manualSeed } from "../src/tensor/random.ts";
import { scope } from "../src/tensor/scope.ts";
import { Tensor } from "../src/tensor/tensor.ts";
import { largestError } from "./harness.ts";

export interface LadderShape {
  readonly batch: number;
  readonly channels: number;
  readonly side: number;
}

export function ladderText({ batch, channels, side }: LadderShape): string {
  return `3x3, ${channels} to ${channels} channels, ${batch} of ${side} x ${side}`;
}

export function ladderFlops({ batch, channels, side }: LadderShape): number {
  return 2 * 9 * channels * channels * batch * side * side;
}

/**
 * The steps, once each has computed what step 1 does; an Error names one that does not. The tensors belong to
 * the scope around the call.
 */
export async function ladderSteps(device: GpuDevice, shape: LadderShape): Promise<Timed[]> {
  const { batch, channels, side } = shape;
  const random = manualSeed(0);
  const x = randn([batch, channels, side, side], { random });
  const w = randn([channels, channels, 3, 3], { random });
  const dy = randn([batch, channels, side, side], { random });
  const own = device.profile;
  const possible = variants.filter((variant) => variant !== "4-broadcast" || own.subgroupSize > 0);
  const flops = ladderFlops(shape);
  const forward = possible.map((variant) => ({
    name: variant,
    flops,
    run: () => conv2d(x, w, undefined, { padding: 1, variant }),
  }));
  const gradients = conv2dSteps(own, { x: x.shape, weight: w.shape, padding: 1 })
    // The naive one reads each tensor anew for every weight; it takes longer than all others together.
    .filter(({ computes, name }) => computes === "dw" && name !== "weight-grad-naive")
    .map((step) => ({
      name: step.name,
      flops,
      run() {
        const result = Tensor.empty(w.shape, device);
        launchStep(device, step, { x, other: dy, result });
        return result;
      },
    }));
  for (const alike of [forward, gradients]) await compare(alike);
  return [...forward, ...gradients];
}

async function compare(steps: readonly { name: string; run(): Tensor }[]): Promise<void> {
  let first: Float32Array | undefined;
  for (const { name, run } of steps) {
    using _ = scope();
    const result = await run().data();
    first ??= result;
    const error = largestError([result], [first]);
    if (!(error <= 1e-4)) throw new Error(`${name} differs from ${steps[0].name} by ${error}`);
  }
}
