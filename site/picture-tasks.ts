/** The worker's tasks with pictures: files in and out, and what the page shows. None of them needs a network. */

import { crop, imresize, imresizePart } from "../src/picture/index.ts";
import { loadPart } from "./load-part.ts";
import type { Overview, PictureInfo } from "./messages.ts";
import { withEightBits } from "./pictures/eight-bits.ts";
import { readPictureFile } from "./pictures/read.ts";
import { bitmapOf, colorsFor, reductionFor } from "./pictures/show.ts";
import { PictureStore, type StoredPicture } from "./pictures/store.ts";
import { handOver } from "./serve-tasks.ts";
import type { TaskTable } from "./task.ts";

export const pictures = new PictureStore(async (picture) => {
  const { encodePng } = await loadPart(import("./pictures/encode-png.ts"));
  const file = await encodePng(picture.image);
  return async () => {
    const { decodePng } = await loadPart(import("./pictures/decode-png.ts"));
    const { image } = await decodePng(new Uint8Array(await file.arrayBuffer()));
    return { ...picture, image };
  };
});

export const pictureTasks: TaskTable<
  "read" | "crop" | "show" | "bicubic" | "detail" | "formats" | "write" | "zip" | "forget"
> = {
  async read({ file, name }) {
    const read = async (): Promise<StoredPicture> => readPictureFile(file, name);
    const { format, notes, ...picture } = await readPictureFile(file, name);
    const { info, overview } = await keep(picture, read);
    return handOver({ ...info, format, notes, overview }, [overview.bitmap]);
  },

  async crop({ picture: id, part: { left, top, width, height } }) {
    const { image, ...file } = await pictures.get(id);
    const part = { ...file, image: crop(image, left, top, width, height) };
    const { info, overview } = await keep(part);
    return handOver({ ...info, overview }, [overview.bitmap]);
  },

  async show({ picture }) {
    const overview = await show(picture, await pictures.get(picture));
    return handOver(overview, [overview.bitmap]);
  },

  async bicubic({ picture: id, size: { width, height } }) {
    const { image, metadata } = await pictures.get(id);
    const reduction = reductionFor(width, height);
    const size = { width: Math.ceil(width / reduction), height: Math.ceil(height / reduction) };
    const large = imresize(withEightBits(image), size);
    const colors = await colorsFor(metadata);
    const bitmap = await bitmapOf(large, { colors });
    return handOver({ bitmap, width, height, wideGamut: colors.space !== "srgb" }, [bitmap]);
  },

  async detail({ picture: id, part, reduction, bicubic: size }) {
    const { image, metadata } = await pictures.get(id);
    const colors = await colorsFor(metadata);
    if (size === undefined) return handOver(await bitmapOf(image, { part, reduction, colors }));
    const large = imresizePart(withEightBits(image), size, part);
    return handOver(await bitmapOf(large, { reduction, colors }));
  },

  async formats() {
    const { writableFormats } = await loadPart(import("./pictures/formats.ts"));
    return writableFormats();
  },

  async write({ picture, format, quality }) {
    const { writePicture } = await loadPart(import("./pictures/write.ts"));
    const { image, ...original } = await pictures.get(picture);
    return writePicture(image, original, format, quality);
  },

  async zip(input, { report }) {
    const { zipPictures } = await loadPart(import("./pictures/zip-pictures.ts"));
    return zipPictures(pictures, input, report);
  },

  async forget({ pictures: ids }) {
    for (const id of ids) pictures.forget(id);
    return {};
  },
};

/** Stores a picture for the page, and draws it. One that cannot be drawn does not stay: the page learns no id of it. */
export async function keep(
  picture: StoredPicture,
  load?: () => Promise<StoredPicture>,
): Promise<{ readonly info: PictureInfo; readonly overview: Overview }> {
  const id = pictures.add(picture, load);
  try {
    const { width, height, channels, data } = picture.image;
    const info = { id, width, height, channels, depth: data instanceof Uint8Array ? 8 : 16 } as const;
    return { info, overview: await show(id, picture) };
  } catch (error) {
    pictures.forget(id);
    throw error;
  }
}

async function show(id: number, { image, metadata }: StoredPicture): Promise<Overview> {
  const { width, height } = image;
  const colors = await colorsFor(metadata);
  const bitmap = await bitmapOf(image, { reduction: reductionFor(width, height), colors });
  return { bitmap, width, height, wideGamut: colors.space !== "srgb", id };
}
