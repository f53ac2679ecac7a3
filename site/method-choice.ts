/** The part of the form that asks how to enlarge: by how much, and fast or well. */
import { automatic, type MethodInfo } from "./messages.ts";

/** What the plain choices stand for. */
const qualities: Readonly<Record<string, string>> = { fast: "espcn", best: automatic };

export interface Choice {
  readonly method: MethodInfo;
  readonly scale: number;
  /** The scales of the method's runs, one after the other. */
  readonly steps: readonly number[];
}

export class MethodChoice {
  readonly #scales: readonly HTMLInputElement[];
  readonly #qualities: readonly HTMLInputElement[];
  readonly #method: HTMLSelectElement;
  readonly #details: HTMLDetailsElement;
  readonly #hint: HTMLElement;
  readonly #remove: HTMLButtonElement;
  readonly #onChange: () => void;
  #methods: readonly MethodInfo[] = [];

  constructor(
    form: HTMLElement,
    { onChange, onRemove }: { onChange(): void; onRemove(method: MethodInfo): void },
  ) {
    this.#scales = [...form.querySelectorAll<HTMLInputElement>("[name=scale]")];
    this.#qualities = [...form.querySelectorAll<HTMLInputElement>("[name=quality]")];
    this.#method = form.querySelector("[name=method]")!;
    this.#details = form.querySelector("details")!;
    this.#hint = form.querySelector(".scale-hint")!;
    this.#remove = form.querySelector("[name=remove]")!;
    this.#onChange = onChange;
    for (const scale of this.#scales) scale.addEventListener("change", () => onChange());
    for (const quality of this.#qualities) {
      quality.addEventListener("change", () => this.#takeQuality(quality.value));
    }
    this.#method.addEventListener("change", () => this.#offer());
    this.#remove.addEventListener("click", () => onRemove(this.#chosenMethod()!));
  }

  /** Selects the method with the id `selected`; by default the selection stays, or begins with the best. */
  setMethods(methods: readonly MethodInfo[], selected = this.#method.value): void {
    this.#methods = methods;
    this.#method.replaceChildren(...methods.map(({ id, label }) => new Option(label, id)));
    const has = (id: string) => methods.some((method) => method.id === id);
    const [first] = methods;
    this.#method.value = [selected, qualities.best, first?.id ?? ""].find(has) ?? "";
    for (const quality of this.#qualities) {
      const id = qualities[quality.value];
      quality.disabled = id !== undefined && !has(id);
    }
    if (selected && !Object.values(qualities).includes(this.#method.value)) this.#details.open = true;
    this.#offer();
  }

  /** Undefined as long as there are no methods. */
  get chosen(): Choice | undefined {
    const method = this.#chosenMethod();
    const scale = Number(this.#scales.find(({ checked }) => checked)!.value);
    const steps = method && stepsFor(method.scales, scale);
    return method && steps && { method, scale, steps };
  }

  #chosenMethod(): MethodInfo | undefined {
    return this.#methods.find(({ id }) => id === this.#method.value);
  }

  #takeQuality(quality: string): void {
    const id = qualities[quality];
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
      const scale = Number(input.value);
      input.disabled = stepsFor(method.scales, scale) === undefined;
      const keepsSize = scale === 1;
      input.parentElement!.hidden = keepsSize && (input.disabled || method.kind === "interpolation");
      if (input.disabled && !keepsSize) lacking.push(`×${scale}`);
    }
    const checked = this.#scales.find((input) => input.checked)!;
    if (checked.disabled || checked.parentElement!.hidden) {
      this.#scales.find((input) => !input.disabled && !input.parentElement!.hidden)!.checked = true;
    }
    this.#hint.hidden = lacking.length === 0;
    this.#hint.textContent = `${method.label} cannot do ${lacking.join(", ")}.`;
    this.#remove.hidden = !method.isOwn;
    this.#onChange();
  }
}

/** A method's scales, one after the other, that make `scale`, in as few runs as possible; the largest first. */
export function stepsFor(scales: readonly number[], scale: number): number[] | undefined {
  if (scales.includes(scale)) return [scale];
  for (const step of [...scales].sort((a, b) => b - a)) {
    if (step <= 1 || scale % step !== 0) continue;
    const others = stepsFor(scales, scale / step);
    if (others && scale / step > 1) return [step, ...others];
  }
  return undefined;
}
