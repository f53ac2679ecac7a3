/**
 * Transparency. Files store a pixel's colour beside its alpha, even where alpha is 0 and the colour is
 * arbitrary, usually black. Interpolating such colours would draw a black seam around every transparent edge.
 * So colours are multiplied by alpha first: those of transparent pixels become 0, and the others count as far
 * as they are seen. Afterwards they are divided by alpha again (Porter and Duff 1984).
 */
import { type Image, type Samples, zerosLike } from "./image.ts";
import { toLevel } from "./levels.ts";
import type { Planes } from "./planes.ts";

/** Keep transparency, drop it as if all were opaque, or put the picture on white or black. */
export const alphaChoices = ["keep", "drop", "white", "black"] as const;
export type AlphaChoice = (typeof alphaChoices)[number];

/** The picture that is to be enlarged. Throws a RangeError for an unknown choice. */
export function withoutAlpha<S extends Samples>(image: Image<S>, choice: AlphaChoice): Image<S> {
  if (!alphaChoices.includes(choice)) {
    throw new RangeError(`upscale: alpha must be ${alphaChoices.join(", ")}, got ${JSON.stringify(choice)}.`);
  }
  const { width, height, channels, data } = image;
  if (choice === "keep" || channels === 1 || channels === 3) return image;
  const white = data.BYTES_PER_ELEMENT === 1 ? 255 : 65535;
  const ground = choice === "white" ? white : 0;
  const colors = (channels - 1) as 1 | 3;
  const opaque = zerosLike(data, width * height * colors);
  for (let from = 0, to = 0; to < opaque.length; from += channels) {
    const alpha = choice === "drop" ? 1 : data[from + colors] / white;
    for (let c = 0; c < colors; c++, to++) {
      opaque[to] = toLevel(alpha * data[from + c] + (1 - alpha) * ground, white);
    }
  }
  return { width, height, channels: colors, data: opaque };
}

/** Whether any pixel is not opaque. */
export function isTransparent({ channels, data }: Image<Samples>): boolean {
  if (channels % 2 === 1) return false;
  const opaque = data instanceof Uint8Array ? 255 : 65535;
  for (let i = channels - 1; i < data.length; i += channels) if (data[i] !== opaque) return true;
  return false;
}

/** Colours times alpha. */
export function premultiply(colors: Planes, alpha: Planes): Planes {
  const area = alpha.data.length;
  return { ...colors, data: colors.data.map((value, i) => value * alpha.data[i % area]) };
}

/** Alpha after enlarging. */
interface LargeAlpha {
  readonly alpha: Planes;
  /** What the enlarged colours, which were premultiplied, must be divided by. */
  readonly divisor: Planes;
}

/**
 * Alpha by `enlarge`, kept within the values of the 3x3 pixels around: what is opaque stays so to the last
 * bit, transparent areas do not begin to shimmer, and edges get no rings. The colours have those rings too,
 * at the same places, so they are divided by alpha as it was before that. Where alpha is the same all around,
 * they are divided by that value, whatever a network makes of it.
 */
export async function enlargeAlpha(
  alpha: Planes,
  scale: number,
  enlarge: (alpha: Planes) => Promise<Planes>,
): Promise<LargeAlpha> {
  const [width, height] = [alpha.width * scale, alpha.height * scale];
  const first = alpha.data[0];
  if (alpha.data.every((value) => value === first)) {
    const flat = { width, height, channels: 1, data: new Float32Array(width * height).fill(first) };
    return { alpha: flat, divisor: flat };
  }
  const min = around(alpha, Math.min);
  const max = around(alpha, Math.max);
  // Bicubic interpolation sees 5x5.
  const widerMin = around(min, Math.min);
  const widerMax = around(max, Math.max);
  const divisor = await enlarge(alpha);
  const clamped = Float32Array.from(divisor.data);
  for (let y = 0, i = 0; y < height; y++) {
    const row = Math.floor(y / scale) * alpha.width;
    for (let x = 0; x < width; x++, i++) {
      const at = row + Math.floor(x / scale);
      // Both comparisons are false for NaN, which stays and is noticed later.
      if (clamped[i] < min.data[at]) clamped[i] = min.data[at];
      else if (clamped[i] > max.data[at]) clamped[i] = max.data[at];
      const uniform = widerMin.data[at] === widerMax.data[at];
      if (uniform || divisor.data[i] <= 0) divisor.data[i] = clamped[i];
    }
  }
  return { alpha: { width, height, channels: 1, data: clamped }, divisor };
}

/** Premultiplied colours divided by alpha, with alpha as one more plane behind them. */
export function unpremultiply(colors: Planes, { alpha, divisor }: LargeAlpha): Planes {
  const area = alpha.data.length;
  const data = new Float32Array(colors.data.length + area);
  for (let i = 0; i < colors.data.length; i++) {
    const by = divisor.data[i % area];
    data[i] = colors.data[i] / (by > 0 ? by : 1); // where alpha is 0, nothing is seen
  }
  data.set(alpha.data, colors.data.length);
  return { ...colors, channels: colors.channels + 1, data };
}

/** For each pixel the minimum or maximum of the 3x3 around it. */
function around(planes: Planes, choose: (a: number, b: number) => number): Planes {
  const { width, height, data } = planes;
  const chosen = data.map((value, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    let result = value;
    for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
      for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
        result = choose(result, data[v * width + u]);
      }
    }
    return result;
  });
  return { ...planes, data: chosen };
}
