/** Kills training runs as a power cut would, and resumes them. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseSafetensors } from "../../src/nn/index.ts";
import { Random } from "../../src/tensor/random.ts";
import { picturesIn } from "./pictures.ts";
import { root } from "./run.ts";

export interface KillOptions {
  readonly adapter: string;
  /** How many times to kill. */
  readonly kills: number;
  readonly steps: number;
  readonly seed: number;
  readonly say?: (line: string) => void;
}

/**
 * Trains the same small network twice: once undisturbed, and once killed with SIGKILL at random moments and
 * resumed after each. After every kill all weight files must be readable, and at the end the tensors of both
 * runs must be equal, byte for byte. Throws an Error that says what differs. Returns the steps of the kills.
 */
export async function killAndResume(options: KillOptions): Promise<number[]> {
  const { adapter, kills, steps, seed, say } = options;
  const folder = mkdtempSync(join(tmpdir(), "pixelgrad-kill-"));
  try {
    const data = await picturesIn(join(folder, "pictures"), 4);
    const [whole, killed] = [join(folder, "whole"), join(folder, "killed")];
    const sizes = { blocks: 1, channels: 4, batch: 2, patch: 8, steps, ema: 0.9 };
    const intervals = { "eval-every": 25, "log-every": 1, "checkpoint-every": 2 };
    const flags = Object.entries({ adapter, data, ...sizes, ...intervals }).flatMap(([name, value]) => [
      `--${name}`,
      `${value}`,
    ]);
    await finish(start([...flags, "--out", whole]));

    const random = new Random(seed);
    const targets = Array.from({ length: kills }, () => 1 + random.int(steps - 1)).sort((a, b) => a - b);
    const at: number[] = [];
    for (const target of targets) {
      const resumed = existsSync(join(killed, "checkpoint.safetensors"));
      if (!resumed) rmSync(killed, { recursive: true, force: true }); // there was no checkpoint yet
      const child = start(resumed ? ["--resume", killed] : [...flags, "--out", killed]);
      const ended = new Promise((resolve) => child.once("close", resolve));
      while (lastStep(killed) < target && child.exitCode === null) await setTimeout(1);
      await setTimeout(random.int(30));
      child.kill("SIGKILL");
      await ended;
      at.push(lastStep(killed));
      const files = existsSync(killed)
        ? readdirSync(killed).filter((file) => file.endsWith(".safetensors"))
        : [];
      for (const file of files) parseSafetensors(readFileSync(join(killed, file)), file);
      say?.(`killed at step ${at.at(-1)}; ${files.length} weight files, all readable`);
    }
    await finish(start(["--resume", killed]));

    for (const file of ["checkpoint.safetensors", "best.safetensors", "last.safetensors"]) {
      const [one, other] = [whole, killed].map(
        (path) => parseSafetensors(readFileSync(join(path, file))).tensors,
      );
      const equal = (name: string) =>
        Buffer.compare(bytes(one.get(name)!.data), bytes(other.get(name)!.data)) === 0;
      const different = [...one.keys()].filter((name) => !other.has(name) || !equal(name));
      if (different.length > 0 || one.size !== other.size) {
        throw new Error(`${file} differs from that of the undisturbed run: ${different.join(", ")}.`);
      }
    }
    const logged = [whole, killed].map(loggedSteps);
    if (logged[0].join() !== logged[1].join()) throw new Error(`The log has other steps: ${logged[1]}.`);
    return at;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function start(args: string[]): ChildProcess {
  return spawn(process.execPath, ["--import", "tsx", "examples/train-edsr.ts", ...args], {
    cwd: root,
    stdio: ["ignore", "ignore", "pipe"],
  });
}

async function finish(child: ChildProcess): Promise<void> {
  let complaints = "";
  child.stderr!.on("data", (data) => {
    complaints += data;
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(`A training run ended with exit code ${code}: ${complaints}`);
}

function loggedSteps(folder: string): number[] {
  if (!existsSync(join(folder, "log.jsonl"))) return [];
  const lines = readFileSync(join(folder, "log.jsonl"), "utf8").split("\n");
  return lines.flatMap((line) => /^\{"step":(\d+),"loss"/.exec(line)?.[1] ?? []).map(Number);
}

const lastStep = (folder: string) => loggedSteps(folder).at(-1) ?? 0;
const bytes = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  Buffer.from(buffer, byteOffset, byteLength);
