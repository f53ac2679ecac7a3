/** Single kernels by the card's own clock: `npm run bench:kernels -- --help`. */
import { existsSync } from "node:fs";
import { defineCommand, UsageError } from "../../src/cli/flags.ts";
import { adapterFlag } from "../../src/cli/method-flags.ts";
import { print, printError } from "../../src/cli/print.ts";
import { run } from "../../src/cli/run.ts";
import { writeWhole } from "../../src/data/index.ts";
import { measureCeilings } from "../../src/measure/ceilings.ts";
import { GpuDevice } from "../../src/node.ts";
import { file, folder, text, whole } from "../../src/options/kinds.ts";
import { cardOf } from "../cards.ts";
import { openToMeasure } from "../open.ts";
import { isSlow } from "../slow.ts";
import { checkVariant, workloadsNamed } from "./choice.ts";
import { checkNames, fileOf, readEdited, writeTexts } from "./edited.ts";
import { type KernelTimes, kernelsOf, timeKernels } from "./stream.ts";
import { kernelCeiling, kernelSummary, kernelTable } from "./table.ts";
import { kernelWorkloads } from "./workloads.ts";

const kernelsCommand = defineCommand({
  about: `
Times single kernels by the card's own clock: convolutions by every tile that a tuner may choose, weight
gradients, sums, a matrix product.

All ways to compute a workload take turns in one stream of commands, with the ceiling (multiply-adds in
registers, or a copy) among them: so the card never idles, which would lower its clock. Each is compared with
the references before, and is left out if it is wrong. On a card all of it takes some two minutes. Software
adapters get smaller workloads.

To try a kernel's text, write those of the library with --texts, edit one, and give it by --wgsl: it is timed
beside the library's own, with the same constants, buffers and grid.`,
  flags: {
    workload: {
      kind: text,
      multiple: true,
      help: "only workloads with this text in their names: weight-grad, conv3-64-64-16x",
    },
    variant: { kind: text, help: "only variants with this text in their names, and the one by rule" },
    most: { kind: whole(0), help: "so many variants beside the one by rule, at most [all; 4 if slow]" },
    adapter: adapterFlag,
    wgsl: { kind: file, multiple: true, help: "edited text, named as --texts names it: conv2d-….mine.wgsl" },
    texts: {
      kind: folder,
      help: "writes the texts of all kernels that are launched there, never over another text",
    },
    json: { kind: file, help: "writes the figures there" },
  },
  operands: "workload",
  examples: [
    ["--adapter gpu --json kernels.json", "all of it on a graphics card"],
    ["conv3-64-64 --variant 6-prefetch", "some of it"],
    ["conv3-64-64-16x128 --texts texts", "the texts of the kernels that compute it"],
    ["conv3-64-64-16x128 --wgsl texts/conv2d-6-prefetch.mine.wgsl", "an edited one beside them"],
  ],
  async run({ workload = [], variant, most, adapter, wgsl = [], texts, json }, { signal }) {
    const missing = wgsl.find((path) => !existsSync(path));
    if (missing !== undefined) throw new UsageError(`--wgsl ${missing}: there is no such file`);
    const edited = wgsl.map(readEdited);
    const device = await openToMeasure({ adapter });
    if (!(device instanceof GpuDevice)) throw new UsageError("--adapter wants one that runs kernels");
    const ceilings = await measureCeilings(device, { runs: 3, minRunMs: 20 });
    const small = isSlow(ceilings);
    const all = kernelWorkloads(small);
    const chosen = workloadsNamed(all, workload);
    if (variant !== undefined) checkVariant(device, chosen, variant);
    const choice = { variant, most: most ?? (small ? 4 : undefined) };
    if (edited.length > 0 || texts !== undefined) {
      const launched = chosen.flatMap((each) => kernelsOf(device, each, choice));
      const kernels = [...new Map(launched.map((kernel) => [kernel.name, kernel])).values()];
      checkNames(edited, kernels);
      if (texts !== undefined) {
        writeTexts(texts, kernels);
        printError(`Written to ${texts}: ${kernels.map(fileOf).join(", ")}`);
      }
    }
    const peak = cardOf(device.name);
    print(`# ${device.name}`, "", ...(small ? ["Small workloads, as on all slow adapters.", ""] : []));
    const results: KernelTimes[] = [];
    const save = async () => {
      if (json === undefined) return;
      const figures = { adapter: device.name, date: new Date().toISOString(), peak, kernels: results };
      await writeWhole(json, `${JSON.stringify(figures, undefined, 1)}\n`);
    };
    for (const each of chosen) {
      if (signal.aborted) break;
      printError(`${each.name} …`);
      const times = await timeKernels(device, each, ceilings, {
        ...{ ...choice, edited, signal },
      });
      results.push(times);
      print(`## ${times.workload}`, "", kernelCeiling(times, peak), "", ...kernelTable(times), "");
      await save();
    }
    if (results.length > 1) print("## By rule and the fastest", "", ...kernelSummary(results));
    device.destroy();
    if (results.some(({ rows }) => rows.some(({ time }) => time === undefined))) process.exitCode = 1;
  },
});

const code = await run("npm run bench:kernels --", kernelsCommand, process.argv.slice(2));
process.exitCode = code || process.exitCode;
