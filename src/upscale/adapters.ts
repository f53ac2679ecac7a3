/** What makes a method for some planes one for pictures: with colours it does not know, with transparency. */
import { enlargeAlpha, premultiply, unpremultiply } from "../picture/alpha.ts";
import { rgbPlanesToYcbcr, ycbcrPlanesToRgb } from "../picture/color.ts";
import { interpolatePlanes } from "../picture/imresize.ts";
import type { Planes } from "../picture/planes.ts";
import type { Method } from "./method.ts";

/** Bicubic interpolation sees this far, and so does what keeps alpha in bounds. */
const margin = 2;

/**
 * The method for grey and for RGB, one or three planes in 0..1, whatever it works on itself:
 *
 * - `"any"`: every plane by itself.
 * - `"rgb"`: grey is repeated three times, and the mean of the result is grey again.
 * - `"y"`: RGB is taken apart into luma, which the method enlarges, and two planes of colour, to which the
 *   eye is less sensitive and which bicubic interpolation enlarges. Grey becomes luma in studio range, and
 *   the result grey again.
 */
export function withColors(method: Method): Method {
  if (method.colors === "any") return method;
  return {
    ...method,
    colors: "any",
    margin: Math.max(method.margin, margin),
    enlarge: method.colors === "rgb" ? byRgb(method) : byLuma(method),
    enlargeBytes: undefined,
  };
}

function byRgb({ enlarge }: Method): Method["enlarge"] {
  return async (planes, signal) =>
    planes.channels === 3 ? enlarge(planes, signal) : mean(await enlarge(repeated(planes, 3), signal));
}

function byLuma({ scale, enlarge }: Method): Method["enlarge"] {
  return async (planes, signal) => {
    if (planes.channels === 1) {
      const luma = await enlarge(
        withValues(planes, (value) => (16 + 219 * value) / 255),
        signal,
      );
      return withValues(luma, (value) => (255 * value - 16) / 219);
    }
    const { width, height } = planes;
    const area = width * height;
    const ycbcr = rgbPlanesToYcbcr(planes.data);
    const luma = await enlarge({ width, height, channels: 1, data: ycbcr.subarray(0, area) }, signal);
    const chroma = interpolatePlanes({ width, height, channels: 2, data: ycbcr.subarray(area) }, scale);
    const large = new Float32Array(luma.data.length + chroma.data.length);
    large.set(luma.data);
    large.set(chroma.data, luma.data.length);
    return { ...luma, channels: 3, data: ycbcrPlanesToRgb(large) };
  };
}

/**
 * The method for grey or RGB with alpha behind it, two or four planes: colours are multiplied by alpha, which
 * is enlarged like a grey picture, and divided by it again. So the colours of transparent pixels, which
 * nobody sees, do not reach into visible ones.
 *
 * @param method one for grey and RGB, such as `withColors` gives.
 */
export function withAlpha(method: Method): Method {
  const { scale, enlarge } = method;
  return {
    ...method,
    margin: Math.max(method.margin, margin),
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

function withValues(planes: Planes, value: (old: number) => number): Planes {
  return { ...planes, data: planes.data.map(value) };
}

function repeated({ width, height, data }: Planes, channels: number): Planes {
  const repeated = new Float32Array(channels * data.length);
  for (let c = 0; c < channels; c++) repeated.set(data, c * data.length);
  return { width, height, channels, data: repeated };
}

/** The mean of all planes. */
function mean({ width, height, channels, data }: Planes): Planes {
  const area = width * height;
  const mean = new Float32Array(area);
  for (let i = 0; i < data.length; i++) mean[i % area] += data[i] / channels;
  return { width, height, channels: 1, data: mean };
}
