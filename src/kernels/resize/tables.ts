import type { GpuDevice } from "../../device/gpu-device.ts";
import type { GpuStorage } from "../../device/gpu-storage.ts";
import { LruCache } from "../../device/lru.ts";
import { type AxisOptions, type AxisTable, axisTable } from "./weights.ts";

/**
 * A table is computed once for its sizes and cached: a training loop resizes pictures of the same size again
 * and again. The bound is for programs that resize pictures of ever new sizes.
 */
const MAX_TABLES = 64;

const tables = new LruCache<string, AxisTable>(MAX_TABLES);
type DeviceTables = WeakMap<GpuDevice, LruCache<AxisTable, DeviceTable>>;
const deviceTables: Record<Weights, DeviceTables> = { real: new WeakMap(), fixed: new WeakMap() };

/** {@link axisTable}, cached. */
export function cachedTable(inSize: number, outSize: number, scale: number, options: AxisOptions): AxisTable {
  const { mode, convention, antialias } = options;
  const key = JSON.stringify([inSize, outSize, scale, mode, convention, antialias]);
  return tables.get(key, () => axisTable(inSize, outSize, scale, options));
}

/** Weights as they are, or in fixed point, for exact sums of bytes (imresize.wgsl.ts). */
type Weights = "real" | "fixed";

/** A table in a device's memory, as the kernels take it. */
interface DeviceTable {
  /**
   * [ceil(outSize / block), 1 + block * samples]: the first position, then `samples` weights for each output.
   * In fixed point, a weight is two numbers.
   */
  readonly rows: GpuStorage;
  /** How many neighbouring outputs a row is for. */
  readonly block: number;
  /** How many samples those outputs need. */
  readonly samples: number;
}

/**
 * The table on a device. Real weights are for blocks of four outputs where that saves loads
 * (enlarge.wgsl.ts); otherwise, and in fixed point, rows are for single outputs. Positions are exact as f32
 * up to 2^24. The memory belongs to no scope and does not count as live.
 */
export function tableOn(device: GpuDevice, table: AxisTable, weights: Weights): DeviceTable {
  let cache = deviceTables[weights].get(device);
  if (!cache) {
    cache = new LruCache(MAX_TABLES, ({ rows }) => device.release(rows));
    deviceTables[weights].set(device, cache);
  }
  return cache.get(table, () => {
    const inBlocks =
      weights === "real" && samplesUnder(table, BLOCK) <= MAX_SAMPLES && table.inSize >= MAX_SAMPLES;
    const block = inBlocks ? BLOCK : 1;
    const samples = samplesUnder(table, block);
    const values = weights === "fixed" ? fixedPointRows(table) : blockRows(table, block, samples);
    return { rows: device.table(values), block, samples };
  });
}

const BLOCK = 4;
/** Four bicubic outputs at twice the size or more need no more samples; when shrinking they need many. */
const MAX_SAMPLES = 7;

/** How many samples the outputs of a block need, at the widest block. */
function samplesUnder({ outSize, taps, first }: AxisTable, block: number): number {
  let widest = taps;
  for (let i = 0; i < outSize; i += block) {
    const starts = first.subarray(i, i + block);
    widest = Math.max(widest, Math.max(...starts) + taps - Math.min(...starts));
  }
  return widest;
}

/** Rows for the kernels; outputs past the end of the last block have zeros. */
function blockRows(table: AxisTable, block: number, samples: number): Float32Array {
  const { inSize, outSize, taps, first, weights } = table;
  const length = 1 + block * samples;
  const values = new Float32Array(Math.ceil(outSize / block) * length);
  for (let i = 0; i < outSize; i++) {
    const row = Math.floor(i / block);
    // Moved back where the samples would pass the input's end.
    const start = Math.min(...first.subarray(row * block, (row + 1) * block), inSize - samples);
    values[row * length] = start;
    const at = row * length + 1 + (i % block) * samples + first[i] - start;
    values.set(weights.subarray(i * taps, (i + 1) * taps), at);
  }
  return values;
}

/** Rows for single outputs; a weight is its high and its low part. All are whole, and exact as f32. */
function fixedPointRows({ outSize, taps, first, weights }: AxisTable): Float32Array {
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
  return values;
}
