/**
 * Operations on tensors that are stored as float16: equal to their CPU references, which compute in f32 and
 * round what they store. All sizes are odd somewhere, so that tensors end within a word of 4 bytes, or a vec4.
 */
import { describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { GpuError } from "../../src/device/device.ts";
import { setDefaultDevice } from "../../src/device/open.ts";
import { batchNorm } from "../../src/kernels/batch-norm/index.ts";
import { narrowKernel } from "../../src/kernels/cast/cast.wgsl.ts";
import { cast } from "../../src/kernels/cast/index.ts";
import { convTranspose2d } from "../../src/kernels/conv-transpose2d/index.ts";
import { conv2d, variants } from "../../src/kernels/conv2d/index.ts";
import { crossEntropy } from "../../src/kernels/cross-entropy/index.ts";
import { denseConv2d } from "../../src/kernels/dense-conv2d/index.ts";
import {
  add,
  clamp,
  leakyRelu,
  mul,
  prelu,
  relu,
  silu,
  sub,
  symmetricGate,
  tanh,
} from "../../src/kernels/elementwise/index.ts";
import { fillKernel } from "../../src/kernels/layout/copy.wgsl.ts";
import { broadcastTo, concat, flip, permute, reshape, slice } from "../../src/kernels/layout/index.ts";
import { l1Loss } from "../../src/kernels/loss/index.ts";
import { linear, matmul } from "../../src/kernels/matmul/index.ts";
import { type PadMode, pad } from "../../src/kernels/pad/index.ts";
import { pixelShuffle, pixelUnshuffle } from "../../src/kernels/pixel-shuffle/index.ts";
import { pixelShuffleKernel } from "../../src/kernels/pixel-shuffle/pixel-shuffle.wgsl.ts";
import { std, sum, variance } from "../../src/kernels/reduce/index.ts";
import { interpolate } from "../../src/kernels/resize/index.ts";
import { fftLoss, ssimLoss } from "../../src/nn/image-losses.ts";
import { Adam } from "../../src/nn/index.ts";
import { ones, tensor, zeros } from "../../src/tensor/create.ts";
import { noGrad } from "../../src/tensor/no-grad.ts";
import { scope } from "../../src/tensor/scope.ts";
import type { Shape } from "../../src/tensor/shape.ts";
import { Tensor } from "../../src/tensor/tensor.ts";
import { compareWithCpu } from "../support/compare.ts";
import { float32Device, float64Device, gpuDevices } from "../support/devices.ts";

const devices = await gpuDevices();
const having: Device[] = [float32Device(), ...devices.filter(({ profile }) => profile.float16)];
if (having.length === 1) console.warn("No adapter has shader-f16: its kernels were not run.");

/** One step of float16: sums that differ in their last bits may be rounded to either side. */
const step = { relative: 2 ** -10, absolute: 2 ** -20 };

function equalsReference(
  name: string,
  f: (inputs: Tensor[]) => Tensor,
  shapes: readonly Shape[],
  absolute = 0,
) {
  test(name, () =>
    compareWithCpu(devices, name, f, shapes, {
      ...step,
      absolute: step.absolute + absolute,
      gradients: false,
      dtype: "float16",
    }),
  );
}

describe("equal their CPU references", () => {
  /** Where sums cancel, they differ by more than their own last bits. */
  const ofSums = 2e-5;
  const sizes = [
    [[1, 1, 1, 1], [1, 1, 1, 1], {}],
    [[2, 3, 5, 7], [5, 3, 3, 3], { padding: 1 }],
    [[1, 17, 7, 9], [17, 17, 3, 3], { padding: 1 }],
    [[1, 5, 11, 13], [4, 5, 5, 5], { padding: 2 }],
    [[1, 1, 19, 21], [9, 1, 9, 9], { padding: 4 }],
    [[1, 3, 9, 17], [4, 3, 3, 3], { padding: 1, stride: 2, dilation: 2 }],
  ] as const;
  for (const [x, w, options] of sizes) {
    const label = `conv2d [${x}] * [${w}] ${JSON.stringify(options)}`;
    equalsReference(label, ([x, w, b]) => conv2d(x, w, b, options), [x, w, [w[0]]], ofSums);
  }
  for (const variant of variants) {
    equalsReference(
      `conv2d ${variant} without bias`,
      ([x, w]) => conv2d(x, w, undefined, { padding: 1, variant }),
      [
        [1, 17, 7, 9],
        [17, 17, 3, 3],
      ],
      ofSums,
    );
    // Steps 1 and 2 store their sums before they are added to the rest, so there are two roundings.
    const twice = variant === "1-naive" || variant === "2-tiled" ? 2 ** -8 : 0;
    equalsReference(
      `conv2d ${variant} with skip`,
      ([x, w, b, skip]) => conv2d(x, w, b, { padding: 1, skip, alpha: 0.1, variant }),
      [[1, 3, 5, 9], [5, 3, 3, 3], [5], [1, 5, 5, 9]],
      ofSums + twice,
    );
    equalsReference(
      `conv2d ${variant} with an activation and a shuffle`,
      ([x, w, b]) => conv2d(x, w, b, { padding: 1, shuffle: 3, activation: "tanh", variant }),
      [[1, 3, 5, 7], [9, 3, 3, 3], [9]],
      ofSums + twice,
    );
  }
  for (const activation of ["leakyRelu", "silu"] as const) {
    equalsReference(
      `conv2d with ${activation}`,
      ([x, w, b]) => conv2d(x, w, b, { padding: 1, activation }),
      [[1, 3, 5, 9], [5, 3, 3, 3], [5]],
      ofSums,
    );
  }
  equalsReference(
    "conv2d with slopes",
    ([x, w, b, slope]) => conv2d(x, w, b, { padding: 1, activation: "prelu", slope }),
    [[1, 3, 5, 9], [5, 3, 3, 3], [5], [5]],
    ofSums,
  );
  equalsReference(
    "conv2d with a gate",
    ([x, w, b, gate]) => conv2d(x, w, b, { padding: 1, gate }),
    [[1, 3, 5, 9], [5, 3, 3, 3], [5], [1, 5, 5, 9]],
    ofSums,
  );
  equalsReference(
    "conv2d with a shuffle and a skip that it enlarges",
    ([x, w, b, skip]) => conv2d(x, w, b, { padding: 1, shuffle: 3, skip }),
    [[1, 3, 5, 7], [9, 3, 3, 3], [9], [1, 1, 5, 7]],
    ofSums,
  );
  // What the first convolution rounds to the other side, the second one reads.
  equalsReference(
    "denseConv2d",
    ([x, w, b, w2, b2]) =>
      denseConv2d(
        x,
        [
          { weight: w, bias: b },
          { weight: w2, bias: b2 },
        ],
        0.2,
      ),
    [[1, 3, 5, 9], [5, 3, 3, 3], [5], [3, 8, 3, 3], [3]],
    ofSums + 2 ** -10,
  );
  for (const mode of ["bilinear", "bicubic"] as const) {
    for (const scaleFactor of [2, 0.6]) {
      equalsReference(
        `interpolate ${mode} to ${scaleFactor}`,
        ([x]) => interpolate(x, { mode, scaleFactor }),
        [[1, 3, 15, 17]],
        2 ** -10, // rounded between the two passes
      );
    }
  }
  const transposed = [
    { stride: 2, padding: 4, outputPadding: 1 },
    { stride: 3, padding: 4, outputPadding: 2 },
    { stride: 1, padding: 1 },
    { stride: [1, 2], dilation: 2 },
  ] as const;
  for (const options of transposed) {
    equalsReference(
      `convTranspose2d ${JSON.stringify(options)}`,
      ([x, w, b]) => convTranspose2d(x, w, b, options),
      [[1, 3, 5, 7], [3, 1, 9, 9], [1]],
      ofSums,
    );
  }
  for (const mode of ["constant", "reflect", "replicate"] satisfies PadMode[]) {
    equalsReference(`pad, ${mode}`, ([x]) => pad(x, [1, 2, 3, 1], mode), [[1, 3, 5, 7]]);
  }
  equalsReference("pad with a value", ([x]) => pad(x, [1, 0, 0, 0], "constant", 0.1), [[3, 3]]);
  const operations: Record<string, [(inputs: Tensor[]) => Tensor, ...Shape[]]> = {
    pixelShuffle: [([x]) => pixelShuffle(x, 3), [1, 9, 5, 7]],
    pixelUnshuffle: [([x]) => pixelUnshuffle(x, 3), [1, 1, 15, 3]],
    flip: [([x]) => flip(x, [0, 2]), [3, 5, 7]],
    slice: [([x]) => slice(x, [0, 1, 1], [3, 4, 4]), [3, 5, 7]],
    concat: [([a, b, c]) => concat([a, b, c], 1), [1, 1, 5], [1, 3, 5], [1, 1, 5]],
    permute: [([x]) => permute(x, [2, 0, 1]), [3, 5, 7]],
    broadcastTo: [([x]) => broadcastTo(x, [3, 5, 7]), [5, 1]],
    reshape: [([x]) => add(reshape(x, [7, 5]), 1), [5, 7]],
    "add a number": [([x]) => add(x, 0.1), [13]],
    "mul by a number": [([x]) => mul(x, 255), [3, 5]],
    leakyRelu: [([x]) => leakyRelu(x, 0.1), [1, 7]],
    clamp: [([x]) => clamp(x, -0.3, 0.7), [9]],
    tanh: [([x]) => tanh(x), [1, 3, 5]],
    add: [([a, b]) => add(a, b, { alpha: 0.3 }), [3, 5], [3, 5]],
    sub: [([a, b]) => sub(a, b), [1], [1]],
    "mul, with broadcasting": [([a, b]) => mul(a, b), [3, 1, 5], [3, 1]],
    prelu: [([x, w]) => prelu(x, w), [1, 3, 5, 7], [3]],
    silu: [([x]) => silu(x), [1, 3, 5]],
    symmetricGate: [([z, x]) => symmetricGate(z, x), [1, 3, 5], [1, 3, 5]],
    "interpolate, nearest": [([x]) => interpolate(x, { scaleFactor: 2, mode: "nearest" }), [1, 3, 5, 7]],
  };
  for (const [name, [f, ...shapes]] of Object.entries(operations)) equalsReference(name, f, shapes);
});

describe.each(having.map((device) => [device.name, device] as const))("on %s", (_, device) => {
  const dtype = "float16";
  const half = (values: ArrayLike<number>, shape?: Shape) => tensor(values, shape, { device, dtype });

  test.each([1, 2, 3, 4, 5, 7, 63, 255, 1025])(
    "%i values come back, rounded, and nothing else",
    async (length) => {
      using _ = scope();
      const numbers = Float32Array.from({ length }, (_, i) => (i - 3) / 3);
      const x = half(numbers);
      expect(x.dtype).toBe("float16");
      const read = await x.data();
      expect(read.length).toBe(length);
      for (const [i, value] of read.entries()) {
        expect(Math.abs(value - numbers[i])).toBeLessThanOrEqual(2 ** -11 * Math.abs(numbers[i]));
      }
      // Between dtypes, and as a copy of all bytes.
      expect(await cast(x, "float32").data()).toEqual(read);
      expect(await cast(tensor(numbers, undefined, { device }), "float16").data()).toEqual(read);
      const copy = Tensor.empty([length], device, "test", "float16");
      device.copy(x.storage, copy.storage);
      expect(await copy.data()).toEqual(read);
      x.assign(new Float32Array(length).fill(2));
      expect(new Set(await x.data())).toEqual(new Set([2]));
      expect(await copy.data()).toEqual(read);
      expect(await mul(copy, 1).data()).toEqual(read);
      if (length === 1) expect(await x.item()).toBe(2);
    },
  );

  test("half the bytes", () => {
    using _ = scope();
    const bytesOf = (dtype: "float32" | "float16") => {
      const { liveBytes } = device.memory();
      zeros([3, 1024, 16], { device, dtype });
      return device.memory().liveBytes - liveBytes;
    };
    expect(bytesOf("float32")).toBe(4 * 3 * 1024 * 16);
    expect(bytesOf("float16")).toBe(2 * 3 * 1024 * 16);
  });

  test("a cast to the same dtype shares the memory", async () => {
    using _ = scope();
    const { live } = device.memory();
    const x = half([1, 2, 3]);
    const y = cast(x, "float16");
    expect(device.memory().live).toBe(live + 1);
    x.dispose();
    expect([...(await y.data())]).toEqual([1, 2, 3]);
  });

  test("sums are f32: in float16, 2048 + 1 would be 2048", async () => {
    using _ = scope();
    const [x, w] = [ones([1, 4096, 1, 3], { device, dtype }), ones([1, 4096, 1, 1], { device, dtype })];
    const wanted = new Float32Array(3).fill(4096);
    for (const variant of variants) expect(await conv2d(x, w, undefined, { variant }).data()).toEqual(wanted);
    const across = ones([4096, 1, 1, 1], { device, dtype });
    expect(await convTranspose2d(x, across).data()).toEqual(wanted);
  });

  test("from 65520 on, what is stored is infinite; NaN stays NaN", async () => {
    using _ = scope();
    const one = half([1], [1, 1, 1, 1]);
    const values = [65504, 65500, -65504, Number.NaN, 2];
    const x = half(values, [1, 1, 1, 5]);
    expect([...(await x.data())]).toEqual([65504, 65504, -65504, Number.NaN, 2]);
    const infinite = [Infinity, Infinity, -Infinity, Number.NaN];
    const doubled = half([2], [1, 1, 1, 1]);
    for (const variant of variants) {
      expect([...(await conv2d(x, doubled, undefined, { variant }).data())]).toEqual([...infinite, 4]);
      // The activation sees the sum, not what would have been stored.
      const activated = await conv2d(x, doubled, undefined, { variant, activation: "relu" }).data();
      expect([...activated]).toEqual([Infinity, Infinity, 0, Number.NaN, 4]);
      expect(
        [...(await conv2d(x, one, undefined, { variant, activation: "tanh" }).data())].slice(0, 4),
      ).toEqual([1, 1, -1, Number.NaN]);
    }
    expect([...(await mul(x, 2).data())]).toEqual([...infinite, 4]);
    expect([...(await add(x, x).data())]).toEqual([...infinite, 4]);
    const large = tensor([65519, 65520, -70000, Number.NaN, 1e30], undefined, { device });
    const wanted = [65504, Infinity, -Infinity, Number.NaN, Infinity];
    expect([...(await cast(large, "float16").data())]).toEqual(wanted);
    expect([...(await half(await large.data()).data())]).toEqual(wanted);
    expect([...(await relu(half([-Infinity, Number.NaN, 3])).data())]).toEqual([0, Number.NaN, 3]);
  });

  test("operations refuse what they would get wrong", () => {
    using _ = scope();
    const x = half([1, 2, 3, 4], [1, 1, 2, 2]);
    const full = ones([1, 1, 2, 2], { device });
    const needsFloat32 =
      /takes tensors of float32 alone, and \w+ is stored as float16\. Use cast\(\w+, "float32"\)\.$/;
    for (const call of [
      () => sum(x),
      () => matmul(x, x),
      () => interpolate(x, { scaleFactor: 2, mode: "bicubic", convention: "matlab", round: true }),
      () => l1Loss(x, x),
    ]) {
      expect(call).toThrow(RangeError);
      expect(call).toThrow(needsFloat32);
    }
    // Made of several operations, whose names nobody has written.
    const statistics = { mean: half([0], [1]), variance: half([1], [1]), batches: half([0], []) };
    const [one, square] = [half([1], [1]), reshape(x, [2, 2])];
    const large = cast(zeros([1, 1, 11, 11], { device }), "float16");
    for (const [name, call] of Object.entries({
      linear: () => linear(square, square),
      std: () => std(x),
      variance: () => variance(x),
      crossEntropy: () => crossEntropy(square, [0, 1]),
      batchNorm: () => batchNorm(x, statistics, one, one, { training: true }),
      ssimLoss: () => ssimLoss(large, large),
      fftLoss: () => fftLoss(x, x),
    })) {
      expect(call).toThrow(
        `${name}: takes tensors of float32 alone, and x is stored as float16. Use cast(x, "float32").`,
      );
    }
    expect(() => add(x, full)).toThrow(
      "add: a is stored as float16 and b as float32. Bring both to one dtype",
    );
    expect(() => conv2d(full, half([1], [1, 1, 1, 1]))).toThrow(
      "conv2d: x is stored as float32 and w as float16.",
    );
  });

  test("there is no training in float16", () => {
    using _ = scope();
    const options = { device, requiresGrad: true };
    expect(() => ones([3], { ...options, dtype })).toThrow(
      'ones: a tensor of float16 has no gradient, so requiresGrad and dtype "float16" exclude each other.',
    );
    const w = ones([3], options);
    expect(() => cast(w, "float16")).toThrow("cast: no gradient flows through float16");
    const parameter = noGrad(() => cast(w, "float16"));
    parameter.requiresGrad = true;
    expect(() => mul(parameter, 2)).toThrow(/^affine: no gradient flows through float16.* Train in float32/);
    expect(() => new Adam([parameter])).toThrow(
      "Adam: a parameter is stored as float16, which is for inference.",
    );
    expect(noGrad(() => mul(parameter, 2)).dtype).toBe("float16");
  });
});

test.each(devices.map((device) => [device.name, device] as const))(
  "%s, without the feature",
  async (_, device) => {
    const { profile } = device;
    device.profile = { ...profile, float16: false };
    try {
      setDefaultDevice(device);
      using _ = scope();
      const x = ones([3]);
      for (const call of [() => tensor([1], undefined, { dtype: "float16" }), () => cast(x, "float16")]) {
        expect(call).toThrow(GpuError);
        expect(call).toThrow(/^(tensor|cast): .* lacks WebGPU's feature shader-f16/);
      }
      expect(() => device.allocate(3, "float16")).toThrow("lacks WebGPU's feature shader-f16");
    } finally {
      device.profile = profile;
    }
  },
);

test.each(devices.filter(({ profile }) => profile.float16).map((device) => [device.name, device] as const))(
  "buffers of another dtype than a kernel's are refused, on %s",
  (_, device) => {
    using _scope = scope();
    const [{ gpuStorage: half }, { gpuStorage: full }] = [
      zeros([3], { device, dtype: "float16" }),
      zeros([3], { device }),
    ];
    const fill = () =>
      device.run(fillKernel, { buffers: { y: half }, params: { size: 3, value: 1 }, grid: [1] });
    expect(fill).toThrow("Kernel fill: y is stored as float16, and should be float32.");
    const narrow = () =>
      device.run(narrowKernel, { buffers: { x: half, y: half }, params: { size: 3 }, grid: [1] });
    expect(narrow).toThrow("Kernel narrow: x is stored as float16, and should be float32.");
    const copy = () =>
      device.run(pixelShuffleKernel, {
        buffers: { x: half, y: full },
        params: { planes: 1, h: 1, w: 1 },
        grid: [1],
      });
    expect(copy).toThrow("Kernel pixel-shuffle: y is stored as float32, and should be float16.");
    expect(() => device.slice(half, 0, 1)).toThrow("A storage of float16 cannot be sliced.");
  },
);

test("the CPU device in float64 rounds to float16, too", async () => {
  const device = float64Device();
  const x = tensor([1 / 3, 1e6], undefined, { device, dtype: "float16" });
  expect([...(await mul(x, 1).data())]).toEqual([0.333251953125, Infinity]);
});
