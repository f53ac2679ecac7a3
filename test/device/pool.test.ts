/** Which buffers the pool makes, keeps and lets go. */
import { beforeEach, describe, expect, test } from "vitest";
import { BufferPool, type PooledBuffer, sizeClass } from "../../src/device/pool.ts";

describe("sizeClass", () => {
  test.each([
    [1, 256],
    [256, 256],
    [257, 512],
    [4096, 4096],
    [4097, 4608], // from here on, eighths of the power of two below
    [8192, 8192],
    [8193, 9216],
    [100_000, 106_496],
    [2 ** 27, 2 ** 27],
    [2 ** 27 + 1, 2 ** 27 + 2 ** 24],
  ])("%i bytes take %i", (bytes, want) => {
    expect(sizeClass(bytes)).toBe(want);
  });

  test("wastes at most an eighth, and grows with the bytes in multiples of 256", () => {
    let last = 0;
    for (let bytes = 4097; bytes < 2 ** 28; bytes = Math.ceil(bytes * 1.013)) {
      const size = sizeClass(bytes);
      expect(size % 256).toBe(0);
      expect(size).toBeGreaterThanOrEqual(Math.max(bytes, last));
      expect(size).toBeLessThanOrEqual(Math.ceil(bytes * 1.125));
      expect(sizeClass(size)).toBe(size);
      last = size;
    }
  });
});

describe("BufferPool", () => {
  let destroyed: number[];
  let createdSizes: number[];
  beforeEach(() => {
    destroyed = [];
    createdSizes = [];
  });

  function poolOf(budget: number, maxBufferSize = 2 ** 30): BufferPool {
    const device = {
      limits: { maxBufferSize },
      createBuffer({ size }: { size: number }) {
        createdSizes.push(size);
        return {};
      },
    };
    return new BufferPool(device as unknown as GPUDevice, 0, budget, ({ id }) => destroyed.push(id));
  }

  test("reuses a buffer for anything of its size class", () => {
    const pool = poolOf(2 ** 20);
    const a = pool.take(1000);
    pool.give(a);
    expect(pool.take(800)).toBe(a);
    const b = pool.take(1000); // a is in use
    expect(b).not.toBe(a);
    pool.give(a);
    expect(pool.take(100)).not.toBe(a); // another class
    expect(createdSizes).toEqual([1024, 1024, 256]);
    expect([pool.count, pool.created, pool.bytes]).toEqual([3, 3, 2304]);
    expect(destroyed).toEqual([]);
  });

  test("takes the last one given back first", () => {
    const pool = poolOf(2 ** 20);
    const [a, b, c] = [pool.take(256), pool.take(256), pool.take(256)];
    for (const buffer of [a, c, b]) pool.give(buffer);
    expect([pool.take(256), pool.take(256), pool.take(256)]).toEqual([b, c, a]);
  });

  test("gives every buffer an id of its own", () => {
    const pool = poolOf(0);
    const ids = Array.from({ length: 10 }, () => {
      const buffer = pool.take(256);
      pool.give(buffer);
      return buffer.id;
    });
    expect(new Set(ids).size).toBe(10);
  });

  test("keeps no more than its budget, and drops the longest unused size first", () => {
    const pool = poolOf(4096);
    const [small1, small2, large] = [pool.take(1024), pool.take(1024), pool.take(2048)];
    for (const buffer of [small1, small2, large]) pool.give(buffer);
    expect(destroyed).toEqual([]); // just within the budget
    const other = pool.take(1280);
    pool.give(other); // 1280 too many: two small ones go
    expect(destroyed).toEqual([small1.id, small2.id]);
    expect([pool.count, pool.bytes, pool.created]).toEqual([2, 2048 + 1280, 4]);
    expect(pool.take(2048)).toBe(large);
    expect(pool.take(1280)).toBe(other);
    // The dropped ones are gone for good.
    expect([small1, small2, large, other]).not.toContain(pool.take(1024));
  });

  test("a size that is used again moves to the end", () => {
    const pool = poolOf(4096);
    const [a, b] = [pool.take(1024), pool.take(2048)];
    pool.give(a);
    pool.give(b);
    pool.give(pool.take(1024));
    pool.give(pool.take(1536)); // 512 too many: now it is b's size that waited longest
    expect(destroyed).toEqual([b.id]);
  });

  test("a buffer larger than the budget is not kept, and drives no others out", () => {
    const pool = poolOf(4096);
    const [small, huge] = [pool.take(1024), pool.take(8192)];
    pool.give(small);
    pool.give(huge);
    expect(destroyed).toEqual([huge.id]);
    expect(pool.take(1024)).toBe(small);
    expect([pool.count, pool.bytes]).toEqual([1, 1024]);
  });

  test("stays within its budget whatever is taken and given", () => {
    const pool = poolOf(64 * 1024);
    const used: PooledBuffer[] = [];
    let inUse = 0;
    for (let i = 0; i < 2000; i++) {
      const pick = (i * 7919) % 13;
      if (used.length > 20 || (pick < 5 && used.length > 0)) {
        const buffer = used.splice(pick % used.length, 1)[0];
        inUse -= buffer.bytes;
        pool.give(buffer);
      } else {
        const buffer = pool.take(1 + ((i * 104729) % 20000));
        expect(used).not.toContain(buffer);
        used.push(buffer);
        inUse += buffer.bytes;
      }
      expect(pool.bytes - inUse).toBeLessThanOrEqual(64 * 1024);
    }
    expect(pool.created - pool.count).toBe(destroyed.length);
    expect(new Set(destroyed).size).toBe(destroyed.length);
    expect(destroyed.length).toBeGreaterThan(0);
  });

  test("near the device's limit it does not round beyond it", () => {
    const maxBytes = 2 ** 20 - 256;
    const pool = poolOf(2 ** 30, maxBytes);
    expect(sizeClass(maxBytes)).toBeGreaterThan(maxBytes);
    const buffer = pool.take(maxBytes - 100);
    expect(createdSizes).toEqual([maxBytes]);
    pool.give(buffer);
    expect(pool.take(maxBytes)).toBe(buffer);
  });
});
