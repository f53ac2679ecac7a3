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
});

describe("of several networks, names tell which one is taken", () => {
  const averaged = (name: string) => `${name}, the averaged weights`;
  const notTaken = (name: string) => ({ [name]: zeros });
  // What is taken; the file, in which it is `good`; what is not.
  const files: [taken: string, thing: Saved, left: string][] = [
    // The order of the commonest names.
    ...["params_ema", "params-ema", "g_ema", "params", "state_dict", "model_state_dict", "model", "net"]
      .concat(["network", "generator", "netG", "G", "weights"])
      .flatMap((name, i, all): [string, Saved, string][] =>
        all.slice(i + 1, i + 2).flatMap((next): [string, Saved, string][] => {
          const said = i < 3 ? averaged(name) : name;
          return [
            [said, { [name]: good, ...notTaken(next) }, next],
            [said, { ...notTaken(next), [name]: good }, next],
          ];
        }),
      ),
    ["netG", new Map([...prefixed("generator.", zeros), ...prefixed("netG.", good)]), "generator"],
    ["generator", new Map([...prefixed("params.", zeros), ...prefixed("generator.", good)]), "params"],
    // Weights of another time or for another purpose.
    ...["best", "best_state_dict", "init_state_dict", "teacher", "pretrained", "backup", "old_model", "foo"]
      .concat(["ema_start", "best avg", "best_ema", "schema", "bar.0.9", "model_1"])
      .flatMap((name): [string, Saved, string][] => [
        ["state_dict", { [name]: zeros, state_dict: good }, name],
        ["model", { model: good, [name]: zeros }, name],
        ["params", { params: good, [name]: zeros }, name],
        ["my_own", { my_own: good, best_one: zeros }, "best_one"],
      ]),
    ["model", { model: good, avg_history: [zeros] }, "avg_history.0"],
    ["model", { best: { params_ema: zeros }, model: good }, "best.params_ema"],
    [averaged("best.params_ema").split(",")[0], { best: { params: zeros, params_ema: good } }, "best.params"],
    ["student_ema", { student_ema: good, student: zeros }, "student"],
    ["net_g", { gen: zeros, net_g: good }, "gen"],
    ["model", { params_ema: judge, model: good }, "params_ema"],
    ["model", { ema: { net: judge }, model: good }, "ema"],
    // Averages.
    ...[
      "EMAModel",
      "ModelEMA",
      "ema0.999",
      "ema_0.999",
      "params_ema_0.999",
      "ema999",
      "0.999ema",
      "netG_ema2",
    ]
      .concat(["moving_average", "ema_a", "SWAModel", "ema.net"])
      .flatMap((name): [string, Saved, string][] => [
        [averaged(name), { model: zeros, [name]: good }, "model"],
        [averaged(name), { params: zeros, [name]: good }, "params"],
        [averaged(`a.b.${name}`), { "a.b": { [name]: good, model: zeros } }, "a.b.model"],
        [averaged(name), { model: zeros, [name]: good, foo: zeros }, "model and foo"],
        [averaged(`${name}.module`), { model: zeros, [name]: { module: good, decay: 0.9 } }, "model"],
      ]),
    [averaged("ema.shadow"), { model: zeros, ema: { shadow: good, backup: zeros } }, "model and ema.backup"],
    [averaged("avg"), { model: zeros, avg: good }, "model"],
    [averaged("foo.ema"), { model: zeros, foo: { ema: good } }, "model"],
    // Prefixes in one dictionary.
    [averaged("ema0.999"), new Map([...prefixed("model.", zeros), ...prefixed("ema0.999.", good)]), "model"],
    ["model", new Map([...prefixed("model.", good), ...prefixed("ema_foo.", zeros)]), "ema_foo"],
    ["model", new Map([...prefixed("model.", good), ...prefixed("pretrained.", zeros)]), "pretrained"],
  ];
  test.each(files)("%s %#", (taken, thing, left) => {
    const network = readNetwork(torchSave(thing));
    expect(network.taken).toBe(`${taken}; not ${left}`);
    expect(network.state).toEqual(good);
  });

  test("a kernel beside a generator's prefix", () => {
    const thing = new Map([...prefixed("netG.", good), ["kernel", array(1, 1, 21, 21)]]);
    expect(readNetwork(torchSave(thing)).state).toEqual(good);
  });
});

describe("names alone, for those who build the network themselves", () => {
  const files: Record<string, Saved> = {
    "an average of figures": { model: good, avg: { psnr: array() } },
    "an average of rows": { model: good, average: { confusion: array(3, 3) } },
    "a state of figures": { state: { step: array() }, model: good },
    "a dict of figures": { dict: { a: array(4) }, params: good },
    "averaged figures": { model: good, ema: { loss: array(9) } },
    "an average as large": { model: zeros, avg: good },
    "no other name": { state: good, epoch: 3 },
    "one called avg": { avg: { model: good } },
    "the commonest name": { model: zeros, state_dict: good },
    "a dot": { model: zeros, "ema0.999": good },
    EMAModel: { model: zeros, EMAModel: good },
    "no average": { params: good, ema_start: zeros, "best avg": zeros, avg_history: [zeros] },
    "shadow and backup": { model: zeros, ema: { backup: zeros, shadow: good } },
    "in a list": { models: [good, zeros] },
  };
  test.each(Object.entries(files))("%s", (_, thing) => {
    expect(parsePytorch(torchSave(thing)).tensors).toEqual(good);
  });

  test("two that are alike stay where they are", () => {
    const { tensors } = parsePytorch(torchSave({ "ema0.99": good, "ema0.999": zeros, model: zeros }));
    expect([...tensors.keys()]).toContain("ema0.999.body.0.weight");
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
    "twice the same": { foo: good, bar: good },
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
    expect(refusal({ foo: { model: good }, bar: { net: other } })).toContain(": foo.model and bar.net.");
    const decays = new Map([...prefixed("ema0.99.", good), ...prefixed("ema0.999.", other)]);
    for (const beside of ["model.", "foo."]) {
      const message = refusal(new Map([...decays, ...prefixed(beside, zeros)]));
      expect(message).toContain(": ema0.99 and ema0.999.");
    }
  });

  test("a thousand networks, with the first of their names", () => {
    const few: State = new Map([
      ["conv1.weight", array(1, 1, 1, 1)],
      ["conv1.bias", array(1)],
      ["conv2.weight", array(1, 1, 1, 1)],
      ["conv2.bias", array(1)],
      ["conv3.weight", array(1, 1, 1, 1)],
    ]);
    const thing = Object.fromEntries(
      Array.from({ length: 1000 }, (_, i) => [
        `n${i}`,
        new Map([...few, ["conv3.bias", { shape: [1], data: Float32Array.of(i) }]]),
      ]),
    );
    const load = () => readNetwork(torchSave(thing), "net_x2.pth");
    expect(load).toThrow(": n0, n1, n2, n3 and 996 more. Save the weights of one of them alone.");
    const { taken } = readNetwork(
      torchSave({ ...thing, model: new Map([...few, ["conv3.bias", array(1)]]) }),
      "net_x2.pth",
    );
    expect(taken).toBe("model; not n0, n1, n2, n3 and 996 more");
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

describe("figures of the training among or beside the weights", () => {
  const one: NamedArray = { shape: [1], data: Float32Array.of(3) };
  const among = (state: State, ...names: string[]): State =>
    new Map([
      ...state,
      ...names.flatMap((name, i): [string, NamedArray][] => [[name, i === 0 ? array() : one]]),
    ]);
  const averaged: Record<string, Saved> = {
    params_ema: { params: zeros, params_ema: among(good, "num_updates") },
    "state_dict.model_ema": {
      state_dict: new Map([
        ...prefixed("model.", zeros),
        ...prefixed("model_ema.", among(good, "decay", "num_updates")),
      ]),
    },
    "g_ema.module": {
      g_ema: new Map([["n_averaged", one], ...prefixed("module.", good)]),
      g: zeros,
    },
    ema: { ema: among(good, "n_averaged"), state_dict: zeros },
    ema_model: new Map([
      ...prefixed("online_model.", zeros),
      ...prefixed("ema_model.", good),
      ["initted", one],
      ["step", one],
    ]),
  };
  test.each(Object.entries(averaged))("do not keep averaged weights from being taken: %s", (taken, thing) => {
    const network = readNetwork(torchSave(thing));
    expect(network.state).toEqual(good);
    expect(network.taken).toContain(`${taken}, the averaged weights`);
  });

  const alone: Record<string, Saved> = {
    "an older network": { params: among(good, "num_updates"), params_old: zeros },
    "beside a prefix": new Map([...prefixed("module.", good), ["iter", one]]),
    "in a dictionary": { params: among(good, "step", "iter") },
    "at every layer": among(good, "total_ops", "total_params", "body.0.total_ops", "body.0.total_params"),
    "a course of losses": new Map([...prefixed("module.", good), ["loss_history", array(9)]]),
    "a course of losses among weights": new Map([...good, ["loss_history", array(9)]]),
  };
  test.each(Object.entries(alone))("are left out: %s", (_, thing) => {
    expect(readNetwork(torchSave(thing)).state).toEqual(good);
  });

  test("but no number that may change the pictures", () => {
    const scaled = new Map([...good, ["res_scale", one]]);
    expect(() => readNetwork(torchSave(scaled))).toThrow("none of the networks that are known here");
  });
});
