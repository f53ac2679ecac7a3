/**
 * Luma and chroma of RGB pictures, and back (ITU-R BT.601 in studio range; picture/bt601.ts has the numbers).
 * Luma is 16/255 for black and 235/255 for white. Chroma is Cb and Cr without their usual offset, so 0 where
 * there is no colour: then a grey picture stays grey to the last bit, whatever happens to its luma.
 *
 * They stand between a picture and a network, where nobody asks for gradients, so they have none.
 */
import type { GpuDevice } from "../../device/gpu-device.ts";
import { type Kernel, MAX_GRID } from "../../device/kernel.ts";
import { fromRgb, offset, toRgbMatrix } from "../../picture/bt601.ts";
import { defineOp } from "../../tensor/op.ts";
import { formatShape, type Shape, ShapeError } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { fromRgbKernel, toRgbKernel } from "./color.wgsl.ts";

const [yOf, cbOf, crOf] = fromRgb;
const [redOf, greenOf, blueOf] = toRgbMatrix;
const black = offset[0] / 255;

const lumaOp = defineOp<{ rgb: Tensor }>({
  name: "lumaOf",
  shape: ({ rgb }) => withChannels("lumaOf", rgb.shape, 3, 1),
  cpu({ rgb: { shape, data } }, _, y) {
    const area = shape[2] * shape[3];
    for (let n = 0; n < shape[0]; n++) {
      const planes = data.subarray(3 * n * area);
      for (let i = 0; i < area; i++) {
        const [r, g, b] = [planes[i], planes[area + i], planes[2 * area + i]];
        y.data[n * area + i] = black + yOf[0] * r + yOf[1] * g + yOf[2] * b;
      }
    }
  },
  gpu(device, { rgb }, _, y) {
    const grey = yOf[0] + yOf[1] + yOf[2];
    const constants = { LUMA: 1, Y_0: black, Y_RED: yOf[0], Y_GREY: grey, Y_BLUE: yOf[2] };
    launch(device, fromRgbKernel, constants, { rgb, y });
  },
});

const chromaOp = defineOp<{ rgb: Tensor }>({
  name: "chromaOf",
  shape: ({ rgb }) => withChannels("chromaOf", rgb.shape, 3, 2),
  cpu({ rgb: { shape, data } }, _, y) {
    const area = shape[2] * shape[3];
    for (let n = 0; n < shape[0]; n++) {
      const planes = data.subarray(3 * n * area);
      const to = y.data.subarray(2 * n * area);
      for (let i = 0; i < area; i++) {
        const green = planes[area + i];
        const [red, blue] = [planes[i] - green, planes[2 * area + i] - green];
        to[i] = cbOf[0] * red + cbOf[2] * blue;
        to[area + i] = crOf[0] * red + crOf[2] * blue;
      }
    }
  },
  gpu(device, { rgb }, _, y) {
    const constants = { CB_RED: cbOf[0], CB_BLUE: cbOf[2], CR_RED: crOf[0], CR_BLUE: crOf[2] };
    launch(device, fromRgbKernel, { LUMA: 0, ...constants }, { rgb, y });
  },
});

const rgbOp = defineOp<{ luma: Tensor; chroma: Tensor }>({
  name: "rgbOf",
  shape({ luma, chroma }) {
    const shape = withChannels("rgbOf", luma.shape, 1, 3);
    const wanted = withChannels("rgbOf", luma.shape, 1, 2);
    if (formatShape(chroma.shape) === formatShape(wanted)) return shape;
    throw new ShapeError(
      `rgbOf: for luma ${formatShape(luma.shape)}, chroma must be ${formatShape(wanted)}, got ` +
        `${formatShape(chroma.shape)}.`,
    );
  },
  cpu({ luma, chroma }, _, y) {
    const area = luma.shape[2] * luma.shape[3];
    for (let n = 0; n < luma.shape[0]; n++) {
      const planes = chroma.data.subarray(2 * n * area);
      const to = y.data.subarray(3 * n * area);
      for (let i = 0; i < area; i++) {
        const [cb, cr] = [planes[i], planes[area + i]];
        const grey = redOf[0] * (luma.data[n * area + i] - black);
        to[i] = grey + (redOf[1] * cb + redOf[2] * cr);
        to[area + i] = grey + (greenOf[1] * cb + greenOf[2] * cr);
        to[2 * area + i] = grey + (blueOf[1] * cb + blueOf[2] * cr);
      }
    }
  },
  gpu(device, { luma, chroma }, _, y) {
    const constants = {
      GREY_Y: redOf[0],
      GREY_0: -redOf[0] * black,
      RED_CB: redOf[1],
      RED_CR: redOf[2],
      GREEN_CB: greenOf[1],
      GREEN_CR: greenOf[2],
      BLUE_CB: blueOf[1],
      BLUE_CR: blueOf[2],
    };
    launch(device, toRgbKernel, constants, { luma, chroma, y });
  },
});

/** Luma [n, 1, h, w] of RGB [n, 3, h, w] in 0..1. */
export function lumaOf(rgb: Tensor): Tensor {
  return lumaOp({ rgb });
}

/** Chroma [n, 2, h, w] of RGB [n, 3, h, w] in 0..1: Cb and Cr, each from -112/255 to 112/255. */
export function chromaOf(rgb: Tensor): Tensor {
  return chromaOp({ rgb });
}

/** RGB [n, 3, h, w] of luma [n, 1, h, w] and chroma [n, 2, h, w]; values that no picture has are not clamped. */
export function rgbOf(luma: Tensor, chroma: Tensor): Tensor {
  return rgbOp({ luma, chroma });
}

/** The shape with other channels. Throws a ShapeError unless it is a picture's, of `from` channels. */
function withChannels(op: string, shape: Shape, from: number, to: number): Shape {
  const [n, c, h, w] = shape;
  if (shape.length === 4 && c === from) return [n, to, h, w];
  throw new ShapeError(`${op}: wants pictures [n, ${from}, h, w], got ${formatShape(shape)}.`);
}

function launch(
  device: GpuDevice,
  kernel: Kernel,
  constants: Readonly<Record<string, number>>,
  tensors: Readonly<Record<string, Tensor>>,
): void {
  const [pictures, , h, w] = tensors.y.shape;
  const threads = Math.ceil((h * w) / (device.profile.outputsPerThread / 4));
  device.run(kernel, {
    constants,
    buffers: Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, tensor.gpuStorage])),
    params: { area: h * w, pictures },
    grid: [Math.min(Math.ceil(threads / 64), MAX_GRID), Math.min(pictures, MAX_GRID)],
  });
}
