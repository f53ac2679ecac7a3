/** What an update is: a change in place, such as an optimizer's step, by a CPU reference or one kernel. */
import type { CpuStorage, FloatArray } from "../device/cpu-device.ts";
import { checkOneDevice, type Device, type Storage } from "../device/device.ts";
import { isGpu } from "../device/gpu-device.ts";
import type { GpuStorage } from "../device/gpu-storage.ts";
import { aKernel, type Kernel, linearGrid } from "../device/kernel.ts";
import type { Params } from "../device/launch.ts";
import { checkHasValues } from "../device/meta-device.ts";
import { ArgumentError, aFunction, checkArguments } from "../options/arguments.ts";
import { andList } from "../options/lists.ts";
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
  const bindings = kernel.bindings.filter(({ kind }) => kind !== "uniform");
  const blockNames = bindings.map(({ name }) => name as Name);
  const changed = blockNames.filter((_, i) => bindings[i].kind === "read_write");
  return (
    device: Device,
    blocks: Readonly<Record<Name, Tensor | Storage>>,
    params: Params | (() => Params) = {},
  ): void => {
    const missing = blockNames.find((name) => blocks[name] === undefined);
    if (missing !== undefined) {
      throw new ArgumentError(kernel.name, `the block ${missing} is missing. Give ${andList(blockNames)}.`);
    }
    const storages = {} as Record<Name, Storage>;
    let first: Name | undefined;
    for (const name in blocks) {
      storages[name] = storageOn(device, blocks[name], `${kernel.name}: ${name}`);
      if (single.includes(name)) {
        if (storages[name].length === 1) continue;
        throw new ShapeError(
          `${kernel.name}: ${name} has ${storages[name].length} elements. Give one: it applies to all elements of ` +
            "the others.",
        );
      }
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
    const size = first === undefined ? 1 : storages[first].length;
    if (isGpu(device)) {
      const gpuStorages = storages as Record<Name, GpuStorage>;
      const copies: { [K in Name]?: GpuStorage } = {};
      try {
        for (const name of readFromChanged(gpuStorages, changed, ({ buffer }) => buffer)) {
          const { length, dtype } = storages[name];
          const copy = device.allocate(length, dtype);
          copies[name] = copy;
          device.copy(gpuStorages[name], copy);
        }
        device.run(kernel, {
          buffers: { ...gpuStorages, ...copies },
          params: typeof params === "function" ? () => ({ size, ...params() }) : { size, ...params },
          grid: linearGrid(Math.ceil(size / 4), 64),
        });
      } finally {
        for (const name in copies) device.release(copies[name]!);
      }
    } else {
      checkHasValues(device, `${kernel.name}: an update`);
      const cpuStorages = storages as Record<Name, CpuStorage>;
      const arrays = {} as Record<Name, FloatArray>;
      for (const name in cpuStorages) arrays[name] = cpuStorages[name].array;
      for (const name of readFromChanged(arrays, changed, ({ buffer }) => buffer)) {
        arrays[name] = arrays[name].slice();
      }
      cpu(arrays, typeof params === "function" ? params() : params);
    }
    device.eachTime(() => {
      for (const name of changed) storages[name].version++;
    });
  };
}

/**
 * The blocks that are only read, and in memory that is changed. The update reads copies of them: the values from
 * before. (WebGPU lets no launch bind a buffer as both.)
 */
function readFromChanged<Name extends string, Block>(
  blocks: Readonly<Record<Name, Block>>,
  changed: readonly Name[],
  memoryOf: (block: Block) => unknown,
): Name[] {
  const memories = new Set(changed.map((name) => memoryOf(blocks[name])));
  const names = Object.keys(blocks) as Name[];
  return names.filter((name) => !changed.includes(name) && memories.has(memoryOf(blocks[name])));
}

function storageOn(device: Device, block: Tensor | Storage, what: string): Storage {
  if (!(block instanceof Tensor)) return block;
  checkOneDevice(what, block.device, "the update", device);
  return block.storage;
}
