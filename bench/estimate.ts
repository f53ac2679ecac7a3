/** Prints what a workgroup of each convolution kernel does: `npm run bench:estimate -- --help`. */
import { fileURLToPath } from "node:url";
import { defineCommand } from "../src/cli/flags.ts";
import { print } from "../src/cli/print.ts";
import { run } from "../src/cli/run.ts";
import { type AdapterClass, facts } from "../src/device/profile.ts";
import { type Estimate, estimates } from "../src/kernels/conv2d/estimate.ts";
import type { Convolution } from "../src/kernels/conv2d/plan-common.ts";
import { oneOf, whole } from "../src/options/kinds.ts";
import { table } from "./markdown.ts";

/** A table in Markdown. */
export function estimateLines(list: readonly Estimate[]): string[] {
  const head = [
    ...["kernel", "workgroups", "threads", "multiply-adds", "loads", "shared reads", "barriers"],
    ...["multiply-adds per load", "per shared read"],
  ];
  const ratio = (count: number, by: number) => (by === 0 ? "-" : (count / by).toPrecision(3));
  const rows = list.map(({ kernel, workgroups, threads, multiplyAdds, loads, sharedReads, barriers }) => [
    ...[kernel, workgroups, threads, multiplyAdds, loads, sharedReads, barriers].map(String),
    ...[ratio(multiplyAdds, loads), ratio(multiplyAdds, sharedReads)],
  ]);
  return table(head, rows);
}

const classes = Object.keys(facts) as AdapterClass[];

const estimateCommand = defineCommand({
  about: `
Counts, from the plans and without a GPU, what one workgroup of every convolution kernel does: multiply-adds,
values loaded from memory, reads of workgroup memory, and barriers, for a 3x3 convolution.`,
  flags: {
    kind: { kind: oneOf(...classes), help: "plans as for this kind of adapter [nvidia]" },
    subgroups: { kind: whole(0), help: "threads of a subgroup, 0 if their size varies [32]" },
    channels: { kind: whole(1), help: "input and output channels [64]" },
    batch: { kind: whole(1), help: "pictures [16]" },
    side: { kind: whole(1), help: "their width and height [128]" },
  },
  examples: [
    ["", "the shape of the ladder, on an NVIDIA card"],
    ["--kind lavapipe --subgroups 8", "in software"],
  ],
  async run({ kind = "nvidia", subgroups = 32, channels = 64, batch = 16, side = 128 }) {
    const profile = { ...facts[kind], subgroupSize: subgroups, maxTensorBytes: 2 ** 27, float16: false };
    print(...estimateLines(estimates(profile, convolutionOf(channels, batch, side))));
  },
});

/** 3x3, as many output channels as input channels, and the result as large as the picture. */
export function convolutionOf(channels: number, batch: number, side: number): Convolution {
  return {
    geometry: { stride: [1, 1], padding: [1, 1], dilation: [1, 1] },
    wShape: [channels, channels, 3, 3],
    yShape: [batch, channels, side, side],
    hasBias: false,
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = await run("npm run bench:estimate --", estimateCommand, process.argv.slice(2));
}
