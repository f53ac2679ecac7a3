/**
 * Colours of video: planes of luma (Y) and chroma (Cb, Cr) to red, green and blue, and back. Browsers convert, too,
 * but some round the factor of blue so much that a strong blue becomes visibly darker.
 *
 * Chroma mostly has half as many columns and rows. Its samples lie at every other column of luma, and in the middle
 * between two rows, as H.264, VP9 and AV1 have it.
 */
import type { Image } from "../../src/picture/index.ts";
import type { Size } from "../size.ts";

/** Planes in memory. */
export interface YuvPlanes extends Size {
  readonly data: Uint8Array;
  readonly format: "I420" | "I422" | "I444" | "NV12";
  readonly layout: readonly PlaneLayout[];
  readonly matrix: "bt601" | "bt709";
  readonly fullRange: boolean;
}

/** The shares of red and blue in luma. */
const shares = { bt601: { red: 0.299, blue: 0.114 }, bt709: { red: 0.2126, blue: 0.0722 } };

export function rgbOf({ width, height, data, format, layout, matrix, fullRange }: YuvPlanes): Image {
  const { red, blue } = shares[matrix];
  const green = 1 - red - blue;
  const [black, lumaScale, chromaScale] = fullRange ? [0, 1, 1] : [16, 255 / 219, 255 / 224];
  const redOfCr = 2 * (1 - red) * chromaScale;
  const blueOfCb = 2 * (1 - blue) * chromaScale;
  const [greenOfCb, greenOfCr] = [(blueOfCb * blue) / green, (redOfCr * red) / green];
  const across = format === "I444" ? 1 : 2;
  const down = format === "I420" || format === "NV12" ? 2 : 1;
  const [columns, rows] = [Math.ceil(width / across), Math.ceil(height / down)];
  const step = format === "NV12" ? 2 : 1;
  const [y, u, v] = [layout[0], layout[1], layout[2] ?? { ...layout[1], offset: layout[1].offset + 1 }];
  const pixels = new Uint8ClampedArray(width * height * 3); // which rounds and clamps
  const [cb, cr] = [new Float32Array(columns + 1), new Float32Array(columns + 1)];
  for (let row = 0, to = 0; row < height; row++) {
    // Of the two rows of chroma around it, the nearer one counts three times as much.
    const near = Math.floor(row / down);
    const far = down === 1 ? near : Math.min(rows - 1, Math.max(0, near + (row % 2 === 0 ? -1 : 1)));
    for (const [plane, line] of [[u, cb] as const, [v, cr] as const]) {
      let [a, b] = [plane.offset + near * plane.stride, plane.offset + far * plane.stride];
      for (let i = 0; i < columns; i++, a += step, b += step) line[i] = 0.75 * data[a] + 0.25 * data[b] - 128;
      line[columns] = line[columns - 1];
    }
    let from = y.offset + row * y.stride;
    for (let column = 0; column < width; column++, to += 3) {
      const luma = lumaScale * (data[from++] - black);
      let i = column;
      let [b, r] = [cb[i], cr[i]];
      if (across === 2) {
        i = column >> 1;
        const isBetween = (column & 1) === 1;
        b = isBetween ? (cb[i] + cb[i + 1]) / 2 : cb[i];
        r = isBetween ? (cr[i] + cr[i + 1]) / 2 : cr[i];
      }
      pixels[to] = luma + redOfCr * r;
      pixels[to + 1] = luma - greenOfCb * b - greenOfCr * r;
      pixels[to + 2] = luma + blueOfCb * b;
    }
  }
  return { width, height, channels: 3, data: new Uint8Array(pixels.buffer) };
}

/**
 * The planes Y, Cb and Cr (4:2:0, BT.709, black at 16) of the upper left part of an RGB picture, one behind the other.
 * Width and height are even.
 */
export function yuvOf(image: Image, { width, height }: Size): Uint8Array<ArrayBuffer> {
  const { red, blue } = shares.bt709;
  const green = 1 - red - blue;
  const lumaScale = 219 / 255;
  // A sample of chroma is the mean of two rows and, across, of three columns, of which the middle one counts twice.
  const cbScale = 112 / 255 / (1 - blue) / 8;
  const crScale = 112 / 255 / (1 - red) / 8;
  const { data } = image;
  const [columns, area] = [width / 2, width * height];
  const planes = new Uint8Array(area + area / 2);
  const [cb, cr] = [new Float32Array(width + 1), new Float32Array(width + 1)];
  for (let row = 0, to = area; row < height; row += 2, to += columns) {
    cb.fill(0);
    cr.fill(0);
    for (let k = 0; k < 2; k++) {
      let from = (row + k) * image.width * 3;
      for (let column = 0, at = (row + k) * width; column < width; column++, from += 3) {
        const [r, b] = [data[from], data[from + 2]];
        const luma = red * r + green * data[from + 1] + blue * b;
        planes[at++] = 16.5 + lumaScale * luma;
        cb[column + 1] += b - luma;
        cr[column + 1] += r - luma;
      }
    }
    [cb[0], cr[0]] = [cb[1], cr[1]];
    for (let i = 0; i < columns; i++) {
      const at = 2 * i;
      planes[to + i] = 128.5 + cbScale * (cb[at] + 2 * cb[at + 1] + cb[at + 2]);
      planes[to + i + area / 4] = 128.5 + crScale * (cr[at] + 2 * cr[at + 1] + cr[at + 2]);
    }
  }
  return planes;
}
