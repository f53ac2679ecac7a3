/** The user's networks, in the browser's own database, so that they are there the next time. */

import { PATIENCE, soon } from "./patience.ts";

export interface KeptWeights {
  readonly id: string;
  /** What the list of methods calls it. */
  readonly label: string;
  readonly scale: number;
  readonly bytes: Uint8Array;
}

const store = "weights";

/**
 * Where there is no database, as in some private windows, or one that cannot be used, networks last as long as the
 * page.
 */
export class WeightKeeper {
  readonly #opening: Promise<IDBDatabase | undefined>;
  /** Of that, what there is without a long wait: some browsers open it late or never. */
  #database: Promise<IDBDatabase | undefined>;

  constructor(name = "pixelgrad", patience = PATIENCE) {
    this.#opening = open(name).catch(() => undefined);
    this.#database = soon(this.#opening, patience);
    void this.#opening.then(() => {
      this.#database = this.#opening;
    });
  }

  /** In the order of their ids. Waits for a database that opens late. */
  async all(): Promise<KeptWeights[]> {
    await this.#opening;
    return (await this.#request("readonly", (weights) => weights.getAll())) ?? [];
  }

  /** Whether it is there the next time. */
  async keep(weights: KeptWeights): Promise<boolean> {
    return (await this.#request("readwrite", (all) => all.put(weights))) !== undefined;
  }

  /** Whether it is still there: another tab may have removed it. */
  async rename(id: string, label: string): Promise<boolean> {
    const renamed = await this.#request("readwrite", (all) => {
      const reading: IDBRequest<KeptWeights | undefined> = all.get(id);
      reading.addEventListener("success", () => reading.result && all.put({ ...reading.result, label }));
      return reading;
    });
    return renamed !== undefined;
  }

  async remove(id: string): Promise<void> {
    await this.#request("readwrite", (weights) => weights.delete(id));
  }

  /** Undefined if it fails: without the store, say, on a closed connection, or for lack of space at the very end. */
  async #request<T>(
    mode: IDBTransactionMode,
    work: (weights: IDBObjectStore) => IDBRequest<T>,
  ): Promise<T | undefined> {
    const database = await this.#database;
    try {
      const transaction = database?.transaction(store, mode);
      if (!transaction) return undefined;
      const request = work(transaction.objectStore(store));
      await endOf(transaction);
      return request.result;
    } catch {
      return undefined;
    }
  }
}

/** Some browsers throw at once. */
async function open(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.addEventListener("upgradeneeded", () => {
    request.result.createObjectStore(store, { keyPath: "id" });
  });
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
  });
}

/** Resolves when everything is stored. A request that succeeds may still be undone before. */
function endOf(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.addEventListener("complete", () => resolve());
    transaction.addEventListener("abort", () => reject(transaction.error));
  });
}
