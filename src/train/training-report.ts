import type { Point } from "../report/axes.ts";
import { htmlPage } from "../report/page.ts";
import type { Row } from "../report/picture.ts";
import { linePlots, type PanelSpec, writeDrawing } from "../report/plot.ts";
import { formatDuration } from "../report/progress.ts";
import type { CheckpointState } from "./checkpoint.ts";
import { networkOf, portable } from "./config.ts";
import type { RunFolder } from "./run-folder.ts";
import type { Session } from "./session.ts";
import { formatSetting, settingsFor } from "./settings.ts";

/** How far the run has come. */
export interface ReportFacts extends Pick<CheckpointState, "step" | "best" | "seconds"> {
  /** Pictures by the best weights; may be none. */
  readonly rows: readonly Row[];
}

/** Writes report.html, curves.svg and curves.png anew, from the log. */
export async function writeReport(
  folder: RunFolder,
  session: Session,
  { step, best, seconds, rows }: ReportFacts,
): Promise<void> {
  const { config, device, description, model, validation } = session;
  const panels = curves(folder, session);
  await writeDrawing(folder.file("curves"), linePlots({ title: "Training", panels: panels.slice(0, 2) }));

  const { architecture, options } = networkOf(config.network);
  const settings = settingsFor(architecture).flatMap((setting) => {
    const value = formatSetting(portable(config), setting);
    return value === undefined ? [] : [[setting.flag, value] as const];
  });
  const gain = best ? best.psnr - validation.bicubic.mean.psnr : 0;
  const page = await htmlPage({
    title: architecture.describe(options),
    lead: best
      ? `${best.psnr.toFixed(2)} dB at step ${best.step}, ${Math.abs(gain).toFixed(2)} dB ` +
        `${gain >= 0 ? "above" : "below"} bicubic interpolation.`
      : "Not measured yet.",
    facts: [
      ["Steps", `${step} of ${config.steps}`],
      ["Time", formatDuration(seconds)],
      ["Parameters", model.parameterCount().toLocaleString("en")],
      ["Adapter", device.name],
      ["Pictures", description],
      ["Measured", validation.conditions],
    ],
    plots: panels.map((panel) => linePlots({ title: panel.title, panels: [{ ...panel, title: "" }] })),
    rows,
    tables: [
      { title: "Configuration", rows: settings },
      {
        title: "Environment",
        rows: [
          ["Node", process.version],
          ["Platform", `${process.platform} ${process.arch}`],
          ["Written", new Date().toISOString()],
        ],
      },
    ],
  });
  await folder.save("report.html", page);
}

function curves(folder: RunFolder, { config, validation }: Session): PanelSpec[] {
  const log = folder.readLog();
  const curve = (name: string): Point[] =>
    log.flatMap(({ step, [name]: value }): Point[] =>
      step !== undefined && typeof value === "number" ? [[step, value]] : [],
    );
  const loss = config.loss.toUpperCase();
  return [
    {
      title: "Loss on training patches",
      xLabel: "step",
      yLabel: `${loss}, pictures in 0..1`,
      logY: true,
      series: [{ name: loss, points: curve("loss"), smooth: true }],
    },
    {
      title: "Quality on held-out pictures",
      xLabel: "step",
      yLabel: "PSNR on Y, dB",
      series: [
        { name: config.network.architecture, points: curve("psnr") },
        { name: "bicubic", points: [[0, validation.bicubic.mean.psnr]], dashed: true },
      ],
    },
    {
      title: "Learning rate",
      xLabel: "step",
      yLabel: "Adam's rate",
      series: [{ name: "rate", points: curve("lr") }],
    },
  ];
}
