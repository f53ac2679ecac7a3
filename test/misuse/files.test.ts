/** Every export of `pixelgrad/data`, `pixelgrad/train` and `pixelgrad/evaluate`, called with nonsense. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import * as data from "../../src/data/index.ts";
import { CpuDevice } from "../../src/device/cpu-device.ts";
import * as evaluation from "../../src/evaluate/index.ts";
import { interpolator, setDefaultDevice } from "../../src/node.ts";
import * as training from "../../src/train/index.ts";
import { arg, type Call, complaintsAbout, left, opts } from "./support.ts";

setDefaultDevice(new CpuDevice("float32"));
const home = mkdtempSync(join(tmpdir(), "pixelgrad-misuse-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const rgb = () => ({ width: 24, height: 24, channels: 3 as const, data: new Uint8Array(3 * 24 * 24) });
const pictures = join(home, "pictures");
mkdirSync(pictures);
await data.writePng(join(pictures, "a.png"), rgb());

/** DIV2K's folders at scale 2, so that there is nothing to download. */
const unpacked = join(home, "DIV2K");
for (const split of ["train", "valid"]) {
  mkdirSync(join(unpacked, `DIV2K_${split}_HR`), { recursive: true });
  mkdirSync(join(unpacked, `DIV2K_${split}_LR_bicubic`, "X2"), { recursive: true });
}

/** Texts are paths, and what errors name is the path. */
const path = (make: () => string) => arg(make, "text", "numeral");
const anyText = ["text", "numeral", "emptyText"] as const;
const png = await data.encodePng(rgb());
const pairs = () => data.openFolder(pictures, { scale: 2 });
const loader = (dataset: never, options: never) => {
  const made = new data.PatchLoader(dataset, options);
  return made.close();
};
const file = () => [{ name: "a", high: join(pictures, "a.png") }];
const picture = await evaluation.loadPicture(file()[0], 2);
const upscaler = interpolator("bicubic", 2);
const range = arg(() => 1, "zero", "fraction");

const evaluateOptions = opts({
  protocol: arg(() => "y"),
  border: arg(() => 0, "zero"),
  padding: arg(() => "none"),
  mixed: arg(() => true, "true"),
  warmUp: arg(() => true, "true"),
  signal: arg(() => new AbortController().signal),
  partial: arg(() => true, "true"),
  withSsim: arg(() => true, "true"),
  onPicture: arg(() => () => {}, "function"),
  onFailure: arg(() => () => {}, "function"),
});

const trainOptions = {
  onMessage: arg(() => () => {}, "function"),
  onProgress: arg(() => () => {}, "function"),
  signal: arg(() => new AbortController().signal),
  device: arg(() => new CpuDevice("float32")),
  onLoss: arg(() => "fail"),
};

const calls: Call[] = [
  { name: "encodePng", call: data.encodePng, args: [arg(rgb)] },
  { name: "decodeImage", call: data.decodeImage, args: [arg(() => png), arg(() => "a name", ...anyText)] },
  { name: "readImage", call: data.readImage, args: [path(() => join(pictures, "a.png"))] },
  { name: "writePng", call: data.writePng, args: [path(() => join(home, "b.png")), arg(rgb)] },
  {
    name: "writeWhole",
    call: data.writeWhole,
    args: [arg(() => join(home, "c"), ...anyText), arg(() => "x", ...anyText, "dataView", "floats")],
  },
  {
    name: "picturesIn",
    call: data.picturesIn,
    args: [
      path(() => pictures),
      arg(() => () => {}, left, "function"),
      opts({ recursive: arg(() => true, "true"), except: path(() => home) }),
    ],
  },
  {
    name: "openFolder",
    call: data.openFolder,
    args: [
      arg(() => pictures, "text", "numeral", "listOfText"),
      opts({ scale: arg(() => 2) }, { needed: ["scale"] }),
    ],
  },
  {
    name: "openDiv2k",
    call: data.openDiv2k,
    args: [
      path(() => home),
      opts({ scale: arg(() => 2), split: arg(() => "train") }, { needed: ["scale", "split"] }),
    ],
  },
  {
    name: "downloadDiv2k",
    call: data.downloadDiv2k,
    args: [
      path(() => unpacked),
      opts(
        {
          splits: arg(() => ["train"]),
          tracks: arg(() => ["bicubic"]),
          scales: arg(() => [2]),
          high: arg(() => true, "true"),
          baseUrl: arg(() => "https://localhost"),
          urls: arg(() => ({}), "emptyObject"),
          keepArchives: arg(() => true, "true"),
          onProgress: arg(() => () => {}, "function"),
          onMessage: arg(() => () => {}, "function"),
          signal: arg(() => new AbortController().signal),
          retries: arg(() => 1, "zero", "huge", "infinity"),
          backoff: arg(() => 1, "zero", "fraction", "huge"),
          silence: arg(() => 1),
          maxBytes: arg(() => 1, "zero", "huge", "infinity"),
        },
        { needed: ["scales"] },
      ),
    ],
  },
  {
    name: "degrade",
    call: data.degrade,
    args: [arg(rgb), arg(() => 2), arg(() => data.drawDegradation({ seed: 1 }, 0))],
  },
  {
    name: "drawDegradation",
    call: data.drawDegradation,
    args: [
      opts(
        {
          seed: arg(() => 1, "zero", "negative"),
          blur: range,
          noise: range,
          photons: range,
          jpeg: arg(() => 50),
        },
        { needed: ["seed"] },
      ),
      arg(() => 1, "zero"),
    ],
  },
  {
    name: "PatchLoader",
    call: loader,
    args: [
      arg(pairs),
      opts(
        {
          batch: arg(() => 1),
          patch: arg(() => 4),
          seed: arg(() => 1, "zero", "negative"),
          workers: arg(() => 1),
          cacheBytes: arg(() => 1, "zero", "fraction", "huge", "infinity"),
          cacheFolder: arg(() => join(home, "cache"), "text", "numeral"),
        },
        { needed: ["batch", "patch"] },
      ),
    ],
  },
  {
    name: "PatchLoader.prepare",
    call: async (options?: object) => {
      await using made = new data.PatchLoader(pairs(), {
        batch: 1,
        patch: 4,
        cacheFolder: join(home, "cache"),
      });
      await made.prepare(options);
    },
    args: [
      opts({ signal: arg(() => new AbortController().signal), onProgress: arg(() => () => {}, "function") }),
    ],
  },
  {
    name: "evaluate",
    call: evaluation.evaluate,
    args: [arg(() => upscaler), arg(() => [picture]), evaluateOptions],
  },
  {
    name: "conditionsOf",
    call: evaluation.conditionsOf,
    args: [arg(() => upscaler), arg(() => [picture]), evaluateOptions],
  },
  {
    name: "findPictures",
    call: evaluation.findPictures,
    args: [
      path(() => pictures),
      opts(
        {
          scale: arg(() => 2),
          lowFolder: arg(() => undefined, left, "text", "numeral"),
          degradation: arg(() => ({ seed: 1 }), left),
          onLeftOut: arg(() => () => {}, left, "function"),
          onFailure: arg(() => () => {}, left, "function"),
        },
        { needed: ["scale"] },
      ),
    ],
  },
  {
    name: "loadPicture",
    call: evaluation.loadPicture,
    args: [arg(() => file()[0]), arg(() => 2), opts({ transparency: arg(() => "white") })],
  },
  {
    name: "describeConditions",
    call: evaluation.describeConditions,
    args: [arg(() => evaluation.conditionsOf(upscaler, [picture]))],
  },
  { name: "overCommonPictures", call: evaluation.overCommonPictures, args: [arg(() => [], "emptyList")] },
  {
    name: "train",
    call: training.train,
    args: [arg(() => training.presets.ESPCN.quick), opts(trainOptions)],
  },
  {
    name: "resume",
    call: training.resume,
    args: [path(() => home), opts({ ...trainOptions, change: arg(() => () => {}, "function") })],
  },
  {
    name: "readCheckpoint",
    call: training.readCheckpoint,
    args: [path(() => home), arg(() => () => {}, left, "function")],
  },
  { name: "presetsOf", call: training.presetsOf, args: [arg(() => ({}))] },
  { name: "checkConfig", call: training.checkConfig, args: [arg(() => training.presets.ESPCN.quick)] },
];

test.each(calls.map((call) => [call.name, call] as const))("%s", async (_, call) => {
  expect(await complaintsAbout(call)).toEqual([]);
});

test("mistyped settings of training are refused, and not trained without", async () => {
  const config = training.presets.ESPCN.quick;
  await expect(training.train({ ...config, stpes: 1 } as never)).rejects.toThrow(
    /^train: there is no option "stpes"; there are network, .*steps/,
  );
  await expect(training.train(config, { onMesage() {} } as never)).rejects.toThrow(/no option "onMesage"/);
  await expect(training.resume(home, { steps: 3 } as never)).rejects.toThrow(/no option "steps"; .*change/);
});

test("every function is called here", () => {
  const called = new Set(calls.map(({ name }) => name));
  const functions = Object.entries({ ...data, ...evaluation, ...training })
    .filter(([, value]) => typeof value === "function")
    .map(([name]) => name);
  const errors = ["DataError", "DivergedError"];
  expect(functions.filter((name) => !called.has(name) && !errors.includes(name))).toEqual([]);
});
