/** The tab that enlarges: pictures one after the other, each result beside its original. */
import { Compare, type Side } from "./compare.ts";
import type { Engine } from "./engine.ts";
import { showFacts } from "./facts.ts";
import { resultName } from "./file-names.ts";
import { say } from "./language.ts";
import type {
  MethodInfo,
  Overview,
  PictureInfo,
  ReadPicture,
  UpscaleEvent,
  UpscaleResult,
} from "./messages.ts";
import { type Choice, MethodChoice, methodName, type Plan, planFor } from "./method-choice.ts";
import { Output } from "./output.ts";
import type { Part } from "./pictures/show.ts";
import { type Entry, Queue, type Result } from "./queue.ts";
import { sentences } from "./sentences/list.ts";
import { dimensions, type Size, timesScale } from "./size.ts";
import { duration, TaskControl } from "./task-control.ts";
import type { Late } from "./task-engine.ts";

/** A picture that was read and is on the stage. */
export interface StagePicture extends ReadPicture {
  readonly name: string;
}

/** A part of the picture that was enlarged to see what that does. */
interface PartTrial {
  readonly original: PictureInfo & { readonly overview: Overview };
  readonly result: UpscaleResult;
  readonly label: string;
}

/** Sides of a part that is enlarged in a second or two, in pixels: by a graphics card, and by software. */
const PART_SIDE = { card: 512, software: 128 };

export interface UpscaleEvents {
  /** Another picture is on the stage. */
  onPicture(picture: StagePicture): void;
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
  #picture: StagePicture | undefined;
  #owner: Entry | undefined;
  /** Id of the picture that is being enlarged: it stays in the worker, whatever is selected meanwhile. */
  #working: number | undefined;
  /** What is on the stage in the selected picture's place. */
  #trial: PartTrial | undefined;
  readonly #whole: HTMLButtonElement;
  #partSide = PART_SIDE.software;
  /** Counts selections: a slow one must not overwrite a later one. */
  #selection = 0;
  /** Resolves when the selected picture is on the stage, or failed. False: what was there before is back. */
  #selecting: Promise<boolean> = Promise.resolve(true);

  constructor(root: HTMLElement, engine: Engine, events: UpscaleEvents) {
    this.#engine = engine;
    this.#events = events;
    const viewer = root.querySelector<HTMLElement>(".viewer")!;
    this.#compare = new Compare(viewer, {
      onTry: (part) => this.#task.run((signal) => this.#try(part, signal)),
    });
    this.#beside = root.querySelector("[name=beside]")!;
    this.#whole = document.createElement("button");
    this.#whole.type = "button";
    this.#whole.dataset.text = "wholePicture";
    this.#whole.textContent = say.wholePicture;
    this.#whole.hidden = true;
    this.#whole.addEventListener("click", () => this.#leaveTrial());
    viewer.querySelector(".tools")!.append(this.#whole, this.#beside.closest("label")!);
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

  /** Resolves when the first of the pictures is on the stage. False: the only one is none, and nothing has changed. */
  add(files: readonly File[], isSample: boolean): Promise<boolean> {
    this.#queue.add(files, isSample);
    return this.#selecting;
  }

  /** Selects the method with the id `selected`; by default the selection stays, or begins with the best. */
  setMethods(methods: readonly MethodInfo[], selected?: string): void {
    this.#choice.setMethods(methods, selected);
  }

  /** Software that renders in place of a graphics card enlarges smaller parts in a second or two. */
  setGpu({ isSoftware }: { readonly isSoftware: boolean }): void {
    this.#partSide = isSoftware ? PART_SIDE.software : PART_SIDE.card;
    if (this.#picture && !this.#trial) void this.#showPictures(this.#owner!);
  }

  /** Once more, in the page's language. */
  writeAgain(): void {
    this.#queue.render();
    this.#output.writeAgain();
    this.#refresh();
    if (!this.#isRunning) this.#task.say("");
    if (!this.#owner) return;
    this.#showResultOf(this.#owner);
    if (!this.#trial && !this.#isRunning) void this.#showPictures(this.#owner);
  }

  /** What the form offers, by what is there. */
  #refresh(): void {
    const { entries } = this.#queue;
    const chosen = this.#choice.chosen;
    const isRunning = this.#isRunning;
    this.#task.enabled = isRunning || (chosen !== undefined && entries.some(canBeEnlarged));
    this.#task.label = say.enlarge(entries.length);
    this.#size.hidden = !this.#picture || !chosen;
    if (this.#picture && chosen) this.#size.textContent = sizeText(chosen, this.#picture);
  }

  get #isRunning(): boolean {
    return this.#queue.entries.some(({ state }) => state === "working");
  }

  async #select(entry: Entry): Promise<boolean> {
    const selection = ++this.#selection;
    this.#forgetTrial();
    this.#showResultOf(entry);
    if (!this.#isRunning) this.#task.say("");
    try {
      const picture = await this.#read(entry);
      if (selection !== this.#selection) {
        this.#forget(picture.id);
        return true;
      }
      if (this.#picture && this.#picture.id !== this.#working) this.#forget(this.#picture.id);
      this.#picture = { ...picture, name: entry.name };
      this.#owner = entry;
      this.#queue.settle();
      if (entry.state === "failed") this.#mark(entry, "waiting");
      this.#events.onPicture(this.#picture);
      await this.#showPictures(entry);
    } catch (error) {
      if (selection !== this.#selection) return true;
      const before = this.#queue.takeBack(entry);
      if (before) this.#showResultOf(before);
      else this.#mark(entry, "failed", error as Error);
      this.#events.onError(error as Error);
      this.#refresh();
      return before === undefined;
    }
    this.#refresh();
    return true;
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

  /** Frees what came of work that nobody waits for any more. */
  readonly #discard = ({ event, result }: Late<UpscaleEvent, UpscaleResult>): void => {
    event?.tile?.bitmap.close();
    if (!result) return;
    result.overview.bitmap.close();
    this.#forget(result.id);
  };

  /** The facts and the buttons for a result. */
  #showResultOf({ result }: Entry): void {
    this.#output.result = result;
    this.#facts.hidden = result === undefined;
    this.#notes.hidden = true;
    if (result) showFacts(this.#facts, result.facts());
  }

  /** Puts a picture on the stage, and its result, if there is one. */
  async #showPictures({ result }: Entry): Promise<void> {
    const picture = this.#picture!;
    const notes = sentences(picture.notes);
    this.#notes.textContent = notes;
    this.#notes.hidden = notes === "";
    if (!result) {
      this.#compare.show({ ...this.#original(), label: say.yourPicture });
      // Smaller ones are done as quickly as a part.
      if (Math.min(picture.width, picture.height) > this.#partSide) this.#compare.offerPart(this.#partSide);
      return;
    }
    const overview = await this.#engine.run("show", { picture: result.id });
    if (this.#picture === picture) await this.#showPair(this.#layer(overview, result.label));
  }

  /** What is enlarged: the picture, or the part of it that was tried. */
  get #stage(): PictureInfo & { readonly overview: Overview } {
    return this.#trial?.original ?? this.#picture!;
  }

  #original(): Side {
    return this.#layer(this.#stage.overview, say.original);
  }

  #layer(
    overview: Overview,
    label: string,
    bicubic?: { readonly picture: number; readonly size: Size },
  ): Side {
    const picture = bicubic?.picture ?? overview.id!;
    return {
      label,
      overview,
      detail: (part, reduction) =>
        this.#engine.run("detail", { picture, part, reduction, bicubic: bicubic?.size }),
    };
  }

  async #showPair(right: Side): Promise<void> {
    this.#compare.show(this.#original(), right);
    if (this.#beside.value === "bicubic") await this.#showBicubic(right.overview!);
  }

  async #showBeside(): Promise<void> {
    const result = this.#trial?.result ?? this.#owner?.result;
    if (!result) return;
    if (this.#beside.value === "bicubic") await this.#showBicubic(result);
    else this.#compare.showLeft(this.#original());
  }

  /** `size`: the result's. */
  async #showBicubic({ width, height }: Size): Promise<void> {
    const { id } = this.#stage;
    const size = { width, height };
    const overview = await this.#engine.run("bicubic", { picture: id, size });
    if (this.#stage.id !== id || this.#beside.value !== "bicubic") return;
    this.#compare.showLeft(this.#layer(overview, say.bicubicLeft, { picture: id, size }));
  }

  /** Enlarges a part of the picture on the stage, and shows it in the picture's place. */
  async #try(part: Part, signal: AbortSignal): Promise<void> {
    const choice = this.#choice.chosen!;
    const picture = this.#picture!;
    const { runs } = planFor(choice, picture);
    this.#task.say(say.preparing);
    const original = await this.#engine.run("crop", { picture: picture.id, part });
    try {
      const input = { picture: original.id, runs, isPart: true };
      const onEvent = ({ share, tile }: UpscaleEvent) => {
        if (share !== undefined) this.#task.share(share);
        tile?.bitmap.close();
      };
      const result = await this.#engine.run("upscale", input, { signal, onEvent, onLate: this.#discard });
      if (this.#picture !== picture) {
        this.#discard({ result });
        throw new DOMException("Another picture is on show.", "AbortError");
      }
      this.#trial = { original, result, label: result.choice?.method ?? methodName(choice.method) };
      this.#task.say(say.partDone(duration(result.ms)));
    } catch (error) {
      this.#forget(original.id);
      throw error;
    }
    this.#whole.hidden = false;
    await this.#showPair(this.#layer(this.#trial.result.overview, this.#trial.label));
    this.#whole.focus(); // the frame that had the focus is gone
  }

  #forgetTrial(): void {
    if (!this.#trial) return;
    this.#forget(this.#trial.original.id);
    this.#forget(this.#trial.result.id);
    this.#trial = undefined;
    this.#whole.hidden = true;
  }

  /** Back to the whole picture. */
  #leaveTrial(): void {
    this.#forgetTrial();
    if (this.#owner) void this.#showPictures(this.#owner);
  }

  /** All pictures that have no result by these settings; if all have, the selected one again. */
  async #enlarge(signal: AbortSignal): Promise<void> {
    const choice = this.#choice.chosen!;
    const open = this.#queue.entries.filter(
      (entry) => canBeEnlarged(entry) && entry.result?.settings !== settingsOf(choice),
    );
    const entries = open.length > 0 ? open : [this.#queue.selected!];
    const start = performance.now();
    if (this.#trial) this.#leaveTrial();
    const isListed = (entry: Entry) => this.#queue.entries.includes(entry);
    let [count, failed] = [0, 0];
    let before: Entry | undefined;
    for (const [i, entry] of entries.entries()) {
      if (!isListed(entry)) continue; // the user has removed it meanwhile
      const total = count + entries.slice(i).filter(isListed).length;
      count++;
      const prefix = total > 1 ? say.pictureOf(count, total) : "";
      try {
        // The stage follows, unless the user looks at something else.
        const { selected } = this.#queue;
        if (before ? selected === before : !entries.includes(selected!)) this.#queue.select(entry);
        before = entry;
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
    if (failed > 0) this.#task.complain(new Error(say.someDone(count - failed, count)));
    else this.#task.say(count === 1 ? say.done(time) : say.allDone(count, time));
  }

  /** After a stop: the stage as it was before. */
  async #restore(entry: Entry): Promise<void> {
    if (this.#owner === entry) await this.#showPictures(entry);
  }

  async #enlargeOne(entry: Entry, choice: Choice, signal: AbortSignal, prefix: string): Promise<void> {
    this.#mark(entry, "working");
    this.#task.say(prefix + say.loading);
    await this.#selecting;
    const isOnStage = () => this.#queue.selected === entry && this.#owner === entry;
    const own = isOnStage() ? undefined : await this.#read(entry);
    const picture = own ?? this.#picture!;
    this.#working = picture.id;
    const { method } = choice;
    const label = methodName(method);
    let isPainting = false;
    let blank = { width: 1, height: 1, wideGamut: picture.overview.wideGamut };
    const onEvent = ({ share, tile }: UpscaleEvent) => {
      if (share !== undefined) this.#task.share(share, prefix);
      if (!tile) return;
      if (isOnStage() && !isPainting) this.#compare.show(this.#original(), { label, blank });
      isPainting = isOnStage();
      if (isPainting) this.#compare.paint(tile.bitmap, tile);
      else tile.bitmap.close();
    };
    try {
      signal.throwIfAborted();
      const plan = planFor(choice, picture);
      const { runs, size } = plan;
      // Tiles come before the result is reduced to its size.
      blank = { ...blank, ...timesScale(picture, plan.scale) };
      this.#task.say(prefix + say.preparing);
      const input = { picture: picture.id, runs, size };
      const result = await this.#engine.run("upscale", input, { signal, onEvent, onLate: this.#discard });
      if (entry.result) this.#forget(entry.result.id);
      entry.result = resultOf(entry, picture, choice, plan, result);
      this.#mark(entry, "done");
      if (!isOnStage()) return;
      this.#showResultOf(entry);
      await this.#showPair(this.#layer(result.overview, entry.result.label));
    } finally {
      this.#working = undefined;
      if (this.#picture?.id !== picture.id) this.#forget(picture.id);
    }
  }
}

function canBeEnlarged({ isUnreadable }: Entry): boolean {
  return !isUnreadable;
}

function settingsOf({ method, by }: Choice): string {
  return `${method.id} ×${JSON.stringify(by)}`;
}

/** What a picture becomes, or why it cannot. */
function sizeText(choice: Choice, picture: Size): string {
  try {
    return say.becomes(dimensions(picture), dimensions(planFor(choice, picture).becomes));
  } catch (error) {
    return (error as Error).message;
  }
}

function resultOf(
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
