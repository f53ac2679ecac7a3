/** The list of methods: those that the library has names for, and the user's networks. */
import {
  ESPCN,
  loadModel,
  loadPretrained,
  methodNames,
  openMethod,
  type PretrainedName,
  pretrainedNames,
  type SuperResolver,
  scalesOf,
  type Upscaler,
} from "../src/index.ts";
import { type MethodInfo, weightFileName } from "./messages.ts";

const named: readonly MethodInfo[] = methodNames.map((name) => ({
  id: name,
  label: name,
  kind: (pretrainedNames as readonly string[]).includes(name) ? "network" : "interpolation",
  scales: scalesOf(name),
}));

export class Methods {
  /** The user's networks, as weight files: openMethod loads them again if the graphics device is lost. */
  readonly #weights = new Map<string, Uint8Array>();
  readonly #infos = new Map<string, MethodInfo>();
  #count = 0;
  /** The open ones, by method and scale. */
  readonly #upscalers = new Map<string, Promise<Upscaler>>();

  /** The user's networks, the newest first; then those of the library, the best first. */
  list(): MethodInfo[] {
    return [...this.#infos.values()].reverse().concat(named);
  }

  addWeights(name: string, bytes: Uint8Array): MethodInfo {
    const model = loadModel(bytes, name); // which refuses a wrong file
    model.dispose();
    return this.#add(bytes, model.scale, name.replace(weightFileName, ""));
  }

  remove(id: string): void {
    this.#weights.delete(id);
    this.#infos.delete(id);
    for (const key of this.#upscalers.keys()) if (key.startsWith(`${id} ×`)) this.#upscalers.delete(key);
  }

  rename(id: string, name: string): MethodInfo {
    const old = this.#infos.get(id)!;
    this.#infos.delete(id);
    return this.#describe(id, name, old.scales[0]);
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
    return (await openMethod({ method: this.#weights.get(id) ?? id, scale })).upscaler;
  }

  /** A copy of a network, for training; without an id a new one, which begins as bicubic interpolation. */
  async copyOf(id: string | undefined, scale: number): Promise<SuperResolver> {
    if (id === undefined) return new ESPCN({ scale: scale as 2, filters: [32, 16], residual: true });
    const weights = this.#weights.get(id);
    return weights ? loadModel(weights) : loadPretrained(id as PretrainedName, { scale: scale as 2 });
  }

  #add(weights: Uint8Array, scale: number, name: string): MethodInfo {
    const id = `own network ${this.#count++}`;
    this.#weights.set(id, weights);
    return this.#describe(id, name, scale);
  }

  /** No two networks have the same label. */
  #describe(id: string, wanted: string, scale: number): MethodInfo {
    const labels = new Set([...this.#infos.values()].map(({ label }) => label));
    const labelOf = (name: string) => `${name} ×${scale}`;
    let name = wanted;
    for (let n = 2; labels.has(labelOf(name)); n++) name = `${wanted} (${n})`;
    const info: MethodInfo = { id, name, label: labelOf(name), kind: "network", scales: [scale] };
    this.#infos.set(id, info);
    return info;
  }
}
