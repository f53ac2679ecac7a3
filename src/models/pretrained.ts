/** Networks that come with the library. On what they learned, and how good they are: weights/README.md. */
import { ensureDevice } from "../device/open.ts";
import {
  type PretrainedName,
  type PretrainedScale,
  pretrainedFiles,
  pretrainedNames,
  pretrainedScales,
} from "./pretrained-files.ts";
import { loadModel } from "./registry.ts";
import type { SuperResolver } from "./super-resolver.ts";

/**
 * A network with the weights that come with the library; nothing is fetched from elsewhere. It is put on the
 * default device, which is opened if there is none.
 *
 * - `edsr-small`: the best, and what `upscale()` takes by itself; RGB.
 * - `espcn`: the fastest; luma.
 * - `srcnn`: the first one there was, for comparisons; luma, enlarged by bicubic interpolation beforehand.
 *
 *     const model = await loadPretrained("edsr-small", { scale: 2 });
 *
 * @throws RangeError if there is no such network, and an Error that says what to do where a bundler has lost
 *   the file.
 */
export async function loadPretrained(
  name: PretrainedName,
  { scale = 2 }: { readonly scale?: PretrainedScale } = {},
): Promise<SuperResolver> {
  if (!Object.hasOwn(pretrainedFiles, name)) {
    throw new RangeError(
      `loadPretrained: there is no network ${JSON.stringify(name)}; there are ${pretrainedNames.join(", ")}.`,
    );
  }
  const url: URL | undefined = pretrainedFiles[name][scale];
  if (url === undefined) {
    throw new RangeError(
      `loadPretrained: ${name} enlarges by ${pretrainedScales.join(", ")}, not by ${scale}. Train one with that scale, or ` +
        `take an interpolation.`,
    );
  }
  const bytes = await readAsset(url).catch((cause: Error) => {
    throw new Error(
      `loadPretrained: the weights of ${name} x${scale} cannot be read at ${url}: ${cause.message}. A bundler has to carry the ` +
        `package's folder "weights" along; the development server of Vite before 8 does with optimizeDeps: { exclude: ["pixelgrad"] ` +
        `}. Or serve the file yourself, and give its bytes to loadModel().`,
      { cause },
    );
  });
  await ensureDevice();
  return loadModel(bytes, `${name} x${scale}`);
}

/** Reads a file of this package by its address, and in Node any file by its path. */
export type AssetReader = (file: URL | string) => Promise<Uint8Array>;

let readAsset: AssetReader = fetchAsset;

/** Called by Node's entry (node.ts), since Node's fetch does not read files. */
export function registerAssetReader(other: AssetReader): void {
  readAsset = other;
}

/** The bytes of a weight file. Node only: in browsers, it rejects with what to do instead. */
export function readWeights(path: string): Promise<Uint8Array> {
  return readAsset(path);
}

async function fetchAsset(url: URL | string): Promise<Uint8Array> {
  if (typeof url === "string") {
    throw new Error("browsers read no files by their path, so fetch it and give its bytes, a Uint8Array");
  }
  const response = await fetch(url);
  // Development servers answer with their start page what they do not find.
  const page = response.headers.get("content-type")?.startsWith("text/html");
  if (!response.ok || page) {
    throw new Error(page ? "the server answers with a page" : `${response.status} ${response.statusText}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}
