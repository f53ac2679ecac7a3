import { CpuDevice } from "../device/cpu-device.ts";
import type { Device } from "../device/device.ts";
import { DataError } from "../picture/errors.ts";
import type { Image } from "../picture/image.ts";
import type { Planes } from "../picture/planes.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { enlargedBy } from "./check-method.ts";
import { planesOf, tensorOf } from "./compute.ts";

/**
 * A way of enlarging, as a function on numbers: planes in, larger planes out, all at once. tile-plan.ts cuts
 * large pictures into parts for it, adapters.ts converts colours to those that it works on, and upscaler.ts
 * adds the functions for callers.
 */
export interface Method {
  /** Its name in tables and captions, such as `bicubic` or `wren+`. */
  readonly name: string;
  /** How many times wider and higher the result is. */
  readonly scale: number;
  /** What `enlarge` takes: red, green and blue; luma alone; or planes of any kind, each by itself. */
  readonly colors: "rgb" | "y" | "any";
  /**
   * Where `enlarge` runs; undefined if JavaScript computes it. Interpolations use a device for `onLevels` alone.
   * A network that was loaded again after the loss of its device has another one then.
   */
  readonly device: Device | undefined;
  /** It computes with float16 numbers, which end at 65504. Default false. */
  readonly half?: boolean;
  /**
   * How far it looks: no pixel of the result depends on pixels of the small picture further away. (In a network
   * whose `exactHalo` is larger than its `halo`, few do so by a level of 255.) `Infinity` if it looks at the whole
   * picture, which is then enlarged at once.
   */
  readonly margin: number;
  /** It works on blocks of so many pixels: windows are multiples of it, and so is the margin. Default 1. */
  readonly multiple?: number;
  /**
   * How many pixels of the mirrored picture it gets beyond each edge, at most `margin`, unless a caller asks
   * for none. Default 0, for methods to which the edges do no harm.
   */
  readonly padding?: number;
  /** Compiles what it needs on its device, if there is anything, so that the first picture need not wait. */
  readonly prepare?: () => Promise<void>;
  /**
   * How many pixels of the small picture it can enlarge at once with this much memory. What surrounds it takes
   * `around` bytes for each of them; by default as much as it takes to give it planes and read the result.
   */
  readonly pixelsWithin: (bytes: number, around?: number) => number;
  /**
   * From the planes that `colors` names, values in 0..1, to as many planes of the larger size, not clamped. A
   * method that works in several steps checks the signal between them.
   */
  readonly enlarge: Enlarge;
  /**
   * From bytes to bytes, for a method whose `enlarge` would give other bytes: Matlab's imresize rounds after
   * each of its two passes. Takes grey and RGB; only methods that work on any planes have it.
   */
  readonly enlargeBytes?: (image: Image) => Image | Promise<Image>;
  /** The same on a device. If that fails, `enlargeBytes` takes over. */
  readonly onLevels?: LevelsMethod;
  /**
   * How many windows may be begun on a GPU before the one that is waited for is finished. Default 1. Two for a
   * method that records all its commands at once, so that no window holds memory while another is computed: then
   * the GPU has one to compute while JavaScript copies the last result and prepares the next window.
   */
  readonly ahead?: number;
}

/** A method of bytes on one device. Windows there have limits of their own. */
export interface LevelsMethod extends Pick<Method, "pixelsWithin" | "ahead"> {
  readonly device: Device;
  /** Enlarges levels (0..255, not 0..1) of one or three channels to levels. Its input stays the caller's. */
  readonly enlarge: (levels: Tensor) => Tensor;
}

/** A function from planes to planes. One that computes on a device has another form, without the planes. */
export interface Enlarge {
  (planes: Planes, signal?: AbortSignal): Promise<Planes>;
  readonly withDevice?: WithDevice;
}

/**
 * Calls `work` with a method on its device, and once more with a new one if the device is lost meanwhile and
 * the method can have another.
 */
export type WithDevice = <T>(work: (method: TensorMethod) => Promise<T>, signal?: AbortSignal) => Promise<T>;

/** A method on one device: pixels go there, and come back when all is done. */
export interface TensorMethod {
  readonly device: Device;
  /**
   * From a tensor [1, channels, h, w] to [1, channels, h * scale, w * scale], values as for `Method.enlarge`.
   * It disposes its input, even after an error; the caller disposes the result.
   */
  readonly enlarge: (x: Tensor, signal?: AbortSignal) => Promise<Tensor>;
}

/** The function from planes to planes of a method on a device. */
export function enlargeWithDevice(withDevice: WithDevice): Enlarge {
  const enlarge = (planes: Planes, signal?: AbortSignal) =>
    withDevice(
      async (method) => planesOf(await method.enlarge(tensorOf(planes, method.device), signal)),
      signal,
    );
  return Object.assign(enlarge, { withDevice });
}

/** Where what surrounds a method that knows no device is computed: by the references of the operations. */
const javaScript = new CpuDevice("float32");

/** Any method on tensors. */
export function withDeviceOf(method: Method): WithDevice {
  const enlargeTensor = async (x: Tensor, signal?: AbortSignal) =>
    tensorOf(await enlargedBy(method, await planesOf(x), signal), javaScript);
  return method.enlarge.withDevice ?? ((work) => work({ device: javaScript, enlarge: enlargeTensor }));
}

/**
 * A copy of which some properties are others, or new. Getters stay getters: a spread would keep what they say at the
 * moment, such as a device that is lost later.
 */
export function withChanges<M extends Method, C extends object>(method: M, changes: C): M & C {
  const properties = {
    ...inheritedBy(method),
    ...Object.getOwnPropertyDescriptors(method),
    ...Object.getOwnPropertyDescriptors(changes),
  };
  return Object.defineProperties({}, properties) as M & C;
}

/** What an instance of a class has from its classes, bound to the instance: private fields are in it alone. */
function inheritedBy(instance: object): PropertyDescriptorMap {
  const properties: PropertyDescriptorMap = {};
  let from = Object.getPrototypeOf(instance);
  for (; from !== null && from !== Object.prototype; from = Object.getPrototypeOf(from)) {
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(from))) {
      const { value, get } = property;
      const bound = typeof value === "function" ? { value: value.bind(instance) } : {};
      properties[name] ??= {
        ...property,
        ...bound,
        ...(get && { get: get.bind(instance) }),
        enumerable: true,
      };
    }
  }
  return properties;
}

/** What to say when a result is no picture. What has become of such numbers may look like one. */
export function notFinite({ name, half }: Method, caller: string): DataError {
  return new DataError(
    half
      ? `${name}, computed in float16, made NaN or infinity of a pixel: some number on the way is larger than ` +
          "65504, where float16 ends. Take float32, the default. (If that fails as well, the network's training has " +
          "diverged.)"
      : `${name} made NaN or infinity of a pixel; its training has diverged.`,
    { caller },
  );
}

/** How far bicubic interpolation looks; the kernel `unpremultiply` looks as far for the bounds of alpha. */
export const BICUBIC_MARGIN = 2;

/** Where a method runs, for reports: the name of an adapter, or "JavaScript". */
export function adapterOf({ device }: Pick<Method, "device">): string {
  return device?.name ?? "JavaScript";
}
