/**
 * Adam and SGD: states, errors and memory. Their arithmetic is compared with PyTorch's in
 * test/golden.
 */
import { beforeEach, describe, expect, test, vi } from "vitest";
import { CpuDevice } from "../../src/device/cpu-device.ts";
import type { Device } from "../../src/device/device.ts";
import { GpuDevice } from "../../src/device/gpu-device.ts";
import { setDefaultDevice } from "../../src/device/open.ts";
import { mul } from "../../src/kernels/elementwise/index.ts";
import { detach, reshape } from "../../src/kernels/layout/index.ts";
import { mseLoss } from "../../src/kernels/loss/index.ts";
import { sum } from "../../src/kernels/reduce/index.ts";
import { Adam, AdamW, Conv2d, clipGradNorm, Module, SGD } from "../../src/nn/index.ts";
import { inspectHook } from "../../src/options/printable.ts";
import { DataError } from "../../src/picture/errors.ts";
import { rand, tensor, zeros } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { backward } from "../../src/tensor/tape.ts";
import { Tensor } from "../../src/tensor/tensor.ts";
import { float32Device, gpuDevices } from "../support/devices.ts";

const devices: Device[] = [float32Device(), ...(await gpuDevices())];
type Optimizer = Adam | SGD;
const kinds: [string, (parameters: Tensor[]) => Optimizer][] = [
  ["Adam", (parameters) => new Adam(parameters, { lr: 0.05, weightDecay: 0.01 })],
  ["AdamW", (parameters) => new AdamW(parameters, { lr: 0.05, weightDecay: 0.01 })],
  ["SGD", (parameters) => new SGD(parameters, { lr: 0.01, momentum: 0.9, nesterov: true })],
  ["plain SGD", (parameters) => new SGD(parameters, { lr: 0.01 })],
];

/** Sizes around the 64 elements at which parameters are aligned. */
const sizes = [1, 63, 64, 65, 200];
const parameters = () => {
  const random = new Random(5);
  return sizes.map((size) => rand([size], { random, low: -1, high: 1, requiresGrad: true }));
};
const target = (x: Tensor) => tensor(new Float32Array(x.size).fill(0.5), x.shape);

/** One step towards 0.5, everywhere. */
function train(optimizer: Optimizer, parameters: Tensor[]): void {
  using _ = scope();
  const gradients = new Map(
    parameters.map((parameter) => {
      const gradients = backward(mseLoss(parameter, target(parameter), { reduction: "sum" }));
      return [parameter, gradients.get(parameter)!] as const;
    }),
  );
  optimizer.step(gradients);
}
const read = (parameters: Tensor[]) => Promise.all(parameters.map((parameter) => parameter.data()));

describe.each(devices.map((device) => [device.name, device] as const))("on %s", (_, device) => {
  beforeEach(() => setDefaultDevice(device));

  // Launches that are full, and some that are not.
  test.each([1, 6, 7, 17])(
    "the gradients of %d parameters reach their places, and nothing else",
    async (count) => {
      using _ = scope();
      const random = new Random(count);
      const parameters = Array.from({ length: count }, (_, i) =>
        rand([sizes[i % sizes.length] + i], { random, requiresGrad: true }),
      );
      const before = await read(parameters);
      // A gradient that is a part of another tensor's memory is a gradient like any other.
      const whole = rand([512], { random });
      const part = new Tensor(
        device,
        parameters[0].shape,
        device.slice(whole.storage, 64, parameters[0].size),
      );
      const gradients = new Map(
        parameters.map(
          (parameter, i) => [parameter, i === 0 ? part : rand(parameter.shape, { random })] as const,
        ),
      );
      const optimizer = new SGD(parameters, { lr: 1, momentum: 0.5 });
      optimizer.step(gradients);
      const after = await read(parameters);
      const steps = await read([...gradients.values()]);
      for (const [i, values] of before.entries()) {
        expect([...after[i]]).toEqual([...values].map((value, k) => Math.fround(value - steps[i][k])));
      }
      // The velocity is the gradient now, and zero in the gaps.
      const { velocity } = (await optimizer.stateDict()).sums;
      const filled = steps.reduce((sum, step) => sum + step.filter((value) => value !== 0).length, 0);
      expect(velocity.filter((value) => value !== 0).length).toBe(filled);
      optimizer.dispose();
    },
  );

  describe.each(kinds)("%s", (_, create) => {
    test("creating one changes no parameter", async () => {
      using _ = scope();
      const own = parameters();
      const before = await read(own);
      const optimizer = create(own);
      expect(await read(own)).toEqual(before);
      optimizer.dispose();
      expect(await read(own)).toEqual(before);
    });

    test("tensors that share a parameter's memory follow it, also to another optimizer", async () => {
      using _ = scope();
      const own = parameters();
      const views = own.map((parameter) => reshape(detach(parameter), [1, parameter.size]));
      const before = await read(own);
      const optimizer = create(own);
      train(optimizer, own);
      const after = await read(own);
      expect(after).not.toEqual(before);
      expect(await read(views)).toEqual(after);
      const next = create(own);
      expect(await read(views)).toEqual(after);
      train(next, own);
      expect(await read(views)).toEqual(await read(own));
      expect(() => train(optimizer, own)).toThrow("belongs to another optimizer by now");
      // A view may outlive its parameter, as before.
      const last = await read(own);
      for (const parameter of own) parameter.dispose();
      expect(await read(views)).toEqual(last);
      optimizer.dispose();
      next.dispose();
    });

    test("leads towards the minimum", async () => {
      using _ = scope();
      const own = parameters();
      const optimizer = create(own);
      for (let step = 0; step < 200; step++) train(optimizer, own);
      expect(optimizer.steps).toBe(200);
      for (const values of await read(own)) for (const value of values) expect(value).toBeCloseTo(0.5, 1);
      optimizer.dispose();
    });

    test("continues from a saved state, the same to the last bit", async () => {
      using _ = scope();
      const [own, resumed] = [parameters(), parameters()];
      const optimizer = create(own);
      for (let step = 0; step < 5; step++) train(optimizer, own);
      const state = await optimizer.stateDict();
      expect(state.steps).toBe(5);
      const values = await read(own);
      for (let step = 0; step < 5; step++) train(optimizer, own);

      for (const [i, parameter] of resumed.entries()) parameter.assign(values[i]);
      const other = create(resumed);
      // Through JSON and back is how people will save it.
      const sums = Object.entries(state.sums).map(([name, sum]) => [name, Float32Array.from([...sum])]);
      other.loadStateDict({ ...state, sums: Object.fromEntries(sums) });
      expect(other.lr).toBe(optimizer.lr);
      for (let step = 0; step < 5; step++) train(other, resumed);
      expect(await read(resumed)).toEqual(await read(own));
      expect(await other.stateDict()).toEqual(await optimizer.stateDict());
      optimizer.dispose();
      other.dispose();
    });

    test("dispose frees everything but the parameters; steps then throw", async () => {
      const { live } = device.memory();
      const own = parameters();
      const values = await read(own);
      const optimizer = create(own);
      optimizer.dispose();
      optimizer.dispose(); // harmless
      expect(await read(own)).toEqual(values);
      expect(() => train(optimizer, own)).toThrow("the optimizer has been disposed. Create a new one.");
      await expect(optimizer.stateDict()).rejects.toThrow("the optimizer has been disposed");
      // The parameters, slices of one block by now, can go to another optimizer.
      const next = create(own);
      expect(await read(own)).toEqual(values);
      train(next, own);
      expect(await read(own)).not.toEqual(values);
      next.dispose();
      for (const parameter of own) parameter.dispose();
      expect(device.memory().live).toBe(live);
    });

    test("the gradient of a graph from before the step is refused", () => {
      using _ = scope();
      const own = parameters();
      const optimizer = create(own);
      const loss = sum(mul(own[1], own[1]));
      train(optimizer, own);
      expect(() => backward(loss)).toThrow("has been overwritten since");
      optimizer.dispose();
    });
  });

  test("a schedule sets the rate between steps", async () => {
    using _ = scope();
    const x = tensor([1], undefined, { requiresGrad: true });
    const optimizer = new SGD([x]);
    expect(optimizer.lr).toBe(1e-3);
    for (const lr of [0.5, 0.25]) {
      optimizer.lr = lr;
      optimizer.step(new Map([[x, tensor([1])]]));
    }
    expect(await x.item()).toBe(0.25);
    optimizer.dispose();
  });

  describe("errors", () => {
    test("a number for options, an object for parameters, no gradients, NaN for a rate", async () => {
      const x = tensor([1, 2], [2], { requiresGrad: true });
      type JavaScript = new (parameters: unknown, options?: unknown) => Adam;
      for (const [name, Optimizer] of Object.entries({ Adam, SGD })) {
        const Untyped = Optimizer as JavaScript;
        expect(() => new Untyped([x], 5)).toThrow(
          `${name}: options are an object such as { lr: 1e-3 }, got 5.`,
        );
        expect(() => new Untyped({ parameters: [] })).toThrow(
          `${name}: the first argument is a list of tensors`,
        );
        const optimizer = new Untyped([x]);
        expect(() => (optimizer.step as () => void)()).toThrow(
          `${name}.step: wants the gradients of backward(loss), got undefined.`,
        );
        optimizer.lr = Number.NaN;
        expect(() => optimizer.step(new Map([[x, x]]))).toThrow(`${name}.step: lr is NaN`);
        expect(await x.data()).toEqual(Float32Array.of(1, 2));
        optimizer.dispose();
      }
    });

    test("no parameters, the same one twice, one on another device", () => {
      using _ = scope();
      const { live } = device.memory();
      const x = tensor([1, 2], undefined, { requiresGrad: true });
      const elsewhere = tensor([1], undefined, { device: float32Device(), requiresGrad: true });
      expect(() => new Adam([])).toThrow(
        "Adam: there are no parameters to optimize. A parameter is a tensor with requiresGrad in a property",
      );
      expect(() => new SGD([x, x])).toThrow("SGD: a parameter is in the list twice.");
      const view = reshape(x, [2, 1]);
      view.requiresGrad = true;
      expect(() => new SGD([x, view])).toThrow(
        "SGD: the parameters of shapes [2] and [2, 1] share their memory",
      );
      const onTwo = () => new Adam([x, elsewhere]);
      expect(onTwo).toThrow(`Adam: one parameter is on ${device.name} and another on cpu. `);
      expect(onTwo).toThrow("await model.to(device) a network. Or use one optimizer for each device.");
      expect(() => new SGD([x], { nesterov: true })).toThrow(
        "SGD: nesterov wants a momentum above 0, got 0.",
      );
      expect(device.memory().live).toBe(live + 1);
    });

    test("wrong gradients, and the parameter of another optimizer: nothing changes", async () => {
      using _ = scope();
      const [a, b] = [
        tensor([1, 2], undefined, { requiresGrad: true }),
        tensor([[3]], undefined, { requiresGrad: true }),
      ];
      const optimizer = new Adam([a, b]);
      const gradient = tensor([1, 1]);
      expect(() => optimizer.step(new Map([[a, gradient]]))).toThrow(
        "Adam.step: parameter 1 of shape [1, 1] has no gradient; the loss does not depend on it.",
      );
      expect(() =>
        optimizer.step(
          new Map([
            [a, gradient],
            [b, tensor([1])],
          ]),
        ),
      ).toThrow("Adam.step: parameter 1 of shape [1, 1] has a gradient of another shape, [1].");
      const elsewhere = new CpuDevice("float32");
      expect(() =>
        optimizer.step(
          new Map([
            [a, gradient],
            [b, tensor([[1]], { device: elsewhere })],
          ]),
        ),
      ).toThrow(
        `Adam.step: parameter 1 of shape [1, 1] is on ${device.name} and its gradient on cpu. ` +
          (device.name === "cpu"
            ? "These are two devices, opened separately: if that was not meant, call init() once. "
            : "") +
          "await x.to(device) moves a tensor, await model.to(device) a network.",
      );
      const thief = new SGD([b]);
      expect(() =>
        optimizer.step(
          new Map([
            [a, gradient],
            [b, tensor([[1]])],
          ]),
        ),
      ).toThrow(
        "Adam.step: parameter 1 of shape [1, 1] belongs to another optimizer by now, or model.to(device) has moved it.",
      );
      expect(optimizer.steps).toBe(0);
      expect([...(await a.data()), ...(await b.data())]).toEqual([1, 2, 3]);
      thief.step(new Map([[b, tensor([[1000]])]]));
      expect(await b.item()).toBe(2);
      optimizer.dispose();
      thief.dispose();
    });

    test("the state of another network, or of another optimizer", async () => {
      using _ = scope();
      const parameter = (size: number) => zeros([size], { requiresGrad: true });
      const [small, large, sgd] = [
        new Adam([parameter(2)]),
        new Adam([parameter(65)]),
        new SGD([parameter(1)]),
      ];
      const state = await small.stateDict();
      expect(() => large.loadStateDict(state)).toThrow(
        "Adam.loadStateDict: the given state does not fit: its parameter 0 is [2] and should be [65]. It belongs to",
      );
      const { shapes: _shapes, ...withoutShapes } = state;
      expect(() => large.loadStateDict(withoutShapes)).toThrow(
        "Adam.loadStateDict: m of the given state has 64 values and should have 128. It belongs to",
      );
      expect(() => sgd.loadStateDict(withoutShapes, { source: "a.safetensors" })).toThrow(
        "SGD.loadStateDict: velocity of a.safetensors has no values",
      );
      // All of these take the same room in a block.
      const pair = (a: number[], b: number[]) => {
        return new Adam([a, b].map((shape) => zeros(shape, { requiresGrad: true })));
      };
      const adams = [pair([2], [3]), pair([3], [1]), pair([3, 1], [1])];
      const [first, second] = await Promise.all(adams.map((adam) => adam.stateDict()));
      expect(() => adams[1].loadStateDict(first)).toThrow("its parameter 0 is [2] and should be [3].");
      expect(() => adams[1].loadStateDict(first)).toThrow(DataError);
      expect(() => adams[2].loadStateDict(second)).toThrow("its parameter 0 is [3] and should be [3, 1].");
      expect(() => small.loadStateDict(first)).toThrow("it has 2 parameters and should have 1.");
      adams[1].loadStateDict(second);
      for (const adam of adams) adam.dispose();
      expect(large.steps).toBe(0);
      for (const optimizer of [small, large, sgd]) optimizer.dispose();
    });
  });
});

describe("a network larger than what the device can bind at once", () => {
  const [gpu] = devices.filter((device) => device instanceof GpuDevice);
  /** Runs `body` as on a device that can bind so many elements. */
  const binding = async <T>(elements: number, body: () => T | Promise<T>): Promise<T> => {
    const own = gpu.profile;
    gpu.profile = { ...own, maxTensorBytes: 4 * elements };
    try {
      return await body();
    } finally {
      gpu.profile = own;
    }
  };
  const result = async (parameters: Tensor[]) => Promise.all(parameters.map((parameter) => parameter.data()));

  test.each(kinds)(
    "%s has several blocks: the same steps and the same state, to the last bit",
    async (_, create) => {
      setDefaultDevice(gpu);
      const steps = async (elements: number) => {
        const trained = parameters();
        const before = gpu.memory().live;
        const optimizer = await binding(elements, () => create(trained));
        const storages = gpu.memory().live - before + trained.length; // the parameters' own have been freed
        train(optimizer, trained);
        train(optimizer, trained);
        const state = await optimizer.stateDict();
        const half = await result(trained);
        // A state may be continued on a device that can bind less or more.
        const other = await binding(elements === 2048 ? 256 : 2048, () => create(trained));
        other.loadStateDict(state);
        train(other, trained);
        const whole = await result(trained);
        optimizer.dispose();
        other.dispose();
        return { half, whole, state, storages };
      };
      const [one, several] = [await steps(2048), await steps(256)];
      expect(several.half).toEqual(one.half);
      expect(several.whole).toEqual(one.whole);
      expect(several.state).toEqual(one.state);
      expect(several.storages).toBe(3 * one.storages); // 1 + 63 + 64, 65, and 200, with their gaps
    },
  );

  test("clipGradNorm sums in parts", async () => {
    setDefaultDevice(gpu);
    const norm = (elements: number) =>
      binding(elements, async () => {
        const tensors = parameters();
        const gradients = new Map(tensors.map((tensor) => [tensor, tensor] as const));
        return (await clipGradNorm(gradients, 1).data())[0];
      });
    const squares = (await result(parameters())).flatMap((values) => [...values].map((value) => value ** 2));
    const want = Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
    expect(await norm(2048)).toBeCloseTo(want, 4);
    expect(await norm(200)).toBeCloseTo(want, 4);
  });
});

test("a layer in a private field is not trained, and a warning says so once", async () => {
  class Hidden extends Module {
    readonly shown = new Conv2d(1, 1, 1);
    readonly #conv = new Conv2d(1, 1, 1);
    forward(x: Tensor): Tensor {
      return this.#conv.forward(this.shown.forward(x));
    }
  }
  setDefaultDevice(devices[0]);
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  try {
    const model = new Hidden();
    const sgd = new SGD(model.parameters(), { lr: 0.1 });
    for (let step = 0; step < 2; step++) {
      using _ = scope();
      sgd.step(backward(sum(model.forward(tensor([1], [1, 1, 1, 1])))));
    }
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0][0]).toMatch(/^SGD\.step: no optimizer has 2 of the tensors .* \(#conv\)/);
    // Asked for the gradients of its own parameters alone, an optimizer has nothing to warn of.
    const other = new SGD(model.parameters(), { lr: 0.1 });
    using _ = scope();
    const loss = sum(model.forward(tensor([1], [1, 1, 1, 1])));
    other.step(backward(loss, model.parameters()));
    expect(warn).toHaveBeenCalledTimes(1);
  } finally {
    warn.mockRestore();
  }
});

test("an optimizer prints what it is, and JSON refuses it", () => {
  setDefaultDevice(devices[0]);
  const trained = parameters();
  const adam = new AdamW(trained, { lr: 0.01 });
  expect(`${adam}`).toBe("AdamW, lr 0.01, 0 steps, 5 parameters");
  train(adam, trained);
  expect(adam[inspectHook]()).toBe("AdamW, lr 0.01, 1 step, 5 parameters");
  expect(() => JSON.stringify({ adam })).toThrow("await saveCheckpoint({ model, optimizer })");
  adam.dispose();
  expect(`${adam}`).toBe("AdamW, lr 0.01, 1 step, 5 parameters, disposed");
});
