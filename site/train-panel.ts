/** The tab that trains a network on the chosen picture, and shows how it learns. */
import { Compare } from "./compare.ts";
import type { Engine } from "./engine.ts";
import { showFacts } from "./facts.ts";
import { LossPlot } from "./loss-plot.ts";
import type { FineTuned, FineTuneEvent, MethodInfo, Preview } from "./messages.ts";
import { download } from "./picture.ts";
import { duration, TaskControl } from "./task-control.ts";
import type { Chosen } from "./upscale-panel.ts";

export class TrainPanel {
  readonly #engine: Engine;
  readonly #compare: Compare;
  readonly #plot: LossPlot;
  readonly #task: TaskControl;
  readonly #start: HTMLSelectElement;
  readonly #scale: HTMLSelectElement;
  readonly #steps: HTMLInputElement;
  readonly #facts: HTMLElement;
  readonly #use: HTMLButtonElement;
  readonly #download: HTMLButtonElement;
  #networks: readonly MethodInfo[] = [];
  #picture: Chosen | undefined;
  #hasGpu = false;
  #tuned: FineTuned | undefined;

  /** Calls `onTuned` for every new network, and `onUse` when the user wants to enlarge with it. */
  constructor(
    root: HTMLElement,
    engine: Engine,
    { onTuned, onUse }: { onTuned(method: MethodInfo): void; onUse(method: MethodInfo): void },
  ) {
    this.#engine = engine;
    this.#compare = new Compare(root.querySelector(".viewer")!);
    this.#plot = new LossPlot(root.querySelector<SVGSVGElement>(".plot")!);
    this.#start = root.querySelector("[name=start]")!;
    this.#scale = root.querySelector("[name=scale]")!;
    this.#steps = root.querySelector("[name=steps]")!;
    this.#facts = root.querySelector(".facts")!;
    this.#use = root.querySelector("[name=use]")!;
    this.#download = root.querySelector("[name=download]")!;
    this.#task = new TaskControl(root.querySelector(".task")!, async (signal) => {
      onTuned(await this.#train(signal));
    });
    this.#task.enabled = false;
    this.setMethods([]);
    this.#start.addEventListener("change", () => this.#offerScale());
    this.#use.addEventListener("click", () => onUse(this.#tuned!.method));
    this.#download.addEventListener("click", () => this.#save());
  }

  setPicture(picture: Chosen): void {
    this.#task.stop();
    this.#picture = picture;
    this.#compare.show({ shown: picture.shown, label: "your picture" });
    this.#task.enabled = this.#hasGpu;
  }

  /** Training needs a GPU. */
  setGpu(hasGpu: boolean): void {
    this.#hasGpu = hasGpu;
    this.#task.enabled = hasGpu && this.#picture !== undefined;
    if (!hasGpu) this.#task.say("Training needs WebGPU.");
  }

  setMethods(methods: readonly MethodInfo[]): void {
    this.#networks = methods.filter(({ kind }) => kind === "network");
    const previous = this.#start.value;
    this.#start.replaceChildren(
      new Option("a new small network", ""),
      ...this.#networks.map(({ id, label }) => new Option(label, id)),
    );
    this.#start.value = previous;
    this.#offerScale();
  }

  /** The user's networks have one scale each. */
  #offerScale(): void {
    const [scale, ...others] = this.#networks.find(({ id }) => id === this.#start.value)?.scales ?? [];
    this.#scale.disabled = scale !== undefined && others.length === 0;
    if (this.#scale.disabled) this.#scale.value = `${scale}`;
  }

  async #train(signal: AbortSignal): Promise<MethodInfo> {
    if (!this.#steps.checkValidity()) {
      throw new RangeError(
        `Steps must be a whole number of tens from ${this.#steps.min} to ${this.#steps.max}.`,
      );
    }
    const { image } = this.#picture!;
    const steps = this.#steps.valueAsNumber;
    this.#plot.start(steps);
    const tuned = await this.#engine.run(
      "fineTune",
      { image, start: this.#start.value || undefined, scale: Number(this.#scale.value), steps },
      { signal, onEvent: (event) => this.#picture?.image === image && this.#follow(event, steps) },
    );
    this.#tuned = tuned;
    this.#use.disabled = this.#download.disabled = false;
    this.#task.say(`${tuned.steps} steps in ${duration(tuned.ms)}.`);
    return tuned.method;
  }

  #follow({ step, relativeLoss, preview }: FineTuneEvent, steps: number): void {
    if (relativeLoss !== undefined) {
      this.#plot.add(relativeLoss * 100);
      this.#task.progress(step, steps, "Step");
    }
    if (preview) this.#preview(preview);
  }

  #preview({ bicubic, network, bicubicPsnr, networkPsnr }: Preview): void {
    this.#compare.show({ image: bicubic, label: "bicubic" }, { image: network, label: "network" });
    showFacts(this.#facts, {
      Bicubic: `${bicubicPsnr.toFixed(2)} dB`,
      Network: `${networkPsnr.toFixed(2)} dB`,
      // Both are infinite where a plain picture was enlarged without any error.
      Gain: `${(networkPsnr === bicubicPsnr ? 0 : networkPsnr - bicubicPsnr).toFixed(2)} dB`,
    });
  }

  #save(): void {
    const { weights, method } = this.#tuned!;
    download(new Blob([weights as Uint8Array<ArrayBuffer>]), `tuned-x${method.scales[0]}.safetensors`);
  }
}
