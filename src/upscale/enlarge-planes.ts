/** Planes enlarged in tiles. bands.ts does the same for pictures. */
import type { Planes } from "../picture/planes.ts";
import { type Box, copyBox } from "./box.ts";
import { enlargedBy } from "./check-method.ts";
import type { Method } from "./method.ts";
import { enlargeInTiles, tilesAhead } from "./tile-loop.ts";
import { tilesFor } from "./timed-tiles.ts";
import type { UpscaleOptions } from "./upscale-options.ts";

/** Enlarges planes in tiles, for a function that errors call `caller`. They must be those that the method takes. */
export async function enlargePlanes(
  planes: Planes,
  method: Method,
  options: UpscaleOptions,
  caller: string,
): Promise<Planes> {
  const { scale } = method;
  const { channels } = planes;
  const [width, height] = [planes.width * scale, planes.height * scale];
  const source = tilesFor(planes, method, { ...options, caller });
  const result = { width, height, channels, data: new Float32Array(channels * width * height) };
  const enlarge = async (window: Box, part: Box) =>
    cut(await enlargedBy(method, cut(planes, window), options.signal), part);
  const ahead = Math.min(1, tilesAhead(method, options)); // planes are large
  const { signal, onProgress } = options;
  const tiles = enlargeInTiles(source, enlarge, { picture: planes, scale, ahead, signal, onProgress });
  for await (const { large, place } of tiles) paste(result, large, place.top, place.left);
  return result;
}

function cut(planes: Planes, box: Box): Planes {
  const { width, height, channels, data } = planes;
  const [columns, rows] = [box.right - box.left, box.bottom - box.top];
  if (box.left === 0 && box.top === 0 && columns === width && rows === height) return planes;
  const part = new Float32Array(channels * columns * rows);
  for (let c = 0; c < channels; c++) {
    const plane = { width, height, channels: 1, data: data.subarray(c * width * height) };
    copyBox(plane, box, part.subarray(c * columns * rows));
  }
  return { width: columns, height: rows, channels, data: part };
}

/** Copies `part` into larger planes, at `top` and `left`. */
function paste({ width, height, channels, data }: Planes, part: Planes, top: number, left: number): void {
  let at = 0;
  for (let c = 0; c < channels; c++) {
    for (let row = 0; row < part.height; row++, at += part.width) {
      data.set(part.data.subarray(at, at + part.width), (c * height + top + row) * width + left);
    }
  }
}
