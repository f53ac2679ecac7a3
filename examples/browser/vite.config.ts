/** The page of this folder. `npm run page` serves it, `npm run page:build` makes static files for any web server. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: folder("."),
  base: "./", // so that the files work from any folder of a server
  // `using` is written out for browsers that do not know it; the worker is a module, as its own source is.
  oxc: { target: "es2022" },
  worker: { format: "es" },
  build: { outDir: folder("../../dist-page"), emptyOutDir: true, target: "es2022" },
  server: { host: "127.0.0.1", fs: { allow: [folder("../..")] } },
});
