/**
 * Enlarges any picture by any method. Read on in open-method.ts (from a name to an upscaler), upscaler.ts
 * (the methods), bands.ts (from a picture to the result), tile-plan.ts and tile-loop.ts (large pictures in
 * parts), adapters.ts (colours and transparency) and forward.ts (a network on one part).
 */

import { checkArguments, checkNames, optional } from "../options/arguments.ts";
import { whole } from "../options/kinds.ts";
import { type AlphaChoice, withoutAlpha } from "../picture/alpha.ts";
import type { Image, Samples } from "../picture/image.ts";
import { Bands, type UpscaleReport } from "./bands.ts";
import { type Choice, chooseMethod } from "./choice.ts";
import { borrowMethod, type OpenMethodOptions, openMethodOptionNames } from "./open-method.ts";
import { scaleForSize } from "./scale-for-size.ts";
import { type PictureNote, type PictureSource, readPicture } from "./source.ts";
import { type BandOptions, checkUpscaleOptions, upscaleOptionNames } from "./upscale-options.ts";

export interface UpscalePictureOptions extends OpenMethodOptions, BandOptions {
  /** Transparency is kept (the default) or dropped, or the picture is put on white or black. */
  readonly alpha?: AlphaChoice;
}

const optionNames = [...openMethodOptionNames, ...upscaleOptionNames, "onTile", "depth", "size", "alpha"];

/** The enlarged picture, and how it was made. */
export interface Upscaled<S extends Samples = Uint8Array> extends UpscaleReport {
  readonly image: Image<S>;
  /** Without a `method`: which network was chosen, and by what in the picture. */
  readonly choice?: Choice;
  /**
   * What the result of a picture file lacks, in Node (further frames, the colours of a damaged profile), and what
   * was odd about the file. Absent if there is nothing to say.
   */
  readonly notes?: readonly PictureNote[];
}

/**
 * Enlarges a picture, in Node and in browsers.
 *
 *     const { image } = await upscale(await fetch("photo.jpg").then((r) => r.blob()), { scale: 2 });
 *     const { image, ms } = await upscale("photo.jpg", { method: "edsr-x2.safetensors" }); // in Node
 *
 * Without a `method`, the picture decides: `chooseMethod` looks for signs of JPEG, noise and blur, and takes one
 * of the networks that come with the library, for damaged pictures or for clean ones. The result's `choice` says
 * which and why.
 *
 * Networks that are called by name or chosen stay loaded on their device, at most three, so that many pictures take
 * no longer than with an upscaler of `openMethod`; `device.destroy()` frees them. A weight file is loaded at every
 * call: for many pictures, call `openMethod` once and pass its `upscaler`.
 *
 * @throws DataError for pictures that cannot be read, RangeError for options that make no sense, and the
 *   signal's reason after an abort.
 */
export function upscale(
  picture: PictureSource,
  options?: UpscalePictureOptions & { readonly depth?: 8 },
): Promise<Upscaled>;
export function upscale(
  picture: PictureSource,
  options: UpscalePictureOptions & { readonly depth: 16 },
): Promise<Upscaled<Uint16Array>>;
export function upscale(picture: PictureSource, options: UpscalePictureOptions): Promise<Upscaled<Samples>>;
export async function upscale(
  picture: PictureSource,
  options: UpscalePictureOptions = {},
): Promise<Upscaled<Samples>> {
  const bands = await bandsOf("upscale", picture, options);
  const image = await bands.image();
  const { choice, notes } = bands;
  return { image, ...bands.report, ...(choice && { choice }), ...(notes.length > 0 && { notes }) };
}

/**
 * Enlarges a picture band by band, so that the result is never whole in memory. Its size is known before
 * anything is computed. Options and errors are those of `upscale`.
 *
 *     const bands = await upscaleBands("photo.jpg", { scale: 4 });
 *     console.log(bands.width, bands.height);
 *     for await (const { top, rows } of bands) write(rows.data); // `rows` is an image
 *
 * If you do not read the bands, call `close()`.
 */
export async function upscaleBands(
  picture: PictureSource,
  options: UpscalePictureOptions = {},
): Promise<Bands> {
  return bandsOf("upscaleBands", picture, options);
}

async function bandsOf(
  caller: string,
  picture: PictureSource,
  options: UpscalePictureOptions,
): Promise<Bands> {
  checkUpscaleOptions(caller, options);
  checkNames(caller, options, optionNames);
  const { alpha = "keep", signal } = options;
  checkArguments(caller, { scale: [options.scale, optional(whole(1))] });
  signal?.throwIfAborted();
  const read = await readPicture(picture, caller);
  const image = withoutAlpha(read.image, alpha, caller);
  const scale = scaleForSize(image, options);
  const choice = options.method === undefined ? chooseMethod(read, scale) : undefined;
  const { upscaler, close } = await borrowMethod(caller, {
    ...options,
    scale,
    method: choice?.method ?? options.method,
  });
  try {
    return new Bands(image, upscaler, { ...options, caller, choice, notes: read.notes }, close);
  } catch (error) {
    close();
    throw error;
  }
}
