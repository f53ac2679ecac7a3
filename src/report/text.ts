// Text as SVG outlines.
//
// A viewer draws an SVG <text> element with whatever fonts it finds. A bare server has none: its PNGs would
// show empty boxes or nothing. So the letters come from a font that npm installs (Inter), and are drawn as
// filled paths: they look the same everywhere, and their width is known before drawing.

import { createRequire } from "node:module";
import type { Font, GlyphRun } from "fontkit";

type Weight = "regular" | "bold";

export interface TextStyle {
  /** Font size in pixels. */
  size: number;
  weight?: Weight;
  color?: string;
  /** Which point of the text lies at x: its start (the default), its middle or its end. */
  anchor?: "start" | "middle" | "end";
  /** Clockwise turn in degrees about (x, y). */
  rotate?: number;
  /** Pixels. A text that would be wider is made smaller until it fits. */
  maxWidth?: number;
}

/** Text colours that read well on white. */
export const ink = "#1f2328";
export const quietInk = "#59636e";

/** Height of capital letters and digits, as a share of the font size: to centre a text on a line. */
export const CAP_HEIGHT = 0.727;

const files: Record<Weight, string> = {
  regular: "@fontsource/inter/files/inter-latin-400-normal.woff",
  bold: "@fontsource/inter/files/inter-latin-600-normal.woff",
};
const fonts = new Map<Weight, Font>();
/** Layouts by weight and text. A run draws its charts again and again, with nearly the same labels. */
const layouts = new Map<string, GlyphRun>();

/** Width of `text` in pixels. */
export function textWidth(text: string, size: number, weight: Weight = "regular"): number {
  return (layout(text, weight).advanceWidth * size) / font(weight).unitsPerEm;
}

/**
 * `text` as one SVG `<path>` whose baseline passes through (x, y). The font has the Latin letters of
 * western Europe, digits, and punctuation with `× · – − ± °`; anything else becomes an empty box.
 */
export function textPath(text: string, x: number, y: number, style: TextStyle): string {
  const { weight = "regular", color = ink, anchor = "start", rotate = 0, maxWidth = Infinity } = style;
  const run = layout(text, weight);
  const { unitsPerEm } = font(weight);
  const width = (run.advanceWidth * style.size) / unitsPerEm;
  const scale = (style.size * Math.min(1, maxWidth / width)) / unitsPerEm;
  let pen = x - (anchor === "start" ? 0 : anchor === "middle" ? 0.5 : 1) * run.advanceWidth * scale;
  let outline = "";
  run.glyphs.forEach((glyph, i) => {
    const { xAdvance, xOffset, yOffset } = run.positions[i];
    // Fonts count y upwards, SVG downwards.
    outline += glyph.path.transform(scale, 0, 0, -scale, pen + xOffset * scale, y - yOffset * scale).toSVG();
    pen += xAdvance * scale;
  });
  const turn = rotate ? ` transform="rotate(${rotate} ${x} ${y})"` : "";
  return `<path aria-label="${escapeXml(text)}" fill="${color}"${turn} d="${outline}"/>`;
}

/** `text` for an XML attribute or element. Control characters, which XML forbids, become spaces. */
export function escapeXml(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/\p{Cc}/gu, " ").replace(/[&<>"]/g, (c) => entities[c]);
}

/**
 * Glyphs and pen movements, in font units. In a text that begins with a number all digits have the same width
 * ("tabular numbers"), so that the numbers of an axis line up; in prose that would leave gaps.
 */
function layout(text: string, weight: Weight): GlyphRun {
  const key = `${weight} ${text}`;
  let run = layouts.get(key);
  if (!run) {
    if (layouts.size === 1000) layouts.clear(); // the numbers of a long run
    run = font(weight).layout(text, { tnum: /^[−\d]/.test(text) });
    layouts.set(key, run);
  }
  return run;
}

function font(weight: Weight): Font {
  let loaded = fonts.get(weight);
  if (!loaded) {
    const require = createRequire(import.meta.url);
    // Only what draws text loads it: it unpacks tables of all the world's scripts first.
    const { openSync }: typeof import("fontkit") = require("fontkit");
    loaded = openSync(require.resolve(files[weight])) as Font; // not a collection: that is another file type
    fonts.set(weight, loaded);
  }
  return loaded;
}
