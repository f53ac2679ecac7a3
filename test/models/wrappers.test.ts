/** Weights among other things in a file: found by what they are, chosen by what their names say. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parsePytorch, readNetwork, serializeSafetensors } from "../../src/index.ts";
import type { NamedArray } from "../../src/nn/module.ts";
import { DataError } from "../../src/picture/errors.ts";
import { type Saved, torchSave } from "../support/torch-save.ts";

type State = ReadonlyMap<string, NamedArray>;

const file = new URL("../golden/foreign-networks/2x-compact-half.pth", import.meta.url);
const good: State = readNetwork(readFileSync(file)).state;
const mapped = (change: (value: number) => number): State =>
  new Map([...good].map(([name, { shape, data }]) => [name, { shape, data: data.map(change) }]));
const zeros = mapped(() => 0);
const other = mapped((value) => value / 2);
const array = (...shape: number[]): NamedArray => ({
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.5),
});
const judge = new Map([["conv.weight", array(3, 3, 3, 3)]]);
const prefixed = (prefix: string, state: State): [string, NamedArray][] =>
  [...state].map(([name, tensor]) => [prefix + name, tensor]);

describe("averaged weights come before plain ones, in whatever order", () => {
  const pairs = ["params_ema", "params-ema", "ema", "EMA", "model_ema", "ema_model", "g_ema", "netG_EMA"]
    .concat(["generator_ema", "net_g_ema", "ema_state_dict", "state_dict_ema", "ema_params", "ema_weights"])
    .concat(["avg_model", "swa_model", "averaged", "shadow_params", "model_state_dict_ema"])
    .flatMap((averaged) =>
      ["model", "state_dict", "params", "generator", "net_g", "G"].map((plain) => [averaged, plain] as const),
    );

  test.each(pairs)("%s and %s", (averaged, plain) => {
    const files = {
      "as dictionaries": torchSave({ [plain]: zeros, [averaged]: good }),
      "the other way round": torchSave({ [averaged]: good, [plain]: zeros }),
      "as prefixes": torchSave(new Map([...prefixed(`${plain}.`, zeros), ...prefixed(`${averaged}.`, good)])),
      "in a dictionary": torchSave({
        state_dict: new Map([...prefixed(`${averaged}.`, good), ...prefixed(`${plain}.`, zeros)]),
        epoch: 3,
      }),
      "as safetensors": serializeSafetensors(
        new Map([...prefixed(`${plain}.`, zeros), ...prefixed(`${averaged}.`, good)]),
      ),
    };
    for (const [how, bytes] of Object.entries(files)) {
      const { state, taken } = readNetwork(bytes);
      expect(state, how).toEqual(good);
      const path = how === "in a dictionary" ? "state_dict." : "";
      expect(taken, how).toBe(`${path}${averaged}, the averaged weights; not ${path}${plain}`);
    }
  });

  test("for those who build the network themselves, too", () => {
    expect(parsePytorch(torchSave({ model: zeros, ema: good })).tensors).toEqual(good);
    expect(parsePytorch(torchSave({ ema: good, model: zeros, loss: array() })).tensors).toEqual(good);
  });

  test("an empty one is none", () => {
    expect(readNetwork(torchSave({ params: good, params_ema: {} })).state).toEqual(good);
    expect(parsePytorch(torchSave({ params: good, params_ema: {} })).tensors).toEqual(good);
  });

  test("parts of a word are no words", () => {
    // "schema" ends in ema, and "regime" begins with reg.
    const load = () => readNetwork(torchSave({ schema: good, model: zeros }), "net.pth");
    expect(load).toThrow("net.pth holds several networks");
  });
});

describe("the weights are found, whatever stands beside them", () => {
  const moments = {
    state: { "0": { step: array(), exp_avg: array(6, 3, 3, 3) } },
    param_groups: [{ lr: 1 }],
  };
  const files: Record<string, Saved> = {
    "a loss": { model: good, loss: array() },
    "figures of validation": { model: good, best_psnr: array(), step: array(), epoch: 4 },
    "a generator's state": { state_dict: good, rng: array(5056) },
    "an optimizer": { net: good, optimizer: moments, schedulers: [{}], iter: 5 },
    "a list of optimizers": { state_dict: good, optimizer_states: [moments] },
    "an optimizer by the network's names": { model: good, optimizer: { exp_avg: zeros } },
    "a discriminator": { gen: good, disc: judge },
    "one called d": { g: good, d: zeros },
    "any name": { foo: good, bar: judge },
    "in a list": [good],
    "in a tuple": [good, 3],
    "twice the same": { model: good, best: good },
    "two deep": { checkpoint: { my: { weights: good } }, time: array(2) },
    "PyTorch's average": new Map([["n_averaged", array()], ...prefixed("module.", good)]),
    "Lightning: figures": {
      state_dict: new Map([
        ...prefixed("model.", good),
        ["loss_fn.kernel", array(3, 1, 5, 5)],
        ["psnr.sum", array()],
      ]),
      callbacks: { best: { best_model_score: array() } },
    },
    "Lightning: a network that judges": {
      state_dict: new Map([...prefixed("net.", good), ["vgg.features.0.weight", array(4, 3, 3, 3)]]),
    },
    "under a name of one's own": new Map([...prefixed("mine.", good), ["vgg.0.weight", array(4, 3, 3, 3)]]),
  };
  test.each(Object.entries(files))("%s", (_, thing) => {
    const network = readNetwork(torchSave(thing));
    expect(network.metadata).toMatchObject({ architecture: "Compact", scale: "2" });
    expect(network.state).toEqual(good);
    expect(network.taken).toBeUndefined();
  });
});

describe("what names do not tell is refused", () => {
  const refusal = (thing: Saved) => {
    const load = () => readNetwork(torchSave(thing), "net.pth");
    expect(load).toThrow(DataError);
    try {
      load();
    } catch (error) {
      return (error as Error).message;
    }
  };
  test("two networks", () => {
    const message = refusal({ student: good, teacher: other });
    expect(message).toContain("net.pth holds several networks");
    expect(message).toContain(": student and teacher.");
    expect(refusal({ ema_a: good, ema_b: other, model: zeros })).toContain(": ema_a and ema_b.");
  });

  test("a network that is a part of a larger one", () => {
    for (const beside of ["flow.0.weight", "mean", "mean_shift.weight"]) {
      const message = refusal(new Map([...prefixed("encoder.", good), [beside, array(3, 3)]]));
      expect(message, beside).toContain("none of the networks that are known here");
    }
    const shifted = refusal(new Map([...prefixed("net.", good), ["sub_mean.weight", array(3, 3, 1, 1)]]));
    expect(shifted).toContain("none of the networks that are known here");
  });

  test("tensors that reach past the end, when they are wanted", () => {
    const broken = new Map([...good, ["body.0.bias", { shape: [6], data: new Float32Array(2) }]]);
    expect(refusal({ params: broken })).toContain("reaches past the end of its storage");
    // Nobody wants these.
    expect(readNetwork(torchSave({ params: good, optimizer: broken })).state).toEqual(good);
  });
});
