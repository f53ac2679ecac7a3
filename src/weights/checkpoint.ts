/** Networks and optimizers in one file, so that a training loop of one's own can go on where it stopped. */

import { Module, type NamedArray } from "../nn/module.ts";
import { Optimizer } from "../nn/optimizer.ts";
import {
  bytes as bytesWanted,
  checkArguments,
  isPlain,
  listOf,
  plainNumberList,
  type Wanted,
} from "../options/arguments.ts";
import { atLeastZero, quote, whole } from "../options/kinds.ts";
import { excerpt } from "../options/printable.ts";
import { DataError } from "../picture/errors.ts";
import type { Shape } from "../tensor/shape.ts";
import { parseSafetensors, serializeSafetensors, texts } from "./safetensors.ts";

/** Networks and optimizers by names of your choice, such as `{ model, adam }`. */
export type CheckpointParts = Readonly<Record<string, Module | Optimizer>>;

const someParts: Wanted<CheckpointParts> = {
  wants: "networks and optimizers by names without dots, such as { model, adam }",
  fits: (value): value is CheckpointParts =>
    isPlain(value) &&
    Object.entries(value).length > 0 &&
    Object.entries(value).every(
      ([name, part]) => /^[^.]+$/.test(name) && (part instanceof Module || part instanceof Optimizer),
    ),
};

/**
 * The bytes of a safetensors file with everything that the parts need to go on, to the last bit: the tensors of
 * networks, running statistics included, and the sums, step count and learning rate of optimizers. `metadata` is for
 * what else your loop counts, such as the place of a loader: `{ loader: JSON.stringify(loader.state()) }`.
 *
 *     await writeFile(path, await saveCheckpoint({ model, adam }, { epoch: "3" }));
 *
 * Tensors are called `model.conv.weight`, `adam.m` and so on. Options (Adam's betas, a network's sizes) are in the
 * program, and not in the file. All values are those at the time of the call, even if training goes on before the
 * promise settles.
 */
export async function saveCheckpoint(
  parts: CheckpointParts,
  metadata: Readonly<Record<string, string>> = {},
): Promise<Uint8Array<ArrayBuffer>> {
  checkArguments("saveCheckpoint", {
    "the first argument": [parts, someParts],
    metadata: [metadata, texts],
  });
  const tensors = new Map<string, NamedArray>();
  const counters = { ...metadata };
  // All parts are read before anything is awaited.
  const states = Object.entries(parts).map(async ([name, part]) => [name, await part.stateDict()] as const);
  for (const [name, state] of await Promise.all(states)) {
    if (state instanceof Map) {
      for (const [inner, array] of state) tensors.set(`${name}.${inner}`, array);
    } else {
      const { steps, lr, shapes, sums } = state;
      Object.assign(counters, {
        [`${name}.steps`]: String(steps),
        [`${name}.lr`]: String(lr),
        ...(shapes && { [`${name}.shapes`]: JSON.stringify(shapes) }),
      });
      for (const [sum, data] of Object.entries(sums))
        tensors.set(`${name}.${sum}`, { shape: [data.length], data });
    }
  }
  return serializeSafetensors(tensors, counters);
}

/**
 * Loads a file from {@link saveCheckpoint} into parts that were made as those were, under the same names, and returns
 * its metadata. Parts of the file that are not asked for stay unread: `loadCheckpoint({ model }, bytes)` will do for a
 * network that is only used. `name` is what errors call the file.
 *
 * @throws DataError if the file is broken, lacks a part, or one belongs to another network or optimizer. Parts named
 *   before that one are loaded by then.
 */
export function loadCheckpoint(
  parts: CheckpointParts,
  bytes: Uint8Array,
  name = "the checkpoint",
): Record<string, string> {
  checkArguments("loadCheckpoint", {
    "the first argument": [parts, someParts],
    "the second argument": [bytes, bytesWanted],
  });
  const { tensors, metadata } = parseSafetensors(bytes, name);
  const states = new Map<string, Map<string, NamedArray>>();
  for (const [path, array] of tensors) {
    const [part, ...inner] = path.split(".");
    states.set(part, (states.get(part) ?? new Map()).set(inner.join("."), array));
  }
  for (const [part, value] of Object.entries(parts)) {
    const state = states.get(part) ?? new Map<string, NamedArray>();
    const isModule = value instanceof Module;
    const isThere = isModule
      ? state.size > 0 || value.namedTensors().size === 0
      : metadata[`${part}.steps`] !== undefined;
    if (!isThere) {
      const kind = isModule ? "network" : "optimizer";
      throw new DataError(
        `loadCheckpoint: ${name} has no ${kind} called "${part}"; it has ` +
          `${[...states.keys()].map(excerpt).join(", ") || "nothing"}. Name the parts as they were saved.`,
      );
    }
    const source = `${part} of ${name}`;
    if (isModule) {
      value.loadStateDict(state, { source });
    } else {
      const counter = (key: "steps" | "lr", wanted: Wanted<number>) =>
        readCounter(metadata[`${part}.${key}`], `the ${key} of ${source}`, wanted);
      const sums = Object.fromEntries([...state].map(([sum, { data }]) => [sum, data]));
      const [steps, lr] = [counter("steps", whole(0)), counter("lr", atLeastZero)];
      const shapes = readShapes(metadata[`${part}.shapes`], source);
      value.loadStateDict({ steps, lr, shapes, sums }, { source });
    }
  }
  return metadata;
}

/** A number that a file has as a text. @throws DataError unless it is what is wanted */
function readCounter(text: string | undefined, what: string, { wants, fits }: Wanted<number>): number {
  const value = text?.trim() ? Number(text) : undefined; // Number("") is 0
  if (fits(value)) return value;
  throw new DataError(
    `loadCheckpoint: ${what} must be ${wants}, got ${quote(text)}. The file is damaged, or another program has ` +
      `changed it.`,
  );
}

/** The shapes of an optimizer's parameters: undefined where a file does not tell them. @throws DataError */
function readShapes(text: string | undefined, source: string): readonly Shape[] | undefined {
  if (text === undefined) return undefined;
  try {
    const shapes: unknown = JSON.parse(text);
    if (listOf(plainNumberList).fits(shapes)) return shapes;
  } catch {
    // It is no JSON.
  }
  throw new DataError(
    `loadCheckpoint: the shapes of ${source} must be lists of sizes such as [[2, 3]], got ${quote(text)}. The file ` +
      "is damaged, or another program has changed it.",
  );
}
