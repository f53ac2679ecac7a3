/** The tab that enlarges: pictures one after the other, each result beside its original. */
import { Compare, type Side } from "./compare.ts";
import type { Engine } from "./engine.ts";
import { showFacts } from "./facts.ts";
import type { MethodInfo, Overview, ReadPicture, UpscaleEvent, UpscaleResult } from "./messages.ts";
import { type Choice, MethodChoice } from "./method-choice.ts";
import { Output, sentences } from "./output.ts";
import { type Entry, Queue, type Result } from "./queue.ts";
import { duration, TaskControl } from "./task-control.ts";

/** A picture that was read and is on the stage. */
export interface Chosen extends ReadPicture {
  readonly name: string;
}

export interface UpscaleEvents {
  /** Another picture is on the stage. */
  onPicture(chosen: Chosen): void;
  onRemoveMethod(method: MethodInfo): void;
  /** A file that cannot be read. The tab may be hidden. */
  onError(error: Error): void;
}

export class UpscalePanel {
  readonly #engine: Engine;
  readonly #events: UpscaleEvents;
  readonly #compare: Compare;
  readonly #beside: HTMLSelectElement;
  readonly #task: TaskControl;
  readonly #choice: MethodChoice;
  readonly #queue: Queue;
  readonly #output: Output;
  readonly #facts: HTMLElement;
  readonly #notes: HTMLElement;
  readonly #size: HTMLElement;
  /** The picture on the stage, and whose it is: not yet the selected one's while that is read. */
  #picture: Chosen | undefined;
  #owner: Entry | undefined;
  /** Id of the picture that is being enlarged: it stays in the worker, whatever is selected meanwhile. */
  #working: number | undefined;
  /** Counts selections: a slow one must not overwrite a later one. */
  #selection = 0;
  /** Resolves when the selected picture is on the stage, or failed. */
  #selecting: Promise<void> = Promise.resolve();

  constructor(root: HTMLElement, engine: Engine, events: UpscaleEvents) {
    this.#engine = engine;
    this.#events = events;
    const viewer = root.querySelector<HTMLElement>(".viewer")!;
    this.#compare = new Compare(viewer);
    this.#beside = root.querySelector("[name=beside]")!;
    viewer.querySelector(".tools")!.append(this.#beside.closest("label")!);
    this.#beside.addEventListener("change", () => this.#showBeside());
    this.#facts = root.querySelector(".facts")!;
    this.#notes = root.querySelector(".notes")!;
    this.#size = root.querySelector(".size")!;
    this.#task = new TaskControl(root.querySelector(".task")!, (signal) => this.#enlarge(signal));
    this.#choice = new MethodChoice(root.querySelector(".controls")!, {
      onChange: () => this.#refresh(),
      onRemove: (method) => events.onRemoveMethod(method),
    });
    this.#queue = new Queue(root.querySelector(".queue")!, {
      onSelect: (entry) => {
        this.#selecting = this.#select(entry);
      },
      onRemove: ({ result }) => result && this.#forget(result.id),
    });
    this.#output = new Output(root.querySelector(".output")!, engine, {
      results: () => this.#queue.entries.flatMap(({ result }) => result ?? []),
      say: (text) => this.#task.say(text),
      complain: (error) => this.#task.complain(error),
    });
    this.#refresh();
  }

  /** Resolves when the first of the pictures is on the stage. */
  add(files: readonly File[], isSample: boolean): Promise<void> {
    this.#queue.add(files, isSample);
    return this.#selecting;
  }

  /** Selects the method with the id `selected`; by default the selection stays, or begins with the best. */
  setMethods(methods: readonly MethodInfo[], selected?: string): void {
    this.#choice.setMethods(methods, selected);
  }

  /** What the form offers, by what is there. */
  #refresh(): void {
    const { entries } = this.#queue;
    const chosen = this.#choice.chosen;
    const isRunning = this.#isRunning;
    this.#task.enabled = isRunning || (chosen !== undefined && entries.some(canBeEnlarged));
    this.#task.label = entries.length < 2 ? "Enlarge" : `Enlarge ${entries.length} pictures`;
    const { width, height } = this.#picture ?? { width: 0, height: 0 };
    this.#size.hidden = !this.#picture || !chosen;
    if (chosen) {
      this.#size.textContent = `${width} × ${height} becomes ${width * chosen.scale} × ${height * chosen.scale} pixels.`;
    }
  }

  get #isRunning(): boolean {
    return this.#queue.entries.some(({ state }) => state === "working");
  }

  async #select(entry: Entry): Promise<void> {
    const selection = ++this.#selection;
    this.#showResultOf(entry);
    if (!this.#isRunning) this.#task.say("");
    try {
      const picture = await this.#read(entry);
      if (selection !== this.#selection) {
        this.#forget(picture.id);
        return;
      }
      if (this.#picture && this.#picture.id !== this.#working) this.#forget(this.#picture.id);
      this.#picture = { ...picture, name: entry.name };
      this.#owner = entry;
      this.#queue.settle();
      if (entry.state === "failed") this.#mark(entry, "waiting");
      this.#events.onPicture(this.#picture);
      await this.#showPictures(entry);
    } catch (error) {
      if (selection !== this.#selection) return;
      const before = this.#queue.takeBack(entry);
      if (before) this.#showResultOf(before);
      else this.#mark(entry, "failed", error as Error);
      this.#events.onError(error as Error);
    }
    this.#refresh();
  }

  async #read(entry: Entry): Promise<ReadPicture> {
    try {
      return await this.#engine.run("read", { file: entry.file, name: entry.name });
    } catch (error) {
      entry.isUnreadable = (error as Error).name === "DataError";
      throw error;
    }
  }

  #mark(entry: Entry, state: Entry["state"], error?: Error): void {
    entry.state = state;
    entry.error = error?.message;
    this.#queue.render();
  }

  #forget(id: number): void {
    void this.#engine.run("forget", { pictures: [id] });
  }

  /** The facts and the buttons for a result. */
  #showResultOf({ result }: Entry): void {
    this.#output.result = result;
    this.#facts.hidden = result === undefined;
    this.#notes.hidden = true;
    if (result) showFacts(this.#facts, result.facts);
  }

  /** Puts a picture on the stage, and its result, if there is one. */
  async #showPictures({ result }: Entry): Promise<void> {
    const picture = this.#picture!;
    const notes = sentences(picture.notes);
    this.#notes.textContent = notes;
    this.#notes.hidden = notes === "";
    if (!result) {
      this.#compare.show({ ...this.#original(), label: "your picture" });
      return;
    }
    const overview = await this.#engine.run("show", { picture: result.id });
    if (this.#picture === picture) await this.#showPair(this.#layer(overview, result.label), result.scale);
  }

  #original(): Side {
    return this.#layer(this.#picture!.overview, "original");
  }

  #layer(
    overview: Overview,
    label: string,
    bicubic?: { readonly picture: number; readonly scale: number },
  ): Side {
    const picture = bicubic?.picture ?? overview.id!;
    return {
      label,
      overview,
      detail: (part, reduction) =>
        this.#engine.run("detail", { picture, part, reduction, bicubic: bicubic?.scale }),
    };
  }

  async #showPair(right: Side, scale: number): Promise<void> {
    this.#compare.show(this.#original(), right);
    if (this.#beside.value === "bicubic") await this.#showBicubic(scale);
  }

  async #showBeside(): Promise<void> {
    const { result } = this.#owner ?? {};
    if (!result) return;
    if (this.#beside.value === "bicubic") await this.#showBicubic(result.scale);
    else this.#compare.showLeft(this.#original());
  }

  async #showBicubic(scale: number): Promise<void> {
    const { id } = this.#picture!;
    const overview = await this.#engine.run("bicubic", { picture: id, scale });
    if (this.#picture?.id !== id || this.#beside.value !== "bicubic") return;
    this.#compare.showLeft(this.#layer(overview, "bicubic", { picture: id, scale }));
  }

  /** All pictures that have no result by these settings; if all have, the selected one again. */
  async #enlarge(signal: AbortSignal): Promise<void> {
    const choice = this.#choice.chosen!;
    const open = this.#queue.entries.filter(
      (entry) => canBeEnlarged(entry) && entry.result?.settings !== settingsOf(choice),
    );
    const entries = open.length > 0 ? open : [this.#queue.selected!];
    const start = performance.now();
    let failed = 0;
    for (const [i, entry] of entries.entries()) {
      const prefix = entries.length > 1 ? `Picture ${i + 1} of ${entries.length}: ` : "";
      try {
        // The stage follows, unless the user looks at something else.
        const { selected } = this.#queue;
        if (i === 0 ? !entries.includes(selected!) : selected === entries[i - 1]) this.#queue.select(entry);
        await this.#enlargeOne(entry, choice, signal, prefix);
      } catch (error) {
        if ((error as Error).name === "AbortError") {
          this.#mark(entry, entry.result ? "done" : "waiting");
          this.#refresh();
          await this.#restore(entry);
          throw error;
        }
        failed++;
        this.#mark(entry, "failed", error as Error);
        if (entries.length === 1) throw error;
      } finally {
        this.#refresh();
      }
    }
    const time = duration(performance.now() - start);
    const done = entries.length - failed;
    if (entries.length === 1) this.#task.say(`Done in ${time}.`);
    else if (failed === 0) this.#task.say(`Done: ${done} pictures in ${time}.`);
    else
      this.#task.complain(
        new Error(`${done} of ${entries.length} pictures are done. The list says what failed.`),
      );
  }

  /** After a stop: the stage as it was before. */
  async #restore(entry: Entry): Promise<void> {
    if (this.#owner === entry) await this.#showPictures(entry);
  }

  async #enlargeOne(entry: Entry, choice: Choice, signal: AbortSignal, prefix: string): Promise<void> {
    this.#mark(entry, "working");
    this.#task.say(`${prefix}Loading…`);
    await this.#selecting;
    const isOnStage = () => this.#queue.selected === entry && this.#owner === entry;
    const own = isOnStage() ? undefined : await this.#read(entry);
    const picture = own ?? this.#picture!;
    this.#working = picture.id;
    const { method, scale, steps } = choice;
    const { label } = method;
    const unpainted = {
      width: picture.width * scale,
      height: picture.height * scale,
      wideGamut: picture.overview.wideGamut,
    };
    let isPainting = false;
    const onEvent = ({ share, tile }: UpscaleEvent) => {
      if (share !== undefined) this.#task.share(share, prefix);
      if (!tile) return;
      if (isOnStage() && !isPainting) this.#compare.show(this.#original(), { label, unpainted });
      isPainting = isOnStage();
      if (isPainting) this.#compare.paint(tile.bitmap, tile);
      else tile.bitmap.close();
    };
    try {
      signal.throwIfAborted();
      this.#task.say(`${prefix}Preparing the network…`);
      const input = { picture: picture.id, method: method.id, steps };
      const result = await this.#engine.run("upscale", input, { signal, onEvent, leaveAtOnce: true });
      if (entry.result) this.#forget(entry.result.id);
      entry.result = resultOf(entry, picture, choice, result);
      this.#mark(entry, "done");
      if (!isOnStage()) return;
      this.#showResultOf(entry);
      await this.#showPair(this.#layer(result.overview, entry.result.label), scale);
    } finally {
      this.#working = undefined;
      if (this.#picture?.id !== picture.id) this.#forget(picture.id);
    }
  }
}

function canBeEnlarged({ isUnreadable }: Entry): boolean {
  return !isUnreadable;
}

function settingsOf({ method, scale }: Choice): string {
  return `${method.id} ×${scale}`;
}

function resultOf(entry: Entry, { width, height }: ReadPicture, choice: Choice, made: UpscaleResult): Result {
  const { method, scale, steps } = choice;
  const { overview: _, adapter, tiles, ms, choice: chosen, ...info } = made;
  const label = chosen?.method ?? method.label;
  const stem = entry.name.replace(/\.[^.]*$/, "");
  // A user's network may have any name.
  const by = label.replace(/ ×\d+$/, "").replace(/[^\p{L}\p{N}._-]+/gu, "-");
  return {
    ...info,
    label,
    scale,
    settings: settingsOf(choice),
    name: `${stem}-x${scale}-${by}`,
    facts: {
      From: `${width} × ${height}`,
      To: `${info.width} × ${info.height}`,
      By: [
        label,
        ...(steps.length > 1 ? [steps.map((step) => `×${step}`).join(" and ")] : []),
        ...(chosen ? [chosen.why] : []),
      ].join(", "),
      Time: duration(ms),
      Tiles: `${tiles}`,
      On: adapter,
    },
  };
}
