/**
 * Writes the WGSL that a device compiles, preludes and unrolled loops included: for a training step of a
 * small EDSR, and for every variant of conv2d. Kernels depend on the adapter, so another adapter gives other
 * sources.
 *
 *     npm run wgsl -- <folder>                          a new or empty folder
 *     PIXELGRAD_ADAPTER=swiftshader npm run wgsl -- <folder>
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GpuDevice } from "../src/device/gpu-device.ts";
import { type Variant, variants } from "../src/kernels/conv2d/plan.ts";
import { Adam, backward, conv2d, EDSR, init, l1Loss, manualSeed, rand, scope } from "../src/node.ts";

const folder = process.argv[2];
if (!folder || folder.startsWith("-"))
  refuse("npm run wgsl -- FOLDER: a new or empty folder for the sources.");
if (existsSync(folder) && readdirSync(folder).length > 0) {
  refuse(`${folder} is not empty. Name a new folder, so that no older sources mix with these.`);
}

const device = await init();
if (!(device instanceof GpuDevice)) refuse(`The adapter ${device.name} runs no WGSL. Choose another.`);
const { gpu } = device;

/** Sources in the order of their first use. A device compiles each only once, so this precedes all use. */
const sources: { name: string; code: string }[] = [];
const createShaderModule = gpu.createShaderModule.bind(gpu);
gpu.createShaderModule = (descriptor) => {
  sources.push({ name: descriptor.label ?? "kernel", code: descriptor.code });
  return createShaderModule(descriptor);
};

const random = manualSeed(1);
const x = rand([1, 16, 32, 32], random);
const weight = rand([16, 16, 3, 3], { random, low: -0.1, high: 0.1 });
for (const variant of variants) {
  // It needs subgroups of one known size.
  if (variant === "4-broadcast" && device.profile.subgroupSize === 0) continue;
  convolve(variant);
  await write(`conv2d-${variant}`);
}

trainOneStep();
await write("training-step");
console.log(`Written to ${folder}: what runs on ${device.name}.`);

function refuse(message: string): never {
  console.error(message);
  process.exit(2);
}

function convolve(variant: Variant): void {
  using _ = scope();
  conv2d(x, weight, undefined, { padding: 1, variant });
}

function trainOneStep(): void {
  const model = new EDSR({ blocks: 1, channels: 16, random });
  const adam = new Adam(model.parameters());
  using _ = scope();
  const loss = l1Loss(model.forward(rand([1, 3, 24, 24], random)), rand([1, 3, 48, 48], random));
  adam.step(backward(loss));
}

/** Writes the sources compiled since the last call, once the device has accepted them. */
async function write(part: string): Promise<void> {
  await device.sync();
  mkdirSync(join(folder, part), { recursive: true });
  for (const [i, { name, code }] of sources.splice(0).entries()) {
    const file = `${String(i + 1).padStart(2, "0")}-${name.replaceAll(/[^\w.-]+/g, "-")}.wgsl`;
    writeFileSync(join(folder, part, file), `${code.trim()}\n`);
  }
}
