/** Lets the disk run full at random moments. It needs root, to mount a small one. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { writePng } from "../../src/data/index.ts";
import { noise } from "../../test/support/drawn.ts";
import { root } from "../../test/support/run.ts";
import type { Figures, Soak } from "./support/soak.ts";

const MB = 2 ** 20;

export const soak: Soak = {
  what:
    "Disks that run full under upscale, evaluate and compare: clear words, no half files, and the rest once there " +
    "is room",
  tries: 20,
  async run(soak): Promise<Figures> {
    const disk = join(soak.folder, "disk");
    mkdirSync(disk);
    if (!canMount(disk)) {
      soak.say("skipped: only root can mount a small disk");
      return { skipped: "only root can mount a small disk" };
    }
    const input = join(soak.folder, "in");
    mkdirSync(input);
    for (let k = 0; k < 5; k++) await writePng(join(input, `${k}.png`), noise(120, 100, 3, k));
    const commands: Record<string, string[]> = {
      "upscale a folder": ["upscale", input, "-o", join(disk, "out"), "-m", "bicubic"],
      "upscale to WebP": [
        "upscale",
        input,
        "-o",
        join(disk, "out"),
        "-m",
        "nearest",
        "-s",
        "4",
        "-f",
        "webp",
      ],
      "upscale one": [
        "upscale",
        join(input, "0.png"),
        "-o",
        join(disk, "out.png"),
        "-m",
        "bicubic",
        "-s",
        "4",
      ],
      "upscale --json": [
        "upscale",
        join(input, "0.png"),
        "-o",
        "/dev/null",
        "-m",
        "nearest",
        "--json",
        join(disk, "j.json"),
      ],
      "evaluate --json": [
        "evaluate",
        "--hr",
        input,
        "-s",
        "2",
        "-m",
        "nearest",
        "--json",
        join(disk, "e.json"),
      ],
      compare: [
        "compare",
        "--hr",
        input,
        "-s",
        "2",
        "-m",
        "bicubic,nearest",
        "--out",
        join(disk, "compared"),
      ],
    };
    const whole = new Map<string, Map<string, Buffer>>();
    for (const [name, args] of Object.entries(commands)) {
      await onDisk(disk, 200 * MB, () => {
        const { status, stderr } = pixelgrad(args);
        if (status !== 0) throw new Error(`${name} with room: ${stderr}`);
        whole.set(name, filesIn(disk));
      });
    }
    let full = 0;
    for (const { index, random } of soak.tries()) {
      const [name, args] = Object.entries(commands)[random.int(Object.keys(commands).length)];
      const needed = [...whole.get(name)!.values()].reduce((sum, { length }) => sum + length, 0);
      // Reports are smaller than a page, the least that a disk can have, so that it is filled beforehand.
      const room = needed < 50_000 ? 0 : Math.floor(needed * 1.5 * random.uniform());
      await soak.attempt(`try ${index}, ${name}, ${room} bytes`, () =>
        onDisk(disk, Math.max(64 * 1024, room), () => {
          if (room === 0) spawnSync("dd", ["if=/dev/zero", `of=${join(disk, "filler")}`, "bs=1k"]);
          const first = pixelgrad(args);
          if (first.status !== 0) {
            full++;
            if (first.status !== 1 || !/the disk is full|cannot be made: ENOSPC/.test(first.stderr)) {
              throw new Error(`exit code ${first.status}: ${first.stderr}`);
            }
          }
          compareWith(whole.get(name)!, filesIn(disk), name);
          rmSync(join(disk, "filler"), { force: true });
          execFileSync("mount", ["-o", `remount,size=${200 * MB}`, disk]);
          const second = pixelgrad(args);
          if (second.status !== 0) throw new Error(`with room again: ${second.status}: ${second.stderr}`);
          const files = filesIn(disk);
          compareWith(whole.get(name)!, files, name);
          if (files.size !== whole.get(name)!.size) throw new Error(`there are ${[...files.keys()].join()}`);
        }),
      );
    }
    return { "disks that ran full": full };
  },
};

function canMount(disk: string): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]).status !== 0) return false;
  execFileSync("umount", [disk]);
  return true;
}

async function onDisk(disk: string, bytes: number, body: () => void): Promise<void> {
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", disk]);
  try {
    body();
  } finally {
    execFileSync("umount", [disk]);
  }
}

const tsx = createRequire(import.meta.url).resolve("tsx");

function pixelgrad(args: readonly string[]) {
  const all = ["--import", tsx, join(root, "src/cli/main.ts"), ...args];
  return spawnSync(process.execPath, all, { cwd: root, encoding: "utf8", timeout: 200_000 });
}

/** Figures contain times, so that only pictures are the same each time; the others must be whole. */
function compareWith(
  whole: ReadonlyMap<string, Buffer>,
  files: ReadonlyMap<string, Buffer>,
  name: string,
): void {
  for (const [file, bytes] of files) {
    if (file === "filler") continue;
    const expected = whole.get(file);
    if (expected === undefined) throw new Error(`${name} left ${file}`);
    if (expected.equals(bytes)) continue;
    if (file.endsWith(".json")) JSON.parse(bytes.toString());
    else if (name.startsWith("upscale")) throw new Error(`${file} differs`);
    else if (!isWhole(file, bytes)) throw new Error(`${file} of ${bytes.length} bytes is cut short`);
  }
}

function isWhole(file: string, bytes: Buffer): boolean {
  const end = bytes.subarray(-8).toString("latin1");
  return file.endsWith(".png")
    ? end.startsWith("IEND")
    : end.trimEnd().endsWith(file.endsWith(".svg") ? "</svg>" : ")");
}

function filesIn(folder: string): Map<string, Buffer> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return new Map(
    files.map((entry) => {
      const path = join(entry.parentPath ?? entry.path, entry.name);
      return [path.slice(folder.length + 1), readFileSync(path)];
    }),
  );
}
