/**
 * What a workgroup, or one of its threads, loads and computes, as pictures one after the other. Sizes are those of
 * the plan by which the step runs, for one input channel where there are many.
 */
import { say } from "./language.ts";
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
    who: say.workgroupOf(8, 8),
    grids: [
      { name: "x", title: say.pixels, rows: 7 + KH, columns: 7 + KW },
      { name: "w", title: say.weights, rows: KH, columns: KW },
      { name: "y", title: say.outputs, rows: 8, columns: 8 },
    ],
    frames: taps.map(({ ky, kx }) => ({
      caption: say.naiveFrame,
      marks: [
        mark("load", "x", [ky, kx, 8, 8]),
        mark("load", "w", [ky, kx, 1, 1], { times: 64 }),
        mark("compute", "y", [0, 0, 8, 8]),
      ],
      multiplyAdds: 64,
    })),
  }),

  "2-tiled": ({ KH, KW, TILE, PATCH_H, PATCH_W }, taps) => ({
    who: say.workgroupOf(TILE, TILE),
    grids: [
      { name: "x", title: say.pixels, rows: PATCH_H, columns: PATCH_W },
      { name: "w", title: say.weights, rows: KH, columns: KW },
      { name: "y", title: say.outputs, rows: TILE, columns: TILE },
    ],
    frames: [
      {
        caption: say.tiledCopy(PATCH_H, PATCH_W),
        marks: [mark("load", "x", [0, 0, PATCH_H, PATCH_W]), mark("shared", "x", [0, 0, PATCH_H, PATCH_W])],
        multiplyAdds: 0,
      },
      ...taps.map(({ ky, kx }) => ({
        caption: say.tiledFrame(TILE * TILE),
        marks: [
          mark("read", "x", [ky, kx, TILE, TILE]),
          mark("load", "w", [ky, kx, 1, 1], { times: TILE * TILE }),
          mark("compute", "y", [0, 0, TILE, TILE]),
        ],
        multiplyAdds: TILE * TILE,
      })),
    ],
  }),

  "3-blocked": ({ KH, KW, PIXELS, CHANNELS, PIXELS_UNDER }) => ({
    who: say.threadOf(PIXELS, CHANNELS),
    grids: [
      { name: "x", title: say.pixels, rows: KH, columns: PIXELS_UNDER },
      { name: "w", title: say.weightsOf(CHANNELS), rows: CHANNELS, columns: KH * KW },
      { name: "y", title: say.sums, rows: CHANNELS, columns: PIXELS },
    ],
    frames: range(KH).flatMap((ky) => [
      {
        caption: say.blockedLoad(PIXELS_UNDER),
        marks: [mark("load", "x", [ky, 0, 1, PIXELS_UNDER])],
        multiplyAdds: 0,
      },
      ...range(KW).map((kx) => ({
        caption: say.blockedFrame(CHANNELS, PIXELS),
        marks: [
          mark("load", "w", [0, ky * KW + kx, CHANNELS, 1]),
          mark("read", "x", [ky, kx, 1, PIXELS]),
          mark("compute", "y", [0, 0, CHANNELS, PIXELS]),
        ],
        multiplyAdds: CHANNELS * PIXELS,
      })),
    ]),
  }),

  "4-broadcast": ({ KH, KW, PIXELS, CHANNELS, PIXELS_UNDER, LANES, WEIGHT_SHARE, SHARES_PIXELS, HALO }) => ({
    who: say.laneOf(LANES, PIXELS, CHANNELS),
    grids: [
      { name: "x", title: say.ownPixels, rows: KH, columns: PIXELS_UNDER },
      { name: "w", title: say.weightsByLanes, rows: CHANNELS, columns: KH * KW },
      { name: "y", title: say.sums, rows: CHANNELS, columns: PIXELS },
    ],
    frames: range(KH).flatMap((ky) => [
      {
        caption: say.broadcastPixels(SHARES_PIXELS ? PIXELS : PIXELS_UNDER),
        marks: [mark("load", "x", [ky, HALO, 1, SHARES_PIXELS ? PIXELS : PIXELS_UNDER])],
        multiplyAdds: 0,
      },
      ...(HALO > 0
        ? [
            {
              caption: say.neighborsPixels,
              marks: [mark("read", "x", [ky, 0, 1, HALO]), mark("read", "x", [ky, HALO + PIXELS, 1, HALO])],
              multiplyAdds: 0,
            },
          ]
        : []),
      {
        caption: say.broadcastWeights(LANES, CHANNELS * KW, WEIGHT_SHARE),
        marks: [mark("load", "w", [0, ky * KW, CHANNELS, KW], { times: 1 / LANES, lanes: LANES })],
        multiplyAdds: 0,
      },
      ...range(KW).map((kx) => ({
        caption: say.broadcastFrame,
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
      who: say.threadsOfPair(taps.length),
      grids: [
        { name: "x", title: say.pixels, rows: rows + KH - 1, columns: columns + KW - 1 },
        { name: "w", title: "dy", rows, columns },
        { name: "y", title: say.weightGradient, rows: KH, columns: KW },
      ],
      frames: range(rows * columns).map((i) => ({
        caption: say.gradNaiveFrame(taps.length),
        marks: [
          mark("load", "x", [Math.floor(i / columns), i % columns, KH, KW]),
          mark("load", "w", [Math.floor(i / columns), i % columns, 1, 1], { times: taps.length }),
          mark("compute", "y", [0, 0, KH, KW]),
        ],
        multiplyAdds: taps.length,
      })),
    };
  },

  "weight-grad": ({ KY, KW, PIXELS, CHANNELS, PIXELS_UNDER }) => ({
    who: say.gradThreadOf(KY * KW, CHANNELS),
    grids: [
      { name: "x", title: say.pixels, rows: KY, columns: PIXELS + PIXELS_UNDER },
      { name: "w", title: say.dyOf(CHANNELS), rows: CHANNELS, columns: 2 * PIXELS },
      { name: "y", title: say.sums, rows: CHANNELS, columns: KY * KW },
    ],
    frames: range(2).flatMap((strip) => [
      {
        caption: say.gradLoad(PIXELS, KY, PIXELS_UNDER),
        marks: [mark("load", "x", [0, strip * PIXELS, KY, PIXELS_UNDER])],
        multiplyAdds: 0,
      },
      ...range(PIXELS).map((i) => ({
        caption: say.gradFrame(CHANNELS, KY * KW),
        marks: [
          mark("load", "w", [0, strip * PIXELS + i, CHANNELS, 1]),
          mark("read", "x", [0, strip * PIXELS + i, KY, KW]),
          mark("compute", "y", [0, 0, CHANNELS, KY * KW]),
        ],
        multiplyAdds: CHANNELS * KY * KW,
      })),
    ]),
  }),

  "weight-grad-shared": ({
    KH,
    KW,
    CHUNK,
    PATCH_W,
    CHANNELS,
    TILE_O,
    TILE_C,
    PIXELS,
    PIXELS_UNDER,
    threads,
  }) => ({
    who: say.gradTileOf(threads, TILE_C, TILE_O),
    grids: [
      { name: "x", title: say.channelPixels, rows: KH, columns: PATCH_W },
      { name: "w", title: say.dyOf(TILE_O), rows: TILE_O, columns: CHUNK },
      { name: "y", title: say.sums, rows: CHANNELS, columns: KH * KW },
    ],
    frames: [
      {
        caption: say.gradSharedCopy(CHUNK),
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
        caption: say.gradSharedFrame(KH, PIXELS_UNDER, PIXELS, CHANNELS, PIXELS * CHANNELS * KH * KW),
        marks: [
          mark("read", "x", [0, strip * PIXELS, KH, PIXELS_UNDER]),
          mark("read", "w", [0, strip * PIXELS, CHANNELS, PIXELS]),
          mark("compute", "y", [0, 0, CHANNELS, KH * KW]),
        ],
        // All threads of the workgroup, for the pixels of one input channel.
        multiplyAdds: PIXELS * TILE_O * KH * KW,
      })),
    ],
  }),

  "weight-grad-rolling": (sizes) => {
    const { KH, KW, CHUNK, TILE_C, TILE_O, CHANNELS, QUADS, BLOCKS_O, ROW_QUADS, STRIP_QUADS, threads } =
      sizes;
    const copy = (top: number, rows: number) =>
      (["load", "shared"] as const).flatMap((kind) => [
        mark(kind, "x", [top, 0, rows, 4 * ROW_QUADS]),
        // dy serves all input channels of the tile, of which one is drawn.
        mark(kind, "w", [0, 0, TILE_O, CHUNK], { times: 1 / TILE_C }),
      ]);
    const compute = (top: number): Frame[] =>
      range(CHUNK / 4).map((strip) => ({
        caption: say.gradSharedFrame(KH, 4 * STRIP_QUADS, 4, CHANNELS, 4 * CHANNELS * KH * KW),
        marks: [
          mark("read", "x", [top, 4 * strip, KH, 4 * STRIP_QUADS]),
          ...range(QUADS).map((quad) => mark("read", "w", [4 * quad * BLOCKS_O, 4 * strip, 4, 4])),
          mark("compute", "y", [0, 0, CHANNELS, KH * KW]),
        ],
        // All threads of the workgroup, for the pixels of one input channel.
        multiplyAdds: 4 * TILE_O * KH * KW,
      }));
    return {
      who: say.gradTileOf(threads, TILE_C, TILE_O),
      grids: [
        { name: "x", title: say.channelPixels, rows: KH + 1, columns: 4 * ROW_QUADS },
        { name: "w", title: say.dyOf(TILE_O), rows: TILE_O, columns: CHUNK },
        { name: "y", title: say.sums, rows: CHANNELS, columns: KH * KW },
      ],
      frames: [
        { caption: say.gradRollingCopy(KH, CHUNK), marks: copy(0, KH), multiplyAdds: 0 },
        ...compute(0),
        { caption: say.gradRollingDown, marks: copy(KH, 1), multiplyAdds: 0 },
        ...compute(1),
      ],
    };
  },
};

/** Steps 5 and 6: the workgroup copies, then each thread computes; one of them is drawn. */
function sharedScene(sizes: Sizes, ahead: boolean): Scene {
  const { KH, KW, TILE_O, TILE_H, TILE_W, CHANNELS, ROWS, PATCH_H, ROWS_UNDER, SPAN, PAIRS, threads } = sizes;
  // Step 6 holds pairs of pixels, and its blocks are a pair wide.
  const patchColumns = ahead ? 2 * sizes.PATCH_PAIRS : sizes.PATCH_W;
  const blockColumns = ahead ? 2 : 1;
  const frames: Frame[] = [
    {
      caption: ahead ? say.prefetchCopy : say.sharedCopy,
      marks: (["load", "shared"] as const).flatMap((kind) => [
        mark(kind, "x", [0, 0, PATCH_H, patchColumns]),
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
    const readsSpan = ahead && ky === 0 && kx % SPAN === 0;
    frames.push({
      caption: readsSpan
        ? say.prefetchPairs(ROWS_UNDER * PAIRS)
        : ahead
          ? say.prefetchFrame
          : ky === 0
            ? say.sharedColumn(ROWS_UNDER)
            : say.sharedFrame(CHANNELS, CHANNELS * ROWS),
      marks: [
        ...(readsSpan ? [mark("read", "x", [0, kx, ROWS_UNDER, 2 * PAIRS])] : []),
        ...(ahead ? [] : [mark("read", "x", [0, kx, ROWS_UNDER, 1])]),
        mark("read", "w", [0, ky * KW + kx, CHANNELS, 1]),
        mark("compute", "y", [0, 0, ROWS, blockColumns]),
        ...coming,
      ],
      multiplyAdds,
    });
  }
  return {
    who: say.tileOf(threads, TILE_O, TILE_H, TILE_W),
    grids: [
      { name: "x", title: say.pixels, rows: PATCH_H, columns: patchColumns },
      { name: "w", title: say.weightsOf(TILE_O), rows: TILE_O, columns: KH * KW },
      { name: "y", title: say.channelOutputs, rows: TILE_H, columns: TILE_W },
      ...(ahead ? [{ name: "next", title: say.nextRound, rows: 8, columns: 8 } as const] : []),
    ],
    frames,
  };
}
