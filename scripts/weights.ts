/** The library's own weights, and the table of weights/README.md: `npm run weights -- --help`. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineCommand } from "../src/cli/flags.ts";
import { adapterFlag } from "../src/cli/methods.ts";
import { run } from "../src/cli/run.ts";
import { writeWhole } from "../src/data/index.ts";
import { type Evaluation, evaluate, findPictures } from "../src/evaluate/index.ts";
import {
  init,
  interpolator,
  loadModel,
  loadPretrained,
  networkUpscaler,
  pretrainedNames,
  pretrainedScales,
  saveWeights,
  type Upscaler,
} from "../src/node.ts";
import { folder, type Kind } from "../src/options/kinds.ts";
import { readCheckpoint } from "../src/train/checkpoint.ts";
import { portable } from "../src/train/config.ts";

const weights = fileURLToPath(new URL("../weights", import.meta.url));
/** What F16 may cost, dB. */
const maxLoss = 0.005;

/** Measures on Set5. */
type Measure = (upscaler: Upscaler) => Promise<Evaluation>;

interface Addition {
  readonly folder: string;
  readonly name: string;
}

/** A run's folder, and the name that its weights get. */
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

Writes the table of weights/README.md: all networks that come with the library, and bicubic, on Set5.

With --add, it first takes the best weights of training runs into weights/, with the run's configuration
and log: as F16 where that costs less than ${maxLoss} dB on Set5, else as F32.`,
  flags: {
    hr: { kind: folder, help: "the HR pictures of Set5", required: true },
    add: { kind: addition, help: "a run's folder, and the name that its weights get", multiple: true },
    adapter: adapterFlag,
  },
  examples: [
    ["--hr Set5/HR", "measures, and writes the table"],
    ["--hr Set5/HR --add runs/espcn-x3=espcn-x3", "takes over a run's best weights first"],
  ],
  async run({ hr, add, adapter }, { signal }) {
    const device = await init({ adapter });
    const measure: Measure = (upscaler) =>
      evaluate(upscaler, findPictures(hr, undefined, upscaler.scale), { signal });
    try {
      for (const { folder, name } of add) await takeOver(folder, name, measure);
      await writeTable(device.name, measure);
    } finally {
      device.destroy();
    }
  },
});

async function takeOver(run: string, name: string, measure: Measure): Promise<void> {
  const model = loadModel(readFileSync(join(run, "best.safetensors")), run);
  const before = await measure(networkUpscaler(model));
  const halved = loadModel(await saveWeights(model, {}, { dtype: "F16" }), name);
  const after = await measure(networkUpscaler(halved));
  const loss = before.mean.psnr - after.mean.psnr;
  const [dtype, { mean, conditions }] =
    loss < maxLoss ? (["F16", after] as const) : (["F32", before] as const);

  const { state } = readCheckpoint(run);
  const config = portable(state.config);
  const metadata = {
    name,
    training: `${state.config.steps} steps, see weights/training/${name}`,
    pictures: config.data.join(", "),
    degradation: "Matlab's bicubic imresize",
    range: "0..1",
    seed: `${config.seed}`,
    set5: `${mean.psnr.toFixed(3)} dB, SSIM ${mean.ssim.toFixed(4)}`,
    protocol: conditions,
    licence: "MIT",
  };
  await writeWhole(join(weights, `${name}.safetensors`), await saveWeights(model, metadata, { dtype }));
  const logs = join(weights, "training", name);
  mkdirSync(logs, { recursive: true });
  await writeWhole(join(logs, "config.json"), `${JSON.stringify(config, null, 2)}\n`);
  await writeWhole(join(logs, "log.jsonl"), readFileSync(join(run, "log.jsonl")));
  for (const one of [model, halved]) one.dispose();
  console.log(`${name}: ${before.mean.psnr.toFixed(3)} dB; F16 costs ${loss.toFixed(4)}, saved as ${dtype}`);
}

// ---- The table

interface Line {
  readonly method: string;
  readonly parameters: string;
  /** Such as "33.66 / 0.9299", at x2, x3 and x4. */
  readonly quality: readonly string[];
  readonly ms: string;
}

/** The papers' figures by the same protocol, "-" where there is none. Parameters at x2, or at all scales. */
const published = {
  srcnn: {
    method: "SRCNN 9-5-5, ImageNet (Dong et al. 2016)",
    parameters: "57,281",
    quality: ["36.66 / 0.9542", "32.75 / 0.9090", "30.48 / 0.8628"],
  },
  espcn: {
    method: "ESPCN, 91 pictures (Shi et al. 2016)",
    parameters: "22,729",
    quality: ["-", "32.55 / -", "-"],
  },
  fsrcnn: {
    method: "FSRCNN (Dong et al. 2016)",
    parameters: "12,464",
    quality: ["37.00 / 0.9558", "33.16 / 0.9140", "30.72 / 0.8660"],
  },
  edsr: {
    method: "EDSR-baseline, DIV2K (Lim et al. 2017)",
    parameters: "1,369,859",
    quality: ["37.99 / 0.9604", "34.37 / 0.9270", "32.09 / 0.8938"],
  },
} as const;

async function writeTable(adapter: string, measure: Measure): Promise<void> {
  const paper = (key: keyof typeof published): Line => ({ ...published[key], ms: "-" });
  const own: Record<string, Line> = {};
  let conditions = "";
  for (const name of pretrainedNames) {
    const cells: { quality: string; ms: string; parameters: string }[] = [];
    for (const scale of pretrainedScales) {
      const model = await loadPretrained(name, { scale });
      const { mean, conditions: text } = await measure(networkUpscaler(model));
      if (scale === 2) conditions ||= text;
      cells.push({
        quality: quality(mean),
        ms: mean.ms.toFixed(0),
        parameters: model.parameterCount().toLocaleString("en"),
      });
      model.dispose();
      console.log(`${name} x${scale}: ${cells.at(-1)!.quality}`);
    }
    own[name] = {
      method: `**pixelgrad ${name}**`,
      parameters: [...new Set(cells.map(({ parameters }) => parameters))].join(" / "),
      quality: cells.map((cell) => cell.quality),
      ms: cells.map(({ ms }) => ms).join(" / "),
    };
  }
  const bicubic: string[] = [];
  for (const scale of pretrainedScales) {
    bicubic.push(quality((await measure(interpolator("bicubic", scale))).mean));
  }
  const lines: Line[] = [
    { method: "bicubic", parameters: "0", quality: bicubic, ms: "-" },
    paper("srcnn"),
    own.srcnn,
    paper("espcn"),
    own.espcn,
    paper("fsrcnn"),
    own["edsr-small"],
    paper("edsr"),
  ];
  const table = [
    "| | parameters | x2 | x3 | x4 | ms a picture |",
    "|---|---:|---|---|---|---:|",
    ...lines.map(
      ({ method, parameters, quality, ms }) => `| ${[method, parameters, ...quality, ms].join(" | ")} |`,
    ),
  ].join("\n");
  const file = join(weights, "README.md");
  const text = readFileSync(file, "utf8");
  const between = /(<!-- table -->\n)[\s\S]*(<!-- end of table -->)/;
  if (!between.test(text)) throw new Error(`${file} lacks the marks that enclose its table.`);
  const note = `Set5. ${conditions
    .replace("PSNR and", "PSNR (dB) and")
    .replace(/border \d/, "border = scale")}. Times on ${adapter}.`;
  await writeWhole(
    file,
    text.replace(between, (_, begin, end) => `${begin}${table}\n\n${note}\n${end}`),
  );
}

function quality({ psnr, ssim }: { psnr: number; ssim: number }): string {
  return `${psnr.toFixed(2)} / ${ssim.toFixed(4)}`;
}

process.exitCode = await run("npm run weights --", weightsCommand, process.argv.slice(2));
