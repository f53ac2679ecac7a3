/** Numbers for people. */

export function flopsText(perSecond: number): string {
  return perSecond >= 1e12
    ? `${(perSecond / 1e12).toPrecision(3)} TFLOP/s`
    : `${significant(perSecond / 1e9)} GFLOP/s`;
}

export function bytesText(perSecond: number): string {
  return `${significant(perSecond / 1e9)} GB/s`;
}

export function msText(ms: number): string {
  if (ms >= 1000) return `${significant(ms / 1000)} s`;
  return ms < 1 ? `${significant(1000 * ms)} µs` : `${significant(ms)} ms`;
}

export function percentText(share: number): string {
  const percent = 100 * share;
  return `${percent < 10 ? percent.toPrecision(2) : Math.round(percent)} %`;
}

/** Three digits, without powers of ten where people would not write them. */
export function significant(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));
}

export function errorText(error: number): string {
  return error === 0 ? "0" : error.toExponential(1);
}

export function timesText(ratio: number): string {
  return `${ratio < 10 ? ratio.toPrecision(2) : Math.round(ratio)}×`;
}

/** Where an element of y or of dw is. */
export function placeText(computes: "y" | "dw", [a, b, c, d]: readonly number[]): string {
  return computes === "y"
    ? `picture ${a}, channel ${b}, row ${c}, column ${d}`
    : `output channel ${a}, input channel ${b}, row ${c} and column ${d} of the window`;
}
