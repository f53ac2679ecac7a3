/**
 * Networks that stay loaded between calls of upscale(): to read, upload and measure one takes longer than a
 * small picture. They belong to their device: they go with it, and a lost device's are not used again.
 */
import type { Device } from "../device/device.ts";
import { LruCache } from "../device/lru.ts";

/** Networks that stay loaded on a device: enough for a program with a favourite at two or three scales. */
const MAX_KEPT = 3;

/** A method that is ready for use, and that `close` frees. */
interface Closable {
  readonly upscaler: { readonly device: Device | undefined };
  close(): void;
}

interface Entry<T extends Closable> {
  readonly opened: Promise<T>;
  /** How many callers use it at the moment. */
  users: number;
  /** It is no longer kept, and its last user frees it. */
  dropped: boolean;
}

export class KeptMethods<T extends Closable> {
  readonly #on = new WeakMap<Device, LruCache<string, Entry<T>>>();

  /**
   * The method that `open` opens on a device, or the one that an earlier call with the same key has opened.
   * Its `close` only says that this caller is done.
   */
  async borrow(device: Device, key: string, open: () => Promise<T>): Promise<T> {
    const cache = this.#on.get(device) ?? new LruCache<string, Entry<T>>(MAX_KEPT, drop);
    this.#on.set(device, cache);
    const entry = cache.get(key, () => ({ opened: open(), users: 0, dropped: false }));
    entry.users++;
    const giveBack = () => {
      entry.users--;
      if (entry.dropped) free(entry);
    };
    try {
      const opened = await entry.opened;
      const close = once(() => {
        // After a loss it lives on another device: see ownNetwork.
        const isHere = opened.upscaler.device === device && !device.failure;
        if (!isHere && !entry.dropped) cache.delete(key);
        giveBack();
      });
      return { ...opened, close };
    } catch (error) {
      if (!entry.dropped) cache.delete(key);
      giveBack();
      throw error;
    }
  }
}

function drop<T extends Closable>(entry: Entry<T>): void {
  entry.dropped = true;
  free(entry);
}

/** Closes a method that is neither kept nor used. */
function free<T extends Closable>({ opened, users }: Entry<T>): void {
  if (users > 0) return;
  const nothing = () => {}; // it never opened, as its users know
  opened.then(({ close }) => close(), nothing);
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (!done) action();
    done = true;
  };
}
