import type { Device, Storage } from "../../device/device.ts";
import { kernel } from "../../device/kernel.ts";
import { defineUpdate } from "../../tensor/update.ts";

/** The arguments of torch.optim.SGD. */
export interface SgdOptions {
  /** Learning rate. Default 1e-3. */
  lr?: number;
  /** How much of the last step's velocity stays. Default 0. */
  momentum?: number;
  /** Look ahead along the velocity (Nesterov). Default false. */
  nesterov?: boolean;
  /** Pull of every parameter towards 0, added to its gradient. Default 0. */
  weightDecay?: number;
}

/** The velocity is the decaying sum of the gradients. */
type Storages = Readonly<Record<"parameters" | "gradients" | "velocity", Storage>>;

/**
 * One step of stochastic gradient descent with momentum (Polyak 1964; Nesterov 1983), in place, on all
 * parameters at once, as torch.optim.SGD computes it:
 *
 *     g = gradient + weightDecay * parameter
 *     velocity = momentum * velocity + g        (the first time: velocity = g)
 *     parameter -= lr * (nesterov ? g + momentum * velocity : velocity)
 *
 * `moment`, whose `steps` count from 1, is read again when the step is replayed (src/tensor/capture.ts).
 */
export function sgdStep(
  device: Device,
  storages: Storages,
  { momentum, nesterov, weightDecay }: Required<Omit<SgdOptions, "lr">>,
  moment: { readonly lr: number; readonly steps: number },
): void {
  update(device, storages, () => ({
    lr: moment.lr,
    keep_velocity: moment.steps === 1 ? 0 : momentum,
    velocity_share: nesterov ? momentum : 1,
    gradient_share: nesterov ? 1 : 0,
    weight_decay: weightDecay,
  }));
}

const sgdKernel = kernel(
  "sgd",
  /* wgsl */ `
struct Params {
  size: u32,
  lr: f32, keep_velocity: f32, velocity_share: f32, gradient_share: f32, weight_decay: f32,
}
@group(0) @binding(0) var<storage, read_write> parameters: array<vec4f>;
@group(0) @binding(1) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> velocity: array<vec4f>;
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (4 * i >= p.size) { return; }
  let parameter = parameters[i];
  let g = gradients[i] + p.weight_decay * parameter;
  let speed = p.keep_velocity * velocity[i] + g;
  velocity[i] = speed;
  parameters[i] = parameter - p.lr * (p.gradient_share * g + p.velocity_share * speed);
}
`,
);

const update = defineUpdate<keyof Storages>({
  cpu({ parameters, gradients, velocity }, p) {
    for (let i = 0; i < parameters.length; i++) {
      const g = gradients[i] + p.weight_decay * parameters[i];
      velocity[i] = p.keep_velocity * velocity[i] + g;
      parameters[i] -= p.lr * (p.gradient_share * g + p.velocity_share * velocity[i]);
    }
  },
  kernel: sgdKernel,
});
