import { readdirSync, readFileSync } from "node:fs";
import { DataError } from "../../src/picture/errors.ts";
import { fromKeras, KerasReader } from "../../src/upscale/keras-file.ts";
import { mutate } from "../../test/support/fuzz/fuzz.ts";
import type { Soak } from "./support/soak.ts";

const folder = new URL("../../test/golden/keras/", import.meta.url);
/** Shorter than users wait: some files in a thousand make the library hang. */
const LIMIT_MS = 10_000;

/**
 * The HDF5 library does break and hang on damaged files. What must hold is that each is refused in time, and that the
 * next file is read.
 */
export const soak: Soak = {
  what: "HDF5 files of Keras with random changes, read in a thread",
  tries: 20_000,
  async run(soak) {
    const seeds = readdirSync(folder)
      .filter((name) => /\.(?:h5|keras)$/.test(name))
      .map((name) => readFileSync(new URL(name, folder)));
    const reader = new KerasReader(() => LIMIT_MS);
    const outcomes = { accepted: 0, refused: 0, stopped: 0 };
    let slowest = 0;
    for (const { index, random } of soak.tries()) {
      const input = mutate(seeds, ["HDF", "TREE", "HEAP", "SNOD", "GCOL", "OHDR", "layer_names"], random);
      await soak.attempt(`input ${index}`, async () => {
        const start = performance.now();
        try {
          await reader.read(input, "fuzz.h5");
          outcomes.accepted++;
        } catch (error) {
          if (!(error instanceof DataError)) throw error;
          if (/reading it takes more than/.test(error.message)) outcomes.stopped++;
          else outcomes.refused++;
        }
        slowest = Math.max(slowest, performance.now() - start);
        if (slowest > 2 * LIMIT_MS) throw new Error(`It took ${slowest.toFixed(0)} ms.`);
        // As users read: in a thread of its own. This throws if the process cannot any more.
        if (index % 500 === 0) await fromKeras(seeds[0], "good.h5");
      });
    }
    reader.close();
    return {
      ...outcomes,
      slowest: `${slowest.toFixed(0)} ms`,
      "largest process": `${Math.round(process.resourceUsage().maxRSS / 1024)} MB`,
    };
  },
};
