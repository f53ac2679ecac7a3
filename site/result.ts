/** What the tab that enlarges says and keeps of a result: what it was made by, its file's name, its facts. */
import { resultName } from "./file-names.ts";
import { say } from "./language.ts";
import type { UpscaleResult } from "./messages.ts";
import { type Choice, methodName, type Plan, planFor } from "./method-choice.ts";
import type { Entry, Result } from "./queue.ts";
import { dimensions, type Size } from "./size.ts";
import { duration } from "./task-control.ts";

export function resultOf(
  entry: Entry,
  picture: Size,
  choice: Choice,
  { scale, runs, size }: Plan,
  { overview: _, adapter, tiles, ms, choice: chosen, ...info }: UpscaleResult,
): Result {
  const label = chosen?.method ?? methodName(choice.method);
  const from = dimensions(picture);
  return {
    ...info,
    label,
    settings: settingsOf(choice),
    name: resultName(entry.name, size ? `${info.width}x${info.height}` : `x${scale}`, label),
    facts: () => ({
      [say.from]: from,
      [say.to]: dimensions(info),
      [say.by]: [
        label,
        ...(runs.length > 1 || size ? [say.and(runs.map((run) => `×${run.scale}`))] : []),
        ...(chosen ? [say.chosenFor(chosen)] : []),
      ].join(", "),
      [say.time]: duration(ms),
      [say.tiles]: `${tiles}`,
      [say.on]: adapter,
    }),
  };
}

/** What is the same for results that would be the same again. */
export function settingsOf({ method, by }: Choice): string {
  return `${method.id} ×${JSON.stringify(by)}`;
}

/** What a picture becomes, or why it cannot. */
export function sizeText(choice: Choice, picture: Size): string {
  try {
    return say.becomes(dimensions(picture), dimensions(planFor(choice, picture).becomes));
  } catch (error) {
    return (error as Error).message;
  }
}
