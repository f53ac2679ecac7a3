/** The list of the user's networks, trained here or from files: named, saved and removed. */
import { download } from "./download.ts";
import type { Engine } from "./engine.ts";
import { inFileName } from "./file-names.ts";
import { say } from "./language.ts";
import { type MethodInfo, ownNameOf } from "./messages.ts";

export interface OwnNetworksEvents {
  /** The list of methods is another one. */
  onChange(): Promise<void>;
  /** The user wants to enlarge with it. */
  onUse(method: MethodInfo): void;
  onError(error: Error): void;
}

export class OwnNetworks {
  readonly #root: HTMLElement;
  readonly #list: HTMLElement;
  readonly #engine: Engine;
  readonly #events: OwnNetworksEvents;
  #networks: readonly MethodInfo[] = [];

  constructor(root: HTMLElement, engine: Engine, events: OwnNetworksEvents) {
    this.#root = root;
    this.#list = root.querySelector("ul")!;
    this.#engine = engine;
    this.#events = events;
  }

  /** Whether none would be lost if the page were closed now. */
  get areKept(): boolean {
    return this.#networks.every(({ isKept }) => isKept);
  }

  setMethods(methods: readonly MethodInfo[]): void {
    this.#networks = methods.filter(({ isOwn }) => isOwn);
    this.#render();
  }

  /** `name` may be that of a file. Rejects if the bytes are no weight file of a network that the library has. */
  async add(name: string, bytes: Uint8Array): Promise<MethodInfo> {
    const method = await this.#engine.run("addWeights", { name, bytes });
    if (!method.isKept) this.#events.onError(new Error(say.notKept(method.label)));
    await this.#events.onChange();
    return method;
  }

  /** Hands the weight file to the user. */
  async save(method: MethodInfo): Promise<void> {
    const bytes = await this.#engine.run("weights", { id: method.id });
    download(new Blob([bytes as Uint8Array<ArrayBuffer>]), `${fileNameOf(method)}.safetensors`);
  }

  /** For good, if the user means it. */
  async remove({ id, label }: MethodInfo): Promise<void> {
    if (!confirm(say.reallyRemove(label))) return;
    await this.#engine.run("removeWeights", { id });
    await this.#events.onChange();
  }

  async #rename({ id }: MethodInfo, name: string): Promise<void> {
    await this.#engine.run("renameWeights", { id, name });
    await this.#events.onChange();
  }

  #render(): void {
    this.#root.hidden = this.#networks.length === 0;
    this.#list.replaceChildren(...this.#networks.map((network) => this.#item(network)));
  }

  #item(network: MethodInfo): HTMLElement {
    const { label, scales } = network;
    const name = ownNameOf(network);
    const item = document.createElement("li");
    const field = document.createElement("input");
    field.value = name;
    field.maxLength = 60;
    field.setAttribute("aria-label", say.nameOf(label));
    field.addEventListener("change", () => {
      const wanted = field.value.trim();
      if (wanted === "") field.value = name;
      else this.#rename(network, wanted).catch(this.#events.onError);
    });
    // Enter in a name must not start a training run.
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      field.blur();
    });
    const scale = document.createElement("span");
    scale.textContent = `×${scales[0]}`;
    const button = (text: string, act: () => void) => {
      const element = document.createElement("button");
      element.type = "button";
      element.textContent = text;
      element.setAttribute("aria-label", `${text}: ${label}`);
      element.addEventListener("click", act);
      return element;
    };
    item.append(
      field,
      scale,
      button(say.use, () => this.#events.onUse(network)),
      button(say.saveNetwork, () => this.save(network).catch(this.#events.onError)),
      button(say.remove, () => this.remove(network).catch(this.#events.onError)),
    );
    return item;
  }
}

function fileNameOf(network: MethodInfo): string {
  return `${inFileName(ownNameOf(network))}-x${network.scales[0]}`;
}
