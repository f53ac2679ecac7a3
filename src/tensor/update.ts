/** What an update is: a change in place, such as an optimizer's step, by a CPU reference or one kernel. */
import type { CpuStorage, FloatArray } from "../device/cpu-device.ts";
import { checkOneDevice, type Device, type Storage } from "../device/device.ts";
import { type GpuDevice, isGpu } from "../device/gpu-device.ts";
import type { GpuStorage } from "../device/gpu-storage.ts";
import { aKernel, type Kernel, linearGrid } from "../device/kernel.ts";
import type { Params } from "../device/launch.ts";
import { checkHasValues } from "../device/meta-device.ts";
import { ArgumentError, aFunction, checkArguments } from "../options/arguments.ts";
import { ShapeError } from "./shape.ts";
import { Tensor } from "./tensor.ts";

/** A change, in place, of blocks of memory that all have the same number of elements. */
export interface UpdateDefinition<Name extends string> {
  /** The reference, in plain loops. */
  cpu(blocks: Readonly<Record<Name, FloatArray>>, params: Params): void;
  /**
   * Binds the blocks by their names, those that it changes as `read_write`; has a parameter `size` (the number
   * of elements), and computes four elements per thread in workgroups of 64. The last vec4 may reach past the
   * end: every buffer has room for that.
   */
  readonly kernel: Kernel;
  /** Blocks with one element, which applies to all elements of the others. */
  readonly single?: readonly Name[];
}

/**
 * Makes the update: a function that changes tensors, or storages, on their device. No gradient flows through
 * it, and backward refuses to use values that it has overwritten. Parameters that differ from one update to
 * the next are given as a function, which is called again when captured work is replayed (`capture`). A block that is
 * only read may be one that is changed, or share its memory: what is read are the values from before.
 */
export function defineUpdate<Name extends string>(definition: UpdateDefinition<Name>) {
  const { cpu, kernel, single = [] } = definition ?? {};
  checkArguments("defineUpdate", { cpu: [cpu, aFunction], kernel: [kernel, aKernel] });
  const changed = kernel.bindings.filter(({ kind }) => kind === "read_write").map(({ name }) => name as Name);
  return (
    device: Device,
    blocks: Readonly<Record<Name, Tensor | Storage>>,
    params: Params | (() => Params) = {},
  ): void => {
    const storages = {} as Record<Name, Storage>;
    let first: Name | undefined;
    for (const name in blocks) {
      storages[name] = storageOn(device, blocks[name], `${kernel.name}: ${name}`);
      if (single.includes(name)) continue;
      first ??= name;
      if (storages[name].length !== storages[first].length) {
        throw new ShapeError(
          `${kernel.name}: ${first} has ${storages[first].length} elements and ${name} has ` +
            `${storages[name].length}. An update is of tensors of the same size.`,
        );
      }
    }
    const twice = changed.find((name, i) =>
      changed.some((other, k) => k < i && storages[other] === storages[name]),
    );
    if (twice !== undefined) {
      throw new ArgumentError(
        kernel.name,
        `${twice} is also another block, and the update changes both. Give a copy.`,
      );
    }
    const size = storages[first!].length;
    if (isGpu(device)) {
      const copies = copiesOfRead(device, storages as Record<Name, GpuStorage>, changed);
      device.run(kernel, {
        buffers: { ...(storages as Record<Name, GpuStorage>), ...copies },
        params: typeof params === "function" ? () => ({ size, ...params() }) : { size, ...params },
        grid: linearGrid(Math.ceil(size / 4), 64),
      });
      for (const name in copies) device.release(copies[name]!);
    } else {
      checkHasValues(device, `${kernel.name}: an update`);
      const arrays = {} as Record<Name, FloatArray>;
      for (const name in storages) arrays[name] = (storages[name] as CpuStorage).array;
      cpu(arrays, typeof params === "function" ? params() : params);
    }
    device.eachTime(() => {
      for (const name of changed) storages[name].version++;
    });
  };
}

/** Copies of the blocks that are only read, in a buffer that is changed: WebGPU lets no launch bind it as both. */
function copiesOfRead<Name extends string>(
  device: GpuDevice,
  storages: Readonly<Record<Name, GpuStorage>>,
  changed: readonly Name[],
): { [K in Name]?: GpuStorage } {
  const copies: { [K in Name]?: GpuStorage } = {};
  for (const name in storages) {
    const storage = storages[name];
    if (changed.includes(name) || !changed.some((other) => storages[other].buffer === storage.buffer))
      continue;
    const copy = device.allocate(storage.length, storage.dtype);
    device.copy(storage, copy);
    copies[name] = copy;
  }
  return copies;
}

function storageOn(device: Device, block: Tensor | Storage, what: string): Storage {
  if (!(block instanceof Tensor)) return block;
  checkOneDevice(what, block.device, "the update", device);
  return block.storage;
}
