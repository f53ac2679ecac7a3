import type { GpuDevice, GpuStorage } from "../../device/gpu-device.ts";
import { type AxisOptions, type AxisTable, axisTable } from "./weights.ts";

/**
 * Tables are made once per pair of sizes and kept: a training loop resizes pictures of the same size again and
 * again. The bound is for programs that resize pictures of ever new sizes.
 */
const MOST_TABLES = 64;

const tables = new Map<string, AxisTable>();
const onDevices = new WeakMap<GpuDevice, Map<AxisTable, DeviceTable>>();

/** {@link axisTable}, found again if it has been made before. */
export function cachedTable(inSize: number, outSize: number, scale: number, options: AxisOptions): AxisTable {
  const key = JSON.stringify([inSize, outSize, scale, options.mode, options.convention, options.antialias]);
  return remember(
    tables,
    key,
    () => axisTable(inSize, outSize, scale, options),
    () => {},
  );
}

/** A table in a device's memory, as the kernels take it. */
export interface DeviceTable {
  /** [ceil(outSize / block), 1 + block * window]: the first position, then `window` weights for each output. */
  readonly rows: GpuStorage;
  /** How many neighbouring outputs a row is for. */
  readonly block: number;
  /** How many samples those are made of. */
  readonly window: number;
}

/**
 * The table on a device, for blocks of four outputs where that saves loads (see enlarge.wgsl.ts), else for single ones.
 * Positions are exact as f32 up to 2^24. It belongs to no scope and counts as live memory.
 */
export function tableOn(device: GpuDevice, table: AxisTable): DeviceTable {
  let known = onDevices.get(device);
  if (!known) {
    known = new Map();
    onDevices.set(device, known);
  }
  const upload = () => {
    const block = windowOf(table, BLOCK) <= MOST_WINDOW && table.inSize >= MOST_WINDOW ? BLOCK : 1;
    const { window, values } = blockRows(table, block);
    const rows = device.allocate(values.length);
    device.write(rows, values);
    return { rows, block, window };
  };
  return remember(known, table, upload, ({ rows }) => device.release(rows));
}

const BLOCK = 4;
/** Four bicubic outputs at twice the size or more look at no more; when shrinking they look at many more. */
const MOST_WINDOW = 7;

/** The number of samples that the outputs of a block are made of, at the widest block. */
function windowOf({ outSize, taps, first }: AxisTable, block: number): number {
  let widest = taps;
  for (let i = 0; i < outSize; i += block) {
    const own = first.subarray(i, i + block);
    widest = Math.max(widest, Math.max(...own) + taps - Math.min(...own));
  }
  return widest;
}

/** Rows for the kernels; outputs past the end of the last block have zeros. */
function blockRows(table: AxisTable, block: number): { window: number; values: Float32Array } {
  const { inSize, outSize, taps, first, weights } = table;
  const window = windowOf(table, block);
  const length = 1 + block * window;
  const values = new Float32Array(Math.ceil(outSize / block) * length);
  for (let i = 0; i < outSize; i++) {
    const row = Math.floor(i / block);
    // Moved back where the window would pass the input's end.
    const start = Math.min(...first.subarray(row * block, (row + 1) * block), inSize - window);
    values[row * length] = start;
    const at = row * length + 1 + (i % block) * window + first[i] - start;
    values.set(weights.subarray(i * taps, (i + 1) * taps), at);
  }
  return { window, values };
}

/** The value kept under a key, made if there is none. The longest unused goes when there are too many. */
export function remember<K, V>(cache: Map<K, V>, key: K, make: () => V, drop: (value: V) => void): V {
  const value = cache.get(key) ?? make();
  // Deleted and set again: a Map keeps insertion order, which makes its first key the longest unused.
  cache.delete(key);
  cache.set(key, value);
  if (cache.size > MOST_TABLES) {
    const [oldest, dropped] = cache.entries().next().value!;
    cache.delete(oldest);
    drop(dropped);
  }
  return value;
}
