/** Edited texts of the library's kernels, to be timed beside the originals. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { UsageError } from "../../src/cli/flags.ts";
import type { GpuDevice, Launch } from "../../src/device/gpu-device.ts";
import { type Kernel, kernel } from "../../src/device/kernel.ts";
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

/**
 * The variant once more with each edited text that belongs to a kernel that it launches, in the place of that one.
 * Everything else, constants and grid included, stays.
 *
 * @throws UsageError for texts that do not compile
 */
export async function withEdited(
  device: GpuDevice,
  variant: Variant,
  launches: readonly { readonly kernel: Kernel; readonly launch: Launch }[],
  edited: readonly EditedKernel[],
): Promise<Variant[]> {
  const versions: Variant[] = [];
  for (const { file, body } of edited) {
    const found = launches.find((each) => isVersionOf(file, each.kernel));
    if (!found) continue;
    const own = found.kernel;
    const instead = kernel(`${own.name} (${file})`, body);
    const messages = await device.checkKernel(instead, found.launch);
    const errors = messages.filter(({ severity }) => severity === "error");
    if (errors.length > 0) {
      const lines = errors.map(({ line, text }) => `line ${line ?? "?"}: ${text}`);
      throw new UsageError(`${file} does not compile for ${variant.name}: ${lines.join("; ")}`);
    }
    const replaced = <T>(body: () => T): T =>
      withLaunches(
        device,
        (kernel, launch, run) => run(kernel.name === own.name ? instead : kernel, launch),
        body,
      );
    versions.push({
      name: `${variant.name}, ${file}`,
      byRule: false,
      run: () => replaced(variant.run),
      result: () => replaced(variant.result),
    });
  }
  return versions;
}
