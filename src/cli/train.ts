/** `pixelgrad train NETWORK`: a command for each network, whose flags are all the settings of training. */
import { type Architecture, architectureOf, architectures } from "../node.ts";
import { path } from "../options/kinds.ts";
import { Progress } from "../report/progress.ts";
import {
  presetsOf,
  resume,
  type TrainConfig,
  type TrainOptions,
  type TrainStatus,
  train,
} from "../train/index.ts";
import { checkConfig, formatSetting, type Setting, settingsFor, withSetting } from "../train/settings.ts";
import { type Command, type Flags, oneOf, reader, UsageError, type Values } from "./flags.ts";
import { type CommandGroup, run } from "./run.ts";

export const trainCommands: CommandGroup = {
  title: "Trains a network: weights, a log, curves and a report in a folder of its own.",
  noun: "network",
  commands: Object.fromEntries(
    architectures.map((architecture: Architecture) => [
      architecture.name.toLowerCase(),
      { summary: architecture.summary, load: async () => trainCommand(architecture) },
    ]),
  ),
  notes: `
Without --data, the photographs of some npm packages are used, if they are installed. --resume FOLDER goes
on after Ctrl-C, or after a crash, as if training had never stopped.`,
};

/**
 * A program of its own that trains one network: with the flags of `pixelgrad train`, its progress and its
 * Ctrl-C.
 *
 * @param program how its users call it: "npm run train:edsr --".
 * @param defaults what is trained without flags.
 */
export async function trainProgram(program: string, defaults: TrainConfig): Promise<void> {
  const architecture = architectureOf(defaults.network.architecture);
  const command = trainCommand(architecture, { program, defaults });
  process.exitCode = await run(program, command, process.argv.slice(2));
}

export interface TrainCommandOptions {
  readonly program?: string;
  /** The configuration without flags. Default: the network's first preset. */
  readonly defaults?: TrainConfig;
}

export function trainCommand(architecture: Architecture, options: TrainCommandOptions = {}): Command {
  const presets = presetsOf(architecture);
  const [first] = Object.keys(presets);
  const defaults = options.defaults ?? presets[first];
  const lowerName = architecture.name.toLowerCase();
  const name = `train ${lowerName}`;
  return {
    name,
    summary: `trains ${architecture.name} on pictures`,
    about: `
${architecture.name}: ${architecture.summary}.
Every flag is a setting; what stands in brackets is its value without the flag.`,
    flags: {
      preset: {
        value: "NAME",
        help: `values for the flags below, which change them: ${Object.keys(presets).join(", ")} [${first}]`,
        read: oneOf(...Object.keys(presets)),
      },
      resume: { value: "FOLDER", help: "goes on with the run of this folder", read: reader(path) },
      ...Object.fromEntries(
        settingsFor(architecture).map((setting) => [setting.flag, flagOf(setting, defaults)]),
      ),
    },
    examples: [
      [`${name}`, "the first preset, on photographs from npm"],
      [`${name} --data photos --valid Set5/HR --steps 5000`, "pictures of one's own, measured on others"],
      [`${name} --resume runs/${lowerName}-x2`, "goes on where that run stopped"],
    ],
    async run(values, { signal }) {
      const request = readTraining(architecture, values, defaults);
      const { onMessage, onProgress, close } = reporter();
      const trainOptions: TrainOptions = { signal, onMessage, onProgress };
      const result =
        request.resume === undefined
          ? await train(request.config, trainOptions)
          : await resume(request.resume, { ...trainOptions, change: request.change });
      close();
      const { step, config, best, bicubic, path } = result;
      if (best) {
        console.log(
          `Best: ${best.psnr.toFixed(2)} dB at step ${best.step} (bicubic ${bicubic.toFixed(2)}). ` +
            `Look at ${path}/report.html and comparison.png.`,
        );
      }
      if (step < config.steps) {
        const program = options.program ?? `${calledAs()} ${name}`;
        const saved =
          step > 0
            ? ` What it had learned by then is saved; go on with: ${program} --resume ${quoted(path)}`
            : "";
        console.log(`Stopped at step ${step} of ${config.steps}.${saved}`);
      }
    },
  };
}

function flagOf(setting: Setting, defaults: TrainConfig): Flags[string] {
  const value = formatSetting(defaults, setting);
  return {
    value: setting.kind.symbol,
    help: value ? `${setting.help} [${value}]` : setting.help,
    read: reader(setting.kind),
    multiple: setting.multiple ?? "last",
  };
}

export interface TrainRequest {
  /** Of a new run. */
  readonly config: TrainConfig;
  /** Folder of the run to resume. */
  readonly resume: string | undefined;
  /** Applies the flags that were given, and nothing else, to the configuration of the run to resume. */
  change(config: TrainConfig): TrainConfig;
}

/** What the flags of a command ask for. @throws UsageError */
export function readTraining(
  architecture: Architecture,
  values: Values<Flags>,
  defaults: TrainConfig,
): TrainRequest {
  const [preset, folder] = [values.preset as string | undefined, values.resume as string | undefined];
  if (folder !== undefined && preset !== undefined) {
    throw new UsageError("--preset is for a new run; a resumed one keeps its configuration");
  }
  if (folder !== undefined && values.out !== undefined) {
    throw new UsageError("--out is for a new run; a resumed one goes on in its folder");
  }
  const change = (config: TrainConfig) => {
    const { name } = architecture;
    const other = config.network.architecture;
    if (other !== name) {
      throw new UsageError(
        `${folder} holds a run of ${other}, and this command trains ${name}. Resume it by "train ` +
          `${other.toLowerCase()}"`,
      );
    }
    const changes = settingsFor(architecture).filter(({ flag, multiple }) =>
      multiple ? (values[flag] as unknown[]).length > 0 : values[flag] !== undefined,
    );
    return changes.reduce((changed, setting) => withSetting(changed, setting, values[setting.flag]), config);
  };
  const config = change(preset === undefined ? defaults : presetsOf(architecture)[preset]);
  try {
    checkConfig(config, ({ flag }) => `--${flag}`);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  return { config, resume: folder, change };
}

/** Shows how training goes: sentences, and below them one line of progress. */
function reporter() {
  let progress: Progress | undefined;
  return {
    onMessage(line: string) {
      if (progress) progress.log(line);
      else console.log(line);
      progress?.skip();
    },
    onProgress({ step, steps, loss, lr, psnr, waiting }: TrainStatus) {
      progress ??= new Progress({ total: steps, start: step });
      progress.update(step, { loss, lr, ...(psnr !== undefined && { dB: psnr }), "wait %": 100 * waiting });
    },
    close: () => progress?.done(),
  };
}

/** How the user called the program, which may have been through npm. */
function calledAs(): string {
  const { npm_command, npm_lifecycle_event } = process.env;
  if (npm_command === "exec") return "npx pixelgrad";
  return npm_lifecycle_event === "pixelgrad" ? "npm run pixelgrad --" : "pixelgrad";
}

/** A path for a shell. */
function quoted(path: string): string {
  return /^[\w./\\:~-]+$/.test(path) ? path : JSON.stringify(path);
}
