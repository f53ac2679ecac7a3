/** `pixelgrad train NETWORK`: a command for each network. Its flags are all the settings of training. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { sameFile } from "../files/same-file.ts";
import { type Architecture, architectureOf, architectures, type NetworkFile, networkIn } from "../node.ts";
import { folder, oneOf, whole } from "../options/kinds.ts";
import { orList } from "../options/lists.ts";
import { textOf } from "../picture/errors.ts";
import { Progress } from "../report/progress.ts";
import { networkOf } from "../train/config.ts";
import {
  type OnLoss,
  onLossChoices,
  presetsOf,
  resume,
  type TrainConfig,
  type TrainResult,
  type TrainStatus,
  train,
} from "../train/index.ts";
import { hasAllWeights, readInitial } from "../train/initial.ts";
import { runFiles } from "../train/run-folder.ts";
import { readSavedRun } from "../train/saved-run.ts";
import { checkConfigFor, formatSetting, type Setting, settingsFor, withSetting } from "../train/settings.ts";
import { FIRST_STEPS, longRun } from "../train/verdict.ts";
import { bestFile } from "../weights/run-files.ts";
import { asCalled, quotedPath } from "./as-called.ts";
import { type Command, type Flags, UsageError, type Values } from "./flags.ts";
import { inputsOf, refuseMisnamed } from "./outputs.ts";
import { print } from "./print.ts";
import { profileFlag, withProfile } from "./profile.ts";
import { type CommandGroup, run } from "./run.ts";

export const trainCommands: CommandGroup = {
  title: "Trains a network. Its weights, a log, curves and a report go into a folder of their own.",
  noun: "network",
  commands: Object.fromEntries(
    architectures.map((architecture: Architecture) => [
      architecture.name.toLowerCase(),
      { summary: architecture.summary, load: async () => trainCommand(architecture) },
    ]),
  ),
  notes: `
  pixelgrad train --init FILE --data FOLDER    trains the network of a weight file, or wren, further
  pixelgrad train --resume FOLDER              goes on with the run in a folder

Without --data, networks learn from the photographs of some npm packages, if they are installed.
After Ctrl-C or a crash, --resume FOLDER goes on as if training had never stopped.`,
  async nameIn(args) {
    const text = { type: "string" } as const;
    const options = { init: text, resume: text, scale: text };
    const { init, resume, scale } = parseArgs({ args: [...args], options, strict: false }).values;
    if (typeof resume === "string") return networkOfRun(resume).toLowerCase();
    return typeof init === "string"
      ? (await networkOfInit(init, scale)).architecture.name.toLowerCase()
      : undefined;
  },
};

/** @throws DataError if there is no run in the folder, or nothing of it is whole */
function networkOfRun(folder: string): string {
  try {
    return readSavedRun(folder, () => {}).config.network.architecture;
  } catch (error) {
    throw ofFlags(error as Error);
  }
}

/** The flags by the names of the options that the library's sentences call in backticks, such as `evalEvery`. */
const flagByOption = new Map([
  ...architectures.flatMap((architecture: Architecture) =>
    settingsFor(architecture).map(({ path, flag }) => [path, flag] as const),
  ),
  ["resume", "resume"],
  ["onLoss", "on-loss"],
]);

/** A sentence of the library in terms of the command line. */
function inFlags(sentence: string): string {
  return sentence.replace(/`([\w.]+)`/g, (quoted, option: string) => {
    const flag = flagByOption.get(option);
    return flag === undefined ? quoted : `--${flag}`;
  });
}

/** The same error, in terms of the command line. */
function ofFlags(error: Error): Error {
  error.message = inFlags(error.message);
  return error;
}

/** @throws DataError if the file cannot be read, or holds no network of this library */
async function networkOfInit(
  init: string,
  scale: unknown,
): Promise<ReturnType<typeof networkIn> & { file: NetworkFile }> {
  const number = Number(scale ?? Number.NaN);
  const file = await readInitial(init, whole(1).fits(number) ? number : undefined);
  return { file, ...networkIn(file, init) };
}

/**
 * A program that trains one network, with the flags of `pixelgrad train`, its progress and its Ctrl-C.
 *
 * @param program how users call it: "npm run train:edsr --".
 * @param defaults the configuration without flags.
 */
export async function trainProgram(program: string, defaults: TrainConfig): Promise<void> {
  const command = trainCommand(architectureOf(defaults.network.architecture), defaults);
  process.exitCode = await run(program, command, process.argv.slice(2));
}

/** @param defaults the configuration without flags; default: the network's first preset. */
export function trainCommand(
  architecture: Architecture,
  defaults: TrainConfig = Object.values(presetsOf(architecture))[0],
): Command {
  const { name, summary } = architecture;
  const presetNames = Object.keys(architecture.presets);
  return {
    about: `
Trains ${name} on pictures.

${summary}.

Networks learn from RGB of 8 bits: transparent pictures are put on white, of 16 bits the upper 8 are
used, and a line at the start names such pictures, and those that are both trained and measured on.
With --init and without --preset, the network is that of the file, also of a .pth of another
program, but for what flags say otherwise. If the file has all weights of the network that is
trained, the rate is at most ${FINE_TUNING_RATE} without --lr. Ctrl-C saves what was learned, and prints the
command that goes on. A run ends with exit code 1, and says what to change, if its network is more
than ${longRun.decibels} dB below bicubic interpolation after ${longRun.steps} steps or more, or worse than pictures without
any detail: after ${FIRST_STEPS} steps or more, or earlier if the last loss is more than twice the first.

Brackets hold the value of a flag that is not given.`,
    flags: {
      preset: {
        kind: { ...oneOf(...presetNames), symbol: "NAME" },
        help: `starting values for the flags below: ${orList(presetNames)} [${presetNames[0]}]`,
      },
      resume: { kind: folder, help: "goes on with the run in this folder" },
      "on-loss": {
        kind: oneOf(...onLossChoices),
        help: "when the GPU device is lost: fail, or resume from the last checkpoint on a new one [fail]",
        multiple: "last",
      },
      ...Object.fromEntries(
        settingsFor(architecture).map((setting) => [setting.flag, flagOf(setting, defaults)]),
      ),
      ...profileFlag,
    },
    examples: [
      ["", `the preset ${presetNames[0]}, on photographs from npm`],
      ["--data photos --valid Set5/HR --steps 5000", "your own pictures, measured on others"],
      [`--init model.pth --data photos`, "trains the network of a file further, on your pictures"],
      [
        `--resume runs/${architecture.shortName(networkOf(defaults.network).options)}`,
        "goes on where that run stopped",
      ],
    ],
    savesWhenStopped: true,
    async run(values, { program, signal }) {
      const initial = await withNetworkOfInit(architecture, values, defaults);
      const { folder, change, config } = readTraining(architecture, values, initial);
      const onLoss = values["on-loss"] as OnLoss | undefined;
      const { close, hasBegun, ...callbacks } = reporter();
      const options = { signal, onLoss, ...callbacks };
      const profile = values.profile as string | undefined;
      if (folder === undefined && config.out !== undefined) refuseMisnamed(config.out);
      const ownFolder = folder ?? config.out;
      refuseRunFile(profile, ownFolder);
      const inputs = inputsOf([], [config.init]);
      const isNew = folder === undefined && config.out !== undefined && !existsSync(config.out);
      const newFolder = isNew ? config.out : undefined;
      const work = () =>
        (folder === undefined ? train(config, options) : resume(folder, { ...options, change })).catch(
          (error: Error) => {
            throw hasBegun() ? ofFlags(error) : usageBefore(error);
          },
        );
      const result = await withProfile(profile, inputs, work, newFolder);
      close();
      reportEnd(result, program);
    },
  };
}

/** An error before the first step, of flags whose values only the run that they are for can judge, or another one. */
function usageBefore(error: Error): Error {
  ofFlags(error);
  return error instanceof RangeError ? new UsageError(textOf(error).replace(/\.$/, "")) : error;
}

/** Says how a run has ended, and what to do next. @throws Error if it has failed to learn */
function reportEnd({ step, best, bicubic, path, advice, config }: TrainResult, program: string): void {
  const { steps, evalEvery, lr } = config;
  if (best) {
    print(
      `Best: ${best.psnr.toFixed(2)} dB at step ${best.step} (bicubic ${bicubic.toFixed(2)}). ` +
        `Look at ${join(path, "report.html")} and comparison.png.`,
    );
    const hasBeenMeasured = step >= steps || step >= evalEvery;
    if (best.step === 0 && step > 0 && hasBeenMeasured) {
      print(
        `No evaluation was better than the weights it began with, which are in ${bestFile}. Try a smaller ` +
          `--lr (it was ${lr}), or more steps.`,
      );
    }
  }
  if (step >= steps) {
    if (advice) throw new Error(inFlags(advice));
    return;
  }
  const next = `${asCalled(program)} --resume ${quotedPath(path)}`;
  const saved = step > 0 ? ` What it had learned by then is saved; go on with: ${next}` : "";
  print(`Stopped at step ${step} of ${steps}.${saved}`);
}

/** @throws UsageError if the trace would replace what the run writes into its folder */
function refuseRunFile(profile: string | undefined, folder: string | undefined): void {
  if (profile === undefined || folder === undefined) return;
  if (!runFiles.some((name) => sameFile(join(folder, name), profile))) return;
  throw new UsageError(`${profile} is a file of the run; --profile must name another place`);
}

function flagOf(setting: Setting, defaults: TrainConfig): Flags[string] {
  const { kind, help, multiple = "last" } = setting;
  const value = formatSetting(defaults, setting);
  return { kind, help: value ? `${help} [${value}]` : help, multiple };
}

export interface TrainRequest {
  /** The configuration of a new run. */
  readonly config: TrainConfig;
  /** The folder of the run to resume. */
  readonly folder: string | undefined;
  /** Applies the flags that were given, and nothing else, to a configuration. */
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
    checkConfigFor("train", config, ({ flag }) => `--${flag}`);
  } catch (error) {
    throw new UsageError(textOf(error as Error).replace(/\.$/, ""));
  }
  return { config, folder, change };
}

/** A network that has learned needs small steps: by the rate for random weights it would first forget. */
const FINE_TUNING_RATE = 1e-4;

/**
 * The configuration without flags, with the network of --init's file and a rate to train it further, unless
 * --preset or --resume says which.
 */
async function withNetworkOfInit(
  architecture: Architecture,
  values: Values<Flags>,
  defaults: TrainConfig,
): Promise<TrainConfig> {
  if (values.init === undefined || values.preset !== undefined || values.resume !== undefined)
    return defaults;
  const { name } = architecture;
  const file = values.init as string;
  const network = await networkOfInit(file, values.scale);
  const other = network.architecture.name;
  if (other !== name) {
    throw new UsageError(
      `${file} holds ${other}, and this command trains ${name}. Train it further by "train ${other.toLowerCase()}"`,
    );
  }
  const further = {
    ...defaults,
    network: { architecture: name, ...network.options } as TrainConfig["network"],
  };
  // Flags may ask for another network, such as one of another scale, some of whose weights are then random.
  const { config } = readTraining(architecture, values, further);
  return hasAllWeights(network.file, config.network)
    ? { ...further, lr: Math.min(defaults.lr, FINE_TUNING_RATE) }
    : further;
}

/** 0 %, < 1 %, 5 %: how much of the time is spent waiting needs no more digits. */
function percent(share: number): string {
  return share > 0 && share < 0.01 ? "< 1 %" : `${Math.round(100 * share)} %`;
}

/** Prints how training goes: sentences, and below them one line of progress. */
function reporter() {
  let progress: Progress | undefined;
  return {
    onMessage(sentence: string) {
      const line = inFlags(sentence);
      if (progress) progress.log(line);
      else print(line);
      progress?.skip();
    },
    onProgress({ step, steps, loss, lr, psnr, waiting }: TrainStatus) {
      progress ??= new Progress({ total: steps, start: step });
      progress.update(step, { loss, lr, ...(psnr !== undefined && { dB: psnr }), waiting: percent(waiting) });
    },
    /** Whether there has been a step. */
    hasBegun: () => progress !== undefined,
    close: () => progress?.done(),
  };
}
