import type { Device, Storage } from "../../device/device.ts";
import { kernel } from "../../device/kernel.ts";
import { defineUpdate } from "../../tensor/update.ts";

/** The arguments of torch.optim.Adam. */
export interface AdamOptions {
  /** Learning rate. Default 1e-3. */
  lr?: number;
  /** How slowly the running means of gradients and squared gradients forget. Default [0.9, 0.999]. */
  betas?: readonly [number, number];
  /** Keeps the division finite. Default 1e-8. */
  eps?: number;
  /** Pull of every parameter towards 0: in Adam added to its gradient. Default 0, in AdamW 0.01. */
  weightDecay?: number;
}

/** What stays the same from step to step. */
export interface AdamConstants extends Required<Omit<AdamOptions, "lr">> {
  /** AdamW's weight decay. Default false. */
  readonly decoupled?: boolean;
}

/** m and v are the running means of the gradients and of their squares, zero before the first step. */
type Storages = Readonly<Record<"parameters" | "gradients" | "m" | "v", Storage>>;

/**
 * One step of Adam (Kingma and Ba 2015), in place, on all parameters at once, as torch.optim.Adam computes
 * it:
 *
 *     g = gradient + weightDecay * parameter
 *     m = beta1 m + (1 - beta1) g          v = beta2 v + (1 - beta2) g²
 *     parameter -= lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
 *
 * t counts the steps from 1 (`steps`). m is the direction, smoothed over about 10 steps; dividing by sqrt(v),
 * the usual size of that parameter's gradient, lets every parameter move by about lr, however steep or flat
 * the loss is along it. The two divisions by 1 - beta^t undo the pull towards the zeros that m and v start
 * from. A gradient that is NaN or infinite makes its parameter, m and v NaN for good; the others go on.
 *
 * AdamW (`decoupled`; Loshchilov and Hutter 2019) leaves the gradient alone, and shrinks the parameter first:
 *
 *     parameter -= lr * weightDecay * parameter
 *
 * Divided by sqrt(v) with the gradient, the pull would be weak where gradients are large.
 *
 * `moment` is read again when the step is replayed (src/tensor/capture.ts).
 */
export function adamStep(
  device: Device,
  storages: Storages,
  { betas: [beta1, beta2], eps, weightDecay, decoupled }: AdamConstants,
  moment: { readonly lr: number; readonly steps: number },
): void {
  update(device, storages, () => ({
    beta1,
    beta2,
    one_minus_beta1: 1 - beta1,
    one_minus_beta2: 1 - beta2,
    step_size: moment.lr / (1 - beta1 ** moment.steps),
    root_correction: Math.sqrt(1 - beta2 ** moment.steps),
    eps,
    weight_decay: decoupled ? 0 : weightDecay,
    shrink: decoupled ? 1 - moment.lr * weightDecay : 1,
  }));
}

const adamKernel = kernel(
  "adam",
  /* wgsl */ `
struct Params {
  size: u32,
  beta1: f32, beta2: f32, one_minus_beta1: f32, one_minus_beta2: f32,
  step_size: f32, root_correction: f32, eps: f32, weight_decay: f32, shrink: f32,
}
@group(0) @binding(0) var<storage, read_write> parameters: array<vec4f>;
@group(0) @binding(1) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> v: array<vec4f>;
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (4 * i >= p.size) { return; }
  let parameter = parameters[i];
  let g = gradients[i] + p.weight_decay * parameter;
  let mean = p.beta1 * m[i] + p.one_minus_beta1 * g;
  let square = p.beta2 * v[i] + p.one_minus_beta2 * g * g;
  m[i] = mean;
  v[i] = square;
  parameters[i] = p.shrink * parameter - p.step_size * mean / (sqrt(square) / p.root_correction + p.eps);
}
`,
);

const update = defineUpdate<keyof Storages>({
  cpu({ parameters, gradients, m, v }, p) {
    for (let i = 0; i < parameters.length; i++) {
      const g = gradients[i] + p.weight_decay * parameters[i];
      m[i] = p.beta1 * m[i] + p.one_minus_beta1 * g;
      v[i] = p.beta2 * v[i] + p.one_minus_beta2 * g * g;
      const change = (p.step_size * m[i]) / (Math.sqrt(v[i]) / p.root_correction + p.eps);
      parameters[i] = p.shrink * parameters[i] - change;
    }
  },
  kernel: adamKernel,
});
