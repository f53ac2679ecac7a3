/** Damaged pictures are read or refused. (`npm run test:soak -- fuzz-pictures` tries many more.) */
import { expect, test } from "vitest";
import { Random } from "../../src/tensor/random.ts";
import { damaged, drawSeeds, fuzzedFormats, readDamaged } from "../support/fuzz-pictures.ts";

const seeds = await drawSeeds();

test.each(fuzzedFormats)("%s", async (format) => {
  for (const seed of seeds[format]) expect(await readDamaged(seed)).toBe(true);
  const random = new Random(7);
  let read = 0;
  for (let i = 0; i < 60; i++) {
    const bytes = damaged(seeds[format], random);
    try {
      if (await readDamaged(bytes)) read++;
    } catch (cause) {
      throw new Error(`picture ${i}: ${bytes.toString("base64")}`, { cause });
    }
  }
  expect(read).toBeLessThan(60);
});
