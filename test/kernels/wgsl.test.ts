/**
 * Every kernel in every form that the library gives it, compiled by Dawn without any driver: the backend
 * "null" checks WGSL and the use of the API as strictly as all others, and computes nothing. It offers
 * exactly WebGPU's default limits, so a kernel that needs more fails here.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { create } from "webgpu";
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import { kernel } from "../../src/device/kernel.ts";
import { openDevice, setDefaultDevice } from "../../src/device/open.ts";
import { type AdapterClass, facts } from "../../src/device/profile.ts";
import { unpremultiply } from "../../src/kernels/alpha/index.ts";
import { chromaOf, lumaOf, rgbOf } from "../../src/kernels/color/index.ts";
import { activations } from "../../src/kernels/conv2d/epilogue.ts";
import { type Activation, type Conv2dOptions, conv2d, variants } from "../../src/kernels/conv2d/index.ts";
import { conv2dSteps, launchStep } from "../../src/kernels/conv2d/steps.ts";
import { flip } from "../../src/kernels/layout/index.ts";
import { packSamples, unpackSamples } from "../../src/kernels/samples/index.ts";
import { measureCeilings } from "../../src/measure/ceilings.ts";
import * as ops from "../../src/node.ts";
import { zeros } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import type { Shape } from "../../src/tensor/shape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { binary, comparisons, unary } from "../support/elementwise.ts";
import { root } from "../support/run.ts";
import { spread } from "../support/tier.ts";
import { wgslFiles } from "../support/wgsl-files.ts";

/** Kernels are chosen by the profiles of these, and by their subgroups (0: none of a fixed size). */
const kinds: readonly { adapterClass: AdapterClass; subgroupSize: number }[] = [
  { adapterClass: "gpu", subgroupSize: 0 },
  { adapterClass: "nvidia", subgroupSize: 32 },
  { adapterClass: "amd", subgroupSize: 64 },
  { adapterClass: "intel", subgroupSize: 16 },
  { adapterClass: "apple", subgroupSize: 0 },
  { adapterClass: "lavapipe", subgroupSize: 8 },
  { adapterClass: "swiftshader", subgroupSize: 4 },
];

async function nullDevice(): Promise<GpuDevice> {
  const device = (await openDevice({ gpu: create(["backend=null"]) })) as GpuDevice;
  setDefaultDevice(device);
  device.profile = profileOf(device, kinds[0]);
  return device;
}

const profileOf = ({ profile }: GpuDevice, { adapterClass, subgroupSize }: (typeof kinds)[number]) => {
  return { ...profile, ...facts[adapterClass], subgroupSize };
};

// ---- What is run

const x = (...shape: Shape) => zeros(shape, { requiresGrad: true });
/** Computes the gradients with respect to all inputs, so that their kernels are compiled, too. */
const differentiate = (y: Tensor) => ops.backward(y.size === 1 ? y : ops.sum(y));

type Case = readonly [name: string, run: (device: GpuDevice) => unknown];

const cases: Case[] = [
  ...unary.map(({ name, f }): Case => [name, () => differentiate(f(x(5)))]),
  ...binary.map(
    ({ name, f }): Case => [
      name,
      () => {
        differentiate(f(x(2, 3), x(2, 3)));
        differentiate(f(x(2, 1, 3), x(4, 1)));
      },
    ],
  ),
  ...Object.entries(comparisons).map(
    ([name, f]): Case => [name, () => [f(x(3), x(3)), f(x(3), x(2, 1)), f(x(3), 1)]],
  ),
  [
    "where",
    () => {
      differentiate(ops.where(ops.gt(x(5), 0), x(5), x(5)));
      differentiate(ops.where(ops.gt(x(2, 1), 0), x(3), 1));
    },
  ],
  [
    "prelu",
    () => {
      differentiate(ops.prelu(x(2, 3, 4), x(3)));
      differentiate(ops.prelu(x(2, 3), x(1)));
    },
  ],
  ["symmetricGate", () => differentiate(ops.symmetricGate(x(2, 3), x(2, 3)))],
  [
    "denseConv2d, with and without a tape",
    () => {
      const layer = (from: number, to: number) => ({ weight: x(to, from, 3, 3), bias: x(to) });
      for (const [c, growth] of [
        [3, 2],
        [16, 8],
        [64, 32],
      ]) {
        const run = () => ops.denseConv2d(x(1, c, 9, 10), [layer(c, growth), layer(c + growth, growth)], 0.2);
        differentiate(run());
        ops.noGrad(run);
      }
    },
  ],
  [
    "sums, means and extrema: short and long ones, few and many, one and two passes",
    () => {
      for (const reduce of [ops.sum, ops.mean, ops.max, ops.min]) {
        differentiate(reduce(x(3, 4)));
        differentiate(reduce(x(2, 3, 5, 7), [0, 2, 3]));
        differentiate(reduce(x(2, 3, 5, 7), [1, 3], { keepdim: true }));
        differentiate(reduce(x(40, 4200), 0));
        differentiate(reduce(x(2, 40000)));
        differentiate(reduce(x(2, 40000), 1));
      }
    },
  ],
  ["argmax, of short and of long rows", () => [ops.argmax(x(3, 4), 1), ops.argmax(x(2, 3000), 1)]],
  [
    "softmax and logSoftmax, by one thread and by many",
    () => {
      for (const f of [ops.softmax, ops.logSoftmax]) for (const n of [5, 100]) differentiate(f(x(3, n), 1));
    },
  ],
  ["crossEntropy", () => differentiate(ops.crossEntropy(x(3, 5), [0, 4, 2]))],
  [
    "linear",
    () => [differentiate(ops.linear(x(2, 3), x(4, 3), x(4))), differentiate(ops.linear(x(3), x(4, 3)))],
  ],
  [
    "maxPool2d and avgPool2d",
    () => {
      for (const f of [ops.maxPool2d, ops.avgPool2d]) {
        differentiate(f(x(2, 3, 7, 6), 2));
        differentiate(f(x(2, 3, 7, 6), [3, 2], { stride: [2, 1], padding: [1, 0] }));
      }
    },
  ],
  [
    "batchNorm, of a batch and by running statistics, of small and of large pictures",
    () => {
      const running = { mean: zeros([3]), variance: zeros([3]), batches: zeros([]) };
      for (const training of [true, false]) {
        differentiate(ops.batchNorm(x(2, 3, 7, 6), running, x(3), x(3), { training }));
        differentiate(ops.batchNorm(x(2, 3, 100, 100), running, x(3), x(3), { training }));
      }
    },
  ],
  ["dropout", () => differentiate(ops.dropout(x(2, 5)))],
  [
    "moving elements",
    () => {
      differentiate(ops.broadcastTo(x(2, 1, 3), [4, 2, 5, 3]));
      differentiate(ops.concat([x(2, 3), x(2, 4)], 1));
      differentiate(ops.stack([x(2, 3), x(2, 3)], 1));
      differentiate(ops.transpose(x(2, 3), 0, 1));
      for (const f of [ops.squeeze, ops.flatten]) differentiate(f(x(2, 1, 3)));
      differentiate(ops.unsqueeze(ops.add(ops.detach(x(2, 3)), x(3)), 1));
      differentiate(ops.reshape(x(2, 3), [6]));
      differentiate(ops.slice(x(4, 5, 6), [1, 1, 1], [3, 4, 5]));
      for (let rank = 1; rank <= 6; rank++) {
        const axes = Array.from({ length: rank }, (_, axis) => axis).reverse();
        differentiate(ops.permute(x(...axes.map((axis) => 2 + axis)), axes));
      }
    },
  ],
  [
    "pad",
    () => {
      for (const mode of ["constant", "reflect", "replicate"] as const) {
        differentiate(ops.pad(x(2, 4, 5), [1, 2, 3, 1], mode));
      }
    },
  ],
  [
    "matmul, for narrow, middling and wide matrices",
    () => {
      for (const side of [3, 16, 33, 128]) differentiate(ops.matmul(x(side, side + 1), x(side + 1, side)));
      differentiate(ops.matmul(x(2, 1, 3, 4), x(5, 4, 6)));
    },
  ],
  [
    "pixelShuffle and pixelUnshuffle",
    () => {
      for (const r of [1, 2, 3, 4]) differentiate(ops.pixelShuffle(x(1, 2 * r * r, 3, 2), r));
      for (const r of [1, 2, 3, 4]) differentiate(ops.pixelUnshuffle(x(1, 2, 3 * r, 2 * r), r));
    },
  ],
  [
    "interpolate",
    () => {
      for (const mode of ["nearest", "bilinear", "bicubic"] as const) {
        for (const convention of ["pytorch", "matlab"] as const) {
          // Pictures of one line, of two and of more have kernels of their own.
          for (const shape of [
            [1, 1, 1, 1],
            [1, 1, 2, 2],
            [1, 3, 9, 8],
            [1, 1, 1, 300],
          ] as const) {
            differentiate(ops.interpolate(x(...shape), { scaleFactor: 2, mode, convention }));
          }
          for (const antialias of mode === "nearest" ? [false] : [false, true]) {
            differentiate(ops.interpolate(x(1, 3, 8, 9), { size: [3, 4], mode, convention, antialias }));
          }
        }
      }
    },
  ],
  [
    "samples, colours and transparency",
    (device) => {
      for (const channels of [1, 2, 3, 4]) {
        for (const samples of [new Uint8Array(channels * 15), new Uint16Array(channels * 15)]) {
          const depth = samples instanceof Uint8Array ? 8 : 16;
          for (const unit of [true, false]) {
            packSamples(unpackSamples(samples, [channels, 3, 5], device, { unit }), { depth, unit });
          }
        }
      }
      rgbOf(lumaOf(x(1, 3, 4, 5)), chromaOf(x(1, 3, 4, 5)));
      for (const scale of [2, 3, 4]) {
        unpremultiply(x(1, 3, 4 * scale, 5 * scale), x(1, 1, 4 * scale, 5 * scale), x(1, 1, 4, 5), scale);
      }
      differentiate(flip(x(2, 3, 4), [0, 2]));
    },
  ],
  [
    "interpolate with round",
    () => {
      for (const [h, w] of [
        [1, 1],
        [2, 100],
        [9, 8],
        [300, 200],
      ]) {
        for (const scaleFactor of [2, 0.5]) {
          ops.interpolate(x(1, 3, h, w), { scaleFactor, mode: "bicubic", convention: "matlab", round: true });
        }
      }
    },
  ],
  [
    "variance, std, split, flip, layerNorm, groupNorm, binaryCrossEntropyWithLogits",
    () => {
      differentiate(ops.variance(x(3, 40), 1));
      differentiate(ops.std(x(3, 40), 0));
      for (const part of ops.split(x(5, 4), 2)) differentiate(part);
      differentiate(ops.flip(x(3, 4), [0]));
      differentiate(ops.layerNorm(x(3, 40), [40], x(40), x(40)));
      differentiate(ops.groupNorm(x(2, 4, 5), 2, x(4), x(4)));
      ops.backward(ops.binaryCrossEntropyWithLogits(x(5), x(5)));
    },
  ],
  [
    "losses, of few and of many elements",
    () => {
      for (const loss of [ops.l1Loss, ops.mseLoss, ops.charbonnierLoss, ops.huberLoss, ops.smoothL1Loss]) {
        for (const size of [5, 200_000]) {
          for (const reduction of ["mean", "sum"] as const)
            ops.backward(loss(x(size), x(size), { reduction }));
        }
      }
    },
  ],
  [
    "ssimLoss and fftLoss",
    () => {
      for (const loss of [ops.ssimLoss, ops.fftLoss]) ops.backward(loss(x(2, 3, 24, 17), x(2, 3, 24, 17)));
    },
  ],
  ...convolutions(),
  ...inFloat16(),
  [
    "convTranspose2d, in phases and pixel by pixel",
    () => {
      const options = [
        {},
        { stride: 2 },
        { stride: 3, padding: 4, outputPadding: 2 },
        { stride: [2, 3] as const },
      ];
      for (const each of options) {
        differentiate(ops.convTranspose2d(x(1, 3, 5, 9), x(3, 2, 9, 9), x(2), each));
        differentiate(ops.convTranspose2d(x(1, 3, 5, 9), x(3, 2, 9, 9), undefined, each));
      }
    },
  ],
  [
    "training steps of EDSR, by Adam, AdamW and SGD",
    () => {
      for (const scale of [2, 3, 4, 8] as const) {
        const model = new ops.EDSR({ scale, blocks: 2, channels: 6, resScale: 0.1, random: new Random(1) });
        for (const Optimizer of [ops.Adam, ops.AdamW, ops.SGD]) {
          const optimizer = new Optimizer(model.parameters());
          const sr = model.forward(zeros([1, 3, 5, 6]));
          optimizer.step(ops.backward(ops.l1Loss(sr, zeros([1, 3, 5 * scale, 6 * scale]))));
        }
      }
    },
  ],
  [
    "a step with addGradients, clipGradNorm and emaUpdate",
    () => {
      const network = () => new ops.EDSR({ blocks: 1, channels: 3, random: new Random(1) });
      const model = network();
      const gradients = () => ops.backward(ops.mean(model.forward(zeros([1, 3, 5, 6]))));
      const found = gradients();
      ops.addGradients(found, gradients());
      ops.clipGradNorm(found, 1);
      ops.emaUpdate(network(), model, 0.9);
    },
  ],
];

/** Everything that takes float16, with it. */
function inFloat16(): Case[] {
  const x = (...shape: Shape) => zeros(shape, { dtype: "float16" });
  return [
    [
      "cast",
      () => {
        ops.cast(zeros([5]), "float16");
        ops.cast(x(5), "float32");
      },
    ],
    [
      "float16: conv2d with all variants and epilogues",
      (device) => {
        for (const variant of [undefined, ...possible(device)]) {
          for (const [kh, kw] of [
            [1, 1],
            [3, 3],
            [9, 9],
          ]) {
            const options = { padding: 4, variant, activation: "sigmoid", shuffle: 2 } as const;
            conv2d(x(2, 5, 20, 33), x(20, 5, kh, kw), x(20), options);
          }
          conv2d(x(1, 3, 6, 9), x(8, 3, 3, 3), x(8), {
            padding: 1,
            skip: x(1, 8, 6, 9),
            alpha: 0.1,
            variant,
          });
          for (const options of [{ activation: "prelu", slope: x(8) }, { gate: x(1, 8, 6, 9) }] as const) {
            conv2d(x(1, 3, 6, 9), x(8, 3, 3, 3), x(8), { padding: 1, variant, ...options });
          }
        }
        const layers = [5, 8].map((c) => ({ weight: x(3, c, 3, 3), bias: x(3) }));
        ops.denseConv2d(x(1, 5, 6, 9), layers, 0.2);
      },
    ],
    [
      "float16: all other operations that take it",
      () => {
        ops.convTranspose2d(x(1, 3, 5, 9), x(3, 2, 9, 9), x(2), { stride: 3, padding: 4, outputPadding: 2 });
        ops.convTranspose2d(x(1, 3, 5, 9), x(3, 2, 9, 9), x(2), { stride: [2, 3] });
        for (const { f } of unary) f(x(5));
        for (const { f } of binary) [f(x(2, 3), x(2, 3)), f(x(2, 1, 3), x(4, 1))];
        ops.prelu(x(2, 3, 4), x(3));
        ops.symmetricGate(x(2, 3), x(2, 3));
        for (const mode of ["nearest", "bilinear", "bicubic"] as const) {
          for (const scaleFactor of [2, 0.6]) ops.interpolate(x(1, 3, 9, 8), { scaleFactor, mode });
        }
        for (const mode of ["constant", "reflect", "replicate"] as const)
          ops.pad(x(4, 5), [1, 2, 3, 1], mode);
        ops.pixelShuffle(x(1, 8, 3, 2), 2);
        ops.pixelUnshuffle(x(1, 2, 6, 4), 2);
        ops.concat([x(2, 3), x(2, 4)], 1);
        ops.slice(x(4, 5, 6), [1, 1, 1], [3, 4, 5]);
        ops.permute(x(2, 3, 4), [2, 0, 1]);
        ops.broadcastTo(x(2, 1, 3), [4, 2, 5, 3]);
      },
    ],
  ];
}

/** conv2d for all window sizes, strides and dilations, with all that can be done on the way to memory. */
function convolutions(): Case[] {
  const plain = [
    [1, 1],
    [2, 4],
    [3, 3],
    [3, 5],
    [5, 5],
    [9, 9],
  ] as const;
  const steps = [
    { stride: 2 },
    { stride: [2, 3] },
    { dilation: 2 },
    { stride: 2, dilation: [1, 3] },
  ] as const;
  const geometries: { window: readonly [number, number]; step: Conv2dOptions }[] = [
    ...plain.map((window) => ({ window, step: {} })),
    ...steps.map((step) => ({ window: [3, 3] as const, step })),
    { window: [1, 1], step: { stride: 2 } },
    { window: [5, 5], step: { stride: 2 } },
    { window: [9, 9], step: { dilation: 2 } },
  ];
  const list = geometries.map(
    ({ window: [kh, kw], step }): Case => [
      `conv2d ${kh}x${kw} ${JSON.stringify(step)}`,
      (device) => {
        // Blocks are smaller for few output channels.
        for (const o of [3, 8, 17]) {
          differentiate(conv2d(x(2, 5, 20, 33), x(o, 5, kh, kw), x(o), { ...step, padding: 4 }));
        }
        for (const variant of possible(device)) {
          try {
            conv2d(x(2, 5, 20, 33), x(5, 5, kh, kw), undefined, { ...step, padding: 4, variant });
          } catch (error) {
            // Variants say so when a window is too wide for them.
            expect(String(error)).toMatch(/^RangeError: conv2d: .*[Uu]se another variant/);
          }
        }
      },
    ],
  );
  list.push([
    "conv2d with activations, a skip connection and pixel shuffles",
    (device) => {
      for (const variant of [undefined, ...possible(device)]) {
        for (const activation of ["none", ...Object.keys(activations)] as Activation[]) {
          differentiate(conv2d(x(1, 3, 6, 9), x(9, 3, 3, 3), x(9), { padding: 1, activation, variant }));
        }
        const skip = x(1, 8, 6, 9);
        differentiate(conv2d(x(1, 3, 6, 9), x(8, 3, 3, 3), x(8), { padding: 1, skip, alpha: 0.1, variant }));
        const read = [
          { activation: "prelu", slope: x(8) },
          { activation: "leakyRelu", slope: 0.2 },
          { activation: "silu" },
          { gate: skip },
        ] as const;
        for (const options of read) {
          const run = () => conv2d(x(1, 3, 6, 9), x(8, 3, 3, 3), x(8), { padding: 1, variant, ...options });
          differentiate(run());
          ops.noGrad(run); // in the same kernel
        }
        for (const shuffle of [2, 3]) {
          const skip = x(1, 36 / shuffle ** 2, 6, 9);
          differentiate(conv2d(x(1, 3, 6, 9), x(36, 3, 3, 3), x(36), { padding: 1, shuffle, skip, variant }));
          differentiate(conv2d(x(1, 3, 6, 9), x(36, 3, 3, 3), x(36), { padding: 1, shuffle, variant }));
        }
      }
    },
  ]);
  list.push([
    "conv2d's ladder, step by step",
    (device) => {
      for (const step of conv2dSteps(device.profile, {
        x: [2, 5, 20, 33],
        weight: [8, 5, 3, 3],
        padding: 1,
      })) {
        const [other, result] = [x(2, 8, 20, 33), x(8, 5, 3, 3)];
        const tensors = step.computes === "dw" ? { other, result } : { other: result, result: other };
        launchStep(device, step, { x: x(2, 5, 20, 33), ...tensors });
      }
    },
  ]);
  list.push(["measureCeilings", (device) => measureCeilings(device, { runs: 1, minRunMs: 0 })]);
  list.push([
    "conv2d with every block that the tuner may choose",
    (device) => {
      const tried = vi.fn();
      device.tuning.observer = ({ candidates, launch }) => {
        for (const candidate of candidates()) tried(launch(candidate));
      };
      differentiate(conv2d(x(1, 3, 9, 10), x(70, 3, 3, 3), x(70), { padding: 1 }));
      differentiate(conv2d(x(1, 3, 9, 10), x(3, 3, 5, 5), x(3), { padding: 2 }));
      expect(tried.mock.calls.length).toBeGreaterThan(20);
    },
  ]);
  return list;
}

function possible({ profile: { subgroupSize } }: GpuDevice) {
  return variants.filter((variant) => variant !== "4-broadcast" || subgroupSize > 0);
}

// ---- The tests

describe("kernels compile within WebGPU's default limits", () => {
  const launched = new Set<string>();
  const sources = new Set<string>();

  test("the backend offers those limits, and subgroups", async () => {
    const device = await nullDevice();
    const { limits } = device.gpu;
    expect(limits.maxComputeWorkgroupStorageSize).toBe(16384);
    expect(limits.maxComputeInvocationsPerWorkgroup).toBe(256);
    expect(limits.maxStorageBuffersPerShaderStage).toBe(8);
    expect(limits.maxStorageBufferBindingSize).toBe(128 * 2 ** 20);
    expect(limits.maxComputeWorkgroupsPerDimension).toBe(65535);
    expect(device.gpu.features).toContain("subgroups");
    expect(device.gpu.features).toContain("shader-f16");
    device.destroy();
  });

  test("subgroups of several sizes: kernels that need one ask for it, others do not", async () => {
    const device = await nullDevice();
    const { subgroupMinSize, subgroupMaxSize } = device.gpu.adapterInfo;
    expect(subgroupMinSize).toBeLessThan(subgroupMaxSize);
    device.profile = { ...device.profile, subgroupSize: 32 };
    const codes: string[] = [];
    const { createShaderModule } = device.gpu;
    device.gpu.createShaderModule = (descriptor) => {
      codes.push(descriptor.code);
      return createShaderModule.call(device.gpu, descriptor);
    };
    using _ = ops.scope();
    for (const variant of ["4-broadcast", "6-prefetch"] as const) {
      conv2d(x(1, 16, 9, 9), x(16, 16, 3, 3), undefined, { variant });
    }
    await device.sync();
    expect(codes[0]).toContain("enable subgroup_size_control;");
    expect(codes[0]).toContain("@compute @subgroup_size(LANES)");
    expect(codes[1]).not.toContain("subgroup");
    device.destroy();
  });

  describe("of every kind of adapter", () => {
    // One device for all: what two kinds have in common is compiled once.
    let device: GpuDevice;
    beforeAll(async () => {
      device = await nullDevice();
      const { createShaderModule } = device.gpu;
      device.gpu.createShaderModule = (descriptor) => {
        launched.add(descriptor.label!);
        sources.add(descriptor.code);
        return createShaderModule.call(device.gpu, descriptor);
      };
    });
    afterAll(() => device.destroy());

    describe.each(spread(kinds, 3))("as $adapterClass with subgroups of $subgroupSize", (kind) => {
      test.each(cases)("%s", async (_, run) => {
        setDefaultDevice(device);
        device.profile = profileOf(device, kind);
        using _scope = ops.scope();
        try {
          await run(device);
          await device.sync();
        } finally {
          device.tuning.observer = undefined;
          device.tuning.choices.clear();
        }
      });
    });
  });

  test("all kernels were among them", () => {
    const declared = wgslFiles().flatMap(({ kernels }) => kernels.map(({ name }) => name));
    expect(declared.length).toBeGreaterThan(20);
    expect([...launched].sort()).toEqual(declared.sort());
  });

  test("all operations were among them", () => {
    const tested = new Set<string>();
    for (const [name] of cases) for (const word of name.split(/\W+/)) tested.add(word);
    for (const name of [
      ...["sum", "mean", "max", "min", "l1Loss", "mseLoss", "charbonnierLoss", "huberLoss", "smoothL1Loss"],
      ...["broadcastTo", "concat", "reshape", "slice", "permute", "stack", "transpose"],
      ...["squeeze", "unsqueeze", "flatten", "detach"],
    ]) {
      tested.add(name);
    }
    // Functions of the library that compute nothing.
    const others = [
      ...["init", "openDevice", "defaultDevice", "setDefaultDevice", "memory", "manualSeed", "keep", "scope"],
      ...[
        "capture",
        "span",
        "startTrace",
        "compileAhead",
        "chooseMethod",
        "defaultMethod",
        "photoMethod",
        "emaDecay",
        "loadPretrained",
        "backward",
        "noGrad",
        "tensor",
        "arange",
        "zeros",
        "ones",
        "full",
        "rand",
        "randn",
        "stepLR",
        "multiStepLR",
        "warmup",
      ],
      ...["cosineAnnealingLR", "loadWeights", "saveWeights", "parseSafetensors", "serializeSafetensors"],
      ...["loadCheckpoint", "saveCheckpoint"],
      ...["parsePytorch", "serializePytorch", "parseWeights", "exportOnnx"],
      ...[
        "architectureOf",
        "completeOptions",
        "createModel",
        "buildNetwork",
        "describeNetwork",
        "readNetwork",
        "networkIn",
        "loadModel",
        "multiplyAddsPerPixel",
        "interpolator",
        "networkUpscaler",
        "selfEnsemble",
        "upscale",
      ],
      ...[
        "onDevice",
        "outsideScopes",
        "openMethod",
        "upscaleBands",
        "scalesOf",
        "readSource",
        "toImageData",
        "adaptersPresent",
        "formatTensor",
        "show",
      ],
      ...["normalInit", "kaimingNormalInit", "whiteningInit"],
    ];
    const functions = Object.entries(ops).filter(
      ([name, value]) => typeof value === "function" && /^[a-z]/.test(name),
    );
    const untested = functions
      .map(([name]) => name)
      .filter((name) => !tested.has(name) && !others.includes(name));
    expect(untested, "exported functions that no case here runs").toEqual([]);
  });

  afterAll(() => console.log(`WGSL sources compiled: ${sources.size}, of ${launched.size} kernels`));
});

describe("a kernel that passes a limit, or is no WGSL, fails", () => {
  const head = "@group(0) @binding(0) var<storage, read_write> y: array<f32>;\n";
  const main = (size: number, body: string) => `@compute @workgroup_size(${size}) fn main() { ${body} }`;
  const buffers = Array.from(
    { length: 9 },
    (_, i) => `@group(0) @binding(${i}) var<storage, read> b${i}: array<f32>;`,
  );
  const sum = buffers.map((_, i) => `b${i}[0]`).join(" + ");
  test.each([
    ["an unknown name", head + main(1, "y[0] = nothing;"), /unresolved value 'nothing'/],
    ["257 threads", head + main(257, "y[0] = 1.0;"), /256/],
    [
      "16 KiB and 4 bytes of workgroup memory",
      `${head}var<workgroup> m: array<f32, 4097>;\n${main(1, "y[0] = m[0];")}`,
      /16384/,
    ],
    ["nine storage buffers", `${buffers.join("\n")}\n${main(1, `let s = ${sum};`)}`, /exceeds|limit/],
  ])("%s", async (_, body, message) => {
    const device = await nullDevice();
    const y = device.allocate(4);
    const named = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`b${i}`, y]));
    device.run(kernel("too-much", body), { buffers: { y, ...named }, grid: [1] });
    const error: Error = await device.sync().then(
      () => expect.unreachable(),
      (reason) => reason,
    );
    expect(error.message).toMatch(/^Kernel too-much does not compile/);
    expect(error.message).toMatch(message);
    device.destroy();
  });
});

describe("kernel bodies are WGSL that can be read by itself", () => {
  test.each(wgslFiles().map(({ path, kernels }) => [path, kernels] as const))("%s", (path, kernels) => {
    const text = readFileSync(join(root, "src", path), "utf8");
    // Every kernel of the file was found, and is one literal without interpolation.
    expect(kernels.length).toBe(text.match(/\bkernel\(/g)!.length);
    for (const { body } of kernels) expect(body).not.toContain("${");
  });

  test("names are distinct: pipelines are found by them", () => {
    const names = wgslFiles().flatMap(({ kernels }) => kernels.map(({ name }) => name));
    expect(new Set(names).size).toBe(names.length);
  });
});
