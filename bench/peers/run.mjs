/** Times pixelgrad and other libraries, in turns, on the same adapter and work: `npm run peers -- --help`. */
import { renameSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { environmentFor } from "./driver.mjs";
import { Peer } from "./peer.mjs";
import { json, markdown, summarize, text } from "./report.mjs";
import { workloads } from "./workloads.mjs";

const ort = "node_modules/onnxruntime";
/** `file` is in libraries/; the package.json in `folder` has the version. */
const libraries = [
  { name: "pixelgrad", webgpu: true, file: "pixelgrad", folder: "../.." },
  { name: "tfjs", webgpu: true, file: "tfjs", folder: "node_modules/@tensorflow/tfjs" },
  { name: "jax-js", webgpu: true, file: "jax", folder: "node_modules/@jax-js/jax" },
  { name: "ort-webgpu", webgpu: true, file: "ort", variant: "node-webgpu", folder: `${ort}-node` },
  { name: "ort-cpu", webgpu: false, file: "ort", variant: "node-cpu", folder: `${ort}-node` },
  { name: "ort-wasm", webgpu: false, file: "ort", variant: "web-wasm", folder: `${ort}-web` },
];

/** Milliseconds that a turn lasts at least: a quick library repeats its work. */
const TURN_MS = 100;

/** Training steps whose losses are compared. */
const TRAINING_STEPS = 3;

/** The names of the large workloads, or of all others. */
function names(large) {
  return Object.keys(workloads).filter((name) => Boolean(workloads[name].large) === large);
}

const help = `npm run peers -- [flags]

Times pixelgrad and other libraries, in turns, on the same adapter and work.
The exit code is 1 if values disagree or a library fails.

  --adapter NAME    lavapipe (default), swiftshader, or gpu
  --only A,B        workloads: ${names(false).join(" ")}
                    and large ones, which run by themselves with --adapter gpu alone:
                    ${names(true).join(" ")}
  --libraries A,B   libraries: ${libraries.map(({ name }) => name).join(" ")}
  --runs N          rounds, with one turn of every library in each (default 5)
  --cap SECONDS     time for each library and workload (default 60); what takes longer gets fewer rounds, and
                    a library without an answer after three times as long is given up
  --busy-wait       leaves the peers' way of waiting as it is (see README.md)
  --markdown        prints the table of README.md at the end
  --json FILE       writes all figures there`;

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

const run = {
  /** The adapter's name, once a library has reported it. */
  adapter: undefined,
  libraries: selected(
    "libraries",
    libraries.map(({ name }) => name),
  ).map((name) => libraries.find((library) => library.name === name)),
  rounds: positive("runs"),
  capSeconds: positive("cap"),
  busyWait: options["busy-wait"],
  results: [],
};
const adapter = oneOf("adapter", options.adapter, ["lavapipe", "swiftshader", "gpu"]);
const selectedWorkloads = selected("only", Object.keys(workloads)).filter(
  (name) => options.only !== undefined || adapter === "gpu" || !workloads[name].large,
);
const environment = await environmentFor(adapter);

for (const workload of selectedWorkloads) {
  const result = await compare(workload);
  run.results.push(result);
  console.log(text(result, run.adapter ?? adapter));
}
if (options.markdown) console.log(markdown(run));
if (options.json) save(options.json, json(run));
if (run.results.some(({ rows }) => rows.some(({ failure }) => failure))) process.exitCode = 1;

async function compare(workload) {
  const peers = [];
  try {
    for (const library of run.libraries) {
      const peer = new Peer(library, workload, {
        settings: { adapter, busyWait: run.busyWait },
        environment,
        cap: run.capSeconds * 1000,
      });
      peers.push(peer);
      await attempt(peer, () => warmUp(peer, workloads[workload].kind === "train" ? TRAINING_STEPS : 1));
    }
    // In turns, so that whatever disturbs the machine hits all alike.
    for (let round = 0; round < run.rounds; round++) {
      for (const peer of peers) await attempt(peer, () => takeTurn(peer));
    }
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
  }
  const rows = peers.map(({ row }) => row);
  return summarize(workload, rows, run.rounds);
}

/** A library that fails takes no further part. */
async function attempt(peer, action) {
  if (peer.row.failure || peer.row.unsupported) return;
  try {
    await action();
  } catch (error) {
    peer.row.failure = error.message;
  }
  if (peer.row.failure || peer.row.unsupported) await peer.stop();
}

/** Lets a library compile, and keeps its first `count` results. */
async function warmUp(peer, count) {
  const prepared = await peer.answer();
  peer.row.unsupported = prepared.unsupported;
  if (prepared.unsupported) return;
  run.adapter ??= prepared.adapter;
  if (prepared.adapter && prepared.adapter !== run.adapter) {
    throw new Error(`it runs on ${prepared.adapter}, the others on ${run.adapter}`);
  }
  const outputs = [];
  while (outputs.length < count && peer.affordsAnother) {
    outputs.push((await peer.ask({ read: true })).values);
  }
  peer.row.values = count === 1 ? outputs[0] : Float32Array.from(outputs, ([loss]) => loss);
  // Does not count: it fills caches, and compiles what reads a single element.
  if (peer.row.firstMs < (run.capSeconds * 1000) / 8) await peer.ask({ milliseconds: TURN_MS });
}

async function takeTurn(peer) {
  if (peer.affordsAnother) peer.row.turns.push((await peer.ask({ milliseconds: TURN_MS })).times);
}

/** Writes the file whole or not at all. */
function save(file, value) {
  const part = `${file}.${process.pid}.part`;
  writeFileSync(part, `${JSON.stringify(value, undefined, 2)}\n`);
  renameSync(part, file);
}

// ---- Options

function oneOf(option, value, choices) {
  if (choices.includes(value)) return value;
  console.error(`--${option}: ${JSON.stringify(value)} is not one of ${choices.join(", ")}.`);
  process.exit(2);
}

/** The names that the option selects, in the order of `names`; all of them without the option. */
function selected(option, names) {
  const wanted = options[option]?.split(",").map((name) => oneOf(option, name.trim(), names));
  return names.filter((name) => wanted?.includes(name) ?? true);
}

function positive(option) {
  const value = Number(options[option]);
  if (value > 0 && (option !== "runs" || Number.isInteger(value))) return value;
  const wanted = option === "runs" ? "a whole number" : "a number";
  console.error(`--${option}: wants ${wanted} above 0, got ${JSON.stringify(options[option])}.`);
  process.exit(2);
}
