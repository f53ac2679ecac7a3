/** Long tests: `npm run test:soak -- --help`. Every other file of this folder is one; README.md says more. */
import { fork } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { arch, cpus, platform, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineCommand } from "../../src/cli/flags.ts";
import { print } from "../../src/cli/print.ts";
import { run as runCommand } from "../../src/cli/run.ts";
import { file, oneOf, text, whole } from "../../src/options/kinds.ts";
import { markdownTable } from "../../src/report/table.ts";
import { limitsOf } from "./support/limits.ts";
import { type Figures, type Soak, type SoakLimits, SoakRun } from "./support/soak.ts";

/** The figures of one module, as docs/reliability.json has them. */
interface Result {
  readonly what: string;
  readonly tries: number;
  readonly failures: readonly string[];
  readonly figures: Figures;
  readonly seconds: number;
  readonly seed: number;
  readonly adapter: string;
  readonly machine: string;
  readonly date: string;
}

type Results = Record<string, Result>;

/** What the process of a module tells this one. */
type Message = { readonly say: string } | { readonly result: Result };

/** A module that says nothing for so long hangs. Its process is ended, and that is a failure. */
const SILENCE_SECONDS = 300;

const here = fileURLToPath(new URL(".", import.meta.url));
const docs = fileURLToPath(new URL("../../docs/", import.meta.url));
const machine = `${platform()} ${arch()}, ${cpus().length} cores, Node ${process.versions.node}`;

function modules(): string[] {
  return readdirSync(here)
    .filter((file) => file.endsWith(".ts") && file !== "run.ts")
    .map((file) => file.slice(0, -3));
}

const load = async (name: string) => ((await import(`./${name}.ts`)) as { soak: Soak }).soak;

const soaking = defineCommand({
  about: `
Makes trouble of every kind, many times, and counts what goes wrong. Without a name: all modules, as
often as each says itself.`,
  operands: "module",
  usage: "[MODULE …]",
  flags: {
    module: { kind: oneOf(...modules()), multiple: true, help: "one of them; may be repeated" },
    tries: { kind: whole(1), help: "how many tries each module makes" },
    seconds: {
      kind: whole(1),
      help: "how long each module goes on (without --tries: as many tries as fit)",
    },
    seed: { kind: whole(0), help: "where random choices come from [the time]" },
    from: { kind: whole(0), help: "the index of the first try [0]" },
    adapter: { kind: text, help: "the adapter [PIXELGRAD_ADAPTER, else lavapipe]" },
    json: { kind: file, help: "writes the figures to a file" },
    record: { help: "puts the figures into docs/reliability.json and docs/reliability.md" },
    list: { help: "says which modules there are" },
  },
  examples: [
    ["kill-training --tries 50", "one of them, 50 times"],
    ["--seconds 60", "a minute for each"],
    ["fuzz-pictures --seed 7 --from 311 --tries 1", "one try again"],
    ["fuzz-zip --seed 7", "the same inputs again: one that is guided by coverage depends on all before it"],
  ],
  async run({
    module: chosen,
    adapter = process.env.PIXELGRAD_ADAPTER ?? "lavapipe",
    seed = Math.floor(Date.now() / 1000),
    ...flags
  }) {
    const names = chosen.length > 0 ? chosen : modules();
    if (flags.list) {
      for (const name of names) {
        const { what, tries } = await load(name);
        print(`${name}: ${what} (${tries} tries)`);
      }
      return;
    }
    const results: Results = {};
    for (const name of names) {
      const { tries } = await load(name);
      results[name] = await runInProcess(name, { ...limitsOf({ seed, ...flags }, tries), adapter });
      const { failures, tries: made } = results[name];
      print(`${name}: ${made} tries, ${failures.length} failures`, "");
    }
    if (flags.json) writeFileSync(flags.json, `${JSON.stringify(results, null, 2)}\n`);
    if (flags.record) record(results);
    print(...tableOf(results).split("\n"));
    if (Object.values(results).some(({ failures }) => failures.length > 0)) process.exitCode = 1;
  },
});

/** Runs a module in a process of its own: a crash or a hang is a failure, and what it leaks ends with it. */
function runInProcess(name: string, limits: SoakLimits): Promise<Result> {
  const begin = performance.now();
  const { adapter } = limits;
  const child = fork(fileURLToPath(import.meta.url), ["--child", name], {
    env: { ...process.env, PIXELGRAD_ADAPTER: adapter, SOAK_LIMITS: JSON.stringify(limits) },
  });
  let result: Result | undefined;
  let last = "nothing";
  let timer: NodeJS.Timeout;
  let hung = false;
  const watch = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      hung = true;
      child.kill("SIGKILL");
    }, 1000 * SILENCE_SECONDS);
  };
  watch();
  child.on("message", (message: Message) => {
    watch();
    if ("result" in message) {
      result = message.result;
    } else {
      last = message.say;
      print(`${name}: ${message.say}`);
    }
  });
  return new Promise((resolve) => {
    child.on("close", async (code, signal) => {
      clearTimeout(timer);
      if (result) return resolve(result);
      const end = hung
        ? `it hung for ${SILENCE_SECONDS} s`
        : `it ended with ${signal ?? `exit code ${code}`}`;
      const failures = [`${end}; its last words: ${last}`];
      const { what } = await load(name);
      resolve(resultOf(limits, what, 0, failures, {}, (performance.now() - begin) / 1000));
    });
  });
}

/** The other side of runInProcess. */
async function runHere(name: string): Promise<void> {
  // Infinity is none of JSON's numbers: it arrives as null.
  const limits = JSON.parse(process.env.SOAK_LIMITS!, (_, value) => value ?? Infinity) as SoakLimits;
  const send = (message: Message) =>
    new Promise<void>((resolve) => process.send!(message, undefined, {}, () => resolve()));
  const begin = performance.now();
  const folder = mkdtempSync(join(tmpdir(), `pixelgrad-soak-${name}-`));
  const soak = await load(name);
  const run = new SoakRun(limits, folder, (line) => void send({ say: line }));
  let figures: Figures = {};
  try {
    figures = (await soak.run(run)) ?? {};
  } catch (error) {
    run.fail(`the module itself: ${error instanceof Error ? error.stack : error}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const seconds = (performance.now() - begin) / 1000;
  await send({ result: resultOf(limits, soak.what, run.count, run.failures, figures, seconds) });
  process.exit(); // whatever a module left open
}

function resultOf(
  { seed, adapter }: SoakLimits,
  what: string,
  tries: number,
  failures: readonly string[],
  figures: Figures,
  seconds: number,
): Result {
  const date = new Date().toISOString().slice(0, 10);
  return { what, tries, failures, figures, seconds: Math.round(seconds), seed, adapter, machine, date };
}

/** Replaces the rows of these modules in docs/reliability.json, and writes docs/reliability.md anew. */
function record(results: Results): void {
  const path = join(docs, "reliability.json");
  const before = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Results) : {};
  const all = { ...before, ...results };
  const sorted = Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(path, `${JSON.stringify(sorted, null, 2)}\n`);
  writeFileSync(
    join(docs, "reliability.md"),
    `# Reliability

How often each kind of trouble was made, and how often it did harm. \`npm run test:soak -- --record\` writes
this file; [scripts/soak](../scripts/soak/README.md) has the programs.

${tableOf(sorted)}

Machines: ${[...new Set(Object.values(sorted).map((result) => result.machine))].join("; ")}.
`,
  );
}

function tableOf(results: Results): string {
  const header = ["", "tries", "failures", "minutes", "adapter", "date", "further figures"];
  const rows = Object.entries(results).map(([name, result]) => [
    `${result.what} (${name})`,
    result.tries.toLocaleString("en-US"),
    `${result.failures.length}`,
    (result.seconds / 60).toFixed(1),
    result.adapter,
    result.date,
    Object.entries(result.figures)
      .map(([key, value]) => `${key} ${value}`)
      .join("; "),
  ]);
  return markdownTable(header, rows);
}

const [flag, name] = process.argv.slice(2);
if (flag === "--child") await runHere(name);
else {
  const code = await runCommand("npm run test:soak --", soaking, process.argv.slice(2));
  process.exitCode = code || process.exitCode; // 1 after failures
}
