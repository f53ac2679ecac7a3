/** Enlarges video frame by frame, wherever the frames come from. */
import { rgbPlanesToYcbcr, ycbcrPlanesToRgb } from "../picture/color.ts";
import { DataError } from "../picture/errors.ts";
import type { Samples } from "../picture/image.ts";
import { resizePlane } from "../picture/imresize.ts";
import { type ResizeTable, resizeWeights } from "../picture/resize-weights.ts";
import type { UpscaleOptions, Upscaler } from "../upscale/index.ts";
import { type Frame, planeSizes, type VideoFormat } from "./format.ts";

/**
 * Enlarges frames of one format. The method enlarges luma. Bicubic interpolation enlarges chroma and puts
 * each sample where it belongs between those of luma. A method for RGB gets colours; of its answer, luma
 * counts.
 */
export class FrameUpscaler {
  /** Of the result. */
  readonly format: VideoFormat;
  readonly #from: VideoFormat;
  readonly #upscaler: Upscaler;
  readonly #options: UpscaleOptions;
  /** They enlarge chroma. */
  readonly #enlarging: Tables | undefined;
  /** They bring chroma to luma's size. */
  readonly #filling: Tables | undefined;

  constructor(upscaler: Upscaler, format: VideoFormat, options: UpscaleOptions = {}) {
    const { scale, colors } = upscaler;
    const { width, height, chroma, siting } = format;
    this.#upscaler = upscaler;
    this.#options = options;
    this.#from = format;
    this.format = { ...format, width: width * scale, height: height * scale };
    if (!chroma) return;
    const [, small] = planeSizes(format);
    const [, large] = planeSizes(this.format);
    const { across, down } = siting;
    this.#enlarging = {
      columns: resizeWeights(small.height, large.height, scale, { siting: [down, down] }),
      rows: resizeWeights(small.width, large.width, scale, { siting: [across, across] }),
    };
    if (colors !== "rgb") return;
    this.#filling = {
      columns: resizeWeights(small.height, height, chroma.down, { siting: [down, 0.5] }),
      rows: resizeWeights(small.width, width, chroma.across, { siting: [across, 0.5] }),
    };
  }

  async upscale([luma, ...chroma]: Frame): Promise<Frame> {
    const { width, height } = this.#from;
    const rgb = this.#upscaler.colors === "rgb";
    const y = Float32Array.from(luma, (level) => this.#luma(level));
    const planes = rgb
      ? { width, height, channels: 3, data: this.#withChroma(y, chroma) }
      : { width, height, channels: 1, data: y };
    const large = await this.#upscaler.upscalePlanes(planes, this.#options);
    const largeY = rgb ? rgbPlanesToYcbcr(large.data).subarray(0, large.width * large.height) : large.data;
    return [
      this.#samples(largeY.map((value) => this.#lumaLevel(value))),
      ...chroma.map((plane) => this.#samples(this.#resize(plane, this.#enlarging!))),
    ];
  }

  /** Red, green and blue of the small frame. */
  #withChroma(y: Float32Array, chroma: Frame): Float32Array {
    const ycbcr = new Float32Array(3 * y.length).fill(128 / 255);
    ycbcr.set(y);
    for (const [k, plane] of chroma.entries()) {
      const full = Float32Array.from(this.#resize(plane, this.#filling!), (level) => this.#chroma(level));
      ycbcr.set(full, (k + 1) * y.length);
    }
    return ycbcrPlanesToRgb(ycbcr);
  }

  #resize(plane: Samples, { columns, rows }: Tables): Float64Array {
    return resizePlane(plane, planeSizes(this.#from)[1].width, columns, rows);
  }

  /** A level of any depth as networks take it: in studio range, of 8 bits, over 255. */
  #luma(level: number): number {
    const { depth, fullRange } = this.#from;
    return fullRange ? (16 + (219 * level) / (2 ** depth - 1)) / 255 : level / (255 * 2 ** (depth - 8));
  }

  #chroma(level: number): number {
    const { depth, fullRange } = this.#from;
    if (!fullRange) return level / (255 * 2 ** (depth - 8));
    return (128 + (224 * (level - 2 ** (depth - 1))) / (2 ** depth - 1)) / 255;
  }

  #lumaLevel(value: number): number {
    const { depth, fullRange } = this.#from;
    return fullRange ? ((255 * value - 16) / 219) * (2 ** depth - 1) : value * 255 * 2 ** (depth - 8);
  }

  /** Levels, rounded and clamped. */
  #samples(plane: ArrayLike<number>): Samples {
    const { depth } = this.#from;
    const white = 2 ** depth - 1;
    const samples = new (depth > 8 ? Uint16Array : Uint8Array)(plane.length);
    for (let i = 0; i < samples.length; i++) {
      if (Number.isNaN(plane[i])) {
        throw new DataError(`${this.#upscaler.name} made NaN of a frame; its training has diverged.`);
      }
      samples[i] = Math.min(white, Math.max(0, Math.floor(plane[i] + 0.5)));
    }
    return samples;
  }
}

interface Tables {
  readonly columns: ResizeTable;
  readonly rows: ResizeTable;
}
