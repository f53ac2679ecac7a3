#!/usr/bin/env node
/**
 * The program `pixelgrad`. A command is loaded when it is asked for, and what it needs (sharp, WebGPU) when
 * it runs, so that help texts appear at once.
 */
import { readFileSync } from "node:fs";
import type { Command } from "./flags.ts";
import { print, printError } from "./print.ts";
import { type CommandGroup, run } from "./run.ts";

const { version, engines } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));

// What sharp needs: an older Node would end in a syntax error.
const [major, minor] = engines.node.match(/\d+/g).map(Number);
const [ownMajor, ownMinor] = process.versions.node.split(".").map(Number);
if (ownMajor < major || (ownMajor === major && ownMinor < minor)) {
  printError(`pixelgrad needs Node ${major}.${minor} or later, and this is ${process.version}.`);
  process.exit(1);
}

const pixelgrad: CommandGroup = {
  title: `pixelgrad ${version}: super-resolution with neural networks on WebGPU`,
  noun: "command",
  commands: {
    compare: {
      summary: "measures several methods on the same pictures, and shows them side by side",
      load: async () => (await import("./compare.ts")).compareCommand as Command,
    },
    convert: {
      summary: "writes a network's weights in another format: safetensors, PyTorch, ONNX",
      load: async () => (await import("./convert.ts")).convertCommand as Command,
    },
    evaluate: {
      summary: "measures a method on pictures: PSNR, SSIM and milliseconds",
      load: async () => (await import("./evaluate.ts")).evaluateCommand as Command,
    },
    export: {
      summary: "writes a network for ONNX Runtime, Triton and others",
      load: async () => (await import("./convert.ts")).exportCommand as Command,
    },
    info: {
      summary: "says what a weight file holds; or which adapters there are, and how fast one is",
      load: async () => (await import("./info.ts")).infoCommand as Command,
    },
    train: {
      summary: "trains a network on pictures: weights, a log, curves and a report",
      load: async () => (await import("./train.ts")).trainCommands,
    },
    upscale: {
      summary: "enlarges pictures, folders of pictures, or video from a pipe",
      load: async () => (await import("./upscale.ts")).upscaleCommand as Command,
    },
  },
  notes: `  pixelgrad --version         prints the version

Exit codes: 0 done; 1 failed, also if only a part did; 2 wrong command line; 130 stopped by Ctrl-C,
129 by SIGHUP, 143 by SIGTERM; 141 if the reader of standard output ended first ("… | head").
Networks run on the fastest WebGPU adapter. --adapter or the environment variable PIXELGRAD_ADAPTER
chooses another one. With PIXELGRAD_DEBUG=1, what ends a command is printed with its stack trace,
and so is what fails with a single picture in upscale, or with a single method in compare.`,
};

const args = process.argv.slice(2);
if (args[0] === "--version" || args[0] === "-v") print(version);
else process.exitCode = await run("pixelgrad", pixelgrad, args);
