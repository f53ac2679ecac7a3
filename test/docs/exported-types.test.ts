/**
 * Every type that a public declaration names can be imported from the package. Otherwise a program with
 * `declaration: true` cannot export a function that returns one (TS2883), and no function of its own can say what it
 * takes.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "pixelgrad-declarations-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Where something is declared: `file#name`. */
type Place = string;

/** What a file of declarations says. */
interface Module {
  /** What stands at the top level, by its name, without comments. */
  readonly declared: Map<string, string>;
  readonly imported: Map<string, { file: string; name: string }>;
  /** What it exports under which name: its own, or that of another file. */
  readonly exported: Map<string, { file: string; name: string }>;
  /** Files whose exports are its own, too. */
  readonly all: string[];
}

const modules = new Map<string, Module>();

function read(file: string): Module {
  const known = modules.get(file);
  if (known) return known;
  const module: Module = { declared: new Map(), imported: new Map(), exported: new Map(), all: [] };
  modules.set(file, module);
  const text = readFileSync(file, "utf8").replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const path = (from: string) => join(dirname(file), from.replace(/\.ts$/, ".d.ts"));
  const names = (list: string) =>
    list.split(",").flatMap((item) => {
      const [, name, as] = /^\s*(?:type )?(\w+)(?: as (\w+))?\s*$/.exec(item) ?? [];
      return name ? [{ name, as: as ?? name }] : [];
    });
  for (const [, list, from] of text.matchAll(/^import (?:type )?\{([^}]*)\} from "(\.[^"]+)"/gm)) {
    for (const { name, as } of names(list)) module.imported.set(as, { file: path(from), name });
  }
  for (const [, list, from] of text.matchAll(/^export (?:type )?\{([^}]*)\}(?: from "(\.[^"]+)")?/gm)) {
    for (const { name, as } of names(list)) {
      const own = module.imported.get(name) ?? { file, name };
      module.exported.set(as, from ? { file: path(from), name } : own);
    }
  }
  for (const [, from] of text.matchAll(/^export \* from "(\.[^"]+)"/gm)) module.all.push(path(from));
  const heads =
    /^(export )?(?:declare )?(?:abstract )?(?:class|interface|type|function|const|let|namespace) (\w+)/gm;
  const found = [...text.matchAll(heads)];
  for (const [i, { 1: isExported, 2: name, index }] of found.entries()) {
    const declaration = text
      .slice(index, found[i + 1]?.index)
      .replace(/^(?:export|import) .*from "[\s\S]*/m, "");
    module.declared.set(name, (module.declared.get(name) ?? "") + declaration); // overloads
    if (isExported) module.exported.set(name, { file, name });
  }
  return module;
}

/** Where the thing is declared that this file exports under this name. */
function placeOf(file: string, name: string): Place | undefined {
  const { exported, declared, all } = read(file);
  const own = exported.get(name);
  if (own && own.file === file && declared.has(own.name)) return `${file}#${own.name}`;
  if (own) return placeOf(own.file, own.name);
  for (const other of all) {
    const place = placeOf(other, name);
    if (place) return place;
  }
  return undefined;
}

function exportsOf(file: string): string[] {
  const { exported, all } = read(file);
  return [...exported.keys(), ...all.flatMap(exportsOf)];
}

function declarationOf(place: Place): string {
  const [file, name] = place.split("#");
  return read(file).declared.get(name)!;
}

/** What a declaration names, of this package. */
function namedIn(place: Place): Place[] {
  const [file, name] = place.split("#");
  const { declared, imported } = read(file);
  const text = declared
    .get(name)!
    .replaceAll(/"[^"\n]*"/g, (quoted) => (/^"\.\.?\//.test(quoted) ? quoted : ""));
  const inline = [...text.matchAll(/import\("(\.[^"]+)"\)\.(\w+)/g)].map(([, from, name]) =>
    placeOf(join(dirname(file), from.replace(/\.ts$/, ".d.ts")), name),
  );
  // Words with a capital, except names of members.
  const words = [...text.matchAll(/(?<![\w.])[A-Z]\w*(?!\w*\??:|\()/g)].map(([word]) => {
    const from = imported.get(word);
    if (from) return placeOf(from.file, from.name);
    return word !== name && declared.has(word) ? `${file}#${word}` : undefined;
  });
  return [...new Set([...inline, ...words].filter((one) => one !== undefined))];
}

/** What stays inside: parts of networks, which are modules for everybody else, and of a GPU device. */
const insides = new Set([
  "device/capture.d.ts#Capture",
  "device/gpu-device.d.ts#HostHooks",
  "device/pool.d.ts#PooledBuffer",
  "device/tuning.d.ts#Tuning",
  "models/edsr.d.ts#MeanShift",
  "models/rrdbnet.d.ts#Block",
  "models/span.d.ts#Block",
  "models/span.d.ts#FoldedConv",
  "models/wren.d.ts#Block",
  "upscale/bands.d.ts#InnerOptions",
]);

test("every type that a public declaration names is exported", () => {
  const typescript = dirname(createRequire(import.meta.url).resolve("typescript/package.json"));
  const options = ["--emitDeclarationOnly", "--declarationMap", "false", "--sourceMap", "false"];
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(typescript, "bin/tsc"), "-p", "tsconfig.build.json", ...options, "--outDir", folder],
    { cwd: root, encoding: "utf8" },
  );
  expect(status, stdout).toBe(0); // tsc prints its errors there
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const entries = Object.values<Record<string, string | { types: string }>>(exports).flatMap((conditions) =>
    Object.entries(conditions).flatMap(([condition, value]) =>
      condition === "types"
        ? [value as string]
        : condition === "node"
          ? [(value as { types: string }).types]
          : [],
    ),
  );
  // The single file's declarations are those of src/browser.ts.
  const files = entries
    .filter((entry) => entry !== undefined)
    .map((entry) =>
      join(folder, entry.replace("./dist/browser/pixelgrad", "browser").replace("./dist/", "")),
    );
  const open = new Set(files.flatMap((file) => exportsOf(file).map((name) => placeOf(file, name)!)));
  expect(open.size).toBeGreaterThan(300);
  const missing = new Map<string, string>();
  const seen = new Set(open);
  for (const place of seen) {
    for (const named of namedIn(place)) {
      if (open.has(named)) continue;
      const [file, name] = named.split("#");
      const short = named.slice(folder.length + 1);
      const isLocalAlias = !read(file).exported.has(name) && declarationOf(named).startsWith("type ");
      const isBase = new RegExp(`^[^{]*\\bextends [^{]*\\b${name}\\b`).test(declarationOf(place));
      // TypeScript writes out the members of both.
      if (isLocalAlias || isBase) seen.add(named);
      else if (!insides.has(short)) missing.set(short, place.slice(folder.length + 1));
    }
  }
  expect(Object.fromEntries(missing), "each is named by the declaration at its right").toEqual({});
});
