/**
 * `pixelgrad compare`: measures methods one after the other, then writes what came out as a table, a plot and a page
 * of details.
 */
import { mkdirSync } from "node:fs";
import { basename, extname, join, resolve, sep } from "node:path";
import type { PairFiles } from "../data/pairs.ts";
import { DataError } from "../picture/errors.ts";
import type { Image } from "../picture/image.ts";
import type { Panel, Region, Row } from "../report/picture.ts";
import { interpolations } from "../upscale/interpolator.ts";
import { aboutProtocols, measureFlags } from "./evaluate.ts";
import { defineCommand, text, UsageError, type Values, whole } from "./flags.ts";
import {
  isNetwork,
  methodList,
  methods,
  type Network,
  networks,
  type OpenedMethod,
  openNamed,
  shippedFor,
} from "./methods.ts";
import { conditionsOf, figures, milliseconds, type Result, resultOf } from "./results.ts";

const flags = {
  ...measureFlags,
  methods: {
    value: "A,B,…",
    help: `of ${methods.join(", ")}; by default the first three, and the networks with --weights or, without any, those that come along`,
    read: methodList,
  },
  weights: {
    value: "M=FILE",
    help: "weights of a network, as edsr=edsr-x2.safetensors; of one method also several",
    read: networkWeights,
    multiple: true,
  },
  ensemble: { help: "adds each network's mean of eight answers, as edsr+" },
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
        "three interpolations, and the networks that come along",
      ],
      [
        "compare --hr Set5/HR --scale 3 --methods bicubic,srcnn,edsr \\\n" +
          "      --weights srcnn=srcnn-x3.safetensors --weights edsr=edsr-x3.safetensors --out compared",
        "two networks beside bicubic interpolation",
      ],
    ],
  },
  async (values, { signal }) => {
    const { findPictures } = await import("../evaluate/index.ts");
    const { hr, lr, scale, out } = values;
    const pictures = findPictures(hr, lr, scale);
    // All of them first: weights that do not fit should be told before anything is measured.
    const contestants: Contestant[] = [];
    for (const { label, method, ...options } of contestantsOf(values)) {
      const adapter = isNetwork(method) ? values.adapter : undefined;
      contestants.push({ label, opened: await openNamed(method, { ...options, scale, adapter }) });
    }
    makeFolder(out);

    const details = await chooseDetails(pictures.slice(0, values.details ?? 5), scale);
    const results: Result[] = [];
    for (const [i, contestant] of contestants.entries()) {
      console.error(`Measuring ${contestant.label} (${i + 1} of ${contestants.length}) …`);
      results.push(await measure(contestant, pictures, details, values, signal));
      contestant.opened.close();
    }
    // Such as "Set5/HR x2".
    const title = `${resolve(hr).split(sep).slice(-2).join("/")} x${scale}`;
    await writeResults(out, title, results, details);
  },
);

interface Contestant {
  /** The method; with the name of its file where a method takes part more than once. */
  readonly label: string;
  readonly opened: OpenedMethod;
}

/** A part of a picture that is shown, and each method's version of it. */
interface Detail {
  readonly files: PairFiles;
  readonly name: string;
  readonly hr: Image;
  readonly region: Region;
  readonly panels: Panel[];
}

/** method=FILE */
function networkWeights(given: string): { method: Network; file: string } {
  const at = given.indexOf("=");
  const method = networks.find((name) => name === given.slice(0, at));
  const file = given.slice(at + 1);
  if (method === undefined || file === "") {
    throw new UsageError(`wants METHOD=FILE with one of the methods ${networks.join(", ")}`);
  }
  return { method, file };
}

/** Which methods take part, with which weights. */
function contestantsOf({ methods, weights, scale, adapter, ensemble }: Values<typeof flags>) {
  const given = weights.map(({ method }) => method);
  const shipped = networks.filter((network) => shippedFor(network, scale));
  const chosen = methods ?? [...interpolations, ...new Set(given.length > 0 ? given : shipped)];
  const idle = weights.find(({ method }) => !chosen.includes(method));
  if (idle) throw new UsageError(`--weights names ${idle.method}, which is not among --methods`);
  for (const [flag, given] of Object.entries({ adapter, ensemble })) {
    if (given && !chosen.some(isNetwork))
      throw new UsageError(`--${flag} is for networks, and no method is one`);
  }
  return chosen.flatMap((method) => {
    const files = weights.filter((each) => each.method === method).map(({ file }) => file);
    // Without a file: the weights that come along, or openNamed says what is missing.
    const entries = (files.length > 0 ? files : [undefined]).map((file) => ({
      label: file !== undefined && files.length > 1 ? `${method} (${basename(file, extname(file))})` : method,
      method,
      weights: file,
      ensemble: false,
    }));
    const averaged = ensemble && isNetwork(method) ? entries : [];
    return [...entries, ...averaged.map((entry) => ({ ...entry, label: `${entry.label}+`, ensemble: true }))];
  });
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (cause) {
    throw new DataError(
      `${path}: this folder cannot be made: ${(cause as Error).message}. Name another one with --out.`,
      { cause },
    );
  }
}

/** Side of a detail in HR pixels. */
const detailSize = 72;

/** The square with the most texture of each picture, on whole LR pixels. */
async function chooseDetails(pictures: readonly PairFiles[], scale: number): Promise<Detail[]> {
  const { loadPicture } = await import("../evaluate/index.ts");
  const { pickDetail } = await import("../report/picture.ts");
  const details: Detail[] = [];
  for (const files of pictures) {
    const { name, hr } = await loadPicture(files, scale);
    details.push({ files, name, hr, region: pickDetail(hr, detailSize, scale), panels: [] });
  }
  return details;
}

/** Measures one method, and adds its version to each detail. */
async function measure(
  { label, opened }: Contestant,
  pictures: readonly PairFiles[],
  details: readonly Detail[],
  { scale, protocol, border }: Values<typeof flags>,
  signal: AbortSignal,
): Promise<Result> {
  const { evaluate, loadPicture } = await import("../evaluate/index.ts");
  const evaluation = await evaluate(opened.upscaler, pictures, { protocol, border, signal });
  const result = { ...resultOf(opened, evaluation), method: label };
  for (const [i, { files, panels }] of details.entries()) {
    signal.throwIfAborted();
    const { lr } = await loadPicture(files, scale);
    const image = await opened.upscaler.upscale(lr, { signal });
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
  const { writePng, writeWhole } = await import("../data/files.ts");
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
    await writePng(join(folder, "details.png"), await sideBySide(rows, { panelSize: 2 * detailSize }));
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

/** Undefined if there is nothing to draw: a picture of one colour is enlarged without any error, to infinite PSNR. */
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

function rowOf({ name, hr, region, panels }: Detail, compared: string): Row {
  return {
    title: `${name} (${compared})`,
    overview: { caption: "whole", image: hr, region },
    panels: [...panels, { caption: "original", image: hr }],
  };
}
