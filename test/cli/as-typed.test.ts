/**
 * What README, the guides and the help texts say, word for word, in a folder that holds the files they speak of and
 * nothing else. Training as it is written there takes too long: `npm run test:soak -- as-typed` has it.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { compareCommand } from "../../src/cli/compare.ts";
import { convertCommand } from "../../src/cli/convert.ts";
import { evaluateCommand } from "../../src/cli/evaluate.ts";
import type { Command } from "../../src/cli/flags.ts";
import { infoCommand } from "../../src/cli/info.ts";
import { upscaleCommand } from "../../src/cli/upscale.ts";
import { writePng } from "../../src/data/index.ts";
import {
  Compact,
  EDSR,
  ESPCN,
  RRDBNet,
  saveWeights,
  serializePytorch,
  setDefaultDevice,
} from "../../src/node.ts";
import { Random } from "../../src/tensor/random.ts";
import { temporaryFolder } from "../data/support.ts";
import { float32Device } from "../support/devices.ts";
import { drawnPicture } from "../support/pictures.ts";
import { root } from "../support/run.ts";
import { shellWith } from "../support/shell.ts";
import { trainAsTyped } from "../support/train-as-typed.ts";

const folder = temporaryFolder();
const type = shellWith(join(folder, "bin"));
/** What a line is typed with. `info` measures a device, and the one without WebGPU is done at once. */
const environmentOf = (line: string): Record<string, string> =>
  line.includes(" info") ? { PIXELGRAD_ADAPTER: "cpu" } : {};

const pages = [
  "README",
  "docs/get-started",
  "docs/upscale",
  "docs/measure-quality",
  "docs/other-programs",
].map((page) => readFileSync(join(root, `${page}.md`), "utf8"));
const lines = pages.join("\n").matchAll(/^ {4}(npx pixelgrad (?:upscale|evaluate|compare|convert) .*)$/gm);
const typed = [...new Set([...lines].map(([, line]) => line))];
const foreign = (name: string) => readFileSync(join(root, "test/golden/foreign-networks", name));
const commands: Record<string, Command> = {
  upscale: upscaleCommand as Command,
  evaluate: evaluateCommand as Command,
  compare: compareCommand as Command,
  info: infoCommand as Command,
  convert: convertCommand as Command,
};
const examples = Object.entries(commands).flatMap(([name, { examples }]) =>
  examples.map(([args]) => `pixelgrad ${name} ${args}`.trimEnd()),
);

let weights: Record<string, Uint8Array> = {};

beforeAll(async () => {
  setDefaultDevice(float32Device());
  const random = new Random(1);
  const edsr = (scale: 2 | 3 | 4) => saveWeights(new EDSR({ scale, blocks: 1, channels: 4, random }));
  weights = {
    "edsr-x2.safetensors": await edsr(2),
    "edsr-x4.safetensors": await edsr(4),
    "runs/edsr-x2-4x16/best.safetensors": await edsr(2),
    "tuned.safetensors": await edsr(2),
    "4x-UltraSharp.pth": serializePytorch(
      await new RRDBNet({ scale: 4, blocks: 1, channels: 4, growth: 2, random }).stateDict(),
    ),
    "cleaner.safetensors": await saveWeights(new Compact({ scale: 1, layers: 1, channels: 4, random })),
    "EDSR_x4.pt": foreign("edsr-pytorch-x4.pt"),
    "net_g_latest.pth": foreign("edsr-basicsr-x4.pth"),
    "runs/edsr-x3-4x16/best.safetensors": await edsr(3),
    "espcn-x2.safetensors": await saveWeights(new ESPCN({ scale: 2, filters: [4, 3], random })),
    "runs/espcn-x3/best.safetensors": await saveWeights(new ESPCN({ scale: 3, filters: [4, 3], random })),
  };
});

/** A new folder with the files that a line speaks of. */
async function folderFor(line: string): Promise<string> {
  const home = join(folder, `${count++}`);
  mkdirSync(home);
  const place = (name: string) => {
    mkdirSync(dirname(join(home, name)), { recursive: true });
    return join(home, name);
  };
  const written = outputOf(line);
  for (const [name, bytes] of Object.entries(weights))
    if (line.includes(name) && name !== written) writeFileSync(place(name), bytes);
  const pictures: Record<string, string[]> = {
    "photo.jpg": ["photo.jpg"],
    "a.png b.jpg": ["a.png", "b.jpg"],
    "huge.png": ["huge.png"],
    photos: ["photos/1.png", "photos/2.jpg", "photos/older/3.png"],
    scans: ["scans/1.png", "scans/2.jpg"],
    "Set5/HR": ["Set5/HR/baby.png", "Set5/HR/bird.png"],
    DIV2K_valid_HR: ["DIV2K_valid_HR/0801.png"],
  };
  const side = line.includes(" upscale ") ? 10 : 28;
  for (const [word, names] of Object.entries(pictures)) {
    if (!line.includes(word)) continue;
    for (const [k, name] of names.entries()) {
      await writePng(place(`${name}.png`), drawnPicture(k, side, side));
      await sharp(place(`${name}.png`)).toFile(place(name));
      rmSync(place(`${name}.png`));
    }
  }
  if (line.includes("LR_bicubic/X2")) {
    await writePng(place("DIV2K_valid_LR_bicubic/X2/0801x2.png"), drawnPicture(0, 14, 14));
  }
  if (line.includes("in.y4m")) {
    const frame = Buffer.concat([Buffer.from("FRAME\n"), Buffer.alloc((16 * 12 * 3) / 2, 90)]);
    writeFileSync(place("in.y4m"), Buffer.concat([Buffer.from("YUV4MPEG2 W16 H12 F25:1\n"), frame, frame]));
  }
  return home;
}
let count = 0;

/** What a line says that it writes. */
const outputOf = (line: string) =>
  / convert \S+ (\S+)/.exec(line)?.[1] ??
  /(?:-o|--out|--json|>) ([\w./]+)$/.exec(line)?.[1] ??
  /-o (\w[\w.]*)/.exec(line)?.[1];

describe.skipIf(process.platform === "win32")("word for word", () => {
  test("there are lines to type", () => {
    expect(typed.length).toBeGreaterThan(8);
    expect(examples.length).toBeGreaterThan(10);
  });

  test.each([...typed, ...examples.filter((line) => !typed.includes(`npx ${line}`))])(
    "%s",
    async (written) => {
      // The pictures here are small.
      const line = written.replace(
        /(?<=--(?:width|height) )\d+/g,
        (pixels) => `${Math.floor(Number(pixels) / 100)}`,
      );
      const home = await folderFor(line);
      const env = environmentOf(line);
      const result = await type(home, line, { env });
      if (line.includes("NVIDIA")) {
        // Not everybody has one: then it says so.
        if (result.code !== 0) expect(result.stderr).toMatch(/^pixelgrad info: .*NVIDIA/m);
        return;
      }
      expect(result.code, result.stderr).toBe(0);
      const output = outputOf(line);
      if (output !== undefined) expect(existsSync(join(home, output)), output).toBe(true);
      for (const name of readdirSync(home, { recursive: true })) expect(name).not.toMatch(/\.tmp$/);
      if (!line.includes(" upscale ") || line.includes("in.y4m")) return;
      // The same again: what is done is left alone.
      const again = await type(home, line, { env });
      expect(again.code, again.stderr).toBe(0);
      expect(again.stderr).toMatch(/exists and is left alone/);
    },
  );
});

test.skipIf(process.platform === "win32")("training, Ctrl-C, and the command that it prints", async () => {
  const home = join(folder, "training");
  mkdirSync(home);
  const command = await trainAsTyped(type, home, "npx pixelgrad train espcn --data photos");
  expect(command).toContain("--resume");
});
