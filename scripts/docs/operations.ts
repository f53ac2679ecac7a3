/**
 * Writes docs/operations.md, the list of all operations: `npm run docs:operations`. What an operation computes is
 * the beginning of its docstring, and the shapes come from calling it.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as api from "../../src/node.ts";
import { root } from "./contents.ts";

/** A tensor of this shape, among an example's arguments. */
const t = (...shape: number[]) => ({ shape });
const [x, picture] = [t(2, 3), t(1, 3, 8, 8)];
const running = { mean: t(3), variance: t(3), batches: t(1) };

/** What each operation is called with, for the column of shapes; functions of one number need no entry. */
export const examples: Readonly<Record<string, readonly unknown[]>> = {
  add: [x, t(3)],
  argmax: [x, 1],
  avgPool2d: [picture, 2],
  batchNorm: [picture, running, t(3), t(3)],
  binaryCrossEntropyWithLogits: [x, x],
  broadcastTo: [t(3), [2, 3]],
  cast: [x, "float16"],
  charbonnierLoss: [x, x],
  clamp: [x, 0, 1],
  concat: [[x, t(4, 3)], 0],
  conv2d: [picture, t(16, 3, 3, 3), t(16), { padding: 1 }],
  convTranspose2d: [picture, t(3, 16, 4, 4), undefined, { stride: 2, padding: 1 }],
  crossEntropy: [t(2, 10), [3, 7]],
  denseConv2d: [
    picture,
    [
      { weight: t(4, 3, 3, 3), bias: t(4) },
      { weight: t(4, 7, 3, 3), bias: t(4) },
    ],
    0.2,
  ],
  detach: [x],
  div: [x, t(2, 1)],
  dropout: [x, 0.5],
  eq: [x, 0],
  flatten: [picture, 1],
  flip: [picture, [3]],
  ge: [x, 0],
  gt: [x, 0],
  huberLoss: [x, x],
  interpolate: [picture, { scaleFactor: 2, mode: "bicubic" }],
  l1Loss: [x, x],
  le: [x, 0],
  leakyRelu: [x, 0.2],
  linear: [x, t(4, 3), t(4)],
  logSoftmax: [x, 1],
  lt: [x, 0],
  matmul: [t(5, 2, 3), t(3, 4)],
  max: [x, 1],
  maxPool2d: [picture, 2],
  maximum: [x, t(3)],
  mean: [picture, [2, 3]],
  min: [x, 1],
  minimum: [x, t(3)],
  mseLoss: [x, x],
  mul: [x, t(2, 1)],
  ne: [x, 0],
  pad: [picture, [1, 1, 2, 2]],
  permute: [picture, [0, 2, 3, 1]],
  pixelShuffle: [t(1, 12, 8, 8), 2],
  pixelUnshuffle: [picture, 2],
  pow: [x, 2],
  prelu: [picture, t(3)],
  reshape: [x, [3, -1]],
  slice: [x, [0, 1], [2, 3]],
  smoothL1Loss: [x, x],
  softmax: [x, 1],
  split: [picture, [1, 2], 1],
  squeeze: [t(1, 3, 1), 0],
  stack: [[x, x], 0],
  std: [x, 1],
  sub: [x, t(3)],
  sum: [x, 1, { keepdim: true }],
  symmetricGate: [picture, picture],
  transpose: [x, 0, 1],
  unsqueeze: [x, 0],
  variance: [picture, [2, 3]],
  where: [x, x, 0],
};

const titles: Readonly<Record<string, string>> = {
  elementwise: "Element by element",
  reduce: "Over axes",
  softmax: "Softmax",
  layout: "Shape and place",
  pad: "Margins",
  "pixel-shuffle": "Pixel shuffle",
  matmul: "Products",
  conv2d: "Convolution",
  "conv-transpose2d": "Transposed convolution",
  "dense-conv2d": "Dense block",
  pool: "Windows",
  resize: "Resizing",
  "batch-norm": "Batch normalization",
  dropout: "Dropout",
  loss: "Losses of pictures",
  "cross-entropy": "Loss of classes",
  cast: "Number formats",
};

export interface Operation {
  readonly name: string;
  readonly folder: string;
  /** The first paragraph of its docstring. */
  readonly text: string;
}

/** Every operation of the package, folder by folder. */
export async function operations(): Promise<Operation[]> {
  const kernels = join(root, "src/kernels");
  const folders = readdirSync(kernels, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const operations: Operation[] = [];
  const source = readdirSync(kernels, { recursive: true, encoding: "utf8" })
    .filter((file) => /(?<!\.wgsl)\.ts$/.test(file))
    .map((file) => readFileSync(join(kernels, file), "utf8"))
    .join("\n");
  for (const { name: folder } of folders) {
    if (folder === "optim") continue; // changes in place, no operations
    const module: Record<string, unknown> = await import(
      pathToFileURL(join(kernels, folder, "index.ts")).href
    );
    for (const name of Object.keys(module).sort()) {
      if (typeof module[name] !== "function" || (api as Record<string, unknown>)[name] !== module[name])
        continue;
      operations.push({ name, folder, text: docstring(source, name) });
    }
  }
  const order = Object.keys(titles);
  const place = ({ folder }: Operation) => (order.includes(folder) ? order.indexOf(folder) : order.length);
  return operations.sort((a, b) => place(a) - place(b) || a.name.localeCompare(b.name));
}

/** The first paragraph of the docstring of an exported function. */
function docstring(source: string, name: string): string {
  const end = source.search(new RegExp(`^export (?:async )?(?:function|const) ${name}\\b`, "m"));
  const comment = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*$/.exec(source.slice(0, end))?.[1];
  if (end < 0 || comment === undefined) throw new Error(`${name} has no docstring.`);
  const lines = comment.split("\n").map((line) => line.replace(/^\s*\* ?/, ""));
  const paragraphs = lines
    .join("\n")
    .trim()
    .split(/\n\s*\n/);
  // A paragraph that leads to a formula is not whole without it.
  const count = paragraphs.findIndex((paragraph) => /[.!)]$/.test(paragraph.trim())) + 1;
  return paragraphs
    .slice(0, count || 1)
    .join(" ")
    .replaceAll(/\s+/g, " ")
    .replaceAll(/\{@link (\w+)\}/g, "`$1`");
}

/** "[2, 3], 1 → [2]": an example's arguments and the shape of its result. */
export function shapesOf({ name, folder }: Operation): string {
  const example = examples[name] ?? (folder === "elementwise" ? [x] : undefined);
  if (!example) throw new Error(`scripts/docs/operations.ts has no example for ${name}.`);
  const operation = (api as Record<string, unknown>)[name];
  if (typeof operation !== "function") throw new Error(`${name} is no function.`);
  const result: unknown = api.noGrad(() => operation(...example.map(withTensors)));
  const results: unknown[] = [result].flat();
  if (!results.every((one) => one instanceof api.Tensor)) throw new Error(`${name} gives no tensor.`);
  const inputs = example.filter((argument) => argument !== running && argument !== undefined);
  return `${inputs.map(format).join(", ")} → ${results.map(({ shape }) => `[${shape.join(", ")}]`).join(", ")}`;
}

function isShape(value: unknown): value is { shape: number[] } {
  return typeof value === "object" && value !== null && Object.keys(value).join() === "shape";
}

function withTensors(value: unknown): unknown {
  if (isShape(value)) return api.full(value.shape, 1);
  if (Array.isArray(value)) return value.map(withTensors);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withTensors(inner)]));
}

function format(value: unknown): string {
  if (isShape(value)) return `[${value.shape.join(", ")}]`;
  if (Array.isArray(value))
    return value.every((inner) => typeof inner === "number")
      ? `(${value.join(", ")})`
      : `{${value.map(format).join("; ")}}`;
  if (typeof value === "object" && value !== null) {
    return Object.entries(value)
      .map(([key, inner]) => (isShape(inner) ? format(inner) : `${key} ${format(inner)}`))
      .join(", ");
  }
  return String(value);
}

/** The page. */
export async function operationsPage(): Promise<string> {
  const device = await api.openDevice({ adapter: "cpu" });
  const all = await operations();
  return api.onDevice(device, () => {
    const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
    const folders = [...new Set(all.map(({ folder }) => folder))];
    const parts = folders.map((folder) => {
      const rows = all
        .filter((operation) => operation.folder === folder)
        .map(
          (operation) => `| \`${operation.name}\` | ${cell(operation.text)} | ${cell(shapesOf(operation))} |`,
        );
      const link = `[src/kernels/${folder}](../src/kernels/${folder})`;
      const header = "| operation | what it computes | shapes, for example |\n|---|---|---|";
      return `## ${titles[folder] ?? folder}\n\n${link}\n\n${header}\n${rows.join("\n")}\n`;
    });
    return `# Operations

Operations are functions of tensors, named as in PyTorch: \`relu(x)\`, \`conv2d(x, w, b, { padding: 1 })\`. Each
folder has the kernel in WGSL, the definition in plain loops, and the rule for the gradient. Layers and losses
as modules (\`new Conv2d(…)\`), and what there is not, are in
[src/kernels/README.md](../src/kernels/README.md#what-there-is); [From PyTorch](from-pytorch.md) has the names
side by side. An operation of your own is forty lines: [own-operations.md](own-operations.md).

\`npm run docs:operations\` writes this page from the sources.

${parts.join("\n")}`;
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(join(root, "docs/operations.md"), await operationsPage());
}
