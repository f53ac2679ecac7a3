/** The engine of the gradients. The rules themselves are tested beside their operations. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import { setDefaultDevice } from "../../src/device/open.ts";
import { conv2d } from "../../src/kernels/conv2d/index.ts";
import { add, mul, relu, sub } from "../../src/kernels/elementwise/index.ts";
import { reluOp } from "../../src/kernels/elementwise/unary.ts";
import { reshape } from "../../src/kernels/layout/index.ts";
import { mean, sum } from "../../src/kernels/reduce/index.ts";
import { rand, tensor } from "../../src/tensor/create.ts";
import { noGrad } from "../../src/tensor/no-grad.ts";
import { defineOp } from "../../src/tensor/op.ts";
import { Random } from "../../src/tensor/random.ts";
import { type Scope, scope } from "../../src/tensor/scope.ts";
import { backward } from "../../src/tensor/tape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { float32Device, gpuDevices } from "../support/devices.ts";

const gpus = await gpuDevices();
const devices: Device[] = [float32Device(), ...gpus];
const trained = (values: number[], shape?: number[]) => tensor(values, shape, { requiresGrad: true });
const values = async (x: Tensor | undefined) => [...(await x!.data())];

/** y = x², counting how often each part of it runs. */
const counts = { forward: 0, backward: 0, gradient: 0 };
const counted = defineOp<{ x: Tensor }>({
  name: "counted",
  shape: ({ x }) => x.shape,
  cpu({ x }, _, y) {
    counts.forward++;
    for (let i = 0; i < y.data.length; i++) y.data[i] = x.data[i] ** 2;
  },
  gpu: () => expect.unreachable(),
  backward(dy, { x }) {
    counts.backward++;
    return {
      x: () => {
        counts.gradient++;
        return mul(mul(dy, x), 2);
      },
    };
  },
});

describe.each(devices.map((device) => [device.name, device] as const))("on %s", (_, device) => {
  let step: Scope;
  let before = 0;
  beforeEach(() => {
    setDefaultDevice(device);
    before = device.memory().live;
    step = scope();
  });
  afterEach(() => {
    step.end();
    // Nothing outlives the scope, whatever went wrong inside.
    expect(device.memory().live).toBe(before);
  });

  test("the chain rule", async () => {
    const x = trained([1, 2, 3]);
    const y = sum(mul(mul(x, x), x)); // x³
    expect(await values(backward(y).get(x))).toEqual([3, 12, 27]);
  });

  test("a tensor used twice, three times, and with itself", async () => {
    const x = trained([1, -2]);
    expect(await values(backward(sum(add(x, x))).get(x))).toEqual([2, 2]);
    expect(await values(backward(sum(sub(x, x))).get(x))).toEqual([0, 0]);
    expect(await values(backward(sum(mul(x, x))).get(x))).toEqual([2, -4]);
    expect(await values(backward(sum(add(add(x, x), x))).get(x))).toEqual([3, 3]);
    expect(await values(backward(sum(add(add(x, mul(x, 5)), add(x, x)))).get(x))).toEqual([8, 8]);
  });

  test("each gradient has memory of its own, where rules return the same one for several inputs", async () => {
    const [a, b, c] = [trained([1, -2]), trained([3, 4]), trained([5, 6], [2, 1])];
    const before = device.memory().live;
    const h = add(add(a, b), reshape(c, [2]));
    const gradients = backward(sum(h), [a, b, c, h]);
    for (const { storage } of gradients.values()) expect(storage.refs).toBe(1);
    for (const [i, gradient] of [...gradients.values()].entries()) gradient.assign([i, i]);
    const all = await Promise.all([a, b, c, h].map((x) => values(gradients.get(x))));
    expect(new Set(all.map(([first]) => first)).size).toBe(4);
    for (const gradient of gradients.values()) gradient.dispose();
    expect(device.memory().live).toBe(before + 3); // two sums of a, b and c, and the loss
  });

  test("a gradient is no tensor of the caller's, either", async () => {
    const [w, x] = [trained([1, -2]), tensor([3, 4])];
    const byX = defineOp<{ w: Tensor }>({
      name: "product with x, summed",
      shape: () => [],
      cpu: () => {},
      gpu: () => {},
      backward: () => ({ w: () => x }),
    });
    const gradient = backward(byX({ w })).get(w)!;
    gradient.assign([0, 0]);
    expect(await values(x)).toEqual([3, 4]);
  });

  test("diamonds: two ways from x to the loss, and shared parts on both", async () => {
    const x = trained([2, -1]);
    const shared = mul(x, 3);
    const left = relu(shared);
    const right = mul(shared, shared);
    const loss = sum(add(left, add(right, shared))); // relu(3x) + 9x² + 3x
    expect(await values(backward(loss).get(x))).toEqual([3 + 36 + 3, 0 - 18 + 3]);
  });

  test("gradients of two tensors that are the same memory stay apart", async () => {
    // Addition passes its gradient on to both, as it is.
    const [a, b] = [trained([1, 2]), trained([3, 4])];
    const y = add(a, b);
    const gradients = backward(sum(add(mul(y, 2), mul(a, 10))));
    expect(await values(gradients.get(a))).toEqual([12, 12]);
    expect(await values(gradients.get(b))).toEqual([2, 2]);
    gradients.get(a)!.dispose();
    expect(await values(gradients.get(b))).toEqual([2, 2]);
  });

  test("a rule that adds to the gradients from other uses", async () => {
    const others: (number[] | undefined)[] = [];
    const doubled = defineOp<{ x: Tensor }>({
      name: "doubled",
      shape: ({ x }) => x.shape,
      cpu: ({ x }, _, y) => y.data.set(x.data.map((value) => 2 * value)),
      gpu: (device, { x }, _, y) => device.copy(add(x, x).gpuStorage, y.gpuStorage),
      backward: (dy) => ({
        x: {
          plus(sum) {
            others.push(sum && [...sum.shape]);
            const gradient = mul(dy, 2);
            return sum ? add(sum, gradient) : gradient;
          },
        },
      }),
    });
    const x = trained([1, 2, 3]);
    expect(await values(backward(sum(doubled({ x }, undefined))).get(x))).toEqual([2, 2, 2]);
    // The last use comes first. Addition gives both of its inputs one memory: that of the other must stay.
    const z = trained([5, 6, 7]);
    const loss = sum(add(add(doubled({ x }, undefined), x), z));
    const gradients = backward(loss);
    expect(await values(gradients.get(x))).toEqual([3, 3, 3]);
    expect(await values(gradients.get(z))).toEqual([1, 1, 1]);
    // Uses before and after it, and twice itself.
    const often = add(mul(doubled({ x }, undefined), doubled({ x }, undefined)), mul(x, x));
    expect(await values(backward(sum(often)).get(x))).toEqual([10, 20, 30]);
    expect(others).toEqual([undefined, [3], [3], [3]]);
  });

  test("views: a tensor that is used both reshaped and as it is", async () => {
    const x = trained([1, 2, 3, 4]);
    const matrix = reshape(x, [2, 2]);
    const loss = add(
      sum(
        mul(
          matrix,
          tensor([
            [1, 2],
            [3, 4],
          ]),
        ),
      ),
      sum(mul(x, 10)),
    );
    expect(await values(backward(loss).get(x))).toEqual([11, 12, 13, 14]);
  });

  test("the gradient with respect to a tensor in the middle, and to the loss itself", async () => {
    const x = trained([1, 2]);
    const middle = mul(x, x);
    const loss = sum(mul(middle, 5));
    const gradients = backward(loss, [middle, x, loss]);
    expect(await values(gradients.get(middle))).toEqual([5, 5]);
    expect(await values(gradients.get(x))).toEqual([10, 20]);
    expect(await values(gradients.get(loss))).toEqual([1]);
    expect(gradients.size).toBe(3);
  });

  test("backward twice on the same graph gives the same", async () => {
    const x = trained([1, 2]);
    const loss = mean(mul(x, x));
    const first = await values(backward(loss).get(x));
    expect(await values(backward(loss).get(x))).toEqual(first);
    expect(first).toEqual([1, 2]);
  });

  test("by default, only tensors with requiresGrad get a gradient", () => {
    const [x, constant] = [trained([1, 2]), tensor([3, 4])];
    const gradients = backward(sum(mul(mul(x, constant), constant)));
    expect([...gradients.keys()]).toEqual([x]);
  });

  test("backward leaves nothing behind but the gradients", () => {
    const x = trained([1, 2]);
    const loss = sum(mul(relu(mul(x, x)), x));
    const { live } = device.memory();
    const gradients = backward(loss);
    expect(device.memory().live).toBe(live + 1);
    expect(gradients.get(x)!.node).toBeUndefined();
  });

  test("noGrad leaves no notes, also after an error inside; it nests", () => {
    const x = trained([1, 2]);
    {
      using _ = noGrad();
      expect(mul(x, x).node).toBeUndefined();
      {
        using _ = noGrad();
      }
      expect(mul(x, x).node).toBeUndefined();
    }
    const fail = () => {
      using _ = noGrad();
      throw new Error("on purpose");
    };
    expect(fail).toThrow("on purpose");
    expect(mul(x, x).node?.name).toBe("mul");
  });

  test("noGrad of a function lasts while it runs, or until its promise settles", async () => {
    const x = trained([1, 2]);
    const taped = () => mul(x, x).node !== undefined;
    expect([noGrad(taped), taped()]).toEqual([false, true]);
    expect(() =>
      noGrad(() => {
        throw new Error("inside");
      }),
    ).toThrow("inside");
    expect(taped()).toBe(true);
    const later = noGrad(async () => {
      await Promise.resolve();
      return taped();
    });
    expect([await later, taped()]).toEqual([false, true]);
    await expect(noGrad(() => Promise.reject(new Error("late")))).rejects.toThrow("late");
    expect(taped()).toBe(true);
  });

  test("what needs no gradient leaves no notes", () => {
    expect(mul(tensor([1]), tensor([2])).node).toBeUndefined();
  });

  test("a chain of 5,000 operations", async () => {
    const x = trained([1]);
    let y = x;
    for (let i = 0; i < 5000; i++) y = add(y, x); // every link a diamond
    expect(await values(backward(y).get(x))).toEqual([5001]);
  });

  describe("errors", () => {
    test("a loss with several elements", () => {
      expect(() => backward(mul(trained([1, 2]), 2))).toThrow(
        "backward: the loss must have one element, got shape [2]. Reduce it with mean() or sum().",
      );
    });

    test("a wanted tensor that the loss does not depend on", () => {
      const [x, other] = [trained([1, 2]), trained([1, 2, 3])];
      expect(() => backward(sum(x), [x, other])).toThrow(
        "backward: the loss does not depend on the tensor of shape [3] whose gradient is wanted.",
      );
    });

    test("a loss that depends on nothing with requiresGrad, or was computed under noGrad", () => {
      const message = "backward: the loss depends on no tensor whose gradient is wanted.";
      expect(() => backward(sum(tensor([1, 2])))).toThrow(message);
      const x = trained([1, 2]);
      const withoutNotes = () => {
        using _ = noGrad();
        return sum(x);
      };
      expect(() => backward(withoutNotes())).toThrow(message);
      expect(() => backward(withoutNotes())).not.toThrow("At this moment");
      const gradient = backward(sum(mul(x, x))).get(x)!;
      expect(() => backward(sum(gradient))).toThrow(
        "noGrad(). What backward() returned, and comparisons and argmax, are constants: there are no gradients of " +
          "gradients.",
      );
    });

    test("a noGrad() that was called alone, as in Python, and never ended", () => {
      const open = noGrad();
      try {
        const x = trained([1, 2]);
        const message =
          "At this moment noGrad() is in effect: if it was called alone, as in Python, it never ends.";
        expect(() => backward(sum(x))).toThrow(message);
        expect(() => backward(sum(tensor([1])), [x])).toThrow(message);
      } finally {
        open[Symbol.dispose]();
      }
    });

    test("a rule that gives a tensor, or a function that gives none", () => {
      const wrong = (gradient: (dy: Tensor) => never) =>
        defineOp<{ x: Tensor }>({
          name: "wrong",
          shape: ({ x }) => x.shape,
          cpu: () => {},
          gpu: () => {},
          backward: (dy) => ({ x: gradient(dy) }),
        });
      const through = (gradient: (dy: Tensor) => unknown) => () =>
        backward(sum(wrong(gradient as never)({ x: trained([1, 2]) })));
      expect(through((dy) => dy)).toThrow(
        "backward: the rule of wrong gives a tensor for x and should give a function that computes it",
      );
      expect(through(() => () => 3)).toThrow(
        "backward: the rule of wrong: its gradient of x must be a tensor, got 3.",
      );
    });

    test("an operation without a rule, and the gradient of a gradient", () => {
      const x = trained([1, 2]);
      const derivative = reluOp.gradient({ dy: x, x, y: x });
      const message = "backward: relu gradient has no gradient rule for its input dy.";
      expect(() => backward(sum(mul(derivative, x)))).toThrow(message);
      const gradient = backward(sum(mul(x, x))).get(x)!;
      expect(() => backward(sum(gradient), [x])).toThrow(
        "the loss does not depend on the tensor of shape [2]",
      );
    });

    test("a rule that gives another shape", () => {
      const wrong = defineOp<{ x: Tensor }>({
        name: "wrong",
        shape: ({ x }) => x.shape,
        cpu() {},
        gpu() {},
        backward: (dy) => ({ x: () => sum(dy) }),
      });
      expect(() => backward(sum(wrong({ x: trained([1, 2]) }, undefined)))).toThrow(
        "backward: the rule of wrong gave a gradient of shape [] for its input x of shape [2].",
      );
    });

    test("a rule that adds, and gives another shape", () => {
      const wrong = defineOp<{ x: Tensor }>({
        name: "wrong",
        shape: ({ x }) => x.shape,
        cpu() {},
        gpu() {},
        backward: (dy) => ({ x: { plus: () => sum(dy) } }),
      });
      const x = trained([1, 2]);
      expect(() => backward(sum(add(wrong({ x }, undefined), x)))).toThrow(
        "backward: the rule of wrong gave a gradient of shape [] for its input x of shape [2].",
      );
    });

    test("an input overwritten between forward and backward", () => {
      const x = trained([1, 2]);
      const loss = sum(mul(x, x));
      x.assign([3, 4]);
      expect(() => backward(loss)).toThrow("backward: input a of mul (shape [2]) has been overwritten since");
    });

    test("an overwritten input whose values no rule needs: the message does not claim that one does", () => {
      const x = tensor([1, 2], undefined, { requiresGrad: true });
      const loss = sum(add(x, 1));
      x.assign([3, 4]);
      expect(() => backward(loss)).toThrow("since, and the gradient rule of affine may read the old values.");
    });

    test("an overwritten input without a gradient of its own, which another input's rule reads", () => {
      const [x, factor] = [trained([1, 2]), tensor([3, 4])];
      const loss = sum(mul(x, factor));
      factor.assign([5, 6]);
      expect(() => backward(loss)).toThrow("backward: input b of mul (shape [2]) has been overwritten since");
    });

    test("a result overwritten between forward and backward", () => {
      const x = trained([1, 2]);
      const y = relu(x);
      const loss = sum(y);
      y.assign([-1, -1]);
      expect(() => backward(loss)).toThrow("(shape [2]) has been overwritten since");
    });

    test("a view overwritten between forward and backward", () => {
      const x = trained([1, 2]);
      const loss = sum(mul(x, x));
      reshape(x, [2, 1]).assign([3, 4]);
      expect(() => backward(loss)).toThrow("has been overwritten since");
    });

    test("a saved tensor that has been disposed", () => {
      const [x, factor] = [trained([1, 2]), tensor([3, 4])];
      const loss = sum(mul(x, factor));
      factor.dispose();
      expect(() => backward(loss)).toThrow("A tensor of shape [2] was used after it had been disposed.");
    });

    test("a tensor on the way that has been disposed, even if no rule reads its values", () => {
      const [x, y] = [trained([1, 2]), trained([3, 4])];
      const middle = add(x, 1);
      const loss = sum(add(middle, y));
      middle.dispose();
      expect(() => backward(loss)).toThrow(
        "backward: a tensor of shape [2], made by affine, has been disposed, so no gradient",
      );
    });

    test("a parameter or a loss that has been disposed", () => {
      const x = trained([1, 2]);
      const loss = sum(add(x, 1));
      x.dispose();
      expect(() => backward(loss)).toThrow("backward: a tensor of shape [2] has been disposed");
      const other = sum(trained([1, 2]));
      other.dispose();
      expect(() => backward(other)).toThrow("backward: a tensor of shape [], made by sum, has been disposed");
    });

    test("inputs on different devices", () => {
      const elsewhere = tensor([1, 2], undefined, { device: float32Device() });
      expect(() => add(tensor([1, 2]), elsewhere)).toThrow(
        `add: b is on cpu and a on ${device.name}. ` +
          `${device.name === "cpu" ? "These are two devices, opened separately: if that was not meant, call init() once. " : ""}` +
          "await x.to(device) moves a tensor, await model.to(device) a network.",
      );
      if (device.name === "cpu")
        expect(() => elsewhere.assign(tensor([1, 2]))).toThrow(
          "call init() once. await x.to(device) moves a tensor",
        );
    });

    test("after an error, backward works again", async () => {
      const x = trained([1, 2]);
      expect(() => backward(sum(reluOp.gradient({ dy: x, x, y: x })))).toThrow("no gradient rule");
      const y = mul(x, x); // noGrad() of the failed call has ended
      expect(await values(backward(sum(y)).get(x))).toEqual([2, 4]);
    });
  });
});

describe("nothing unwanted is computed", () => {
  test("rules run only on the way to a wanted tensor", () => {
    const device = float32Device();
    using _ = scope();
    const [a, b] = [1, 2].map((v) => tensor([v], undefined, { device, requiresGrad: true }));
    const loss = sum(add(counted({ x: counted({ x: a }, undefined) }, undefined), mul(b, b)));
    expect(counts).toEqual({ forward: 2, backward: 0, gradient: 0 });
    backward(loss, [b]);
    expect(counts).toEqual({ forward: 2, backward: 0, gradient: 0 });
    backward(loss, [a]);
    expect(counts).toEqual({ forward: 2, backward: 2, gradient: 2 });
    expect(device.memory().live).toBeGreaterThan(0);
  });

  test.each(gpus.map((device) => [device.name, device] as const))("kernels on %s", (_, device) => {
    using _scope = scope();
    setDefaultDevice(device);
    const random = new Random(1);
    const options = { requiresGrad: true };
    const x = rand([1, 3, 8, 8], { random, low: -1, high: 1, ...options });
    const w = rand([4, 3, 3, 3], { random, low: -1, high: 1, ...options });
    const b = rand([4], { random, low: -1, high: 1, ...options });
    const loss = sum(conv2d(x, w, b, { padding: 1 }));
    const kernels = (wanted: Tensor[]) => recordLaunches(device, () => backward(loss, wanted));
    const weightGrad = /^conv2d\/(weight-grad|sum-partials)/;
    const inputGrad = /^conv2d\/(turn-weights|\d)/;
    const [forX, forW, forB, forAll] = [[x], [w], [b], [x, w, b]].map(kernels);
    expect(forX.some((name) => inputGrad.test(name))).toBe(true);
    expect(forX.some((name) => weightGrad.test(name))).toBe(false);
    expect(forW.some((name) => weightGrad.test(name))).toBe(true);
    expect(forW.some((name) => inputGrad.test(name))).toBe(false);
    expect(forB.some((name) => name.startsWith("conv2d"))).toBe(false);
    expect(forAll.length).toBeGreaterThan(Math.max(forX.length, forW.length, forB.length));
  });
});

/** Also for the shapes that the input gradient computes by other kernels. */
test.each(gpus.map((device) => [device.name, device] as const))(
  "a convolution's gradient is added to that of a skip connection by its own kernel, to the same bits, on %s",
  async (_, device) => {
    using _scope = scope();
    setDefaultDevice(device);
    for (const [kernelSize, stride] of [
      [3, 1],
      [1, 1],
      [9, 1],
      [3, 2],
    ]) {
      const random = new Random(kernelSize);
      const x = rand([2, 6, 12, 20], { random, low: -1, high: 1, requiresGrad: true });
      const w = rand([6, 6, kernelSize, kernelSize], { random, low: -1, high: 1, requiresGrad: true });
      const convolved = conv2d(x, w, undefined, { padding: (kernelSize - 1) / 2, stride });
      const ofConvolved = rand(convolved.shape, { random, low: -1, high: 1 });
      const ofX = rand(x.shape, { random, low: -1, high: 1 });
      const through = sum(mul(convolved, ofConvolved));
      const alone = await backward(through, [x]).get(x)!.data();
      const both = add(through, sum(mul(x, ofX)));
      let gradient: Tensor | undefined;
      const launched = recordLaunches(device, () => {
        gradient = backward(both, [x]).get(x);
      });
      const skip = await ofX.data();
      expect([...(await gradient!.data())]).toEqual(
        [...alone].map((value, i) => Math.fround(value + skip[i])),
      );
      // A gather kernel has no epilogue.
      expect(launched.includes("accumulate")).toBe(stride > 1);
    }
  },
);

/** Names of the kernels that `body` launches. */
function recordLaunches(device: GpuDevice, body: () => void): string[] {
  const names: string[] = [];
  const { run } = device;
  device.run = (kernel, launch) => {
    names.push(kernel.name);
    run.call(device, kernel, launch);
  };
  try {
    body();
  } finally {
    device.run = run;
  }
  return names;
}
