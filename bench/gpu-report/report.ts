/** What a report holds, and the page that is made of it. */
import type { Ceilings } from "../../src/measure/ceilings.ts";
import type { InTurns } from "../../src/measure/in-turns.ts";
import type { Card } from "../cards.ts";
import type { KernelTimes } from "../kernels/stream.ts";
import { kernelCeiling, kernelSummary, kernelTable } from "../kernels/table.ts";
import { table } from "../markdown.ts";
import type { Start } from "../own-process.ts";
import { type PictureTimes, pictureLines } from "../picture-times.ts";
import { short } from "../report.ts";
import { ceilingLine, markdownOf } from "../times-table.ts";
import { type Waiting, waitingLines } from "../waiting.ts";
import type { Checked } from "./checks.ts";

/** A JSON file. It names no user, no folder and no network. */
export interface Report {
  /** Of this file's layout. */
  readonly format: 1;
  readonly pixelgrad: string;
  /** When it began: "2026-11-26T12:00:00.000Z". */
  readonly date: string;
  /** How long it took, so far. */
  readonly seconds: number;
  /** Of the command; left out if there were none. */
  readonly flags?: string;
  /** How many of the processor's cores other programs kept busy meanwhile. */
  readonly foreignCores: number;
  /** Why it is not whole; left out if it is. */
  readonly partial?: string;
  readonly machine: Machine;
  readonly adapter: AdapterFacts;
  /** What was measured smaller than on a card; left out if nothing was. */
  readonly scaled?: string;
  readonly checks?: Checked;
  readonly ceilings?: Ceilings;
  readonly sections: readonly Section[];
  readonly start?: Start;
  readonly kernels?: readonly KernelTimes[];
  readonly pictures?: PictureTimes;
  readonly waiting?: Waiting;
  /** Parts that ended with an error. */
  readonly failures: readonly { readonly part: string; readonly message: string }[];
}

export interface Machine {
  readonly processor: string;
  readonly platform: string;
  readonly node: string;
  /** The version of the npm package `webgpu`, which is Dawn. */
  readonly webgpu: string;
}

export interface AdapterFacts {
  readonly name: string;
  readonly class: string;
  readonly info: Readonly<Record<string, string | number | boolean>>;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  readonly profile: Readonly<Record<string, number | boolean>>;
  /** Dawn's switches that were set. */
  readonly dawn: readonly string[];
  /** How many of `npm run tune`'s choices were in use. */
  readonly tuned: number;
  readonly peak?: Card;
}

/** Programs that were timed in turns. */
export interface Section extends InTurns {
  readonly title: string;
  /** What the first column names. */
  readonly first: string;
  /** Whether the time until JavaScript has recorded a repetition is of interest. */
  readonly recording?: boolean;
}

interface PageOptions {
  /** Of the main heading. Default 1. */
  readonly level?: number;
  /** Leaves out the line of each kernel that is right. */
  readonly brief?: boolean;
}

/** The report as a page in Markdown. */
export function pageOf(report: Report, { level = 1, brief = false }: PageOptions = {}): string {
  const { adapter, machine, partial, scaled, checks, ceilings, sections, start, failures } = report;
  const { kernels = [], pictures, waiting, flags } = report;
  const command = `npm run bench:report${flags ? ` -- ${flags}` : ""}`;
  const heading = (deeper: number, text: string) => `${"#".repeat(level + deeper)} ${text}`;
  const parts: (string | readonly string[])[] = [
    heading(0, adapter.name),
    `${report.date.slice(0, 10)}, pixelgrad ${report.pixelgrad}, \`${command}\`, ` +
      `${Math.round(report.seconds)} s. ${machine.processor}, ${machine.platform}, Node ${machine.node}, Dawn ` +
      `(\`webgpu\` ${machine.webgpu}).`,
  ];
  if (partial) parts.push(`**This report is not whole: ${partial}.** What is here was measured.`);
  if (report.foreignCores >= 0.3) {
    parts.push(
      `**Other programs kept ${report.foreignCores.toFixed(1)} cores busy meanwhile**, so times are longer than on ` +
        `an idle machine, and vary.`,
    );
  }
  if (scaled) parts.push(scaled);
  parts.push(adapterTable(adapter));
  if (checks) parts.push(heading(1, "Are the kernels right?"), checkLines(checks, brief));
  if (ceilings) parts.push(heading(1, "Ceilings"), ceilingTable(ceilings, adapter.peak));
  for (const section of sections) {
    const { title, first, recording } = section;
    parts.push(
      heading(1, title),
      ceilingLine(section, adapter.peak),
      markdownOf(section, { peak: adapter.peak, first, recording }),
    );
  }
  if (start) parts.push(heading(1, "Start"), startTable(start));
  if (pictures) {
    const [width, height] = pictures.size;
    parts.push(heading(1, `A picture of ${width} x ${height}, x${pictures.scale}`), pictureLines(pictures));
  }
  if (waiting) parts.push(heading(1, "Training waits for pictures"), waitingLines(waiting));
  if (kernels.length > 0) {
    parts.push(
      heading(1, "Single kernels"),
      [
        "By the GPU's own clock, in one stream of commands with the ceiling; " +
          "`npm run bench:kernels` measures the same.",
        `A name has channels and pictures: conv3-64-256-16x48x48 is a window of 3 x 3, from 64 to 256 channels.`,
      ],
      kernelSummary(kernels),
    );
  }
  for (const times of brief ? [] : kernels) {
    parts.push(heading(2, times.workload), kernelCeiling(times, adapter.peak), kernelTable(times));
  }
  if (failures.length > 0) {
    parts.push(
      heading(1, "What failed"),
      failures.map(({ part, message }) => `- ${part}: ${message.split("\n")[0]}`),
    );
  }
  return `${parts.map((part) => (typeof part === "string" ? part : part.join("\n"))).join("\n\n")}\n`;
}

function adapterTable({ info, profile, features, limits, dawn, tuned, class: kind }: AdapterFacts): string[] {
  const mebibytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
  const { subgroupMinSize, subgroupMaxSize } = info;
  const sizes =
    subgroupMinSize === subgroupMaxSize ? subgroupMaxSize : `${subgroupMinSize} to ${subgroupMaxSize}`;
  const notable = ["subgroups", "subgroup-size-control", "shader-f16", "timestamp-query"];
  return table(
    ["adapter", ""],
    [
      ["vendor, architecture", [info.vendor, info.architecture].filter(Boolean).join(", ") || "unknown"],
      ["kernels chosen as for", kind],
      ["subgroups", `${sizes}; kernels use ${profile.subgroupSize || "none"}`],
      ["features", notable.map((name) => `${name}: ${features.includes(name) ? "yes" : "no"}`).join(", ")],
      [
        "limits",
        `${mebibytes(limits.maxStorageBufferBindingSize)} for a tensor, ${mebibytes(limits.maxBufferSize)} for a ` +
          `buffer, ${limits.maxComputeWorkgroupStorageSize} bytes of workgroup memory, ` +
          `${limits.maxComputeInvocationsPerWorkgroup} threads in a workgroup`,
      ],
      ["Dawn's switches", dawn.join(", ") || "none"],
      ["tuned choices", String(tuned)],
    ],
  );
}

function checkLines({ kernels, count, left }: Checked, brief: boolean): string[] {
  const wrong = kernels.filter((kernel) => kernel.wrong.length > 0);
  const verdict =
    wrong.length === 0
      ? `All ${kernels.length} kernels that were launched agree with the references, in ${count} computations.`
      : `**${wrong.length} of ${kernels.length} kernels took part in a wrong result: ` +
        `${wrong.map(({ kernel }) => kernel).join(", ")}.**`;
  const missing = left.length > 0 ? [`Time did not allow for: ${left.join("; ")}.`] : [];
  const largest = Math.max(...kernels.map(({ error }) => error ?? Number.NaN));
  const listed = brief ? wrong : kernels;
  const rows = listed.map(({ kernel, checks, error, wrong }) => [
    kernel,
    String(checks),
    error === null ? "NaN" : error.toExponential(1),
    wrong.length > 0 ? `WRONG in ${wrong.join("; ")}` : "right",
  ]);
  return [
    verdict,
    ...missing,
    `The largest error is ${Number.isNaN(largest) ? "NaN" : largest.toExponential(1)}: a difference from the ` +
      `references in float64, as a share of the largest value.`,
    ...(rows.length > 0 ? ["", ...table(["kernel", "launched in", "largest error", ""], rows)] : []),
  ];
}

function ceilingTable({ flops, copies }: Ceilings, peak?: Card): string[] {
  const share = peak ? `, ${Math.round((100 * flops) / peak.flops)} % of ${peak.card}'s data sheet` : "";
  return table(
    ["what", "at best"],
    [
      ["multiply-adds in registers", `${short(flops / 1e9)} GFLOP/s${share}`],
      ...copies.map(({ bytes, rate }) => [
        `copying, ${Math.round(bytes / 2 ** 20)} MiB read and written`,
        `${short(rate / 1e9)} GB/s`,
      ]),
    ],
  );
}

function startTable({ network, cold, warm }: Start): string[] {
  const seconds = (ms: number) => `${short(ms / 1e3)} s`;
  return [
    `${network}, each in a process of its own, from the start of Node to the first result in JavaScript. The`,
    "processes also translate TypeScript, which an installed package need not.",
    "",
    ...table(
      [
        "driver's shader cache",
        "first result",
        "of it opening the device",
        "a later forward pass",
        "pipelines",
      ],
      (
        [
          ["empty", cold],
          ["filled by the process before", warm],
        ] as const
      ).map(([name, { processMs, deviceMs, steadyMs, pipelines }]) => [
        name,
        seconds(processMs),
        seconds(deviceMs),
        seconds(steadyMs),
        String(pipelines),
      ]),
    ),
  ];
}
