import {
  ArgumentError,
  aFunction,
  checkArguments,
  checkOptions,
  isObject,
  refusePromise,
  type Wanted,
} from "../options/arguments.ts";
import { atLeastZero, oneOf, text } from "../options/kinds.ts";
import { type GpuOptions, openGpuDevice } from "./adapter.ts";
import { CpuDevice } from "./cpu-device.ts";
import { readDawnSwitches, someDawnSwitches } from "./dawn.ts";
import { type Device, looksLikeDevice, type MemoryStats } from "./device.ts";
import { environment } from "./environment.ts";

export interface InitOptions extends GpuOptions {
  /** Element type on the CPU device: `"float64"` is for checking gradients. Default `"float32"`. */
  precision?: "float32" | "float64";
}

const initOptions: Readonly<Record<keyof InitOptions, Wanted>> = {
  adapter: text,
  gpu: { wants: "a WebGPU implementation, such as navigator.gpu", fits: isObject },
  poolBytes: atLeastZero,
  tuning: {
    wants: "a tuner's choices, or false",
    fits: (value): value is object | false => value === false || isObject(value),
  },
  dawn: someDawnSwitches,
  precision: oneOf("float32", "float64"),
};

let current: Device | undefined;

/** The options with which each device was opened. */
const optionsOf = new WeakMap<Device, InitOptions>();

/** Opens a device and makes it the one that new tensors are created on. Call once, before anything else. */
export async function init(options: InitOptions = {}): Promise<Device> {
  const device = await open("init", options);
  setDefaultDevice(device);
  return device;
}

/** Opens a device without making it the default; for programs that use several. */
export async function openDevice(options: InitOptions = {}): Promise<Device> {
  return open("openDevice", options);
}

async function open(name: string, options: InitOptions): Promise<Device> {
  checkOptions(name, options, initOptions);
  // The environment does not overrule a program that brings its own implementation.
  const adapter = options.adapter ?? (options.gpu ? undefined : environment("PIXELGRAD_ADAPTER"));
  if (options.precision === "float64" && adapter !== "cpu") {
    throw new ArgumentError(
      name,
      `WGSL has no type for precision "float64". Use it together with adapter: "cpu".`,
    );
  }
  if (options.dawn && (options.gpu || adapter === "cpu")) {
    throw new ArgumentError(
      name,
      `"dawn" sets switches of the WebGPU implementation that this library opens in Node. ` +
        (options.gpu ? `With "gpu", set them where that is made.` : `The adapter "cpu" has none.`),
    );
  }
  const device =
    adapter === "cpu"
      ? new CpuDevice(options.precision ?? "float32")
      : await openGpuDevice({ ...options, adapter, dawn: options.gpu ? undefined : dawnSwitchesOf(options) });
  optionsOf.set(device, options);
  for (const listener of openedListeners) listener(device);
  return device;
}

const openedListeners = new Set<(device: Device) => void>();

/** Calls `listener` with each device that is opened from now on, also by `ensureDevice`. */
export function whenOpened(listener: (device: Device) => void): void {
  openedListeners.add(listener);
}

/** Dawn's switches: those that were given, or those of the environment. */
function dawnSwitchesOf({ dawn }: InitOptions): InitOptions["dawn"] {
  const text = environment("PIXELGRAD_DAWN");
  return dawn ?? (text === undefined ? undefined : readDawnSwitches(text));
}

/** What functions that take a device want. */
export const aDevice: Wanted<Device> = {
  wants: "a device, such as openDevice() returns",
  fits: looksLikeDevice,
};

/** Makes an open device the one that new tensors are created on. */
export function setDefaultDevice(device: Device): void {
  checkArguments("setDefaultDevice", { "the first argument": [device, aDevice] });
  current = device;
}

/**
 * Runs a function whose new tensors are created on `device`. It must not be async: after its first `await`, other
 * code would run, too.
 *
 * @throws RangeError if it returns a promise
 */
export function onDevice<T>(device: Device, body: () => T): T {
  checkArguments("onDevice", { device: [device, aDevice], body: [body, aFunction] });
  const before = current;
  current = device;
  let result: T;
  try {
    result = body();
  } finally {
    current = before;
  }
  refusePromise(
    "onDevice",
    result,
    "if it is async, what it creates after an await is on another device. Await first, and create the tensors in a " +
      "function that is not async; or call setDefaultDevice(device).",
  );
  return result;
}

let opening: Promise<Device> | undefined;

/**
 * The default device, for functions that should work without `init`. If there is none, or if it was lost or
 * destroyed, another one is opened, with the options of the one before.
 */
export async function ensureDevice(): Promise<Device> {
  if (current && !current.failure) return current;
  opening ??= init(current && optionsOf.get(current)).finally(() => {
    opening = undefined;
  });
  return opening;
}

/** The default device, if there is one that works. */
export function openedDevice(): Device | undefined {
  return current?.failure ? undefined : current;
}

/** The device that new tensors are created on. */
export function defaultDevice(): Device {
  if (!current) {
    throw new Error(`No device is open. Call "await init()" once before creating tensors or models.`);
  }
  return current;
}

/** What a device holds (by default, the default device). In a leak, `live` grows from step to step. */
export function memory(device: Device = defaultDevice()): MemoryStats {
  checkArguments("memory", { "the first argument": [device, aDevice] });
  return device.memory();
}
