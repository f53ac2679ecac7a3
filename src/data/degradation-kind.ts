/** A degradation as a text, for flags, settings and tables: "photo", "jpeg:60" or "blur:1.2+noise:1-10". */
import { isObject } from "../options/arguments.ts";
import type { Kind } from "../options/kinds.ts";
import { type DegradationOptions, drawDegradation, type FirstOrderOptions } from "./degrade.ts";
import { completePhoto, isPhoto, type Range, type Shrink } from "./degrade-photo.ts";

/**
 * The text of a degradation, and back: "photo", or steps joined by "+", each with a number or a range: blur,
 * noise, photons, jpeg, and shrink with the name of a kernel. They happen in the order of `FirstOrderOptions`,
 * whatever that of the text; spaces and capitals mean nothing. Texts have the seed 0; other seeds, and everything
 * else that a text cannot say, are written as JSON.
 */
export const degradationKind: Kind<DegradationOptions> = {
  wants:
    "photo, JSON, or steps joined by +, each at most once and with a number or a range, such as jpeg:60 or noise:1-10: " +
    "blur (0 to 20), shrink (bicubic, bilinear, area or nearest), noise (0 to 255), photons (0.001 to 1e9) and jpeg (1 " +
    "to 100), which happen in this order",
  symbol: "FORM",
  fits(value): value is DegradationOptions {
    try {
      return drawDegradation(value as DegradationOptions, 0, 1) !== undefined;
    } catch {
      return false;
    }
  },
  read(text) {
    const options = readText(text);
    return degradationKind.fits(options) ? completeDegradation(options) : options;
  },
  write(options) {
    const text = isPhoto(options) ? "photo" : textOf(options);
    const [read, complete] = [degradationKind.read(text), completeDegradation(options)];
    return JSON.stringify(read) === JSON.stringify(complete) ? text : JSON.stringify(options);
  },
};

/** The options with the ranges of "photo" written out, as another version may have others. @throws RangeError */
export function completeDegradation(options: DegradationOptions): DegradationOptions {
  return isPhoto(options) ? completePhoto(options) : options;
}

function readText(given: string): object | undefined {
  if (given.trim().startsWith("{")) return fromJson(given);
  const text = given.replace(/\s/g, "").toLowerCase();
  if (text === "photo") return { kind: "photo", seed: 0 };
  const options: Record<string, unknown> = { seed: 0 };
  for (const part of text.split("+")) {
    const [name, value, ...rest] = part.split(":");
    if (!isName(name) || value === undefined || rest.length > 0 || name in options) return undefined;
    options[name] = readers[name](value);
  }
  return options;
}

const isName = (name: string): name is keyof typeof readers => Object.hasOwn(readers, name);

function fromJson(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The steps that texts name, in the order in which they happen. */
const readers = {
  blur: (value: string) => ({ sigma: toRange(value) }),
  shrink: (value: string) => value as Shrink,
  noise: toRange,
  photons: toRange,
  jpeg: toRange,
};

function toRange(text: string): Range {
  const [min, max, ...rest] = text.split("-").map((bound) => (bound === "" ? Number.NaN : Number(bound)));
  if (rest.length > 0) return Number.NaN;
  return max === undefined ? min : [min, max];
}

function textOf(options: FirstOrderOptions): string {
  const write = (value: unknown) => (Array.isArray(value) ? value.join("-") : String(value));
  return Object.entries({ ...options, blur: options.blur?.sigma })
    .filter(([name, value]) => isName(name) && value !== undefined)
    .map(([name, value]) => `${name}:${write(value)}`)
    .join("+");
}
