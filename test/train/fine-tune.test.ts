/** Training further what other programs trained: Compact, SPAN and RRDBNet from .pth, on one's own pictures. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { parseFlags } from "../../src/cli/flags.ts";
import { trainCommand } from "../../src/cli/train.ts";
import { onDevice } from "../../src/device/open.ts";
import {
  architectureOf,
  Compact,
  FSRCNN,
  loadModel,
  type NamedArray,
  parseSafetensors,
  RRDBNet,
  SPAN,
  SRCNN,
  type SuperResolver,
  serializePytorch,
} from "../../src/node.ts";
import { Random } from "../../src/tensor/random.ts";
import { presets, type TrainConfig, train } from "../../src/train/index.ts";
import { hasAllWeights, readInitial } from "../../src/train/initial.ts";
import { testData } from "../data/support.ts";
import { float32Device } from "../support/devices.ts";
import { picturesIn } from "../support/pictures.ts";
import { runProgram } from "../support/run.ts";
import { temporaryPaths, tiny } from "./support.ts";

const unused = temporaryPaths();
const random = new Random(8);
const none = new Float32Array();
let photos: string;
beforeAll(async () => {
  photos = await picturesIn(unused(), 3);
});

/** `pixelgrad train …` for two steps on the CPU device, and the tensors of its last weights. */
async function trained(...args: readonly string[]) {
  const out = unused();
  const small = ["--data", photos, "--patch", "6", "--batch", "1", "--steps", "2", "--valid-pictures", "1"];
  const { code, stdout, stderr } = await runProgram(
    ["train", ...args, ...small, "--warmup", "0", "--lr", "1e-6", "--out", out],
    { env: { PIXELGRAD_ADAPTER: "cpu" } },
  );
  if (code !== 0 && !/far below bicubic|worse than/.test(stderr)) throw new Error(stdout + stderr);
  const { tensors, metadata } = parseSafetensors(readFileSync(join(out, "last.safetensors")), "last");
  return { tensors, metadata, stdout };
}

/** How far the weights have moved from those of the file, at most; they must have moved a little. */
async function moved(file: string, tensors: ReadonlyMap<string, NamedArray>): Promise<number> {
  const before = await onDevice(float32Device(), () => loadModel(readFileSync(file), file)).stateDict();
  expect([...tensors.keys()].sort()).toEqual([...before.keys()].sort());
  let most = 0;
  for (const [name, { data }] of tensors) {
    for (let i = 0; i < data.length; i++)
      most = Math.max(most, Math.abs(data[i] - before.get(name)!.data[i]));
  }
  return most;
}

function networks(): [name: string, model: SuperResolver, expected: Record<string, string>][] {
  return onDevice(float32Device(), () => [
    [
      "compact",
      new Compact({ scale: 2, layers: 2, channels: 6, activation: "prelu", random }),
      { architecture: "Compact", scale: "2", layers: "2", channels: "6" },
    ],
    [
      "span",
      new SPAN({ scale: 2, blocks: 2, channels: 6, normalize: true, random }),
      { architecture: "SPAN", scale: "2", blocks: "2", channels: "6", normalize: "true" },
    ],
    [
      "rrdbnet",
      new RRDBNet({ scale: 2, blocks: 1, channels: 4, growth: 2, random }),
      { architecture: "RRDBNet", scale: "2", blocks: "1", channels: "4", growth: "2" },
    ],
  ]);
}

test.each(["compact", "span", "rrdbnet"])(
  "%s: --init alone says which network, with all its options; with the command's name, too",
  async (wanted) => {
    const [name, model, expected] = networks().find(([one]) => one === wanted)!;
    const folder = unused();
    mkdirSync(folder);
    const file = join(folder, "2x_model.pth");
    writeFileSync(file, serializePytorch(await model.stateDict()));
    const alone = await trained("--init", file);
    expect(alone.metadata).toMatchObject(expected);
    expect(alone.stdout).toContain(`Weights: from ${file}\n`); // and none at random
    const far = await moved(file, alone.tensors);
    expect(far).toBeGreaterThan(0);
    expect(far).toBeLessThan(1e-5);
    if (name !== "compact") return; // the rest is the same for all
    const byName = await trained(name, `--init=${file}`, "--loss", "l1+0.01*fft", "--degradation", "photo");
    expect(byName.metadata).toMatchObject(expected);
    expect(await moved(file, byName.tensors)).toBeLessThan(1e-5);
  },
  180_000,
);

describe("flags beside --init", () => {
  let file: string;
  beforeAll(async () => {
    file = `${unused()}.pth`;
    const model = onDevice(float32Device(), () => new Compact({ scale: 2, layers: 1, channels: 4, random }));
    writeFileSync(file, serializePytorch(await model.stateDict()));
  });

  test("another scale: all but the enlargement begins with the file's weights", async () => {
    const { metadata, stdout } = await trained("--init", file, "--scale", "3");
    expect(metadata).toMatchObject({ scale: "3", layers: "1", channels: "4" });
    expect(stdout).toMatch(/Weights: from .*; at random as it lacks them: body\.\d\.weight/);
  });

  test("--scale alone tells the scale of a file that does not", async () => {
    for (const Network of [FSRCNN, SRCNN]) {
      const plain = `${unused()}.pth`;
      const model = onDevice(float32Device(), () => new Network({ scale: 3, random }));
      writeFileSync(plain, serializePytorch(await model.stateDict()));
      const { metadata, stdout } = await trained("--init", plain, "--scale", "3");
      expect(metadata).toMatchObject({ architecture: Network.name, scale: "3" });
      expect(stdout).toContain(`Weights: from ${plain}\n`);
    }
  });

  test("a network that comes with the library goes by its name, as in -m", async () => {
    const { metadata, stdout, tensors } = await trained("--init", "espcn");
    expect(metadata).toMatchObject({ architecture: "ESPCN", scale: "2" });
    expect(stdout).toContain("Weights: from espcn\n");
    expect(await moved("weights/espcn-x2.safetensors", tensors)).toBeLessThan(1e-5);
    const other = await trained("espcn", "--init", "espcn", "--scale", "3");
    expect(await moved("weights/espcn-x3.safetensors", other.tensors)).toBeLessThan(1e-5);
    // At a scale that it has no weights for, those for the largest one.
    expect((await readInitial("wren", 8)).metadata).toMatchObject({ architecture: "Wren", scale: "4" });
  });

  test("--resume alone goes on with the run in a folder, whose network it finds", async () => {
    const out = unused();
    const small = ["--patch", "6", "--batch", "1", "--steps", "1", "--valid-pictures", "1"];
    const run = (...args: string[]) => runProgram(["train", ...args], { env: { PIXELGRAD_ADAPTER: "cpu" } });
    await run("--init", file, "--data", photos, "--out", out, "--schedule", "constant", ...small);
    const { stdout } = await run("--resume", out, "--steps", "2");
    expect(stdout).toContain("Resumed at step 1 of 2");
    const none = await run("--resume", "nowhere");
    expect(none.stderr).toBe(
      "pixelgrad train: nowhere: there is no such folder, and so no training to resume. Check the path.",
    );
  });

  test("the file's weights are measured, and are the best until others are better; the rate is a small one", async () => {
    const out = unused();
    const small = ["--data", photos, "--patch", "6", "--batch", "1", "--steps", "1", "--valid-pictures", "1"];
    const run = (...args: string[]) =>
      runProgram(["train", "--init", file, ...small, ...args], { env: { PIXELGRAD_ADAPTER: "cpu" } });
    const { stdout } = await run("--lr", "1e-30", "--out", out);
    const figure = stdout.match(
      /^step 0: ([\d.]+) dB, [\d.]+ dB (?:above|below) bicubic, by the weights it begins with$/m,
    )?.[1];
    expect(stdout).toMatch(new RegExp(`^step 1: ${figure} dB, [\\d.]+ dB (?:above|below) bicubic$`, "m"));
    expect(stdout).toContain(`Best: ${figure} dB at step 0`);
    expect(stdout).toContain("No evaluation was better than the weights it began with");
    const best = parseSafetensors(readFileSync(join(out, "best.safetensors")), "best");
    expect(best.metadata.step).toBe("0");
    const byDefault = unused();
    await run("--out", byDefault);
    const { metadata } = parseSafetensors(readFileSync(join(byDefault, "last.safetensors")), "last");
    expect(JSON.parse(metadata.config)).toMatchObject({ lr: 1e-4, schedule: { kind: "cosine" } });
    // Weights at random need a preset's rate.
    const otherScale = unused();
    await run("--scale", "3", "--out", otherScale);
    const other = parseSafetensors(readFileSync(join(otherScale, "last.safetensors")), "last").metadata;
    expect(JSON.parse(other.config).lr).toBe(presets.Compact.quick.lr);
  });

  test("of another scale, the weights of some networks fit all the same", () => {
    const one = onDevice(float32Device(), () => new FSRCNN({ scale: 2, random }));
    const state = new Map([...one.namedTensors()].map(([name, { shape }]) => [name, { shape, data: none }]));
    const given = { metadata: {}, state, assumptions: [] };
    const architecture = "FSRCNN";
    expect(hasAllWeights(given, { architecture, scale: 3 })).toBe(true);
    expect(hasAllWeights(given, { architecture, scale: 2, m: one.options.m + 1 })).toBe(false);
  });

  test("a run that is stopped before its first evaluation gets no advice from that of step 0", async () => {
    const stopped = async (evalEvery: number) => {
      const network = { architecture: "Compact", scale: 2, layers: 1, channels: 4 } as TrainConfig["network"];
      const config = { ...tiny, network, init: file, data: [photos], out: unused(), adapter: "cpu" };
      const stop = new AbortController();
      const { step } = await train(
        { ...config, lr: 1e-30, steps: 1000, evalEvery },
        { signal: stop.signal, onProgress: () => stop.abort() },
      );
      expect(step).toBe(1);
      const command = trainCommand(architectureOf("Compact"));
      const values = parseFlags(command, ["--resume", config.out]);
      const said = vi.spyOn(process.stdout, "write").mockReturnValue(true);
      await command.run(values, { program: "pixelgrad train", signal: AbortSignal.abort() });
      const text = said.mock.calls.join("");
      said.mockRestore();
      expect(text).toContain("Stopped at step 1 of 1000.");
      return text;
    };
    expect(await stopped(1)).toContain("No evaluation was better than the weights it began with");
    const early = await stopped(1000);
    expect(early).toContain("at step 0");
    expect(early).not.toContain("No evaluation was better");
  });

  test("the wrong command, a file that is missing, and one that holds something else are named", async () => {
    const said = async (...args: string[]) =>
      (await runProgram(["train", ...args], { env: { PIXELGRAD_ADAPTER: "cpu" } })).stderr;
    expect(await said("span", "--init", file)).toContain(
      `${file} holds Compact, and this command trains SPAN. Train it further by "train compact".`,
    );
    expect(await said("--init", "nowhere.pth")).toContain(
      "nowhere.pth: cannot be read: there is no such file",
    );
    expect(await said("--init", "package.json")).toMatch(/^pixelgrad train: package\.json: /);
    expect(await said("--steps", "5")).toContain(
      'a network comes before flags such as "--steps"; networks are srcnn',
    );
  });
});

const zoo = testData("weights/zoo");
test.runIf(zoo)(
  "a file of the NTIRE challenge: SPAN with its branches folded into one convolution",
  async () => {
    const file = join(zoo!, "ntire2026_team00_SPAN.pth");
    const { tensors, metadata, stdout } = await trained("--init", file);
    expect(metadata).toMatchObject({ architecture: "SPAN" });
    expect(stdout).toContain(`Weights: from ${file}\n`);
    const far = await moved(file, tensors);
    expect(far).toBeGreaterThan(0);
    expect(far).toBeLessThan(1e-5);
  },
  180_000,
);
