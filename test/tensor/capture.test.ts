/** Captured work gives what built work gives, and is built wherever a replay would be wrong. */
import { beforeEach, describe, expect, test } from "vitest";
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import { openDevice, setDefaultDevice } from "../../src/device/open.ts";
import {
  Adam,
  add,
  addGradients,
  argmax,
  BatchNorm2d,
  backward,
  type Captured,
  capture,
  cast,
  clipGradNorm,
  crossEntropy,
  Dropout,
  detach,
  EDSR,
  emaDecay,
  emaUpdate,
  flatten,
  gt,
  Linear,
  l1Loss,
  type Module,
  mul,
  noGrad,
  ones,
  pow,
  SGD,
  sum,
  where,
} from "../../src/node.ts";
import { compileAhead } from "../../src/tensor/compile-ahead.ts";
import { rand, tensor, zeros } from "../../src/tensor/create.ts";
import { manualSeed, Random } from "../../src/tensor/random.ts";
import { keep, scope } from "../../src/tensor/scope.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { float32Device, gpuDevices } from "../support/devices.ts";

const values = async (x: Tensor) => [...(await x.data())];

describe.each((await gpuDevices()).map((device) => [device.name, device] as const))("on %s", (_, device) => {
  beforeEach(() => setDefaultDevice(device));

  /** Sees `how` of each call of a captured function. */
  function call(captured: Captured<Tensor>, ...inputs: Tensor[]): { result: Tensor; replayed: boolean } {
    const result = captured(...inputs);
    return { result, replayed: captured.whyBuilt === undefined };
  }

  test("assign of a tensor is replayed, and backward notices it then, too", async () => {
    using _ = scope();
    const w = zeros([2], { requiresGrad: true });
    using move = capture((x) => {
      w.assign(add(w, x));
      return sum(w);
    });
    for (const expected of [3, 6, 9]) expect(await move(tensor([1, 2])).item()).toBe(expected);
    expect(move.whyBuilt).toBeUndefined();
    const loss = sum(mul(w, w));
    move(tensor([1, 2]));
    expect(() => backward(loss)).toThrow("has been overwritten");
  });

  describe("training, built and replayed", () => {
    const steps = 80;
    /** Loss of every step and the weights at the end, with all that the trainer does in a step. */
    async function train(replays: boolean) {
      const random = new Random(3);
      const network = () => new EDSR({ scale: 2, blocks: 1, channels: 4, random: new Random(5) });
      const [model, average] = [network(), network()];
      const adam = new Adam(model.parameters(), { weightDecay: 1e-4 });
      let count = 0;
      device.replays = replays;
      using step = capture((x1, y1, x2, y2) => {
        const first = l1Loss(model.forward(x1), y1);
        const gradients = backward(first);
        const second = l1Loss(model.forward(x2), y2);
        addGradients(gradients, backward(second));
        clipGradNorm(gradients, 0.5);
        adam.step(gradients);
        emaUpdate(average, model, () => emaDecay(0.99, count));
        return add(first, second);
      });
      const losses: Tensor[] = [];
      const built: number[] = [];
      const buffers: number[] = [];
      for (; count < steps; count++) {
        using _ = scope();
        const batch = [8, 16, 8, 16].map((side) => rand([2, 3, side, side], { random }));
        adam.lr = 1e-2 * 0.99 ** count;
        losses.push(keep(step(...batch)));
        if (step.whyBuilt) built.push(count);
        if (count === 20 || count === steps - 1) buffers.push(device.memory().bufferBytes);
      }
      device.replays = true;
      const tensors = [...model.namedTensors().values(), ...average.namedTensors().values()];
      const result = {
        losses: await Promise.all(losses.map((loss) => loss.item())),
        weights: await Promise.all(tensors.map(values)),
        versions: model.parameters().map(({ storage }) => storage.version),
        steps: adam.steps,
      };
      for (const owned of [...losses, model, average, adam]) owned.dispose();
      return { result, built, buffers };
    }

    test(`${steps} steps are the same to the last bit, and memory stays flat`, async () => {
      const built = await train(false);
      expect(built.built).toHaveLength(steps);
      const replayed = await train(true);
      expect(replayed.result).toEqual(built.result);
      expect(replayed.result.losses.at(-1)).toBeLessThan(replayed.result.losses[0]);
      expect(replayed.built.every((step) => step < 3)).toBe(true);
      // The losses that are kept, 256 bytes each, are all that is new.
      expect(replayed.buffers[1] - replayed.buffers[0]).toBeLessThanOrEqual(256 * steps);
    });

    test("the optimizer reads its learning rate and counts its steps at every replay", async () => {
      for (const Optimizer of [Adam, SGD]) {
        const parameter = tensor([1], undefined, { requiresGrad: true });
        const optimizer = new Optimizer([parameter], { lr: 0.5 });
        using step = capture((x) => {
          const loss = sum(mul(parameter, x));
          optimizer.step(backward(loss));
          return loss;
        });
        for (const lr of [0.5, 0.25, 0.125]) {
          using _ = scope();
          optimizer.lr = lr;
          step(tensor([1]));
        }
        expect(step.whyBuilt).toBeUndefined();
        expect(optimizer.steps).toBe(3);
        expect(await parameter.item()).toBeCloseTo(1 - 0.875, 5);
        optimizer.dispose();
        parameter.dispose();
      }
    });
  });

  describe("modules that change from call to call", () => {
    /** What six calls of a captured body give, built and replayed. Everything in it is made by `make`. */
    async function both(make: () => { body: (x: Tensor) => Tensor; modules: readonly Module[] }) {
      const results: { values: number[][]; state: unknown[] }[] = [];
      for (const replays of [false, true]) {
        device.replays = replays;
        manualSeed(7);
        const { body, modules } = make();
        using step = capture(body);
        const values: number[][] = [];
        for (let i = 0; i < 6; i++) {
          using _ = scope();
          const x = rand([4, 3, 5, 5], { random: new Random(i) });
          values.push([...(await step(x).data())]);
        }
        if (replays) expect(step.whyBuilt).toBeUndefined();
        results.push({ values, state: await Promise.all(modules.map((module) => module.stateDict())) });
        for (const module of modules) module.dispose();
      }
      manualSeed(0);
      device.replays = true;
      return results;
    }

    test("Dropout draws anew at each replay, and its gradient knows which", async () => {
      const [built, replayed] = await both(() => {
        const layer = new Dropout(0.5);
        const w = tensor(new Array(300).fill(1), [4, 3, 5, 5], { requiresGrad: true });
        return {
          modules: [],
          body: (x) => {
            const [a, b] = [layer.forward(mul(w, x)), layer.forward(mul(w, x))];
            return backward(sum(mul(a, b))).get(w)!;
          },
        };
      });
      expect(replayed).toEqual(built);
      const zeros = built.values.map((gradient) => gradient.map((value) => value === 0).join());
      expect(new Set(zeros).size).toBe(6);
      // Of two masks by 1/2, a quarter lets both factors through.
      for (const gradient of built.values) {
        const kept = gradient.filter((value) => value !== 0).length;
        expect(Math.abs(kept - 75)).toBeLessThan(35);
      }
    });

    test.each([0.2, null])("BatchNorm2d counts its batches, momentum %s", async (momentum) => {
      const [built, replayed] = await both(() => {
        const layer = new BatchNorm2d(3, { momentum });
        return { modules: [layer], body: (x) => sum(mul(layer.forward(x), x), [0, 2, 3]) };
      });
      expect(replayed).toEqual(built);
      const state = replayed.state[0] as Map<string, { data: Float32Array }>;
      expect([...state.get("num_batches_tracked")!.data]).toEqual([6]);
    });

    test("comparisons with numbers, where and crossEntropy with a tensor", async () => {
      const [built, replayed] = await both(() => ({
        modules: [],
        body: (x) => {
          const positive = where(gt(x, 0.5), x, 0);
          const target = argmax(flatten(x, 1), 1);
          return crossEntropy(flatten(pow(2, positive), 1), target);
        },
      }));
      expect(replayed).toEqual(built);
    });
  });

  describe("a call replays", () => {
    test("with other values, and results are tensors of the caller's", async () => {
      using _ = scope();
      using twice = capture((x) => mul(x, 2));
      const results = [1, 2, 3, 4].map((value) => call(twice, tensor([value, -value])));
      expect(results.map(({ replayed }) => replayed).slice(2)).toEqual([true, true]);
      expect(await Promise.all(results.map(({ result }) => values(result)))).toEqual(
        [1, 2, 3, 4].map((value) => [2 * value, -2 * value]),
      );
    });

    test("with a list of results, also such as the body did not make", async () => {
      using _ = scope();
      const fixed = tensor([7]);
      using both = capture((x) => [add(x, fixed), fixed, x]);
      for (const value of [1, 2, 3]) {
        const results = both(tensor([value]));
        expect(await Promise.all(results.map((result) => result.item()))).toEqual([value + 7, 7, value]);
      }
      expect(both.whyBuilt).toBeUndefined();
      expect(await values(fixed)).toEqual([7]);
    });

    test("for each of several shapes", async () => {
      using _ = scope();
      using double = capture((x) => add(x, x));
      for (let round = 0; round < 4; round++) {
        for (const length of [3, 70]) {
          const { result, replayed } = call(double, tensor(new Array(length).fill(round)));
          expect(await values(result)).toEqual(new Array(length).fill(2 * round));
          if (round === 3) expect(replayed).toBe(true);
        }
      }
    });

    test("after its memory was in use elsewhere it is built once, and replays again", async () => {
      using _ = scope();
      using chain = capture((x) => mul(add(x, 1), add(x, 2)));
      const x = tensor(new Float32Array(100_000).fill(3));
      const check = async () => {
        const { result, replayed } = call(chain, x);
        expect((await values(result)).every((value) => value === 20)).toBe(true);
        result.dispose();
        return replayed;
      };
      for (let i = 0; i < 3; i++) await check();
      expect(await check()).toBe(true);
      // All free buffers of that size, and none left for the captured work.
      const others = Array.from({ length: 8 }, () => zeros([100_000]));
      expect(await check()).toBe(false);
      expect(await check()).toBe(true);
      for (const other of others) other.dispose();
      device.freeUnused();
      expect(await check()).toBe(false);
      expect(await check()).toBe(true);
    });
  });

  describe("the body is called again", () => {
    /** What the calls of a body give, each with input [i], and the reason of the last. */
    async function calls(body: (x: Tensor) => Tensor, count = 5) {
      using captured = capture(body);
      const results: number[] = [];
      for (let i = 0; i < count; i++) {
        using _ = scope();
        results.push(await captured(tensor([i])).item());
      }
      return { results, why: captured.whyBuilt };
    }

    test("if it makes tensors from values of JavaScript", async () => {
      let count = 0;
      const { results, why } = await calls((x) => add(x, tensor([10 * count++])));
      expect(results).toEqual([0, 11, 22, 33, 44]);
      expect(why).toContain("from values of JavaScript");
    });

    test("if it keeps a tensor of its own", async () => {
      const own: Tensor[] = [];
      const { results, why } = await calls((x) => {
        const y = mul(x, 3);
        own.push(keep(y));
        return add(y, 1);
      });
      expect(results).toEqual([1, 4, 7, 10, 13]);
      expect(why).toContain("kept a tensor");
      expect(await Promise.all(own.map((y) => y.item()))).toEqual([0, 3, 6, 9, 12]);
      for (const y of own) y.dispose();
    });

    test("if it replaces a tensor that it had not made", async () => {
      let state = tensor([100]);
      const { results, why } = await calls((x) => {
        const next = add(state, x);
        state.dispose();
        state = keep(next);
        return mul(next, 1);
      });
      expect(results).toEqual([100, 101, 103, 106, 110]);
      expect(why).toBeDefined();
      state.dispose();
    });

    test("if it reads values", async () => {
      const read: Promise<Float32Array>[] = [];
      const { why } = await calls((x) => {
        const y = mul(x, 2);
        read.push(y.data());
        return y;
      });
      expect(why).toContain("read a tensor's values");
      expect((await Promise.all(read)).map(([value]) => value)).toEqual([0, 2, 4, 6, 8]);
    });

    test("if a tensor that it uses has been replaced outside", async () => {
      let factor = tensor([2]);
      using scaled = capture((x) => mul(x, factor));
      for (let i = 0; i < 4; i++) {
        using _ = scope();
        expect(await scaled(tensor([5])).item()).toBe(5 * (i + 2));
        factor.dispose();
        factor = keep(tensor([i + 3]));
      }
      factor.dispose();
    });

    describe("if a parameter has moved, while others keep the memory where it was:", () => {
      /** What y = w x and a step give, both replayed before, when w has moved; or the messages of their errors. */
      async function outcomes(move: (layer: Linear, train: (by: SGD) => void) => unknown) {
        using _ = scope();
        const layer = new Linear(1, 1, { bias: false });
        layer.weight.assign([1]);
        const one = ones([1, 1]);
        const forward = (x: Tensor) => noGrad(() => layer.forward(x));
        using predict = capture(forward);
        const first = new SGD(layer.parameters(), { lr: 0.5 });
        using step = capture((x) => {
          const loss = sum(layer.forward(x));
          first.step(backward(loss));
          return loss;
        });
        for (let i = 0; i < 3; i++) step(one);
        for (let i = 0; i < 2; i++) expect(await predict(one).item()).toBe(-0.5);
        expect([step.whyBuilt, predict.whyBuilt]).toEqual([undefined, undefined]);
        await move(layer, (by) => by.step(backward(sum(layer.forward(one)))));
        const outcome = async (work: (x: Tensor) => Tensor) => {
          try {
            return await work(one).item();
          } catch (error) {
            return (error as Error).message;
          }
        };
        return [await outcome(predict), await outcome(forward), await outcome(step), first.steps];
      }

      test("a second optimizer has it", async () => {
        const results = await outcomes((layer, train) => train(new SGD(layer.parameters(), { lr: 2 })));
        expect(results).toEqual([
          -2.5,
          -2.5,
          expect.stringContaining("belongs to another optimizer by now"),
          3,
        ]);
      });

      test.each(["disposed", "on another device"])("the layer is %s", async (where) => {
        const [predicted, forward, step] = await outcomes((layer) =>
          where === "disposed" ? layer.dispose() : layer.to(float32Device()),
        );
        expect(forward).toContain(where === "disposed" ? "after it had been disposed" : "is on cpu");
        expect([predicted, step]).toEqual([forward, forward]);
      });

      test.runIf(device.profile.float16)(
        "half() has stored it anew, and a view has the old memory",
        async () => {
          using _ = scope();
          const layer = new Linear(1, 1, { bias: false });
          layer.weight.assign([1]);
          using weight = capture(() => cast(mul(layer.weight, 2), "float32"));
          for (let i = 0; i < 3; i++) expect(await weight().item()).toBe(2);
          expect(weight.whyBuilt).toBeUndefined();
          const view = detach(layer.weight);
          layer.half();
          layer.weight.assign([3]);
          expect(await noGrad(() => weight()).item()).toBe(6);
          expect(await view.item()).toBe(1);
        },
      );
    });

    test("if the device replays nothing", async () => {
      device.replays = false;
      let count = 0;
      await calls((x) => {
        count++;
        return mul(x, 1);
      });
      device.replays = true;
      expect(count).toBe(5);
    });
  });

  test("captured work inside captured work is a part of it, and of what is compiled ahead", async () => {
    using inner = capture((x) => mul(x, 2));
    using outer = capture((x) => add(inner(x), 1));
    await compileAhead(() => outer(tensor([0])));
    for (let i = 0; i < 4; i++) {
      using _ = scope();
      expect(await outer(tensor([i])).item()).toBe(2 * i + 1);
    }
    expect(outer.whyBuilt).toBeUndefined();
    expect(inner.whyBuilt).toContain("part of captured work");
  });

  test("an error in the body leaves everything as it was", async () => {
    let fails = true;
    using moody = capture((x) => {
      const y = mul(x, 2);
      if (fails) throw new Error("not today");
      return y;
    });
    using _ = scope();
    const { live } = device.memory();
    const x = tensor([4]);
    expect(() => moody(x)).toThrow("not today");
    expect(device.memory().live).toBe(live + 2); // x, and the memory for inputs of that shape
    fails = false;
    for (let i = 0; i < 3; i++) expect(await moody(x).item()).toBe(8);
    expect(moody.whyBuilt).toBeUndefined();
  });

  test("dispose frees the memory, and the function can be used again", async () => {
    using _ = scope();
    const { live } = device.memory();
    const twice = capture((x) => mul(x, 2));
    const x = tensor([4]);
    for (let i = 0; i < 3; i++) twice(x).dispose();
    expect(device.memory().live).toBe(live + 3);
    twice.dispose();
    expect(device.memory().live).toBe(live + 1);
    expect(await twice(x).item()).toBe(8);
    twice.dispose();
  });

  test("another device gets commands of its own", async () => {
    using _ = scope();
    using twice = capture((x) => mul(x, 2));
    for (let i = 0; i < 3; i++) twice(tensor([i]));
    const other = (await openDevice({ adapter: device.adapterClass })) as GpuDevice;
    const x = tensor([21], undefined, { device: other });
    for (let i = 0; i < 3; i++) expect(await twice(x).item()).toBe(42);
    expect(twice.whyBuilt).toBeUndefined();
    expect(await twice(tensor([1])).item()).toBe(2);
    other.destroy();
  });

  test("bodies that cannot be captured, and inputs that want a gradient, are refused", () => {
    using _ = scope();
    const x = tensor([1], undefined, { requiresGrad: true });
    using twice = capture((y) => mul(y, 2));
    expect(() => twice(x)).toThrow("an input wants a gradient");
    expect(() => twice(mul(x, 2))).toThrow("computed from such a tensor");
    // @ts-expect-error An async body.
    using late = capture(async (y) => mul(y, 2));
    expect(() => late(tensor([1]))).toThrow("It cannot be async");
  });
});

test("on the CPU device the body is called", async () => {
  setDefaultDevice(float32Device());
  using _ = scope();
  let count = 0;
  using twice = capture((x) => {
    count++;
    return mul(x, 2);
  });
  for (let i = 0; i < 3; i++) expect(await twice(tensor([i])).item()).toBe(2 * i);
  expect(count).toBe(3);
  expect(twice.whyBuilt).toContain("does not run on a GPU");
});
