import { type Image, imresize, type Pair, psnr } from "../data/index.ts";
import type { SuperResolver } from "../node.ts";
import { pickDetail, type Row } from "../report/picture.ts";
import { upscale } from "./upscale.ts";

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
  readonly pairs: readonly Pair[];
  readonly scale: number;
  /** What exactly is measured; to be printed with every figure. */
  readonly protocol: string;
  /** Mean PSNR of bicubic interpolation. */
  readonly bicubic: number;
  readonly #bicubic: readonly Image[];

  constructor(pairs: readonly Pair[], scale: number) {
    this.pairs = pairs;
    this.scale = scale;
    // Papers' protocol, but that Y keeps its fractions: see `psnr`.
    this.protocol = `mean PSNR on Y (BT.601), border ${scale}, LR by Matlab's bicubic`;
    this.#bicubic = pairs.map(({ lr, hr }) => imresize(lr, { width: hr.width, height: hr.height }));
    this.bicubic = mean(this.#bicubic.map((image, i) => this.#psnr(image, i)));
  }

  async measure(model: SuperResolver): Promise<Measurement> {
    const values: number[] = [];
    const pictures: Image[] = [];
    for (const [i, { lr }] of this.pairs.entries()) {
      const picture = await upscale(model, lr);
      values.push(this.#psnr(picture, i));
      if (i < shown) pictures.push(picture);
    }
    return { psnr: mean(values), values, pictures };
  }

  /** The first pictures and a detail of each: LR, bicubic, the network's, HR. */
  rows({ pictures }: Measurement, network: string): Row[] {
    return pictures.map((picture, i) => {
      const { name, lr, hr } = this.pairs[i];
      // The square with the most detail, on whole LR pixels.
      const found = pickDetail(hr, 96);
      const region = { ...found, x: found.x - (found.x % this.scale), y: found.y - (found.y % this.scale) };
      const caption = (method: string, image: Image) => `${method} ${this.#psnr(image, i).toFixed(2)} dB`;
      return {
        title: name,
        overview: { caption: "held out", image: hr, region },
        panels: [
          { caption: "LR", image: lr },
          { caption: caption("bicubic", this.#bicubic[i]), image: this.#bicubic[i] },
          { caption: caption(network, picture), image: picture },
          { caption: "HR", image: hr },
        ],
      };
    });
  }

  #psnr(image: Image, i: number): number {
    return psnr(image, this.pairs[i].hr, { border: this.scale, channels: "y" });
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
