import type { Pair, PairDataset, PairFormat } from "../data/index.ts";
import type { SuperResolver } from "../node.ts";
import { type Image, imresize, psnr, rgbToYcbcr, ycbcrToRgb } from "../picture/index.ts";
import { toByte } from "../picture/levels.ts";
import { pickDetail, type Row } from "../report/picture.ts";
import { networkUpscaler, type Upscaler } from "../upscale/index.ts";
import type { TrainConfig } from "./config.ts";
import { loadPairs } from "./datasets.ts";

export interface Measurement {
  /** Mean over the pictures, dB. */
  readonly psnr: number;
  /** Of each. */
  readonly values: readonly number[];
  /** What the network made of the first few. */
  readonly pictures: readonly Image[];
}

/** So many pictures are shown. */
const shown = 4;

/** Measures networks on the same held-out pictures, beside bicubic interpolation. */
export class Evaluation {
  /** What exactly is measured; to be printed with every figure. */
  readonly protocol: string;
  /** Mean PSNR of bicubic interpolation. */
  readonly bicubic: number;
  readonly count: number;
  readonly #scale: number;
  readonly #pairs: readonly Pair[];
  readonly #bicubicValues: readonly number[];
  /** The first few in colour. */
  readonly #shown: readonly Pair[];

  /** The first pictures of `dataset`, in the network's colours; `inColour` are the same in RGB. */
  static async open(dataset: PairDataset, inColour: PairDataset, config: TrainConfig): Promise<Evaluation> {
    const pairs = await loadPairs(dataset, config.validPictures);
    const { track = "bicubic", degradation } = config;
    const lr = degradation
      ? "LR degraded"
      : track === "bicubic"
        ? "LR by Matlab's bicubic"
        : `LR of track ${track}`;
    return new Evaluation(dataset, pairs, await loadPairs(inColour, Math.min(shown, pairs.length)), lr);
  }

  private constructor(
    { scale, colors }: PairFormat,
    pairs: readonly Pair[],
    inColour: readonly Pair[],
    lr: string,
  ) {
    this.count = pairs.length;
    this.#scale = scale;
    this.#pairs = pairs;
    this.#shown = inColour;
    // Papers' protocol; of RGB pictures, Y keeps its fractions: see `psnr`.
    this.protocol =
      `mean PSNR on Y (BT.601), border ${scale}, ${lr}` + (colors === "y" ? " of the Y plane in bytes" : "");
    this.#bicubicValues = pairs.map(({ lr }, i) => this.#psnr(imresize(lr, scale), i));
    this.bicubic = mean(this.#bicubicValues);
  }

  async measure(model: SuperResolver): Promise<Measurement> {
    const upscaler = networkUpscaler(model);
    const values: number[] = [];
    const pictures: Image[] = [];
    for (const [i, { lr }] of this.#pairs.entries()) {
      const picture = model.colors === "y" ? await lumaBy(upscaler, lr) : await upscaler.upscale(lr);
      values.push(this.#psnr(picture, i));
      if (i < shown) pictures.push(picture);
    }
    return { psnr: mean(values), values, pictures };
  }

  /** The first pictures and a detail of each: LR, bicubic, the network's, HR. */
  rows({ pictures, values }: Measurement, network: string): Row[] {
    return pictures.map((picture, i) => {
      const { name, lr, hr } = this.#shown[i];
      const bicubic = imresize(lr, this.#scale);
      // The square with the most detail, on whole LR pixels.
      const found = pickDetail(hr, 96);
      const region = { ...found, x: found.x - (found.x % this.#scale), y: found.y - (found.y % this.#scale) };
      return {
        title: name,
        overview: { caption: "held out", image: hr, region },
        panels: [
          { caption: "LR", image: lr },
          { caption: `bicubic ${this.#bicubicValues[i].toFixed(2)} dB`, image: bicubic },
          { caption: `${network} ${values[i].toFixed(2)} dB`, image: coloured(picture, bicubic) },
          { caption: "HR", image: hr },
        ],
      };
    });
  }

  #psnr(image: Image, i: number): number {
    return psnr(image, this.#pairs[i].hr, { border: this.#scale, channels: "y" });
  }
}

/** A plane of luma, enlarged and rounded. */
async function lumaBy(upscaler: Upscaler, { width, height, data }: Image): Promise<Image> {
  const y = await upscaler.upscaleY(data, width, height);
  const { scale } = upscaler;
  return { width: width * scale, height: height * scale, channels: 1, data: Uint8Array.from(y, toByte) };
}

/** A luma plane with the colours of another picture; RGB as it is. */
function coloured(picture: Image, colours: Image): Image {
  if (picture.channels === 3) return picture;
  const planes = rgbToYcbcr(colours);
  planes.set(picture.data);
  return ycbcrToRgb(planes, picture.width, picture.height);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
