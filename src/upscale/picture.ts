/** From pictures to the planes that a method enlarges, and back: what all methods share. */
import { rgbToYcbcr, ycbcrToRgb } from "../data/color.ts";
import { DataError } from "../data/errors.ts";
import { checkImage, fromPlanar, type Image, toPlanar } from "../data/image.ts";
import { imresize, imresizePlane } from "../data/imresize.ts";
import type { Method, Planes, UpscaleOptions, Upscaler } from "./upscaler.ts";

/** An upscaler made of a method: planes become pictures. */
export function upscalerOf(method: Method): Upscaler {
  return {
    ...method,
    upscale: (image, options) => upscalePicture(method, image, options),
    upscaleY: (plane, width, height, options) => upscaleLuma(method, plane, width, height, options),
  };
}

async function upscalePicture(method: Method, image: Image, options?: UpscaleOptions): Promise<Image> {
  checkImage(image, "upscale");
  const { scale, colors } = method;
  const { channels } = image;
  if (channels === 2 || channels === 4) {
    const [opaque, alpha] = splitAlpha(image);
    return joinAlpha(await upscalePicture(method, opaque, options), imresize(alpha, scale));
  }
  if (colors === "y" && channels === 3) return upscaleByLuma(method, image, options);
  const planes: Planes = { ...image, data: toPlanar(image) };
  if (colors === "rgb" && channels === 1) {
    const { width, height, data } = await method.upscalePlanes(repeat(planes, 3), options);
    return fromPlanar(meanPlane(data, width * height), width, height, 1);
  }
  const { width, height, data } = await method.upscalePlanes(planes, options);
  return fromPlanar(data, width, height, channels);
}

/** RGB by a method that knows luma alone; colour, to which the eye is less sensitive, by bicubic interpolation. */
async function upscaleByLuma(method: Method, image: Image, options?: UpscaleOptions): Promise<Image> {
  const { width, height } = image;
  const area = width * height;
  const ycbcr = rgbToYcbcr(image);
  const luma = await upscaleLuma(method, ycbcr.subarray(0, area), width, height, options);
  const large = { width: width * method.scale, height: height * method.scale };
  const result = new Float64Array(3 * luma.length);
  result.set(luma);
  for (const k of [1, 2]) {
    const colour = imresizePlane(ycbcr.subarray(k * area, (k + 1) * area), image, large);
    result.set(colour, k * luma.length);
  }
  return ycbcrToRgb(result, large.width, large.height);
}

async function upscaleLuma(
  { name, colors, upscalePlanes }: Method,
  plane: ArrayLike<number>,
  width: number,
  height: number,
  options?: UpscaleOptions,
): Promise<Float32Array> {
  if (colors === "rgb") {
    throw new DataError(`upscaleY: ${name} works on red, green and blue, not on luma alone; use upscale().`);
  }
  if (plane.length !== width * height) {
    throw new DataError(
      `upscaleY: a plane of ${width}x${height} has ${width * height} values, but ${plane.length} were given.`,
    );
  }
  const data = Float32Array.from(plane, (level) => level / 255);
  const large = await upscalePlanes({ width, height, channels: 1, data }, options);
  if (large.data.some(Number.isNaN)) {
    throw new DataError(
      `upscaleY: ${name} made NaN of a plane of ${width}x${height}; its training has diverged.`,
    );
  }
  return large.data.map((value) => value * 255);
}

function splitAlpha({ width, height, channels, data }: Image): [opaque: Image, alpha: Image] {
  const colors = (channels - 1) as 1 | 3;
  const opaque: Image = { width, height, channels: colors, data: new Uint8Array(width * height * colors) };
  const alpha: Image = { width, height, channels: 1, data: new Uint8Array(width * height) };
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < colors; c++) opaque.data[i * colors + c] = data[i * channels + c];
    alpha.data[i] = data[i * channels + colors];
  }
  return [opaque, alpha];
}

function joinAlpha({ width, height, channels: colors, data }: Image, alpha: Image): Image {
  const channels = (colors + 1) as 2 | 4;
  const joined: Image = { width, height, channels, data: new Uint8Array(width * height * channels) };
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < colors; c++) joined.data[i * channels + c] = data[i * colors + c];
    joined.data[i * channels + colors] = alpha.data[i];
  }
  return joined;
}

function repeat({ width, height, data }: Planes, channels: number): Planes {
  const repeated = new Float32Array(channels * data.length);
  for (let c = 0; c < channels; c++) repeated.set(data, c * data.length);
  return { width, height, channels, data: repeated };
}

/** The mean of all planes of `area` values. */
function meanPlane(planes: Float32Array, area: number): Float32Array {
  const mean = new Float32Array(area);
  for (let i = 0; i < planes.length; i++) mean[i % area] += (planes[i] * area) / planes.length;
  return mean;
}
