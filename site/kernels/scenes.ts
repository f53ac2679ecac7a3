/**
 * What a workgroup, or one of its threads, loads and computes, as pictures one after the other. Sizes are those of
 * the plan by which the step runs, for one input channel where there are many.
 */
import type { StepInfo } from "./messages.ts";

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
  /** How many threads load each cell. */
  readonly times?: number;
  /** Cells are dealt out to so many lanes, counted down the columns. */
  readonly lanes?: number;
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

const mark = (
  kind: MarkKind,
  grid: GridName,
  [row, column, rows, columns]: readonly [number, number, number, number],
  more: Pick<Mark, "times" | "lanes"> = {},
): Mark => ({ kind, grid, row, column, rows, columns, ...more });

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

/** Undefined for steps that nobody has drawn. */
export function sceneOf({ name, constants, estimate: { threads } }: StepInfo): Scene | undefined {
  const { KH, KW } = constants;
  const taps = range(KH * KW).map((i) => ({ ky: Math.floor(i / KW), kx: i % KW }));
  const make = scenes[name];
  return make?.({ ...constants, KH, KW, threads }, taps);
}

type Sizes = Readonly<Record<string, number>>;
type Taps = readonly { readonly ky: number; readonly kx: number }[];

const scenes: Readonly<Record<string, (sizes: Sizes, taps: Taps) => Scene>> = {
  "1-naive": ({ KH, KW }, taps) => ({
    who: "A workgroup: 8 × 8 threads, each with one output",
    grids: [
      { name: "x", title: "pixels", rows: 7 + KH, columns: 7 + KW },
      { name: "w", title: "weights", rows: KH, columns: KW },
      { name: "y", title: "outputs", rows: 8, columns: 8 },
    ],
    frames: taps.map(({ ky, kx }) => ({
      caption: `Each of the 64 threads loads its own pixel and, each for itself, the same weight: 128 loads for 64 multiply-adds.`,
      marks: [
        mark("load", "x", [ky, kx, 8, 8]),
        mark("load", "w", [ky, kx, 1, 1], { times: 64 }),
        mark("compute", "y", [0, 0, 8, 8]),
      ],
      multiplyAdds: 64,
    })),
  }),

  "2-tiled": ({ KH, KW, TILE, PATCH_H, PATCH_W }, taps) => ({
    who: `A workgroup: ${TILE} × ${TILE} threads, each with one output`,
    grids: [
      { name: "x", title: "pixels", rows: PATCH_H, columns: PATCH_W },
      { name: "w", title: "weights", rows: KH, columns: KW },
      { name: "y", title: "outputs", rows: TILE, columns: TILE },
    ],
    frames: [
      {
        caption: `All threads together copy ${PATCH_H} × ${PATCH_W} pixels into workgroup memory, each pixel once, and wait.`,
        marks: [mark("load", "x", [0, 0, PATCH_H, PATCH_W]), mark("shared", "x", [0, 0, PATCH_H, PATCH_W])],
        multiplyAdds: 0,
      },
      ...taps.map(({ ky, kx }) => ({
        caption: `Pixels now come from workgroup memory. The weight still comes from memory, for each of the ${TILE * TILE} threads.`,
        marks: [
          mark("read", "x", [ky, kx, TILE, TILE]),
          mark("load", "w", [ky, kx, 1, 1], { times: TILE * TILE }),
          mark("compute", "y", [0, 0, TILE, TILE]),
        ],
        multiplyAdds: TILE * TILE,
      })),
    ],
  }),

  "3-blocked": ({ KH, KW, PIXELS, CHANNELS, WINDOW }) => ({
    who: `One thread: ${PIXELS} pixels in ${CHANNELS} output channels`,
    grids: [
      { name: "x", title: "pixels", rows: KH, columns: WINDOW },
      { name: "w", title: `weights of ${CHANNELS} channels`, rows: CHANNELS, columns: KH * KW },
      { name: "y", title: "sums in registers", rows: CHANNELS, columns: PIXELS },
    ],
    frames: range(KH).flatMap((ky) => [
      {
        caption: `The thread loads ${WINDOW} pixels of a row into registers.`,
        marks: [mark("load", "x", [ky, 0, 1, WINDOW])],
        multiplyAdds: 0,
      },
      ...range(KW).map((kx) => ({
        caption: `${CHANNELS} weights, one for each channel. Each is multiplied with ${PIXELS} pixels: ${CHANNELS * PIXELS} multiply-adds.`,
        marks: [
          mark("load", "w", [0, ky * KW + kx, CHANNELS, 1]),
          mark("read", "x", [ky, kx, 1, PIXELS]),
          mark("compute", "y", [0, 0, CHANNELS, PIXELS]),
        ],
        multiplyAdds: CHANNELS * PIXELS,
      })),
    ]),
  }),

  "4-broadcast": ({ KH, KW, PIXELS, CHANNELS, WINDOW, LANES, SHARES }) => ({
    who: `One lane of ${LANES}: ${PIXELS} pixels in ${CHANNELS} output channels`,
    grids: [
      { name: "x", title: "this lane's pixels", rows: KH, columns: WINDOW },
      { name: "w", title: "weights, by lanes", rows: CHANNELS, columns: KH * KW },
      { name: "y", title: "sums in registers", rows: CHANNELS, columns: PIXELS },
    ],
    frames: range(KH).flatMap((ky) => [
      {
        caption: `Each lane loads ${WINDOW} pixels of its own.`,
        marks: [mark("load", "x", [ky, 0, 1, WINDOW])],
        multiplyAdds: 0,
      },
      {
        caption: `The ${LANES} lanes share out the ${CHANNELS * KW} weights: each loads ${SHARES}. Brightness tells the lanes apart.`,
        marks: [mark("load", "w", [0, ky * KW, CHANNELS, KW], { times: 1 / LANES, lanes: LANES })],
        multiplyAdds: 0,
      },
      ...range(KW).map((kx) => ({
        caption: "The lane that has a weight hands it to all the others. No load.",
        marks: [
          mark("read", "w", [0, ky * KW + kx, CHANNELS, 1]),
          mark("read", "x", [ky, kx, 1, PIXELS]),
          mark("compute", "y", [0, 0, CHANNELS, PIXELS]),
        ],
        multiplyAdds: CHANNELS * PIXELS,
      })),
    ]),
  }),

  "5-shared": (sizes) => sharedScene(sizes, false),
  "6-prefetch": (sizes) => sharedScene(sizes, true),

  "weight-grad-naive": ({ KH, KW }, taps) => {
    const [rows, columns] = [2, 6];
    return {
      who: `The ${taps.length} threads of one pair of channels, each with one weight`,
      grids: [
        { name: "x", title: "pixels", rows: rows + KH - 1, columns: columns + KW - 1 },
        { name: "w", title: "dy", rows, columns },
        { name: "y", title: "gradient of the weights", rows: KH, columns: KW },
      ],
      frames: range(rows * columns).map((i) => ({
        caption: `At this place, each thread loads dy and the pixel that its weight met: ${2 * taps.length} loads for ${taps.length} multiply-adds.`,
        marks: [
          mark("load", "x", [Math.floor(i / columns), i % columns, KH, KW]),
          mark("load", "w", [Math.floor(i / columns), i % columns, 1, 1], { times: taps.length }),
          mark("compute", "y", [0, 0, KH, KW]),
        ],
        multiplyAdds: taps.length,
      })),
    };
  },

  "weight-grad": ({ KY, KW, PIXELS, CHANNELS, WINDOW }) => ({
    who: `One thread: ${KY * KW} weights to each of ${CHANNELS} output channels`,
    grids: [
      { name: "x", title: "pixels", rows: KY, columns: 2 * PIXELS + WINDOW - PIXELS },
      { name: "w", title: `dy of ${CHANNELS} channels`, rows: CHANNELS, columns: 2 * PIXELS },
      { name: "y", title: "sums in registers", rows: CHANNELS, columns: KY * KW },
    ],
    frames: range(2).flatMap((strip) => [
      {
        caption: `A strip of ${PIXELS} outputs saw ${KY} × ${WINDOW} pixels. The thread loads them.`,
        marks: [mark("load", "x", [0, strip * PIXELS, KY, WINDOW])],
        multiplyAdds: 0,
      },
      ...range(PIXELS).map((i) => ({
        caption: `${CHANNELS} values of dy. Each is multiplied with ${KY * KW} pixels: ${CHANNELS * KY * KW} multiply-adds.`,
        marks: [
          mark("load", "w", [0, strip * PIXELS + i, CHANNELS, 1]),
          mark("read", "x", [0, strip * PIXELS + i, KY, KW]),
          mark("compute", "y", [0, 0, CHANNELS, KY * KW]),
        ],
        multiplyAdds: CHANNELS * KY * KW,
      })),
    ]),
  }),

  "weight-grad-shared": ({ KH, KW, CHUNK, PATCH_W, CHANNELS, TILE_O, TILE_C, PIXELS, WINDOW, threads }) => ({
    who: `A workgroup of ${threads} threads: ${TILE_C} input to ${TILE_O} output channels; one thread is drawn`,
    grids: [
      { name: "x", title: "pixels of one channel", rows: KH, columns: PATCH_W },
      { name: "w", title: `dy of ${TILE_O} channels`, rows: TILE_O, columns: CHUNK },
      { name: "y", title: "sums in registers", rows: CHANNELS, columns: KH * KW },
    ],
    frames: [
      {
        caption: `The workgroup copies ${CHUNK} columns of dy, and the pixels that the window saw there, into workgroup memory.`,
        marks: [
          ...(["load", "shared"] as const).flatMap((kind) => [
            mark(kind, "x", [0, 0, KH, PATCH_W]),
            // dy serves all input channels of the tile, of which one is drawn.
            mark(kind, "w", [0, 0, TILE_O, CHUNK], { times: 1 / TILE_C }),
          ]),
        ],
        multiplyAdds: 0,
      },
      ...range(Math.floor(CHUNK / PIXELS)).map((strip) => ({
        caption: `From there a thread reads ${KH} × ${WINDOW} pixels and ${PIXELS} × ${CHANNELS} values of dy, for ${PIXELS * CHANNELS * KH * KW} multiply-adds.`,
        marks: [
          mark("read", "x", [0, strip * PIXELS, KH, WINDOW]),
          mark("read", "w", [0, strip * PIXELS, CHANNELS, PIXELS]),
          mark("compute", "y", [0, 0, CHANNELS, KH * KW]),
        ],
        // All threads of the workgroup, for the pixels of one input channel.
        multiplyAdds: PIXELS * TILE_O * KH * KW,
      })),
    ],
  }),
};

/** Steps 5 and 6: the workgroup copies, then each thread computes; one of them is drawn. */
function sharedScene(sizes: Sizes, ahead: boolean): Scene {
  const { KH, KW, TILE_O, TILE_H, TILE_W, CHANNELS, ROWS, PATCH_H, PATCH_W, WINDOW, threads } = sizes;
  const frames: Frame[] = [
    {
      caption: ahead
        ? "The pixels and weights that have arrived go into workgroup memory. All wait."
        : "The workgroup copies the pixels under its tile, and the weights of its channels, into workgroup memory. All wait.",
      marks: (["load", "shared"] as const).flatMap((kind) => [
        mark(kind, "x", [0, 0, PATCH_H, PATCH_W]),
        mark(kind, "w", [0, 0, TILE_O, KH * KW]),
      ]),
      multiplyAdds: 0,
    },
  ];
  // All threads do the same at once; the sums are those of the whole tile.
  const multiplyAdds = TILE_O * TILE_H * TILE_W;
  const steps = range(KW).flatMap((kx) => range(KH).map((ky) => ({ kx, ky })));
  for (const [i, { kx, ky }] of steps.entries()) {
    const coming = ahead ? [mark("coming", "next", [0, 0, Math.ceil(((i + 1) / steps.length) * 8), 8])] : [];
    frames.push({
      caption: ahead
        ? "While the threads compute, what they will need next is on its way into registers."
        : ky === 0
          ? `A thread reads a column of ${WINDOW} pixels, for all rows of its block.`
          : `For each of its ${CHANNELS} channels it reads one weight, four at a time: ${CHANNELS * ROWS} multiply-adds.`,
      marks: [
        mark("read", "x", [0, kx, WINDOW, 1]),
        mark("read", "w", [0, ky * KW + kx, CHANNELS, 1]),
        mark("compute", "y", [0, 0, ROWS, 1]),
        ...coming,
      ],
      multiplyAdds,
    });
  }
  return {
    who: `A workgroup of ${threads} threads: ${TILE_O} channels of ${TILE_H} × ${TILE_W}; one thread is drawn`,
    grids: [
      { name: "x", title: "pixels", rows: PATCH_H, columns: PATCH_W },
      { name: "w", title: `weights of ${TILE_O} channels`, rows: TILE_O, columns: KH * KW },
      { name: "y", title: "outputs of one channel", rows: TILE_H, columns: TILE_W },
      ...(ahead ? [{ name: "next", title: "the next round", rows: 8, columns: 8 } as const] : []),
    ],
    frames,
  };
}
