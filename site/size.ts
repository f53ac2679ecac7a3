/** Widths and heights. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** "640 × 480". */
export function dimensions({ width, height }: Size): string {
  return `${width} × ${height}`;
}

export function timesScale({ width, height }: Size, scale: number): Size {
  return { width: width * scale, height: height * scale };
}
