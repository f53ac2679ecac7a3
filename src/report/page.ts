// A report as one HTML file that needs nothing else: plots are inline SVG, pictures inline PNG; there are no
// scripts and no fonts. Panels stand beside each other only where there is room, so phones can show it, too.

import { encodePng } from "../files/image-files.ts";
import { markColor, type Row, type Tile, tilesOf } from "./picture.ts";
import { escapeXml, ink, quietInk } from "./text.ts";

export interface PageSpec {
  title: string;
  /** The result in a sentence. */
  lead: string;
  /** The circumstances, by name. */
  facts: readonly (readonly [name: string, value: string])[];
  /** SVG documents. */
  plots: readonly string[];
  /** Pictures in several versions; see sideBySide. */
  rows: readonly Row[];
  tables: readonly { title: string; rows: readonly (readonly [name: string, value: string])[] }[];
}

export async function htmlPage({ title, lead, facts, plots, rows, tables }: PageSpec): Promise<string> {
  const pictures = await Promise.all(rows.map(pictureRow));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeXml(title)}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${escapeXml(title)}</h1>
<p class="lead">${escapeXml(lead)}</p>
</header>
<dl class="facts">
${facts.map(([name, value]) => `<div><dt>${escapeXml(name)}</dt><dd>${escapeXml(value)}</dd></div>`).join("\n")}
</dl>
<section class="plots">
${plots.map((svg) => `<figure>${svg}</figure>`).join("\n")}
</section>
<section>
${pictures.join("\n")}
</section>
${tables.map(table).join("\n")}
</body>
</html>
`;
}

const style = `
:root { color: ${ink}; background: #fff; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 1080px; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0; }
h2 { font-size: 1.1rem; margin: 2.5rem 0 .5rem; }
.lead { font-size: 1.15rem; margin: .4rem 0 1.5rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: .8rem 2rem;
  margin: 0 0 1.5rem; }
dt, figcaption, th { color: ${quietInk}; font-size: .85rem; font-weight: normal; }
dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 0; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1rem; }
.plots svg { width: 100%; height: auto; display: block; }
.row { display: flex; flex-wrap: wrap; gap: .75rem; align-items: flex-start; }
.whole { flex: 1 1 18rem; max-width: 26rem; }
.details { flex: 2 1 20rem; display: grid; grid-template-columns: 1fr 1fr; gap: .75rem; }
.picture { position: relative; }
img { width: 100%; display: block; }
.details img { image-rendering: pixelated; }
.mark { position: absolute; box-sizing: border-box; border: 2px solid ${markColor}; outline: 1px solid #fff; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem 1rem .3rem 0; border-top: 1px solid #e6e8eb; }
th { width: 11rem; }
td { overflow-wrap: anywhere; }
`;

/** The whole picture with the region marked, and beside it that region in each version. */
async function pictureRow(row: Row): Promise<string> {
  const tiles = await tilesOf(row, 288);
  const figures = await Promise.all(tiles.map(figure));
  const whole = row.overview ? figures.shift() : undefined;
  return (
    `<h2>${escapeXml(row.title)}</h2>\n<div class="row">` +
    (whole ? `<div class="whole">${whole}</div>` : "") +
    `<div class="details">${figures.join("")}</div></div>`
  );
}

async function figure({ caption, image, mark }: Tile): Promise<string> {
  const png = Buffer.from(await encodePng(image)).toString("base64");
  const percent = (part: number, whole: number) => `${((100 * part) / whole).toFixed(2)}%`;
  const box = mark
    ? `<div class="mark" style="left:${percent(mark.x, image.width)};top:${percent(mark.y, image.height)};` +
      `width:${percent(mark.width, image.width)};height:${percent(mark.height, image.height)}"></div>`
    : "";
  return (
    `<figure><div class="picture"><img alt="${escapeXml(caption)}" ` +
    `width="${image.width}" height="${image.height}" style="height:auto" ` +
    `src="data:image/png;base64,${png}">${box}</div>` +
    `<figcaption>${escapeXml(caption)}</figcaption></figure>`
  );
}

function table({ title, rows }: PageSpec["tables"][number]): string {
  const lines = rows.map(
    ([name, value]) => `<tr><th scope="row">${escapeXml(name)}</th><td>${escapeXml(value)}</td></tr>`,
  );
  return `<h2>${escapeXml(title)}</h2>\n<table>\n${lines.join("\n")}\n</table>`;
}
