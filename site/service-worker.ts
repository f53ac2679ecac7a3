/**
 * Keeps the page for when there is no network: all that it needs to start when it is installed, and everything
 * else of it (networks, samples) when it is first used. vite.config.ts puts in which files there are.
 *
 * Files are named after their contents, so one that is kept is never out of date. The page itself comes from the
 * network if there is one: an update takes effect with the next load.
 */

/** Of a service worker's own interface, what is used here: TypeScript knows it only without a page's. */
interface OfflineWorker {
  readonly location: Location;
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: Extendable) => void): void;
  addEventListener(type: "fetch", listener: (event: Fetch) => void): void;
}
interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetch extends Extendable {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

/** Paths below the page's folder. */
declare const FILES: { readonly atOnce: readonly string[]; readonly whenUsed: readonly string[] };

export {}; // a module, so that its names are its own

const globals: object = self;
const worker = globals as OfflineWorker;
const CACHE = "pixelgrad page";
const PAGES = ["./", "kernels/"];
const folder = new URL("./", worker.location.href);
const urlOf = (path: string) => new URL(path, folder).href;
/** So long the network may take to answer for the page before the kept one is shown, in milliseconds. */
const PATIENCE = 4000;

worker.addEventListener("install", (event) => {
  event.waitUntil(keepAtOnce().then(() => worker.skipWaiting()));
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(forgetOthers().then(() => worker.clients.claim()));
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(folder.href)) return;
  if (request.mode === "navigate") event.respondWith(pageFor(request));
  else if ([...FILES.atOnce, ...FILES.whenUsed].some((path) => urlOf(path) === request.url))
    event.respondWith(fileFor(event));
});

async function keepAtOnce(): Promise<void> {
  const cache = await caches.open(CACHE);
  const names = [...PAGES, ...FILES.atOnce];
  const cachedUrls = new Set((await cache.keys()).map(({ url }) => url));
  // The pages themselves are always fetched anew.
  const missing = names.filter((path) => PAGES.includes(path) || !cachedUrls.has(urlOf(path)));
  await cache.addAll(missing.map((path) => new Request(urlOf(path), { cache: "no-cache" })));
}

/** Files of versions before this one. */
async function forgetOthers(): Promise<void> {
  const cache = await caches.open(CACHE);
  const own = new Set([...PAGES, ...FILES.atOnce, ...FILES.whenUsed].map(urlOf));
  for (const request of await cache.keys()) if (!own.has(request.url)) await cache.delete(request);
}

async function pageFor(request: Request): Promise<Response> {
  const { origin, pathname } = new URL(request.url);
  const copy = await (await caches.open(CACHE)).match(origin + pathname);
  if (!copy) return fetch(request);
  const late = new Promise<Response>((resolve) => setTimeout(() => resolve(copy), PATIENCE));
  const fresh = fetch(request).then((response) => (response.ok ? response : copy));
  return Promise.race([fresh.catch(() => copy), late]);
}

async function fileFor(event: Fetch): Promise<Response> {
  const { request } = event;
  const cache = await caches.open(CACHE);
  const copy = await cache.match(request.url);
  if (copy) return copy;
  const response = await fetch(request);
  // The storage may be full. Then there is no copy, and the page has its file all the same.
  if (response.ok) event.waitUntil(cache.put(request.url, response.clone()).catch(() => undefined));
  return response;
}
