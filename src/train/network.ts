import { readBytes } from "../data/files.ts";
import { DataError, type Pair, type PairFormat } from "../data/index.ts";
import {
  type Conv2d,
  EDSR,
  ESPCN,
  parseSafetensors,
  type Random,
  SRCNN,
  type SuperResolver,
  whiteningInit,
} from "../node.ts";
import { toPlanar } from "../picture/index.ts";
import type { NetworkConfig } from "./config.ts";

/** What pictures a network learns from. */
export function pictureFormat({ architecture, scale }: NetworkConfig): PairFormat {
  const formats = {
    SRCNN: { colors: "y", inputSize: "hr" },
    ESPCN: { colors: "y", inputSize: "lr" },
    EDSR: { colors: "rgb", inputSize: "lr" },
  } as const;
  return { scale, ...formats[architecture] };
}

/** Whether `buildNetwork` looks at pictures. */
export function looksAtPictures(config: NetworkConfig): boolean {
  return config.architecture === "EDSR" || config.residual;
}

/**
 * A new network with random weights. `pictures` are some of those it will learn from; none, if it does not look at them.
 *
 * The first filters of SRCNN and ESPCN are fitted to them: what has to be added to a bicubic enlargement depends on fine
 * patterns, which filters of independent weights hardly see. (At x2, one patch of 64x64 HR pixels a step: SRCNN 9-5-5 had
 * 32.15 dB on held-out pictures after 1200 steps, and 31.65 without; ESPCN 32.29 after 5000, and 31.97 without.) Not so
 * without `residual`: a network that answers with the whole picture needs the smooth patterns as strong as they are.
 */
export function buildNetwork(
  config: NetworkConfig,
  random: Random,
  pictures: readonly Pair[],
): SuperResolver {
  switch (config.architecture) {
    case "SRCNN": {
      const model = new SRCNN({ ...config, random });
      if (config.residual) fitFilters(model.conv1, pictures, random);
      return model;
    }
    case "ESPCN": {
      const model = new ESPCN({ ...config, random });
      if (config.residual) fitFilters(model.first_part.modules[0] as Conv2d, pictures, random);
      return model;
    }
    case "EDSR":
      return new EDSR({ ...config, rgbMean: meanColour(pictures), random });
  }
}

/** What people call it: "EDSR x2, 4 blocks of 16 channels". */
export function describeNetwork(config: NetworkConfig): string {
  switch (config.architecture) {
    case "SRCNN":
      return `SRCNN x${config.scale}, windows ${config.kernels.join("-")}, channels ${config.filters.join("-")}`;
    case "ESPCN":
      return `ESPCN x${config.scale}, channels ${config.filters.join("-")}`;
    case "EDSR":
      return `EDSR x${config.scale}, ${config.blocks} blocks of ${config.channels} channels`;
  }
}

/** For the name of a folder: "edsr-x2-4x16". */
export function shortName(config: NetworkConfig): string {
  switch (config.architecture) {
    case "SRCNN":
      return `srcnn-x${config.scale}-${config.kernels.join("-")}`;
    case "ESPCN":
      return `espcn-x${config.scale}`;
    case "EDSR":
      return `edsr-x${config.scale}-${config.blocks}x${config.channels}`;
  }
}

/**
 * Takes over from a weight file every tensor that this network has under the same name and in the same shape, so that
 * a network for x3 can begin with what one for x2 has learned, as in EDSR's paper: all but the enlargement itself.
 * Returns the names of those that keep their random values. Throws a DataError if nothing fits.
 */
export async function initialWeights(model: SuperResolver, path: string): Promise<string[]> {
  const { tensors } = parseSafetensors(await readBytes(path), path);
  const state = await model.stateDict();
  const kept: string[] = [];
  for (const [name, { shape }] of state) {
    const given = tensors.get(name);
    if (given?.shape.join() === shape.join()) state.set(name, given);
    else kept.push(name);
  }
  if (kept.length === state.size) {
    throw new DataError(
      `${path}: none of its tensors has the name and shape of one of this network's. Begin with weights of the same ` +
        `architecture, blocks and channels.`,
    );
  }
  model.loadStateDict(state);
  return kept;
}

/** Fits a network's first layer to those of the pictures that hold a whole window; if none does, it stays as it is. */
function fitFilters(layer: Conv2d, pictures: readonly Pair[], random: Random): void {
  const [, , kh, kw] = layer.weight.shape;
  const planes = pictures
    .filter(({ lr }) => lr.height >= kh && lr.width >= kw)
    .map(({ lr }) => ({ shape: [lr.channels, lr.height, lr.width], data: toPlanar(lr) }));
  if (planes.length > 0) whiteningInit(layer, planes, random);
}

/** The mean colour of some pictures in 0..1, which EDSR subtracts from its input. */
function meanColour(pairs: readonly Pair[]): [number, number, number] {
  const sums = [0, 0, 0];
  let pixels = 0;
  for (const { lr } of pairs) {
    for (let i = 0; i < lr.data.length; i++) sums[i % 3] += lr.data[i];
    pixels += lr.width * lr.height;
  }
  return sums.map((sum) => sum / pixels / 255) as [number, number, number];
}
