/**
 * Counts the rooms of src/, their files and lines, and the loops among them; draws which room imports which.
 * All of it is read from the imports themselves.
 *
 *     npm run architecture            prints the counts and the rooms, floor by floor
 *     npm run architecture -- --draw  also draws docs/architecture.svg
 *
 * A room stands one floor above the highest room that it imports, so an import upwards would make a loop of
 * rooms. Imports of types alone count as well.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { escapeXml, ink, quietInk, textWidth } from "../src/report/text.ts";

/** What each folder of src/ is for, and in which column of the picture it stands. */
const plan: Readonly<Record<string, readonly [column: number, caption: string]>> = {
  device: [1, "what a GPU is, and how TypeScript talks to it"],
  picture: [3, "colors, resizing, metrics; typed arrays alone"],
  options: [2, "what the value of an option may be"],
  tensor: [1, "tensors, scopes, operations, the tape"],
  measure: [0, "how fast an adapter is"],
  testing: [2, "checks of operations, anybody's"],
  kernels: [1, "operations: one folder each"],
  formats: [4, "picture files as bytes"],
  files: [3, "picture files in Node: reading and writing"],
  data: [3, "data sets, degradations, batches of patches"],
  nn: [1, "layers, losses, optimizers"],
  weights: [1, "weight files, other programs' too"],
  report: [4, "plots, pictures and progress for people"],
  models: [2, "networks: one file each"],
  upscale: [2, "any picture by any method, in exact tiles"],
  video: [1, "frames by any method"],
  worker: [5, "the same in a browser's worker"],
  evaluate: [3, "methods measured by the papers' protocols"],
  "index.ts": [2, "the library in browsers"],
  "kernel.ts": [2, "what operations are made of"],
  "browser.ts": [5, "the library and its worker in one file"],
  "node.ts": [2, "the library in Node"],
  train: [2, "the training loop and what surrounds it"],
  cli: [2, "the command line"],
};

interface Room {
  readonly name: string;
  readonly files: string[];
  lines: number;
  readonly imports: Set<Room>;
  floor: number;
}

/** Pixels: a room's size in the picture, and the space around it. */
const box = { width: 292, height: 58, gap: 24, rise: 40 };

const paths = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => join("src", path));
const importsOf = new Map(paths.map((path) => [path, importedBy(path)]));
const rooms = roomsOf();
printCounts();
if (process.argv.includes("--draw")) writeFileSync("docs/architecture.svg", drawing());

/** The files that a file imports, by statements or by calls of import(), types included. */
function importedBy(path: string): string[] {
  const text = readFileSync(path, "utf8");
  const specifiers = [...text.matchAll(/(?:\bfrom|\bimport\(|^import) ?"(\.[^"]+)"/gm)].map(
    ([, name]) => name,
  );
  const files = specifiers.map((name) => normalize(join(dirname(path), name)));
  return [...new Set(files)].filter((file) => paths.includes(file));
}

function roomNameOf(path: string): string {
  return path.split("/")[1];
}

function roomsOf(): Room[] {
  const byName = new Map<string, Room>();
  for (const path of paths) {
    const name = roomNameOf(path);
    if (!(name in plan)) throw new Error(`scripts/architecture.ts has no plan for src/${name}. Add it.`);
    const room = byName.get(name) ?? { name, files: [], lines: 0, imports: new Set(), floor: 0 };
    room.files.push(path);
    room.lines += readFileSync(path, "utf8").split("\n").length - 1;
    byName.set(name, room);
  }
  for (const [path, imported] of importsOf) {
    const room = byName.get(roomNameOf(path))!;
    for (const other of imported.map((file) => byName.get(roomNameOf(file))!)) {
      if (other !== room) room.imports.add(other);
    }
  }
  const all = [...byName.values()];
  // As many rounds as rooms are enough, unless rooms form a loop.
  for (let round = 0; round < all.length; round++) {
    for (const room of all) room.floor = 1 + Math.max(0, ...[...room.imports].map(({ floor }) => floor));
  }
  return all.sort((a, b) => b.floor - a.floor || a.name.localeCompare(b.name));
}

/** Sets of things that reach each other, or one that reaches itself. */
function loops<T>(all: readonly T[], next: (one: T) => Iterable<T>): T[][] {
  const reachable = new Map(all.map((one) => [one, reachedFrom(one, next)]));
  const sets: T[][] = [];
  for (const one of all) {
    if (!reachable.get(one)!.has(one) || sets.some((loop) => loop.includes(one))) continue;
    sets.push(all.filter((other) => reachable.get(one)!.has(other) && reachable.get(other)!.has(one)));
  }
  return sets;
}

function reachedFrom<T>(start: T, next: (one: T) => Iterable<T>): Set<T> {
  const reached = new Set<T>();
  const waiting = [...next(start)];
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    if (reached.has(one)) continue;
    reached.add(one);
    waiting.push(...next(one));
  }
  return reached;
}

function printCounts(): void {
  const fileLoops = loops(paths, (path) => importsOf.get(path)!);
  const roomLoops = loops(rooms, ({ imports }) => imports);
  const lines = rooms.reduce((sum, room) => sum + room.lines, 0);
  const imports = [...importsOf.values()].reduce((sum, { length }) => sum + length, 0);
  console.log(`${paths.length} files, ${lines} lines, ${imports} imports, ${rooms.length} rooms`);
  const list = (names: string[][]) => names.map((loop) => `\n  ${loop.join(", ")}`).join("");
  console.log(`loops of files: ${fileLoops.length}${list(fileLoops)}`);
  // Without a loop, every import points to a lower floor.
  const roomNames = roomLoops.map((loop) => loop.map(({ name }) => name));
  console.log(`loops of rooms: ${roomLoops.length}${list(roomNames)}`);
  for (const { name, files, lines, floor, imports } of rooms) {
    const below = [...imports].map((room) => room.name).sort();
    console.log(
      `floor ${String(floor).padStart(2)}  ${name.padEnd(9)} ${String(files.length).padStart(3)} files ` +
        `${String(lines).padStart(5)} lines  imports ${below.join(", ") || "nothing"}`,
    );
  }
}

// ---- The picture

function drawing(): string {
  const top = Math.max(...rooms.map(({ floor }) => floor));
  const lastColumn = Math.max(...Object.values(plan).map(([column]) => column));
  const width = (lastColumn + 1) * (box.width + box.gap) + box.gap;
  const height = top * (box.height + box.rise) + box.rise;
  const placeOf = ({ name, floor }: Room) => ({
    x: box.gap + plan[name][0] * (box.width + box.gap),
    y: box.rise + (top - floor) * (box.height + box.rise),
  });
  const arrows = rooms.flatMap((room) =>
    directImports(room).map((other) => arrow(placeOf(room), placeOf(other))),
  );
  const boxes = rooms.map((room) => boxOf(room, placeOf(room)));
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `viewBox="0 0 ${width} ${height}" font-family="Inter, Helvetica, Arial, sans-serif">` +
    "<title>The rooms of src and what imports what</title>" +
    `<rect width="${width}" height="${height}" fill="white"/>${arrows.join("")}${boxes.join("")}</svg>`
  );
}

/** Imports that no chain of other imports implies: the others would only hide them. */
function directImports(room: Room): Room[] {
  return [...room.imports].filter(
    (target) =>
      ![...room.imports].some(
        (other) => other !== target && reachedFrom(other, ({ imports }) => imports).has(target),
      ),
  );
}

/** Down from one room to another: to the other's column between two floors, then straight. */
function arrow(from: { x: number; y: number }, to: { x: number; y: number }): string {
  const [x1, y1] = [from.x + box.width / 2, from.y + box.height];
  const [x2, y2] = [to.x + box.width / 2, to.y];
  const [middle, bend] = [y1 + box.rise / 2, y1 + box.rise];
  const head = `M${x2 - 5} ${y2 - 9}L${x2} ${y2}L${x2 + 5} ${y2 - 9}`;
  const line = `M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${bend}L${x2} ${y2}${head}`;
  return `<path fill="none" stroke="#9aa2ab" stroke-width="1.5" d="${line}"/>`;
}

function boxOf({ name, files, lines }: Room, { x, y }: { x: number; y: number }): string {
  const size = files.length === 1 ? `${lines} lines` : `${files.length} files, ${lines} lines`;
  const frame =
    `<rect x="${x}" y="${y}" width="${box.width}" height="${box.height}" rx="6" ` +
    'fill="#eef4fa" stroke="#0072b2"/>';
  return (
    frame +
    line(name, x + 12, y + 24, { size: 16, weight: "bold", color: ink }) +
    line(size, x + box.width - 12, y + 24, { size: 12, color: quietInk, anchor: "end" }) +
    line(plan[name][1], x + 12, y + 45, { size: 12, color: quietInk })
  );
}

interface LineStyle {
  readonly size: number;
  readonly color: string;
  readonly weight?: "regular" | "bold";
  readonly anchor?: "start" | "end";
}

/** In the reader's own font, which is a fraction of the size of outlines, made as wide as in the library's. */
function line(text: string, x: number, y: number, style: LineStyle): string {
  const { size, color, weight = "regular", anchor = "start" } = style;
  return (
    `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight === "bold" ? "bold" : "normal"}" ` +
    `fill="${color}" text-anchor="${anchor}" textLength="${Math.round(textWidth(text, size, weight))}" ` +
    `lengthAdjust="spacingAndGlyphs">${escapeXml(text)}</text>`
  );
}
