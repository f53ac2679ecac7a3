/**
 * Densely connected convolutions (Huang, Liu, van der Maaten, Weinberger, "Densely Connected Convolutional
 * Networks", 2017): each one reads the input and the results of all before it.
 *
 * Written with `concat`, every result is copied once for each convolution after it, and on a tape all copies stay
 * in memory. Here one tensor has room for everything: each convolution reads its first channels and writes the
 * next ones (`launchSlices`), so the only copy is that of the input.
 */
import type { DType } from "../../device/device.ts";
import { fromHalf, toHalf } from "../../device/half.ts";
import { checkArguments, listOf, type Wanted } from "../../options/arguments.ts";
import { atLeastZero } from "../../options/kinds.ts";
import { defineOp, type NdArray } from "../../tensor/op.ts";
import { formatShape, numel, type Shape, ShapeError } from "../../tensor/shape.ts";
import { aTensor, type Tensor } from "../../tensor/tensor.ts";
import { type Epilogue, noEpilogue } from "../conv2d/epilogue.ts";
import type { Geometry } from "../conv2d/geometry.ts";
import { conv2dInputGrad, conv2dWeightGrad } from "../conv2d/index.ts";
import { launchSlices } from "../conv2d/launch.ts";
import * as reference from "../conv2d/reference.ts";
import { leakyReluOp } from "../elementwise/unary.ts";
import { copyOnCpu, copyOnGpu } from "../layout/copy.ts";
import { placePlan, slice } from "../layout/slice.ts";
import { sum } from "../reduce/index.ts";

/** A 3x3 window and zeros around the picture, whose size stays. */
const geometry: Geometry = { stride: [1, 1], padding: [1, 1], dilation: [1, 1] };

/** x, and for convolution i its weight `w i` and bias `b i`. */
type DenseInputs = Record<string, Tensor>;

export interface DenseParams {
  /** How many convolutions there are. */
  readonly count: number;
  readonly slope: number;
  /** How the result is stored, and so what one convolution hands to the next. */
  readonly dtype: DType;
}

const denseOp = defineOp<DenseInputs, DenseParams>({
  name: "denseConv2d",
  float16: true,
  shape: ({ x, ...layers }, { count }) => resultShape(x.shape, weightsOf(layers, count)),
  cpu({ x, ...layers }, { count, slope, dtype }, y) {
    copyOnCpu(x, y, placePlan(y.shape, [0, 0, 0, 0], x.shape));
    const [n, , h, w] = x.shape;
    let channels = x.shape[1];
    for (let i = 0; i < count; i++) {
      const [weight, bias] = [layers[`w ${i}`], layers[`b ${i}`]];
      const result = arrayLike(y, [n, weight.shape[0], h, w]);
      reference.forward(y, weight, bias, result, geometry);
      for (const [k, value] of result.data.entries()) result.data[k] = leakyReluOp.rule.f(value, slope, 0);
      if (dtype === "float16") result.data.set(fromHalf(toHalf(result.data)));
      copyOnCpu(result, y, placePlan(y.shape, [0, channels, 0, 0], result.shape));
      channels += weight.shape[0];
    }
  },
  gpu(device, { x, ...layers }, { count, slope }, y) {
    copyOnGpu(device, x, y, placePlan(y.shape, [0, 0, 0, 0], x.shape));
    const epilogue: Epilogue = { ...noEpilogue, activation: "leakyRelu", slope };
    let channels = x.shape[1];
    for (let i = 0; i < count; i++) {
      const [w, b] = [layers[`w ${i}`], layers[`b ${i}`]];
      launchSlices(device, { geometry, epilogue }, { x: y, w, b }, y, channels);
      channels += w.shape[0];
    }
  },
  backward(dy, { x, y, ...layers }, { count, slope }) {
    // From the last convolution to the first: when its turn comes, the gradient of its result is complete. Its
    // input's gradient then adds to that of all channels before.
    let cached: { dx: Tensor; dz: Tensor[] } | undefined;
    const goBack = () => {
      const dz: Tensor[] = [];
      let dx = dy;
      for (let i = count - 1; i >= 0; i--) {
        const w = layers[`w ${i}`];
        const channels = w.shape[1];
        const [before, result] = [[0, channels] as const, [channels, channels + w.shape[0]] as const];
        const yi = channelsOf(y, result);
        // Of a slope that is not negative, the result has the argument's sign.
        dz[i] = leakyReluOp.gradient({ dy: channelsOf(dx, result), x: yi, y: yi }, { a: slope });
        const xShape = [x.shape[0], channels, ...x.shape.slice(2)];
        dx = conv2dInputGrad({ dy: dz[i], w, others: channelsOf(dx, before) }, { geometry, xShape });
      }
      return { dx, dz };
    };
    const gradients = () => {
      cached ??= goBack();
      return cached;
    };
    const thunks: Record<string, () => Tensor> = { x: () => gradients().dx };
    for (let i = 0; i < count; i++) {
      const wShape = layers[`w ${i}`].shape;
      thunks[`w ${i}`] = () => conv2dWeightGrad({ x: y, dy: gradients().dz[i] }, { geometry, wShape });
      thunks[`b ${i}`] = () => sum(gradients().dz[i], [0, 2, 3]);
    }
    return thunks;
  },
});

function weightsOf(layers: DenseInputs, count: number): Shape[] {
  return Array.from({ length: count }, (_, i) => layers[`w ${i}`].shape);
}

function channelsOf(x: Tensor, [from, to]: readonly [number, number]): Tensor {
  return slice(x, [0, from], [x.shape[0], to]);
}

/** Zeros of the array's kind of numbers. */
function arrayLike({ data }: NdArray, shape: Shape): NdArray {
  const length = numel(shape);
  return { shape, data: data instanceof Float64Array ? new Float64Array(length) : new Float32Array(length) };
}

function resultShape(x: Shape, weights: readonly Shape[]): Shape {
  if (x.length !== 4) throw new ShapeError(`denseConv2d: wants x [n, c, h, w], got ${formatShape(x)}.`);
  const [n, c, h, w] = x;
  const channels = weights.reduce((before, weight, i) => {
    const [o] = weight;
    if (weight.length !== 4 || weight.slice(1).join() !== [before, 3, 3].join()) {
      throw new ShapeError(
        `denseConv2d: weight ${i} must have the shape [o, ${before}, 3, 3], since x and the results before it ` +
          `have ${before} channels, got ${formatShape(weight)}.`,
      );
    }
    return before + o;
  }, c);
  return [n, channels, h, w];
}

/** A convolution of the chain: weight [o, c, 3, 3], where c counts all channels before it, and bias [o]. */
export interface DenseLayer {
  readonly weight: Tensor;
  readonly bias: Tensor;
}

const aDenseLayer: Wanted<DenseLayer> = {
  wants: "a convolution with a weight and a bias",
  fits: (value): value is DenseLayer => {
    const { weight, bias } = (value ?? {}) as Partial<DenseLayer>;
    return aTensor.fits(weight) && aTensor.fits(bias);
  },
};

/**
 * x [n, c, h, w] and the results of a chain of 3x3 convolutions, joined along the channels: convolution i reads x
 * and all results before it, and a leaky ReLU with this slope (at least 0) follows. The result is
 * [n, c + o0 + o1 + …, h, w]. It is what
 *
 *     y = x; for (const { weight, bias } of layers) y = concat([y, leakyRelu(conv2d(y, weight, bias), slope)], 1)
 *
 * computes (with padding 1), without its copies. Differentiable in everything. Throws a ShapeError for shapes
 * that do not fit.
 */
export function denseConv2d(x: Tensor, layers: readonly DenseLayer[], slope: number): Tensor {
  checkArguments("denseConv2d", {
    x: [x, aTensor],
    layers: [layers, listOf(aDenseLayer)],
    slope: [slope, atLeastZero],
  });
  const inputs: DenseInputs = { x };
  for (const [i, { weight, bias }] of layers.entries()) {
    inputs[`w ${i}`] = weight;
    inputs[`b ${i}`] = bias;
    if (bias.shape.join() !== String(weight.shape[0])) {
      throw new ShapeError(
        `denseConv2d: bias ${i} has the shape ${formatShape(bias.shape)}; it must be [${weight.shape[0]}].`,
      );
    }
  }
  return denseOp(inputs, { count: layers.length, slope, dtype: x.dtype });
}
