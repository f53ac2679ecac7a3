import { parseArgs } from "node:util";
import { architectureOf } from "../node.ts";
import { type ArchitectureName, presetsOf, type TrainConfig } from "./config.ts";
import { checkConfig, formatSetting, type Setting, settingsFor, withSetting } from "./settings.ts";

/** What was asked for on the command line. */
export interface TrainCommand {
  /** The whole configuration of a new training; of a resumed one, see `changes`. */
  readonly config: TrainConfig;
  /** Folder of the training to resume. */
  readonly resume: string | undefined;
  /** Applies the given flags, and nothing else, to another configuration: that of the training to resume. */
  changes(config: TrainConfig): TrainConfig;
}

/**
 * Reads a command line: `--preset` and, in front of its values, the other flags. Throws an Error with one paragraph
 * if there is anything wrong. Returns undefined after `--help`, which it prints.
 *
 * @param command how its users call the program, such as "npm run train:edsr --".
 */
export function parseCommandLine(
  command: string,
  architecture: ArchitectureName,
  args: readonly string[],
): TrainCommand | undefined {
  const settings = settingsFor(architectureOf(architecture));
  const own = presetsOf(architectureOf(architecture));
  const values = readFlags(settings, args);
  if (values.help) {
    console.log(help(command, settings, own));
    return undefined;
  }
  const preset = (values.preset as string | undefined) ?? Object.keys(own)[0];
  if (!Object.hasOwn(own, preset)) {
    throw new Error(`--preset wants ${Object.keys(own).join(" or ")}, got "${preset}"`);
  }
  if (values.resume !== undefined && values.preset !== undefined) {
    throw new Error("--preset is for a new training; a resumed one keeps its configuration");
  }
  const changes = (config: TrainConfig) => {
    if (config.network.architecture !== architecture) {
      throw new Error(
        `${values.resume} holds a training of ${config.network.architecture}, and this program trains ${architecture}. ` +
          `Resume it with that network's.`,
      );
    }
    return settings.reduce((changed, setting) => {
      const texts = values[setting.flag] as string[] | undefined;
      return texts ? withSetting(changed, setting, readValue(setting, texts)) : changed;
    }, config);
  };
  const config = changes(own[preset]);
  checkConfig(config, (setting) => `--${setting.flag}`);
  return { config, resume: values.resume as string | undefined, changes };
}

function readFlags(settings: readonly Setting[], args: readonly string[]): Record<string, unknown> {
  const flags = settings.map(({ flag }) => [flag, { type: "string", multiple: true }] as const);
  return parseArgs({
    args: [...args],
    options: {
      ...Object.fromEntries(flags),
      help: { type: "boolean" },
      preset: { type: "string" },
      resume: { type: "string" },
    },
  }).values;
}

/** Of a flag that is given several times the last counts, as everywhere; but that of paths collects them. */
function readValue({ flag, kind, multiple }: Setting, texts: readonly string[]): unknown {
  const values = texts.map((text) => {
    const value = kind.read(text);
    if (!kind.fits(value)) throw new Error(`--${flag} wants ${kind.wants}, got "${text}"`);
    return value;
  });
  return multiple ? values : values.at(-1);
}

function help(command: string, settings: readonly Setting[], own: Record<string, TrainConfig>): string {
  const names = Object.keys(own);
  const line = (flag: string, text: string) => `  --${flag.padEnd(19)} ${text}`;
  const lines = settings.map((setting) => {
    const value = formatSetting(own[names[0]], setting);
    const preset = value ? ` [${value}]` : "";
    return line(setting.flag, setting.help + preset);
  });
  return [
    `${command} [flags]\n`,
    line("preset", `${names.join(", ")} [${names[0]}]: values for all the flags below`),
    line("resume", "folder of a training to go on with"),
    ...lines,
  ].join("\n");
}
