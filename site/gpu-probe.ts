/**
 * Whether the browser answers questions about its GPU. Chromium stops the whole worker that asks for an adapter until
 * its GPU process has time, and what a page before left there can take that minutes. So a worker that has nothing else
 * to do asks first, and the one that reads pictures only once that has got an answer.
 */

let probing: Promise<true> | undefined;

/** Resolves when it does, whatever the answer is. */
export function gpuAnswers(): Promise<true> {
  probing ??= new Promise((resolve) => {
    // A file of its own would be a request more, and perhaps a round trip. (Bundlers want the options written out.)
    const probe = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "probe" });
    const end = (event: Event) => {
      event.preventDefault(); // the other worker says what failed
      probe.terminate();
      probing = undefined;
      resolve(true);
    };
    probe.addEventListener("message", end);
    probe.addEventListener("error", end);
  });
  return probing;
}
