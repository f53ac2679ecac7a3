/**
 * Pictures that no camera made, drawn here so that anybody may show them: a screenshot with text, and a page
 * of a comic. Letters are outlines of the font that npm installs, so they come out the same everywhere.
 */
import sharp from "sharp";
import type { Image } from "../../src/picture/index.ts";
import { textPath } from "../../src/report/text.ts";
import { Random } from "../../src/tensor/random.ts";

/** A window with a menu, a text in small print, a table, buttons and a plot. */
export function screenshot(): Promise<Image> {
  const [width, height] = [400, 300];
  const lines = [
    "A picture made small has lost its finest detail.",
    "A network that has seen many pictures, each large",
    "and small, has learned what detail usually belongs",
    "to what is left: edges become sharp, and what no",
    "one can know stays soft. It does not know your",
    "picture and may guess wrongly, so compare.",
  ];
  const text = lines.map((line, i) => textPath(line, 20, 78 + 15 * i, { size: 10.5, color: "#24292f" }));
  const cells = [
    "scale",
    "×2",
    "×3",
    "×4",
    "time",
    "12 ms",
    "27 ms",
    "48 ms",
    "memory",
    "31 MB",
    "70 MB",
    "124 MB",
  ];
  const table = cells.map((cell, i) => {
    const [x, y] = [20 + 62 * (i % 4), 192 + 18 * Math.floor(i / 4)];
    const frame = `<rect x="${x - 0.5}" y="${y - 12.5}" width="62" height="18" fill="${i < 4 ? "#eef1f4" : "#fff"}" stroke="#c9d1d9"/>`;
    return (
      frame + textPath(cell, x + 5, y + 0.5, { size: 9.5, weight: i % 4 === 0 || i < 4 ? "bold" : "regular" })
    );
  });
  const bars = [34, 52, 41, 63, 58, 72].map(
    (bar, i) => `<rect x="${296 + 15 * i}" y="${232 - bar}" width="11" height="${bar}" fill="#3973ac"/>`,
  );
  const buttons = ["Save", "Cancel"].map(
    (name, i) =>
      `<rect x="${280.5 + 56 * i}" y="258.5" width="50" height="22" rx="4" fill="${i ? "#f6f8fa" : "#1f883d"}" stroke="#8c959f"/>` +
      textPath(name, 305.5 + 56 * i, 273, { size: 10, anchor: "middle", color: i ? "#24292f" : "#fff" }),
  );
  const menu = ["File", "Edit", "View", "Window", "Help"].map((name, i) =>
    textPath(name, 20 + 48 * i, 41, { size: 10 }),
  );
  return rendered(
    width,
    height,
    `<rect width="${width}" height="${height}" fill="#fff"/>
     <rect width="${width}" height="24" fill="#2d333b"/><circle cx="386" cy="12" r="5" fill="#e5534b"/>
     ${textPath("Untitled · Text editor", 14, 16, { size: 11, weight: "bold", color: "#fff" })}
     <rect y="24" width="${width}" height="26" fill="#f0f2f4"/><path d="M0 50.5H${width}" stroke="#c9d1d9"/>
     ${[...menu, ...text, ...table, ...bars, ...buttons].join("\n")}
     <path d="M290.5 150V232.5H392" fill="none" stroke="#57606a"/>`,
  );
}

/** Two panels with lines of ink, hatching, flat colours, dots and a balloon. */
export function comicPage(): Promise<Image> {
  const [width, height] = [400, 300];
  const random = new Random(5);
  const dots: string[] = [];
  for (let y = 14; y < 136; y += 6) {
    for (let x = 14 + (y % 12 === 2 ? 3 : 0); x < 190; x += 6) {
      dots.push(`<circle cx="${x}" cy="${y}" r="1.4"/>`);
    }
  }
  const hatching = Array.from({ length: 46 }, (_, i) => {
    const x = 214 + 4 * i;
    return `M${x} ${250 + 6 * random.uniform()}L${x + 14 + 8 * random.uniform()} 286`;
  });
  const rays = Array.from({ length: 18 }, (_, i) => {
    const angle = (i * Math.PI) / 9;
    const [from, to] = [46, 62 + 24 * random.uniform()];
    return `M${300 + from * Math.cos(angle)} ${80 + from * Math.sin(angle)}L${300 + to * Math.cos(angle)} ${80 + to * Math.sin(angle)}`;
  });
  const face = (x: number, y: number) =>
    `<g fill="none" stroke="#141414" stroke-width="2.2" stroke-linecap="round">
       <ellipse cx="${x}" cy="${y}" rx="30" ry="36" fill="#f3c9a5"/>
       <path d="M${x - 31} ${y - 8}C${x - 34} ${y - 58} ${x + 40} ${y - 56} ${x + 31} ${y - 6}C${x + 14} ${y - 30} ${x - 12} ${y - 32} ${x - 31} ${y - 8}Z" fill="#5b2f1b"/>
       <path d="M${x - 16} ${y - 4}q5 -5 10 0M${x + 7} ${y - 4}q5 -5 10 0M${x} ${y + 2}l-4 10h5M${x - 10} ${y + 20}q11 8 20 -2"/>
       <circle cx="${x - 11}" cy="${y - 2}" r="2" fill="#141414"/><circle cx="${x + 12}" cy="${y - 2}" r="2" fill="#141414"/>
     </g>`;
  const speech = ["It was this small", "when I found it!"].map((line, i) =>
    textPath(line, 102, 178 + 13 * i, { size: 11, weight: "bold", anchor: "middle", color: "#111" }),
  );
  return rendered(
    width,
    height,
    `<rect width="${width}" height="${height}" fill="#fbf8ef"/>
     <rect x="10" y="10" width="182" height="280" fill="#9ed0e6" stroke="#141414" stroke-width="3"/>
     <g fill="#4f9fc4">${dots.join("")}</g>
     <path d="M12 288V232C60 210 130 246 190 224V288Z" fill="#d9483b" stroke="#141414" stroke-width="2"/>
     ${face(100, 100)}
     <ellipse cx="102" cy="180" rx="76" ry="26" fill="#fff" stroke="#141414" stroke-width="2"/>
     <path d="M92 156l6 -16l10 17" fill="#fff" stroke="#141414" stroke-width="2"/>
     ${speech.join("")}
     <rect x="206" y="10" width="184" height="280" fill="#f7d154" stroke="#141414" stroke-width="3"/>
     <path d="${rays.join("")}" stroke="#141414" stroke-width="2.5"/>
     <circle cx="300" cy="80" r="38" fill="#e8772e" stroke="#141414" stroke-width="2.5"/>
     ${textPath("KRACK!", 298, 190, { size: 38, weight: "bold", anchor: "middle", color: "#c2262e", rotate: -8 })}
     <path d="M208 288V246C260 226 330 262 388 236V288Z" fill="#6b8f3a" stroke="#141414" stroke-width="2"/>
     <path d="${hatching.join("")}" stroke="#141414" stroke-width="1.1"/>`,
  );
}

/** Both, and what else is plain: none of it was ever compressed. */
export async function drawnPictures(): Promise<Image[]> {
  const [window, page] = [await screenshot(), await comicPage()];
  return [window, page, await enlarged(window, 2), await enlarged(page, 3)];
}

async function enlarged({ width, height, data }: Image, scale: number): Promise<Image> {
  const large = await sharp(data, { raw: { width, height, channels: 3 } })
    .resize(width * scale, height * scale, { kernel: "nearest" })
    .raw()
    .toBuffer();
  return { width: width * scale, height: height * scale, channels: 3, data: new Uint8Array(large) };
}

async function rendered(width: number, height: number, content: string): Promise<Image> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${content}</svg>`;
  const data = await sharp(Buffer.from(svg)).flatten({ background: "#fff" }).removeAlpha().raw().toBuffer();
  return { width, height, channels: 3, data: new Uint8Array(data) };
}
