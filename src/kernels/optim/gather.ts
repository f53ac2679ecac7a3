import type { Device, Storage } from "../../device/device.ts";
import { type GpuDevice, isGpu } from "../../device/gpu-device.ts";
import type { GpuStorage } from "../../device/gpu-storage.ts";
import { kernel, linearGrid } from "../../device/kernel.ts";

/** A gradient, and the element of the block at which its place begins. */
export interface PlacedGradient {
  readonly from: Storage;
  readonly start: number;
}

/** WebGPU's limit is eight buffers for a launch. One is the block, one stays free for bounds.test.ts. */
const PARTS = 6;

/**
 * Copies gradients, which lie anywhere in memory, into their places in one block, where they follow each
 * other. On a GPU one launch copies six: of as many copies, each would wait for the one before, as they
 * write into one buffer.
 */
export function gather(device: Device, block: Storage, parts: readonly PlacedGradient[]): void {
  if (!isGpu(device)) {
    for (const { from, start } of parts) {
      const place = device.slice(block, start, from.length);
      device.copy(from, place);
      device.release(place);
    }
    return;
  }
  for (let i = 0; i < parts.length; i += PARTS)
    launch(device, block as GpuStorage, parts.slice(i, i + PARTS));
}

function launch(device: GpuDevice, block: GpuStorage, parts: readonly PlacedGradient[]): void {
  const [first, last] = [parts[0], parts[parts.length - 1]];
  const buffers: Record<string, GpuStorage> = { block };
  const params: Record<string, number> = { first: first.start };
  for (let i = 0; i < PARTS; i++) {
    const part = parts.at(i);
    // Every binding needs a buffer; nothing is read from that of a part without elements.
    buffers[`part${i}`] = (part ?? first).from as GpuStorage;
    params[`start${i}`] = part?.start ?? 0;
    params[`size${i}`] = part?.from.length ?? 0;
  }
  const length = last.start + last.from.length - first.start;
  device.run(gatherKernel, { buffers, params, grid: linearGrid(length, 64) });
}

const gatherKernel = kernel(
  "gather",
  /* wgsl */ `
struct Params {
  first: u32, // index in the block of the first element that this launch fills
  start0: u32, size0: u32,
  start1: u32, size1: u32,
  start2: u32, size2: u32,
  start3: u32, size3: u32,
  start4: u32, size4: u32,
  start5: u32, size5: u32,
}
@group(0) @binding(0) var<storage, read_write> block: array<f32>;
@group(0) @binding(1) var<storage, read> part0: array<f32>;
@group(0) @binding(2) var<storage, read> part1: array<f32>;
@group(0) @binding(3) var<storage, read> part2: array<f32>;
@group(0) @binding(4) var<storage, read> part3: array<f32>;
@group(0) @binding(5) var<storage, read> part4: array<f32>;
@group(0) @binding(6) var<storage, read> part5: array<f32>;
@group(0) @binding(7) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = p.first + id.x + id.y * groups.x * 64;
  // Before a part's start the difference, an unsigned number, is huge. Gaps between parts stay as they are.
  if (at - p.start0 < p.size0) { block[at] = part0[at - p.start0]; }
  if (at - p.start1 < p.size1) { block[at] = part1[at - p.start1]; }
  if (at - p.start2 < p.size2) { block[at] = part2[at - p.start2]; }
  if (at - p.start3 < p.size3) { block[at] = part3[at - p.start3]; }
  if (at - p.start4 < p.size4) { block[at] = part4[at - p.start4]; }
  if (at - p.start5 < p.size5) { block[at] = part5[at - p.start5]; }
}
`,
);
