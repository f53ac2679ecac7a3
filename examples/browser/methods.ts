/** The list of methods: those that the library has names for, and the user's networks. */
import {
  createModel,
  ESPCN,
  loadModel,
  loadPretrained,
  methodNames,
  openMethod,
  type PretrainedName,
  pretrainedNames,
  type SuperResolver,
  saveWeights,
  scalesOf,
  type Upscaler,
} from "../../src/index.ts";
import type { MethodInfo } from "./messages.ts";

const named: readonly MethodInfo[] = methodNames.map((name) => ({
  id: name,
  label: name,
  kind: (pretrainedNames as readonly string[]).includes(name) ? "network" : "interpolation",
  scales: scalesOf(name),
}));

export class Methods {
  /** The user's networks. */
  readonly #models = new Map<string, SuperResolver>();
  readonly #infos: MethodInfo[] = [];
  /** The open ones, by method and scale. */
  readonly #upscalers = new Map<string, Promise<Upscaler>>();

  /** The user's networks, the newest first; then those of the library, the best first. */
  list(): MethodInfo[] {
    return [...this.#infos].reverse().concat(named);
  }

  addWeights(name: string, bytes: Uint8Array): MethodInfo {
    return this.#add(loadModel(bytes, name), name.replace(/\.safetensors$/, ""));
  }

  /** Takes a fine-tuned network into the list; also returns its weight file. */
  async addTuned(model: SuperResolver): Promise<{ method: MethodInfo; weights: Uint8Array }> {
    const weights = await saveWeights(model);
    return { method: this.#add(model, `${model.metadata().architecture} tuned here`), weights };
  }

  /** Opened once; after a failure, the next attempt tries again. */
  upscaler(id: string, scale: number): Promise<Upscaler> {
    const key = `${id} ×${scale}`;
    const upscaler = this.#upscalers.get(key) ?? this.#open(id, scale);
    this.#upscalers.set(key, upscaler);
    upscaler.catch(() => this.#upscalers.delete(key));
    return upscaler;
  }

  async #open(id: string, scale: number): Promise<Upscaler> {
    return (await openMethod({ method: this.#models.get(id) ?? id, scale })).upscaler;
  }

  /** A copy of a network, for training; without an id a new one, which begins as bicubic interpolation. */
  async copyOf(id: string | undefined, scale: number): Promise<SuperResolver> {
    if (id === undefined) return new ESPCN({ scale: scale as 2, filters: [32, 16], residual: true });
    const original = this.#models.get(id);
    if (!original) return loadPretrained(id as PretrainedName, { scale: scale as 2 });
    const copy = createModel(original.metadata());
    copy.loadStateDict(await original.stateDict());
    return copy;
  }

  #add(model: SuperResolver, label: string): MethodInfo {
    const { scale } = model;
    const id = `own network ${this.#models.size}`;
    const info: MethodInfo = { id, label: `${label} ×${scale}`, kind: "network", scales: [scale] };
    this.#models.set(id, model);
    this.#infos.push(info);
    return info;
  }
}
