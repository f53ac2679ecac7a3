/** Networks as ONNX files, for other programs to run. */
import { conv2d } from "../kernels/conv2d/index.ts";
import { concat, slice } from "../kernels/layout/index.ts";
import { interpolate } from "../kernels/resize/index.ts";
import { checkNetwork } from "../models/check-network.ts";
import type { SuperResolver } from "../models/super-resolver.ts";
import { checkOptions } from "../options/arguments.ts";
import { oneOf } from "../options/kinds.ts";
import { rgbPlanesToYcbcr, ycbcrPlanesToRgb } from "../picture/color.ts";
import { planeCount } from "../picture/planes.ts";
import { tensor } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { exportForward, inBlocks } from "../weights/onnx-export.ts";

export interface ExportOnnxOptions {
  /**
   * What the file's network takes and gives, with values in 0..1:
   *
   * - `"rgb"`, the default: red, green and blue, `scale` times as wide and high, whatever the network works on.
   *   For a network for luma, the file also has the matrices of colour and bicubic interpolation.
   * - `"own"`: what the network itself takes and gives, such as luma alone.
   */
  readonly colors?: "rgb" | "own";
}

/**
 * The bytes of an ONNX file (opset 17): `input` [batch, 3 or 1, height, width] to `output`, for any batch, height and
 * width; one that works on blocks of pixels (`multiple`) gets whole blocks. Results are neither rounded nor clamped.
 * At the edges, the network sees zeros, as in `upscale(…, { padding: "none" })`.
 *
 * @throws RangeError if the network does anything that ONNX has no form for here, or is too large for one file.
 */
export async function exportOnnx(
  model: SuperResolver,
  options: ExportOnnxOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  checkNetwork("exportOnnx", "the first argument", model);
  checkOptions("exportOnnx", options, { colors: oneOf("rgb", "own") });
  const { colors = "rgb" } = options;
  const wraps = colors === "rgb" && model.colors === "y";
  const channels = planeCount(wraps ? "rgb" : model.colors);
  const metadata = model.metadata();
  const own = (x: Tensor) => inBlocks(x, model.multiple, (whole) => model.forward(whole));
  const forward = wraps ? (x: Tensor) => forwardRgb(model, own, x) : own;
  return exportForward({
    name: metadata.architecture ?? "network",
    module: model,
    forward: (x) => model.evaluating(() => forward(x)),
    channels,
    multiple: model.multiple,
    metadata,
  });
}

/** RGB through a network for luma, as `byLuma` in adapters.ts does it, in operations that ONNX has. */
function forwardRgb(model: SuperResolver, forward: (x: Tensor) => Tensor, x: Tensor): Tensor {
  const enlarge = (planes: Tensor) =>
    model.scale === 1
      ? planes
      : interpolate(planes, {
          scaleFactor: model.scale,
          mode: "bicubic",
          convention: "matlab",
          antialias: false,
        });
  const ycbcr = perPixel(x, rgbPlanesToYcbcr);
  const luma = slice(ycbcr, [0, 0], [Infinity, 1]);
  const chroma = slice(ycbcr, [0, 1], [Infinity, 3]);
  const large = forward(model.inputSize === "high" ? enlarge(luma) : luma);
  return perPixel(concat([large, enlarge(chroma)], 1), ycbcrPlanesToRgb);
}

/** An affine function of each pixel of three planes, as a 1x1 convolution. */
function perPixel(x: Tensor, f: (planes: Float32Array) => Float32Array): Tensor {
  // What it makes of black, and of each colour.
  const pixels = Float32Array.of(0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1);
  const y = f(pixels);
  const row = (k: number) => Array.from(y.subarray(4 * k, 4 * k + 4));
  const rows = [0, 1, 2].map(row);
  const matrix = rows.flatMap(([black, ...colors]) => colors.map((value) => value - black));
  const weight = tensor(matrix, [3, 3, 1, 1], { device: x.device });
  const bias = tensor(
    rows.map(([black]) => black),
    [3],
    { device: x.device },
  );
  return conv2d(x, weight, bias);
}
