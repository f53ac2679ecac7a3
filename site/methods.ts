/** The list of methods: those that the library has names for, and the user's networks. */
import { defaultMethod, methodNames, pretrainedNames, pretrainedScales, scalesOf } from "../src/index.ts";
import { WeightKeeper } from "./kept-weights.ts";
import { automatic, labelOf, type MethodInfo, ownNameOf } from "./messages.ts";
import { PATIENCE, soon } from "./patience.ts";

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
  readonly #restored: Promise<true>;
  /** Resolves when the networks of former visits are there, or late. */
  readonly soonRestored: Promise<true | undefined>;

  constructor(keeper = new WeightKeeper(), patience = PATIENCE) {
    this.#keeper = keeper;
    this.#restored = this.#restore();
    this.soonRestored = soon(this.#restored, patience);
  }

  /** The user's networks, the newest first; then those of the library, the best first. */
  async list(): Promise<MethodInfo[]> {
    await this.soonRestored;
    const byTime = [...this.#infos.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
    return byTime.concat(named);
  }

  /** Ends when the networks of former visits are there. True: the list may have been told without them. */
  async wereLate(): Promise<boolean> {
    await this.#restored;
    return (await this.soonRestored) === undefined;
  }

  /** A network of the user's, by a weight file that was seen to be one. */
  async add(bytes: Uint8Array, scale: number, name: string): Promise<MethodInfo> {
    await this.soonRestored;
    const id = this.#newId();
    this.#weights.set(id, bytes);
    const label = this.#label(id, name, scale);
    return this.#settle(id, await this.#keeper.keep({ id, label, scale, bytes }));
  }

  /** Forgets one of the user's networks, for good. A task may be using it: its weights go with the page. */
  async remove(id: string): Promise<void> {
    this.#infos.delete(id); // first, so that nothing stores it once more
    await this.#keeper.remove(id);
  }

  async rename(id: string, name: string): Promise<MethodInfo> {
    const [scale] = this.#infos.get(id)!.scales;
    return this.#settle(id, await this.#keeper.rename(id, this.#label(id, name, scale)));
  }

  /** The weight file of one of the user's networks; undefined for those of the library. */
  weightsOf(id: string): Uint8Array | undefined {
    return this.#weights.get(id);
  }

  async #restore(): Promise<true> {
    for (const { id, label, scale, bytes } of await this.#keeper.all()) {
      this.#weights.set(id, bytes);
      // Two tabs may have given the same label.
      this.#label(id, ownNameOf({ label, scales: [scale] }), scale);
      this.#settle(id, true);
    }
    // What was added before a late database opened.
    for (const { id, label, scales, isKept } of this.#infos.values()) {
      if (isKept !== false) continue;
      const isKeptNow = await this.#keeper.keep({
        id,
        label,
        scale: scales[0],
        bytes: this.#weights.get(id)!,
      });
      if (this.#infos.has(id)) this.#settle(id, isKeptNow);
    }
    return true;
  }

  /** Ids sort by time: networks come back in their order. (Those of earlier versions are random, and sort first.) */
  #newId(): string {
    this.#latest = Math.max(Date.now(), this.#latest + 1);
    return `own t${this.#latest} ${crypto.randomUUID()}`;
  }

  /** Lists a network by a label that no other has, at once: another may want the same one meanwhile. */
  #label(id: string, name: string, scale: number): string {
    const others = [...this.#infos.values()].filter((info) => info.id !== id);
    const labels = new Set(others.map(({ label }) => label));
    let label = labelOf(name, scale);
    for (let n = 2; labels.has(label); n++) label = labelOf(`${name} ${n}`, scale);
    this.#infos.set(id, { id, label, kind: "network", scales: [scale], isOwn: true });
    return label;
  }

  #settle(id: string, isKept: boolean): MethodInfo {
    const info = { ...this.#infos.get(id)!, isKept };
    this.#infos.set(id, info);
    return info;
  }
}
