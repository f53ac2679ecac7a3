import { DataError, type PairDataset } from "../data/index.ts";
import {
  conditionsOf,
  describeConditions,
  type Evaluation,
  evaluate,
  loadPicture,
  type Picture,
} from "../evaluate/index.ts";
import { sizeOfPictureFile } from "../files/picture-file.ts";
import { firstOf } from "../options/lists.ts";
import { imresize, type Size } from "../picture/index.ts";
import { pickDetail, type Row } from "../report/picture.ts";
import { interpolator, type Upscaler } from "../upscale/index.ts";

/** The report has this many pictures. */
const ROW_COUNT = 4;

/** The trainer compares weights alone: times do not matter, and `data` may name folders of several kinds. */
const options = { protocol: "y", warmUp: false, withSsim: false, mixed: true } as const;

/** The held-out pictures, which measure networks and bicubic exactly as `pixelgrad evaluate` does. */
export class Validation {
  /** What the figures mean, to be printed with them. */
  readonly conditions: string;
  readonly bicubic: Evaluation;
  /** The mean PSNR of pictures without any detail, each as bright as the original is on average; dB. */
  readonly plain: number;
  readonly #scale: number;
  readonly #pictures: readonly Picture[];

  /**
   * Reads the first pictures of a dataset of files, at most `count`, and measures bicubic on them. Pictures
   * that bicubic enlarges without any error are left out, and `onMessage` says so: a network's decibels there
   * would be compared with none. So are those of which the border leaves nothing.
   */
  static async open(
    dataset: PairDataset,
    count: number,
    onMessage: (line: string) => void = () => {},
  ): Promise<Validation> {
    const { scale, files } = dataset;
    const all: (Picture | Unloaded)[] = [];
    for (const pair of files!.slice(0, count)) {
      const size = await sizeOfPictureFile(pair.high);
      const isTooSmall = Math.min(size.width, size.height) < scale; // nothing is left to be loaded
      if (isTooSmall) all.push({ path: pair.high, high: size });
      else all.push(await loadPicture(pair, scale, { transparency: "white" }));
    }
    const pictures = withoutSmall(all, scale, onMessage);
    const bicubic = await evaluate(interpolator("bicubic", scale), pictures, options);
    const { exact } = bicubic;
    if (exact.length === pictures.length) {
      throw new DataError(
        `Bicubic interpolation enlarges ${exact.join(", ")} without any error, so measuring there cannot ` +
          `tell which weights are better. Measure on photographs (\`valid\`).`,
      );
    }
    if (exact.length > 0) {
      onMessage(
        `Not measured, as bicubic interpolation enlarges them without any error: ${exact.join(", ")}`,
      );
      const others = pictures.filter((_, i) => bicubic.images[i].psnr !== Infinity);
      return new Validation(dataset, others, await evaluate(interpolator("bicubic", scale), others, options));
    }
    return new Validation(dataset, pictures, bicubic);
  }

  private constructor(dataset: PairDataset, pictures: readonly Picture[], bicubic: Evaluation) {
    this.conditions = describeConditions(conditionsOf(dataset, pictures, options));
    this.bicubic = bicubic;
    const plain = pictures.map(({ highY: { data } }) => plainPsnr(data)).filter(Number.isFinite);
    this.plain = plain.reduce((sum, psnr) => sum + psnr, 0) / plain.length;
    this.#scale = dataset.scale;
    this.#pictures = pictures;
  }

  measure(network: Upscaler): Promise<Evaluation> {
    return evaluate(network, this.#pictures, options);
  }

  /** The first pictures, each with a detail: LR, bicubic, the network's, HR. */
  async rows(network: Upscaler, { images, padding }: Evaluation): Promise<Row[]> {
    const rows: Row[] = [];
    for (const [i, { name, low, high }] of this.#pictures.slice(0, ROW_COUNT).entries()) {
      const caption = (method: string, { psnr }: { psnr: number }) => `${method} ${psnr.toFixed(2)} dB`;
      rows.push({
        title: name,
        overview: { caption: "held out", image: high, region: pickDetail(high, 96, this.#scale) },
        panels: [
          { caption: "LR", image: low },
          { caption: caption("bicubic", this.bicubic.images[i]), image: imresize(low, this.#scale) },
          { caption: caption(network.name, images[i]), image: await network.upscale(low, { padding }) },
          { caption: "HR", image: high },
        ],
      });
    }
    return rows;
  }
}

/** A picture that was not loaded, as it is smaller than the border. */
interface Unloaded {
  readonly path: string;
  readonly high: Size;
}

/** The pictures that are larger than the border. @throws DataError if none is */
function withoutSmall(
  pictures: readonly (Picture | Unloaded)[],
  border: number,
  onMessage: (line: string) => void,
): readonly Picture[] {
  const isSmall = ({ high }: Unloaded) => Math.min(high.width, high.height) <= 2 * border;
  const small = pictures.filter(isSmall).map(({ path, high }) => `${path} (${high.width}x${high.height})`);
  const what = `Too small to measure on, as ${border} pixels are left out along each side: ${firstOf(small)}`;
  if (small.length > 0 && small.length === pictures.length)
    throw new DataError(`${what}. Name larger pictures by \`valid\`.`);
  if (small.length > 0) onMessage(what);
  return pictures.filter((picture): picture is Picture => !isSmall(picture));
}

/** PSNR of a plane's mean value against the plane. Infinity for a plane of one value. */
function plainPsnr(luma: Uint8Array): number {
  const mean = luma.reduce((sum, value) => sum + value, 0) / luma.length;
  const error = luma.reduce((sum, value) => sum + (value - mean) ** 2, 0) / luma.length;
  return 10 * Math.log10(255 ** 2 / error);
}
