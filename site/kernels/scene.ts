/** What a drawing of a step is made of: grids, and frames one after the other that mark cells of them. */
import { say } from "./language.ts";

export type GridName = "x" | "w" | "y" | "next";

export interface Grid {
  readonly name: GridName;
  readonly title: string;
  readonly rows: number;
  readonly columns: number;
}

/** load: from memory. shared: into workgroup memory. read: from there. compute: sums that grow. coming: on the way. */
export type MarkKind = "load" | "shared" | "read" | "compute" | "coming";

export interface Mark {
  readonly kind: MarkKind;
  readonly grid: GridName;
  readonly row: number;
  readonly column: number;
  readonly rows: number;
  readonly columns: number;
  /** Loads for each cell: by how many threads, and its part of what equal shares load for nothing. */
  readonly times?: number;
  /** Cells are dealt out to so many lanes, counted down the columns, or along the rows. */
  readonly lanes?: number;
  readonly alongRows?: boolean;
}

export interface Frame {
  readonly caption: string;
  readonly marks: readonly Mark[];
  readonly multiplyAdds: number;
}

export interface Scene {
  readonly who: string;
  readonly grids: readonly Grid[];
  readonly frames: readonly Frame[];
}

/** The constants of a step, and the threads of a workgroup. */
export type Sizes = Readonly<Record<string, number>>;
/** The places of a window. */
export type Taps = readonly { readonly ky: number; readonly kx: number }[];

/** Draws a step. */
export type Draw = (sizes: Sizes, taps: Taps) => Scene;

/** What these frames load and compute. */
export function totals(frames: readonly Frame[]): { loads: number; multiplyAdds: number } {
  let [loads, multiplyAdds] = [0, 0];
  for (const frame of frames) {
    multiplyAdds += frame.multiplyAdds;
    for (const { kind, rows, columns, times = 1 } of frame.marks) {
      if (kind === "load") loads += rows * columns * times;
    }
  }
  return { loads, multiplyAdds };
}

/** Row, column, rows, columns. */
type Cells = readonly [number, number, number, number];

export const mark = (
  kind: MarkKind,
  grid: GridName,
  [row, column, rows, columns]: Cells,
  more: Pick<Mark, "times" | "lanes" | "alongRows"> = {},
): Mark => ({ kind, grid, row, column, rows, columns, ...more });

export const range = (count: number) => Array.from({ length: count }, (_, i) => i);

/**
 * A workgroup copies pixels and weights (or dy) into its memory. `times` says how many values it loads for each that
 * it needs: more than one where all threads load equal shares. One input channel is drawn of the `channels` whose
 * sums need the same `w`.
 */
export function copyFrame(
  caption: string,
  cells: Readonly<Record<"x" | "w", Cells>>,
  times: { readonly x: number; readonly w: number },
  channels = 1,
): Frame {
  return {
    caption: times.x > 1 || times.w > 1 ? `${caption} ${say.equalShares}` : caption,
    marks: (["load", "shared"] as const).flatMap((kind) => [
      mark(kind, "x", cells.x, { times: times.x }),
      mark(kind, "w", cells.w, { times: times.w / channels }),
    ]),
    multiplyAdds: 0,
  };
}
