/** The user's networks, kept in the browser from one visit to the next. */
import { createStore, del, entries, set } from "idb-keyval";

export interface KeptNetwork {
  readonly name: string;
  /** Its weight file. */
  readonly bytes: Uint8Array;
}

// One database for the site. Opened when it is first used, for some private windows have none.
let database: ReturnType<typeof createStore> | undefined;
function store(): ReturnType<typeof createStore> {
  database ??= createStore("pixelgrad", "networks");
  return database;
}

/** All of them with their keys, the oldest first. */
export async function keptNetworks(): Promise<[number, KeptNetwork][]> {
  return (await entries<number, KeptNetwork>(store())).sort(([a], [b]) => a - b);
}

export function keepNetwork(key: number, network: KeptNetwork): Promise<void> {
  return set(key, network, store());
}

export function forgetNetwork(key: number): Promise<void> {
  return del(key, store());
}
