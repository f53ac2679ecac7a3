/** The list of methods: those that the library has names for, and the user's networks. */
import { defaultMethod, methodNames, pretrainedNames, pretrainedScales, scalesOf } from "../src/index.ts";
import { WeightKeeper } from "./kept-weights.ts";
import { automatic, labelOf, type MethodInfo } from "./messages.ts";

const isNetwork = (name: string) => (pretrainedNames as readonly string[]).includes(name);

const named: readonly MethodInfo[] = [
  {
    id: automatic,
    label: automatic,
    kind: "network",
    scales: pretrainedScales.filter((scale) => isNetwork(defaultMethod(scale) ?? "")),
    isOwn: false,
  },
  ...methodNames.map(
    (name): MethodInfo => ({
      id: name,
      label: name,
      kind: isNetwork(name) ? "network" : "interpolation",
      scales: scalesOf(name),
      isOwn: false,
    }),
  ),
];

/** Knows networks by their files only: networks.ts opens them. */
export class Methods {
  readonly #weights = new Map<string, Uint8Array>();
  readonly #infos = new Map<string, MethodInfo>();
  readonly #keeper: WeightKeeper;
  /** The time of the latest id, in milliseconds. */
  #latest = 0;
  /** Resolves when the networks of former visits are there. */
  readonly restored: Promise<void>;

  constructor(keeper = new WeightKeeper()) {
    this.#keeper = keeper;
    this.restored = this.#restore();
  }

  /** The user's networks, the newest first; then those of the library, the best first. */
  async list(): Promise<MethodInfo[]> {
    await this.restored;
    return [...this.#infos.values()].reverse().concat(named);
  }

  /** A network of the user's, by a weight file that was seen to be one. */
  async add(bytes: Uint8Array, scale: number, name: string): Promise<MethodInfo> {
    await this.restored;
    const id = this.#newId();
    this.#weights.set(id, bytes);
    return this.#describe(id, name, scale);
  }

  /** Forgets one of the user's networks, for good. */
  async remove(id: string): Promise<void> {
    await this.#keeper.remove(id);
    this.#weights.delete(id);
    this.#infos.delete(id);
  }

  async rename(id: string, name: string): Promise<MethodInfo> {
    const [scale] = this.#infos.get(id)!.scales;
    return this.#describe(id, name, scale);
  }

  /** The weight file of one of the user's networks; undefined for those of the library. */
  weightsOf(id: string): Uint8Array | undefined {
    return this.#weights.get(id);
  }

  async #restore(): Promise<void> {
    for (const { id, label, scale, bytes } of await this.#keeper.all()) {
      this.#weights.set(id, bytes);
      this.#infos.set(id, { id, label, kind: "network", scales: [scale], isOwn: true, isKept: true });
    }
  }

  /** Ids sort by time: networks come back in their order. (Those of earlier versions are random, and sort first.) */
  #newId(): string {
    this.#latest = Math.max(Date.now(), this.#latest + 1);
    return `own t${this.#latest} ${crypto.randomUUID()}`;
  }

  /** No two networks have the same label. */
  async #describe(id: string, name: string, scale: number): Promise<MethodInfo> {
    const others = [...this.#infos.values()].filter((info) => info.id !== id);
    const labels = new Set(others.map(({ label }) => label));
    let label = labelOf(name, scale);
    for (let n = 2; labels.has(label); n++) label = labelOf(`${name} ${n}`, scale);
    const info: MethodInfo = { id, label, kind: "network", scales: [scale], isOwn: true };
    this.#infos.set(id, info); // at once: another network may get its label meanwhile
    const isKept = await this.#keeper.keep({ id, label, scale, bytes: this.#weights.get(id)! });
    this.#infos.set(id, { ...info, isKept });
    return { ...info, isKept };
  }
}
