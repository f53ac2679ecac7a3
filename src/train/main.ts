import { Progress } from "../report/progress.ts";
import { parseCommandLine, type TrainCommand } from "./command-line.ts";
import type { ArchitectureName } from "./config.ts";
import { reportErrors } from "./errors.ts";
import type { TrainStatus } from "./journal.ts";
import { resume, train } from "./trainer.ts";

/**
 * A program that trains: reads the command line, shows the progress, hears Ctrl-C. The first Ctrl-C (or SIGTERM) ends
 * the training and saves what was learned, the second ends the program at once. Exit code 2 for a wrong command line,
 * 1 for a failure, 130 or 143 after a signal.
 *
 * @param name how its users call the program: "train:edsr".
 */
export async function trainFromCommandLine(
  name: string,
  architecture: ArchitectureName,
  args: readonly string[] = process.argv.slice(2),
): Promise<void> {
  reportErrors();
  const command = parseOrExit(name, architecture, args);

  const stop = new AbortController();
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(code);
      process.exitCode = code;
      stop.abort();
    });
  }

  let progress: Progress | undefined;
  const options = {
    signal: stop.signal,
    say(line: string) {
      if (progress) progress.log(line);
      else console.log(line);
      progress?.skip();
    },
    onProgress({ step, steps, loss, lr, psnr, waiting }: TrainStatus) {
      progress ??= new Progress({ total: steps, start: step });
      progress.update(step, { loss, lr, ...(psnr !== undefined && { dB: psnr }), "wait %": 100 * waiting });
    },
  };
  const { step, config, best, bicubic, path } =
    command.resume === undefined
      ? await train(command.config, options)
      : await resume(command.resume, { ...options, change: command.changes });
  progress?.done();

  if (best) {
    console.log(
      `Best: ${best.psnr.toFixed(2)} dB at step ${best.step} (bicubic ${bicubic.toFixed(2)}). ` +
        `Look at ${path}/report.html and comparison.png.`,
    );
  }
  if (step < config.steps) {
    const saved = step > 0 ? ` What it had learned by then is saved; go on with --resume ${path}` : "";
    console.log(`Stopped at step ${step} of ${config.steps}.${saved}`);
  }
}

function parseOrExit(name: string, architecture: ArchitectureName, args: readonly string[]): TrainCommand {
  try {
    const command = parseCommandLine(`npm run ${name} --`, architecture, args);
    return command ?? process.exit(0);
  } catch (error) {
    // Node's own messages have several lines.
    const message = (error as Error).message.replaceAll(/\s*\n\s*/g, " ").replace(/\.$/, "");
    console.error(`${name}: ${message}. Run it with --help for all flags.`);
    process.exit(2);
  }
}
