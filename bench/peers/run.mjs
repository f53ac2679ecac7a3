/**
 * Times pixelgrad and other libraries on the same adapter and the same work, in turns: `npm run peers -- --help`.
 */
import { fork } from "node:child_process";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { parseArgs } from "node:util";
import { environmentFor } from "./driver.mjs";
import { workloads } from "./workloads.mjs";

const libraries = [
  { name: "pixelgrad", webgpu: true, file: "pixelgrad", folder: "../.." },
  { name: "tfjs", webgpu: true, file: "tfjs", folder: "node_modules/@tensorflow/tfjs" },
  { name: "jax-js", webgpu: true, file: "jax", folder: "node_modules/@jax-js/jax" },
  {
    name: "ort-webgpu",
    webgpu: true,
    file: "ort",
    variant: "node-webgpu",
    folder: "node_modules/onnxruntime-node",
  },
  {
    name: "ort-cpu",
    webgpu: false,
    file: "ort",
    variant: "node-cpu",
    folder: "node_modules/onnxruntime-node",
  },
  {
    name: "ort-wasm",
    webgpu: false,
    file: "ort",
    variant: "web-wasm",
    folder: "node_modules/onnxruntime-web",
  },
];
/** Whose values the others are compared with: never ours. */
const judges = ["ort-cpu", "ort-wasm", "tfjs", "jax-js", "ort-webgpu"];
const TOLERANCE = 1e-3;
/** Losses compared for a training step. */
const TRAINING_STEPS = 3;
/** A turn of a quick library is repeated until so many milliseconds have passed. */
const TURN = 100;

const help = `npm run peers -- [options]

  --adapter NAME    lavapipe (default), swiftshader, or gpu
  --only A,B        workloads: ${Object.keys(workloads).join(" ")}
  --libraries A,B   libraries: ${libraries.map(({ name }) => name).join(" ")}
  --runs N          rounds; in each, every library has one turn (default 5)
  --cap SECONDS     time for each library and workload (default 60); what takes longer gets fewer rounds
  --busy-wait       leave the peers' waiting as it is (see README.md)
  --markdown        end with the tables of README.md
  --json FILE       save all figures`;

const { values: options } = parseArgs({
  options: {
    adapter: { type: "string", default: "lavapipe" },
    only: { type: "string" },
    libraries: { type: "string" },
    runs: { type: "string", default: "5" },
    cap: { type: "string", default: "60" },
    "busy-wait": { type: "boolean", default: false },
    markdown: { type: "boolean", default: false },
    json: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(help);
  process.exit();
}
const adapter = oneOf("adapter", options.adapter, ["lavapipe", "swiftshader", "gpu"]);
const names = chosen("only", Object.keys(workloads));
const chosenLibraries = chosen(
  "libraries",
  libraries.map(({ name }) => name),
);
const players = libraries.filter(({ name }) => chosenLibraries.includes(name));
const rounds = positive("runs");
const cap = positive("cap") * 1000;
const environment = await environmentFor(adapter);

/** The adapter's name, as soon as the first library has told it. */
let adapterName;
const results = [];
for (const name of names) {
  const result = await compare(name);
  results.push(result);
  print(result);
}
if (options.markdown) console.log(markdown());
if (options.json) save(options.json);
if (results.some(({ rows }) => rows.some(({ failure }) => failure))) process.exitCode = 1;

// ---- One workload

async function compare(name) {
  const processes = [];
  try {
    for (const library of players) processes.push(await warmUp(library, name));
    for (let round = 0; round < rounds; round++) {
      for (const peer of processes) await turn(peer);
    }
  } finally {
    await Promise.all(processes.map((peer) => peer.stop()));
  }
  const rows = processes.map(({ row }) => summary(row, workloads[name]));
  const judge = judges.map((judge) => rows.find((row) => row.library === judge)).find((row) => row?.values);
  for (const row of rows) {
    if (row.values && judge && row !== judge) {
      row.difference = difference(row.values, judge.values);
      if (!(row.difference <= TOLERANCE)) row.failure = `its values differ from those of ${judge.library}`;
    }
  }
  return { name, judge: judge?.library, rows };
}

/** Starts a library, lets it compile, and keeps its output. */
async function warmUp(library, name) {
  const peer = start(library, name);
  const { row } = peer;
  try {
    const { unsupported, adapter } = await peer.answer();
    if (unsupported) {
      row.unsupported = unsupported;
      await peer.stop();
      return peer;
    }
    if (adapter) adapterName ??= adapter;
    if (adapter && adapter !== adapterName) {
      throw new Error(`it runs on ${adapter}, the others on ${adapterName}`);
    }
    const values = [];
    const repetitions = workloads[name].kind === "train" ? TRAINING_STEPS : 1;
    while (values.length < repetitions && peer.affordsAnother()) {
      values.push((await peer.ask({ read: true })).values);
      row.firstMs ??= peer.lastMs;
    }
    row.values = repetitions === 1 ? values[0] : Float32Array.from(values, ([loss]) => loss);
    // Once more without counting it: caches, and the path that reads only one element.
    if (peer.spentMs < cap / 8) await peer.ask({ milliseconds: TURN });
  } catch (error) {
    row.failure = error.message;
    await peer.stop();
  }
  return peer;
}

async function turn(peer) {
  const { row } = peer;
  if (row.failure || row.unsupported || !peer.affordsAnother()) return;
  try {
    row.times.push((await peer.ask({ milliseconds: TURN })).times);
  } catch (error) {
    row.failure = error.message;
  }
}

/** A worker process and what is known of it. */
function start({ name: library, webgpu, file, variant = "" }, name) {
  const settings = JSON.stringify({ adapter, busyWait: options["busy-wait"] });
  const child = fork(new URL("worker.mjs", import.meta.url), [file, variant, name, settings], {
    env: environment,
    serialization: "advanced",
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data) => {
      said = (said + data).slice(-2000);
    });
  }
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const row = { library, webgpu, times: [] };
  return {
    row,
    spentMs: 0,
    lastMs: 0,
    /** Is there time for another repetition like the last? The first always is. */
    affordsAnother() {
      return this.spentMs + this.lastMs <= cap;
    },
    async ask(message) {
      const before = performance.now();
      child.send(message);
      const reply = await this.answer();
      this.lastMs = performance.now() - before;
      this.spentMs += this.lastMs;
      return reply;
    },
    async answer() {
      const limit = 3 * cap;
      let timer;
      const reply = await Promise.race([
        new Promise((resolve) => child.once("message", resolve)),
        exited.then((code) => ({
          failure: `its process ended (${code}): ${said.trim().split("\n").at(-1)}`,
        })),
        new Promise((resolve) => {
          timer = setTimeout(() => resolve({ failure: `no answer within ${limit / 1000} s` }), limit);
        }),
      ]);
      clearTimeout(timer);
      row.peakMiB = reply.peakMiB ?? row.peakMiB;
      if (reply.failure) throw new Error(reply.failure);
      return reply;
    },
    async stop() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

// ---- Figures

function summary(row, { flops }) {
  const times = row.times.flat().sort((a, b) => a - b);
  if (row.unsupported || (times.length === 0 && row.firstMs === undefined)) return row;
  const middle = times.length >> 1;
  const medianMs =
    times.length === 0
      ? row.firstMs
      : times.length % 2
        ? times[middle]
        : (times[middle - 1] + times[middle]) / 2;
  return {
    ...row,
    medianMs,
    minMs: times[0],
    maxMs: times.at(-1),
    repetitions: times.length,
    gflops: flops ? flops / medianMs / 1e6 : undefined,
    mark:
      times.length === 0
        ? "first run only, compilation included"
        : row.times.length < rounds
          ? "few runs"
          : undefined,
  };
}

/** The largest difference, relative to the largest value; over the training steps both have made. */
function difference(values, truth) {
  const length = Math.min(values.length, truth.length);
  let largest = 0;
  let worst = 0;
  for (let i = 0; i < length; i++) {
    largest = Math.max(largest, Math.abs(truth[i]));
    const distance = Math.abs(values[i] - truth[i]);
    worst = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : Math.max(worst, distance);
  }
  return worst / largest;
}

function usable(row) {
  return row?.medianMs !== undefined && !row.failure;
}

function bestPeer(rows) {
  const peers = rows.filter((row) => row.webgpu && row.library !== "pixelgrad" && usable(row));
  return peers.sort((a, b) => a.medianMs - b.medianMs)[0];
}

/** How many times as fast pixelgrad is as the best WebGPU peer; below 1 where it is slower. */
function ratio(rows) {
  const ours = rows.find(({ library }) => library === "pixelgrad");
  const best = bestPeer(rows);
  return usable(ours) && best ? best.medianMs / ours.medianMs : undefined;
}

function digits(value) {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function print({ name, judge, rows }) {
  const { title, kind, flops } = workloads[name];
  const work = flops ? `, ${digits(flops / 1e9)} GFLOP` : "";
  console.log(`\n${name}: ${title}${work} on ${adapterName ?? adapter}`);
  const table = [
    ["", "median ms", "min", "max", "runs", "GFLOP/s", "first ms", "peak MiB", "difference", ""],
    ...rows.map((row) => {
      const notes = [row.unsupported, row.failure && `FAILED: ${row.failure}`, row.mark];
      if (!row.webgpu) notes.push("without WebGPU");
      if (row.library === judge) notes.push("the others' values are compared with its");
      const cell = (value) => (value === undefined ? "" : digits(value));
      return [
        row.library,
        ...[row.medianMs, row.minMs, row.maxMs].map(cell),
        `${row.repetitions ?? ""}`,
        ...[row.gflops, row.firstMs].map(cell),
        row.peakMiB?.toFixed(0) ?? "",
        row.difference?.toExponential(1) ?? "",
        notes.filter(Boolean).join("; "),
      ];
    }),
  ];
  const widths = table[0].map((_, column) => Math.max(...table.map((cells) => cells[column].length)));
  for (const cells of table) {
    const [first, ...rest] = cells.map((cell, column) =>
      column === 0 || column === cells.length - 1
        ? cell.padEnd(widths[column])
        : cell.padStart(widths[column]),
    );
    console.log(`  ${[first, ...rest].join("  ")}`.trimEnd());
  }
  if (kind === "train") {
    const losses = rows
      .filter(({ values }) => values)
      .map((row) => `${row.library} ${[...row.values].map((v) => v.toFixed(6)).join(" ")}`);
    console.log(`  loss of the first steps: ${losses.join("; ")}`);
  }
  const times = ratio(rows);
  if (times !== undefined) {
    console.log(
      `  pixelgrad runs at ${digits(times)} times the speed of ${bestPeer(rows).library}, the best WebGPU peer`,
    );
  }
}

function markdown() {
  const cell = (row, best) => {
    if (!row || row.unsupported) return "-";
    if (!usable(row)) return "failed";
    const text = digits(row.medianMs) + (row.mark ? "\\*" : "");
    return row === best ? `**${text}**` : text;
  };
  const header = players.map(({ name, webgpu }) => (webgpu ? name : `${name} (no WebGPU)`));
  const lines = results.map(({ name, rows }) => {
    const times = ratio(rows);
    const best = bestPeer(rows);
    const figure = times === undefined ? "-" : `${digits(times)}x${times < 1 ? " (slower)" : ""}`;
    return `| ${workloads[name].title} | ${rows.map((row) => cell(row, best)).join(" | ")} | ${figure} |`;
  });
  return [
    "",
    `Median ms on ${adapterName ?? adapter}, best WebGPU peer in bold; \\* fewer than ${rounds} rounds.`,
    `${machine()}.`,
    "",
    `| workload | ${header.join(" | ")} | pixelgrad / best WebGPU peer |`,
    `|---|${"---|".repeat(header.length + 1)}`,
    ...lines,
  ].join("\n");
}

function machine() {
  const version = (folder) => readJson(new URL(`${folder}/package.json`, import.meta.url)).version;
  const versions = players.map(({ name, folder }) => `${name} ${version(folder)}`);
  const processor = `${availableParallelism()} cores (${cpus()[0]?.model.trim()})`;
  return `${processor}, Node ${process.versions.node}; ${versions.join(", ")}`;
}

function readJson(url) {
  return JSON.parse(readFileSync(url, "utf8"));
}

/** Written whole or not at all. */
function save(file) {
  const plain = results.map(({ name, judge, rows }) => ({
    workload: name,
    comparedWith: judge,
    ratio: ratio(rows),
    rows: rows.map(({ values, ...row }) => ({
      ...row,
      losses: workloads[name].kind === "train" && values ? [...values] : undefined,
    })),
  }));
  const json = {
    adapter: adapterName,
    machine: machine(),
    rounds,
    capSeconds: cap / 1000,
    busyWait: options["busy-wait"],
    results: plain,
  };
  const part = `${file}.${process.pid}.part`;
  writeFileSync(part, `${JSON.stringify(json, undefined, 2)}\n`);
  renameSync(part, file);
}

// ---- Options

function oneOf(option, value, known) {
  if (known.includes(value)) return value;
  console.error(`--${option}: ${JSON.stringify(value)} is not one of ${known.join(", ")}.`);
  process.exit(2);
}

/** The wanted ones of the known names, in their order; all if none are given. */
function chosen(option, known) {
  const wanted = options[option]?.split(",").map((name) => oneOf(option, name.trim(), known));
  return known.filter((name) => wanted?.includes(name) ?? true);
}

function positive(option) {
  const value = Number(options[option]);
  if (value > 0 && (option !== "runs" || Number.isInteger(value))) return value;
  console.error(
    `--${option}: wants a ${option === "runs" ? "whole " : ""}number above 0, got ${JSON.stringify(options[option])}.`,
  );
  process.exit(2);
}
