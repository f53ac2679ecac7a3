/** Training as a person types it in an empty folder: Ctrl-C, then the command that was printed. */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { quoteForShell } from "../../src/cli/as-called.ts";
import { readCheckpoint } from "../../src/train/index.ts";
import { picturesIn } from "../support/pictures.ts";
import { compiledProgram } from "../support/program.ts";
import { root } from "../support/run.ts";
import { temporaryPaths } from "../train/support.ts";

const unused = temporaryPaths();
const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
const typed = (file: string) =>
  [process.execPath, "--import", loader, join(root, file)].map(quoteForShell).join(" ");
const small = "--blocks 1 --channels 4 --batch 2 --patch 8 --steps 1000000 --eval-every 1000000";

/** Types a command; sends a signal when the output has a line. */
function type(command: string, cwd: string, line: RegExp, signal: NodeJS.Signals) {
  const env = { ...process.env, PIXELGRAD_ADAPTER: "cpu", PIXELGRAD_DEBUG: undefined };
  const child = spawn("sh", ["-c", `exec ${command}`], { cwd, env, timeout: 150_000, killSignal: "SIGKILL" });
  let [stdout, stderr, sent] = ["", "", false];
  child.stdout.on("data", (data) => {
    stdout += data;
    if (!sent && line.test(stdout)) sent = child.kill(signal);
  });
  child.stderr.on("data", (data) => {
    stderr += data;
  });
  return new Promise<{ code: number | null; stdout: string; stderr: string; next: string }>((resolve) => {
    child.on("close", (code) => {
      const next = /go on with: (.*)$/m.exec(stdout)?.[1] ?? "";
      resolve({ code, stdout, stderr, next });
    });
  });
}

describe.each([
  [
    "pixelgrad train edsr",
    `${[process.execPath, compiledProgram()].map(quoteForShell).join(" ")} train edsr`,
  ],
  ["an example", typed("examples/train-edsr.ts")],
])("%s", (name, program) => {
  let here: string;
  beforeAll(async () => {
    here = join(unused(), "it's a folder");
    mkdirSync(here, { recursive: true });
    await picturesIn(join(here, "photos"), 3);
  });
  const step = () => readCheckpoint(join(here, "runs", "edsr-x2-1x4")).state.step;

  test("stopped and gone on with, twice, by what it prints", async () => {
    const first = await type(`${program} --data photos ${small}`, here, /^Results/m, "SIGINT");
    expect(first).toMatchObject({ code: 130, stderr: "" });
    expect(first.next).toMatch(/--resume runs\/edsr-x2-1x4$/);
    const before = step();
    const second = await type(first.next, here, /^Measured on/m, "SIGTERM");
    expect(second).toMatchObject({ code: 143, stderr: "", next: first.next });
    expect(second.stdout).toContain(`Resumed at step ${before} of 1000000`);
    const moved = join(here, "it's mine");
    cpSync(join(here, "runs", "edsr-x2-1x4"), moved, { recursive: true });
    const third = await type(`${program} --resume "it's mine/"`, here, /^Measured on/m, "SIGINT");
    expect(third).toMatchObject({ code: 130, stderr: "" });
    expect((await type(third.next, here, /^Measured on/m, "SIGINT")).code).toBe(130);
    expect(readdirSync(join(here, "runs"))).toEqual(["edsr-x2-1x4"]);
  });

  test.runIf(name === "pixelgrad train edsr")(
    "killed at its first step, it begins anew by --resume, and --out may have its folder",
    async () => {
      const killed = await type(`${program} --data photos --out new ${small}`, here, /^Results/m, "SIGKILL");
      expect(killed.code).toBeNull();
      expect(existsSync(join(here, "new", "run.lock"))).toBe(true);
      cpSync(join(here, "new"), join(here, "again"), { recursive: true });
      const resumed = await type(`${program} --resume ./new/`, here, /^Results/m, "SIGINT");
      expect(resumed).toMatchObject({ code: 130, stderr: "" });
      expect(resumed.stdout).toContain(
        "./new/: the run was stopped before its first checkpoint, and begins anew",
      );
      const out = await type(`${program} --data photos --out again ${small}`, here, /^Results/m, "SIGINT");
      expect(out).toMatchObject({ code: 130, stderr: "" });
      expect(readFileSync(join(here, "again", "log.jsonl"), "utf8").match(/"started"/g)).toHaveLength(1);
    },
  );
});
