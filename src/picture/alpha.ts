/**
 * Transparency. Files hold a pixel's colour beside its alpha, also where alpha is 0 and the colour is
 * arbitrary: black, mostly. Interpolating such colours draws a black seam around every transparent edge. So
 * colours are multiplied by alpha first, which makes those of transparent pixels 0 and weighs the others by
 * how much of them is seen. Afterwards they are divided by alpha (Porter and Duff 1984).
 */
import { emptySamples, type Image, type Samples } from "./image.ts";
import { toLevel } from "./levels.ts";
import type { Planes } from "./planes.ts";

/** Kept, dropped as if all were opaque, or the picture put on white or black. */
export const alphaChoices = ["keep", "drop", "white", "black"] as const;
export type AlphaChoice = (typeof alphaChoices)[number];

/** The picture as it is to be enlarged. Throws a RangeError for another choice. */
export function withoutAlpha(image: Image<Samples>, choice: AlphaChoice): Image<Samples> {
  if (!alphaChoices.includes(choice)) {
    throw new RangeError(`upscale: alpha must be ${alphaChoices.join(", ")}, got ${JSON.stringify(choice)}.`);
  }
  const { width, height, channels, data } = image;
  if (choice === "keep" || channels === 1 || channels === 3) return image;
  const white = data.BYTES_PER_ELEMENT === 1 ? 255 : 65535;
  const ground = choice === "white" ? white : 0;
  const colors = (channels - 1) as 1 | 3;
  const opaque = emptySamples(data, width * height * colors);
  for (let from = 0, to = 0; to < opaque.length; from += channels) {
    const alpha = choice === "drop" ? 1 : data[from + colors] / white;
    for (let c = 0; c < colors; c++, to++) {
      opaque[to] = toLevel(alpha * data[from + c] + (1 - alpha) * ground, white);
    }
  }
  return { width, height, channels: colors, data: opaque };
}

/** Colours times alpha. */
export function multiplied(colors: Planes, alpha: Planes): Planes {
  const area = alpha.data.length;
  return { ...colors, data: colors.data.map((value, i) => value * alpha.data[i % area]) };
}

/** Alpha after enlarging. */
export interface LargeAlpha {
  readonly alpha: Planes;
  /** What the colours, which were enlarged times alpha, are to be divided by. */
  readonly divisor: Planes;
}

/**
 * Alpha by `enlarge`, kept within the values of the 3x3 pixels around: what is opaque stays so to the last
 * bit, what is transparent does not begin to shimmer, and an edge gets no rings. The colours have such rings
 * as well, at the same places, so they are divided by alpha as it was before; but where all around is alike,
 * by that, whatever a network makes of it.
 */
export async function enlargeAlpha(
  alpha: Planes,
  scale: number,
  enlarge: (alpha: Planes) => Promise<Planes>,
): Promise<LargeAlpha> {
  const [width, height] = [alpha.width * scale, alpha.height * scale];
  if (alpha.data.every((value) => value === alpha.data[0])) {
    const data = new Float32Array(width * height).fill(alpha.data[0]);
    return { alpha: { width, height, channels: 1, data }, divisor: { width, height, channels: 1, data } };
  }
  const low = around(alpha, Math.min);
  const high = around(alpha, Math.max);
  // Bicubic interpolation sees 5x5.
  const lowest = around(low, Math.min);
  const highest = around(high, Math.max);
  const divisor = await enlarge(alpha);
  const kept = Float32Array.from(divisor.data);
  for (let y = 0, i = 0; y < height; y++) {
    const row = Math.floor(y / scale) * alpha.width;
    for (let x = 0; x < width; x++, i++) {
      const at = row + Math.floor(x / scale);
      // Comparisons that leave NaN as it is, to be noticed later.
      if (kept[i] < low.data[at]) kept[i] = low.data[at];
      else if (kept[i] > high.data[at]) kept[i] = high.data[at];
      const alike = lowest.data[at] === highest.data[at];
      if (alike || divisor.data[i] <= 0) divisor.data[i] = kept[i];
    }
  }
  return { alpha: { width, height, channels: 1, data: kept }, divisor };
}

/** Colours over what they were multiplied by, and alpha behind them as one more plane. */
export function divided(colors: Planes, { alpha, divisor }: LargeAlpha): Planes {
  const area = alpha.data.length;
  const data = new Float32Array(colors.data.length + area);
  for (let i = 0; i < colors.data.length; i++) {
    const by = divisor.data[i % area];
    data[i] = colors.data[i] / (by > 0 ? by : 1); // of 0 nothing is left to be seen
  }
  data.set(alpha.data, colors.data.length);
  return { ...colors, channels: colors.channels + 1, data };
}

/** Of each pixel the least or the greatest value of the 3x3 around it. */
function around({ width, height, channels, data }: Planes, choose: (a: number, b: number) => number): Planes {
  const result = Float32Array.from(data);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let value = data[y * width + x];
      for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
          value = choose(value, data[v * width + u]);
        }
      }
      result[y * width + x] = value;
    }
  }
  return { width, height, channels, data: result };
}
