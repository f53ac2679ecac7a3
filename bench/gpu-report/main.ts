/** One command that says how a GPU does, as files to send: `npm run bench:report -- --help`. */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { defineCommand, UsageError } from "../../src/cli/flags.ts";
import { adapterFlag } from "../../src/cli/method-flags.ts";
import { print, printError } from "../../src/cli/print.ts";
import { run } from "../../src/cli/run.ts";
import { writeWhole } from "../../src/data/index.ts";
import { GpuDevice } from "../../src/node.ts";
import { folder, type Kind } from "../../src/options/kinds.ts";
import { andList, orList } from "../../src/options/lists.ts";
import { openToMeasure } from "../open.ts";
import { measureReport, type Plan } from "./measure.ts";
import { type PartName, partNames, parts, usualParts } from "./parts.ts";
import { pageOf, type Report } from "./report.ts";

const partList: Kind<readonly PartName[]> = {
  wants: `parts separated by commas, each of which is ${orList(partNames)}`,
  symbol: "PART,…",
  fits: (value): value is readonly PartName[] =>
    Array.isArray(value) && value.every((name) => (partNames as readonly unknown[]).includes(name)),
  read: (text) => text.split(","),
  write: (value) => value.join(),
};

/** "  pictures     whole pictures, … (1 min)" */
const partLines = partNames.map((name) => `  ${name.padEnd(12)} ${parts[name].what} (${parts[name].takes})`);

/** In all less than four minutes, with compiling and the rest. */
const USUAL_LIMIT = 190;

function planOf(thorough: boolean, only: readonly PartName[] | undefined): Plan {
  if (only) return { parts: [...new Set(only)], flags: `--only ${only.join()}` };
  return thorough ? { parts: partNames, flags: "--thorough" } : { parts: usualParts, limit: USUAL_LIMIT };
}

const reportCommand = defineCommand({
  about: `
Measures a GPU, as it is seen through WebGPU, in under four minutes: are all kernels right, how fast are
multiply-adds and copies at best, convolutions, networks, training steps, and the start of a process. With
--thorough also, in some ten minutes, single kernels, whole pictures, and how long training waits for pictures.

Writes report.json and report.md. They name the adapter, the processor, the system and versions, and nothing
about you: send them to the project to have them in docs/gpus.md. Nothing else should run meanwhile.

On a program that stands in for a GPU, sizes are smaller, and the report says so. Ctrl-C ends it after the
current measurement; the files then hold what was measured, and say that they are not whole. They are saved
after each part, picture and run. The parts, in their order, with the time they take on a card:

${partLines.join("\n")}

Without --thorough and --only, it measures ${andList(usualParts)}.`,
  flags: {
    adapter: adapterFlag,
    thorough: { help: "all parts" },
    only: { kind: partList, help: "these parts, in this order" },
    out: { kind: folder, help: "where the files go [gpu-report]" },
  },
  savesWhenStopped: true,
  examples: [
    ["", "the adapter in use by default"],
    ["--thorough --adapter gpu", "everything"],
    ["--only pictures,waiting", "two parts, in this order"],
    ["--adapter gpu --out reports/my-card", "a graphics card, or an error"],
  ],
  async run({ adapter, thorough, only, out = "gpu-report" }, { signal }) {
    if (thorough && only) throw new UsageError("--thorough is all parts, and --only some: give one of them");
    const files = ["report.json", "report.md"].map((name) => join(out, name));
    const existing = files.find((file) => existsSync(file));
    if (existing) throw new UsageError(`${existing} exists already; name another folder with --out`);
    const device = await openToMeasure({ adapter });
    if (!(device instanceof GpuDevice)) throw new UsageError("--adapter wants one that runs kernels");
    mkdirSync(out, { recursive: true });
    print(`${device.name}: some minutes. Ctrl-C ends it and keeps what was measured.`);
    let shown = Number.NEGATIVE_INFINITY;
    const began = performance.now();
    const report = await measureReport(device, adapter, planOf(thorough, only), {
      signal,
      part(title) {
        // A part may name its steps; lines every two seconds are enough.
        const now = performance.now();
        if (/\d of \d+$/.test(title) && now - shown < 2000) return;
        shown = now;
        printError(
          `${Math.round((now - began) / 1e3)
            .toString()
            .padStart(4)} s  ${title}`,
        );
      },
      save: (report) => save(report, files),
    });
    device.destroy();
    print(...summaryOf(report), `Written: ${files.join(", ")}`);
    const wrong = report.checks?.kernels.some((kernel) => kernel.wrong.length > 0);
    if (wrong || report.failures.length > 0) process.exitCode = 1;
  },
});

async function save(report: Report, [json, page]: readonly string[]): Promise<void> {
  await writeWhole(json, `${JSON.stringify(report, undefined, 1)}\n`);
  await writeWhole(page, pageOf(report));
}

function summaryOf({ partial, checks, failures, seconds }: Report): string[] {
  const wrong = checks?.kernels.filter((kernel) => kernel.wrong.length > 0) ?? [];
  return [
    ...(partial ? [`The report is not whole: ${partial}.`] : [`Done in ${Math.round(seconds)} s.`]),
    ...wrong.map(({ kernel, wrong }) => `WRONG: ${kernel}, in ${wrong.join("; ")}`),
    ...failures.map(({ part, message }) => `FAILED: ${part}: ${message.split("\n")[0]}`),
  ];
}

const code = await run("npm run bench:report --", reportCommand, process.argv.slice(2));
process.exitCode = code || process.exitCode;
