/**
 * Makes dist/browser/pixelgrad.js of dist/browser.js: the library for browsers as one file without imports, for
 * `<script type="module">` and CDNs. Weights stay files of their own, at ../../weights: what each page needs of
 * them is fetched when it is needed. Part of `npm run build`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { shorterBundle } from "./shorter-bundle.ts";

const folder = fileURLToPath(new URL("../dist", import.meta.url));
const { version } = JSON.parse(readFileSync(`${folder}/../package.json`, "utf8"));

const bundle = await rolldown({
  input: `${folder}/browser.js`,
  platform: "browser",
  plugins: [shorterBundle()],
});
const { output } = await bundle.write({
  dir: `${folder}/browser`,
  entryFileNames: "pixelgrad.js",
  format: "esm",
  // String(model) and errors name classes.
  minify: { mangle: { keepNames: { class: true, function: false } } },
  banner: `/*! pixelgrad ${version}, MIT license. Readable modules of the same code are in the folder above. */`,
});
await bundle.close();
if (output.length !== 1) throw new Error(`One file was wanted, and there are ${output.length}.`);

// The program of its worker. A page that uses both has the library in its cache by then.
writeFileSync(`${folder}/browser/thread.js`, 'import { serve } from "./pixelgrad.js";\nserve();\n');
// Its types, for import maps and bundlers.
writeFileSync(`${folder}/browser/pixelgrad.d.ts`, 'export * from "../browser.js";\n');
