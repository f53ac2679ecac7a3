/** One window of a picture by a method: as bytes, as levels on a device, or as tensors with the adapters around it. */
import { MAX_ROUNDING } from "../device/pool.ts";
import { span } from "../device/trace.ts";
import { packedWidth, packSamples, unpackSamples, useSamples } from "../kernels/samples/index.ts";
import { hasBytes, type Image, type Samples } from "../picture/image.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { withAlpha, withColors } from "./adapters.ts";
import type { Box } from "./box.ts";
import { compute, computeFrom } from "./compute.ts";
import { type LevelsMethod, type Method, notFinite, type TensorMethod, withDeviceOf } from "./method.ts";
import { NotWanted } from "./tile-loop.ts";

interface WindowOptions {
  /** Bits of each sample of what is made of the windows. */
  readonly depth: 8 | 16;
  readonly signal?: AbortSignal;
  /** The function that the program has called, for errors. */
  readonly caller: string;
}

/** What is done with a window on a device. */
interface DeviceWork {
  /** The tile within the enlarged window. */
  readonly part: Box;
  /** Resolves when the tile's turn to be used has come. */
  readonly turn: () => Promise<void>;
  /** Gets a result of which the tile is the part `from`, in memory that is lent. */
  readonly use: (large: Image<Samples>, from: Box) => void;
  /** What the method computes with: values in 0..1, or levels of 0..255. */
  readonly values: "unit" | "levels";
}

/** Enlarges the windows of one picture. */
export class WindowEnlarger {
  readonly #image: Image<Samples>;
  readonly #method: Method;
  /** What goes from bytes to bytes on a device, if this picture has bytes and the device works. */
  readonly #levelsMethod: LevelsMethod | undefined;
  readonly #depth: 8 | 16;
  readonly #signal: AbortSignal | undefined;
  readonly #caller: string;

  constructor(image: Image<Samples>, method: Method, { depth, signal, caller }: WindowOptions) {
    this.#image = image;
    this.#method = method;
    this.#depth = depth;
    this.#signal = signal;
    this.#caller = caller;
    const { onLevels } = method;
    this.#levelsMethod = this.#inBytes && onLevels?.device.failure === undefined ? onLevels : undefined;
  }

  /** What computes the windows, and so decides how large they are and how many are begun ahead. */
  get runner(): Pick<Method, "device" | "pixelsWithin" | "ahead"> {
    return this.#levelsMethod ?? this.#method;
  }

  /**
   * Enlarges a window of the picture. When its turn has come, `use` gets the result, of which the tile is only the
   * part `from`, in memory that is lent.
   */
  async enlarge(
    window: Image<Samples>,
    part: Box,
    turn: () => Promise<void>,
    use: (large: Image<Samples>, from: Box) => void,
  ): Promise<void> {
    const { enlargeBytes } = this.#method;
    if (this.#inBytes && enlargeBytes) {
      const levelsMethod = this.#levelsMethod;
      if (levelsMethod && levelsMethod.device.failure === undefined) {
        const { device } = levelsMethod;
        const tensorMethod = {
          device,
          enlarge: async (x: Tensor) => computeFrom([x], () => levelsMethod.enlarge(x)),
        };
        try {
          return await this.#enlargeWith(tensorMethod, window, { part, turn, use, values: "levels" });
        } catch (error) {
          if (device.failure === undefined || error instanceof NotWanted) throw error;
        }
      }
      const large = await enlargeBytes.call(this.#method, window as Image);
      await turn();
      return use(large, part);
    }
    await span("enlarge a window", () =>
      withDeviceOf(this.#method)((method) => {
        const colors = withColors(method, this.#method);
        const { scale } = this.#method;
        const isOpaque = this.#image.channels % 2 === 1;
        const withAdapters = isOpaque ? colors : withAlpha(colors, { scale, flat: hasFlatAlpha(window) });
        return this.#enlargeWith(withAdapters, window, { part, turn, use, values: "unit" });
      }, this.#signal),
    );
  }

  /** The same on a device: samples go there, and samples come back. */
  async #enlargeWith(
    { device, enlarge }: TensorMethod,
    { width, height, channels, data }: Image<Samples>,
    { part, turn, use, values }: DeviceWork,
  ): Promise<void> {
    const depth = this.#depth;
    const unit = values === "unit";
    const x = compute(() => unpackSamples(data, [channels, height, width], device, { unit }));
    const large = await enlarge(x, this.#signal);
    const packed = computeFrom([large], () => packSamples(large, { depth, unit, region: part }));
    const [right, bottom] = [part.right - part.left, part.bottom - part.top];
    const columns = packedWidth(right, depth);
    await useSamples(
      packed,
      depth,
      (samples) => {
        if (!samples.finite) throw notFinite(this.#method, this.#caller);
        const image = { width: columns, height: bottom, channels, data: samples.data };
        use(image, { top: 0, left: 0, bottom, right });
      },
      turn,
    );
  }

  /** Whether the method goes from bytes to bytes, if it can. */
  get #inBytes(): boolean {
    const { colors, enlargeBytes } = this.#method;
    const ofBytes = this.#depth === 8 && hasBytes(this.#image);
    return enlargeBytes !== undefined && ofBytes && colors === "any" && this.#image.channels % 2 === 1;
  }
}

/**
 * Bytes around a method for each pixel of the small picture. Floats on the device: the picture, its parts, and
 * of the result chroma and colours, alpha and all together. For this tile and the two begun ahead, samples of the
 * window in JavaScript and of the result in staging buffers; and those of one result packed.
 */
export function adapterBytes(channels: number, depth: 8 | 16, { colors, scale }: Method): number {
  const splitsColors = colors === "y" && channels > 2;
  const largePlanes = (splitsColors ? 2 + 3 : 1) + (channels % 2 === 0 ? 2 + channels : 0);
  const floats = 4 * (3 * channels + scale ** 2 * largePlanes);
  const samples = (depth / 8) * channels * (3 + (3 + 1) * scale ** 2);
  return floats + MAX_ROUNDING * samples;
}

/** Whether alpha, the last channel, is the same everywhere. */
function hasFlatAlpha({ channels, data }: Image<Samples>): boolean {
  const first = data[channels - 1];
  for (let i = channels - 1; i < data.length; i += channels) if (data[i] !== first) return false;
  return true;
}
