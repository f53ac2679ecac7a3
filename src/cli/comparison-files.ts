/** What `pixelgrad compare` leaves in its folder: the figures as a table and as JSON, a plot and details. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Picture } from "../evaluate/index.ts";
import { writePng, writeWhole } from "../files/image-files.ts";
import { addTo, quantity } from "../options/lists.ts";
import type { Panel, Region } from "../report/picture.ts";
import { writeJson } from "./outputs.ts";
import { print } from "./print.ts";
import { describeResult, figures, milliseconds, type Result } from "./results.ts";

/** What a comparison may leave in its folder besides the figures. */
const drawingNames = ["quality-speed.svg", "quality-speed.png", "details.png"];

/** All of its files. */
export const outputNames = ["compare.md", "compare.json", ...drawingNames];

/** A part of a picture, and each method's version of it. */
export interface Detail {
  readonly picture: Pick<Picture, "name" | "high" | "low">;
  readonly region: Region;
  readonly panels: Panel[];
}

/** Side of a detail in HR pixels. */
export const DETAIL_SIZE = 72;

/**
 * The figures, printed and as files. Drawings that there will be are in the page. Those of an earlier comparison go
 * first, since they would look like these figures.
 */
export async function writeFigures(
  folder: string,
  {
    title,
    results,
    stopped,
    drawings = [],
  }: {
    readonly title: string;
    readonly results: readonly Result[];
    /** How many methods there were, if not all were measured. */
    readonly stopped?: { readonly of: number };
    readonly drawings?: readonly string[];
  },
): Promise<void> {
  const { markdownTable, markdownText, textTable } = await import("../report/table.ts");
  const header = ["method", "PSNR, dB", "SSIM", "ms per picture", "ms per megapixel", "parameters"];
  const rows = results.map(({ method, mean, msPerMegapixel, parameters }) => [
    method,
    ...figures(mean),
    milliseconds(msPerMegapixel),
    parameters.toLocaleString("en-US"),
  ]);
  const ended = stopped ? [`Stopped; ${results.length} of ${quantity(stopped.of, "method")} measured.`] : [];
  const notes = [...notesOn(results), ...ended];
  print("", ...textTable(header, rows).split("\n"), "", ...notes);
  const page = [
    `# ${markdownText(title)}`,
    markdownTable(header, rows),
    notes.map((line) => `- ${markdownText(line)}`).join("\n"),
    ...drawings,
  ];
  for (const name of drawingNames) rmSync(join(folder, name), { force: true });
  await writeJson(join(folder, "compare.json"), { title, stopped, methods: results });
  await writeWhole(join(folder, "compare.md"), `${page.join("\n\n")}\n`);
}

/** Figures first: should a drawing fail, they are there. */
export async function writeResults(
  folder: string,
  title: string,
  results: readonly Result[],
  details: readonly Detail[],
): Promise<void> {
  const { writeDrawing } = await import("../report/plot.ts");
  const { sideBySide } = await import("../report/picture.ts");
  const compared = `PSNR on ${results[0].protocol === "y" ? "Y" : "RGB"}, border ${results[0].border}`;
  const plot = await plotOf(title, compared, results);
  const drawings = [
    ...(plot ? ["![Quality against speed](quality-speed.svg)"] : []),
    ...(details.length > 0 ? ["![Details side by side](details.png)"] : []),
  ];
  await writeFigures(folder, { title, results, drawings });
  if (plot) await writeDrawing(join(folder, "quality-speed"), plot);
  if (details.length > 0) {
    const rows = details.map(({ picture: { name, high }, region, panels }) => ({
      title: `${name} (${compared})`,
      overview: { caption: "whole", image: high, region },
      panels: [...panels, { caption: "original", image: high }],
    }));
    // Nine panels of this size make a page of some 1500 pixels.
    await writePng(join(folder, "details.png"), await sideBySide(rows, 2 * DETAIL_SIZE));
  }
  print("", `Written to ${folder}: compare.md shows it all.`);
}

/** What the figures depend on, with the methods for which that is the same. */
function notesOn(results: readonly Result[]): string[] {
  const groups = new Map<string, string[]>();
  for (const result of results) {
    addTo(groups, describeResult(result), result.method);
  }
  return [...groups].map(([note, methods]) => `${methods.join(", ")}: ${note}`);
}

/** A plot of the results; undefined if there is nothing to draw: a picture of one colour has infinite PSNR. */
async function plotOf(title: string, compared: string, results: readonly Result[]) {
  const { scatterPlot } = await import("../report/scatter.ts");
  const dots = results
    .map(({ method, mean, msPerMegapixel }) => ({ name: method, x: msPerMegapixel, y: mean.psnr }))
    .filter(({ y }) => Number.isFinite(y));
  if (dots.length === 0) return undefined;
  const count = results[0].images.length;
  return scatterPlot({
    title: `${title}: quality against speed`,
    subtitle: `${compared}; pictures: ${count}. Dashed: no method is both faster and better.`,
    xLabel: "milliseconds per megapixel of the result",
    yLabel: "PSNR, dB",
    dots,
  });
}
