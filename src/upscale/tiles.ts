/**
 * Networks on pictures larger than the device's memory would allow at once. The picture is cut into tiles; each is
 * computed with a margin as wide as the network can see (its halo), which is then cut off. At the picture's own edge
 * there is no margin, as there is none for the whole picture. So every output pixel is the same sum of the same
 * numbers as in the whole picture, in the same order: the results are equal to the last bit.
 */
import { slice } from "../kernels/layout/index.ts";
import type { SuperResolver } from "../models/super-resolver.ts";
import type { Device } from "../tensor/device.ts";
import { keep, scope } from "../tensor/scope.ts";
import { noGrad } from "../tensor/tape.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import type { Planes, UpscaleOptions } from "./upscaler.ts";

export interface TileOptions extends UpscaleOptions {
  /** The most that one feature map may take, in bytes; tiles have at least 32 pixels a side, whatever that takes. Default 64 MiB. */
  readonly bytes?: number;
}

/** A rectangle of pixels, right and bottom edge not included. */
interface Box {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

/**
 * What a network makes of planes that have its colours and input size: planes of its output size. Runs on the device
 * that the network's weights are on.
 */
export async function forwardInTiles(
  model: SuperResolver,
  planes: Planes,
  { bytes = 64 * 2 ** 20, signal, onProgress }: TileOptions = {},
): Promise<Planes> {
  const factor = model.inputSize === "lr" ? model.scale : 1;
  const { channels } = planes;
  const [width, height] = [planes.width * factor, planes.height * factor];
  const result: Planes = { width, height, channels, data: new Float32Array(channels * width * height) };
  const fitting = Math.floor(Math.sqrt(bytes / (4 * model.valuesPerPixel))) - 2 * model.halo;
  const tiles = tilesOf(planes, Math.max(32, fitting));
  for (const [i, tile] of tiles.entries()) {
    signal?.throwIfAborted();
    const output = forwardTile(model, planes, tile, factor);
    copyInto(result, await output.data(), enlarged(tile, factor));
    output.dispose();
    onProgress?.({ done: i + 1, total: tiles.length });
  }
  return result;
}

function tilesOf({ width, height }: Planes, side: number): Box[] {
  const tiles: Box[] = [];
  for (let top = 0; top < height; top += side) {
    for (let left = 0; left < width; left += side) {
      tiles.push({
        top,
        left,
        bottom: Math.min(height, top + side),
        right: Math.min(width, left + side),
      });
    }
  }
  return tiles;
}

/** The network's answer for one tile, margin cut off. */
function forwardTile(model: SuperResolver, planes: Planes, tile: Box, factor: number): Tensor {
  using _noGrad = noGrad();
  using _scope = scope();
  const { halo } = model;
  const seen: Box = {
    top: Math.max(0, tile.top - halo),
    left: Math.max(0, tile.left - halo),
    bottom: Math.min(planes.height, tile.bottom + halo),
    right: Math.min(planes.width, tile.right + halo),
  };
  const y = model.forward(window(planes, seen, model.parameters()[0].device));
  const { top, left, bottom, right } = enlarged(
    {
      top: tile.top - seen.top,
      left: tile.left - seen.left,
      bottom: tile.bottom - seen.top,
      right: tile.right - seen.left,
    },
    factor,
  );
  return keep(slice(y, [0, 0, top, left], [1, planes.channels, bottom, right]));
}

function enlarged({ top, left, bottom, right }: Box, factor: number): Box {
  return { top: top * factor, left: left * factor, bottom: bottom * factor, right: right * factor };
}

/** A part of the planes, as a tensor [1, channels, h, w]. */
function window(
  { width, height, channels, data }: Planes,
  { top, left, bottom, right }: Box,
  device: Device,
): Tensor {
  const part = new Float32Array(channels * (bottom - top) * (right - left));
  let at = 0;
  for (let c = 0; c < channels; c++) {
    for (let row = top; row < bottom; row++, at += right - left) {
      const start = (c * height + row) * width;
      part.set(data.subarray(start + left, start + right), at);
    }
  }
  return tensor(part, [1, channels, bottom - top, right - left], { device });
}

/** Puts the values of a part, [channels, h, w], where they belong. */
function copyInto({ width, height, channels, data }: Planes, part: Float32Array, box: Box): void {
  const columns = box.right - box.left;
  let at = 0;
  for (let c = 0; c < channels; c++) {
    for (let row = box.top; row < box.bottom; row++, at += columns) {
      data.set(part.subarray(at, at + columns), (c * height + row) * width + box.left);
    }
  }
}
