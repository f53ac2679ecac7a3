/** What is on show in the tab that enlarges: a picture, or a part of it to try, beside its original or bicubic. */
import { Compare } from "./compare.ts";
import type { Blank, Side } from "./compare-layer.ts";
import type { Engine } from "./engine.ts";
import { say } from "./language.ts";
import type { Overview, PictureInfo, ReadPicture, UpscaleEvent, UpscaleResult } from "./messages.ts";
import type { Part } from "./pictures/show.ts";
import type { Entry } from "./queue.ts";
import type { Size } from "./size.ts";

/** A picture that was read and is on the stage. */
export interface StagePicture extends ReadPicture {
  readonly name: string;
}

/** A part of the picture that was enlarged to see what that does. */
export interface PartTrial {
  readonly original: PictureInfo & { readonly overview: Overview };
  readonly result: UpscaleResult;
  readonly label: string;
}

export interface StageEvents {
  /** The user wants to see what becomes of a part of the picture. */
  onTry(part: Part): void;
  /** The user wants to see the whole picture again. */
  onWhole(): void;
}

/** Sides of a part that is enlarged in a second or two, in pixels: by a graphics card, and by software. */
const PART_SIDE = { card: 512, software: 128 };

export class Stage {
  readonly #engine: Engine;
  readonly #compare: Compare;
  readonly #beside: HTMLSelectElement;
  readonly #whole: HTMLButtonElement;
  #picture: StagePicture | undefined;
  #owner: Entry | undefined;
  /** What is on the stage in the picture's place. */
  #trial: PartTrial | undefined;
  #partSide = PART_SIDE.software;

  /** `root`: the tab. */
  constructor(root: HTMLElement, engine: Engine, { onTry, onWhole }: StageEvents) {
    this.#engine = engine;
    const viewer = root.querySelector<HTMLElement>(".viewer")!;
    this.#compare = new Compare(viewer, { onTry });
    this.#beside = root.querySelector("[name=beside]")!;
    this.#whole = document.createElement("button");
    this.#whole.type = "button";
    this.#whole.dataset.text = "wholePicture";
    this.#whole.textContent = say.wholePicture;
    this.#whole.hidden = true;
    this.#whole.addEventListener("click", onWhole);
    viewer.querySelector(".tools")!.append(this.#whole, this.#beside.closest("label")!);
    this.#beside.addEventListener("change", () => this.#showBeside());
  }

  /** The picture on the stage. */
  get picture(): StagePicture | undefined {
    return this.#picture;
  }

  /** Whose it is: not yet the selected one's while that is read. */
  get owner(): Entry | undefined {
    return this.#owner;
  }

  get hasTrial(): boolean {
    return this.#trial !== undefined;
  }

  /** Software that renders in place of a graphics card enlarges smaller parts in a second or two. */
  setGpu({ isSoftware }: { readonly isSoftware: boolean }): void {
    this.#partSide = isSoftware ? PART_SIDE.software : PART_SIDE.card;
  }

  /** Another picture takes the stage; `show` shows it. */
  put(picture: StagePicture, owner: Entry): void {
    this.#picture = picture;
    this.#owner = owner;
  }

  /** Shows the picture, and its result, if there is one. */
  async show(): Promise<void> {
    const picture = this.#picture!;
    const { result } = this.#owner!;
    if (!result) {
      this.#compare.show({ ...this.#original(), label: say.yourPicture });
      // Smaller ones are done as quickly as a part.
      if (Math.min(picture.width, picture.height) > this.#partSide) this.#compare.offerPart(this.#partSide);
      return;
    }
    const overview = await this.#engine.run("show", { picture: result.id });
    if (this.#picture === picture) await this.showResult(overview, result.label);
  }

  /** Shows a result of what is on the stage beside it. */
  async showResult(overview: Overview, label: string): Promise<void> {
    this.#compare.show(this.#original(), this.#layer(overview, label));
    if (this.#beside.value === "bicubic") await this.#showBicubic(overview);
  }

  /** Shows a result that is still empty. */
  showBlank(blank: Blank, label: string): void {
    this.#compare.show(this.#original(), { label, blank });
  }

  /** Paints a part of it. */
  paint(tile: NonNullable<UpscaleEvent["tile"]>): void {
    this.#compare.paint(tile.bitmap, tile);
  }

  /** Shows a part and its result in the picture's place. */
  async showTrial(trial: PartTrial): Promise<void> {
    this.#trial = trial;
    this.#whole.hidden = false;
    await this.showResult(trial.result.overview, trial.label);
    this.#whole.focus(); // the frame that had the focus is gone
  }

  /** The picture is in its place again; `show` shows it. */
  forgetTrial(): void {
    if (!this.#trial) return;
    const { original, result } = this.#trial;
    void this.#engine.run("forget", { pictures: [original.id, result.id] });
    this.#trial = undefined;
    this.#whole.hidden = true;
  }

  /** What is enlarged: the picture, or the part of it that was tried. */
  get #source(): PictureInfo & { readonly overview: Overview } {
    return this.#trial?.original ?? this.#picture!;
  }

  #original(): Side {
    return this.#layer(this.#source.overview, say.original);
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

  async #showBeside(): Promise<void> {
    const result = this.#trial?.result ?? this.#owner?.result;
    if (!result) return;
    if (this.#beside.value === "bicubic") await this.#showBicubic(result);
    else this.#compare.showLeft(this.#original());
  }

  /** `size`: the result's. */
  async #showBicubic({ width, height }: Size): Promise<void> {
    const { id } = this.#source;
    const size = { width, height };
    const overview = await this.#engine.run("bicubic", { picture: id, size });
    if (this.#source.id !== id || this.#beside.value !== "bicubic") return;
    this.#compare.showLeft(this.#layer(overview, say.bicubicLeft, { picture: id, size }));
  }
}
