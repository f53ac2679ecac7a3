/** Damaged pictures of every format that is read: none may crash, hang, take much memory or be misread. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Random } from "../../src/tensor/random.ts";
import { fuzzedFormats } from "../../test/support/fuzz-pictures.ts";
import type { Answer } from "./support/fuzz-pictures-child.ts";

const MAX_SECONDS = 2;
/** When no answer has come for so long, the process is ended. */
const HANG_SECONDS = 60;
/** A picture of a gigabyte takes three; these are small. */
const MAX_BYTES = 3 * 2 ** 30;

/** What this module needs of a run; see README.md. */
interface SoakRun {
  tries(): Iterable<{ readonly index: number; readonly random: Random }>;
  fail(description: string): void;
}

export const soak = {
  what: `Damaged pictures (${fuzzedFormats.join(", ")}, one after the other), read in four ways each`,
  tries: 200_000 * fuzzedFormats.length,
  async run(soak: SoakRun) {
    let child: ChildProcess | undefined;
    let [read, slowest, peak] = [0, 0, 0];
    for (const { index, random } of soak.tries()) {
      const label = `${fuzzedFormats[index % fuzzedFormats.length]}, try ${index}`;
      child ??= await start();
      const answer = await ask(child, index, random.next());
      if (typeof answer === "string") {
        soak.fail(`${label}: ${answer}`);
        child = undefined;
        continue;
      }
      const { failure, seconds, peakBytes } = answer;
      if (answer.read) read++;
      [slowest, peak] = [Math.max(slowest, seconds), Math.max(peak, peakBytes)];
      if (failure !== undefined) soak.fail(`${label}: ${failure}`);
      if (seconds > MAX_SECONDS) soak.fail(`${label}: it took ${seconds.toFixed(1)} s`);
      if (peakBytes > MAX_BYTES) {
        soak.fail(`${label}: ${peakBytes >> 20} MB`);
        child.kill();
        child = undefined;
      }
    }
    child?.kill();
    return {
      "still pictures": read,
      slowest: `${slowest.toFixed(2)} s`,
      "peak memory": `${Math.round(peak / 2 ** 20)} MB`,
    };
  },
};

async function start(): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL("support/fuzz-pictures-child.ts", import.meta.url)));
  await once(child, "message");
  return child;
}

/** The answer, or what became of the process. */
function ask(child: ChildProcess, index: number, seed: number): Promise<Answer | string> {
  return new Promise((resolve) => {
    const done = (answer: Answer | string) => {
      clearTimeout(timer);
      child.removeAllListeners();
      resolve(answer);
    };
    const timer = setTimeout(() => {
      done(`it hung for ${HANG_SECONDS} s`);
      child.kill("SIGKILL");
    }, 1e3 * HANG_SECONDS);
    child.once("message", (answer: Answer) => done(answer));
    child.once("exit", (code, signal) => done(`the process ended with ${signal ?? `exit code ${code}`}`));
    child.send({ index, seed });
  });
}
