/** Edited texts of the library's kernels, to be timed beside the originals. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { UsageError } from "../../src/cli/flags.ts";
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import { type Kernel, kernel } from "../../src/device/kernel.ts";
import type { Launch } from "../../src/device/launch.ts";
import { withLaunches } from "./launches.ts";
import type { Variant } from "./workloads.ts";

export interface EditedKernel {
  /** The file's name. */
  readonly file: string;
  /** The text: a kernel's body, without the prelude. */
  readonly body: string;
}

/** The file that `--texts` writes for a kernel: "conv2d-6-prefetch.wgsl". */
export function fileOf({ name }: Pick<Kernel, "name">): string {
  return `${name.replaceAll(/[^\w.-]+/g, "-")}.wgsl`;
}

/** Is an edited file a version of a kernel? Its name begins as that of `fileOf`: "conv2d-6-prefetch.mine.wgsl". */
export function isVersionOf(file: string, kernel: Pick<Kernel, "name">): boolean {
  return file.startsWith(fileOf(kernel).slice(0, -"wgsl".length));
}

export function readEdited(path: string): EditedKernel {
  return { file: basename(path), body: readFileSync(path, "utf8") };
}

/** A variant with an edited text, or why there is none. */
export type EditedVariant = Variant | { readonly name: string; readonly problem: string };

/**
 * The variant once more with each edited text that belongs to a kernel that it launches, in the place of that one.
 * Everything else, constants and grid included, stays.
 */
export async function withEdited(
  device: GpuDevice,
  variant: Variant,
  launches: readonly { readonly kernel: Kernel; readonly launch: Launch }[],
  edited: readonly EditedKernel[],
): Promise<EditedVariant[]> {
  const versions: EditedVariant[] = [];
  for (const { file, body } of edited) {
    const found = launches.find((each) => isVersionOf(file, each.kernel));
    if (!found) continue;
    const own = found.kernel;
    const name = `${variant.name}, ${file}`;
    const made = await editedKernel(device, found, `${own.name} (${file})`, body);
    if ("problem" in made) {
      versions.push({ name, ...made });
      continue;
    }
    const { instead } = made;
    const replaced = <T>(body: () => T): T =>
      withLaunches(
        device,
        (kernel, launch, run) => run(kernel.name === own.name ? instead : kernel, launch),
        body,
      );
    versions.push({
      ...{ name, byRule: false },
      run: () => replaced(variant.run),
      result: () => replaced(variant.result),
    });
  }
  return versions;
}

/** The kernel of an edited text, or why it cannot be launched as the library's own is. */
async function editedKernel(
  device: GpuDevice,
  { kernel: own, launch }: { readonly kernel: Kernel; readonly launch: Launch },
  name: string,
  body: string,
): Promise<{ instead: Kernel } | { problem: string }> {
  try {
    const instead = kernel(name, body);
    const [wanted, got] = [own, instead].map(interfaceOf);
    if (got !== wanted)
      return { problem: `has other buffers or parameters (${got}) than the library's own (${wanted})` };
    const messages = await device.checkKernel(instead, launch);
    const errors = messages.filter(({ severity }) => severity === "error");
    if (errors.length === 0) return { instead };
    return {
      problem: `does not compile: ${errors.map(({ line, text }) => `line ${line ?? "?"}: ${text}`).join("; ")}`,
    };
  } catch (error) {
    if (device.failure) throw error;
    return { problem: `cannot be read: ${(error as Error).message}` };
  }
}

/** What a launch gives to a kernel: "0 x read, 1 y read_write, count u32". */
function interfaceOf({ bindings, params }: Kernel): string {
  const buffers = bindings.map(({ index, name, kind }) => `${index} ${name} ${kind}`);
  return [...buffers, ...params.map(({ name, type }) => `${name} ${type}`)].join(", ") || "none";
}

/** @throws UsageError for a text that is named after none of these kernels */
export function checkNames(edited: readonly EditedKernel[], kernels: readonly Kernel[]): void {
  const stray = edited.find(({ file }) => !kernels.some((kernel) => isVersionOf(file, kernel)));
  if (!stray) return;
  const names = kernels.map(fileOf).join(", ");
  throw new UsageError(
    `--wgsl ${stray.file} is named after no kernel that would be launched. Those are ${names}`,
  );
}

/**
 * Writes the texts of kernels into a folder, which is made if need be.
 *
 * @throws UsageError, before anything is written, if one of the files is there with another text
 */
export function writeTexts(folder: string, kernels: readonly Kernel[]): void {
  const files = kernels.map((kernel) => ({
    path: join(folder, fileOf(kernel)),
    text: `${kernel.body.trim()}\n`,
  }));
  for (const { path, text } of files) {
    if (!existsSync(path) || readFileSync(path, "utf8") === text) continue;
    const other = `${basename(path, ".wgsl")}.mine.wgsl`;
    throw new UsageError(
      `--texts ${folder}: ${path} is there with another text, perhaps an edited one. Name it ${other}, or name ` +
        "another folder",
    );
  }
  mkdirSync(folder, { recursive: true });
  for (const { path, text } of files) writeFileSync(path, text);
}
