import { parseArgs } from "node:util";

/** What can be said on the command line, with the defaults of a first training that takes minutes. */
const flags = {
  steps: { default: "1200", help: "training steps" },
  blocks: { default: "4", help: "residual blocks (the paper's baseline: 16)" },
  channels: { default: "16", help: "channels of every feature map (the paper's baseline: 64)" },
  scale: { default: "2", help: "enlargement: 2, 3, 4 or 8" },
  "res-scale": { default: "1", help: "factor of each block's residual (0.1 for 256 channels)" },
  batch: { default: "4", help: "patches per step (the paper: 16)" },
  patch: { default: "24", help: "side of a patch in LR pixels (the paper: 48)" },
  lr: { default: "2e-3", help: "Adam's first learning rate, falling by half a cosine (the paper: 1e-4)" },
  seed: { default: "0", help: "decides the first weights, and the order and place of the patches" },
  "eval-every": { default: "300", help: "steps between evaluations on the held-out pictures" },
  valid: { default: "10", help: "how many of the held-out pictures to evaluate on" },
  data: { default: "", help: "folder of DIV2K, or of any HR pictures; default: photographs from npm" },
  out: { default: "", help: "folder for the results; default: a new one under runs/" },
  adapter: { default: "", help: "gpu, lavapipe, swiftshader, cpu, or part of an adapter's name" },
} as const;

export interface TrainOptions {
  readonly steps: number;
  readonly blocks: number;
  readonly channels: number;
  readonly scale: 2 | 3 | 4 | 8;
  readonly resScale: number;
  readonly batch: number;
  readonly patch: number;
  readonly lr: number;
  readonly seed: number;
  readonly evalEvery: number;
  readonly valid: number;
  readonly data: string | undefined;
  readonly out: string | undefined;
  readonly adapter: string | undefined;
}

/** Reads the command line; a wrong one ends the program with a message and exit code 2. */
export function parseOptions(args = process.argv.slice(2)): TrainOptions {
  const names = Object.keys(flags) as (keyof typeof flags)[];
  const spec = Object.fromEntries(
    names.map((name) => [name, { type: "string" as const, default: flags[name].default }]),
  );
  try {
    const parsed = parseArgs({ args, options: { ...spec, help: { type: "boolean" as const } } });
    const values: Record<string, string | boolean | undefined> = parsed.values;
    if (values.help) {
      console.log("npm run train:edsr -- [flags]\n");
      for (const name of names) {
        const preset = flags[name].default;
        console.log(`  --${name.padEnd(11)} ${flags[name].help}${preset ? ` [${preset}]` : ""}`);
      }
      process.exit(0);
    }
    const text = (name: keyof typeof flags) => values[name] as string;
    const positive = (name: keyof typeof flags, whole: boolean) => {
      const value = Number(text(name));
      if (!(value > 0) || (whole && !Number.isInteger(value)) || !Number.isFinite(value)) {
        throw new Error(`--${name} wants a ${whole ? "whole " : ""}number above 0, got "${text(name)}"`);
      }
      return value;
    };
    const scale = positive("scale", true);
    if (![2, 3, 4, 8].includes(scale)) throw new Error(`--scale wants 2, 3, 4 or 8, got "${text("scale")}"`);
    const seed = Number(text("seed"));
    if (!Number.isSafeInteger(seed)) throw new Error(`--seed wants a whole number, got "${text("seed")}"`);
    return {
      steps: positive("steps", true),
      blocks: positive("blocks", true),
      channels: positive("channels", true),
      scale: scale as TrainOptions["scale"],
      resScale: positive("res-scale", false),
      batch: positive("batch", true),
      patch: positive("patch", true),
      lr: positive("lr", false),
      seed,
      evalEvery: positive("eval-every", true),
      valid: positive("valid", true),
      data: text("data") || undefined,
      out: text("out") || undefined,
      adapter: text("adapter") || undefined,
    };
  } catch (error) {
    // Node's own messages have several lines.
    const message = (error as Error).message.replaceAll(/\s*\n\s*/g, " ").replace(/\.$/, "");
    console.error(`train:edsr: ${message}. Run it with --help for all flags.`);
    process.exit(2);
  }
}
