import type { GpuDevice, GpuStorage } from "../../tensor/gpu-device.ts";
import { type AxisOptions, type AxisTable, axisTable } from "./weights.ts";

/**
 * Tables are made once per pair of sizes and kept: a training loop resizes pictures of the same size again and
 * again. The bound is for programs that resize pictures of ever new sizes.
 */
const MOST_TABLES = 64;

const tables = new Map<string, AxisTable>();
const onDevices = new WeakMap<GpuDevice, Map<AxisTable, GpuStorage>>();

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

/**
 * The table in a device's memory, as the kernel takes it: [outSize, 1 + taps], each row the first position and the
 * weights. Positions are exact as f32 up to 2^24. It belongs to no scope and counts as live memory.
 */
export function tableOn(device: GpuDevice, table: AxisTable): GpuStorage {
  let known = onDevices.get(device);
  if (!known) {
    known = new Map();
    onDevices.set(device, known);
  }
  const upload = () => {
    const { outSize, taps, first, weights } = table;
    const rows = new Float32Array(outSize * (1 + taps));
    for (let i = 0; i < outSize; i++) {
      rows[i * (1 + taps)] = first[i];
      rows.set(weights.subarray(i * taps, (i + 1) * taps), i * (1 + taps) + 1);
    }
    const storage = device.allocate(rows.length);
    device.write(storage, rows);
    return storage;
  };
  return remember(known, table, upload, (storage) => device.release(storage));
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
