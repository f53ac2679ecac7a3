/**
 * Makes dist-web/, the package `pixelgrad-web`: what of this package browsers can use, without dependencies. Its
 * files are those of dist/, so `npm run build` comes first. docs/browsers.md says why there are two packages.
 *
 *     npm run build:web && npm publish dist-web
 */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";

interface Entry {
  readonly types: string;
  readonly default: string;
}

const from = fileURLToPath(new URL("..", import.meta.url));
const to = join(from, "dist-web");
const manifest = JSON.parse(readFileSync(join(from, "package.json"), "utf8"));

/** The entries that are not for Node alone, with what others than Node find there. */
const entries = Object.fromEntries(
  Object.entries<Partial<Entry>>(manifest.exports)
    .filter(([, entry]) => entry.default !== undefined)
    .map(([name, entry]) => [name, { types: entry.types, default: entry.default }]),
) as Record<string, Entry>;

const files = new Set<string>();
for (const entry of Object.values(entries)) for (const file of [entry.types, entry.default]) add(file);
add("./dist/browser/thread.js");

rmSync(to, { recursive: true, force: true });
for (const file of files) {
  mkdirSync(dirname(join(to, file)), { recursive: true });
  // The maps lead to src, which is not here.
  const text = readFileSync(join(from, file), "utf8").replace(/\n\/\/# sourceMappingURL=.*/, "");
  writeFileSync(join(to, file), text);
}
cpSync(join(from, "weights"), join(to, "weights"), {
  recursive: true,
  filter: (path) => !path.includes("training"),
});
for (const name of ["LICENSE", "CHANGELOG.md"]) cpSync(join(from, name), join(to, name));
cpSync(join(from, "docs/browsers.md"), join(to, "README.md"));

const { version, keywords, license, type, jsdelivr, unpkg } = manifest;
const sideEffects = manifest.sideEffects.filter((file: string) => files.has(file));
writeFileSync(
  join(to, "package.json"),
  JSON.stringify(
    {
      name: "pixelgrad-web",
      version,
      description: "pixelgrad for browsers: super-resolution on WebGPU, without what Node needs.",
      ...{ keywords, license, type, sideEffects, exports: entries, jsdelivr, unpkg },
    },
    undefined,
    2,
  ) + "\n",
);
console.log(`dist-web: ${files.size} files of dist.`);

/** Adds a file and all that it imports, by statements, in types, and as a worker. */
function add(file: string): void {
  if (files.has(file)) return;
  if (!existsSync(join(from, file))) throw new Error(`${file} is missing; npm run build makes it.`);
  files.add(file);
  const text = readFileSync(join(from, file), "utf8").replace(/\/\*[\s\S]*?\*\//g, ""); // examples are no imports
  for (const [, specifier] of text.matchAll(
    /(?:\bfrom|\bimport|\bimport\(|new URL\() ?["'](\.\.?\/[^"']+\.[jt]s)["']/g,
  )) {
    const imported = `./${posix.join(dirname(file), specifier)}`;
    add(file.endsWith(".d.ts") ? imported.replace(/(\.d)?\.[jt]s$/, ".d.ts") : imported);
  }
}
