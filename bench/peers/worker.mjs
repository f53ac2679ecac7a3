/**
 * One library with one workload, in a process of its own: libraries share global names, and peak memory is
 * per process. It answers one message at a time: `{ read: true }` with the output of one repetition,
 * `{ milliseconds }` with the times of as many repetitions as fit into that time, at least one.
 */
import { workloads } from "./workloads.mjs";

const [library, variant, workload, options] = process.argv.slice(2);

async function answer(compute) {
  try {
    process.send({ ...(await compute()), peakMiB: process.resourceUsage().maxRSS / 1024 });
  } catch (error) {
    process.send({ failure: error?.message ?? String(error) });
  }
}

let step;
await answer(async () => {
  const { prepare } = await import(`./libraries/${library}.mjs`);
  const prepared = await prepare(workloads[workload], { variant, ...JSON.parse(options) });
  step = prepared.step;
  return { adapter: prepared.adapter, unsupported: prepared.unsupported };
});

process.on("message", ({ read, milliseconds }) =>
  answer(async () => {
    if (read) return { values: await step(true) };
    const times = [];
    const start = performance.now();
    do {
      const before = performance.now();
      await step(false);
      times.push(performance.now() - before);
    } while (performance.now() - start < milliseconds);
    return { times };
  }),
);
process.on("disconnect", () => process.exit());
