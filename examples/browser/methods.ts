/** The list of methods: interpolations, networks that come with the library, and those of the user. */
import {
  createModel,
  ESPCN,
  type Interpolation,
  interpolator,
  loadModel,
  loadPretrained,
  networkUpscaler,
  pretrainedNames,
  pretrainedScales,
  type SuperResolver,
  saveWeights,
  type Upscaler,
} from "../../src/index.ts";
import type { MethodInfo } from "./messages.ts";

interface Network extends MethodInfo {
  /** Loads the weights; asked once. */
  load(): Promise<SuperResolver>;
}

export class Methods {
  readonly #interpolations: readonly MethodInfo[] = ["bicubic", "bilinear", "nearest"].map((id) => ({
    id,
    label: id,
    kind: "interpolation",
    scales: [2, 3, 4, 8],
  }));
  readonly #networks = new Map<string, Network>();
  readonly #loaded = new Map<string, Promise<SuperResolver>>();

  constructor() {
    // The best one last and for x2, which puts it at the top.
    for (const name of pretrainedNames) {
      for (const scale of [...pretrainedScales].reverse()) {
        this.#add(`${name} ×${scale}`, scale, () => loadPretrained(name, { scale }));
      }
    }
  }

  /** The networks first, the last one added at the top. */
  list(): MethodInfo[] {
    const networks = [...this.#networks.values()].reverse();
    return [...networks, ...this.#interpolations].map(({ id, label, kind, scales }) => ({
      id,
      label,
      kind,
      scales,
    }));
  }

  addWeights(name: string, bytes: Uint8Array): MethodInfo {
    return this.#addModel(loadModel(bytes, name), name.replace(/\.safetensors$/, ""));
  }

  /** Takes a fine-tuned network into the list; also gives its weight file. */
  async addTuned(model: SuperResolver): Promise<{ method: MethodInfo; weights: Uint8Array }> {
    const weights = await saveWeights(model);
    return { method: this.#addModel(model, `${model.metadata().architecture} tuned here`), weights };
  }

  async upscaler(id: string, scale: number): Promise<Upscaler> {
    if (!this.#networks.has(id)) return interpolator(id as Interpolation, scale);
    return networkUpscaler(await this.#model(id));
  }

  /** A copy of a network, to be trained; without an id a new one, which begins as bicubic interpolation. */
  async copyOf(id: string | undefined, scale: number): Promise<SuperResolver> {
    if (id === undefined) return new ESPCN({ scale: scale as 2, filters: [32, 16], residual: true });
    const original = await this.#model(id);
    const copy = createModel(original.metadata());
    copy.loadStateDict(await original.stateDict());
    return copy;
  }

  #addModel(model: SuperResolver, label: string): MethodInfo {
    return this.#add(`${label} ×${model.scale}`, model.scale, async () => model);
  }

  #add(label: string, scale: number, load: Network["load"]): MethodInfo {
    const info: MethodInfo = {
      id: `network ${this.#networks.size}`,
      label,
      kind: "network",
      scales: [scale],
    };
    this.#networks.set(info.id, { ...info, load });
    return info;
  }

  #model(id: string): Promise<SuperResolver> {
    const model = this.#loaded.get(id) ?? this.#networks.get(id)!.load();
    this.#loaded.set(id, model);
    model.catch(() => this.#loaded.delete(id)); // the next attempt fetches again
    return model;
  }
}
