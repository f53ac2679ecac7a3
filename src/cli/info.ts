/** `pixelgrad info`: what networks will run on. */
import { cpus } from "node:os";
import { file } from "../options/kinds.ts";
import { defineCommand } from "./flags.ts";
import { adapterFlag } from "./methods.ts";
import { checkOutputs, checkWritable, writeJson } from "./outputs.ts";
import { print, printError } from "./print.ts";

export const infoCommand = defineCommand({
  about: `
Lists the WebGPU adapters, names the one in use and measures how fast it is.

Networks run on a WebGPU adapter: a graphics card, or a program that does its work on the processor.
Of those present, the fastest kind is used: a card before a program. --adapter chooses another one,
here and in all commands.

Measuring takes some seconds: the most additions and multiplications per second that the adapter
reaches, and the bytes per second of a plain copy. No network can run faster than these allow.`,
  flags: {
    adapter: adapterFlag,
    json: { kind: file, help: "writes the same here, as JSON" },
  },
  examples: [
    ["", "the adapter in use by default"],
    ["-g NVIDIA", "one whose name contains this"],
  ],
  async run({ adapter, json }) {
    checkOutputs([{ flag: "--json", path: json }], new Set());
    checkWritable(json);
    const { adaptersPresent, GpuDevice, init, measureCeilings } = await import("../node.ts");
    const adapters = await adaptersPresent();
    const device = await init({ adapter });
    const processor = `${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown"}`;
    print(`processor   ${processor}, ${process.platform} ${process.arch}, Node ${process.version}`);
    const names = adapters.length > 0 ? adapters : ["none but cpu"];
    print(...names.map((name, i) => `${(i === 0 ? "adapters" : "").padEnd(12)}${name}`));
    print(`in use      ${device.name}`);
    const facts = { processor, adapters, adapter: device.name };
    if (!(device instanceof GpuDevice)) {
      print("            plain TypeScript, for comparison: a hundred times slower than any adapter");
      await writeJson(json, facts);
      return;
    }
    const { profile, gpu } = device;
    const { maxStorageBufferBindingSize, maxBufferSize } = gpu.limits;
    print(`subgroups   ${profile.subgroupSize > 0 ? `of ${profile.subgroupSize}` : "none of one size"}`);
    print(`float16     ${profile.float16 ? "yes, for --half" : "no, so --half does not work here"}`);
    print(`limits      ${mebibytes(maxStorageBufferBindingSize)} for a tensor`);
    print(`            ${mebibytes(maxBufferSize)} for a buffer`);
    printError("Measuring …");
    const ceilings = await measureCeilings(device, { runs: 5, minRunMs: 20 });
    print(`arithmetic  ${figure(ceilings.flops / 1e9)} GFLOP/s at best`);
    for (const { bytes, rate } of ceilings.copies) {
      print(`copying     ${figure(rate / 1e9).padStart(5)} GB/s, of ${mebibytes(bytes)}`);
    }
    await writeJson(json, { ...facts, profile, maxStorageBufferBindingSize, maxBufferSize, ceilings });
  },
});

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

function figure(value: number): string {
  return value.toPrecision(3);
}
