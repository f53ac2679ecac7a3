import type { Device, Storage } from "../../device/device.ts";
import { kernel } from "../../device/kernel.ts";
import { defineUpdate } from "../../tensor/update.ts";

type Storages = Readonly<Record<"average" | "values", Storage>>;

/** average += (1 - decay) * (values - average), in place: torch's `lerp_`. */
export function emaStep(device: Device, storages: Storages, decay: () => number): void {
  update(device, storages, () => ({ share: 1 - decay() }));
}

const emaKernel = kernel(
  "ema",
  /* wgsl */ `
struct Params { size: u32, share: f32 }
@group(0) @binding(0) var<storage, read_write> average: array<vec4f>;
@group(0) @binding(1) var<storage, read> values: array<vec4f>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (4 * i >= p.size) { return; }
  let old = average[i];
  average[i] = old + p.share * (values[i] - old);
}
`,
);

const update = defineUpdate<keyof Storages>({
  cpu({ average, values }, { share }) {
    for (let i = 0; i < average.length; i++) average[i] += share * (values[i] - average[i]);
  },
  kernel: emaKernel,
});
