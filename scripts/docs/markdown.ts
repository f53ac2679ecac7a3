/** Markdown to HTML, as a code host does it: the same tables, the same anchors; and code in colours. */
import GithubSlugger from "github-slugger";
import MarkdownIt from "markdown-it";
import { type BundledLanguage, createHighlighter } from "shiki";

/** A page, as it stands in its file. */
export interface Rendered {
  readonly title: string;
  /** The HTML of the page's body. */
  readonly html: string;
  /** Every heading below the title. */
  readonly headings: readonly { readonly level: number; readonly id: string; readonly text: string }[];
  /** All anchors: headings, and ids in HTML. */
  readonly ids: ReadonlySet<string>;
  /** The words of the page, for its search. */
  readonly text: string;
}

/** Gives the address that a page of the site has for a link in the Markdown. */
export type Resolve = (href: string) => string;

const languages = ["typescript", "wgsl", "python", "shellscript", "json", "html", "javascript"] as const;
const aliases: Readonly<Record<string, BundledLanguage>> = {
  ts: "typescript",
  js: "javascript",
  sh: "shellscript",
  py: "python",
};
const themes = { light: "github-light", dark: "github-dark" } as const;

const highlighter = await createHighlighter({ langs: [...languages], themes: Object.values(themes) });

/** The lines of a program as HTML, in the colours of both themes. WGSL in TypeScript gets its own. */
export function highlight(code: string, language: string): string[] {
  const lang = aliases[language] ?? language;
  if (!(languages as readonly string[]).includes(lang)) return code.split("\n").map(escapeHtml);
  if (lang === "typescript") {
    // Template strings that are marked as WGSL are highlighted as such, and the rest around them.
    const parts = code.split(/(?<=\/\* wgsl \*\/ `)([^`]*)(?=`)/);
    const outside = tokens(
      parts.map((part, i) => (i % 2 === 0 ? part : "\n".repeat(lines(part) - 1))).join(""),
      lang,
    );
    let line = 0;
    parts.forEach((part, i) => {
      if (i % 2 === 1) {
        tokens(part, "wgsl").forEach((html, k) => {
          // The first line follows the backtick; the last one stands before the other.
          const other = outside[line + k];
          outside[line + k] = k === 0 ? other + html : html + other;
        });
      }
      line += lines(part) - 1;
    });
    return outside;
  }
  return tokens(code, lang as BundledLanguage);
}

const lines = (text: string) => text.split("\n").length;

function tokens(code: string, lang: BundledLanguage): string[] {
  return highlighter.codeToTokens(code, { lang, themes, defaultColor: false }).tokens.map((line) =>
    line
      .map(({ content, htmlStyle }) => {
        const style = Object.entries(htmlStyle ?? {}).filter(([name]) => name.startsWith("--shiki"));
        const css = style.map(([name, value]) => `${name}:${value}`).join(";");
        return css ? `<span style="${css}">${escapeHtml(content)}</span>` : escapeHtml(content);
      })
      .join(""),
  );
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

export function render(markdown: string, resolve: Resolve): Rendered {
  const slugger = new GithubSlugger();
  const md = new MarkdownIt({ html: true, linkify: false });
  const code = (text: string, language: string) =>
    `<pre><code>${highlight(text.replace(/\n$/, ""), language).join("\n")}</code></pre>\n`;
  md.renderer.rules.fence = (all, i) => code(all[i].content, all[i].info.trim().split(/\s+/)[0] || "text");
  md.renderer.rules.code_block = (all, i) => code(all[i].content, "text");
  md.renderer.rules.table_open = () => '<div class="table"><table>\n';
  md.renderer.rules.table_close = () => "</table></div>\n";

  const parsed = md.parse(markdown, {});
  let title = "";
  const headings: { level: number; id: string; text: string }[] = [];
  const ids = new Set<string>();
  const words: string[] = [];
  for (const [i, token] of parsed.entries()) {
    if (token.type === "heading_open") {
      const text = plain(parsed[i + 1].children ?? []);
      const id = slugger.slug(text);
      const level = Number(token.tag.slice(1));
      token.attrSet("id", id);
      ids.add(id);
      if (level === 1 && !title) title = text;
      else headings.push({ level, id, text });
    }
    if (token.type === "html_block") {
      for (const [, id] of token.content.matchAll(/\sid="([^"]+)"/g)) ids.add(id);
      token.content = token.content.replace(
        /(<(?:a|img|source)\b[^>]*?\s(?:href|src|srcset)=")([^"]+)"/g,
        (_, before, href) => `${before}${escapeHtml(resolve(href))}"`,
      );
    }
    for (const child of token.children ?? []) {
      const name = child.type === "image" ? "src" : "href";
      const href = child.attrGet(name);
      if (href !== null) child.attrSet(name, resolve(String(href)));
      if (child.type === "image") child.attrSet("loading", "lazy");
      if (child.type === "html_inline") {
        for (const [, id] of child.content.matchAll(/\sid="([^"]+)"/g)) ids.add(id);
      }
    }
    if (token.type === "inline" && parsed[i - 1].tag !== "h1") words.push(plain(token.children ?? []));
  }
  const html = md.renderer.render(parsed, md.options, {});
  return { title, html, headings, ids, text: words.join(" ") };
}

/** The text of inline Markdown, without its marks. */
function plain(children: readonly { type: string; content: string; children?: unknown }[]): string {
  return children
    .filter(({ type }) => type === "text" || type === "code_inline" || type === "softbreak")
    .map(({ type, content }) => (type === "softbreak" ? " " : content))
    .join("");
}
