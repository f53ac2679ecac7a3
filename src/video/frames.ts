/** Enlarges video frame by frame, wherever the frames come from. */
import { rgbPlanesToYcbcr, ycbcrPlanesToRgb } from "../picture/color.ts";
import { DataError } from "../picture/errors.ts";
import type { Samples } from "../picture/image.ts";
import { resizePlane } from "../picture/imresize.ts";
import type { Planes } from "../picture/planes.ts";
import { type ResizeTable, resizeWeights } from "../picture/resize-weights.ts";
import type { UpscaleOptions, Upscaler } from "../upscale/index.ts";
import { type Frame, planeSizes, type VideoFormat } from "./format.ts";

/**
 * Enlarges frames of one format. The method enlarges luma. Bicubic interpolation enlarges chroma and puts each
 * sample where it belongs between those of luma. A method for RGB gets colours; of its answer, luma counts.
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
    const y = this.#upscaler.colors === "rgb" ? await this.#byColors(luma, chroma) : await this.#byLuma(luma);
    const large = chroma.map((plane) => this.#resize(plane, this.#enlarging!));
    return [y, ...large].map((plane) => this.#samples(plane));
  }

  async #byLuma(luma: Samples): Promise<ArrayLike<number>> {
    const { width, height } = this.#from;
    const data = Float32Array.from(luma, (level) => this.#luma(level));
    const large = await this.#upscaler.upscalePlanes({ width, height, channels: 1, data }, this.#options);
    return large.data.map((value) => this.#lumaLevel(value));
  }

  async #byColors(luma: Samples, chroma: Frame): Promise<ArrayLike<number>> {
    const { width, height } = this.#from;
    const area = width * height;
    const ycbcr = new Float32Array(3 * area).fill(128 / 255);
    ycbcr.set(Float32Array.from(luma, (level) => this.#luma(level)));
    for (const [k, plane] of chroma.entries()) {
      const full = Float32Array.from(this.#resize(plane, this.#filling!), (level) => this.#chroma(level));
      ycbcr.set(full, (k + 1) * area);
    }
    const planes: Planes = { width, height, channels: 3, data: ycbcrPlanesToRgb(ycbcr) };
    const large = await this.#upscaler.upscalePlanes(planes, this.#options);
    const y = rgbPlanesToYcbcr(large.data).subarray(0, large.width * large.height);
    return y.map((value) => this.#lumaLevel(value));
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
