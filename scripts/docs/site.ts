/**
 * The site's pages: the table of contents, and whatever its pages link to. A Markdown file becomes a page, a source
 * file a page with its text and an anchor for each line (`#L12`), a folder a list of its files, and anything
 * else (pictures, measurements) is copied. All addresses are relative, so that the site works in any folder of
 * a web server, and from a disk.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, extname, join, posix } from "node:path";
import { contents, home, root } from "./contents.ts";
import { escapeHtml, highlight, type Rendered, render } from "./markdown.ts";

export interface Page extends Rendered {
  /** What it was made of: a path in the repository. */
  readonly source: string;
  /** Its address in the site. */
  readonly address: string;
}

export interface Site {
  readonly pages: readonly Page[];
  /** Files that are copied: from where, to which address. */
  readonly files: ReadonlyMap<string, string>;
  /** Links that lead nowhere, as sentences. */
  readonly broken: readonly string[];
}

const sourceLanguages: Readonly<Record<string, string>> = {
  ".ts": "typescript",
  ".cts": "typescript",
  ".mjs": "javascript",
  ".py": "python",
  ".html": "html",
};

/** Where a file or folder of the repository is in the site. */
export function addressOf(path: string, kind: "page" | "source" | "folder" | "file"): string {
  const inSite = path.replace(/^docs\/(?=.)/, "");
  if (path === home) return "index.html";
  switch (kind) {
    case "page":
      // The repository's own README is not the site's first page: docs/README.md is.
      return inSite.replace(/(?<=\/)README\.md$/, "index.html").replace(/\.md$/, ".html");
    case "source":
      return `${inSite}.html`;
    case "folder":
      return join(inSite, "index.html");
    case "file":
      return inSite;
  }
}

/** What is in the menu, and the repository's README, which nothing links to. */
const start = [home, "README.md", ...contents.flatMap(({ entries }) => entries.map(({ path }) => path))];

/**
 * @param generated Markdown that is no file of the repository (the API reference), by the path that it would have.
 * @param from Where to begin; all that is linked from there belongs to the site.
 */
export function makeSite(generated: ReadonlyMap<string, string> = new Map(), from = start): Site {
  const pages = new Map<string, Page>();
  const files = new Map<string, string>();
  const broken: string[] = [];
  /** Links to anchors, which are checked when all pages are there. */
  const anchors: { from: string; href: string; to: string; anchor: string }[] = [];
  const queue = [...from, ...generated.keys()];
  const seen = new Set(queue);

  /** Puts a path that is linked to into the site, and returns its address; undefined if there is none. */
  const place = (path: string): string | undefined => {
    const isPage = generated.has(path) || (path.endsWith(".md") && existsSync(join(root, path)));
    if (!isPage && !existsSync(join(root, path))) return undefined;
    const isFolder = !isPage && statSync(join(root, path)).isDirectory();
    if (isFolder && existsSync(join(root, path, "README.md"))) return place(join(path, "README.md"));
    const isSource = !isFolder && !isPage && extname(path) in sourceLanguages;
    if (!isPage && !isFolder && !isSource) {
      const address = addressOf(path, "file");
      files.set(path, address);
      return address;
    }
    if (!seen.has(path)) {
      seen.add(path);
      queue.push(path);
    }
    return addressOf(path, isPage ? "page" : isFolder ? "folder" : "source");
  };

  for (const path of queue) {
    if (!generated.has(path) && !path.endsWith(".md")) {
      pages.set(path, statSync(join(root, path)).isDirectory() ? folderPage(path, place) : sourcePage(path));
      continue;
    }
    const address = addressOf(path, "page");
    const resolve = (href: string): string => {
      if (/^[a-z]+:/.test(href)) return href;
      const [target, anchor] = href.split("#");
      const to =
        target === ""
          ? path
          : posix.normalize(posix.join(dirname(path), decodeURI(target))).replace(/\/$/, "");
      const there = target === "" ? address : place(to);
      if (there === undefined) {
        broken.push(`${path} links to ${href}: there is no ${to}.`);
        return href;
      }
      if (anchor !== undefined)
        anchors.push({ from: path, href, to: there, anchor: decodeURIComponent(anchor) });
      const relative = target === "" ? "" : relativeAddress(address, there);
      return anchor === undefined ? relative : `${relative}#${anchor}`;
    };
    const rendered = render(generated.get(path) ?? readFileSync(join(root, path), "utf8"), resolve);
    if (!rendered.title) broken.push(`${path} has no title.`);
    const withFiles = basename(path) === "README.md" && path.startsWith("src/");
    const html = withFiles
      ? rendered.html + listOf(dirname(path), address, place, "Its files")
      : rendered.html;
    pages.set(path, { ...rendered, html, source: path, address });
  }
  const byAddress = new Map([...pages.values()].map((page) => [page.address, page]));
  for (const { from, href, to, anchor } of anchors) {
    if (!byAddress.get(to)?.ids.has(anchor))
      broken.push(`${from} links to ${href}: ${to} has no #${anchor}.`);
  }
  return { pages: [...pages.values()], files, broken };
}

/** The way from one page to another. */
export function relativeAddress(from: string, to: string): string {
  return posix.relative(dirname(from), to) || basename(to);
}

function sourcePage(path: string): Page {
  const text = readFileSync(join(root, path), "utf8").trimEnd();
  return {
    source: path,
    address: addressOf(path, "source"),
    title: path,
    /** Made when it is wanted: whoever only checks links needs no colours. */
    get html() {
      const lines = highlight(text, sourceLanguages[extname(path)]).map(
        (line, i) => `<span class="line" id="L${i + 1}">${line}</span>`,
      );
      return `<h1>${escapeHtml(path)}</h1>\n<pre class="source"><code>${lines.join("\n")}</code></pre>\n`;
    },
    headings: [],
    ids: new Set(text.split("\n").map((_, i) => `L${i + 1}`)),
    text: "",
  };
}

type Place = (path: string) => string | undefined;

function folderPage(path: string, place: Place): Page {
  const address = addressOf(path, "folder");
  const html = `<h1>${escapeHtml(path)}</h1>\n${listOf(path, address, place)}`;
  return { source: path, address, title: path, html, headings: [], ids: new Set(), text: "" };
}

/** The files of a folder, each with the first sentence of its first comment. */
function listOf(folder: string, address: string, place: Place, title?: string): string {
  const items = readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() || extname(entry.name) in sourceLanguages)
    .map((entry) => {
      const path = join(folder, entry.name);
      const name = entry.isDirectory() ? `${entry.name}/` : entry.name;
      const link = `<a href="${relativeAddress(address, place(path) as string)}">${name}</a>`;
      return `<li>${link}${entry.isDirectory() ? "" : firstSentence(path)}</li>`;
    });
  return `${title ? `<h2>${title}</h2>\n` : ""}<ul>\n${items.join("\n")}\n</ul>\n`;
}

function firstSentence(path: string): string {
  const comment = /\/\*\*([\s\S]*?)\*\//.exec(readFileSync(join(root, path), "utf8"))?.[1] ?? "";
  const sentence = /^[\s\S]*?[.:](?=\s|$)/.exec(comment.replaceAll(/\s*\n\s*\* ?/g, " ").trim())?.[0] ?? "";
  return sentence ? `: ${escapeHtml(sentence.replace(/:$/, "."))}` : "";
}
