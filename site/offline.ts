/**
 * Lets the page work without a network: registers the service worker. What the page has loaded before that is
 * handed to it, by loading it once more through the worker, from the browser's own cache.
 */
export async function workOffline(loadedByWorker: () => Promise<readonly string[]>): Promise<void> {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  const isFirst = navigator.serviceWorker.controller === null;
  try {
    await navigator.serviceWorker.register("./service-worker.js");
    await navigator.serviceWorker.ready;
  } catch {
    return; // not every address allows it: then the page needs the network, as any page
  }
  if (!isFirst) return;
  const urls = performance.getEntriesByType("resource").map(({ name }) => name);
  for (const url of new Set([...urls, ...(await loadedByWorker())])) await load(url).catch(() => undefined);
}

/** To its end: a response that nobody reads may hold its connection. */
async function load(url: string): Promise<void> {
  await (await fetch(url)).blob();
}
