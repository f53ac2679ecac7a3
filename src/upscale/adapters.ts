/** Adapters around a method, which let it take pictures with any colours, and with transparency. */
import { enlargeAlpha, premultiply, unpremultiply } from "../picture/alpha.ts";
import { rgbPlanesToYcbcr, ycbcrPlanesToRgb } from "../picture/color.ts";
import { interpolatePlanes } from "../picture/imresize.ts";
import type { Planes } from "../picture/planes.ts";
import { bicubicMargin, type Method } from "./method.ts";

/**
 * Makes a method take grey and RGB (one or three planes in 0..1), whatever it works on itself:
 *
 * - `"any"`: every plane by itself.
 * - `"rgb"`: grey is repeated three times, and the mean of the result is grey again.
 * - `"y"`: RGB is split into luma, which the method enlarges, and two planes of chroma, which bicubic
 *   interpolation enlarges, since the eye is less sensitive to them. Grey becomes luma in studio range, and
 *   the result becomes grey again.
 */
export function withColors(method: Method): Method {
  if (method.colors === "any") return method;
  return {
    ...method,
    colors: "any",
    margin: Math.max(method.margin, bicubicMargin),
    enlarge: method.colors === "rgb" ? byRgb(method) : byLuma(method),
    enlargeBytes: undefined,
  };
}

function byRgb({ enlarge }: Method): Method["enlarge"] {
  return async (planes, signal) =>
    planes.channels === 3
      ? enlarge(planes, signal)
      : mean(await enlarge(joined(planes, planes, planes), signal));
}

function byLuma({ scale, enlarge }: Method): Method["enlarge"] {
  return async (planes, signal) => {
    if (planes.channels === 1) {
      const studio = planes.data.map((value) => (16 + 219 * value) / 255);
      const luma = await enlarge({ ...planes, data: studio }, signal);
      return { ...luma, data: luma.data.map((value) => (255 * value - 16) / 219) };
    }
    const { width, height } = planes;
    const area = width * height;
    const ycbcr = rgbPlanesToYcbcr(planes.data);
    const luma = await enlarge({ width, height, channels: 1, data: ycbcr.subarray(0, area) }, signal);
    const chroma = interpolatePlanes({ width, height, channels: 2, data: ycbcr.subarray(area) }, scale);
    const large = joined(luma, chroma);
    return { ...large, data: ycbcrPlanesToRgb(large.data) };
  };
}

/**
 * Makes a method take grey or RGB followed by alpha: two or four planes. Colours are multiplied by alpha,
 * enlarged, and divided by the enlarged alpha; alpha is enlarged like a grey picture. So the colours of
 * transparent pixels, which nobody sees, do not bleed into visible ones.
 *
 * @param method one for grey and RGB, as `withColors` makes it.
 */
export function withAlpha(method: Method): Method {
  const { scale, enlarge } = method;
  return {
    ...method,
    margin: Math.max(method.margin, bicubicMargin),
    async enlarge({ width, height, channels, data }, signal) {
      const area = width * height;
      const alpha: Planes = { width, height, channels: 1, data: data.subarray(-area) };
      const colors: Planes = { width, height, channels: channels - 1, data: data.subarray(0, -area) };
      const large = await enlarge(premultiply(colors, alpha), signal);
      return unpremultiply(large, await enlargeAlpha(alpha, scale, (plane) => enlarge(plane, signal)));
    },
    enlargeBytes: undefined,
  };
}

/** Planes of the same size, one after the other. */
function joined(...parts: readonly Planes[]): Planes {
  const { width, height } = parts[0];
  const channels = parts.reduce((sum, part) => sum + part.channels, 0);
  const data = new Float32Array(channels * width * height);
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return { width, height, channels, data };
}

/** The mean of all planes. */
function mean({ width, height, channels, data }: Planes): Planes {
  const area = width * height;
  const mean = new Float32Array(area);
  for (let i = 0; i < data.length; i++) mean[i % area] += data[i] / channels;
  return { width, height, channels: 1, data: mean };
}
