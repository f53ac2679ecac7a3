/** `pixelgrad info`: what networks will run on. */
import { cpus } from "node:os";
import type { Ceilings, GpuDevice } from "../node.ts";
import { defineCommand, text } from "./flags.ts";
import { adapterFlag } from "./methods.ts";
import { checkFolderOf } from "./results.ts";

export const infoCommand = defineCommand(
  {
    name: "info",
    summary: "tells which WebGPU adapters there are, which one is used, and how fast it is",
    about: `
Networks run on a WebGPU adapter: a graphics card, or a program that does its work on the processor.
The fastest kind that is present is used: a GPU, lavapipe, SwiftShader; --adapter chooses another, here
and in all commands.

The ceilings are measured, for some seconds: additions and multiplications per second at best, and
bytes per second of a plain copy. No network can run faster than these say.`,
    flags: {
      adapter: adapterFlag,
      json: { value: "FILE", help: "writes the same there", read: text },
    },
    examples: [
      ["info", "the adapter that is used by default"],
      ["info -g swiftshader", "another one"],
    ],
  },
  async ({ adapter, json }) => {
    if (json !== undefined) checkFolderOf(json);
    const { adaptersPresent, GpuDevice: Gpu, init, measureCeilings } = await import("../node.ts");
    const present = await adaptersPresent();
    const device = await init({ adapter });
    const processor = `${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown"}`;
    console.log(`processor   ${processor}, ${process.platform} ${process.arch}, Node ${process.version}`);
    console.log(`adapters    ${present.length > 0 ? present.join("\n            ") : "none but cpu"}`);
    console.log(`in use      ${device.name}`);
    const limits = device instanceof Gpu ? limitsOf(device) : undefined;
    let ceilings: Ceilings | undefined;
    if (device instanceof Gpu && limits) {
      console.log(
        `subgroups   ${limits.profile.subgroupSize > 0 ? `of ${limits.profile.subgroupSize}` : "none of one size"}`,
      );
      console.log(
        `limits      ${mebibytes(limits.maxStorageBufferBindingSize)} for a tensor, ${mebibytes(limits.maxBufferSize)} for a buffer`,
      );
      console.error("Measuring …");
      ceilings = await measureCeilings(device, { runs: 5, minRunMs: 20 });
      console.log(`arithmetic  ${figure(ceilings.flops / 1e9)} GFLOP/s at best`);
      for (const { bytes, rate } of ceilings.copies) {
        console.log(`copying     ${figure(rate / 1e9).padStart(5)} GB/s, of ${mebibytes(bytes)}`);
      }
    } else {
      console.log("            plain TypeScript, for comparison: a hundred times slower than any adapter");
    }
    if (json === undefined) return;
    const { writeWhole } = await import("../data/files.ts");
    const found = { processor, adapters: present, adapter: device.name, ...limits, ceilings };
    await writeWhole(json, `${JSON.stringify(found, null, 2)}\n`);
  },
);

function limitsOf({ profile, gpu }: GpuDevice) {
  const { maxStorageBufferBindingSize, maxBufferSize } = gpu.limits;
  return { profile, maxStorageBufferBindingSize, maxBufferSize };
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

function figure(value: number): string {
  return value.toPrecision(3);
}
