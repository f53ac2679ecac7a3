/** `pixelgrad compare`: measures methods one after the other, and writes a table, a plot and details. */
import { existsSync, readFileSync } from "node:fs";
import { basename, extname, join, resolve, sep } from "node:path";
import type { PairFiles } from "../data/pairs.ts";
import type { Evaluation } from "../evaluate/index.ts";
import { makeFolder, removeEmpty } from "../files/image-files.ts";
import { sameFile } from "../files/same-file.ts";
import { folder, type Kind, whole } from "../options/kinds.ts";
import { andList } from "../options/lists.ts";
import { DataError, textOf } from "../picture/errors.ts";
import { crop } from "../picture/image.ts";
import { DEFAULT_SCALE } from "../picture/scales.ts";
import type { OpenedMethod, Upscaler } from "../upscale/index.ts";
import { withChanges } from "../upscale/method.ts";
import {
  defaultMethod,
  isInterpolation,
  isMethodName,
  methodNames,
  scalesOf,
} from "../upscale/method-names.ts";
import { DETAIL_SIZE, type Detail, outputNames, writeFigures, writeResults } from "./comparison-files.ts";
import { printStack, withReport } from "./failure.ts";
import { defineCommand, UsageError, type Values } from "./flags.ts";
import { aboutProtocols, measureFlags, picturesInFolders, refuseBoth } from "./measure-flags.ts";
import { methodFlag, refuseWithoutNetwork } from "./method-flags.ts";
import { methodOf, openAdapter } from "./methods.ts";
import { checkOutputs, checkWritable, inputsOf, refuseMisnamed } from "./outputs.ts";
import { printError } from "./print.ts";
import {
  collectFindings,
  type Findings,
  measure,
  notesOnFiles,
  type Result,
  refuseFailures,
} from "./results.ts";

/** "bicubic,wren"; or one file, whose name may have commas. */
const methodList: Kind<readonly string[]> = {
  wants: "methods, separated by commas",
  symbol: "A,B,…",
  fits: (value): value is string[] => Array.isArray(value) && value.length > 0,
  read(text) {
    if (existsSync(text)) return [text];
    const names = text.split(",").map((name) => name.trim());
    return names.filter((name) => name !== "");
  },
  write: (methods) => methods.join(),
};

const flags = {
  ...measureFlags,
  methods: {
    short: "m",
    kind: methodList,
    multiple: true,
    help:
      `separated by commas, or each behind a flag of its own: ${methodFlag.help}; default: all of these names ` +
      "that have the scale",
  },
  ensemble: { short: "x", help: "also measures the mean of each network's eight answers, as wren+" },
  half: { help: "also measures each network stored as 16-bit floats, as wren (half)" },
  details: { kind: whole(0), help: "number of pictures to show details of; default: 5" },
  out: { kind: folder, help: "where the results go; the folder is made if it is missing", required: true },
} as const;

export const compareCommand = defineCommand({
  about: `
Measures several methods as "pixelgrad evaluate" does, and writes to --out:
  compare.md, compare.json           the figures
  quality-speed.svg, .png            PSNR against the time for a megapixel of the result
  details.png                        the most detailed part of each picture, method by method
${aboutProtocols}`,
  flags,
  examples: [
    ["--hr Set5/HR --scale 3 --out compared", "all interpolations, and the networks of pixelgrad"],
    [
      "--hr Set5/HR -m bicubic,espcn,runs/espcn-x3/best.safetensors --out compared",
      "a network of your own, at its scale, beside another one and bicubic interpolation",
    ],
  ],
  async run(values, { signal }) {
    const { findPictures, overCommonPictures } = await import("../evaluate/index.ts");
    const { hr, lr, degradation, out } = values;
    refuseBoth(lr, degradation);
    const inputs = inputsOf(await picturesInFolders(hr, lr), values.methods.flat());
    const methods = await openMethods(values);
    let firstMade: string | undefined;
    try {
      const { scale } = methods[0].upscaler;
      const findings = collectFindings();
      const pictures = findPictures(hr, { scale, lowFolder: lr, degradation, ...findings.callbacks });
      firstMade = prepareFolder(values, inputs);
      const { measured, details, failures } = await measureAll(methods, pictures, findings, values, signal);
      if (measured.length === 0) signal.throwIfAborted();
      const results = overCommonPictures(measured);
      if (results.length === 0 || results[0].images.length === 0) {
        throw new DataError(
          "There is no picture that all methods could measure, for the reasons above. Leave out the method " +
            "or the pictures at fault.",
        );
      }
      // Such as "Set5/HR x2".
      const title = `${resolve(hr).split(sep).slice(-2).join("/")} x${scale}`;
      if (signal.aborted) {
        await writeFigures(out, { title, results, stopped: { of: methods.length } });
        signal.throwIfAborted();
      }
      await withReport(
        () => refuseFailures(results, failures),
        () => writeResults(out, title, results, details),
      );
    } finally {
      for (const { close } of methods) close();
      removeEmpty(out, firstMade);
    }
  },
});

/**
 * Makes the folder of the results, and returns what makeFolder does.
 *
 * @throws UsageError or DataError if they may not, or cannot, be written there
 */
function prepareFolder(
  { hr, lr, out }: Values<typeof flags>,
  inputs: ReadonlySet<string>,
): string | undefined {
  if ([hr, lr].some((folder) => folder !== undefined && sameFile(folder, out))) {
    throw new UsageError(`--out ${out} is the folder of the pictures; the plots would count as such`);
  }
  const outputs = outputNames.map((name) => ({ flag: "--out", path: join(out, name) }));
  checkOutputs(outputs, inputs);
  refuseMisnamed(out);
  const firstMade = makeFolder(out, "Name another one with --out.");
  for (const { path } of outputs) checkWritable(path);
  refuseForeign(out);
  return firstMade;
}

/** The figures are written first, so that what else is there is a comparison's, too. */
function refuseForeign(out: string): void {
  const present = outputNames.filter((name) => existsSync(join(out, name)));
  if (present.length === 0 || isComparison(join(out, "compare.json"))) return;
  const what = present.length === 1 ? "a file" : "files";
  throw new DataError(
    `${out} already holds ${what} called ${andList(present)}, of no comparison, which this one would replace. Name ` +
      "another folder with --out.",
  );
}

function isComparison(path: string): boolean {
  try {
    const { title, methods } = JSON.parse(readFileSync(path, "utf8"));
    return typeof title === "string" && Array.isArray(methods);
  } catch {
    return false;
  }
}

/** Opens all methods before anything is measured, so that one that does not fit is noticed at once. */
async function openMethods({ methods, adapter, ensemble, half, scale }: Values<typeof flags>) {
  const named = [...new Set(methods.flat())]; // one that is there twice counts once
  if (named.length === 0 && scale !== undefined && defaultMethod(scale) === undefined) {
    throw new UsageError(
      `--scale ${scale} keeps the size: name weight files of networks that were made for it, --methods FILE`,
    );
  }
  const byDefault = [...methodNames]
    .reverse()
    .filter((name) => scalesOf(name).includes(scale ?? DEFAULT_SCALE));
  const chosen = named.length > 0 ? named : byDefault;
  refuseWithoutNetwork({ ensemble, half, adapter }, chosen);
  await openAdapter(adapter);
  const { selfEnsemble } = await import("../upscale/index.ts");
  const isFile = (method: string) => !isMethodName(method);
  const byChoice = new Map<string, OpenedMethod>();
  const halves = new Map<string, OpenedMethod>();
  let commonScale: number | undefined = scale;
  // Files first: they know their scale, which is then that of the others.
  try {
    for (const method of new Set([...chosen.filter(isFile), ...chosen])) {
      const opened = await methodOf({ method, scale: commonScale });
      byChoice.set(method, opened);
      commonScale = opened.upscaler.scale;
      if (!half || isInterpolation(method)) continue;
      halves.set(method, await methodOf({ method, scale: commonScale, half }));
    }
  } catch (error) {
    for (const { close } of [...byChoice.values(), ...halves.values()]) close();
    throw error;
  }
  const opened = withLabels(chosen.map((method) => byChoice.get(method)!));
  const withHalves = opened.flatMap((method, i) => {
    const inHalf = halves.get(chosen[i]);
    if (!inHalf) return [method];
    return [
      method,
      { ...inHalf, upscaler: withChanges(inHalf.upscaler, { name: `${method.upscaler.name} (half)` }) },
    ];
  });
  return withHalves.flatMap((method) => {
    if (!ensemble || method.parameters === 0) return [method]; // an interpolation
    return [method, { ...method, ensemble, upscaler: selfEnsemble(method.upscaler), close() {} }];
  });
}

/**
 * Measures one method after the other, each on the pictures that all before it could enlarge, and takes the details of
 * the first of these. `failures` are the names of methods that could measure nothing.
 */
async function measureAll(
  methods: readonly OpenedMethod[],
  pictures: readonly PairFiles[],
  findings: Findings,
  { protocol, border, padding, details: count = 5 }: Values<typeof flags>,
  signal: AbortSignal,
): Promise<{ measured: Result[]; details: readonly Detail[]; failures: string[] }> {
  const notes = await notesOnFiles(pictures);
  const measured: Result[] = [];
  const failures: string[] = [];
  let measurable = pictures;
  let details: readonly Detail[] | undefined;
  for (const [i, method] of methods.entries()) {
    const { name, scale } = method.upscaler;
    printError(`Measuring ${name} (${i + 1} of ${methods.length}) …`);
    const options = { protocol, border, padding, signal, partial: true, onFailure: printError };
    const result = await measure(method, measurable, options, { ...findings, notes }).catch(
      (error: Error) => {
        if (signal.aborted) return;
        if (!(error instanceof DataError)) throw error;
        printError(`${name}: ${textOf(error)}`);
        printStack(error);
        failures.push(name);
      },
    );
    // Of a method that was stopped, there are figures of some pictures only.
    if (result && (!result.stopped || measured.length === 0)) measured.push(result);
    if (signal.aborted) break;
    if (!result) continue; // a network that has diverged, say; the others are measured
    const names = new Set(result.images.map((image) => image.name));
    measurable = measurable.filter((files) => names.has(files.name));
    details ??= await pickDetails(measurable.slice(0, count), scale);
    await addPanels(details, method.upscaler, result, signal).catch((error: Error) => {
      if (!signal.aborted) throw error;
    });
    if (signal.aborted) break;
  }
  return { measured, details: details ?? [], failures };
}

async function pickDetails(pictures: readonly PairFiles[], scale: number): Promise<Detail[]> {
  const { loadPicture } = await import("../evaluate/index.ts");
  const { pickDetail } = await import("../report/picture.ts");
  const details: Detail[] = [];
  for (const files of pictures) {
    const { name, high, low } = await loadPicture(files, scale);
    details.push({ picture: { name, high, low }, region: pickDetail(high, DETAIL_SIZE, scale), panels: [] });
  }
  return details;
}

/** A method's version of each detail, made as the figures in its caption were. */
export async function addPanels(
  details: readonly Detail[],
  { name, upscale }: Pick<Upscaler, "name" | "upscale">,
  { images, padding }: Pick<Evaluation, "images" | "padding">,
  signal: AbortSignal,
): Promise<void> {
  const scores = new Map(images.map((image) => [image.name, image]));
  for (const { picture, region, panels } of details) {
    const score = scores.get(picture.name);
    if (!score) continue; // it failed by this method alone
    const caption = `${name} ${score.psnr.toFixed(2)} dB`;
    const { x, y, width, height } = region;
    const large = await upscale(picture.low, { signal, padding });
    panels.push({ caption, image: crop(large, x, y, width, height), isRegion: true });
  }
}

/** Adds the name of the weight file, or its path, to names that several methods share. */
function withLabels(methods: readonly OpenedMethod[]): OpenedMethod[] {
  const candidates = methods.map(({ upscaler: { name }, weights = "" }) => [
    name,
    `${name} (${basename(weights, extname(weights))})`,
    `${name} (${weights})`,
  ]);
  const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();
  return methods.map((method, i) => {
    const isUnique = (label: string, k: number) =>
      candidates.filter((others) => same(others[k], label)).length === 1;
    const name = candidates[i].find(isUnique) ?? method.upscaler.name;
    return { ...method, upscaler: withChanges(method.upscaler, { name }) };
  });
}
