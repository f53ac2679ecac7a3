/**
 * Networks that others trained with other programs reach on Set5 the figures that other code computed for
 * them (with NumPy; see the README beside the data). So layers, order of weights, borders, interpolation and
 * the measure are all as in the literature.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { setDefaultDevice } from "../../src/device/open.ts";
import { readImage } from "../../src/files/image-files.ts";
import { ESPCN, FSRCNN, SRCNN, SuperResolver } from "../../src/models/index.ts";
import { Conv2d, PixelShuffle, ReLU, Sequential } from "../../src/nn/index.ts";
import type { NamedArray } from "../../src/nn/module.ts";
import { rgbToY } from "../../src/picture/color.ts";
import { type Image, modcrop } from "../../src/picture/image.ts";
import { imresizePlane } from "../../src/picture/imresize.ts";
import { psnr } from "../../src/picture/metrics.ts";
import { numel } from "../../src/tensor/shape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { networkUpscaler } from "../../src/upscale/index.ts";
import { testData } from "../data/support.ts";
import { gpuDevices } from "../support/devices.ts";
import { type Matrix, readMat } from "../support/matlab.ts";
import { readOnnxWeights, readTensorflowConstants } from "../support/protobuf.ts";

const set5 = testData("set5");
const weights = testData("weights");
// One adapter is enough, the fastest: other tests compare the adapters.
const [device] = await gpuDevices();
setDefaultDevice(device);
const slow = device.adapterClass === "swiftshader";
if (slow) console.warn("On SwiftShader alone, only the smallest networks are measured on Set5.");
const file = (name: string) => readFileSync(join(weights!, name));

/** The papers' networks see nothing beyond the edges. */
const published = { padding: "none" } as const;

/** Mean PSNR of Y over Set5, without a border of `scale`. `enlarge` returns levels in studio range. */
async function meanPsnr(
  scale: number,
  enlarge: (highY: Image, low: Image) => Promise<ArrayLike<number>>,
): Promise<number> {
  const names = readdirSync(join(set5!, "HR"));
  expect(names.length).toBe(5);
  let sum = 0;
  for (const name of names) {
    const high = modcrop(await readImage(join(set5!, "HR", name)), scale);
    const lrFolder = join(set5!, `LR_bicubic/X${scale}`);
    const low = await readImage(
      join(lrFolder, readdirSync(lrFolder).find((low) => low.startsWith(name.slice(0, -4)))!),
    );
    const highY = plane(rgbToY(high), high);
    sum += psnr(plane(await enlarge(highY, low), high), highY, { border: scale, channels: "y" });
  }
  return sum / names.length;
}

/** Levels as a picture, rounded and clamped. */
function plane(levels: ArrayLike<number>, { width, height }: { width: number; height: number }): Image {
  const data = Uint8Array.from(levels, (v) => Math.min(255, Math.max(0, Math.round(v))));
  return { width, height, channels: 1, data };
}

/** Luma in the full range 0..255, as in JPEG. Some networks were trained on it. */
function fullRangeY({ data }: Image): Float64Array {
  return Float64Array.from({ length: data.length / 3 }, (_, i) => {
    const [r, g, b] = data.subarray(3 * i);
    return 0.299 * r + 0.587 * g + 0.114 * b;
  });
}

const toStudioRange = (level: number) => 16 + (level * 219) / 255;

describe.skipIf(!set5 || !weights)("SRCNN, trained by its authors' Caffe code, x3", () => {
  const networks = [
    ["srcnn_9-1-5_x3.mat", [9, 1, 5], 32.48],
    ["srcnn_9-1-5_wd_x3.mat", [9, 1, 5], 32.46],
    ["srcnn_9-3-5_x3.mat", [9, 3, 5], 32.61],
    ["srcnn_9-5-5_x3.mat", [9, 5, 5], 32.55],
  ] as const;
  test.each(slow ? networks.slice(0, 1) : networks)("%s", async (name, kernels, want) => {
    const model = new SRCNN({ scale: 3, kernels });
    model.loadStateDict(srcnnState(readMat(file(`srcnn/${name}`)), kernels));
    // LR in double precision: Y is shrunk and enlarged again without rounding.
    const got = await meanPsnr(3, (highY, low) =>
      networkUpscaler(model).upscaleY(
        imresizePlane(highY.data, highY, low),
        low.width,
        low.height,
        published,
      ),
    );
    console.log(`${name}: ${got.toFixed(3)} dB, published ${want}`);
    expect(Math.abs(got - want)).toBeLessThan(0.01);
    model.dispose();
  });
});

/** The files' matrices are [taps, out], [in, taps, out] and [in, taps]; first index fastest, taps by rows. */
function srcnnState(matrices: Map<string, Matrix>, [k1, k2, k3]: readonly number[]): Map<string, NamedArray> {
  const values = (name: string) => matrices.get(name)!.data;
  const bias = (i: number) => ({
    shape: [values(`biases_conv${i}`).length],
    data: values(`biases_conv${i}`),
  });
  const inputFirst = (from: Float32Array, shape: [number, number, number, number]) => {
    const [out, input, kh, kw] = shape;
    const taps = kh * kw;
    const data = new Float32Array(from.length);
    for (let o = 0; o < out; o++) {
      for (let i = 0; i < input; i++) {
        for (let t = 0; t < taps; t++) data[(o * input + i) * taps + t] = from[i + input * (t + taps * o)];
      }
    }
    return { shape, data };
  };
  return new Map<string, NamedArray>([
    ["conv1.weight", { shape: [64, 1, k1, k1], data: values("weights_conv1") }],
    ["conv1.bias", bias(1)],
    ["conv2.weight", inputFirst(values("weights_conv2"), [32, 64, k2, k2])],
    ["conv2.bias", bias(2)],
    ["conv3.weight", inputFirst(values("weights_conv3"), [1, 32, k3, k3])],
    ["conv3.bias", bias(3)],
  ]);
}

/** TensorFlow's filters [kh, kw, in, out] as ours, [out, in, kh, kw]. */
function outputFirst({ shape: [kh, kw, input, out], data: from }: NamedArray): NamedArray {
  const data = new Float32Array(from.length);
  for (let at = 0; at < from.length; at++) {
    const o = at % out;
    const i = Math.floor(at / out) % input;
    const tap = Math.floor(at / (out * input));
    data[(o * input + i) * kh * kw + tap] = from[at];
  }
  return { shape: [out, input, kh, kw], data };
}

describe.skipIf(!set5 || !weights)("ESPCN of OpenCV's dnn_superres", () => {
  const networks = [
    [4, 28.37],
    [3, 30.52],
    [2, 34.74],
  ] as const;
  test.each(slow ? networks.slice(0, 1) : networks)("x%i", async (scale, want) => {
    const constants = readTensorflowConstants(file(`espcn/ESPCN_x${scale}.pb`));
    const model = new ESPCN({ scale, activation: "relu" });
    const layers = ["first_part.0", "first_part.2", "last_part.0"];
    model.loadStateDict(
      new Map(
        layers.flatMap((layer, i) => [
          [`${layer}.weight`, outputFirst(constants.get(`f${i + 1}`)!)],
          [`${layer}.bias`, constants.get(`b${i + 1}`)!],
        ]),
      ),
    );
    const got = await meanPsnr(scale, async (_, low) => {
      const y = await networkUpscaler(model).upscaleY(fullRangeY(low), low.width, low.height, published);
      // Unlike the paper's, this network ends in a tanh.
      return y.map((level) => toStudioRange(255 * Math.tanh(level / 255)));
    });
    console.log(`ESPCN x${scale}: ${got.toFixed(3)} dB, published ${want}`);
    expect(Math.abs(got - want)).toBeLessThan(0.02);
    model.dispose();
  });
});

describe.skipIf(!set5 || !weights)("FSRCNN of OpenCV's dnn_superres", () => {
  const networks = [
    ["FSRCNN-small", 4, 28.19],
    ["FSRCNN-small", 3, 30.22],
    ["FSRCNN-small", 2, 34.48],
    ["FSRCNN", 4, 28.4],
    ["FSRCNN", 3, 30.59],
    ["FSRCNN", 2, 34.84],
  ] as const;
  test.each(slow ? networks.slice(0, 1) : networks)("%s x%i", async (name, scale, want) => {
    const constants = readTensorflowConstants(file(`fsrcnn/${name}_x${scale}.pb`));
    const model = name === "FSRCNN" ? new FSRCNN({ scale }) : FSRCNN.small(scale);
    model.loadStateDict(fsrcnnState(constants, model));
    const measure = () =>
      meanPsnr(scale, async (_, low) => {
        const y = await networkUpscaler(model).upscaleY(fullRangeY(low), low.width, low.height, published);
        return y.map(toStudioRange);
      });
    const got = await measure();
    console.log(`${name} x${scale}: ${got.toFixed(3)} dB, published ${want}`);
    expect(Math.abs(got - want)).toBeLessThan(0.02);
    if (device.profile.float16) {
      model.half();
      const half = await measure();
      console.log(`${name} x${scale} with half(): ${half.toFixed(4)} dB, without ${got.toFixed(4)}`);
      expect(Math.abs(half - got)).toBeLessThan(0.01);
    }
    model.dispose();
  });
});

/**
 * Constants f1, b1, alpha1 and so on, layer by layer. These networks end in a 1x1 convolution to scale²
 * channels and a pixel shuffle. That is a transposed convolution with a window of scale x scale, which lies
 * in ours of 9x9 where a padding of 4 begins.
 */
function fsrcnnState(constants: Map<string, NamedArray>, model: FSRCNN): Map<string, NamedArray> {
  const { d, m, scale } = model.options;
  const state = new Map<string, NamedArray>();
  const layers = ["first_part.0", ...Array.from({ length: m + 2 }, (_, i) => `mid_part.${2 * i}`)];
  for (const [i, layer] of layers.entries()) {
    state.set(`${layer}.weight`, outputFirst(constants.get(`f${i + 1}`)!));
    state.set(`${layer}.bias`, constants.get(`b${i + 1}`)!);
    const slopes = layer.replace(/\d+$/, (position) => `${Number(position) + 1}`);
    state.set(`${slopes}.weight`, constants.get(`alpha${i + 1}`)!);
  }
  const last = layers.length + 1;
  const { data } = constants.get(`f${last}`)!; // [1, 1, d, scale²]
  const window = new Float32Array(d * 81);
  for (const [at, value] of data.entries()) {
    const [c, phase] = [Math.floor(at / scale ** 2), at % scale ** 2];
    window[c * 81 + (4 + Math.floor(phase / scale)) * 9 + 4 + (phase % scale)] = value;
  }
  state.set("last_part.weight", { shape: [d, 1, 9, 9], data: window });
  state.set("last_part.bias", constants.get(`b${last}`)!);
  return state;
}

/** The network of PyTorch's examples: ESPCN with one layer more. */
class FourLayers extends SuperResolver {
  readonly colors = "y";
  readonly inputSize = "low";
  readonly scale = 3;
  readonly halo = 5;
  readonly valuesPerPixel = 64;
  readonly conv1 = new Conv2d(1, 64, 5, { padding: 2 });
  readonly conv2 = new Conv2d(64, 64, 3, { padding: 1 });
  readonly conv3 = new Conv2d(64, 32, 3, { padding: 1 });
  readonly conv4 = new Conv2d(32, 9, 3, { padding: 1 });

  forward(x: Tensor): Tensor {
    const { conv1, conv2, conv3, conv4 } = this;
    const layers = [conv1, new ReLU(), conv2, new ReLU(), conv3, new ReLU(), conv4, new PixelShuffle(3)];
    return new Sequential(...layers).forward(x);
  }

  metadata() {
    return { architecture: "four layers" };
  }
}

test.skipIf(!set5 || !weights || slow)("the ONNX network of PyTorch's examples, x3", async () => {
  const model = new FourLayers();
  const state = readOnnxWeights(file("subpixel-onnx/super_resolution_x3.onnx"));
  for (const { shape, data } of state.values()) expect(data.length).toBe(numel(shape));
  model.loadStateDict(state);
  const got = await meanPsnr(3, (_, low) =>
    networkUpscaler(model).upscaleY(rgbToY(low), low.width, low.height, published),
  );
  console.log(`ONNX x3: ${got.toFixed(3)} dB, published 31.19`);
  expect(Math.abs(got - 31.19)).toBeLessThan(0.02);
  model.dispose();
});
