import { fork } from "node:child_process";

/** A worker process with one library and one workload. It does one thing at a time. */
export class Peer {
  /** The library's row in the result: `library`, `webgpu`, and what run.mjs and report.mjs add. */
  row;
  #cap;
  #spent = 0;
  #last = 0;
  #child;
  #exited;
  #output = "";

  /**
   * `cap`: milliseconds for all its repetitions together, and as much again for the first one. `settings` go
   * to the library's `prepare`.
   */
  constructor({ name, webgpu, file, variant = "" }, workload, { settings, environment, cap }) {
    this.row = { library: name, webgpu, turns: [] };
    this.#cap = cap;
    this.#child = fork(
      new URL("worker.mjs", import.meta.url),
      [file, variant, workload, JSON.stringify(settings)],
      { env: environment, serialization: "advanced", stdio: ["ignore", "pipe", "pipe", "ipc"] },
    );
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on("data", (data) => {
        this.#output = (this.#output + data).slice(-2000);
      });
    }
    this.#exited = new Promise((resolve) => this.#child.once("exit", resolve));
  }

  /** Is there time for another repetition like the last? The first, with compilation, counts separately. */
  get affordsAnother() {
    const { firstMs } = this.row;
    return firstMs === undefined || (firstMs <= this.#cap && this.#spent + this.#last <= this.#cap);
  }

  async ask(message) {
    const start = performance.now();
    this.#child.send(message);
    const reply = await this.answer();
    const milliseconds = performance.now() - start;
    if (this.row.firstMs === undefined) this.row.firstMs = milliseconds;
    else {
      this.#last = milliseconds;
      this.#spent += milliseconds;
    }
    return reply;
  }

  /** The process's next message. Throws if it reports a failure, if the process ends, or if none comes. */
  async answer() {
    const limit = 3 * this.#cap;
    let timer;
    const reply = await Promise.race([
      new Promise((resolve) => this.#child.once("message", resolve)),
      this.#exited.then((code) => ({ failure: `its process ended (${code}): ${this.#lastLine()}` })),
      new Promise((resolve) => {
        timer = setTimeout(() => resolve({ failure: `no answer within ${limit / 1000} s` }), limit);
      }),
    ]);
    clearTimeout(timer);
    if (reply.failure) throw new Error(reply.failure);
    this.row.peakMiB = reply.peakMiB;
    return reply;
  }

  #lastLine() {
    return this.#output.trim().split("\n").at(-1);
  }

  async stop() {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }
}
