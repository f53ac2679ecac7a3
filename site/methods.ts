/** The list of methods: those that the library has names for, and the user's networks. */
import {
  defaultDevice,
  defaultMethod,
  ESPCN,
  init,
  loadModel,
  loadPretrained,
  methodNames,
  type OpenedMethod,
  openMethod,
  type PretrainedName,
  pretrainedNames,
  pretrainedScales,
  type SuperResolver,
  scalesOf,
  type Upscaler,
} from "../src/index.ts";
import { WeightKeeper } from "./kept-weights.ts";
import { automatic, labelOf, type MethodInfo, weightFileName } from "./messages.ts";
import { say } from "./worker-language.ts";

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

export class Methods {
  /** The user's networks, as weight files: openMethod loads them again if the graphics device is lost. */
  readonly #weights = new Map<string, Uint8Array>();
  readonly #infos = new Map<string, MethodInfo>();
  /** The open ones, by method and scale. */
  readonly #upscalers = new Map<string, Promise<OpenedMethod>>();
  readonly #keeper = new WeightKeeper();
  readonly #restored = this.#restore();

  /** The user's networks, the newest first; then those of the library, the best first. */
  async list(): Promise<MethodInfo[]> {
    await this.#restored;
    return [...this.#infos.values()].reverse().concat(named);
  }

  async addWeights(name: string, bytes: Uint8Array): Promise<MethodInfo> {
    await this.#restored;
    await ensureGpu();
    const model = loadModel(bytes, name); // which refuses a wrong file
    model.dispose();
    return this.#add(bytes, model.scale, name.replace(weightFileName, ""));
  }

  /** Forgets one of the user's networks, for good. */
  async remove(id: string): Promise<void> {
    await this.#keeper.remove(id);
    this.#weights.delete(id);
    this.#infos.delete(id);
    for (const [key, upscaler] of this.#upscalers) {
      if (!key.startsWith(`${id} ×`)) continue;
      this.#upscalers.delete(key);
      (await upscaler).close();
    }
  }

  async rename(id: string, name: string): Promise<MethodInfo> {
    const [scale] = this.#infos.get(id)!.scales;
    this.#infos.delete(id);
    return this.#describe(id, name, scale);
  }

  /** The weight file of one of the user's networks. */
  weightsOf(id: string): Uint8Array {
    return this.#weights.get(id)!;
  }

  async #restore(): Promise<void> {
    for (const { id, label, scale, bytes } of await this.#keeper.all()) {
      this.#weights.set(id, bytes);
      this.#infos.set(id, { id, label, kind: "network", scales: [scale], isOwn: true, isKept: true });
    }
  }

  /** Opened once; after a failure, the next attempt tries again. */
  async upscaler(id: string, scale: number): Promise<Upscaler> {
    await this.#restored;
    const key = `${id} ×${scale}`;
    const opened = this.#upscalers.get(key) ?? this.#open(id, scale);
    this.#upscalers.set(key, opened);
    opened.catch(() => this.#upscalers.delete(key));
    return (await opened).upscaler;
  }

  async #open(id: string, scale: number): Promise<OpenedMethod> {
    try {
      return await openMethod({ method: this.#weights.get(id) ?? id, scale });
    } catch (error) {
      throw notLoaded(error as Error, `${id} ×${scale}`) ?? error;
    }
  }

  /** A copy of a network, for training; without an id a new one, which begins as bicubic interpolation. */
  async copyOf(id: string | undefined, scale: number): Promise<SuperResolver> {
    if (id === undefined) return new ESPCN({ scale: scale as 2, filters: [32, 16], residual: true });
    const weights = this.#weights.get(id);
    if (weights) return loadModel(weights);
    return loadPretrained(id as PretrainedName, { scale: scale as 2 }).catch((error) => {
      throw notLoaded(error, `${id} ×${scale}`) ?? error;
    });
  }

  #add(bytes: Uint8Array, scale: number, name: string): Promise<MethodInfo> {
    const id = `own ${crypto.randomUUID()}`;
    this.#weights.set(id, bytes);
    return this.#describe(id, name, scale);
  }

  /** No two networks have the same label. */
  async #describe(id: string, name: string, scale: number): Promise<MethodInfo> {
    const labels = new Set([...this.#infos.values()].map(({ label }) => label));
    let label = labelOf(name, scale);
    for (let n = 2; labels.has(label); n++) label = labelOf(`${name} ${n}`, scale);
    const info: MethodInfo = { id, label, kind: "network", scales: [scale], isOwn: true };
    this.#infos.set(id, info); // at once: another network may get its label meanwhile
    const isKept = await this.#keeper.keep({ id, label, scale, bytes: this.#weights.get(id)! });
    this.#infos.set(id, { ...info, isKept });
    return { ...info, isKept };
  }
}

async function ensureGpu(): Promise<void> {
  try {
    if (!hasDevice()) await init();
  } catch (cause) {
    throw new Error(say.networkNeedsWebGpu, { cause });
  }
}

function hasDevice(): boolean {
  try {
    return defaultDevice().failure === undefined;
  } catch {
    return false; // none was opened
  }
}

/** What to say when a file of weights does not come. The library's own message is for programmers. */
function notLoaded({ message }: Error, network: string): Error | undefined {
  if (!message.startsWith("loadPretrained: the weights of")) return undefined;
  return new Error(navigator.onLine ? say.networkNotLoaded(network) : say.offline(network));
}
