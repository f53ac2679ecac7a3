import { fromPlanar, type Image, toPlanar } from "../data/index.ts";
import { noGrad, type SuperResolver, scope, slice, tensor } from "../node.ts";

/**
 * What a network makes of a picture that has its colours and input size, in tiles that fit the device's memory. Each
 * tile is computed with a border as wide as the network can see, which is then cut off: the result equals that of the
 * whole picture at once.
 *
 * @param bytes the most that one feature map may take; tiles have at least 32 pixels a side, whatever that takes.
 */
export async function upscale(
  model: SuperResolver,
  lr: Image,
  { bytes = 64 * 2 ** 20 } = {},
): Promise<Image> {
  using _ = noGrad();
  const { halo } = model;
  const { channels } = lr;
  const scale = model.inputSize === "hr" ? 1 : model.scale;
  const planes = toPlanar(lr);
  const out = new Float32Array(channels * lr.width * scale * lr.height * scale);
  const side = Math.floor(Math.sqrt(bytes / (4 * model.valuesPerPixel))) - 2 * halo;
  const tile = Math.max(32, side);
  for (let y = 0; y < lr.height; y += tile) {
    for (let x = 0; x < lr.width; x += tile) {
      using step = scope();
      const [bottom, right] = [Math.min(lr.height, y + tile), Math.min(lr.width, x + tile)];
      const [y0, x0] = [Math.max(0, y - halo), Math.max(0, x - halo)];
      const [y1, x1] = [Math.min(lr.height, bottom + halo), Math.min(lr.width, right + halo)];
      const part = tensor(window(planes, lr, y0, x0, y1, x1), [1, channels, y1 - y0, x1 - x0]);
      const inner = slice(
        model.forward(part),
        [0, 0, (y - y0) * scale, (x - x0) * scale],
        [1, channels, (bottom - y0) * scale, (right - x0) * scale],
      );
      const values = await inner.data();
      const [height, width] = [(bottom - y) * scale, (right - x) * scale];
      for (let c = 0; c < channels; c++) {
        for (let row = 0; row < height; row++) {
          const from = (c * height + row) * width;
          out.set(
            values.subarray(from, from + width),
            ((c * lr.height + y) * scale + row) * lr.width * scale + x * scale,
          );
        }
      }
      step.end();
    }
  }
  return fromPlanar(out, lr.width * scale, lr.height * scale, channels);
}

/** Rows y0..y1 and columns x0..x1 of planes [c, h, w]. */
function window(
  planes: Float32Array,
  { width, height, channels }: Image,
  y0: number,
  x0: number,
  y1: number,
  x1: number,
): Float32Array {
  const part = new Float32Array(channels * (y1 - y0) * (x1 - x0));
  let at = 0;
  for (let c = 0; c < channels; c++) {
    for (let row = y0; row < y1; row++) {
      const start = (c * height + row) * width;
      part.set(planes.subarray(start + x0, start + x1), at);
      at += x1 - x0;
    }
  }
  return part;
}
