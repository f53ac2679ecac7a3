/** The list of the user's networks, trained here or from files: named, saved, removed, and kept in the browser. */
import type { Engine } from "./engine.ts";
import { forgetNetwork, keepNetwork, keptNetworks } from "./kept-networks.ts";
import { say } from "./language.ts";
import type { MethodInfo } from "./messages.ts";
import { download } from "./picture.ts";

interface Own {
  readonly key: number;
  readonly bytes: Uint8Array;
  method: MethodInfo;
  /** In the browser's storage. */
  isKept: boolean;
}

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
  #networks: readonly Own[] = [];
  #lastKey = 0;

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

  /** Those of earlier visits. */
  async restore(): Promise<void> {
    for (const [key, { name, bytes }] of await keptNetworks().catch(() => [])) {
      try {
        const method = await this.#engine.run("addWeights", { name, bytes });
        this.#networks = [...this.#networks, { key, bytes, method, isKept: true }];
        this.#lastKey = Math.max(this.#lastKey, key);
      } catch (error) {
        this.#events.onError(error as Error);
      }
    }
    this.#render();
  }

  /** `name` may be that of a file. Rejects if the bytes are no weight file of a network that the library has. */
  async add(name: string, bytes: Uint8Array): Promise<MethodInfo> {
    const method = await this.#engine.run("addWeights", { name, bytes });
    this.#lastKey = Math.max(Date.now(), this.#lastKey + 1);
    const network: Own = { key: this.#lastKey, bytes, method, isKept: false };
    this.#networks = [...this.#networks, network];
    await this.#keep(network);
    this.#render();
    await this.#events.onChange();
    return method;
  }

  /** The weight file of the network with this method's id. */
  save(id: string): void {
    const { bytes, method } = this.#networks.find((network) => network.method.id === id)!;
    download(new Blob([bytes as Uint8Array<ArrayBuffer>]), `${fileNameOf(method)}.safetensors`);
  }

  async #keep(network: Own): Promise<void> {
    const { key, bytes, method } = network;
    try {
      await keepNetwork(key, { name: method.name!, bytes });
      network.isKept = true;
    } catch (error) {
      this.#events.onError(new Error(say.notKept(method.label, (error as Error).message)));
    }
  }

  async #rename(network: Own, name: string): Promise<void> {
    network.method = await this.#engine.run("renameNetwork", { id: network.method.id, name });
    await this.#keep(network);
    this.#render();
    await this.#events.onChange();
  }

  async #remove(network: Own): Promise<void> {
    if (!confirm(say.reallyRemove(network.method.label))) return;
    await this.#engine.run("removeNetwork", { id: network.method.id });
    await forgetNetwork(network.key).catch(this.#events.onError);
    this.#networks = this.#networks.filter((other) => other !== network);
    this.#render();
    await this.#events.onChange();
  }

  #render(): void {
    this.#root.hidden = this.#networks.length === 0;
    this.#list.replaceChildren(...this.#networks.map((network) => this.#item(network)).reverse());
  }

  #item(network: Own): HTMLElement {
    const { label, name, scales, id } = network.method;
    const item = document.createElement("li");
    const field = document.createElement("input");
    field.value = name!;
    field.maxLength = 60;
    field.setAttribute("aria-label", say.nameOf(label));
    field.addEventListener("change", () => {
      const wanted = field.value.trim();
      if (wanted === "") field.value = network.method.name!;
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
      button(say.use, () => this.#events.onUse(network.method)),
      button(say.saveNetwork, () => this.save(id)),
      button(say.remove, () => this.#remove(network).catch(this.#events.onError)),
    );
    return item;
  }
}

function fileNameOf({ name, scales }: MethodInfo): string {
  return `${name!.replace(/[^\p{L}\p{N}.-]+/gu, "-")}-x${scales[0]}`;
}
