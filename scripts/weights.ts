/** The library's own weights, and the table of weights/README.md: `npm run weights -- --help`. */
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineCommand } from "../src/cli/flags.ts";
import { adapterFlag } from "../src/cli/method-flags.ts";
import { run } from "../src/cli/run.ts";
import { type DegradationOptions, writeWhole } from "../src/data/index.ts";
import { type Evaluation, evaluate, findPictures } from "../src/evaluate/index.ts";
import {
  init,
  interpolator,
  loadModel,
  loadPretrained,
  multiplyAddsPerPixel,
  networkUpscaler,
  type PretrainedName,
  type PretrainedScale,
  parseSafetensors,
  pretrainedNames,
  pretrainedScales,
  saveWeights,
  scalesOf,
  type Upscaler,
} from "../src/node.ts";
import { folder, type Kind, text } from "../src/options/kinds.ts";
import { readCheckpoint } from "../src/train/checkpoint.ts";
import { portable } from "../src/train/config.ts";
import { photoNetwork } from "../src/upscale/method-names.ts";

const weights = fileURLToPath(new URL("../weights", import.meta.url));
/** What F16 may cost, dB. */
const MAX_LOSS = 0.005;

/** Measures on Set5, or on what a degradation makes of it. */
type Measure = (upscaler: Upscaler, degradation?: DegradationOptions) => Promise<Evaluation>;

/** Set5 as people have their pictures: what LR is made by, besides Matlab's bicubic. */
const degradations: Readonly<Record<string, DegradationOptions>> = {
  "JPEG 60": { seed: 0, jpeg: 60 },
  "noise 10": { seed: 0, noise: 10 },
};

interface Addition {
  readonly folder: string;
  readonly name: string;
}

/** A run's folder, or a weight file of examples/pytorch/train.py, and the name that its weights get. */
const addition: Kind<Addition> = {
  wants: "RUN=NAME, such as runs/espcn-x3=espcn-x3",
  symbol: "RUN=NAME",
  fits: (value): value is Addition => value !== undefined,
  read(text) {
    const [, folder, name] = /^(.+)=([^=]+)$/.exec(text) ?? [];
    return folder === undefined ? undefined : { folder, name };
  },
  write: ({ folder, name }) => `${folder}=${name}`,
};

const weightsCommand = defineCommand({
  about: `
Measures the weights that come with the library.

Writes the tables of weights/README.md: all networks that come with the library, and bicubic, on Set5
and on two degraded sets made from it.

With --add, it first takes weights into weights/: the best of a training run, or those that
examples/pytorch/train.py wrote, each with its configuration and log. They become F16 where that costs
less than ${MAX_LOSS} dB on Set5, else F32.`,
  flags: {
    hr: { kind: folder, help: "the HR pictures of Set5", required: true },
    add: {
      kind: addition,
      help: "a run's folder or PyTorch's weights, and the name they get",
      multiple: true,
    },
    degradation: {
      kind: text,
      help: "what LR of the added networks was made by, for their files; default: Matlab's bicubic imresize",
    },
    "no-times": { help: "leaves the times out, as on a machine that does other things meanwhile" },
    adapter: adapterFlag,
  },
  examples: [
    ["--hr Set5/HR", "measures, and writes the table"],
    ["--hr Set5/HR --add runs/espcn-x3=espcn-x3", "takes over a run's best weights first"],
    [
      "--hr Set5/HR --add photo-x2.safetensors=wren-photo-x2 --degradation photo",
      "the same for a network for damaged pictures",
    ],
  ],
  async run({ hr, add, adapter, degradation = "Matlab's bicubic imresize", ...flags }, { signal }) {
    const device = await init({ adapter });
    const measure: Measure = (upscaler, degradation) => {
      const pictures = findPictures(hr, { scale: upscaler.scale, degradation, onLeftOut: console.error });
      return evaluate(upscaler, pictures, { signal });
    };
    try {
      for (const { folder, name } of add) await takeOver(folder, name, degradation, measure);
      await writeTables(flags["no-times"] ? undefined : device.name, measure);
    } finally {
      device.destroy();
    }
  },
});

async function takeOver(run: string, name: string, degradation: string, measure: Measure): Promise<void> {
  const { file, config, description, log } = trained(run);
  const model = loadModel(readFileSync(file), file);
  // Clean pictures tell nothing about a network for others.
  const damage = name.startsWith(`${photoNetwork}-`) ? degradations["JPEG 60"] : undefined;
  const before = await measure(networkUpscaler(model), damage);
  const halved = loadModel(await saveWeights(model, {}, { dtype: "F16" }), name);
  const after = await measure(networkUpscaler(halved), damage);
  const loss = before.mean.psnr - after.mean.psnr;
  const [dtype, { mean, conditions }] =
    loss < MAX_LOSS ? (["F16", after] as const) : (["F32", before] as const);
  const metadata = {
    name,
    training: `${description}, see weights/training/${name}`,
    pictures: config.data.join(", "),
    degradation,
    range: "0..1",
    seed: `${config.seed}`,
    set5: `${mean.psnr.toFixed(3)} dB, SSIM ${mean.ssim.toFixed(4)}${damage ? ", of JPEG 60" : ""}`,
    protocol: conditions,
    licence: "MIT",
  };
  await writeWhole(join(weights, `${name}.safetensors`), await saveWeights(model, metadata, { dtype }));
  const logs = join(weights, "training", name);
  mkdirSync(logs, { recursive: true });
  await writeWhole(join(logs, "config.json"), `${JSON.stringify(config, null, 2)}\n`);
  await writeWhole(join(logs, "log.jsonl"), readFileSync(log));
  for (const one of [model, halved]) one.dispose();
  console.log(`${name}: ${before.mean.psnr.toFixed(3)} dB; F16 costs ${loss.toFixed(4)}, saved as ${dtype}`);
}

/** Weights, and how they were made. */
interface Trained {
  readonly file: string;
  readonly config: { readonly data: readonly string[]; readonly seed: number };
  readonly description: string;
  readonly log: string;
}

function trained(run: string): Trained {
  if (existsSync(run) && statSync(run).isDirectory()) {
    const { config } = readCheckpoint(run).state;
    return {
      file: join(run, "best.safetensors"),
      config: portable(config),
      description: `${config.steps} steps`,
      log: join(run, "log.jsonl"),
    };
  }
  const { step, config } = parseSafetensors(readFileSync(run), run).metadata;
  if (step === undefined || config === undefined) {
    throw new Error(`${run} does not say how it was trained. Files of examples/pytorch/train.py do.`);
  }
  return {
    file: run,
    config: JSON.parse(config),
    description: `${step} steps by PyTorch`,
    log: `${run}.log.jsonl`,
  };
}

// ---- The tables

/** Scales of the first table. At scale 1, only what is damaged can be measured. */
const enlarging = pretrainedScales.filter((scale) => scale > 1);

/** A row of the tables: figures at x2, x3 and x4, undefined where there is none. */
interface Row {
  readonly method: string;
  readonly parameters: readonly (string | undefined)[];
  /** Billions of multiplications and additions, together, for a megapixel of the result. */
  readonly gflop: readonly (number | undefined)[];
  /** Milliseconds for a megapixel of the result. */
  readonly ms: readonly (number | undefined)[];
  /** Such as "33.66 / 0.9299". */
  readonly quality: readonly (string | undefined)[];
  /** Decibels, by degradation, at all scales of `pretrainedScales`. */
  readonly degraded: Readonly<Record<string, readonly (string | undefined)[]>>;
}

/** Figures by the same protocol, from the source in `from`. Parameters at x2, or at all scales. */
const published = {
  srcnn: {
    method: "SRCNN 9-5-5, ImageNet (Dong et al. 2016) [1]",
    parameters: ["57,281"],
    quality: ["36.66 / 0.9542", "32.75 / 0.9090", "30.48 / 0.8628"],
  },
  espcn: {
    method: "ESPCN, 91 pictures (Shi et al. 2016) [2]",
    parameters: ["22,729"],
    quality: [undefined, "32.55", undefined],
  },
  fsrcnn: {
    method: "FSRCNN, 91 pictures (Dong et al. 2016) [3]",
    parameters: ["12,464"],
    quality: ["36.94", "33.06", "30.55"],
  },
  nina: {
    method: "NinaSR-B0, DIV2K (Gouvine 2021) [4]",
    parameters: ["0.10 million"],
    quality: ["37.72 / 0.9594", "33.96 / 0.9234", "31.77 / 0.8877"],
  },
  edsr: {
    method: "EDSR-baseline, DIV2K (Lim et al. 2017) [4]",
    parameters: ["1,369,859"],
    quality: ["37.98 / 0.9604", "34.37 / 0.9270", "32.09 / 0.8936"],
  },
} as const;

/** Where the figures of others come from. */
const sources = `
[1] From the table of [DRRN's authors](https://github.com/tyshiwo/DRRN_CVPR17). [2] The paper's figure, as quoted
by [ESPCN-pytorch](https://github.com/yjn870/ESPCN-pytorch). [3] Likewise, by
[FSRCNN-pytorch](https://github.com/yjn870/FSRCNN-pytorch). [4] As
[torchSR](https://github.com/Coloquinte/torchSR) measured it.`;

/** @param adapter where times are measured; undefined: they are left out. */
async function writeTables(adapter: string | undefined, measure: Measure): Promise<void> {
  const own: Partial<Record<PretrainedName, Row>> = {};
  for (const name of pretrainedNames) own[name] = await rowOf(name, measure);
  const { row: bicubic, conditions } = await bicubicRow(measure);
  const paper = (key: keyof typeof published): Row => ({ ...noFigures, ...published[key] });
  const rows = [
    bicubic,
    paper("srcnn"),
    own.srcnn,
    paper("espcn"),
    own.espcn,
    paper("fsrcnn"),
    ...pretrainedNames.filter((name) => name !== "srcnn" && name !== "espcn").map((name) => own[name]),
    paper("nina"),
    paper("edsr"),
  ].filter((row) => row !== undefined);

  const first = table(
    ["Set5", "parameters", ...enlarging.map((scale) => `x${scale}`), "GFLOP a megapixel", "ms a megapixel"],
    rows.map(({ method, parameters, quality, gflop, ms }) => [
      method,
      distinct(parameters),
      ...enlarging.map((_, i) => quality[i] ?? "-"),
      distinct(gflop.map((value) => value?.toFixed(0))),
      adapter === undefined ? "-" : distinct(ms.map((value) => value?.toFixed(0))),
    ]),
  );
  const kinds = Object.keys(degradations);
  const second = table(
    ["Set5, degraded", ...kinds.flatMap((kind) => pretrainedScales.map((scale) => `${kind}, x${scale}`))],
    rows
      .filter(({ degraded }) => Object.keys(degraded).length > 0)
      .map(({ method, degraded }) => [
        method,
        ...kinds.flatMap((kind) => degraded[kind].map((x) => x ?? "-")),
      ]),
  );
  const notes = [
    `${conditions.replace("PSNR and", "PSNR (dB) and").replace(/border \d/, "border = scale")}. ` +
      `A megapixel is one of the result.` +
      `${adapter === undefined ? "" : ` Times on ${adapter}.`}`,
    `Degraded: PSNR in dB of LR pictures that got, after the same bicubic, ${Object.entries(degradations)
      .map(([kind, options]) => `${kind} (\`${JSON.stringify(options)}\`)`)
      .join(" or ")}.`,
    sources.trim(),
  ];
  const file = join(weights, "README.md");
  const text = readFileSync(file, "utf8");
  const between = /(<!-- table -->\n)[\s\S]*(<!-- end of table -->)/;
  if (!between.test(text)) throw new Error(`${file} lacks the marks that enclose its tables.`);
  const content = [first, second, ...notes].join("\n\n");
  await writeWhole(
    file,
    text.replace(between, (_, begin, end) => `${begin}${content}\n${end}`),
  );
}

const noFigures = { gflop: [], ms: [], degraded: {} } as const;

async function rowOf(name: PretrainedName, measure: Measure): Promise<Row> {
  const all: Column[] = [];
  for (const scale of pretrainedScales) {
    const has = scalesOf(name).includes(scale);
    all.push(has ? await columnOf(name, scale, measure) : { degraded: {} });
  }
  const columns = all.slice(-enlarging.length);
  return {
    method: `**pixelgrad ${name}**`,
    parameters: columns.map(({ parameters }) => parameters),
    gflop: columns.map(({ gflop }) => gflop),
    ms: columns.map(({ ms }) => ms),
    quality: columns.map(({ quality }) => quality),
    degraded: byKind((kind) => all.map(({ degraded }) => degraded[kind])),
  };
}

/** The figures of a network at one scale; none where it has no weights. */
interface Column {
  readonly parameters?: string;
  readonly gflop?: number;
  readonly ms?: number;
  readonly quality?: string;
  readonly degraded: Readonly<Record<string, string>>;
}

async function columnOf(name: PretrainedName, scale: PretrainedScale, measure: Measure): Promise<Column> {
  const model = await loadPretrained(name, { scale });
  const upscaler = networkUpscaler(model);
  if (scale === 1) {
    const degraded = await degradedOf(upscaler, measure);
    model.dispose();
    return { degraded };
  }
  const clean = await measure(upscaler);
  // Of the network's input; where that is the small picture, it has fewer pixels than the result.
  const pixels = model.inputSize === "low" ? scale ** 2 : 1;
  const column = {
    parameters: model.parameterCount().toLocaleString("en"),
    gflop: (2 * multiplyAddsPerPixel(model)) / pixels / 1e3,
    ms: clean.msPerMegapixel,
    quality: quality(clean.mean),
    degraded: await degradedOf(upscaler, measure),
  };
  model.dispose();
  console.log(`${name} x${scale}: ${column.quality}; ${JSON.stringify(column.degraded)}`);
  return column;
}

async function bicubicRow(measure: Measure): Promise<{ row: Row; conditions: string }> {
  const [columns, conditions]: [Column[], string[]] = [[], []];
  for (const scale of pretrainedScales) {
    const upscaler = interpolator("bicubic", scale);
    const degraded = await degradedOf(upscaler, measure);
    if (scale === 1) {
      columns.push({ degraded }); // the picture as it is
      continue;
    }
    const clean = await measure(upscaler);
    conditions.push(clean.conditions);
    columns.push({ quality: quality(clean.mean), degraded });
  }
  const row = {
    ...{ method: "bicubic", parameters: ["0"], gflop: [], ms: [] },
    quality: columns.slice(-enlarging.length).map((column) => column.quality),
    degraded: byKind((kind) => columns.map((column) => column.degraded[kind])),
  };
  return { row, conditions: conditions[0] };
}

async function degradedOf(upscaler: Upscaler, measure: Measure): Promise<Record<string, string>> {
  const result: Record<string, string> = {};
  for (const [kind, options] of Object.entries(degradations)) {
    result[kind] = (await measure(upscaler, options)).mean.psnr.toFixed(2);
  }
  return result;
}

function byKind<T>(of: (kind: string) => T): Record<string, T> {
  return Object.fromEntries(Object.keys(degradations).map((kind) => [kind, of(kind)]));
}

/** "61 / 40 / 29", or one figure where all are alike; "-" for none. */
function distinct(values: readonly (string | undefined)[]): string {
  const there = [...new Set(values.map((value) => value ?? "-"))];
  return there.length > 0 ? there.join(" / ") : "-";
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const ruler = `|---|${head
    .slice(1)
    .map(() => "---:")
    .join("|")}|`;
  return [line(head), ruler, ...rows.map(line)].join("\n");
}

function quality({ psnr, ssim }: { psnr: number; ssim: number }): string {
  return `${psnr.toFixed(2)} / ${ssim.toFixed(4)}`;
}

process.exitCode = await run("npm run weights --", weightsCommand, process.argv.slice(2));
