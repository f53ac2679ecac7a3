/** What `npm run bench:kernels` times: workloads, and for each the ways to compute it. */
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import type { Choice, Tunable } from "../../src/device/tuning.ts";
import type { Geometry } from "../../src/kernels/conv2d/geometry.ts";
import { conv2d } from "../../src/kernels/conv2d/index.ts";
import { launchWeightGrad } from "../../src/kernels/conv2d/launch.ts";
import {
  planRollingSizes,
  planWeightGrad,
  planWeightGradStep,
  type RollingSizes,
  type WeightGradPlan,
  weightGradVariants,
} from "../../src/kernels/conv2d/plan-weight-grad.ts";
import { launchProduct } from "../../src/kernels/matmul/index.ts";
import { matmulByTileKernel } from "../../src/kernels/matmul/matmul.wgsl.ts";
import { type ProductPlan, planProduct, tilePlans } from "../../src/kernels/matmul/plan.ts";
import { sum } from "../../src/kernels/reduce/index.ts";
import type { Work } from "../../src/measure/limits.ts";
import { tensor } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { numel, type Shape } from "../../src/tensor/shape.ts";
import { Tensor } from "../../src/tensor/tensor.ts";
import { type ConvSize, convBench, convSize, convWork, operands, values } from "../conv2d.ts";
import type { Sample } from "../harness.ts";
import { choiceName } from "./choice-name.ts";

export interface Workload {
  /** A short text without blanks, to choose it by: "conv3-64-64-16x128x128". */
  readonly name: string;
  readonly work: Work;
  /** The ways to compute it on the default device. Their tensors belong to the scope around the call. */
  variants(device: GpuDevice): Variant[];
  /** Some elements of the result, by the references. */
  samples(): readonly Sample[];
}

export interface Variant {
  readonly name: string;
  /** This is what operations launch. */
  readonly byRule: boolean;
  /** Records its launches. */
  run(): void;
  /** What the last run has computed. */
  result(): Promise<Float32Array>;
}

/** On software adapters, `small` ones. */
export function kernelWorkloads(small: boolean): Workload[] {
  const [train, paper, picture, patches, large] = (
    small
      ? [
          [1, 32],
          [2, 16],
          [1, 24],
          [1, 12],
          [1, 64],
        ]
      : [
          [16, 128],
          [16, 48],
          [1, 96],
          [4, 24],
          [1, 512],
        ]
  ).map(([n, side]) => ({ n, side }));
  const layer = (c: number, o: number, k: number, { n, side }: typeof train) => convSize(c, o, k, side, n);
  const features: Shape = [train.n, 64, train.side, train.side];
  return [
    ...[train, paper, picture, patches, large].map((pictures) => convolution(layer(64, 64, 3, pictures))),
    convolution(layer(16, 16, 3, train)),
    convolution(layer(3, 64, 3, paper)),
    convolution(layer(64, 256, 3, paper)),
    convolution(layer(3, 64, 9, picture)),
    ...[train, paper].map((pictures) => weightGradient(layer(64, 64, 3, pictures))),
    reduction("sum", features, [0, 1, 2, 3]),
    reduction("sum-of-channels", features, [0, 2, 3]),
    product(small ? 128 : 1024),
  ];
}

// ---- Convolutions

const sizeName = ({ n, c, o, k, h, w }: ConvSize) => `${k}-${c}-${o}-${n}x${h}x${w}`;

/** By all tiles and blocks that a tuner may choose. */
function convolution(size: ConvSize): Workload {
  return {
    name: `conv${sizeName(size)}`,
    work: convWork(size),
    variants(device) {
      const { x, w } = operands(size);
      const [xs, ws] = [tensor(x.data, x.shape), tensor(w.data, w.shape)];
      const compute = () => conv2d(xs, ws, undefined, { padding: (size.k - 1) / 2 });
      const found: { tunable?: Tunable<Choice> } = {};
      device.tuning.observer = (tunable) => {
        found.tunable = tunable;
      };
      const y = compute();
      device.tuning.observer = undefined;
      const { tunable } = found;
      if (!tunable) return [byRule(compute)]; // kernels without sizes to choose
      const rule = choiceName(tunable.byRule);
      const choices = new Map(
        [tunable.byRule, ...tunable.candidates()].map((choice) => [choiceName(choice), choice]),
      );
      return [...choices].map(([name, choice]) => ({
        name,
        byRule: name === rule,
        run: () => tunable.launch(choice),
        result: () => device.read(y.gpuStorage),
      }));
    },
    samples: () => samplesOf("forward", size),
  };
}

function samplesOf(part: "forward" | "weight-grad", size: ConvSize): readonly Sample[] {
  return (convBench(part, size).sampled ?? []).flatMap((check) => check.samples());
}

const oneByOne = { stride: [1, 1], dilation: [1, 1] } as const;

/** Sizes of weight-grad-rolling that were the best somewhere (docs/gpus.md). */
const rollingSizes: readonly RollingSizes[] = [
  [32, 16, 4, 16],
  [32, 16, 8, 24],
  [64, 16, 8, 16],
  [32, 32, 8, 16],
  [32, 32, 4, 16],
  [32, 32, 8, 8],
].map(([TILE_O, TILE_C, CHANNELS, CHUNK]) => ({ TILE_O, TILE_C, CHANNELS, CHUNK }));

/**
 * By all steps of its ladder but the naive one, and the last of them in several sizes; and by what a layer with a bias
 * launches, whose gradient some of them sum along the way.
 */
function weightGradient(size: ConvSize): Workload {
  return {
    name: `weight-grad${sizeName(size)}`,
    work: convWork(size),
    variants(device) {
      const { x, w, dy } = operands(size);
      const [xs, dys] = [tensor(x.data, x.shape), tensor(dy.data, dy.shape)];
      const [dw, db] = [Tensor.empty(w.shape, device), Tensor.empty([w.shape[0]], device)];
      const padding = (size.k - 1) / 2;
      const geometry: Geometry = { ...oneByOne, padding: [padding, padding] };
      const shapes = { geometry, wShape: w.shape, yShape: dy.shape };
      const profile = device.profile;
      const rule = nameOfPlan(planWeightGrad(profile, shapes));
      const plans = [
        ...weightGradVariants.map((variant) => planWeightGradStep(profile, shapes, variant)),
        ...rollingSizes.map((sizes) => planRollingSizes(profile, shapes, sizes)),
      ].filter((plan) => plan !== undefined);
      const withBias = planWeightGrad(profile, { ...shapes, hasBias: true });
      if (withBias.sumsBias) plans.unshift(withBias);
      return [...new Map(plans.map((plan) => [nameOfPlan(plan), plan]))].map(([name, plan]) => ({
        name,
        byRule: name === rule || plan === withBias,
        run: () =>
          launchWeightGrad(
            device,
            { x: xs, dy: dys },
            { dw, db: plan.sumsBias ? db : undefined },
            geometry,
            plan,
          ),
        result: () => device.read(dw.gpuStorage),
      }));
    },
    samples: () => samplesOf("weight-grad", size),
  };
}

/** "weight-grad-rolling 32x16 4 c16": output and input channels of a tile, a thread's, columns of a chunk. */
function nameOfPlan({ kernel, constants, sumsBias }: WeightGradPlan): string {
  const { TILE_O, TILE_C, CHANNELS, CHUNK } = constants;
  const step = kernel.name.replace(/^.*\//, "");
  const bias = sumsBias ? ", and the bias's" : "";
  return TILE_O === undefined ? step : `${step} ${TILE_O}x${TILE_C} ${CHANNELS} c${CHUNK}${bias}`;
}

// ---- Others, each by the kernel that the rules choose

/** Keeps the last result of an operation, so that it can be looked at. */
function byRule(compute: () => Tensor): Variant {
  return {
    name: "by rule",
    byRule: true,
    run() {
      using _ = scope();
      compute();
    },
    async result() {
      using _ = scope();
      return await compute().data();
    },
  };
}

/** Of x [n, c, h, w], which is positive, so that its sum is no difference of large numbers. */
function reduction(name: string, shape: Shape, axes: readonly number[]): Workload {
  const numbers = () => values(shape, 1, 1).data.map(Math.abs);
  return {
    name: `${name}-${shape.join("x")}`,
    work: { flops: 0, bytes: 4 * numel(shape) },
    variants() {
      const x = tensor(numbers(), shape);
      return [byRule(() => sum(x, axes))];
    },
    samples() {
      const area = shape[2] * shape[3];
      const sums = new Float64Array(axes.includes(1) ? 1 : shape[1]);
      for (const [i, value] of numbers().entries()) sums[Math.floor(i / area) % sums.length] += value;
      return Array.from(sums, (value, index) => ({ index, value }));
    },
  };
}

/** Of two square matrices, by every tile if the adapter takes tiles. */
function product(side: number): Workload {
  const matrices = () => [1, 2].map((seed) => values([side, side], seed, 1));
  return {
    name: `matmul-${side}`,
    work: { flops: 2 * side ** 3, bytes: 3 * 4 * side ** 2 },
    variants(device) {
      const [a, b] = matrices().map(({ data, shape }) => tensor(data, shape));
      const y = Tensor.empty([side, side], device);
      const sizes = { m: side, n: side, batch: 1 };
      const rule = planProduct(device.profile, sizes);
      const plans = [rule, ...(rule.kernel === matmulByTileKernel ? tilePlans(device.profile, sizes) : [])];
      return [...new Map(plans.map((plan) => [nameOfProduct(plan), plan]))].map(([name, plan]) => ({
        name,
        byRule: name === nameOfProduct(rule),
        run: () => launchProduct(device, { a, b }, {}, y, plan),
        result: () => device.read(y.gpuStorage),
      }));
    },
    samples() {
      const [a, b] = matrices().map(({ data }) => data);
      const random = new Random(3);
      return Array.from({ length: 64 }, () => {
        const [row, column] = [random.int(side), random.int(side)];
        let value = 0;
        for (let k = 0; k < side; k++) value += a[row * side + k] * b[k * side + column];
        return { index: row * side + column, value };
      });
    },
  };
}

/** "matmul-by-tile 128x128 8x8": rows and columns of a tile, and of a thread's block. */
function nameOfProduct({ kernel, constants }: ProductPlan): string {
  const { R, THREADS_X, THREADS_Y, ROW_QUADS, COLUMN_QUADS } = constants;
  if (R !== undefined) return `${kernel.name} ${R}x${R}`;
  const block = [4 * ROW_QUADS, 4 * COLUMN_QUADS];
  return `${kernel.name} ${block[0] * THREADS_Y}x${block[1] * THREADS_X} ${block.join("x")}`;
}
