/** A web server for a folder of static files. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".jpg": "image/jpeg",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".webmanifest": "application/manifest+json",
};

/** Below a folder of the server, as a page of a user lies on a host of many. */
const BASE = "/user/page/";

/** `before`: each answer waits for it. */
export async function serve(
  folder: string,
  before?: (path: string) => Promise<void>,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(async ({ url = "/" }, response) => {
    const path = decodeURIComponent(new URL(url, "http://localhost").pathname);
    const named = path.endsWith("/") ? `${path}index.html` : path;
    const file = named.startsWith(BASE) ? normalize(named.slice(BASE.length)) : undefined;
    if (file) await before?.(file);
    const bytes = file && (await readFile(join(folder, file)).catch(() => undefined));
    if (!bytes) response.writeHead(404).end();
    else
      response
        .writeHead(200, {
          "content-type": types[extname(file)] ?? "application/octet-stream",
          "cache-control": "max-age=600", // as GitHub's pages have it
        })
        .end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${BASE}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
