/** Kills training runs as a power cut or an administrator would, and goes on with them as people do. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { Random } from "../../src/tensor/random.ts";
import { parseSafetensors } from "../../src/weights/index.ts";
import { differentWeights } from "./lose-devices.ts";
import { picturesIn } from "./pictures.ts";
import { compiledProgram } from "./program.ts";

export interface KillOptions {
  readonly adapter: string;
  /** How many times to kill. */
  readonly kills: number;
  readonly steps: number;
  readonly seed: number;
  readonly say?: (line: string) => void;
}

/** Where a run without --out lies. */
const results = join("runs", "edsr-x2-1x4");

/**
 * Trains the same small network twice, in a folder of its own: once undisturbed, and once killed at random
 * moments, before its first step, too, by SIGKILL or SIGTERM. After SIGKILL it goes on by `--resume` and the
 * run's folder, after SIGTERM by the command that it printed. After every kill all weight files must be
 * readable, and at the end the tensors of both runs must be equal, byte for byte. Throws an Error that says
 * what differs. Returns the steps of the kills.
 */
export async function killAndResume({ adapter, kills, steps, seed, say }: KillOptions): Promise<number[]> {
  const folder = mkdtempSync(join(tmpdir(), "pixelgrad-kill-"));
  try {
    await picturesIn(join(folder, "pictures"), 4);
    const [whole, killed] = ["whole", "killed"].map((name) => join(folder, name));
    for (const place of [whole, killed]) mkdirSync(place);
    const sizes = { blocks: 1, channels: 4, batch: 2, patch: 8, steps, ema: 0.9 };
    const intervals = { "eval-every": 25, "log-every": 1, "checkpoint-every": 2 };
    const flags = Object.entries({ adapter, data: join("..", "pictures"), ...sizes, ...intervals });
    const begin = `${program} ${flags.map(([name, value]) => `--${name} ${value}`).join(" ")}`;
    await finish(start(begin, whole));

    const random = new Random(seed);
    const targets = Array.from({ length: kills }, () => random.int(steps)).sort((a, b) => a - b);
    const run = join(killed, results);
    const at: number[] = [];
    let command = begin;
    for (const target of targets) {
      const signal = random.uniform() < 0.7 ? "SIGKILL" : "SIGTERM";
      const child = start(command, killed);
      const output = outputOf(child);
      const ended = new Promise((resolve) => child.once("close", resolve));
      if (target === 0) await setTimeout(random.int(3000));
      else while (lastStep(run) < target && child.exitCode === null) await setTimeout(1);
      await setTimeout(random.int(30));
      child.kill(signal);
      await ended;
      at.push(lastStep(run));
      const files = existsSync(run) ? readdirSync(run).filter((file) => file.endsWith(".safetensors")) : [];
      for (const file of files) parseSafetensors(readFileSync(join(run, file)), file);
      const places = existsSync(join(killed, "runs")) ? readdirSync(join(killed, "runs")) : [];
      if (places.length > 1) throw new Error(`There are several folders: ${places.join(", ")}.`);
      const printed = /go on with: (.*)/.exec(output.text)?.[1];
      // A run that had just done its last step has nothing to go on with.
      const isDone = /^Best: /m.test(output.text);
      // Nor has one that was still starting, and does not listen to signals before it has said anything.
      const hasBegun = output.text !== "";
      if (signal === "SIGTERM" && at.at(-1)! > 0 && printed === undefined && hasBegun && !isDone) {
        throw new Error(`After SIGTERM no command was printed: ${output.text}`);
      }
      command = printed ?? (existsSync(run) ? `${program} --resume ${results}` : begin);
      say?.(`${signal} at step ${at.at(-1)}; ${files.length} weight files, all readable`);
    }
    await finish(start(command, killed));

    const different = differentWeights(run, join(whole, results));
    if (different.length > 0) throw new Error(`Not those of the undisturbed run: ${different.join(", ")}.`);
    const logged = [join(whole, results), run].map(loggedSteps);
    if (logged[0].join() !== logged[1].join()) throw new Error(`The log has other steps: ${logged[1]}.`);
    const left = readdirSync(run).filter((file) => /\.(tmp|lock)$/.test(file));
    if (left.length > 0) throw new Error(`Left in the folder: ${left.join(", ")}.`);
    return at;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const program = `${process.execPath} ${compiledProgram()} train edsr`;

/** A command as the shell understands it. Signals reach the program itself. */
function start(command: string, cwd: string): ChildProcess {
  return spawn("sh", ["-c", `exec ${command}`], { cwd, stdio: ["ignore", "pipe", "pipe"] });
}

function outputOf(child: ChildProcess): { text: string } {
  const output = { text: "" };
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on("data", (data) => {
      output.text += data;
    });
  }
  return output;
}

async function finish(child: ChildProcess): Promise<void> {
  const output = outputOf(child);
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(`A training run ended with exit code ${code}: ${output.text}`);
}

function loggedSteps(folder: string): number[] {
  if (!existsSync(join(folder, "log.jsonl"))) return [];
  const lines = readFileSync(join(folder, "log.jsonl"), "utf8").split("\n");
  return lines.flatMap((line) => /^\{"step":(\d+),"loss"/.exec(line)?.[1] ?? []).map(Number);
}

const lastStep = (folder: string) => loggedSteps(folder).at(-1) ?? 0;
