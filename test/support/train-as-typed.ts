/** Types a command that trains, stops it by Ctrl-C, and types the command that it then prints. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { writePng } from "../../src/data/index.ts";
import { drawnPicture } from "./pictures.ts";
import type { shellWith } from "./shell.ts";

/**
 * @param folder an empty one, which gets the pictures that the line speaks of.
 * @returns the command that was printed. Throws an Error that says what went wrong.
 */
export async function trainAsTyped(
  type: ReturnType<typeof shellWith>,
  folder: string,
  line: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  for (const name of ["photos", "Set5/HR"]) {
    mkdirSync(join(folder, name), { recursive: true });
    for (let k = 0; k < 3; k++) await writePng(join(folder, name, `${k}.png`), drawnPicture(k, 220, 200));
  }
  const first = await stopped(type, folder, line, 0, env);
  const command = /go on with: (.*--resume .*)$/m.exec(first)?.[1];
  if (command === undefined) throw new Error(`No command to go on with: ${first}`);
  await stopped(type, folder, command, Math.max(...stepsIn(first)), env);
  return command;
}

/** The steps that lines of progress have named. */
function stepsIn(text: string): number[] {
  return [...text.matchAll(/^ *\d+% +(\d+)\/\d+ .* steps\/s/gm)].map(([, step]) => Number(step));
}

/** Waits until a further step than that is done, and presses Ctrl-C. */
async function stopped(
  type: ReturnType<typeof shellWith>,
  folder: string,
  line: string,
  step: number,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  let asked = false;
  const { code, stdout, stderr } = await type(folder, line, {
    env,
    timeout: 120_000,
    onOutput(text, interrupt) {
      if (asked || !stepsIn(text).some((done) => done > step)) return;
      asked = true;
      interrupt();
    },
  });
  if (code !== 130) throw new Error(`"${line}" ended with exit code ${code}: ${stdout}${stderr}`);
  return stdout;
}
