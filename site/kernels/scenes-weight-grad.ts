/** The drawings of steps a to d: what a workgroup, or one of its threads, does for the gradient of the weights. */
import { say } from "./language.ts";
import { copyFrame, type Draw, type Frame, mark, range } from "./scene.ts";

export const weightGradScenes: Readonly<Record<string, Draw>> = {
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

  "weight-grad": ({
    KY,
    KW,
    PIXELS,
    CHANNELS,
    PIXELS_UNDER,
    OLD_COLUMNS,
    NEW_COLUMNS,
    LANES,
    GRADIENT_SHARE,
  }) => ({
    who: say.gradThreadOf(KY * KW, CHANNELS),
    grids: [
      { name: "x", title: say.pixels, rows: KY, columns: PIXELS + PIXELS_UNDER },
      { name: "w", title: say.dyOf(CHANNELS), rows: CHANNELS, columns: 2 * PIXELS },
      { name: "y", title: say.sums, rows: CHANNELS, columns: KY * KW },
    ],
    frames: range(2).flatMap((strip) => [
      strip === 0
        ? {
            caption: say.gradLoad(PIXELS, KY, PIXELS_UNDER),
            marks: [mark("load", "x", [0, 0, KY, PIXELS_UNDER])],
            multiplyAdds: 0,
          }
        : {
            caption: say.gradNextLoad(NEW_COLUMNS),
            marks: [mark("load", "x", [0, PIXELS + OLD_COLUMNS, KY, NEW_COLUMNS])],
            multiplyAdds: 0,
          },
      ...(LANES > 0
        ? [
            {
              caption: say.gradLanes(LANES, CHANNELS * PIXELS, GRADIENT_SHARE),
              marks: [
                mark("load", "w", [0, strip * PIXELS, CHANNELS, PIXELS], {
                  times: GRADIENT_SHARE / (CHANNELS * PIXELS),
                  lanes: LANES,
                  alongRows: true,
                }),
              ],
              multiplyAdds: 0,
            },
          ]
        : []),
      ...range(PIXELS).map((i) => ({
        caption: say.gradFrame(CHANNELS, KY * KW),
        marks: [
          mark(LANES > 0 ? "read" : "load", "w", [0, strip * PIXELS + i, CHANNELS, 1]),
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
    PIXEL_SHARE,
    GRADIENT_SHARE,
    threads,
  }) => ({
    who: say.gradTileOf(threads, TILE_C, TILE_O),
    grids: [
      { name: "x", title: say.channelPixels, rows: KH, columns: PATCH_W },
      { name: "w", title: say.dyOf(TILE_O), rows: TILE_O, columns: CHUNK },
      { name: "y", title: say.sums, rows: CHANNELS, columns: KH * KW },
    ],
    frames: [
      copyFrame(
        say.gradSharedCopy(CHUNK),
        { x: [0, 0, KH, PATCH_W], w: [0, 0, TILE_O, CHUNK] },
        {
          x: (threads * PIXEL_SHARE) / (TILE_C * KH * PATCH_W),
          w: (threads * 4 * GRADIENT_SHARE) / (TILE_O * CHUNK),
        },
        TILE_C,
      ),
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
    const { KH, KW, CHUNK, TILE_C, TILE_O, CHANNELS, QUADS, BLOCKS_O, ROW_QUADS, STRIP_QUADS } = sizes;
    const { PIXEL_SHARE, GRADIENT_SHARE, threads } = sizes;
    const copy = (caption: string, top: number, rows: number) =>
      copyFrame(
        caption,
        { x: [top, 0, rows, 4 * ROW_QUADS], w: [0, 0, TILE_O, CHUNK] },
        {
          x: (threads * PIXEL_SHARE) / (TILE_C * ROW_QUADS),
          w: (threads * 4 * GRADIENT_SHARE) / (TILE_O * CHUNK),
        },
        TILE_C,
      );
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
      who: say.gradRowsOf(threads, TILE_C, TILE_O),
      grids: [
        { name: "x", title: say.channelPixels, rows: KH + 1, columns: 4 * ROW_QUADS },
        { name: "w", title: say.dyOf(TILE_O), rows: TILE_O, columns: CHUNK },
        { name: "y", title: say.sums, rows: CHANNELS, columns: KH * KW },
      ],
      frames: [
        copy(say.gradRollingCopy(KH, CHUNK), 0, KH),
        ...compute(0),
        copy(say.gradRollingDown, KH, 1),
        ...compute(1),
      ],
    };
  },
};
