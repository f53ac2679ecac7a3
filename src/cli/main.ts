#!/usr/bin/env node
/**
 * The program `pixelgrad`: finds the sub-command, reads its flags and runs it. Commands are loaded when they are asked
 * for, and what they need (sharp, WebGPU) when they run, so that a help text is there at once.
 *
 * Exit codes: 0 done, 1 failed, 2 wrong command line, 130 stopped by Ctrl-C.
 */
import { readFileSync } from "node:fs";
import { type Command, helpOf, orList, parseFlags, table, UsageError } from "./flags.ts";

interface Entry {
  readonly summary: string;
  load(): Promise<Command>;
}

const commands: Readonly<Record<string, Entry>> = {
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
  upscale: {
    summary: "enlarges a picture, a folder of pictures, or video in a pipe",
    load: async () => (await import("./upscale.ts")).upscaleCommand as Command,
  },
};

process.exitCode = await main(process.argv.slice(2));

async function main([name, ...args]: string[]): Promise<number> {
  const stop = new AbortController();
  // Once: a second Ctrl-C ends the program at once.
  process.once("SIGINT", () => stop.abort());
  try {
    if (name === undefined || name === "--help" || name === "-h" || name === "help") {
      console.log(overview());
      return name === undefined ? 2 : 0;
    }
    if (name === "--version" || name === "-v") {
      console.log(version());
      return 0;
    }
    if (!Object.hasOwn(commands, name)) {
      const kind = name.startsWith("-") ? "flag" : "command";
      throw new UsageError(`there is no ${kind} "${name}"; commands are ${orList(Object.keys(commands))}`);
    }
    const command = await commands[name].load();
    if (args.includes("--help") || args.includes("-h")) {
      console.log(helpOf(command));
      return 0;
    }
    await command.run(parseFlags(command, args), { signal: stop.signal });
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      const known = name !== undefined && Object.hasOwn(commands, name) ? ` ${name}` : "";
      console.error(`pixelgrad${known}: ${error.message}. "pixelgrad${known} --help" explains.`);
      return 2;
    }
    if (stop.signal.aborted) {
      console.error("Stopped.");
      return 130;
    }
    console.error(process.env.PIXELGRAD_DEBUG ? error : `pixelgrad ${name}: ${messageOf(error)}`);
    return 1;
  }
}

function overview(): string {
  const rows = Object.entries(commands).map(([name, { summary }]) => [name, summary] as const);
  return `pixelgrad ${version()}: super-resolution with neural networks on WebGPU

pixelgrad COMMAND [flags]

Commands:
${table(rows)}

  pixelgrad COMMAND --help    explains a command, with examples
  pixelgrad --version         prints the version

Exit codes: 0 done, 1 failed, 2 wrong command line, 130 stopped by Ctrl-C.
Networks run on the fastest WebGPU adapter there is; --adapter or the environment variable PIXELGRAD_ADAPTER
choose another. With PIXELGRAD_DEBUG=1, a failure is printed with its stack trace.`;
}

function version(): string {
  return JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
