/** Small pictures to learn from, drawn by formulas: edges in all directions, fine lines, colours, soft shades. */
import type { Image } from "../../src/picture/index.ts";

export interface Sample {
  readonly id: "flower" | "town" | "rings";
  /** Takes a moment, so it is drawn when somebody wants to see it. */
  draw(): Image;
}

const SIDE = 48;
/** Points in each direction by which a pixel is averaged. */
const FINE = 4;

type Color = readonly [number, number, number];

/** A picture of colours from 0 to 1; `colorOf` gets places from -1 to 1. */
function pictureOf(colorOf: (x: number, y: number) => Color): Image {
  const data = new Uint8Array(3 * SIDE * SIDE);
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      const sum = [0, 0, 0];
      for (let i = 0; i < FINE * FINE; i++) {
        const x = (2 * (column + ((i % FINE) + 0.5) / FINE)) / SIDE - 1;
        const y = (2 * (row + (Math.floor(i / FINE) + 0.5) / FINE)) / SIDE - 1;
        for (const [c, value] of colorOf(x, y).entries()) sum[c] += value;
      }
      for (let c = 0; c < 3; c++)
        data[3 * (row * SIDE + column) + c] = Math.round((255 * sum[c]) / FINE ** 2);
    }
  }
  return { width: SIDE, height: SIDE, channels: 3, data };
}

function flower(x: number, y: number): Color {
  const [radius, angle] = [Math.hypot(x, y), Math.atan2(y, x)];
  if (radius < 0.2)
    return (Math.floor(12 * x) + Math.floor(12 * y)) % 2 === 0 ? [0.95, 0.75, 0.1] : [0.7, 0.45, 0.05];
  const petal = 0.55 + 0.3 * Math.cos(6 * angle);
  if (radius < petal) {
    const vein = Math.abs(Math.sin(18 * angle)) < 0.15 ? 0.75 : 1;
    return [vein * (0.95 - 0.3 * radius), vein * 0.25, vein * (0.35 + 0.5 * radius)];
  }
  const leaf = Math.sin(9 * (x + 0.6 * y)) > 0.75;
  return leaf ? [0.1, 0.35, 0.12] : [0.25 + 0.1 * y, 0.55 + 0.15 * x, 0.25];
}

function town(x: number, y: number): Color {
  if (y < 0.1 * Math.abs(x) - 0.35)
    return Math.hypot(x - 0.5, y + 0.7) < 0.16 ? [1, 0.9, 0.6] : [0.45, 0.65 - 0.2 * y, 0.95];
  const house = Math.floor((x + 1) * 2.5);
  const walls: readonly Color[] = [
    [0.8, 0.35, 0.25],
    [0.9, 0.8, 0.55],
    [0.45, 0.5, 0.65],
    [0.85, 0.6, 0.4],
    [0.6, 0.3, 0.35],
  ];
  const [across, down] = [((x + 1) * 2.5) % 1, ((y + 1) * 4) % 1];
  if (across < 0.06) return [0.15, 0.13, 0.15];
  const lit = (house * 7 + Math.floor((y + 1) * 4) * 3) % 4 === 0;
  const inWindow = Math.abs(((across * 2) % 1) - 0.5) < 0.22 && Math.abs(down - 0.5) < 0.28;
  if (inWindow) return lit ? [1, 0.9, 0.5] : [0.12, 0.15, 0.25];
  return walls[house % walls.length];
}

function rings(x: number, y: number): Color {
  const radius = Math.hypot(x + 0.3, y - 0.2);
  const wave = Math.sin(14 * radius * (1 + 0.5 * radius)) > 0;
  const stripe = Math.sin(22 * (x - y)) > 0;
  if (x + y > 0.7) return stripe ? [0.1, 0.4, 0.45] : [0.95, 0.9, 0.75];
  return wave ? [0.95, 0.55, 0.2] : [0.15, 0.1 + 0.3 * (1 - radius), 0.35];
}

export const samples: readonly Sample[] = [
  { id: "flower", draw: () => pictureOf(flower) },
  { id: "town", draw: () => pictureOf(town) },
  { id: "rings", draw: () => pictureOf(rings) },
];

/** The middle of a file's picture, square and small. Rejects if the browser cannot read it. */
export async function readOwn(file: Blob): Promise<Image> {
  const bitmap = await createImageBitmap(file);
  const side = Math.min(bitmap.width, bitmap.height);
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  const context = canvas.getContext("2d")!;
  context.imageSmoothingQuality = "high";
  context.drawImage(
    ...([
      bitmap,
      (bitmap.width - side) / 2,
      (bitmap.height - side) / 2,
      side,
      side,
      0,
      0,
      SIDE,
      SIDE,
    ] as const),
  );
  bitmap.close();
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  return { width: SIDE, height: SIDE, channels: 3, data: Uint8Array.from(data.filter((_, i) => i % 4 < 3)) };
}
