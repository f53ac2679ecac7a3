/** Flame graphs: how a stretch of JavaScript divides its time among the functions that it calls, as an SVG. */
import { Session } from "node:inspector/promises";

/** A function on the stack, and the milliseconds that it and what it called took. */
interface Frame {
  readonly name: string;
  readonly file: string;
  ms: number;
  readonly calls: Map<string, Frame>;
}

/** Runs the work, and notes every tenth of a millisecond which functions are on the stack below `root`. */
export async function flamesOf(root: string, work: () => Promise<void>): Promise<Frame> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: 100 });
  await session.post("Profiler.start");
  await work();
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();

  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(
    profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])),
  );
  const top: Frame = { name: root, file: "", ms: 0, calls: new Map() };
  profile.samples?.forEach((id, i) => {
    const stack = [];
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const frame = nodes.get(at)?.callFrame;
      if (frame === undefined) break;
      stack.unshift(frame);
    }
    const from = stack.findIndex(({ functionName }) => functionName === root);
    if (from < 0) return; // idle, or the bench itself
    const ms = (profile.timeDeltas?.[i] ?? 0) / 1000;
    top.ms += ms;
    let frame = top;
    for (const { functionName, url } of stack.slice(from + 1)) {
      const file = url.replace(/^.*?\/(src|bench|node_modules)\//, "$1/");
      const name = functionName || `(${file.replace(/^.*\//, "") || "anonymous"})`;
      const key = `${name} ${file}`;
      const called = frame.calls.get(key) ?? { name, file, ms: 0, calls: new Map() };
      frame.calls.set(key, called);
      called.ms += ms;
      frame = called;
    }
  });
  return top;
}

const WIDTH = 1100;
const ROW = 18;
const LEGEND: readonly [string, string, RegExp][] = [
  ["#7aa6d8", "device", /^src\/device/],
  ["#8fc48f", "tensor, autograd", /^src\/tensor/],
  ["#e0b060", "kernels", /^src\/kernels/],
  ["#c79bd2", "networks", /^src\/(nn|models)/],
  ["#b9b9b9", "WebGPU, JavaScript's own", /^/],
];

/** One graph below the other on the same scale, so that widths can be compared: milliseconds per run. */
export function flameGraphs(graphs: readonly { title: string; flames: Frame; runs: number }[]): string {
  const scale = WIDTH / Math.max(...graphs.map(({ flames, runs }) => flames.ms / runs));
  const parts: string[] = [];
  let y = 30;
  LEGEND.forEach(([color, text], i) => {
    parts.push(rectangle(i * 190, 6, 14, color), label(i * 190 + 20, 6, text, "words"));
  });
  for (const { title, flames, runs } of graphs) {
    const perRun = (ms: number) => (ms / runs) * scale;
    parts.push(label(0, y, `${title}: ${(flames.ms / runs).toFixed(2)} ms`, "words title"));
    const draw = (frame: Frame, x: number, depth: number): number => {
      let [deepest, left] = [depth, x];
      const bySize = [...frame.calls.values()].sort((a, b) => b.ms - a.ms);
      for (const called of bySize) {
        const width = perRun(called.ms);
        if (width >= 1) {
          const top = y + 20 + depth * ROW;
          const color = LEGEND.find(([, , files]) => files.test(called.file))?.[0] ?? "";
          const fits = called.name.slice(0, Math.max(0, Math.floor((width - 6) / 6.8)));
          parts.push(
            `<g><title>${escaped(called.name)} (${escaped(called.file)}), ${(called.ms / runs).toFixed(3)} ms</title>`,
            rectangle(left, top, width, color),
            fits.length > 2 ? label(left + 3, top, fits) : "",
            "</g>",
          );
          deepest = Math.max(deepest, draw(called, left, depth + 1));
        }
        left += width;
      }
      return deepest;
    };
    y += 20 + draw(flames, 0, 0) * ROW + 24;
  }
  const style =
    "text{font:11px ui-monospace,monospace}.words{font-family:system-ui,sans-serif;font-size:12px;fill:#222}" +
    ".title{font-weight:600}@media(prefers-color-scheme:dark){.words{fill:#ddd}}";
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}">` +
    `<title>Which functions take the time</title><style>${style}</style>\n${parts.join("\n")}\n</svg>\n`
  );
}

function rectangle(x: number, y: number, width: number, color: string): string {
  const box = `x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 1}"`;
  return `<rect ${box} fill="${color}" stroke="#fff" stroke-width=".5"/>`;
}

function label(x: number, y: number, text: string, kind?: string): string {
  const attribute = kind === undefined ? "" : ` class="${kind}"`;
  return `<text x="${x.toFixed(1)}" y="${y + 13}"${attribute}>${escaped(text)}</text>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
