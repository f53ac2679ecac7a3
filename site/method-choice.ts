/** The part of the form that asks how to enlarge: by how much or to which size, and fast or well. */
import { scaleFor, sizeWithin, type TargetSize } from "../src/picture/index.ts";
import { scales } from "../src/picture/scales.ts";
import { say } from "./language.ts";
import { automatic, type MethodInfo } from "./messages.ts";
import { type Enlargement, scalesOfRuns } from "./runs.ts";
import { dimensions, type Size, timesScale } from "./size.ts";

/** The method that “Fast” stands for. */
export const FAST = "espcn";

/** What the plain choices stand for. */
const qualities: Readonly<Record<string, string>> = { fast: FAST, best: automatic };

/** What to enlarge by, for pictures of any size. */
export interface Choice {
  readonly method: MethodInfo;
  /** A scale, or the most pixels of the result; empty as long as the user has said nothing. */
  readonly by: number | TargetSize;
}

/** What that means for one picture. */
export interface Plan extends Enlargement {
  readonly scale: number;
  /** The result's pixels. */
  readonly becomes: Size;
}

/** What a method is called on the page. */
export function methodName({ id, label }: MethodInfo): string {
  return id === automatic ? say.best : label;
}

/** @throws RangeError if the method cannot enlarge the picture so much */
export function planFor({ method, by }: Choice, picture: Size): Plan {
  const runsFor = (scale: number) =>
    scalesOfRuns(method.scales, scale)!.map((scale) => ({ method: method.id, scale }));
  if (typeof by === "number") return { scale: by, runs: runsFor(by), becomes: timesScale(picture, by) };
  if (Object.keys(by).length === 0) throw new RangeError(say.wrongTarget);
  // Left to the picture, a network enlarges it, as on the command line, also where the result is no larger.
  const smallest = method.id === automatic ? 2 : 1;
  const possible = scales.filter((scale) => scale >= smallest && scalesOfRuns(method.scales, scale));
  const scale = scaleFor(picture, by, possible);
  if (scale === undefined) {
    const most = Math.max(...possible);
    throw new RangeError(say.notSoLarge(methodName(method), most, dimensions(timesScale(picture, most))));
  }
  return { scale, runs: runsFor(scale), size: by, becomes: sizeWithin(picture, by) };
}

export class MethodChoice {
  readonly #scales: readonly HTMLInputElement[];
  readonly #qualities: readonly HTMLInputElement[];
  readonly #method: HTMLSelectElement;
  readonly #details: HTMLDetailsElement;
  readonly #hint: HTMLElement;
  readonly #target: HTMLElement;
  readonly #sides: readonly HTMLInputElement[];
  readonly #remove: HTMLButtonElement;
  readonly #onChange: () => void;
  #methods: readonly MethodInfo[] = [];
  /** The method that nobody has chosen: it is selected as long as the one to begin with is not there. */
  #standIn: string | undefined;

  constructor(
    form: HTMLElement,
    { onChange, onRemove }: { onChange(): void; onRemove(method: MethodInfo): void },
  ) {
    this.#scales = [...form.querySelectorAll<HTMLInputElement>("[name=scale]")];
    this.#qualities = [...form.querySelectorAll<HTMLInputElement>("[name=quality]")];
    this.#method = form.querySelector("[name=method]")!;
    this.#details = form.querySelector("details")!;
    this.#hint = form.querySelector(".scale-hint")!;
    this.#target = form.querySelector(".target")!;
    this.#sides = [...this.#target.querySelectorAll("input")];
    this.#remove = form.querySelector("[name=remove]")!;
    this.#onChange = onChange;
    for (const scale of this.#scales) scale.addEventListener("change", () => this.#takeScale());
    for (const side of this.#sides) side.addEventListener("input", () => onChange());
    for (const quality of this.#qualities) {
      quality.addEventListener("change", () => this.#takeQuality(quality.value));
    }
    this.#method.addEventListener("change", () => {
      this.#standIn = undefined;
      this.#offer();
    });
    this.#remove.addEventListener("click", () => onRemove(this.#chosenMethod()!));
  }

  /** Selects the method with the id `selected`; by default the selection stays, or begins with `first`. */
  setMethods(methods: readonly MethodInfo[], selected?: string, first = qualities.best): void {
    const { value } = this.#method;
    const wanted = selected ?? (value === this.#standIn ? "" : value);
    this.#methods = methods;
    const options = methods.map(({ id, label }) => new Option(id === automatic ? say.automatic : label, id));
    this.#method.replaceChildren(...options);
    const has = (id: string) => methods.some((method) => method.id === id);
    const found = [wanted, first, qualities.best, methods[0]?.id ?? ""].find(has) ?? "";
    this.#method.value = found;
    this.#standIn = found === wanted || found === first ? undefined : found;
    for (const quality of this.#qualities) {
      const id = qualities[quality.value];
      quality.disabled = id !== undefined && !has(id);
    }
    if (wanted && !Object.values(qualities).includes(this.#method.value)) this.#details.open = true;
    this.#offer();
  }

  /** Undefined as long as there are no methods. */
  get chosen(): Choice | undefined {
    const method = this.#chosenMethod();
    return method && { method, by: this.#bySize ? this.#size : Number(this.#scale.value) };
  }

  get #scale(): HTMLInputElement {
    return this.#scales.find(({ checked }) => checked)!;
  }

  get #bySize(): boolean {
    return this.#scale.value === "size";
  }

  /** Empty unless the fields hold whole numbers above 0. */
  get #size(): TargetSize {
    if (this.#sides.some((side) => !side.checkValidity())) return {};
    return Object.fromEntries(
      this.#sides.filter(({ value }) => value !== "").map(({ name, valueAsNumber }) => [name, valueAsNumber]),
    );
  }

  #takeScale(): void {
    this.#target.hidden = !this.#bySize;
    if (this.#bySize) this.#sides[0].focus();
    this.#onChange();
  }

  #chosenMethod(): MethodInfo | undefined {
    return this.#methods.find(({ id }) => id === this.#method.value);
  }

  #takeQuality(quality: string): void {
    const id = qualities[quality];
    this.#standIn = undefined;
    this.#details.open = id === undefined;
    if (id !== undefined) this.#method.value = id;
    else this.#method.focus();
    this.#offer();
  }

  /** Shows which scales the method has, and what kind of choice it is. */
  #offer(): void {
    const method = this.#chosenMethod();
    if (!method) return;
    for (const quality of this.#qualities) {
      const id = qualities[quality.value];
      quality.checked = id === undefined ? !Object.values(qualities).includes(method.id) : id === method.id;
    }
    const lacking: string[] = [];
    for (const input of this.#scales) {
      if (input.value === "size") continue;
      const scale = Number(input.value);
      input.disabled = scalesOfRuns(method.scales, scale) === undefined;
      const keepsSize = scale === 1;
      input.parentElement!.hidden = keepsSize && (input.disabled || method.kind === "interpolation");
      if (input.disabled && !keepsSize) lacking.push(`×${scale}`);
    }
    const checked = this.#scale;
    if (checked.disabled || checked.parentElement!.hidden) {
      this.#scales.find((input) => !input.disabled && !input.parentElement!.hidden)!.checked = true;
    }
    this.#hint.hidden = lacking.length === 0;
    this.#hint.textContent = say.cannotDo(methodName(method), lacking);
    this.#remove.hidden = !method.isOwn;
    this.#onChange();
  }
}
