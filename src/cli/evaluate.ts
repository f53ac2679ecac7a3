import type { PairFiles } from "../data/pairs.ts";
import type { EvaluateOptions } from "../evaluate/index.ts";
import { file } from "../options/kinds.ts";
import { printable } from "../options/printable.ts";
import { withReport } from "./failure.ts";
import { defineCommand } from "./flags.ts";
import { aboutProtocols, measureFlags, picturesInFolders, refuseBoth } from "./measure-flags.ts";
import { ensembleFlag, halfFlag, methodFlag } from "./method-flags.ts";
import { methodOf } from "./methods.ts";
import { checkOutputs, inputsOf, jsonOutput, prepareJson, writeJson } from "./outputs.ts";
import { print, printError } from "./print.ts";
import {
  collectFindings,
  describeResult,
  figures,
  measure,
  notesOnFiles,
  type Result,
  refuseFailures,
  withoutFigures,
} from "./results.ts";

export const evaluateCommand = defineCommand({
  about: `
Measures a method on pictures: PSNR, SSIM and milliseconds.

Takes every picture of a folder (HR) and a small version of it (LR), which it makes or reads,
enlarges the small one, and compares the result with the original.
${aboutProtocols}

ms is the time for enlarging alone, after a warm-up, until the result is in memory. With
--protocol y, methods that work on Y enlarge nothing else.`,
  flags: {
    ...measureFlags,
    method: { ...methodFlag, required: true },
    ensemble: ensembleFlag,
    half: halfFlag,
    json: {
      kind: file,
      help:
        "writes the figures here, too, - for standard output, also if the command is stopped, and what could not be " +
        "measured if there are none; null stands for infinite PSNR",
    },
  },
  examples: [
    ["--hr Set5/HR --scale 2 --method bicubic", "the first row of the papers' tables"],
    [
      "--hr Set5/HR --scale 3 --method srcnn --json srcnn.json",
      "a network that comes with pixelgrad, with its figures as JSON",
    ],
    ["--hr Set5/HR --scale 1 -m cleaner.safetensors --degradation jpeg:60", "a network that cleans JPEGs"],
    [
      "--hr DIV2K_valid_HR --lr DIV2K_valid_LR_bicubic/X2 \\\n" +
        "      --method edsr-x2.safetensors --protocol rgb --border 8",
      "the EDSR paper's figures on DIV2K",
    ],
  ],
  async run({ hr, lr, degradation, protocol, border, padding, json, ...flags }, { signal }) {
    prepareJson(json);
    const { findPictures } = await import("../evaluate/index.ts");
    refuseBoth(lr, degradation);
    const inputs = inputsOf(await picturesInFolders(hr, lr), [flags.method]);
    const opened = await methodOf(flags);
    try {
      checkOutputs([jsonOutput(json)], inputs);
      const findings = collectFindings();
      const { scale } = opened.upscaler;
      let pictures: readonly PairFiles[];
      try {
        pictures = findPictures(hr, { scale, lowFolder: lr, degradation, ...findings.callbacks });
      } catch (error) {
        if (findings.unpaired.length === 0) throw error; // it is not about the pictures
        const unmeasured = { ...withoutFigures(opened, findings, error as Error), notes: [] };
        return await withReport(
          () => Promise.reject(error),
          () => writeJson(json, unmeasured),
        );
      }
      const width = Math.max("picture".length, ...pictures.map(({ name }) => printable(name).length));
      const printRow = (name: string, ...columns: string[]) =>
        print(printable(name).padEnd(width) + columns.map((column) => column.padStart(11)).join(""));
      const options: EvaluateOptions = {
        protocol,
        border,
        padding,
        signal,
        partial: true,
        onFailure: printError,
        onPicture(score, i) {
          if (i === 0) printRow("picture", "PSNR, dB", "SSIM", "ms");
          printRow(score.name, ...figures(score));
        },
      };
      const notes = await notesOnFiles(pictures);
      let report: Partial<Result>;
      const work = async () => {
        const result = await measure(opened, pictures, options, { ...findings, notes }).catch((error) => {
          const stopped = signal.aborted ? { of: pictures.length } : undefined;
          report = { ...withoutFigures(opened, findings, error), notes, stopped };
          throw error;
        });
        report = result;
        printRow("mean", ...figures(result.mean));
        print("", `${result.method} x${result.scale}: ${describeResult(result)}`);
        signal.throwIfAborted();
        refuseFailures([result]);
      };
      await withReport(work, () => writeJson(json, report));
    } finally {
      opened.close();
    }
  },
});
