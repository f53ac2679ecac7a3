/**
 * The weights that come with the library: takes over what trainings have learned, and measures what there is.
 *
 *     npm run weights -- --hr Set5/HR                              measures, and writes the table of weights/README.md
 *     npm run weights -- --hr Set5/HR --add runs/espcn-x3=espcn-x3 takes over that training's best weights first
 *
 * `--adapter` says where. Taken over are the weights, as F16 where that costs less than 0.005 dB on those pictures, and
 * the training's configuration and log.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { writeWhole } from "../src/data/index.ts";
import { type Evaluation, evaluate, findPictures } from "../src/evaluate/index.ts";
import {
  type Device,
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
import { readCheckpoint } from "../src/train/checkpoint.ts";
import { portable } from "../src/train/config.ts";

const weights = fileURLToPath(new URL("../weights", import.meta.url));
/** F16 must not cost more, dB. */
const mostLost = 0.005;

const { values } = parseArgs({
  options: {
    high: { type: "string" },
    add: { type: "string", multiple: true, default: [] },
    adapter: { type: "string" },
    help: { type: "boolean" },
  },
});
const { high } = values;
if (high === undefined || values.help) {
  console.error(
    "npm run weights -- --hr FOLDER [--add RUN=NAME …] [--adapter A]: FOLDER holds Set5's HR pictures.",
  );
  process.exit(values.help ? 0 : 2);
}

async function takeOver(pair: string): Promise<void> {
  const [, run, name] = /^(.+)=([^=]+)$/.exec(pair) ?? [];
  if (run === undefined)
    throw new Error(`--add wants RUN=NAME, such as runs/espcn-x3=espcn-x3, got ${pair}.`);
  const trained = readFileSync(join(run, "best.safetensors"));
  const model = loadModel(trained, run);
  const before = await measure(networkUpscaler(model));
  const half = await saveWeights(model, {}, { dtype: "F16" });
  const halved = loadModel(half, name);
  const after = await measure(networkUpscaler(halved));
  const lost = before.mean.psnr - after.mean.psnr;
  const dtype = lost < mostLost ? "F16" : "F32";
  const kept = dtype === "F16" ? after : before;

  const { state } = readCheckpoint(run);
  const config = portable(state.config);
  const metadata = {
    name,
    training: `${state.config.steps} steps, see weights/training/${name}`,
    pictures: config.data.join(", "),
    degradation: "Matlab's bicubic imresize",
    range: "0..1",
    seed: `${config.seed}`,
    set5: `${kept.mean.psnr.toFixed(3)} dB, SSIM ${kept.mean.ssim.toFixed(4)}`,
    protocol: kept.conditions,
    licence: "MIT",
  };
  await writeWhole(join(weights, `${name}.safetensors`), await saveWeights(model, metadata, { dtype }));
  const logs = join(weights, "training", name);
  mkdirSync(logs, { recursive: true });
  await writeWhole(join(logs, "config.json"), `${JSON.stringify(config, null, 2)}\n`);
  await writeWhole(join(logs, "log.jsonl"), readFileSync(join(run, "log.jsonl")));
  for (const one of [model, halved]) one.dispose();
  console.log(`${name}: ${before.mean.psnr.toFixed(3)} dB; F16 costs ${lost.toFixed(4)}, kept as ${dtype}`);
}

function measure(upscaler: Upscaler): Promise<Evaluation> {
  return evaluate(upscaler, findPictures(high!, undefined, upscaler.scale));
}

// ---- The table

interface Line {
  readonly who: string;
  readonly parameters: string;
  /** "33.66 / 0.9299" at x2, x3 and x4. */
  readonly quality: readonly string[];
  readonly ms: string;
}

/** From the papers, of the same protocol; "-" where they have no figure. Parameters at x2, or of all scales. */
const published = {
  srcnn: {
    who: "SRCNN 9-5-5, ImageNet (Dong et al. 2016)",
    parameters: "57,281",
    quality: ["36.66 / 0.9542", "32.75 / 0.9090", "30.48 / 0.8628"],
  },
  espcn: {
    who: "ESPCN, 91 pictures (Shi et al. 2016)",
    parameters: "22,729",
    quality: ["-", "32.55 / -", "-"],
  },
  fsrcnn: {
    who: "FSRCNN (Dong et al. 2016)",
    parameters: "12,464",
    quality: ["37.00 / 0.9558", "33.16 / 0.9140", "30.72 / 0.8660"],
  },
  edsr: {
    who: "EDSR-baseline, DIV2K (Lim et al. 2017)",
    parameters: "1,369,859",
    quality: ["37.99 / 0.9604", "34.37 / 0.9270", "32.09 / 0.8938"],
  },
} as const;

async function writeTable(device: Device): Promise<void> {
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
      who: `**pixelgrad ${name}**`,
      parameters: [...new Set(cells.map(({ parameters }) => parameters))].join(" / "),
      quality: cells.map((cell) => cell.quality),
      ms: cells.map(({ ms }) => ms).join(" / "),
    };
  }
  const bicubic: string[] = [];
  for (const scale of pretrainedScales)
    bicubic.push(quality((await measure(interpolator("bicubic", scale))).mean));
  const lines: Line[] = [
    { who: "bicubic", parameters: "0", quality: bicubic, ms: "-" },
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
      ({ who, parameters, quality, ms }) => `| ${[who, parameters, ...quality, ms].join(" | ")} |`,
    ),
  ].join("\n");
  const file = join(weights, "README.md");
  const text = readFileSync(file, "utf8");
  const between = /(<!-- table -->\n)[\s\S]*(<!-- end of table -->)/;
  if (!between.test(text)) throw new Error(`${file} has lost the marks between which the table belongs.`);
  const note = `Set5. ${conditions
    .replace("PSNR and", "PSNR (dB) and")
    .replace(/border \d/, "border = scale")}. Times on ${device.name}.`;
  await writeWhole(
    file,
    text.replace(between, (_, begin, end) => `${begin}${table}\n\n${note}\n${end}`),
  );
}

function quality({ psnr, ssim }: { psnr: number; ssim: number }): string {
  return `${psnr.toFixed(2)} / ${ssim.toFixed(4)}`;
}

const device = await init({ adapter: values.adapter });
try {
  for (const pair of values.add) await takeOver(pair);
  await writeTable(device);
} finally {
  device.destroy();
}
