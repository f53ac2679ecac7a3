/** The process that reads damaged pictures for fuzz-pictures.ts: a decoder that crashes ends it alone. */
import { Random } from "../../../src/tensor/random.ts";
import { damaged, drawSeeds, fuzzedFormats, readDamaged } from "../../../test/support/fuzz-pictures.ts";

export interface Answer {
  readonly index: number;
  readonly read: boolean;
  /** What went wrong, with the picture in base64. */
  readonly failure?: string;
  readonly seconds: number;
  readonly peakBytes: number;
}

const seeds = await drawSeeds();
const { default: sharp } = await import("sharp");
sharp.cache(false);
sharp.concurrency(1);

process.on("message", async ({ index, seed }: { index: number; seed: number }) => {
  const bytes = damaged(seeds[fuzzedFormats[index % fuzzedFormats.length]], new Random(seed));
  const cpu = process.cpuUsage();
  const start = performance.now();
  let [read, failure] = [false, undefined as string | undefined];
  try {
    read = await readDamaged(bytes);
  } catch (error) {
    failure = `${error instanceof Error ? error.stack : error}\n${bytes.toString("base64")}`;
  }
  // On a busy machine, the time on the wall says little.
  const { user, system } = process.cpuUsage(cpu);
  const seconds = Math.min((performance.now() - start) / 1e3, (user + system) / 1e6);
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  process.send!({ index, read, failure, seconds, peakBytes } satisfies Answer);
});
process.send!("ready");
