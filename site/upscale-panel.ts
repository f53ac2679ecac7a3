/** The tab that enlarges: pictures one after the other, each result beside its original. */
import type { Engine } from "./engine.ts";
import { showFacts } from "./facts.ts";
import { say } from "./language.ts";
import type { MethodInfo, ReadPicture, UpscaleEvent, UpscaleResult } from "./messages.ts";
import { type Choice, MethodChoice, methodName, planFor } from "./method-choice.ts";
import { Output } from "./output.ts";
import { notesText } from "./pictures/note-texts.ts";
import type { Part } from "./pictures/show.ts";
import { type Entry, Queue } from "./queue.ts";
import { resultOf, settingsOf, sizeText } from "./result.ts";
import { timesScale } from "./size.ts";
import { type PartTrial, Stage, type StagePicture } from "./stage.ts";
import { duration, TaskControl } from "./task-control.ts";
import type { Late } from "./task-engine.ts";

/** After so many milliseconds the page says that it is reading a picture. */
const LONG_READING = 500;

export interface UpscaleEvents {
  /** The user chooses a picture of the list, or removes one. */
  onChoice(): void;
  /** Another picture is on the stage. */
  onPicture(picture: StagePicture): void;
  onRemoveMethod(method: MethodInfo): void;
  /** A file that cannot be read. The tab may be hidden. */
  onError(error: Error): void;
}

export class UpscalePanel {
  readonly #engine: Engine;
  readonly #events: UpscaleEvents;
  readonly #stage: Stage;
  readonly #task: TaskControl;
  readonly #choice: MethodChoice;
  readonly #queue: Queue;
  readonly #output: Output;
  readonly #facts: HTMLElement;
  readonly #notes: HTMLElement;
  readonly #size: HTMLElement;
  /** Id of the picture that is being enlarged: it stays in the worker, whatever is selected meanwhile. */
  #working: number | undefined;
  /** Counts selections: a slow one must not overwrite a later one. */
  #selection = 0;
  /** The picture whose reading takes so long that the page says so. */
  #reading: string | undefined;
  /** Resolves when the selected picture is on the stage, or failed. False: what was there before is back. */
  #selecting: Promise<boolean> = Promise.resolve(true);

  constructor(root: HTMLElement, engine: Engine, events: UpscaleEvents) {
    this.#engine = engine;
    this.#events = events;
    this.#stage = new Stage(root, engine, {
      onTry: (part) => this.#task.run((signal) => this.#try(part, signal)),
      onWhole: () => this.#leaveTrial(),
    });
    this.#facts = root.querySelector(".facts")!;
    this.#notes = root.querySelector(".notes")!;
    this.#size = root.querySelector(".size")!;
    this.#task = new TaskControl(root.querySelector(".task")!, (signal) => this.#enlarge(signal));
    this.#choice = new MethodChoice(root.querySelector(".controls")!, {
      onChange: () => this.#refresh(),
      onRemove: (method) => events.onRemoveMethod(method),
    });
    this.#queue = new Queue(root.querySelector(".queue")!, {
      onChoice: () => events.onChoice(),
      onSelect: (entry) => {
        this.#selecting = this.#select(entry);
      },
      onRemove: ({ result }) => result && this.#forget(result.id),
      afterList: root.querySelector(".controls .primary")!,
    });
    this.#output = new Output(root.querySelector(".output")!, engine, {
      results: () => this.#queue.entries.flatMap(({ result }) => result ?? []),
      say: (text) => this.#task.say(text),
      complain: (error) => this.#task.complain(error),
    });
    this.#refresh();
  }

  /** Resolves when the first of the pictures is on the stage. False: all are none; what was there before is back. */
  add(files: readonly File[], isSample: boolean): Promise<boolean> {
    this.#queue.add(files, isSample);
    return this.#selecting;
  }

  /** Selects the method with the id `selected`; by default the selection stays, or begins with the best. */
  setMethods(methods: readonly MethodInfo[], selected?: string): void {
    this.#choice.setMethods(methods, selected);
  }

  /** What computes, once that is known. */
  setGpu(gpu: { readonly isSoftware: boolean }): void {
    this.#stage.setGpu(gpu);
    if (this.#stage.picture && !this.#stage.hasTrial && !this.#isRunning) void this.#showPicture();
  }

  /** Once more, in the page's language. */
  writeAgain(): void {
    this.#queue.render();
    this.#output.writeAgain();
    this.#refresh();
    if (!this.#task.isRunning) this.#task.say(this.#reading === undefined ? "" : say.reading(this.#reading));
    const { owner, hasTrial } = this.#stage;
    if (!owner) return;
    this.#showResultOf(owner);
    if (!hasTrial && !this.#isRunning) void this.#showPicture();
  }

  /** What the form offers, by what is there. */
  #refresh(): void {
    const { entries } = this.#queue;
    const chosen = this.#choice.chosen;
    const { picture } = this.#stage;
    const isRunning = this.#isRunning;
    this.#task.enabled = isRunning || (chosen !== undefined && entries.some(canBeEnlarged));
    this.#task.label = say.enlarge(entries.filter(canBeEnlarged).length);
    this.#size.hidden = !picture || !chosen;
    if (picture && chosen) this.#size.textContent = sizeText(chosen, picture);
  }

  get #isRunning(): boolean {
    return this.#queue.entries.some(({ state }) => state === "working");
  }

  async #select(entry: Entry): Promise<boolean> {
    const selection = ++this.#selection;
    this.#stage.forgetTrial();
    this.#showResultOf(entry);
    this.#reading = undefined;
    if (!this.#task.isRunning) this.#task.say("");
    try {
      const picture = await this.#readAndSay(entry, () => selection === this.#selection);
      if (selection !== this.#selection) {
        this.#forget(picture.id);
        return true;
      }
      const before = this.#stage.picture;
      if (before && before.id !== this.#working) this.#forget(before.id);
      const named = { ...picture, name: entry.name };
      this.#stage.put(named, entry);
      this.#queue.settle();
      if (entry.state === "failed") this.#mark(entry, "waiting");
      this.#events.onPicture(named);
      await this.#showPicture();
    } catch (error) {
      if (selection !== this.#selection) return true;
      this.#mark(entry, "failed", error as Error);
      const isBack = !(await this.#leaveUnreadable());
      this.#events.onError(error as Error);
      this.#refresh();
      return !isBack;
    }
    this.#refresh();
    return true;
  }

  /** If the picture on the stage is in no list any more, the next one takes its place. False as `add` says. */
  async #leaveUnreadable(): Promise<boolean> {
    const before = this.#queue.takeBack();
    if (before) this.#showResultOf(before);
    const { entries } = this.#queue;
    const next = entries.find(({ state }) => state !== "failed");
    if (before || !next || entries.some((entry) => entry === this.#stage.owner)) return !before;
    this.#queue.select(next);
    return this.#selecting;
  }

  async #read(entry: Entry): Promise<ReadPicture> {
    try {
      return await this.#engine.run("read", { file: entry.file, name: entry.name });
    } catch (error) {
      entry.isUnreadable = (error as Error).name === "DataError";
      throw error;
    }
  }

  /** Says so if it takes long, unless something else is going on or `isWanted` is false by then. */
  async #readAndSay(entry: Entry, isWanted: () => boolean): Promise<ReadPicture> {
    let isSaid = false;
    const mayWrite = () => isWanted() && !this.#task.isRunning;
    const timer = setTimeout(() => {
      isSaid = mayWrite();
      if (!isSaid) return;
      this.#reading = entry.name;
      this.#task.say(say.reading(entry.name));
    }, LONG_READING);
    try {
      return await this.#read(entry);
    } finally {
      clearTimeout(timer);
      if (isWanted()) this.#reading = undefined;
      if (isSaid && mayWrite()) this.#task.say("");
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

  /** The facts and the buttons for a result, and what was odd about the picture's file, if that is on the stage. */
  #showResultOf(entry: Entry): void {
    const { result } = entry;
    this.#output.result = result;
    this.#facts.hidden = result === undefined;
    this.#notes.hidden = entry !== this.#stage.owner || this.#notes.textContent === "";
    if (result) showFacts(this.#facts, result.facts());
  }

  /** Shows what is on the stage, and what there is to say of it. */
  async #showPicture(): Promise<void> {
    await Promise.all([this.#showNotes(), this.#stage.show()]);
  }

  /** What there is to say of the picture on the stage. */
  async #showNotes(): Promise<void> {
    const picture = this.#stage.picture!;
    const text = await notesText(picture.notes).catch((error) => {
      this.#events.onError(error);
      return "";
    });
    if (this.#stage.picture !== picture) return; // another one has taken its place
    this.#notes.textContent = text;
    this.#notes.hidden = text === "";
  }

  /** Enlarges a part of the picture on the stage, and shows it in the picture's place. */
  async #try(part: Part, signal: AbortSignal): Promise<void> {
    const choice = this.#choice.chosen!;
    const picture = this.#stage.picture!;
    const { runs } = planFor(choice, picture);
    this.#task.say(say.preparing);
    const original = await this.#engine.run("crop", { picture: picture.id, part });
    let trial: PartTrial;
    try {
      const input = { picture: original.id, runs, isPart: true };
      const onEvent = ({ share, tile }: UpscaleEvent) => {
        if (share !== undefined) this.#task.share(share);
        tile?.bitmap.close();
      };
      const result = await this.#engine.run("upscale", input, { signal, onEvent, onLate: this.#discard });
      if (this.#stage.picture !== picture) {
        this.#discard({ result });
        throw new DOMException("Another picture is on show.", "AbortError");
      }
      trial = { original, result, label: result.choice?.method ?? methodName(choice.method) };
      this.#task.say(say.partDone(duration(result.ms)));
    } catch (error) {
      this.#forget(original.id);
      throw error;
    }
    await this.#stage.showTrial(trial);
  }

  /** Back to the whole picture. */
  #leaveTrial(): void {
    this.#stage.forgetTrial();
    if (this.#stage.owner) void this.#showPicture();
  }

  /** All pictures that have no result by these settings; if all have, the selected one again. */
  async #enlarge(signal: AbortSignal): Promise<void> {
    const choice = this.#choice.chosen!;
    const open = this.#queue.entries.filter(
      (entry) => canBeEnlarged(entry) && entry.result?.settings !== settingsOf(choice),
    );
    const entries = open.length > 0 ? open : [this.#queue.selected!];
    const start = performance.now();
    if (this.#stage.hasTrial) this.#leaveTrial();
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
    if (this.#stage.owner === entry) await this.#showPicture();
  }

  async #enlargeOne(entry: Entry, choice: Choice, signal: AbortSignal, prefix: string): Promise<void> {
    this.#mark(entry, "working");
    this.#task.say(prefix + say.loading);
    await this.#selecting;
    const isOnStage = () => this.#queue.selected === entry && this.#stage.owner === entry;
    const own = isOnStage() ? undefined : await this.#read(entry);
    const picture = own ?? this.#stage.picture!;
    this.#working = picture.id;
    const { method } = choice;
    const label = methodName(method);
    let isPainting = false;
    let blank = { width: 1, height: 1, wideGamut: picture.overview.wideGamut };
    const onEvent = ({ share, tile }: UpscaleEvent) => {
      if (share !== undefined) this.#task.share(share, prefix);
      if (!tile) return;
      if (isOnStage() && !isPainting) this.#stage.showBlank(blank, label);
      isPainting = isOnStage();
      if (isPainting) this.#stage.paint(tile);
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
      await this.#stage.showResult(result.overview, entry.result.label);
    } finally {
      this.#working = undefined;
      if (this.#stage.picture?.id !== picture.id) this.#forget(picture.id);
    }
  }
}

function canBeEnlarged({ isUnreadable }: Entry): boolean {
  return !isUnreadable;
}
