/** What networks say about themselves is true, and a new one touches one file and one list. */
import "../support/with-toy-network.ts";

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { setDefaultDevice } from "../../src/device/open.ts";
import { type Architecture, completeOptions, type Option } from "../../src/models/architecture.ts";
import { EDSR } from "../../src/models/edsr.ts";
import { architectureOf, architectures, createModel, loadModel } from "../../src/models/registry.ts";
import type { NamedArray } from "../../src/nn/index.ts";
import { Random } from "../../src/tensor/random.ts";
import { type NetworkConfig, presetsOf, type TrainConfig, train } from "../../src/train/index.ts";
import { settingsFor } from "../../src/train/settings.ts";
import { saveWeights } from "../../src/weights/index.ts";
import { float32Device } from "../support/devices.ts";
import { picturesIn } from "../support/pictures.ts";
import { Toy, toy } from "../support/toy-network.ts";

const device = float32Device();
beforeEach(() => setDefaultDevice(device));

describe.each(architectures.map((architecture) => [architecture.name, architectureOf(architecture.name)]))(
  "%s",
  (_, architecture) => {
    const scale = [3, 4].find(architecture.options.scale.kind.fits)!;
    const few = architecture.name === "RRDBNet" ? { blocks: 1 } : {};
    const options = completeOptions(architecture, { scale, ...few });

    test("describes the network that it builds", () => {
      const model = architecture.build(options, new Random(1));
      const { colors, inputSize } = architecture;
      expect(model).toMatchObject({ colors, inputSize, scale, options });
      expect(Object.keys(model.metadata())).toEqual(["architecture", ...Object.keys(architecture.options)]);
      expect(createModel(model.metadata()).metadata()).toEqual(model.metadata());
      expect(architecture.describe(options)).toMatch(new RegExp(`^${architecture.name} x${scale}`));
      expect(architecture.shortName(options)).toMatch(new RegExp(`^[a-z]+-x${scale}[\\d-x]*$`));
    });

    test("describes one block, layer or channel in the singular", () => {
      const ones = { blocks: 1, layers: 1, channels: 1, s: 1, m: 1 };
      const own = Object.entries(ones).filter(([name]) => Object.hasOwn(architecture.options, name));
      const text = architecture.describe(
        completeOptions(architecture, { scale, ...Object.fromEntries(own) }),
      );
      expect(text).not.toMatch(/\b1 \w+s\b/);
      expect(text.match(/\b1 (?:block|layer|channel)\b/g) ?? []).toHaveLength(own.length);
    });

    test("recognizes its weights in a file that names no network, and is the only one that does", async () => {
      const state = await architecture.build(options, new Random(1)).stateDict();
      const finders = architectures.filter(
        ({ recognize }: Architecture) => recognize?.(state, { name: "net.pth", scale }) !== undefined,
      );
      expect(finders.map(({ name }) => name)).toEqual(architecture.recognize ? [architecture.name] : []);
    });

    test("has defaults and presets that fit, and refuses what does not", () => {
      for (const { kind, default: value } of Object.values<Option | undefined>(architecture.options).filter(
        (o) => o !== undefined,
      )) {
        expect(kind.fits(value)).toBe(true);
        expect(kind.read(kind.write(value))).toEqual(value);
      }
      for (const { network } of Object.values(architecture.presets)) {
        expect(completeOptions(architecture, network)).toEqual(network);
      }
      expect(() => architecture.build({ ...options, scale: 7 })).toThrow(
        `${architecture.name}: scale must be ${architecture.options.scale.kind.wants}, got 7.`,
      );
    });
  },
);

test("an option that does not exist is refused, and one in PyTorch's spelling told its name", () => {
  const build = (options: object) => () => new EDSR(options);
  expect(build({ res_scale: 1 })).toThrow('EDSR: the option "res_scale" is called resScale here.');
  expect(build({ width: 1 })).toThrow(/^EDSR: there is no option "width"; there are scale, blocks, /);
});

/** A plane of random walks along its rows: `step` decides how smooth it is. */
function plane(step: number, side = 60): NamedArray {
  const random = new Random(3);
  const data = new Float32Array(side ** 2);
  for (let i = 0; i < data.length; i++) {
    const left = i % side === 0 ? 128 : 255 * data[i - 1];
    data[i] = Math.round(Math.min(255, Math.max(0, left + step * random.normal()))) / 255;
  }
  return { shape: [1, side, side], data };
}

describe.each([
  ["SRCNN", { kernels: [5, 1, 3], filters: [16, 4] }, "conv1.weight"],
  ["ESPCN", { filters: [16, 4], activation: "relu" }, "first_part.0.weight"],
])("%s looks at examples", (name, own, first) => {
  const architecture = architectureOf(name);
  const weightsOf = async (residual: boolean, examples: NamedArray[]) => {
    const options = completeOptions(architecture, { scale: 2, ...own, ...{ residual } });
    expect(architecture.looksAtExamples(options)).toBe(residual);
    const model = architecture.build(options, new Random(0), examples);
    return (await model.stateDict()).get(first)!.data;
  };
  const size = (values: Float32Array) => Math.hypot(...values) / Math.sqrt(values.length);

  test("to fit its first filters if it predicts the difference to bicubic", async () => {
    // Smoother pictures have fainter patterns, and the filters amplify them more.
    const [smooth, rough] = await Promise.all([2, 20].map((step) => weightsOf(true, [plane(step)])));
    expect(size(smooth)).toBeGreaterThan(2 * size(rough));
  });

  test("but passes over those that are smaller than its window", async () => {
    const [large, small] = [plane(2), plane(2, 4)];
    expect(await weightsOf(true, [large, small])).toEqual(await weightsOf(true, [large]));
    expect(await weightsOf(true, [small])).toEqual(await weightsOf(false, []));
  });

  test("and not otherwise", async () => {
    const [smooth, rough] = await Promise.all([2, 20].map((step) => weightsOf(false, [plane(step)])));
    expect(smooth).toEqual(rough);
  });
});

test("EDSR subtracts the mean color of the examples", async () => {
  const architecture = architectureOf("EDSR");
  const options = completeOptions(architecture, { scale: 2, ...{ blocks: 1, channels: 2 } });
  const data = Float32Array.from([0, 0.5, 0.25, 0.25, 1, 0]);
  const model = architecture.build(options, new Random(0), [{ shape: [3, 1, 2], data }]);
  const { data: mean } = (await model.stateDict()).get("add_mean.bias")!;
  expect([...mean]).toEqual([0.25, 0.25, 0.5].map((value) => 255 * value));
});

describe("a new network, which is one file and one entry in the list,", () => {
  const network = { architecture: "Toy", scale: 2, hiddenChannels: 3 } as unknown as NetworkConfig;

  test("has settings of its own", () => {
    const own = settingsFor(architectureOf("Toy")).filter(({ path }) => path.startsWith("network."));
    expect(own.map(({ flag }) => flag)).toEqual(["scale", "hidden-channels"]);
  });

  test("comes back from its weight file", async () => {
    const model = new Toy({ hiddenChannels: 4 });
    const again = loadModel(await saveWeights(model));
    expect(again).toBeInstanceOf(Toy);
    expect(again.metadata()).toEqual({ architecture: "Toy", scale: "2", hiddenChannels: "4" });
    expect(await again.stateDict()).toEqual(await model.stateDict());
  });

  test("is trained, measured and saved", async () => {
    const folder = mkdtempSync(join(tmpdir(), "pixelgrad-toy-"));
    try {
      const data = [await picturesIn(join(folder, "pictures"), 3)];
      const preset = presetsOf(toy).seconds;
      const config: TrainConfig = { ...preset, network, data, out: join(folder, "run") };
      const { step, best } = await train(config, { device });
      expect(step).toBe(3);
      expect(best!.psnr).toBeGreaterThan(0);
      const model = loadModel(readFileSync(join(folder, "run", "best.safetensors")));
      expect(model.metadata()).toEqual({ architecture: "Toy", scale: "2", hiddenChannels: "3" });
      await expect(train({ ...config, network: { ...network, hiddenChannels: 0 } as never })).rejects.toThrow(
        "network.hiddenChannels wants a whole number of at least 1, got 0",
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
