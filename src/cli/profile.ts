/** `--profile FILE`: where a command's time goes, as a trace (src/device/trace.ts). */
import { makeFolder, writeWhole } from "../files/image-files.ts";
import { file } from "../options/kinds.ts";
import { withReport } from "./failure.ts";
import { checkOutputs, checkWritable, liesIn, profileOutput } from "./outputs.ts";
import { printError } from "./print.ts";

export const profileFlag = {
  profile: {
    kind: file,
    help:
      "writes here where the time went: JavaScript, waits, every kernel on the GPU, in Chrome's trace format, " +
      "for ui.perfetto.dev. The command itself takes longer with it",
  },
} as const;

/**
 * Runs a command's work, and writes its trace even if that fails or is stopped. What can be wrong with the command
 * line must be told before: a trace of its own refusal would be written over the input that it protects.
 *
 * @param inputs the files that the command reads.
 * @param newFolder a folder that the work will make; if it comes to that, the trace may lie in it.
 * @throws UsageError or DataError if the trace cannot lie at `path`; AggregateError if both work and trace fail
 */
export async function withProfile<T>(
  path: string | undefined,
  inputs: ReadonlySet<string>,
  body: () => Promise<T>,
  newFolder?: string,
): Promise<T> {
  if (path === undefined) return body();
  checkOutputs([profileOutput(path)], inputs);
  checkWritable(path, newFolder);
  // Timestamps are exact only on devices that are opened for it.
  const { PIXELGRAD_DAWN: switches } = process.env;
  process.env.PIXELGRAD_DAWN = [...(switches ? [switches] : []), "exact-timestamps"].join(",");
  const { startTrace } = await import("../node.ts");
  const trace = startTrace();
  return withReport(body, async () => {
    const { text, events, leftOut } = await trace.toJson();
    if (liesIn(newFolder, path)) makeFolder(newFolder!); // the work may have failed before it made it
    await writeWhole(path, text);
    const limit = leftOut > 0 ? `, without the ${leftOut} after them` : "";
    printError(`Profile: ${events} events${limit} in ${path}; open it in ui.perfetto.dev`);
  });
}
