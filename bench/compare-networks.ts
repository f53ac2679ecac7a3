/**
 * Which small network is worth its milliseconds: `npm run compare:networks -- --help`. Trains each candidate for the
 * same number of steps, on the same patches at the same rates, and times them all in turns.
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { defineCommand, UsageError } from "../src/cli/flags.ts";
import { adapterFlag } from "../src/cli/method-flags.ts";
import { print } from "../src/cli/print.ts";
import { run } from "../src/cli/run.ts";
import { summarize } from "../src/measure/statistics.ts";
import {
  type Architecture,
  architectureOf,
  completeOptions,
  type Device,
  init,
  multiplyAddsPerPixel,
  noGrad,
  zeros,
} from "../src/node.ts";
import { folder, oneOf, whole } from "../src/options/kinds.ts";
import { type CheckpointState, checkpointFile } from "../src/train/checkpoint.ts";
import {
  type NetworkConfig,
  presets,
  readCheckpoint,
  resume,
  type TrainConfig,
  train,
} from "../src/train/index.ts";
import { runsInTurns } from "./timing.ts";

/** The first is the one that times are compared with. */
const candidates: Readonly<Record<string, NetworkConfig>> = {
  "edsr-small": { architecture: "EDSR", blocks: 8, channels: 32 },
  "wren 8x32": { architecture: "Wren", blocks: 8, channels: 32 },
  "wren 10x32": { architecture: "Wren", blocks: 10, channels: 32 },
  "wren 17x24": { architecture: "Wren", blocks: 17, channels: 24 },
  "wren 6x40": { architecture: "Wren", blocks: 6, channels: 40 },
  "wren 4x48": { architecture: "Wren", blocks: 4, channels: 48 },
  "span 5x28": { architecture: "SPAN", blocks: 5, channels: 28 },
  "span 6x32": { architecture: "SPAN", blocks: 6, channels: 32 },
  "compact 16x32": { architecture: "Compact", layers: 16, channels: 32 },
};

const timing = { runs: 9, minRunMs: 100 };

const compareNetworks = defineCommand({
  about: `
Compares small networks: decibels on held-out pictures after equal training, and milliseconds.

Each is trained from random weights for the same number of steps, on the same patches and at the same
learning rates. What is there already is not trained again, so that a comparison can be stopped and
go on. Times are those of all networks in turns, and of edsr-small in each turn.

So short a training favours networks that learn quickly, and figures of one seed vary by a few
hundredths of a decibel.`,
  flags: {
    data: { kind: folder, help: "HR pictures; repeat the flag for several folders", multiple: true },
    scale: { kind: oneOf(2, 3, 4), help: "enlargement [2]" },
    steps: { kind: whole(1), help: "training steps of each network [800]" },
    seed: { kind: whole(0), help: "decides the first weights and the patches [0]" },
    out: { kind: folder, help: "for the runs [runs/compare-networks]" },
    side: { kind: whole(1), help: "width and height of the picture that is enlarged for the times [128]" },
    adapter: adapterFlag,
  },
  examples: [
    ["", "on photographs from npm"],
    ["--data BSDS --data T91 --steps 1500", "on your own, for longer"],
  ],
  async run(
    {
      data = [],
      scale = 2,
      steps = 800,
      seed = 0,
      out = join("runs", "compare-networks"),
      side = 128,
      adapter,
    },
    { signal },
  ) {
    const device = await init({ adapter });
    const decibels = new Map<string, number>();
    for (const [name, network] of Object.entries(candidates)) {
      const path = join(out, `x${scale}-${steps}-${seed}`, name.replace(" ", "-"));
      const config: TrainConfig = {
        ...presets.Wren.quick,
        ...{ network: { ...network, scale } as NetworkConfig, data, steps, seed, out: path, adapter },
        ...{ lr: 1e-3, warmup: 100, ema: 0.999, evalEvery: steps, validPictures: 20 },
      };
      const psnr = await psnrAfterTraining(config, path, device, signal);
      if (psnr === undefined) return;
      print(`${name}: ${psnr.toFixed(2)} dB`);
      decibels.set(name, psnr);
    }
    const rows = await timeAll(scale, side, device);
    print(`| x${scale} | parameters | multiply-adds a pixel | dB | ms a megapixel | time of edsr-small's |`);
    print("|---|---:|---:|---:|---:|---:|");
    for (const { name, parameters, work, ms, share } of rows) {
      const cells = [name, parameters.toLocaleString("en"), work.toLocaleString("en")];
      print(`| ${[...cells, decibels.get(name)!.toFixed(2), ms.toFixed(0), share.toFixed(2)].join(" | ")} |`);
    }
    print(`${steps} steps of 4 patches of 24x24, seed ${seed}; ${device.name}.`);
  },
});

/** What the network reaches on held-out pictures. Goes on with a run that was stopped. Undefined: stopped again. */
async function psnrAfterTraining(
  config: TrainConfig,
  path: string,
  device: Device,
  signal: AbortSignal,
): Promise<number | undefined> {
  const options = { device, signal };
  const saved = existsSync(join(path, checkpointFile)) ? readCheckpoint(path).state : undefined;
  if (saved) checkPictures(config, path, saved);
  if (saved?.best && saved.step >= config.steps) return saved.best.psnr;
  const { step, best } = await (saved ? resume(path, options) : train(config, options));
  return step < config.steps ? undefined : best?.psnr;
}

/** Throws unless the run in the folder learns from the wanted pictures. */
function checkPictures(
  { data }: TrainConfig,
  path: string,
  { config, workingFolder }: CheckpointState,
): void {
  const [wanted, used] = [
    data.map((each) => resolve(each)),
    config.data.map((each) => resolve(workingFolder ?? "", each)),
  ];
  if (wanted.join("\n") === used.join("\n")) return;
  const named = (folders: readonly string[]) => folders.join(", ") || "the photographs from npm";
  throw new UsageError(
    `the run in ${path} learns from ${named(used)}, and ${named(wanted)} are wanted; name another folder by --out`,
  );
}

async function timeAll(scale: number, side: number, device: Device) {
  const entries = [];
  for (const [name, network] of Object.entries(candidates)) {
    const architecture: Architecture = architectureOf(network.architecture);
    const { architecture: _name, ...options } = network;
    const model = architecture.build(completeOptions(architecture, { ...options, scale }));
    const x = zeros([1, 3, side, side]);
    entries.push({ name, model, run: () => noGrad(() => model.forward(x)) });
  }
  const times = await runsInTurns(entries, device, timing);
  const megapixels = (scale * side) ** 2 / 1e6;
  return entries.map(({ name, model }, i) => ({
    name,
    parameters: model.parameterCount(),
    work: Math.round(multiplyAddsPerPixel(model)),
    ms: summarize(times[i]).median / megapixels,
    // Of neighbours in time, so that a slow minute of the machine counts on both sides.
    share: summarize(times[i].map((ms, round) => ms / times[0][round])).median,
  }));
}

process.exitCode = await run("npm run compare:networks --", compareNetworks, process.argv.slice(2));
