#!/usr/bin/env node
/**
 * The program `pixelgrad`. Commands are loaded when they are asked for, and what they need (sharp, WebGPU)
 * when they run, so that a help text is there at once.
 */
import { readFileSync } from "node:fs";
import type { Command } from "./flags.ts";
import { type CommandGroup, run } from "./run.ts";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));

const pixelgrad: CommandGroup = {
  title: `pixelgrad ${version}: super-resolution with neural networks on WebGPU`,
  noun: "command",
  commands: {
    compare: {
      summary: "measures several methods on the same pictures: a table, a plot and details side by side",
      load: async () => (await import("./compare.ts")).compareCommand as Command,
    },
    evaluate: {
      summary: "measures a method on pictures: PSNR, SSIM and milliseconds",
      load: async () => (await import("./evaluate.ts")).evaluateCommand as Command,
    },
    info: {
      summary: "tells which WebGPU adapters there are, which one is used, and how fast it is",
      load: async () => (await import("./info.ts")).infoCommand as Command,
    },
    train: {
      summary: "trains a network on pictures: weights, a log, curves and a report",
      load: async () => (await import("./train.ts")).trainCommands,
    },
    upscale: {
      summary: "enlarges a picture, a folder of pictures, or video in a pipe",
      load: async () => (await import("./upscale.ts")).upscaleCommand as Command,
    },
  },
  notes: `  pixelgrad --version         prints the version

Exit codes: 0 done, 1 failed, 2 wrong command line, 130 stopped by Ctrl-C, 143 by SIGTERM.
Networks run on the fastest WebGPU adapter there is; --adapter or the environment variable PIXELGRAD_ADAPTER
choose another. With PIXELGRAD_DEBUG=1, a failure is printed with its stack trace.`,
};

const args = process.argv.slice(2);
if (args[0] === "--version" || args[0] === "-v") console.log(version);
else process.exitCode = await run("pixelgrad", pixelgrad, args);
