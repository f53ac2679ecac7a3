/** The networks that come with the library: where their weights are, and how they are read. */
import { ensureDevice } from "../device/open.ts";
import { loadModel } from "../models/registry.ts";
import type { SuperResolver } from "../models/super-resolver.ts";
import { ArgumentError, anything, checkOptions } from "../options/arguments.ts";
import { quote } from "../options/kinds.ts";
import { DEFAULT_SCALE } from "../picture/scales.ts";
import { outsideScopes } from "../tensor/scope.ts";
import { readFile } from "./file-reader.ts";
import {
  hasFile,
  isPretrained,
  type PretrainedName,
  type PretrainedScale,
  pretrainedFile,
  pretrainedNames,
  scalesOf,
} from "./method-names.ts";

/**
 * A network with the weights that come with the library; nothing is downloaded from elsewhere. Its weights go
 * to the default device, which is opened if there is none.
 *
 * - `wren`: the best, and the default where it has the scale (`scalesOf`); RGB.
 * - `wren-photo`: the same for pictures with traces of JPEG, noise or blur; at scale 1 it only removes them;
 *   RGB.
 * - `edsr-small`: a smaller EDSR; RGB.
 * - `espcn`: the fastest; luma.
 * - `srcnn`: the first of its kind, for comparisons; luma that bicubic interpolation has enlarged.
 *
 *     const model = await loadPretrained("wren", { scale: 2 });
 *
 * @throws RangeError if there is no such network, and an Error with `code` "WEIGHTS_UNREADABLE", which says what to
 *   do, where the file does not come: a bundler has lost it, or the page is offline.
 */
export async function loadPretrained(
  name: PretrainedName,
  options: { readonly scale?: PretrainedScale } = {},
): Promise<SuperResolver> {
  checkOptions("loadPretrained", options, { scale: anything });
  const { bytes, label } = await readPretrained("loadPretrained", name, options.scale);
  await ensureDevice();
  // The caller disposes it: a scope that is open here may belong to work beside this call.
  return outsideScopes(() => loadModel(bytes, label));
}

/** The same, not yet a network, for a function that errors call `caller`. */
export async function readPretrained(
  caller: string,
  name: PretrainedName,
  scale: PretrainedScale = DEFAULT_SCALE,
): Promise<{ bytes: Uint8Array; label: string }> {
  if (!isPretrained(name)) {
    throw new ArgumentError(
      caller,
      `there is no network ${quote(name)}; there are ${pretrainedNames.join(", ")}.`,
    );
  }
  if (!hasFile(name, scale)) {
    throw new ArgumentError(
      caller,
      `${name} enlarges by ${scalesOf(name).join(", ")}, not by ${quote(scale)}. Train one ` +
        "with that scale, or take an interpolation.",
    );
  }
  const bytes = await readFileOf(name, scale).catch((cause: Error) => {
    const error = new Error(
      `${caller}: the weights of ${name} x${scale} cannot be read: ${cause.message}. A bundler has to copy ` +
        `the package's folder "weights"; the development server of Vite before 8 finds it with optimizeDeps: ` +
        `{ exclude: ["pixelgrad"] }. Bundles for Node leave the package out (esbuild: --external:pixelgrad). Or ` +
        "serve the file yourself, and give its bytes to loadModel().",
      { cause },
    );
    throw Object.assign(error, { code: "WEIGHTS_UNREADABLE" });
  });
  return { bytes, label: `${name} x${scale}` };
}

async function readFileOf(name: PretrainedName, scale: PretrainedScale): Promise<Uint8Array> {
  const url = pretrainedFile(name, scale)!;
  return readFile(url).catch((cause: Error) => {
    throw new Error(`${url}: ${cause.message}`, { cause });
  });
}
