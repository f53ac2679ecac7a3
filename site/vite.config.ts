/** The page. `npm run page` serves it, `npm run page:build` makes static files for any web server. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: folder("."),
  base: "./", // so that the files work from any folder of a server
  // The target has `using` written out for browsers without it. The worker is a module, like its source.
  oxc: { target: "es2022" },
  worker: { format: "es" },
  // No files as data: URLs: a strict policy for the page's contents forbids them.
  build: { outDir: folder("../dist-page"), emptyOutDir: true, target: "es2022", assetsInlineLimit: 0 },
  server: { host: "127.0.0.1", fs: { allow: [folder("..")] } },
});
