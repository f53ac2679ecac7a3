/** Ends `pixelgrad upscale` at random moments, in several ways, and types the same command again. */
import { spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { writePng } from "../../src/data/index.ts";
import { noise } from "../../test/support/drawn.ts";
import { root } from "../../test/support/run.ts";
import type { Soak } from "./support/soak.ts";

/** How often one try ends the program before it lets it come to its end. */
const KILLS = 3;
/** What can be caught, with the exit code. */
const CATCHABLE = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
const SIGNALS = ["SIGKILL", "SIGKILL", ...Object.keys(CATCHABLE)] as NodeJS.Signals[];

/** A command, what it writes when nothing disturbs it, and how long that takes on a machine as busy as now. */
interface Kind {
  readonly name: string;
  readonly args: readonly string[];
  /** Video comes from and goes to the standard streams. */
  readonly video?: true;
  files: ReadonlyMap<string, Buffer>;
  ms: number;
}

export const soak: Soak = {
  what:
    `Upscaling ended ${KILLS} times by kill -9 or a signal, then to the end: whole files, the same bytes, none ` +
    "left over",
  tries: 50,
  async run(soak) {
    const input = join(soak.folder, "in");
    mkdirSync(input);
    for (let k = 0; k < 8; k++) await writePng(join(input, `${k}.png`), noise(90 + 10 * k, 80, 3, k));
    const large = join(soak.folder, "large.png");
    await writePng(large, noise(500, 400, 3));
    const frame = Buffer.concat([Buffer.from("FRAME\n"), Buffer.from(noise(160, 180, 1).data)]);
    const video = join(soak.folder, "in.y4m");
    writeFileSync(
      video,
      Buffer.concat([Buffer.from("YUV4MPEG2 W160 H120 F25:1\n"), ...new Array(40).fill(frame)]),
    );

    const calm = { files: new Map<string, Buffer>(), ms: 0 };
    const kinds: Kind[] = [
      { name: "a folder", args: ["-i", input, "-o", ".", "-m", "espcn"], ...calm },
      { name: "strips", args: ["-i", large, "-o", "large.webp", "-m", "espcn", "-t", "40"], ...calm },
      { name: "a larger scale", args: ["-i", large, "-o", "large.png", "-m", "bicubic", "-s", "8"], ...calm },
      { name: "video", args: ["-i", "-", "-o", "-", "-m", "espcn"], video: true, ...calm },
    ];
    for (const kind of kinds) {
      const out = fresh(soak.folder);
      const start = performance.now();
      const { code, stderr } = await upscale(kind, out, video);
      if (code !== 0) throw new Error(`${kind.name}, undisturbed: exit code ${code}: ${stderr}`);
      kind.ms = performance.now() - start;
      kind.files = filesIn(out);
    }

    const counts = { "kill -9": 0, "signals that can be caught": 0, "temporary files after kill -9": 0 };
    for (const { index, random } of soak.tries()) {
      const kind = kinds[random.int(kinds.length)];
      await soak.attempt(`try ${index}, ${kind.name}`, async () => {
        const out = fresh(soak.folder);
        for (let k = 0; k < KILLS; k++) {
          const signal = SIGNALS[random.int(SIGNALS.length)];
          const before = temporariesIn(out);
          const ended = await upscale(kind, out, video, { signal, after: random.uniform() * kind.ms });
          check(out, kind, kind.video === true);
          const left = temporariesIn(out).filter((name) => !before.includes(name));
          if (ended.code === 0) break;
          if (signal === "SIGKILL") {
            counts["kill -9"]++;
            counts["temporary files after kill -9"] += left.length;
            continue;
          }
          counts["signals that can be caught"]++;
          // Node itself takes the first moments, in which a signal ends it.
          const codes: unknown[] = [CATCHABLE[signal as keyof typeof CATCHABLE], signal];
          if (!codes.includes(ended.code))
            throw new Error(`${signal}: exit code ${ended.code}: ${ended.stderr}`);
          if (left.length > 0) throw new Error(`${signal} left ${left.join(", ")}`);
        }
        const start = performance.now();
        const { code, stderr } = await upscale(kind, out, video);
        if (code !== 0) throw new Error(`the last run: exit code ${code}: ${stderr}`);
        // On a machine that has become busy, moments of the calm run's length would all lie in the start of Node.
        kind.ms = (kind.ms + performance.now() - start) / 2;
        check(out, kind, false);
        const files = readdirSync(out).sort().join();
        if (files !== [...kind.files.keys()].sort().join()) throw new Error(`there are ${files}`);
      });
    }
    return counts;
  },
};

const program = [
  ...["--import", createRequire(import.meta.url).resolve("tsx"), join(root, "src/cli/main.ts")],
];

/** Runs the command in a folder, to its end or until a signal ends it after some milliseconds. */
function upscale(
  { args, video }: Kind,
  folder: string,
  frames: string,
  kill?: { signal: NodeJS.Signals; after: number },
): Promise<{ code: number | NodeJS.Signals; stderr: string }> {
  const [stdin, stdout] = [openSync(frames, "r"), video ? openSync(join(folder, "out.y4m"), "w") : undefined];
  const child = spawn(process.execPath, [...program, "upscale", ...args], {
    cwd: folder,
    stdio: [stdin, stdout ?? "ignore", "pipe"],
  });
  for (const file of [stdin, stdout]) if (file !== undefined) closeSync(file);
  let stderr = "";
  child.stderr!.on("data", (data) => {
    stderr += data;
  });
  const timer = kill && setTimeout(() => child.kill(kill.signal), kill.after);
  return new Promise((resolve) =>
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code: code ?? signal!, stderr });
    }),
  );
}

/** Every file must be what the undisturbed run wrote; video that was cut, the beginning of it. */
function check(folder: string, { files }: Kind, isCut: boolean): void {
  for (const [name, bytes] of filesIn(folder)) {
    if (name.endsWith(".tmp")) continue;
    const whole = files.get(name);
    if (!whole?.subarray(0, isCut ? bytes.length : undefined).equals(bytes)) {
      throw new Error(`${name} of ${bytes.length} bytes differs from that of an undisturbed run`);
    }
  }
}

function fresh(parent: string): string {
  const folder = join(parent, "out");
  if (existsSync(folder)) rmSync(folder, { recursive: true });
  mkdirSync(folder);
  return folder;
}

function filesIn(folder: string): Map<string, Buffer> {
  return new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
}

function temporariesIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith(".tmp"));
}
