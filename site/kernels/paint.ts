/** Numbers as pictures. */
import type { Maps } from "./messages.ts";

/** Pictures of one size, as RGBA bytes, one after the other. */
export interface Pictures {
  readonly count: number;
  readonly width: number;
  readonly height: number;
  readonly pixels: readonly Uint8ClampedArray<ArrayBuffer>[];
  /** The number that has full colour, if it is not 1. */
  readonly range?: number;
}

/** Three channels from 0 to 1 as one picture. */
export function rgb({ width, height, data }: Maps): Pictures {
  const area = width * height;
  return picturesOf(width, height, 1, (_, i) => [data[i], data[area + i], data[2 * area + i]]);
}

/** Each channel from 0 to its own largest value: black to white. */
export function gray({ channels, width, height, data }: Maps): Pictures {
  const area = width * height;
  const maxima = Array.from({ length: channels }, (_, c) => largest(data.subarray(c * area, (c + 1) * area)));
  return picturesOf(width, height, channels, (c, i) => {
    const value = data[c * area + i] / maxima[c];
    return [value, value, value];
  });
}

/** Each channel: grey is 0, orange above, blue below. */
export function signed({ channels, width, height, data }: Maps): Pictures {
  const area = width * height;
  const range = largest(data);
  const colors = picturesOf(width, height, channels, (c, i) => {
    const value = data[c * area + i] / range;
    const far = Math.sqrt(Math.abs(value)); // small values are seen, too
    return value > 0
      ? [0.5 + 0.5 * far, 0.5 + 0.12 * far, 0.5 - 0.4 * far]
      : [0.5 - 0.4 * far, 0.5 + 0.05 * far, 0.5 + 0.5 * far];
  });
  return { ...colors, range };
}

/** Three channels at a time as one colour: grey is 0. */
export function signedColor({ channels, width, height, data }: Maps): Pictures {
  const area = width * height;
  const range = largest(data);
  const colors = picturesOf(width, height, channels / 3, (picture, i) =>
    [0, 1, 2].map((c) => 0.5 + (0.5 * data[(3 * picture + c) * area + i]) / range),
  );
  return { ...colors, range };
}

function largest(values: Float32Array): number {
  return values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) || 1;
}

function picturesOf(
  width: number,
  height: number,
  count: number,
  colorOf: (picture: number, pixel: number) => readonly number[],
): Pictures {
  const pixels = Array.from({ length: count }, (_, picture) => {
    const bytes = new Uint8ClampedArray(4 * width * height);
    for (let i = 0; i < width * height; i++) {
      const [r, g, b] = colorOf(picture, i);
      bytes.set([255 * r, 255 * g, 255 * b, 255], 4 * i);
    }
    return bytes;
  });
  return { count, width, height, pixels };
}

/** Draws the pictures in rows, a pixel apart. CSS enlarges them. */
export function paint(
  canvas: HTMLCanvasElement,
  { count, width, height, pixels }: Pictures,
  columns = 4,
): void {
  const across = Math.min(count, columns);
  canvas.width = across * (width + 1) - 1;
  canvas.height = Math.ceil(count / across) * (height + 1) - 1;
  const context = canvas.getContext("2d")!;
  for (const [i, bytes] of pixels.entries()) {
    const image = new ImageData(bytes, width, height);
    context.putImageData(image, (i % across) * (width + 1), Math.floor(i / across) * (height + 1));
  }
}
