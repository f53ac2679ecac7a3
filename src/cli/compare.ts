/** `pixelgrad compare`: measures methods one after the other, and writes a table, a plot and details. */
import { basename, extname, join, resolve, sep } from "node:path";
import { makeFolder, writePng, writeWhole } from "../data/files.ts";
import type { PairFiles } from "../data/pairs.ts";
import type { Image } from "../picture/image.ts";
import type { Panel, Region, Row } from "../report/picture.ts";
import type { OpenedMethod } from "../upscale/index.ts";
import { isInterpolation, methodNames, scalesOf } from "../upscale/method-names.ts";
import { aboutProtocols, measureFlags } from "./evaluate.ts";
import { defineCommand, text, UsageError, type Values, whole } from "./flags.ts";
import { methodFlag, methodOf, openAdapter } from "./methods.ts";
import {
  checkNotRead,
  conditionsOf,
  figures,
  idsOf,
  milliseconds,
  type Result,
  resultOf,
} from "./results.ts";

const flags = {
  ...measureFlags,
  methods: {
    short: "m",
    value: "A,B,…",
    help: `joined by commas: ${methodFlag.help}; by default all of these names that have the scale`,
    read: methodList,
  },
  ensemble: { short: "x", help: "adds each network's mean of eight answers, as edsr-small+" },
  details: { value: "N", help: "of how many pictures to show details; 5 by default", read: whole(0) },
  out: {
    value: "DIR",
    help: "folder for the results; it is made if it is missing",
    read: text,
    required: true,
  },
} as const;

export const compareCommand = defineCommand(
  {
    name: "compare",
    summary: "measures several methods on the same pictures: a table, a plot and details side by side",
    about: `
Measures every method as "pixelgrad evaluate" does and writes to --out:
  compare.md, compare.json           the figures
  quality-speed.svg, .png            PSNR over the time for a megapixel of the result
  details.png                        the most detailed part of each picture, method by method
${aboutProtocols}`,
    flags,
    examples: [
      [
        "compare --hr Set5/HR --scale 3 --out compared",
        "all interpolations, and the networks that come with pixelgrad",
      ],
      [
        "compare --hr Set5/HR --methods bicubic,espcn,runs/espcn-x3/best.safetensors --out compared",
        "a network of your own, at its scale, beside another one and bicubic interpolation",
      ],
    ],
  },
  async (values, { signal }) => {
    const { findPictures } = await import("../evaluate/index.ts");
    const { hr, lr, out } = values;
    const contestants = await openContestants(values);
    const { scale } = contestants[0].opened.upscaler;
    const pictures = findPictures(hr, lr, scale, console.error);
    const read = idsOf([
      ...pictures.flatMap(({ high, low }) => [high, low]),
      ...contestants.map(({ opened }) => opened.weights),
    ]);
    for (const drawing of ["quality-speed.png", "details.png"])
      checkNotRead(join(out, drawing), "--out", read);
    makeFolder(out, "Name another one with --out.");

    const details = await chooseDetails(pictures.slice(0, values.details ?? 5), scale);
    const results: Result[] = [];
    for (const [i, contestant] of contestants.entries()) {
      console.error(`Measuring ${contestant.label} (${i + 1} of ${contestants.length}) …`);
      results.push(await measure(contestant, pictures, details, values, signal));
    }
    for (const { opened } of contestants) opened.close();
    // Such as "Set5/HR x2".
    const title = `${resolve(hr).split(sep).slice(-2).join("/")} x${scale}`;
    await writeResults(out, title, results, details);
  },
);

/** An opened method, or the ensemble of one. */
interface Contestant {
  /** The method; with the name of its file where that tells it from another one. */
  readonly label: string;
  readonly opened: OpenedMethod;
}

/** A part of a picture that is shown, and each method's version of it. */
interface Detail {
  readonly files: PairFiles;
  readonly name: string;
  readonly high: Image;
  readonly region: Region;
  readonly panels: Panel[];
}

/** "bicubic,edsr-small"; each counts once. */
function methodList(given: string): string[] {
  const methods = given.split(",").filter((method) => method !== "");
  if (methods.length === 0) throw new UsageError("wants methods, joined by commas");
  return [...new Set(methods)];
}

/** Opens all methods before anything is measured: what does not fit shows at once. */
async function openContestants(values: Values<typeof flags>): Promise<Contestant[]> {
  const { methods, adapter, ensemble } = values;
  let { scale } = values;
  const chosen = methods ?? [...methodNames].reverse().filter((name) => scalesOf(name).includes(scale ?? 2));
  await openAdapter(adapter, chosen);
  if (ensemble && chosen.every(isInterpolation)) {
    throw new UsageError("--ensemble is for networks, and no method is one");
  }
  const { selfEnsemble } = await import("../upscale/index.ts");
  const isFile = (method: string) => !(methodNames as readonly string[]).includes(method);
  const opened = new Map<string, OpenedMethod>();
  // Files first: they know their scale, which is then that of the others.
  for (const method of [...chosen.filter(isFile), ...chosen]) {
    if (opened.has(method)) continue;
    opened.set(method, await methodOf({ method, scale }));
    scale = opened.get(method)!.upscaler.scale;
  }
  const labels = labelsOf(chosen.map((method) => opened.get(method)!));
  return chosen.flatMap((method, i) => {
    const plain = { label: labels[i], opened: opened.get(method)! };
    if (!ensemble || isInterpolation(method)) return [plain];
    const upscaler = selfEnsemble(plain.opened.upscaler);
    return [plain, { label: `${labels[i]}+`, opened: { ...plain.opened, upscaler, ensemble, close() {} } }];
  });
}

/** Names, with that of the weight file, or its path, where that tells a method from another one. */
function labelsOf(methods: readonly OpenedMethod[]): string[] {
  const candidates = methods.map(({ upscaler: { name }, weights = "" }) => [
    name,
    `${name} (${basename(weights, extname(weights))})`,
    `${name} (${weights})`,
  ]);
  const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();
  return candidates.map(
    (own) =>
      own.find((label, k) => candidates.filter((other) => same(other[k], label)).length === 1) ?? own[0],
  );
}

/** Side of a detail in HR pixels. */
const detailSize = 72;

/** The square with the most texture of each picture, on whole LR pixels. */
async function chooseDetails(pictures: readonly PairFiles[], scale: number): Promise<Detail[]> {
  const { loadPicture } = await import("../evaluate/index.ts");
  const { pickDetail } = await import("../report/picture.ts");
  const details: Detail[] = [];
  for (const files of pictures) {
    const { name, high } = await loadPicture(files, scale);
    details.push({ files, name, high, region: pickDetail(high, detailSize, scale), panels: [] });
  }
  return details;
}

/** Measures one method, and adds its version to each detail. */
async function measure(
  { label, opened }: Contestant,
  pictures: readonly PairFiles[],
  details: readonly Detail[],
  { protocol, border }: Values<typeof flags>,
  signal: AbortSignal,
): Promise<Result> {
  const { evaluate, loadPicture } = await import("../evaluate/index.ts");
  const evaluation = await evaluate(opened.upscaler, pictures, { protocol, border, signal });
  const result = { ...resultOf(opened, evaluation), method: label };
  for (const [i, { files, panels }] of details.entries()) {
    signal.throwIfAborted();
    const { low } = await loadPicture(files, evaluation.scale);
    const image = await opened.upscaler.upscale(low, { signal });
    panels.push({ caption: `${label} ${result.images[i].psnr.toFixed(2)} dB`, image });
  }
  return result;
}

/** Figures first: should a drawing fail, they are there. */
async function writeResults(
  folder: string,
  title: string,
  results: readonly Result[],
  details: readonly Detail[],
): Promise<void> {
  const { writeDrawing } = await import("../report/plot.ts");
  const { sideBySide } = await import("../report/picture.ts");
  const { markdownTable, textTable } = await import("../report/table.ts");

  const header = ["method", "PSNR, dB", "SSIM", "ms per picture", "ms per megapixel", "parameters"];
  const rows = results.map(({ method, mean, msPerMegapixel, parameters }) => [
    method,
    ...figures(mean),
    milliseconds(msPerMegapixel),
    parameters.toLocaleString("en-US"),
  ]);
  const notes = notesOn(results);
  console.log(`\n${textTable(header, rows)}\n\n${notes.join("\n")}`);

  const compared = `PSNR on ${results[0].protocol === "y" ? "Y" : "RGB"}, border ${results[0].border}`;
  const plot = await plotOf(title, compared, results);
  const page = [
    `# ${title}`,
    markdownTable(header, rows),
    notes.map((line) => `- ${line}`).join("\n"),
    ...(plot ? ["![Quality against speed](quality-speed.svg)"] : []),
    ...(details.length > 0 ? ["![Details side by side](details.png)"] : []),
  ];
  await writeWhole(join(folder, "compare.json"), `${JSON.stringify({ title, methods: results }, null, 2)}\n`);
  await writeWhole(join(folder, "compare.md"), `${page.join("\n\n")}\n`);
  if (plot) await writeDrawing(join(folder, "quality-speed"), plot);
  if (details.length > 0) {
    const rows = details.map((detail) => rowOf(detail, compared));
    // Nine panels of this size make a page of some 1500 pixels.
    await writePng(join(folder, "details.png"), await sideBySide(rows, 2 * detailSize));
  }
  console.log(`\nWritten to ${folder}: compare.md shows it all.`);
}

/** Under which conditions each method was measured; those with the same ones in one line. */
function notesOn(results: readonly Result[]): string[] {
  const groups = new Map<string, string[]>();
  for (const result of results) {
    const line = conditionsOf(result);
    groups.set(line, [...(groups.get(line) ?? []), result.method]);
  }
  return [...groups].map(([line, names]) => `${names.join(", ")}: ${line}`);
}

/** Undefined if there is nothing to draw: a picture of one colour has infinite PSNR. */
async function plotOf(
  title: string,
  compared: string,
  results: readonly Result[],
): Promise<string | undefined> {
  const { scatterPlot } = await import("../report/scatter.ts");
  const dots = results
    .map(({ method, mean, msPerMegapixel }) => ({ name: method, x: msPerMegapixel, y: mean.psnr }))
    .filter(({ y }) => Number.isFinite(y));
  if (dots.length === 0) return undefined;
  return scatterPlot({
    title: `${title}: quality against speed`,
    subtitle: `${compared}; pictures: ${results[0].images.length}. Dashed: no method is both faster and better.`,
    xLabel: "milliseconds per megapixel of the result",
    yLabel: "PSNR, dB",
    dots,
  });
}

function rowOf({ name, high, region, panels }: Detail, compared: string): Row {
  return {
    title: `${name} (${compared})`,
    overview: { caption: "whole", image: high, region },
    panels: [...panels, { caption: "original", image: high }],
  };
}
