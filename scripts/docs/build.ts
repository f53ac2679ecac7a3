/**
 * Builds the documentation site into dist-docs/: `npm run docs`. Static files that work in any folder of a web
 * server, and from a disk. Only the first time it needs the network, for TypeDoc (scripts/docs/api), which
 * writes the API reference; `--no-api` leaves that out. Fails if a link leads nowhere.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { apiEntries, renamePage } from "./api.ts";
import { contents, home, root } from "./contents.ts";
import { layout } from "./layout.ts";
import { addressOf, makeSite } from "./site.ts";

const out = join(root, "dist-docs");
const here = import.meta.dirname ?? join(root, "scripts/docs");
const withApi = !process.argv.includes("--no-api");

const reference = withApi ? apiReference() : new Map<string, string>();
const sections = withApi ? [...contents, { title: "API reference", entries: apiEntries }] : contents;
const { pages, files, broken } = makeSite(reference);
if (broken.length > 0) {
  console.error(`${broken.join("\n")}\nLinks that lead nowhere: ${broken.length}.`);
  process.exit(1);
}

rmSync(out, { recursive: true, force: true });
const write = (address: string, text: string) => {
  mkdirSync(dirname(join(out, address)), { recursive: true });
  writeFileSync(join(out, address), text);
};
for (const page of pages) write(page.address, layout(page, sections, addressOf(home, "page")));
for (const [path, address] of files) {
  mkdirSync(dirname(join(out, address)), { recursive: true });
  cpSync(join(root, path), join(out, address));
}
cpSync(join(here, "assets"), join(out, "assets"), { recursive: true });
const miniSearch = createRequire(import.meta.url).resolve("minisearch");
cpSync(join(dirname(miniSearch), "../umd/index.js"), join(out, "assets/minisearch.js"));
const searched = pages.map(({ address, title, headings, text }) => ({
  id: address,
  title,
  headings: headings.map(({ text }) => text).join(" "),
  text,
}));
// A script instead of JSON, since pages on a disk may not fetch.
write("assets/search-index.js", `searchIndex(${JSON.stringify(searched)});\n`);
console.log(`dist-docs/: ${pages.length} pages, every link checked. Open dist-docs/index.html.`);

/** TypeDoc's Markdown, by the path that it has in the site. */
function apiReference(): Map<string, string> {
  const folder = join(here, "api");
  if (!existsSync(join(folder, "node_modules/typedoc"))) {
    console.log("Installing TypeDoc, once.");
    execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
      cwd: folder,
      stdio: "inherit",
      shell: process.platform === "win32",
    });
  }
  const output = join(root, ".cache/docs-api");
  rmSync(output, { recursive: true, force: true });
  execFileSync(
    process.execPath,
    [
      join(folder, "node_modules/typedoc/bin/typedoc"),
      "--options",
      "typedoc.json",
      "--logLevel",
      "Error",
      "--out",
      output,
    ],
    { cwd: folder, stdio: "inherit" },
  );
  const markdown = readdirSync(output, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".md"),
  );
  return new Map(
    markdown.map((path) => renamePage(path.replaceAll("\\", "/"), readFileSync(join(output, path), "utf8"))),
  );
}
