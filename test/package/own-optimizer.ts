/** An optimizer of one's own: a change of tensors in place, which is replayed. */
import { backward, capture, init, mseLoss, scope, type Tensor, tensor, zeros } from "pixelgrad";
import { defineUpdate, kernel } from "pixelgrad/kernel";

/** One step of Lion (Chen et al. 2023): the sign of a running mean of the gradients, times lr. */
const lion = defineUpdate<"w" | "g" | "m">({
  cpu({ w, g, m }, { lr }) {
    for (const [i, gradient] of g.entries()) {
      const mean = m[i]!;
      w[i]! -= lr! * Math.sign(0.9 * mean + 0.1 * gradient);
      m[i] = 0.99 * mean + 0.01 * gradient;
    }
  },
  kernel: kernel(
    "lion",
    /* wgsl */ `
struct Params { size: u32, lr: f32 }
@group(0) @binding(0) var<storage, read_write> w: array<vec4f>;
@group(0) @binding(1) var<storage, read> g: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (4 * i >= p.size) { return; }
  w[i] -= p.lr * sign(0.9 * m[i] + 0.1 * g[i]);
  m[i] = 0.99 * m[i] + 0.01 * g[i];
}`,
  ),
});

await init();
const w = tensor([1, -2, 0.5], { requiresGrad: true });
const m = zeros([3]);
let lr = 0.1;
const step = capture((target: Tensor) => {
  const loss = mseLoss(w, target);
  const g = backward(loss).get(w) as Tensor;
  lion(w.device, { w, g, m }, () => ({ lr })); // a function: each replay asks for the lr of that moment
  return loss;
});

const losses: number[] = [];
for (let i = 0; i < 60; i++) {
  lr = 0.1 * 0.95 ** i;
  using _ = scope();
  losses.push(await step(tensor([0, 0, 0])).item());
}
console.log(`Lion: loss ${losses[0]!.toFixed(3)} -> ${losses[59]!.toFixed(3)}, replayed: ${!step.whyBuilt}`);
