// Pictures side by side, so that people see what a model adds.
//
// sideBySide() draws a page: a row for each picture, a column for each method, a caption under each panel.
// A row may zoom into one detail; pickDetail() picks the place with the most texture.

import type { OverlayOptions } from "sharp";
import { loadSharp } from "../files/sharp.ts";
import { DataError } from "../picture/errors.ts";
import { checkByteImage, checkInside, crop, type Image, toRgb } from "../picture/image.ts";
import { quietInk, textPath } from "./text.ts";

/** A rectangle of pixels. */
export interface Region {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Panel {
  /** Such as "EDSR 31.02 dB"; drawn smaller if it is wider than the panel. */
  caption: string;
  image: Image;
  /** The image is the overview's region alone, in the size that the region has there. */
  isRegion?: boolean;
}

export interface Row {
  title: string;
  /** The same picture in several versions. A smaller one (LR) is enlarged to the largest one's size. */
  panels: readonly Panel[];
  /** If present, it stands at the left with `region` marked, and the panels show that region alone. */
  overview?: Panel & { region: Region };
}

// A page is some 1500 pixels wide and often shown at two thirds of that; its text must still be legible then.
const TITLE_SIZE = 20;
const CAPTION_SIZE = 18;
/** Heights of a row's title and caption, with the space around them. */
const TITLE_HEIGHT = 48;
const CAPTION_HEIGHT = 34;
const MARGIN = 16;
/** Between panels. */
const GUTTER = 10;
export const markColor = "#d55e00";

/**
 * One RGB picture of all rows, on white. Panels fit into a square of `panelSize` pixels: they are enlarged by
 * the largest possible whole factor, without smoothing, so that each pixel shows as a square; larger ones are
 * reduced (Lanczos).
 *
 * The region of an `overview` is in pixels of the row's largest panel. Throws DataError if the panels of a
 * row cannot be versions of one picture, RangeError if the region is not inside it.
 */
export async function sideBySide(rows: readonly Row[], panelSize = 256): Promise<Image> {
  if (rows.length === 0 || rows.some((row) => row.panels.length === 0)) {
    throw new DataError("a row without panels, or no row at all. Give each row one or more.", {
      caller: "sideBySide",
    });
  }
  const grid: Tile[][] = [];
  // One after the other, since pictures are resized on the way.
  for (const row of rows) grid.push(await tilesOf(row, panelSize));

  const columns = Math.max(...grid.map((tiles) => tiles.length));
  const lefts = [MARGIN];
  for (let i = 0; i < columns; i++) {
    lefts.push(lefts[i] + Math.max(...grid.map((tiles) => tiles[i]?.image.width ?? 0)) + GUTTER);
  }
  const width = lefts[columns] - GUTTER + MARGIN;

  const layers: OverlayOptions[] = [];
  let drawings = "";
  let top = 0;
  rows.forEach((row, r) => {
    const baseline = top + TITLE_HEIGHT - 14;
    const style = { size: TITLE_SIZE, weight: "bold", maxWidth: width - 2 * MARGIN } as const;
    drawings += textPath(row.title, MARGIN, baseline, style);
    top += TITLE_HEIGHT;
    grid[r].forEach(({ image, caption, mark }, i) => {
      const left = lefts[i];
      const { data, ...raw } = image;
      layers.push({ input: Buffer.from(data), raw, left, top });
      if (mark) drawings += outline(mark, left, top);
      drawings += textPath(caption, left + image.width / 2, top + image.height + 23, {
        size: CAPTION_SIZE,
        color: quietInk,
        anchor: "middle",
        maxWidth: image.width,
      });
    });
    top += Math.max(...grid[r].map((tile) => tile.image.height)) + CAPTION_HEIGHT;
  });
  const height = top + MARGIN / 2;

  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${drawings}</svg>`;
  const sharp = await loadSharp();
  const data = await sharp({ create: { width, height, channels: 3, background: "#fff" } })
    .composite([...layers, { input: Buffer.from(svg), left: 0, top: 0 }])
    .removeAlpha()
    .raw()
    .toBuffer();
  return { width, height, channels: 3, data };
}

/**
 * The square of `size` pixels (or less, in a smaller picture) with the largest mean gradient magnitude. There
 * edges and texture are densest, and methods differ most. Candidates begin at multiples of size / 8; the best
 * is moved up and left to a multiple of `scale`, so that it begins with a whole pixel of the small picture.
 */
export function pickDetail(high: Image, size: number, scale: number): Region {
  checkByteImage(high, "pickDetail");
  const width = Math.min(size, high.width);
  const height = Math.min(size, high.height);
  const stride = Math.max(1, size >> 3);
  const sums = gradientSums(high);
  const row = high.width + 1;
  let best: Region = { x: 0, y: 0, width, height };
  let maxSum = -1;
  for (let y = 0; y + height <= high.height; y += stride) {
    for (let x = 0; x + width <= high.width; x += stride) {
      const above = y * row + x;
      const below = above + height * row;
      const sum = sums[below + width] - sums[below] - sums[above + width] + sums[above];
      if (sum > maxSum) {
        maxSum = sum;
        best = { x: x - (x % scale), y: y - (y % scale), width, height };
      }
    }
  }
  return best;
}

/**
 * Integral image of (height + 1) x (width + 1) numbers: entry (y, x) is the sum of gradient magnitudes above
 * and left of pixel (y, x). So the sum over any rectangle takes four look-ups.
 */
function gradientSums({ width, height, channels, data }: Image): Float64Array {
  const luma = (x: number, y: number) => {
    const at = (Math.min(y, height - 1) * width + Math.min(x, width - 1)) * channels;
    return channels < 3 ? data[at] : 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
  };
  const sums = new Float64Array((height + 1) * (width + 1));
  for (let y = 0; y < height; y++) {
    let rowSum = 0;
    for (let x = 0; x < width; x++) {
      const here = luma(x, y);
      const dx = luma(x + 1, y) - here;
      const dy = luma(x, y + 1) - here;
      rowSum += Math.sqrt(dx * dx + dy * dy);
      sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + rowSum;
    }
  }
  return sums;
}

/** A panel in its size on the page. `mark` is a region to outline, in pixels of the tile. */
export type Tile = Panel & { mark?: Region };

/** The panels of a row, the overview first. */
export async function tilesOf({ title, panels, overview }: Row, panelSize: number): Promise<Tile[]> {
  const isPart = ({ isRegion }: Panel) => overview !== undefined && isRegion === true;
  const images = panels.filter((panel) => !isPart(panel)).map(({ image }) => image);
  const largest = images.reduce((a, b) => (b.width > a.width ? b : a), images[0] ?? overview?.image);
  const tiles: Tile[] = [];
  if (overview) {
    const { caption, image, region } = overview;
    const { x, y, width, height } = region;
    if (image.width !== largest.width || image.height !== largest.height) refuse(title, overview, largest);
    checkInside(image, [x, y, width, height], "sideBySide");
    const small = await fitInto(image, 1.5 * panelSize, panelSize);
    const scale = small.width / image.width;
    const mark = { x: x * scale, y: y * scale, width: width * scale, height: height * scale };
    tiles.push({ caption, image: small, mark });
  }
  for (const panel of panels) {
    const { width, height } = largest;
    const region = overview?.region ?? { x: 0, y: 0, width, height };
    const { caption, image } = panel;
    const shown = isPart(panel) ? region : largest;
    const factor = shown.width / image.width;
    const fits = isPart(panel) ? factor === 1 : Number.isInteger(factor);
    if (!fits || image.height * factor !== shown.height) refuse(title, panel, largest);
    const part = isPart(panel) ? image : await enlargedPart(image, factor, region);
    tiles.push({ caption, image: await fitInto(part, panelSize, panelSize) });
  }
  return tiles;
}

/** A region of the picture that would be so many times as wide and high, without making all of it. */
async function enlargedPart(image: Image, factor: number, { x, y, width, height }: Region): Promise<Image> {
  const [left, top] = [Math.floor(x / factor), Math.floor(y / factor)];
  const [right, bottom] = [Math.ceil((x + width) / factor), Math.ceil((y + height) / factor)];
  const part = crop(image, left, top, right - left, bottom - top);
  const enlarged = await resize(part, factor * part.width, factor * part.height, false);
  return crop(enlarged, x - factor * left, y - factor * top, width, height);
}

function refuse(title: string, { caption, image }: Panel, largest: Image): never {
  throw new DataError(
    `in the row "${title}", "${caption}" has ${image.width}x${image.height} pixels and the ` +
      `largest panel ${largest.width}x${largest.height}. Give versions of one picture: panels of that ` +
      "size, or smaller by a whole factor, parts as large as the region, and an overview of exactly that size.",
    { caller: "sideBySide" },
  );
}

/** Enlarged by a whole factor without smoothing, or reduced with it, so that it fits into the given size. */
async function fitInto(image: Image, maxWidth: number, maxHeight: number): Promise<Image> {
  const room = Math.min(maxWidth / image.width, maxHeight / image.height);
  const scale = room >= 1 ? Math.floor(room) : room;
  const side = (length: number) => Math.max(1, Math.round(length * scale));
  return resize(image, side(image.width), side(image.height), room < 1);
}

async function resize(image: Image, width: number, height: number, smooth: boolean): Promise<Image> {
  const { data, ...raw } = toRgb(image);
  const kernel = smooth ? "lanczos3" : "nearest";
  const sharp = await loadSharp();
  const resized = await sharp(data, { raw }).resize(width, height, { fit: "fill", kernel }).raw().toBuffer();
  return { width, height, channels: 3, data: resized };
}

/** A rectangle that stands out on any picture: a coloured line on a wider white one. */
function outline({ x, y, width, height }: Region, left: number, top: number): string {
  const line = (color: string, thickness: number) =>
    `<rect x="${left + x}" y="${top + y}" width="${width}" height="${height}" fill="none" ` +
    `stroke="${color}" stroke-width="${thickness}"/>`;
  return line("#fff", 4) + line(markColor, 2);
}
