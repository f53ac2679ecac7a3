/** One step of the ladder on the page: the drawing, the facts, and the program, which can be edited and run. */
import { Animation } from "./animation.ts";
import { find, make } from "./dom.ts";
import { Editor } from "./editor.ts";
import { errorText, flopsText, msText, percentText, placeText, significant, timesText } from "./format.ts";
import type { Check, EditResult, StepInfo, StepResult } from "./messages.ts";
import { sceneOf } from "./scenes.ts";

export class StepView {
  readonly name: string;
  readonly #article: HTMLElement;
  readonly #drawing = make("div", { class: "drawing" });
  readonly #facts = make("dl", { class: "facts" });
  readonly #prelude = make("pre", { class: "code", tabindex: "0" });
  readonly #outcome = make("div", { class: "outcome", role: "status" });
  readonly #run = make("button", { type: "button", class: "primary", disabled: true }, "Run this kernel");
  readonly #reset = make("button", { type: "button", disabled: true }, "Reset");
  readonly #program = make("div", { class: "program" });
  #editor: Editor | undefined;
  #info: StepInfo | undefined;
  #enabled = false;
  #running: AbortController | undefined;

  /** @param attempt runs an edited text. */
  constructor(
    article: HTMLElement,
    attempt: (
      step: string,
      body: string,
      signal: AbortSignal,
      say: (text: string) => void,
    ) => Promise<EditResult>,
  ) {
    this.#article = article;
    this.name = article.id.replace(/^step-/, "");
    find(".explain", article).append(this.#drawing, this.#facts);
    article.append(this.#program);
    this.#reset.addEventListener("click", () => {
      this.#editor?.reset();
      this.#outcome.replaceChildren();
      this.#editor?.mark([]);
    });
    this.#run.addEventListener("click", async () => {
      if (this.#running) {
        this.#running.abort();
        return;
      }
      const editor = this.#editor!;
      this.#running = new AbortController();
      const { signal } = this.#running;
      this.#run.textContent = "Stop";
      const say = (text: string) => this.#outcome.replaceChildren(make("p", {}, text));
      say("Compiling…");
      try {
        this.#show(await attempt(this.name, editor.text, signal, say));
      } catch (error) {
        const stopped = (error as Error).name === "AbortError";
        this.#tell("bad", stopped ? "Stopped." : (error as Error).message);
      } finally {
        this.#running = undefined;
        this.#run.textContent = "Run this kernel";
      }
    });
  }

  /** A description for another layer. Undefined: the step does not run for it. */
  describe(info: StepInfo | undefined): void {
    this.#info = info;
    const missing = this.#article.querySelector<HTMLElement>(".missing");
    if (missing) missing.hidden = info !== undefined;
    this.#program.hidden = this.#drawing.hidden = this.#facts.hidden = info === undefined;
    this.#update();
    if (!info) return;
    if (!this.#editor) this.#makeProgram(info);
    this.#prelude.textContent = info.prelude;
    const scene = sceneOf(info);
    this.#drawing.replaceChildren(...(scene ? [new Animation(scene).element] : []));
    this.result(undefined);
  }

  get enabled(): boolean {
    return this.#enabled;
  }

  /** Can edited kernels run? Not without a GPU, nor while something else is measured. */
  set enabled(enabled: boolean) {
    this.#enabled = enabled;
    this.#update();
  }

  #update(): void {
    this.#run.disabled = !this.#running && !(this.#enabled && this.#info);
    this.#reset.disabled = !this.#editor?.edited;
  }

  /** What was measured of the step as it is, or nothing yet. */
  result(measured: (Omit<StepResult, "times"> & Pick<StepResult, "times">) | undefined): void {
    const { estimate } = this.#info!;
    const { threads, workgroups, multiplyAdds, loads, sharedReads, barriers } = estimate;
    const facts: [string, string][] = [
      ["Multiply-adds for each load", significant(multiplyAdds / loads)],
      ["Threads", `${significant(workgroups)} × ${threads}`],
    ];
    if (sharedReads > 0)
      facts.splice(1, 0, ["… for each read of workgroup memory", significant(multiplyAdds / sharedReads)]);
    if (barriers > 0) facts.push(["Barriers", significant(barriers)]);
    if (measured) {
      const { check, times, compileMs } = measured;
      if (check)
        facts.push(["Largest difference", `${errorText(check.error)}${check.right ? "" : ": wrong"}`]);
      else facts.push(["On this adapter", "does not compile"]);
      facts.push(["Compiled in", msText(compileMs)]);
      if (times) {
        facts.push(["Time", msText(times.ms)], ["Speed", flopsText(times.gflops * 1e9)]);
        facts.push(["Of the ceiling", percentText(times.share)]);
      }
    }
    this.#facts.replaceChildren(
      ...facts.map(([term, value]) => make("div", {}, make("dt", {}, term), make("dd", {}, value))),
    );
  }

  #makeProgram({ name, body }: StepInfo): void {
    const editor = new Editor(body, `The program of step ${name} in WGSL`);
    editor.onChange = () => this.#update();
    this.#editor = editor;
    this.#program.append(
      make(
        "details",
        { class: "prelude" },
        make("summary", {}, "What is put before it: constants for this convolution"),
        this.#prelude,
      ),
      editor.element,
      make("p", { class: "actions" }, this.#run, this.#reset),
      this.#outcome,
    );
  }

  #tell(kind: "good" | "bad" | "plain", ...content: (Node | string)[]): void {
    this.#outcome.replaceChildren(make("p", { class: kind }, ...content));
  }

  #show(tried: EditResult): void {
    const lines = tried.messages.flatMap(({ severity, line }) =>
      severity === "error" && line ? [line] : [],
    );
    this.#editor!.mark(lines);
    if (tried.outcome === "error") this.#tell("bad", "It does not compile, or cannot be launched:");
    else if (tried.outcome === "wrong") this.#tell("bad", wrongText(tried.check, this.#info!.computes));
    else {
      const { times, original, check } = tried;
      const ratio = original.ms / times.ms;
      const compared =
        ratio > 0.97 && ratio < 1.03
          ? "about as fast as the step was"
          : ratio > 1
            ? `${timesText(ratio)} as fast as the step was`
            : `slower than the step was: ${timesText(1 / ratio)} its time`;
      this.#tell(
        "good",
        make("b", {}, "Right"),
        `, within ${errorText(check.error)} of the largest value. ${msText(times.ms)}, ${flopsText(times.gflops * 1e9)}, ` +
          `${percentText(times.share)} of the ceiling: ${compared} (${msText(original.ms)}, in turns with it).`,
      );
    }
    if (tried.messages.length === 0) return;
    this.#outcome.append(
      make(
        "ul",
        { class: "problems" },
        ...tried.messages.map(({ severity, text, line }) => {
          const item = make("li", { class: severity });
          if (line) {
            const go = make("button", { type: "button", class: "small-button" }, `Line ${line}`);
            go.addEventListener("click", () => this.#editor!.goTo(line));
            item.append(go, " ");
          }
          item.append(text);
          return item;
        }),
      ),
    );
  }
}

function wrongText({ error, at, got, want }: Check, computes: StepInfo["computes"]): string {
  const size = Number.isNaN(error)
    ? "There are values that are no numbers, or that it never wrote, such as"
    : `The largest difference is ${percentText(error)} of the largest value, at`;
  return (
    `Wrong. ${size} ${placeText(computes, at)}: ${significantOrNaN(got)} in place of ${significantOrNaN(want)}. ` +
    "How fast it is does not matter, so it was not timed."
  );
}

function significantOrNaN(value: number): string {
  return Number.isNaN(value) ? "NaN" : String(Number(value.toPrecision(4)));
}
