/** One step of the ladder on the page: the drawing, the facts, and the program, which can be edited and run. */

import type { KernelMessage } from "../../src/kernel.ts";
import { Animation } from "./animation.ts";
import { find, make } from "./dom.ts";
import { Editor } from "./editor.ts";
import { numbers } from "./format.ts";
import { say, write } from "./language.ts";
import type { Check, EditResult, StepInfo, StepResult, StepTimes } from "./messages.ts";
import { sceneOf } from "./scenes.ts";

export class StepView {
  readonly name: string;
  readonly #article: HTMLElement;
  readonly #drawing = make("div", { class: "drawing" });
  readonly #facts = make("dl", { class: "facts" });
  readonly #prelude = make("pre", { class: "code", tabindex: "0" });
  readonly #outcome = make("div", { class: "outcome", role: "status" });
  readonly #run = write(make("button", { type: "button", class: "primary", disabled: true }), "runKernel");
  readonly #reset = write(make("button", { type: "button", disabled: true }), "reset");
  readonly #program = make("div", { class: "program" });
  #editor: Editor | undefined;
  #isOpen = false;
  #animation: Animation | undefined;
  #info: StepInfo | undefined;
  #measured: StepResult | undefined;
  /** Shows once more what came of the last run of this kernel. */
  #tellAgain = () => {};
  #enabled = false;
  #running: AbortController | undefined;

  /** @param attempt runs an edited text. */
  constructor(
    article: HTMLElement,
    attempt: (
      step: string,
      body: string,
      signal: AbortSignal,
      tell: (text: string) => void,
    ) => Promise<EditResult>,
  ) {
    this.#article = article;
    this.name = article.id.replace(/^step-/, "");
    find(".explain", article).append(this.#drawing, this.#facts);
    article.append(this.#program);
    this.#reset.addEventListener("click", () => {
      this.#editor?.reset();
      this.#say(() => []);
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
      write(this.#run, "stop");
      const tell = (text: string) => this.#say(() => [make("p", {}, text)]);
      tell(say.compiling);
      try {
        this.#show(await attempt(this.name, editor.text, signal, tell));
      } catch (error) {
        const { name, message } = error as Error;
        this.#say(() => [bad(name === "AbortError" ? say.stopped : message)]);
      } finally {
        this.#running = undefined;
        write(this.#run, "runKernel");
      }
    });
  }

  /** A description for another layer. Undefined: the step does not run for it. */
  describe(info: StepInfo | undefined): void {
    this.#info = info;
    const missing = this.#article.querySelector<HTMLElement>(".missing");
    if (missing) missing.hidden = info !== undefined;
    this.#program.hidden = this.#drawing.hidden = this.#facts.hidden = info === undefined;
    if (info && !this.#editor) this.#makeProgram(info);
    this.#update();
    if (!info) return;
    this.#prelude.textContent = info.prelude;
    const scene = sceneOf(info);
    this.#animation = scene && new Animation(scene);
    this.#drawing.replaceChildren(...(this.#animation ? [this.#animation.element] : []));
    this.result(undefined);
  }

  /** Once more, in the page's language. */
  writeAgain(): void {
    if (!this.#info) return;
    if (this.#editor) this.#editor.label = say.programOf(this.name);
    const scene = sceneOf(this.#info);
    if (scene) this.#animation?.writeAgain(scene);
    this.result(this.#measured);
    this.#tellAgain();
  }

  /** Lets the program be edited. */
  open(): void {
    this.#isOpen = true;
    this.#editor?.open();
    this.#update();
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
    this.#run.disabled = !this.#running && !(this.#enabled && this.#info && this.#editor?.isOpen);
    this.#reset.disabled = !this.#editor?.edited;
  }

  /** What was measured of the step as it is, or nothing yet. */
  result(measured: StepResult | undefined): void {
    this.#measured = measured;
    const { estimate } = this.#info!;
    const { threads, workgroups, multiplyAdds, loads, sharedReads, barriers } = estimate;
    const facts: [string, string][] = [
      [say.perLoad, numbers.significant(multiplyAdds / loads)],
      [say.threads, `${numbers.significant(workgroups)} × ${threads}`],
    ];
    if (sharedReads > 0)
      facts.splice(1, 0, [say.perSharedRead, numbers.significant(multiplyAdds / sharedReads)]);
    if (barriers > 0) facts.push([say.barriers, numbers.significant(barriers)]);
    if (measured) {
      const { check, times, compileMs } = measured;
      if (check) {
        const error = numbers.exponential(check.error);
        facts.push([say.largestDifference, check.right ? error : say.wrongAt(error)]);
      } else facts.push([say.onThisAdapter, say.doesNotCompile]);
      facts.push([say.compiledIn, numbers.ms(compileMs)]);
      if (times) {
        facts.push([say.time, numbers.ms(times.ms)], [say.speed, numbers.flops(times.gflops * 1e9)]);
        facts.push([say.ofCeiling, numbers.percent(times.share)]);
      }
    }
    this.#facts.replaceChildren(
      ...facts.map(([term, value]) => make("div", {}, make("dt", {}, term), make("dd", {}, value))),
    );
  }

  #makeProgram({ name, body }: StepInfo): void {
    const editor = new Editor(body, say.programOf(name));
    editor.onChange = () => this.#update();
    this.#editor = editor;
    if (this.#isOpen) editor.open();
    this.#program.append(
      make("details", { class: "prelude" }, write(make("summary"), "prelude"), this.#prelude),
      editor.element,
      make("p", { class: "actions" }, this.#run, this.#reset),
      this.#outcome,
    );
  }

  /** `content`: in the page's language, whenever it is called. */
  #say(content: () => readonly HTMLElement[]): void {
    this.#tellAgain = () => this.#outcome.replaceChildren(...content());
    this.#tellAgain();
  }

  #show(tried: EditResult): void {
    const messages = tried.outcome === "lost" ? [] : tried.messages;
    this.#editor!.mark(
      messages.flatMap(({ severity, line }) => (severity === "error" && line ? [line] : [])),
    );
    const { computes } = this.#info!;
    this.#say(() => [outcomeOf(tried, computes), ...(messages.length > 0 ? [this.#listOf(messages)] : [])]);
  }

  #listOf(messages: readonly KernelMessage[]): HTMLElement {
    const items = messages.map(({ severity, text, line }) => {
      const item = make("li", { class: severity });
      if (line) {
        const go = make("button", { type: "button", class: "small-button" }, say.line(line));
        go.addEventListener("click", () => this.#editor!.goTo(line));
        item.append(go, " ");
      }
      item.append(text);
      return item;
    });
    return make("ul", { class: "problems" }, ...items);
  }
}

function bad(text: string): HTMLElement {
  return make("p", { class: "bad" }, text);
}

function outcomeOf(tried: EditResult, computes: StepInfo["computes"]): HTMLElement {
  switch (tried.outcome) {
    case "lost":
      return bad(say.lostInEdit);
    case "error":
      return bad(say.notLaunched);
    case "wrong":
      return bad(wrongText(tried.check, computes));
    case "right": {
      const { check, times, original } = tried;
      const within = say.rightWithin(numbers.exponential(check.error));
      const text = `${within} ${timedText(times, original)}`;
      return make("p", { class: "good" }, make("b", {}, say.rightEdit), text);
    }
  }
}

/** How fast an edited step is, and compared with what it was. */
function timedText({ ms, gflops, share }: StepTimes, original: StepTimes): string {
  const ratio = original.ms / ms;
  const compared =
    ratio > 0.97 && ratio < 1.03
      ? say.asFast
      : ratio > 1
        ? say.faster(numbers.times(ratio))
        : say.slower(numbers.times(1 / ratio));
  const [time, before] = [numbers.ms(ms), numbers.ms(original.ms)];
  return say.timedEdit(time, numbers.flops(gflops * 1e9), numbers.percent(share), compared, before);
}

function wrongText({ error, at, got, want }: Check, computes: StepInfo["computes"]): string {
  const [a, b, c, d] = at;
  const place = computes === "y" ? say.placeInY(a, b, c, d) : say.placeInDw(a, b, c, d);
  const [is, shouldBe] = [numbers.upTo(got, 4), numbers.upTo(want, 4)];
  return Number.isNaN(error)
    ? say.unwrittenEdit(place, is, shouldBe)
    : say.wrongEdit(numbers.percent(error), place, is, shouldBe);
}
