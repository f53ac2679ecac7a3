/**
 * Networks that stay loaded between calls of upscale(): to read, upload and measure one takes longer than a
 * small picture. They belong to their device: they go with it, and a lost device's are not used again.
 */
import type { Device } from "../device/device.ts";
import { LruCache } from "../device/lru.ts";

/** Networks that stay loaded on a device: enough for a program with a favourite at two or three scales. */
const MAX_KEPT = 3;

/** A method that is ready for use, and that `close` frees. */
interface Opened {
  readonly upscaler: { readonly device: Device | undefined };
  close(): void;
}

interface Kept<T extends Opened> {
  readonly opened: Promise<T>;
  /** How many callers use it at the moment. */
  users: number;
  /** It is no longer kept, and its last user frees it. */
  dropped: boolean;
}

export class KeptMethods<T extends Opened> {
  readonly #on = new WeakMap<Device, LruCache<string, Kept<T>>>();

  /**
   * The method that `open` opens on a device, or the one that an earlier call with the same key has opened.
   * Its `close` only says that this caller is done.
   */
  async borrow(device: Device, key: string, open: () => Promise<T>): Promise<T> {
    const cache = this.#on.get(device) ?? new LruCache<string, Kept<T>>(MAX_KEPT, drop);
    this.#on.set(device, cache);
    const kept = cache.get(key, () => ({ opened: open(), users: 0, dropped: false }));
    kept.users++;
    const giveBack = () => {
      kept.users--;
      if (kept.dropped) free(kept);
    };
    try {
      const opened = await kept.opened;
      const close = once(() => {
        // After a loss it lives on another device: see ownNetwork.
        const isHere = opened.upscaler.device === device && !device.failure;
        if (!isHere && !kept.dropped) cache.delete(key);
        giveBack();
      });
      return { ...opened, close };
    } catch (error) {
      if (!kept.dropped) cache.delete(key);
      giveBack();
      throw error;
    }
  }
}

function drop<T extends Opened>(kept: Kept<T>): void {
  kept.dropped = true;
  free(kept);
}

/** Closes a method that is neither kept nor used. */
function free<T extends Opened>({ opened, users }: Kept<T>): void {
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
