/**
 * Networks that stay loaded between calls of upscale(): to read, upload and measure one takes longer than a
 * small picture. They belong to their device: they go with it, and a lost device's are not used again.
 */
import type { Device } from "../device/device.ts";
import { LruCache } from "../device/lru.ts";
import type { OpenedMethod } from "./open-method.ts";

/** Networks that stay loaded on a device: enough for a program with a favourite at two or three scales. */
const MAX_KEPT = 3;

interface Kept {
  readonly opened: Promise<OpenedMethod>;
  /** How many callers use it at the moment. */
  users: number;
  /** It is no longer kept, and its last user frees it. */
  dropped: boolean;
}

const keptOn = new WeakMap<Device, LruCache<string, Kept>>();

/**
 * The method that `open` opens on a device, or the one that an earlier call with the same key has opened. Its
 * `close` only says that this caller is done.
 */
export async function borrow(
  device: Device,
  key: string,
  open: () => Promise<OpenedMethod>,
): Promise<OpenedMethod> {
  const cache = keptOn.get(device) ?? new LruCache<string, Kept>(MAX_KEPT, drop);
  keptOn.set(device, cache);
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
      if ((device.failure || opened.upscaler.device !== device) && !kept.dropped) cache.delete(key);
      giveBack();
    });
    return { ...opened, close };
  } catch (error) {
    if (!kept.dropped) cache.delete(key);
    giveBack();
    throw error;
  }
}

function drop(kept: Kept): void {
  kept.dropped = true;
  free(kept);
}

/** Closes a network that is neither kept nor used. */
function free({ opened, users }: Kept): void {
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
