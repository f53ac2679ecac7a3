/** The numbers behind luma and chroma. */

/**
 * ITU-R BT.601 in studio range, as in Matlab's rgb2ycbcr and nearly every super-resolution paper. For R, G, B
 * in 0..255, Y = 16 + (65.481 R + 128.553 G + 24.966 B) / 255 runs from 16 (black) to 235 (white), and Cb, Cr
 * run from 16 to 240 around 128 (no colour). This is NOT the full-range luma of JPEG, which differs by up to
 * 20 levels and gives other decibels.
 */
export const fromRgb = [
  [65.481, 128.553, 24.966],
  [-37.797, -74.203, 112],
  [112, -93.786, -18.214],
].map((row) => row.map((v) => v / 255));
export const offset = [16, 128, 128];

/** Computed, not typed in, so that the two directions cannot disagree. */
export const toRgbMatrix = inverse3x3(fromRgb);

/** Cofactors over the determinant. */
function inverse3x3([[a, b, c], [d, e, f], [g, h, i]]: number[][]): number[][] {
  const det = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  return [
    [e * i - f * h, c * h - b * i, b * f - c * e],
    [f * g - d * i, a * i - c * g, c * d - a * f],
    [d * h - e * g, b * g - a * h, a * e - b * d],
  ].map((row) => row.map((v) => v / det));
}
