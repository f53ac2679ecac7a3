/**
 * ICC colour profiles, as far as pictures need new ones: for the gamma and the colours that a PNG file states
 * in chunks of its own, and for a profile of grey where a format stores RGB, or the other way round. By the
 * specification ICC.1:2010 (version 4.3).
 */
import { asBuffer } from "./read.ts";

/** x and y of white, red, green and blue (CIE 1931). */
export type Primaries = readonly (readonly [x: number, y: number])[];

type Vector = readonly number[];

export const srgbPrimaries: Primaries = [
  [0.3127, 0.329],
  [0.64, 0.33],
  [0.3, 0.6],
  [0.15, 0.06],
];

/** White of the space that profiles refer to. */
const d50 = [0.9642, 1, 0.8249];

/** The matrix from XYZ to what the eye's cones see (Bradford). */
const cones = [
  [0.8951, 0.2664, -0.1614],
  [-0.7502, 1.7135, 0.0367],
  [0.0389, -0.0685, 1.0296],
];

/** The curve value -> value ^ gamma, as a profile stores it. */
export function gammaCurve(gamma: number): Buffer {
  return Buffer.concat([Buffer.from("para\0\0\0\0\0\0\0\0", "latin1"), fixed([gamma])]);
}

/** Value -> (a value + b) ^ gamma, and below d c value, as in sRGB. */
function pieceCurve([gamma, a, b, c, d]: Vector): Buffer {
  return Buffer.concat([Buffer.from("para\0\0\0\0\0\x03\0\0", "latin1"), fixed([gamma, a, b, c, d])]);
}

export const srgbCurve = pieceCurve([2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045]);

/** The curve by equidistant values from 0 to 65,535. */
export function tableCurve(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(12 + 2 * values.length);
  bytes.write("curv", 0, "latin1");
  bytes.writeUInt32BE(values.length, 8);
  for (const [i, value] of values.entries()) bytes.writeUInt16BE(value, 12 + 2 * i);
  return bytes;
}

/** A profile for RGB, by one curve for all channels or one for each, or for grey. */
export function profileOf(
  space: "RGB" | "GRAY",
  curves: Uint8Array | readonly Uint8Array[],
  primaries = srgbPrimaries,
): Uint8Array {
  const [first, second = first, third = first] = curves instanceof Uint8Array ? [curves] : curves;
  const text = (value: string) => {
    const head = Buffer.from("mluc\0\0\0\0\0\0\0\x01\0\0\0\x0cenUS\0\0\0\0\0\0\0\x1c", "latin1");
    head.writeUInt32BE(2 * value.length, 20);
    return Buffer.concat([head, Buffer.from(value, "utf16le").swap16()]);
  };
  const xyz = (value: Vector) => Buffer.concat([Buffer.from("XYZ \0\0\0\0", "latin1"), fixed(value)]);
  const elements: [string, Uint8Array][] = [
    ["desc", text(space === "RGB" ? "RGB of the original" : "Grey of the original")],
    ["cprt", text("CC0")],
    ["wtpt", xyz(d50)],
  ];
  if (space === "GRAY") elements.push(["kTRC", first]);
  else {
    const [red, green, blue] = columnsOf(primaries);
    elements.push(["rXYZ", xyz(red)], ["gXYZ", xyz(green)], ["bXYZ", xyz(blue)]);
    elements.push(["rTRC", first], ["gTRC", second], ["bTRC", third]);
  }
  const list = Buffer.alloc(4 + 12 * elements.length);
  list.writeUInt32BE(elements.length, 0);
  const data: Buffer[] = [];
  let end = 128 + list.length;
  for (const [i, [name, element]] of elements.entries()) {
    const padded = Buffer.concat([element, Buffer.alloc(-element.length & 3)]);
    list.write(name, 4 + 12 * i, "latin1");
    list.writeUInt32BE(end, 8 + 12 * i);
    list.writeUInt32BE(element.length, 12 + 12 * i);
    data.push(padded);
    end += padded.length;
  }
  const header = Buffer.alloc(128);
  header.writeUInt32BE(end, 0);
  header.writeUInt32BE(0x04300000, 8);
  header.write(`mntr${space.padEnd(4)}XYZ `, 12, "latin1");
  for (const [i, value] of [2000, 1, 1].entries()) header.writeUInt16BE(value, 24 + 2 * i);
  header.write("acsp", 36, "latin1");
  header.set(fixed(d50), 68);
  return Buffer.concat([header, list, ...data]);
}

/** What a file says of its colours in numbers of its own; what it leaves out is that of sRGB. */
export interface ColorNumbers {
  /** The exponent of a sample that gives light, for all channels or each of them. */
  readonly gammas?: readonly number[];
  /** The same by tables. */
  readonly tables?: readonly (readonly number[])[];
  readonly primaries?: Primaries;
}

/** A profile for such numbers; undefined if they are those of sRGB, or make no sense. */
export function profileOfNumbers({ gammas = [], tables, primaries }: ColorNumbers): Uint8Array | undefined {
  const own = primaries && areColors(primaries) ? primaries : srgbPrimaries;
  const isSrgb = own.every((point, i) => point.every((v, k) => Math.abs(v - srgbPrimaries[i][k]) < 0.005));
  // Most writers that state this gamma mean sRGB.
  const isUsual =
    !gammas.every((gamma) => gamma > 0.05 && gamma < 20) ||
    gammas.every((gamma) => Math.abs(1 / gamma - 1 / 2.2) < 0.005);
  // A table that does not rise would make every picture black.
  const risingTables = tables?.every((table) => table[table.length - 1] > table[0]) ? tables : undefined;
  if (isSrgb && isUsual && risingTables === undefined) return undefined;
  const curves = risingTables?.map(tableCurve) ?? (isUsual ? srgbCurve : gammas.map(gammaCurve));
  return profileOf("RGB", curves, own);
}

/** Are these points of the diagram of colours, those of red, green and blue corners of a triangle? */
function areColors(points: Primaries): boolean {
  const [, [rx, ry], [gx, gy], [bx, by]] = points;
  const area = Math.abs((gx - rx) * (by - ry) - (bx - rx) * (gy - ry)) / 2;
  return points.every(([x, y]) => x > 0 && y > 0 && x + y <= 1) && area > 0.001;
}

// ---- Codes of colours, by ITU-T H.273, as PNG's cICP and AVIF's nclx have them

const SRGB_PRIMARIES_CODE = 1;
export const SRGB_TRANSFER = 13;

/** A profile for codes of colours, undefined if they are those of sRGB; not known are codes that no profile says. */
export function profileOfCode(
  primariesCode: number,
  transferCode: number,
): { readonly profile?: Uint8Array; readonly isKnown: boolean } {
  const place = primariesCode === UNSPECIFIED ? SRGB_PRIMARIES_CODE : primariesCode;
  const transfer = transferCode === UNSPECIFIED ? SRGB_TRANSFER : transferCode;
  if (place === SRGB_PRIMARIES_CODE && transfer === SRGB_TRANSFER) return { isKnown: true };
  const [primaries, curve] = [primariesByCode[place], curveByCode[transfer]];
  if (!primaries || !curve) return { isKnown: false };
  return { profile: profileOf("RGB", curve, primaries), isKnown: true };
}

const UNSPECIFIED = 2;

/** Do codes say nothing? */
export function isUnspecified(primaries: number, transfer: number): boolean {
  return primaries === UNSPECIFIED && transfer === UNSPECIFIED;
}

/** The codes for colours in a box of an AVIF file that libvips does not read; undefined without them. */
export function codesOfAvif(
  bytes: Uint8Array,
): { readonly primaries: number; readonly transfer: number } | undefined {
  const file = asBuffer(bytes);
  const at = file.indexOf("colrnclx", 0, "latin1");
  if (at < 0 || at + 12 > file.length) return undefined;
  return { primaries: file.readUInt16BE(at + 8), transfer: file.readUInt16BE(at + 10) };
}

/** PQ and HLG. */
export function isHdrCode(transfer: number): boolean {
  return transfer === 16 || transfer === 18;
}

/** The curve of television. */
export function isTelevisionCode(transfer: number): boolean {
  return curveByCode[transfer] === bt709Curve;
}

/** White is D65, except for code 11. */
const primariesByCode: Readonly<Record<number, Primaries>> = {
  1: srgbPrimaries,
  5: [srgbPrimaries[0], [0.64, 0.33], [0.29, 0.6], [0.15, 0.06]],
  6: [srgbPrimaries[0], [0.63, 0.34], [0.31, 0.595], [0.155, 0.07]],
  7: [srgbPrimaries[0], [0.63, 0.34], [0.31, 0.595], [0.155, 0.07]],
  9: [srgbPrimaries[0], [0.708, 0.292], [0.17, 0.797], [0.131, 0.046]],
  11: [
    [0.314, 0.351],
    [0.68, 0.32],
    [0.265, 0.69],
    [0.15, 0.06],
  ],
  12: [srgbPrimaries[0], [0.68, 0.32], [0.265, 0.69], [0.15, 0.06]],
};

const bt709Curve = pieceCurve([1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081]);

const curveByCode: Readonly<Record<number, Uint8Array>> = {
  1: bt709Curve,
  4: gammaCurve(2.2),
  5: gammaCurve(2.8),
  6: bt709Curve,
  8: gammaCurve(1),
  13: srgbCurve,
  14: bt709Curve,
  15: bt709Curve,
};

// ---- Profiles of files

/** Are these the bytes of a profile, as far as its header says? */
export function isProfile(icc: Uint8Array): boolean {
  return icc.length >= 132 && Buffer.from(icc.subarray(36, 40)).toString("latin1") === "acsp";
}

/** The colours that a profile is for: "RGB", "GRAY", "CMYK"… */
export function spaceOf(icc: Uint8Array): string {
  return Buffer.from(icc.subarray(16, 20)).toString("latin1").trim();
}

/**
 * A profile by which grey pictures look the same as RGB, and RGB with equal channels as grey. That takes one
 * curve that all channels share; undefined for profiles that have none.
 */
export function profileFor(space: "RGB" | "GRAY", icc: Uint8Array): Uint8Array | undefined {
  if (spaceOf(icc) === space) return icc;
  const connection = Buffer.from(icc.subarray(20, 24)).toString("latin1");
  if (connection !== "XYZ ") return undefined;
  const names = space === "RGB" ? ["kTRC"] : ["rTRC", "gTRC", "bTRC"];
  const [curve, ...others] = names.map((name) => element(icc, name));
  if (curve === undefined || element(icc, "A2B0")) return undefined;
  if (others.some((other) => other === undefined || !other.equals(curve))) return undefined;
  return profileOf(space, curve);
}

/** The bytes of a profile's element, such as "kTRC"; undefined without it. */
export function element(icc: Uint8Array, name: string): Buffer | undefined {
  const bytes = asBuffer(icc);
  const count = bytes.length < 132 ? 0 : bytes.readUInt32BE(128);
  for (let at = 132; at < 132 + 12 * count && at + 12 <= bytes.length; at += 12) {
    if (bytes.toString("latin1", at, at + 4) !== name) continue;
    const [start, length] = [bytes.readUInt32BE(at + 4), bytes.readUInt32BE(at + 8)];
    return start + length <= bytes.length ? bytes.subarray(start, start + length) : undefined;
  }
  return undefined;
}

/** XYZ of full red, green and blue, by a white that is D50. */
function columnsOf([white, ...colors]: Primaries): Vector[] {
  const xyz = ([x, y]: readonly [number, number]) => [x / y, 1, (1 - x - y) / y];
  const matrix = transpose(colors.map(xyz));
  const amounts = times(inverse(matrix), xyz(white));
  const [from, to] = [times(cones, xyz(white)), times(cones, d50)];
  return colors.map((color, i) => {
    const response = times(
      cones,
      xyz(color).map((value) => value * amounts[i]),
    );
    return times(
      inverse(cones),
      response.map((value, k) => (value * to[k]) / from[k]),
    );
  });
}

function times(matrix: readonly Vector[], vector: Vector): number[] {
  return matrix.map((row) => row.reduce((sum, value, k) => sum + value * vector[k], 0));
}

function transpose(rows: readonly Vector[]): number[][] {
  return [0, 1, 2].map((k) => rows.map((row) => row[k]));
}

/** Cofactors over the determinant. */
function inverse([a, b, c]: readonly Vector[]): number[][] {
  const cross = (u: Vector, v: Vector) => [
    u[1] * v[2] - u[2] * v[1],
    u[2] * v[0] - u[0] * v[2],
    u[0] * v[1] - u[1] * v[0],
  ];
  const determinant = a.reduce((sum, value, k) => sum + value * cross(b, c)[k], 0);
  return transpose([cross(b, c), cross(c, a), cross(a, b)].map((row) => row.map((v) => v / determinant)));
}

/** Numbers as 32 bits, 16 of them behind the point. */
function fixed(values: Vector): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeInt32BE(Math.round(value * 65536), 4 * i);
  return bytes;
}
