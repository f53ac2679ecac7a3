import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { npm, repository, run } from "./new-project.ts";

export interface LocalRegistry {
  url: string;
  close(): void;
}

/** A registry that has the package as if it were published, and sends on to npm's for all others. */
export async function openRegistry(path: string): Promise<LocalRegistry> {
  const manifest = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
  const { name, version } = manifest;
  const tarball = readFileSync(path);
  const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
  const others = new URL((await run(npm, ["config", "get", "registry"], repository)).trim());
  const server = createServer((request, response) => {
    if (request.url === `/${name}`) {
      const dist = { tarball: `${url}/${name}.tgz`, integrity };
      const versions = { [version]: { ...manifest, dist } };
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ name, "dist-tags": { latest: version }, versions }));
    } else if (request.url === `/${name}.tgz`) {
      response.end(tarball);
    } else {
      response.writeHead(302, { location: new URL(request.url!.slice(1), others).href }).end();
    }
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, close: () => server.close() };
}
