/** A page of the site as HTML: head, menu, the page itself, what is on it, and the ways on. */
import { dirname } from "node:path";
import type { Section } from "./contents.ts";
import { escapeHtml } from "./markdown.ts";
import { addressOf, type Page, relativeAddress } from "./site.ts";

export function layout(page: Page, contents: readonly Section[], homeAddress: string): string {
  const to = (address: string) => escapeHtml(relativeAddress(page.address, address));
  const isHome = page.address === homeAddress;
  const entries = contents.flatMap(({ entries }) => entries);
  const place = entries.findIndex(({ path }) => path === page.source);
  const menu = contents
    .map(({ title, entries }) => {
      const items = entries.map((entry) => {
        // Pages of the API reference are not in the menu, but their module is.
        const within = entry.path.startsWith("docs/api/") && page.source.startsWith(dirname(entry.path));
        const current = within || entry.path === page.source ? ' aria-current="page"' : "";
        return `<li><a href="${to(addressOf(entry.path, "page"))}"${current}>${escapeHtml(entry.title)}</a></li>`;
      });
      return `<h2>${escapeHtml(title)}</h2>\n<ul>\n${items.join("\n")}\n</ul>`;
    })
    .join("\n");
  const here = page.headings.filter(({ level }) => level === 2 || level === 3);
  const onThisPage =
    here.length < 2
      ? ""
      : `<nav class="here" aria-label="On this page"><h2>On this page</h2><ul>${here
          .map(
            ({ level, id, text }) =>
              `<li class="level${level}"><a href="#${id}">${escapeHtml(text)}</a></li>`,
          )
          .join("")}</ul></nav>`;
  const way = (entry: (typeof entries)[number] | undefined, kind: "prev" | "next") =>
    entry
      ? `<a rel="${kind}" href="${to(addressOf(entry.path, "page"))}">${escapeHtml(entry.title)}</a>`
      : "<span></span>";
  const ways =
    place < 0
      ? ""
      : `<nav class="ways">${way(entries[place - 1], "prev")}${way(entries[place + 1], "next")}</nav>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(isHome ? page.title : `${page.title} · pixelgrad`)}</title>
<link rel="icon" href="${to("assets/icon.svg")}" type="image/svg+xml">
<link rel="stylesheet" href="${to("assets/style.css")}">
<script>document.documentElement.dataset.top = "${to("index.html").replace(/index\.html$/, "") || "./"}";</script>
<script src="${to("assets/site.js")}" defer></script>
</head>
<body class="${isHome ? "home" : page.address.startsWith("api/") ? "api" : ""}">
<a class="skip" href="#content">Skip to the text</a>
<header>
<button class="menu" aria-expanded="false" aria-controls="menu">Menu</button>
<a class="brand" href="${to(homeAddress)}">pixelgrad</a>
<div class="search" role="search">
<input type="search" placeholder="Search" title="Press / to search" aria-label="Search" autocomplete="off">
<ol hidden></ol></div>
</header>
<nav id="menu" class="contents" aria-label="Contents">
${menu}
</nav>
<main id="content">
<article>
${page.html}
</article>
${ways}
</main>
${onThisPage}
</body>
</html>
`;
}
