/**
 * What a workgroup, or one of its threads, loads and computes, as pictures one after the other. Sizes are those of
 * the plan by which the step runs, for one input channel where there are many.
 */
import { say } from "./language.ts";
import type { StepInfo } from "./messages.ts";
import { copyFrame, type Draw, mark, range, type Scene, type Sizes } from "./scene.ts";
import { weightGradScenes } from "./scenes-weight-grad.ts";

/** Undefined for steps that nobody has drawn. */
export function sceneOf({ name, constants, estimate: { threads } }: StepInfo): Scene | undefined {
  const { KH, KW } = constants;
  const taps = range(KH * KW).map((i) => ({ ky: Math.floor(i / KW), kx: i % KW }));
  const make = scenes[name];
  return make?.({ ...constants, KH, KW, threads }, taps);
}

const scenes: Readonly<Record<string, Draw>> = {
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

  "4-broadcast": ({
    KH,
    KW,
    PIXELS,
    CHANNELS,
    PIXELS_UNDER,
    LANES,
    WEIGHT_SHARE,
    SHARES_PIXELS,
    HALO,
    EDGES,
  }) => ({
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
              marks: [0, HALO + PIXELS].flatMap((column) => [
                mark("load", "x", [ky, column, 1, HALO], { times: EDGES / (2 * HALO) }),
                mark("read", "x", [ky, column, 1, HALO]),
              ]),
              multiplyAdds: 0,
            },
          ]
        : []),
      {
        caption: say.broadcastWeights(LANES, CHANNELS * KW, WEIGHT_SHARE),
        marks: [
          mark("load", "w", [0, ky * KW, CHANNELS, KW], {
            times: WEIGHT_SHARE / (CHANNELS * KW),
            lanes: LANES,
          }),
        ],
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
  ...weightGradScenes,
};

/** Steps 5 and 6: the workgroup copies, then each thread computes; one of them is drawn. */
function sharedScene(sizes: Sizes, ahead: boolean): Scene {
  const { KH, KW, TILE_O, TILE_H, TILE_W, CHANNELS, ROWS, PATCH_H, ROWS_UNDER, SPAN, PAIRS, threads } = sizes;
  // Step 6 holds pairs of pixels, and its blocks are a pair wide.
  const patchColumns = ahead ? 2 * sizes.PATCH_PAIRS : sizes.PATCH_W;
  const blockColumns = ahead ? 2 : 1;
  const { DEPTH, PIXEL_LOADS, WEIGHT_SHARE } = sizes;
  const times = ahead
    ? {
        x: (threads * 2 * PIXEL_LOADS) / (DEPTH * PATCH_H * patchColumns),
        w: (threads * 4 * WEIGHT_SHARE) / (DEPTH * TILE_O * KH * KW),
      }
    : { x: 1, w: 1 };
  const frames = [
    copyFrame(
      ahead ? say.prefetchCopy : say.sharedCopy,
      { x: [0, 0, PATCH_H, patchColumns], w: [0, 0, TILE_O, KH * KW] },
      times,
    ),
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
