/** Turns times into figures, text and tables. */
import { readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { workloads } from "./workloads.mjs";

// ---- Figures

/** Values that differ by less count as the same; relative to the largest value. */
export const TOLERANCE = 1e-3;

/** The libraries with whose values all others are compared, in order of preference. Never pixelgrad. */
const judges = ["ort-cpu", "ort-wasm", "tfjs", "jax-js", "ort-webgpu"];

/** The result of one workload: the measurements in `rows`, one for each library, and figures made of them. */
export function summarize(workload, rows, rounds) {
  const judge = judges.map((name) => rows.find(({ library }) => library === name)).find((row) => row?.values);
  return {
    workload,
    judge: judge?.library,
    rows: rows.map((row) => {
      const figures = { ...row, ...speed(row, workloads[workload].flops, rounds) };
      if (!row.values || !judge || row === judge) return figures;
      const apart = difference(row.values, judge.values, workloads[workload].kind === "train");
      if (apart <= TOLERANCE) return { ...figures, difference: apart };
      return { ...figures, difference: apart, failure: `its values differ from those of ${judge.library}` };
    }),
  };
}

function speed({ turns, firstMs }, flops, rounds) {
  if (firstMs === undefined) return {};
  const times = turns.flat().sort((a, b) => a - b);
  const repetitions = times.length;
  const medianMs =
    repetitions === 0 ? firstMs : (times[(repetitions - 1) >> 1] + times[repetitions >> 1]) / 2;
  const fewRuns = turns.length < rounds ? "few runs" : undefined;
  return {
    medianMs,
    minMs: times[0],
    maxMs: times.at(-1),
    repetitions,
    gflops: flops ? flops / medianMs / 1e6 : undefined,
    mark: repetitions === 0 ? "first run only, compilation included" : fewRuns,
  };
}

/**
 * Relative to the largest value; infinite if there are more or fewer values, or some that are no numbers. For
 * training, it compares the losses of those steps that both have done.
 */
export function difference(values, truth, training = false) {
  if (!training && values.length !== truth.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  let worst = 0;
  for (let i = 0; i < Math.min(values.length, truth.length); i++) {
    largest = Math.max(largest, Math.abs(truth[i]));
    const distance = Math.abs(values[i] - truth[i]);
    worst = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : Math.max(worst, distance);
  }
  return worst === 0 ? 0 : worst / largest;
}

/**
 * The fastest other library on WebGPU, and pixelgrad's speed in multiples of its speed (below 1 if pixelgrad
 * is slower). `untimed` lists libraries that got no further than their first run, which includes compilation:
 * they might have been faster.
 */
function ratio(rows) {
  const timed = rows.filter((row) => row.webgpu && row.repetitions > 0 && !row.failure);
  const ours = timed.find(({ library }) => library === "pixelgrad");
  const best = timed
    .filter((row) => row !== ours)
    .reduce((a, b) => (a && a.medianMs <= b.medianMs ? a : b), undefined);
  if (!ours || !best) return { best };
  const untimed = rows.filter((row) => row.webgpu && !row.unsupported && !timed.includes(row));
  return { best, times: best.medianMs / ours.medianMs, untimed: untimed.map(({ library }) => library) };
}

function digits(value) {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

// ---- Text

export function text({ workload, judge, rows }, adapter) {
  const { title, kind, flops } = workloads[workload];
  const number = (value) => (value === undefined ? "" : digits(value));
  const table = [
    ["", "median ms", "min", "max", "runs", "GFLOP/s", "first ms", "peak MiB", "difference", ""],
    ...rows.map((row) => [
      row.library,
      ...[row.medianMs, row.minMs, row.maxMs].map(number),
      `${row.repetitions ?? ""}`,
      ...[row.gflops, row.firstMs].map(number),
      row.unsupported ? "" : (row.peakMiB?.toFixed(0) ?? ""),
      row.difference?.toExponential(1) ?? "",
      notes(row, judge),
    ]),
  ];
  const widths = table[0].map((_, column) => Math.max(...table.map((cells) => cells[column].length)));
  const outer = (column) => column === 0 || column === widths.length - 1;
  const lines = table.map((cells) =>
    cells
      .map((cell, column) => (outer(column) ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join("  ")
      .trimEnd(),
  );
  if (kind === "train") {
    const losses = rows.filter(({ values }) => values);
    const list = losses.map(
      ({ library, values }) => `${library} ${[...values].map((v) => v.toFixed(6)).join(" ")}`,
    );
    lines.push(`loss of the first steps: ${list.join("; ")}`);
  }
  const { best, times, untimed } = ratio(rows);
  if (times !== undefined) {
    const without = untimed.length > 0 ? ` (not counting ${untimed.join(", ")})` : "";
    lines.push(
      `pixelgrad has ${digits(times)} times the speed of ${best.library}, the best WebGPU peer${without}`,
    );
  }
  const work = flops ? `, ${digits(flops / 1e9)} GFLOP` : "";
  return [`\n${workload}: ${title}${work}, on ${adapter}`, ...lines.map((line) => `  ${line}`)].join("\n");
}

function notes(row, judge) {
  return [
    row.unsupported,
    row.failure && `FAILED: ${row.failure}`,
    row.mark,
    row.webgpu ? undefined : "without WebGPU",
    row.library === judge ? "the other libraries' values are compared with these" : undefined,
  ]
    .filter(Boolean)
    .join("; ");
}

// ---- Tables

export function markdown({ adapter, libraries, rounds, results }) {
  const cell = (row, best) => {
    if (row.unsupported) return "-";
    if (row.failure) return "failed";
    const figure = digits(row.medianMs) + (row.mark ? "\\*" : "");
    return row === best ? `**${figure}**` : figure;
  };
  const header = libraries.map(({ name, webgpu }) => (webgpu ? name : `${name} (no WebGPU)`));
  const lines = results.map(({ workload, rows }) => {
    const { best, times, untimed } = ratio(rows);
    const figure = times === undefined ? "-" : `${digits(times)}x${untimed.length > 0 ? "\\*" : ""}`;
    const cells = rows.map((row) => cell(row, best));
    const slower = times < 1 ? " (slower)" : "";
    return `| ${workloads[workload].title} | ${cells.join(" | ")} | ${figure}${slower} |`;
  });
  return [
    `\nMedian ms on ${adapter}, best WebGPU peer in bold; \\* fewer than ${rounds} rounds were possible.`,
    `${machine(libraries)}.\n`,
    `| workload | ${header.join(" | ")} | speed, best WebGPU peer = 1 |`,
    `|---|${"---|".repeat(header.length + 1)}`,
    ...lines,
  ].join("\n");
}

export function json({ adapter, libraries, rounds, capSeconds, busyWait, results }) {
  const plain = results.map(({ workload, judge, rows }) => {
    const { best, times, untimed } = ratio(rows);
    const training = workloads[workload].kind === "train";
    return {
      workload,
      comparedWith: judge,
      bestPeer: best?.library,
      ratio: times,
      untimed,
      rows: rows.map(({ values, ...row }) => (training && values ? { ...row, losses: [...values] } : row)),
    };
  });
  return { adapter, machine: machine(libraries), rounds, capSeconds, busyWait, results: plain };
}

function machine(libraries) {
  const version = (folder) => {
    const file = new URL(`${folder}/package.json`, import.meta.url);
    return JSON.parse(readFileSync(file, "utf8")).version;
  };
  const versions = libraries.map(({ name, folder }) => `${name} ${version(folder)}`);
  const processor = `${availableParallelism()} cores (${cpus()[0]?.model.trim()})`;
  return `${processor}, Node ${process.versions.node}; ${versions.join(", ")}`;
}
