/**
 * What the numbers of a picture mean as colours, for canvases and for files that a browser reads. Not loaded before a
 * file says anything of that: without, they are sRGB.
 */
import "./buffer.ts";
import {
  element,
  profileFor,
  profileOf,
  profileOfCode,
  SRGB_TRANSFER,
  spaceOf,
  srgbCurve,
  tableCurve,
} from "../../src/formats/icc.ts";
import type { Metadata } from "../../src/formats/metadata.ts";
import { profileIn } from "../../src/formats/png-colors.ts";

/** What the numbers of a picture mean: a canvas's colour space, or what a PNG file says of it. */
export interface Colors {
  readonly space?: PredefinedColorSpace;
  readonly icc?: Uint8Array;
  /** PNG's own chunks on colours. */
  readonly chunks?: readonly Uint8Array[];
}

export function colorsOf(metadata: Metadata): Colors {
  const { icc, lost } = profileIn(metadata);
  if (lost !== undefined) return { icc, chunks: metadata.pngColor }; // no profile says it, but a browser may know it
  const profile = icc && (spaceOf(icc) === "GRAY" ? ofGrey(icc) : icc);
  if (!profile) return { space: "srgb" };
  const [space] = canvasSpaces.find(([, one]) => meanTheSame(profile, one)) ?? [];
  return space ? { space } : { icc: profile };
}

const DISPLAY_P3_PRIMARIES = 12;

/** The spaces that canvases have. */
const canvasSpaces: readonly (readonly [PredefinedColorSpace, Uint8Array])[] = [
  ["srgb", profileOf("RGB", srgbCurve)],
  ["display-p3", profileOfCode(DISPLAY_P3_PRIMARIES, SRGB_TRANSFER).profile!],
];

/** So little numbers of light may differ, of 1. */
const TOLERANCE = 0.002;

/** Do two profiles for RGB give the same light? What their names say is not enough: there is a "Linear sRGB". */
function meanTheSame(a: Uint8Array, b: Uint8Array): boolean {
  if (element(a, "A2B0")) return false; // by a table of colours
  const isNear = (x: number | undefined, y: number | undefined) =>
    x !== undefined && y !== undefined && Math.abs(x - y) <= TOLERANCE;
  return ["r", "g", "b"].every((color) => {
    const [pointA, pointB] = [a, b].map((icc) => numbersIn(element(icc, `${color}XYZ`), 8));
    const [curveA, curveB] = [a, b].map((icc) => curveOf(element(icc, `${color}TRC`)));
    return (
      [0, 1, 2].every((i) => isNear(pointA[i], pointB[i])) &&
      Array.from({ length: 33 }, (_, i) => i / 32).every((x) => isNear(curveA?.(x), curveB?.(x)))
    );
  });
}

/** A profile for RGB with equal channels; undefined for one of grey that has no curve. */
function ofGrey(icc: Uint8Array): Uint8Array | undefined {
  const profile = profileFor("RGB", icc);
  if (profile) return profile;
  const lightness = curveOf(element(icc, "kTRC"));
  if (Buffer.from(icc.subarray(20, 24)).toString("latin1") !== "Lab " || !lightness) return undefined;
  const values = Array.from({ length: 4096 }, (_, i) => Math.round(65535 * lightOf(lightness(i / 4095))));
  return profileOf("RGB", tableCurve(values));
}

/** Light by CIE's lightness, L* / 100. */
function lightOf(lightness: number): number {
  const l = 100 * Math.min(1, Math.max(0, lightness));
  return l > 8 ? ((l + 16) / 116) ** 3 : (l * 27) / 24389;
}

/** A profile's curve, from a sample of 0 to 1 to light; undefined if it is none. ICC.1:2010, 10.5 and 10.15. */
function curveOf(bytes: Buffer | undefined): ((x: number) => number) | undefined {
  const kind = bytes?.toString("latin1", 0, 4);
  if (!bytes || bytes.length < 12) return undefined;
  if (kind === "curv") {
    const count = Math.min(bytes.readUInt32BE(8), (bytes.length - 12) >> 1);
    if (count === 0) return (x) => x;
    if (count === 1) return (x) => x ** (bytes.readUInt16BE(12) / 256);
    const at = (i: number) => bytes.readUInt16BE(12 + 2 * Math.min(i, count - 1)) / 65535;
    return (x) => {
      const place = x * (count - 1);
      const i = Math.floor(place);
      return at(i) + (place - i) * (at(i + 1) - at(i));
    };
  }
  if (kind !== "para") return undefined;
  const type = bytes.readUInt16BE(8);
  const [gamma, a = 1, b = 0, ...rest] = numbersIn(bytes, 12);
  const power = (x: number) => Math.max(0, a * x + b) ** gamma;
  if (type === 0) return (x) => x ** gamma;
  if (type <= 2) return (x) => power(x) + (type === 2 ? rest[0] : 0);
  const [slope, start, above = 0, below = 0] = rest;
  return (x) => (x >= start ? power(x) + above : slope * x + below);
}

/** Numbers of 32 bits, 16 of them behind the point. */
function numbersIn(bytes: Buffer | undefined, start: number): number[] {
  const numbers: number[] = [];
  for (let at = start; bytes && at + 4 <= bytes.length; at += 4) numbers.push(bytes.readInt32BE(at) / 65536);
  return numbers;
}
