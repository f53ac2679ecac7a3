import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openMethod, readNetwork } from "../../src/node.ts";
import { type Checkpoint, serializeCheckpoint } from "../../src/train/checkpoint.ts";
import { presets } from "../../src/train/index.ts";
import { readWeightFile } from "../../src/upscale/weight-files.ts";
import { temporaryFolder } from "../data/support.ts";
import { runProgram } from "../support/run.ts";

const folder = temporaryFolder();
const make = (name: string, ...files: string[]) => {
  mkdirSync(join(folder, name));
  for (const file of files) writeFileSync(join(folder, name, file), "");
  return join(folder, name);
};

test.each<[string, string[], RegExp]>([
  ["none", ["notes.txt", "checkpoint.safetensors"], /There is no weight file in it\. Check the path\.$/],
  ["one", ["a.pth", "checkpoint.safetensors", "log.jsonl"], /Name the weight file in it: .*one.a\.pth\.$/],
  [
    "two",
    ["best.safetensors", "last.safetensors"],
    /Name one of .* in it: .*best\.safetensors, .*last\.safe/,
  ],
])(
  "a folder with %s in place of a weight file: it is told, and what is in it",
  async (name, files, advice) => {
    const path = make(name, ...files);
    const whole = new RegExp(
      `^.*${name}: this is a folder, and a weight file was wanted\\. ${advice.source}`,
    );
    await expect(readWeightFile(path)).rejects.toThrow(whole);
    await expect(openMethod({ method: path })).rejects.toThrow(whole);
  },
);

test("a checkpoint in place of a weight file: it is told, and where the weights are", async () => {
  const run = make("trained");
  const config = { ...presets.ESPCN.quick, data: [] };
  const state = { version: 1, config, step: 0 } as unknown as Checkpoint["state"];
  const bytes = serializeCheckpoint({ state, weights: new Map(), average: undefined, sums: {} });
  const path = join(run, "renamed.safetensors");
  writeFileSync(path, bytes);
  const says =
    `${path}: this is the checkpoint of a training run, from which resume() goes on (on the command line: ` +
    `pixelgrad train --resume ${run}).`;
  await expect(readWeightFile(path)).rejects.toThrow(`${says} It has no weights for use yet.`);
  writeFileSync(join(run, "best.safetensors"), "");
  const whole = `${says} Its weights are in ${join(run, "best.safetensors")}.`;
  await expect(openMethod({ method: path })).rejects.toThrow(whole);
  for (const args of [
    ["info", path],
    ["train", "--init", path, "--data", run],
  ]) {
    const { code, stderr } = await runProgram(args);
    expect([code, stderr]).toEqual([1, `pixelgrad ${args[0]}: ${whole}`]);
  }
});

test("commands say so in one line", async () => {
  const path = make("run", "best.safetensors");
  const line = /^pixelgrad [a-z ]+: .*run: this is a folder, .*: .*best\.safetensors\.$/;
  const set = make("set", "a.png");
  for (const args of [
    ["upscale", join(set, "a.png"), "-o", join(folder, "b.png"), "-m", path],
    ["evaluate", "--hr", set, "-m", path],
    ["compare", "--hr", set, "--out", join(folder, "out"), "-m", path],
    ["info", path],
    ["train", "--init", path, "--data", set],
  ]) {
    const { code, stderr } = await runProgram(args);
    expect([args[0], code, stderr]).toEqual([args[0], 1, expect.stringMatching(line)]);
  }
});

test("ncnn's two files in capitals, and with a mark in front of the text", async () => {
  const golden = "test/golden/ncnn/compact-leaky-x3";
  const [text, weights] = ["param", "bin"].map((end) => readFileSync(`${golden}.${end}`));
  const wanted = readNetwork(await readWeightFile(`${golden}.param`), "wanted");
  const path = make("capitals");
  writeFileSync(join(path, "UP.PARAM"), Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), text]));
  writeFileSync(join(path, "UP.BIN"), weights);
  for (const name of ["UP.PARAM", "UP.BIN"]) {
    const { metadata, state } = readNetwork(await readWeightFile(join(path, name)), name);
    expect(metadata).toEqual(wanted.metadata);
    expect(new Map(state)).toEqual(new Map(wanted.state));
  }
});

test("a weight file that is not there: it is named, and why", async () => {
  const path = join(make("absent"), "nowhere.pth");
  const says = `${path}: cannot be read: there is no such file. Check the path.`;
  const error: unknown = await readWeightFile(path).catch((cause) => cause);
  expect(error).toEqual(expect.objectContaining({ name: "DataError", message: says }));
});
