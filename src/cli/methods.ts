/** The methods by their names on the command line. */

import { readBytes } from "../data/files.ts";
import {
  type PretrainedName,
  type PretrainedScale,
  pretrainedNames,
  pretrainedScales,
} from "../models/pretrained-files.ts";
import type { Device, SuperResolver } from "../node.ts";
import { DataError } from "../picture/errors.ts";
import type { Upscaler } from "../upscale/index.ts";
import { interpolations } from "../upscale/interpolator.ts";
import { type Flags, oneOf, orList, text, UsageError } from "./flags.ts";

export const networks = ["srcnn", "espcn", "fsrcnn", "edsr"] as const;
export type Network = (typeof networks)[number];
export type Method = (typeof interpolations)[number] | Network;
export const methods: readonly Method[] = [...interpolations, ...networks];

export function isNetwork(method: Method): method is Network {
  return (networks as readonly string[]).includes(method);
}

export const scaleFlag = {
  value: "S",
  help: "enlargement of each side: 2, 3, 4 or 8",
  read: (given: string) => Number(oneOf("2", "3", "4", "8")(given)),
  required: true,
} as const;

export const adapterFlag = {
  value: "A",
  help: "where networks run: gpu, lavapipe, swiftshader, cpu or part of an adapter's name",
  read: text,
} as const satisfies Flags[string];

/** A method ready for use. */
export interface OpenedMethod {
  readonly method: Method;
  readonly upscaler: Upscaler;
  /** Numbers that were trained; 0 for interpolation. */
  readonly parameters: number;
  /** If the method is a network: the path of its weights, or "pretrained" for those that come along. */
  readonly weights?: string;
  /** Name of the adapter, if the method is a network. */
  readonly adapter?: string;
  readonly ensemble: boolean;
  /** Frees the network. */
  close(): void;
}

export interface OpenOptions {
  readonly scale: number;
  /** Path of a weight file. Default: the weights that come with the library. */
  readonly weights?: string;
  readonly adapter?: string;
  /** Averages the answers to the picture's eight flips and turns. */
  readonly ensemble?: boolean;
}

/** A method by its name and other flags. @throws UsageError where flags do not go together, DataError for weights that do not fit. */
export async function openNamed(method: Method, options: OpenOptions): Promise<OpenedMethod> {
  const { scale, weights, adapter, ensemble = false } = options;
  const { interpolator, networkUpscaler, selfEnsemble } = await import("../upscale/index.ts");
  const ready = (upscaler: Upscaler) => ({
    method,
    upscaler: ensemble ? selfEnsemble(upscaler) : upscaler,
    ensemble,
  });
  if (!isNetwork(method)) {
    for (const [flag, value] of Object.entries({ weights, adapter })) {
      if (value !== undefined) throw new UsageError(`--${flag} is for networks, and ${method} is none`);
    }
    return { ...ready(interpolator(method, scale)), parameters: 0, close() {} };
  }
  const file = weights === undefined ? undefined : { bytes: await readBytes(weights), path: weights };
  const { init, loadModel, loadPretrained } = await import("../node.ts");
  let model: SuperResolver;
  if (file === undefined) {
    const shipped = shippedFor(method, scale);
    if (shipped === undefined) {
      throw new UsageError(`${method} needs weights for scale ${scale}, and none come along: --weights FILE`);
    }
    device ??= await init({ adapter });
    model = await loadPretrained(shipped.name, shipped);
  } else {
    device ??= await init({ adapter });
    model = loadModel(file.bytes, file.path);
    const { architecture } = model.metadata();
    if (architecture.toLowerCase() !== method) {
      throw new DataError(`${file.path}: these are weights of ${architecture}, but ${method} was asked for.`);
    }
    if (model.scale !== scale) {
      throw new DataError(
        `${file.path}: these weights enlarge by ${model.scale}, but --scale is ${scale}. Each scale has weights of its own.`,
      );
    }
  }
  return {
    ...ready(networkUpscaler(model)),
    parameters: model.parameterCount(),
    weights: file?.path ?? "pretrained",
    adapter: device.name,
    close: () => model.dispose(),
  };
}

/** The adapter, once it has been needed; all networks of one run use the same. */
let device: Device | undefined;

/** The network of an architecture and scale that comes with the library: edsr-small for edsr. */
export function shippedFor(
  method: Network,
  scale: number,
): { name: PretrainedName; scale: PretrainedScale } | undefined {
  const name = pretrainedNames.find((name) => name.split("-")[0] === method);
  const found = pretrainedScales.find((one) => one === scale);
  return name && found && { name, scale: found };
}

/** "bicubic,edsr"; each counts once. */
export function methodList(given: string): Method[] {
  const chosen = given.split(",").map((name) => {
    const found = methods.find((method) => method === name);
    if (found === undefined) throw new UsageError(`wants ${orList(methods)}, joined by commas`);
    return found;
  });
  return [...new Set(chosen)];
}
