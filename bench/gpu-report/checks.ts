/**
 * Is every kernel right on this adapter? Small computations that between them launch every kernel of the
 * library, compared with the plain TypeScript references in float64. test/bench/gpu-report.test.ts sees to it
 * that none is missing.
 */
import type { CpuDevice } from "../../src/device/cpu-device.ts";
import type { DeviceProfile } from "../../src/device/device.ts";
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import { defaultDevice, setDefaultDevice } from "../../src/device/open.ts";
import { facts } from "../../src/device/profile.ts";
import { unpremultiply } from "../../src/kernels/alpha/index.ts";
import { batchNorm } from "../../src/kernels/batch-norm/index.ts";
import { cast } from "../../src/kernels/cast/index.ts";
import { chromaOf, lumaOf, rgbOf } from "../../src/kernels/color/index.ts";
import { convTranspose2d } from "../../src/kernels/conv-transpose2d/index.ts";
import { type Conv2dOptions, conv2d, conv2dWeightGrad, variants } from "../../src/kernels/conv2d/index.ts";
import { conv2dSteps, launchStep } from "../../src/kernels/conv2d/steps.ts";
import { crossEntropy } from "../../src/kernels/cross-entropy/index.ts";
import { denseConv2d } from "../../src/kernels/dense-conv2d/index.ts";
import { dropout } from "../../src/kernels/dropout/index.ts";
import {
  add,
  cos,
  elu,
  exp,
  gt,
  log,
  lt,
  mul,
  pow,
  prelu,
  relu,
  sigmoid,
  sin,
  softplus,
  tanh,
  where,
} from "../../src/kernels/elementwise/index.ts";
import { concat, permute, slice } from "../../src/kernels/layout/index.ts";
import { huberLoss, l1Loss, mseLoss } from "../../src/kernels/loss/index.ts";
import { matmul } from "../../src/kernels/matmul/index.ts";
import { pad } from "../../src/kernels/pad/index.ts";
import { pixelShuffle, pixelUnshuffle } from "../../src/kernels/pixel-shuffle/index.ts";
import { avgPool2d, maxPool2d } from "../../src/kernels/pool/index.ts";
import { argmax, max, mean, sum } from "../../src/kernels/reduce/index.ts";
import { interpolate } from "../../src/kernels/resize/index.ts";
import { packSamples, readSamples, unpackSamples } from "../../src/kernels/samples/index.ts";
import { softmax } from "../../src/kernels/softmax/index.ts";
import { EDSR } from "../../src/models/edsr.ts";
import { Adam, addGradients, clipGradNorm, emaUpdate, SGD } from "../../src/nn/index.ts";
import { ones, rand, tensor, zeros } from "../../src/tensor/create.ts";
import { noGrad } from "../../src/tensor/no-grad.ts";
import { Random } from "../../src/tensor/random.ts";
import { keep, scope } from "../../src/tensor/scope.ts";
import type { Shape } from "../../src/tensor/shape.ts";
import { backward } from "../../src/tensor/tape.ts";
import { Tensor } from "../../src/tensor/tensor.ts";
import { largestError } from "../harness.ts";

export interface Check {
  readonly name: string;
  /** Computes on the default device. All of its results are compared. */
  readonly run: () => Result[];
  /** The largest error allowed, as a share of the largest value of the same result. */
  readonly tolerance: number;
  /** It is left out where the adapter cannot store float16. */
  readonly float16?: boolean;
}

/** A tensor, or something else that can be read back. */
type Result = Pick<Tensor, "data">;

/** What was found about one kernel. */
export interface KernelCheck {
  readonly kernel: string;
  /** In how many checks it was launched. */
  readonly checks: number;
  /** The largest error of these, as a share of the largest value. Null stands for NaN, which JSON lacks. */
  readonly error: number | null;
  /** The checks that went wrong. */
  readonly wrong: readonly string[];
}

export interface Checked {
  readonly kernels: readonly KernelCheck[];
  /** How many checks were made, and those that time did not allow for. */
  readonly count: number;
  readonly left: readonly string[];
}

// ---- The checks

type Range = readonly [low: number, high: number];

/** The value of `f` of random tensors, and the gradient of each with respect to a weighted sum of the value. */
function value(
  name: string,
  f: (...inputs: Tensor[]) => Tensor,
  shapes: readonly Shape[],
  { range = [-1, 1], tolerance = 2e-5 }: { range?: Range; tolerance?: number } = {},
): Check {
  const run = () => {
    const inputs = shapes.map((shape, i) => random(shape, i + 1, range, true));
    const y = f(...inputs);
    const gradients = backward(sum(mul(y, random(y.shape, 99))), inputs);
    return [y, ...inputs.map((input) => gradients.get(input)!)];
  };
  return { name, run, tolerance };
}

/** The same without gradients: where there are none, or where rounding may take a relu to its other side. */
function forward(
  name: string,
  f: (...inputs: Tensor[]) => Tensor,
  shapes: readonly Shape[],
  range?: Range,
): Check {
  const run = () => {
    using _ = noGrad();
    return [f(...shapes.map((shape, i) => random(shape, i + 1, range)))];
  };
  return { name, run, tolerance: 2e-5 };
}

function random(shape: Shape, seed: number, [low, high]: Range = [-1, 1], requiresGrad = false): Tensor {
  return rand(shape, { random: new Random(seed), low, high, requiresGrad });
}

function convolution(name: string, x: Shape, w: Shape, options: Conv2dOptions): Check {
  return value(name, (...[x, w, b]) => conv2d(x, w, b, options), [x, w, [w[0]]]);
}

/** A picture's samples to planes of numbers and back. */
function samples(depth: 8 | 16, channels: number): Check {
  const run = () => {
    using _ = noGrad();
    const numbers = Array.from({ length: channels * 35 }, (_, i) => (i * 7919) % 2 ** depth);
    const array = depth === 8 ? Uint8Array.from(numbers) : Uint16Array.from(numbers);
    const planes = unpackSamples(array, [channels, 5, 7], defaultDevice());
    const packed = keep(packSamples(planes, { depth })); // reading frees it
    return [planes, { data: async () => Float32Array.from((await readSamples(packed, depth)).data) }];
  };
  return { name: `samples of ${depth} bits, ${channels} channels`, run, tolerance: 1e-7 };
}

/** Steps 1 to 6 by name, with an activation and a pixel shuffle behind them. */
function convolutionStep(variant: (typeof variants)[number]): Check {
  return forward(
    `conv2d, step ${variant}`,
    (x, w, b) => conv2d(x, w, b, { padding: 1, variant, activation: "relu", shuffle: 2 }),
    [[2, 5, 19, 37], [20, 5, 3, 3], [20]],
  );
}

/** The weight gradient's first step, which no operation runs. */
const naiveWeightGradient: Check = {
  name: "conv2d, step weight-grad-naive",
  run() {
    const [x, dy] = [random([2, 3, 9, 11], 1), random([2, 5, 9, 11], 2)];
    const device = defaultDevice();
    const shape = [5, 3, 3, 3];
    if (device.profile.reference) {
      const geometry = { stride: [1, 1], padding: [1, 1], dilation: [1, 1] } as const;
      return [conv2dWeightGrad({ x, dy }, { geometry, wShape: shape })];
    }
    const steps = conv2dSteps(device.profile, { x: x.shape, weight: shape, padding: 1 });
    const result = Tensor.empty(shape);
    launchStep(device as GpuDevice, steps.find(({ name }) => name === "weight-grad-naive")!, {
      ...{ x, other: dy, result },
    });
    return [result];
  },
  tolerance: 2e-5,
};

/** Batch normalization in training, and the running statistics after it. */
const normalization: Check = {
  name: "batchNorm",
  run() {
    const channels = 5;
    const inputs = [[3, channels, 9, 7], [channels], [channels]].map((shape, i) =>
      random(shape, i + 1, [-1, 1], true),
    );
    const [x, w, b] = inputs;
    const running = { mean: zeros([channels]), variance: ones([channels]), batches: zeros([]) };
    const y = batchNorm(x, running, w, b, { training: true });
    const gradients = backward(sum(mul(y, random(y.shape, 99))), inputs);
    return [y, ...inputs.map((input) => gradients.get(input)!), ...Object.values(running)];
  },
  tolerance: 2e-5,
};

const positive = { range: [0.5, 2] as const };

export const checks: readonly Check[] = [
  ...[3, 33, 90].map((side) =>
    value(`matmul ${side}`, matmul, [
      [side, side + 5],
      [side + 5, side],
    ]),
  ),
  value(
    "elementwise of one tensor",
    (x) => tanh(add(sigmoid(exp(x)), log(mul(relu(x), 2)))),
    [[1003]],
    positive,
  ),
  value(
    "elementwise of two tensors",
    (x, y) => pow(x, y),
    [
      [17, 59],
      [17, 59],
    ],
    positive,
  ),
  value("sines and smooth ReLUs", (x) => add(mul(sin(x), cos(x)), mul(softplus(x), elu(x))), [[1003]]),
  value("elementwise with broadcasting", (x, y) => mul(x, y), [
    [5, 1, 31],
    [7, 1],
  ]),
  value("prelu", prelu, [[2, 3, 77], [3]]),
  ...[
    ["short rows", [400, 7]],
    ["long rows", [3, 4200]],
    ["one very long row", [70_001]],
  ].map(([name, shape]) =>
    value(`sum, mean and max of ${name}`, (x) => add(add(sum(x, -1), mean(x, -1)), max(x, -1)), [
      shape as Shape,
    ]),
  ),
  value("where", (x, y) => where(gt(x, 0), x, y), [[301], [301]]),
  value("where with broadcasting", (x, y) => where(lt(x, 0), x, y), [
    [5, 1, 31],
    [7, 1],
  ]),
  forward("argmax", (x) => argmax(x, 1), [[4, 300, 7]]),
  value("softmax", (x) => softmax(x, 1), [[3, 170, 5]], { range: [-8, 8] }),
  value("crossEntropy", (x) => crossEntropy(x, [3, 0, 9]), [[3, 10]], { range: [-8, 8] }),
  value("maxPool2d", (x) => maxPool2d(x, 3, { stride: 2, padding: 1 }), [[2, 3, 13, 17]]),
  value("avgPool2d", (x) => avgPool2d(x, 3, { stride: 2, padding: 1 }), [[2, 3, 13, 17]]),
  value("dropout", (x) => dropout(x, 0.3, { random: new Random(5) }), [[1003]]),
  normalization,
  value(
    "permute, slice, concat",
    (x, y) => concat([permute(x, [2, 0, 1]), slice(y, [1, 0, 0], [5, 3, 4])], 0),
    [
      [3, 4, 6],
      [6, 3, 5],
    ],
  ),
  ...[1, 3, 4].flatMap((channels) => [samples(8, channels), samples(16, channels)]),
  forward("luma and chroma, and back", (x) => rgbOf(lumaOf(x), chromaOf(x)), [[1, 3, 9, 7]]),
  forward(
    "colours divided by alpha",
    (colors, large, alpha) => unpremultiply(colors, large, alpha, 2),
    [
      [1, 3, 10, 14],
      [1, 1, 10, 14],
      [1, 1, 5, 7],
    ],
    positive.range,
  ),
  {
    ...forward("float16 and back", (x) => cast(cast(x, "float16"), "float32"), [[1003]]),
    float16: true,
    tolerance: 0,
  },
  ...(["constant", "reflect", "replicate"] as const).map((mode) =>
    value(`pad ${mode}`, (x) => pad(x, [3, 2, 1, 4], mode), [[2, 3, 9, 8]]),
  ),
  value("pixelShuffle and back", (x) => pixelUnshuffle(mul(pixelShuffle(x, 3), 2), 3), [[2, 18, 7, 5]]),
  ...(["nearest", "bilinear", "bicubic"] as const).flatMap((mode) => [
    value(`interpolate ${mode} x2`, (x) => interpolate(x, { scaleFactor: 2, mode }), [[2, 3, 19, 23]]),
    value(`interpolate ${mode} to 0.7`, (x) => interpolate(x, { size: [13, 16], mode }), [[2, 3, 19, 23]]),
  ]),
  {
    name: "Matlab's imresize of bytes",
    run() {
      using _ = noGrad();
      const bytes = Array.from({ length: 3 * 20 * 24 }, (_, i) => (i * 7919) % 256);
      const options = { mode: "bicubic", convention: "matlab", round: true } as const;
      return [interpolate(tensor(bytes, [1, 3, 20, 24]), { scaleFactor: 0.5, ...options })];
    },
    tolerance: 0,
  },
  ...[l1Loss, mseLoss, huberLoss].flatMap((loss) =>
    [501, 120_003].map((size) => value(`${loss.name} of ${size}`, (x, y) => loss(x, y), [[size], [size]])),
  ),
  // Last, since these take longest to compile on processors, and time may not allow for all.
  ...variants.map(convolutionStep),
  naiveWeightGradient,
  convolution("conv2d 3x3, 16 to 40 channels", [2, 16, 20, 33], [40, 16, 3, 3], { padding: 1 }),
  convolution("conv2d 3x3, 20 to 3 channels", [2, 20, 20, 33], [3, 20, 3, 3], { padding: 1 }),
  convolution("conv2d 5x5, 1 to 9 channels", [1, 1, 23, 30], [9, 1, 5, 5], { padding: 2 }),
  convolution("conv2d 1x1", [2, 9, 13, 17], [12, 9, 1, 1], {}),
  convolution("conv2d with stride and dilation", [1, 5, 24, 31], [7, 5, 3, 3], {
    stride: 2,
    dilation: [1, 2],
  }),
  value(
    "conv2d with a skip connection",
    (x, w, skip) => conv2d(x, w, undefined, { padding: 1, skip, alpha: 0.1 }),
    [
      [1, 6, 15, 18],
      [6, 6, 3, 3],
      [1, 6, 15, 18],
    ],
  ),
  ...(["gate", "skip"] as const).map((extra) =>
    forward(
      `conv2d with a ${extra} in the same kernel`,
      (x, w, other) => conv2d(x, w, undefined, { padding: 1, [extra]: other }),
      [
        [1, 6, 15, 18],
        [6, 6, 3, 3],
        [1, 6, 15, 18],
      ],
    ),
  ),
  forward(
    "conv2d with PReLU's slopes",
    (x, w, slope) => conv2d(x, w, undefined, { padding: 1, activation: "prelu", slope }),
    [[1, 6, 15, 18], [6, 6, 3, 3], [6]],
  ),
  forward(
    "denseConv2d",
    (x, w, b, w2, b2) => {
      const layers = [
        { weight: w, bias: b },
        { weight: w2, bias: b2 },
      ];
      return denseConv2d(x, layers, 0.2);
    },
    [[1, 6, 15, 18], [4, 6, 3, 3], [4], [4, 10, 3, 3], [4]],
  ),
  // In phases, all of which have windows of 2 x 2; and in one.
  ...[{ stride: 2, padding: 1 }, {}].map((options) =>
    value(`convTranspose2d 4x4 ${JSON.stringify(options)}`, (x, w, b) => convTranspose2d(x, w, b, options), [
      [1, 3, 7, 9],
      [3, 4, 4, 4],
      [4],
    ]),
  ),
  training("Adam", (parameters) => new Adam(parameters, { lr: 1e-3 })),
  training("SGD", (parameters) => new SGD(parameters, { lr: 1e-2, momentum: 0.9 })),
];

/** Two steps of a small EDSR: loss, clipped gradients, and the averaged weights. */
function training(name: string, optimizerOf: (parameters: Tensor[]) => Adam | SGD): Check {
  const run = () => {
    const network = () => new EDSR({ scale: 2, blocks: 1, channels: 6, random: new Random(1) });
    const [model, average] = [network(), network()];
    const optimizer = optimizerOf(model.parameters());
    const results: Tensor[] = [];
    for (let step = 0; step < 2; step++) {
      const loss = () => mseLoss(model.forward(random([2, 3, 12, 13], 5)), random([2, 3, 24, 26], 6));
      const first = loss();
      const gradients = backward(first);
      addGradients(gradients, backward(loss()));
      results.push(first, clipGradNorm(gradients, 0.5));
      optimizer.step(gradients);
      emaUpdate(average, model, 0.9);
    }
    optimizer.dispose();
    model.dispose();
    return [...results, ...average.parameters()];
  };
  return { name: `training steps with ${name}`, run, tolerance: 1e-4 };
}

// ---- Running them

/** The device's own facts, and those of the other kind of machine, whose kernels must be right here, too. */
function profilesToCheck(profile: DeviceProfile): DeviceProfile[] {
  const other = profile.cheapBarriers ? facts.lavapipe : facts.gpu;
  // A workgroup has to hold a whole subgroup, or some lanes of a broadcast would be missing.
  const workgroup = Math.max(other.workgroup, profile.subgroupSize);
  return [profile, { ...profile, ...other, workgroup }];
}

/** @param onCheck is called after each; it returns false to end early. */
export async function runChecks(
  device: GpuDevice,
  cpu: CpuDevice,
  onCheck: (done: number, total: number) => boolean,
  list: readonly Check[] = checks,
): Promise<Checked> {
  const byKernel = new Map<string, { checks: number; error: number; wrong: string[] }>();
  const own = device.profile;
  const { run } = device;
  const before = defaultDevice();
  const possible = list.filter(({ float16 }) => !float16 || own.float16);
  let count = 0;
  try {
    for (const [i, check] of possible.entries()) {
      const want = await results(cpu, check);
      for (const profile of profilesToCheck(own)) {
        device.profile = profile;
        const launched = new Set<string>();
        device.run = (kernel, launch) => {
          launched.add(kernel.name);
          run.call(device, kernel, launch);
        };
        const got = await results(device, check).catch((error: Error) => {
          // Operations refuse with a RangeError what they cannot do: step 4 without subgroups of one size.
          if (!(error instanceof RangeError)) throw error;
          return undefined;
        });
        if (!got) continue;
        const error = largestError(got, want);
        for (const kernel of launched) {
          const row = byKernel.get(kernel) ?? { checks: 0, error: 0, wrong: [] };
          row.checks++;
          row.error = Number.isNaN(error) ? error : Math.max(row.error, error);
          if (!(error <= check.tolerance) && !row.wrong.includes(check.name)) row.wrong.push(check.name);
          byKernel.set(kernel, row);
        }
      }
      count++;
      if (!onCheck(i + 1, possible.length)) break;
    }
  } finally {
    device.profile = own;
    device.run = run;
    setDefaultDevice(before);
  }
  const kernels = [...byKernel]
    .map(([kernel, { error, ...row }]) => ({ kernel, ...row, error: Number.isNaN(error) ? null : error }))
    .sort((a, b) => a.kernel.localeCompare(b.kernel));
  return { kernels, count, left: possible.slice(count).map(({ name }) => name) };
}

async function results(device: GpuDevice | CpuDevice, check: Check): Promise<Float32Array[]> {
  setDefaultDevice(device);
  using _ = scope();
  const read: Float32Array[] = [];
  for (const each of check.run()) read.push(await each.data());
  return read;
}
