/** Opens the networks of the list of methods: the library's, and the user's. */
import {
  defaultDevice,
  ESPCN,
  init,
  loadModel,
  loadPretrained,
  type OpenedMethod,
  openMethod,
  outsideScopes,
  type PretrainedName,
  type SuperResolver,
  type Upscaler,
} from "../src/index.ts";
import { type MethodInfo, weightFileName } from "./messages.ts";
import type { Methods } from "./methods.ts";
import { say } from "./worker-language.ts";

export class Networks {
  readonly #methods: Methods;
  /** The open ones, by method and scale. */
  readonly #upscalers = new Map<string, Promise<OpenedMethod>>();

  constructor(methods: Methods) {
    this.#methods = methods;
  }

  /** While another task works with tensors, too. Needs a device. @throws DataError for a file that is no network's */
  async add(name: string, bytes: Uint8Array): Promise<MethodInfo> {
    const scale = outsideScopes(() => {
      const model = loadModel(bytes, name); // which refuses a wrong file
      model.dispose();
      return model.scale;
    });
    return this.#methods.add(bytes, scale, name.replace(weightFileName, ""));
  }

  /** Frees what a network has on the device. */
  async close(id: string): Promise<void> {
    for (const [key, upscaler] of this.#upscalers) {
      if (!key.startsWith(`${id} ×`)) continue;
      this.#upscalers.delete(key);
      (await upscaler).close();
    }
  }

  /** Opened once; after a failure, the next attempt tries again. */
  async upscaler(id: string, scale: number): Promise<Upscaler> {
    await this.#methods.soonRestored;
    const key = `${id} ×${scale}`;
    const opening = this.#upscalers.get(key) ?? this.#open(id, scale);
    this.#upscalers.set(key, opening);
    opening.catch(() => this.#upscalers.delete(key));
    return (await opening).upscaler;
  }

  /** openMethod loads the user's networks again, too, if the graphics device is lost. */
  async #open(id: string, scale: number): Promise<OpenedMethod> {
    try {
      return await openMethod({ method: this.#methods.weightsOf(id) ?? id, scale });
    } catch (error) {
      throw describeFailure(error as Error, `${id} ×${scale}`) ?? error;
    }
  }

  /** A copy of a network, for training; without an id a new one, which begins as bicubic interpolation. */
  async copyOf(id: string | undefined, scale: number): Promise<SuperResolver> {
    if (id === undefined) return new ESPCN({ scale: scale as 2, filters: [32, 16], residual: true });
    const weights = this.#methods.weightsOf(id);
    if (weights) return loadModel(weights);
    return loadPretrained(id as PretrainedName, { scale: scale as 2 }).catch((error) => {
      throw describeFailure(error, `${id} ×${scale}`) ?? error;
    });
  }
}

/** Opens a device if there is none. */
export async function ensureGpu(): Promise<void> {
  try {
    if (!hasDevice()) await init();
  } catch (cause) {
    throw new Error(say.networkNeedsWebGpu, { cause });
  }
}

export function hasDevice(): boolean {
  try {
    return defaultDevice().failure === undefined;
  } catch {
    return false; // none was opened
  }
}

/** What to say when a file of weights does not come. The library's own message is for programmers. */
function describeFailure({ code }: Error & { readonly code?: string }, network: string): Error | undefined {
  if (code !== "WEIGHTS_UNREADABLE") return undefined;
  return new Error(navigator.onLine ? say.networkNotLoaded(network) : say.offline(network));
}
