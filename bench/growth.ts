/** How the time of a training step grows with the batch, the patches and the channels of a small EDSR. */
import type { Point } from "../src/report/axes.ts";
import type { PanelSpec, PlotSpec } from "../src/report/plot.ts";
import type { Bench, Result } from "./harness.ts";
import { edsr, trainingBench } from "./networks.ts";

const BLOCKS = 4;
const base = { batch: 4, patch: 24, channels: 16 };
type Axis = keyof typeof base;

const xLabels: Record<Axis, string> = {
  batch: `patches per step (${base.patch}x${base.patch}, ${base.channels} channels)`,
  patch: `side of a patch in pixels (batch ${base.batch}, ${base.channels} channels)`,
  channels: `channels (batch ${base.batch}, patches ${base.patch}x${base.patch})`,
};

export function growthBenches(quick: boolean): Bench[] {
  const steps: Record<Axis, number[]> = quick
    ? { batch: [1, 2, 4], patch: [8, 16, 24], channels: [4, 8, 16] }
    : { batch: [1, 2, 4, 8, 16], patch: [12, 24, 36, 48], channels: [8, 16, 32, 64] };
  return (Object.keys(steps) as Axis[]).flatMap((axis) =>
    steps[axis].map((at) => {
      const size = { ...base, [axis]: at };
      return trainingBench(`growth-${axis}`, edsr(BLOCKS, size.channels), size.patch, size.batch, at);
    }),
  );
}

/** A panel for each axis that was measured; undefined if none was. */
export function growthPlot(results: readonly Result[], adapter: string): PlotSpec | undefined {
  const panels = (Object.keys(base) as Axis[]).flatMap((axis) => panel(axis, results));
  return panels.length > 0 ? { title: `Training step of EDSR on ${adapter}`, panels } : undefined;
}

function panel(axis: Axis, results: readonly Result[]): PanelSpec[] {
  const measured = results.flatMap(({ name, at, work, rows: [{ timing }] }) =>
    name === `growth-${axis}` && at !== undefined && timing
      ? [{ at, ms: timing.median, flops: work.flops }]
      : [],
  );
  if (measured.length === 0) return [];
  const last = measured[measured.length - 1];
  const series = (ms: (each: (typeof measured)[0]) => number) =>
    measured.map((each): Point => [each.at, ms(each)]);
  return [
    {
      title: `Growth with ${axis === "patch" ? "the patches' size" : `the ${axis}`}`,
      xLabel: xLabels[axis],
      yLabel: "ms per step",
      series: [
        { name: `${BLOCKS} blocks, measured`, points: series(({ ms }) => ms) },
        {
          name: "if it grew as the work does",
          points: series(({ flops }) => (last.ms * flops) / last.flops),
          dashed: true,
        },
      ],
    },
  ];
}
