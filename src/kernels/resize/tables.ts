import type { GpuDevice, GpuStorage } from "../../device/gpu-device.ts";
import { type AxisOptions, type AxisTable, axisTable } from "./weights.ts";

/**
 * Tables are made once per pair of sizes and kept: a training loop resizes pictures of the same size again and
 * again. The bound is for programs that resize pictures of ever new sizes.
 */
const MOST_TABLES = 64;

const tables = new Map<string, AxisTable>();
const onDevices = new WeakMap<GpuDevice, Record<Weights, Map<AxisTable, DeviceTable>>>();

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

/** Weights as they are, or in fixed point, for exact sums of bytes (imresize.wgsl.ts). */
export type Weights = "real" | "fixed";

/** A table in a device's memory, as the kernels take it. */
export interface DeviceTable {
  /**
   * [ceil(outSize / block), 1 + block * window]: the first position, then `window` weights for each output.
   * In fixed point, a weight is two numbers.
   */
  readonly rows: GpuStorage;
  /** How many neighbouring outputs a row is for. */
  readonly block: number;
  /** How many samples those are made of. */
  readonly window: number;
}

/**
 * The table on a device. Real weights are for blocks of four outputs where that saves loads (see
 * enlarge.wgsl.ts), else and in fixed point for single ones. Positions are exact as f32 up to 2^24. It
 * belongs to no scope and counts as live memory.
 */
export function tableOn(device: GpuDevice, table: AxisTable, weights: Weights): DeviceTable {
  const made = onDevices.get(device) ?? { real: new Map(), fixed: new Map() };
  onDevices.set(device, made);
  const upload = () => {
    const blocks = weights === "real" && windowOf(table, BLOCK) <= MOST_WINDOW && table.inSize >= MOST_WINDOW;
    const block = blocks ? BLOCK : 1;
    const { window, values } = weights === "fixed" ? fixedPointRows(table) : blockRows(table, block);
    const rows = device.allocate(values.length);
    device.write(rows, values);
    return { rows, block, window };
  };
  return remember(made[weights], table, upload, ({ rows }) => device.release(rows));
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

/** Rows for single outputs; weights in fixed point, high and low part. All are whole, and exact as f32. */
function fixedPointRows({ outSize, taps, first, weights }: AxisTable): {
  window: number;
  values: Float32Array;
} {
  const values = new Float32Array(outSize * (1 + 2 * taps));
  let at = 0;
  for (let i = 0; i < outSize; i++) {
    values[at++] = first[i];
    for (const weight of weights.subarray(i * taps, (i + 1) * taps)) {
      const high = Math.round(weight * 2 ** 22);
      values[at++] = high;
      values[at++] = Math.round((weight * 2 ** 22 - high) * 2 ** 14);
    }
  }
  return { window: taps, values };
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
