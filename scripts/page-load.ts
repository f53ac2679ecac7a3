/**
 * How soon the built page can be used on a slow line: 1.6 Mbit/s, and 150 ms for each round trip, as Lighthouse
 * has them for phones.
 *
 *     npm run page:build && npm run page:load
 *
 * All bytes go through a line in front of the server, those for the worker, too: DevTools slows down only what
 * the page itself asks for.
 */
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, createServer as createLine, type Server as Line } from "node:net";
import { extname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { chromium } from "playwright";
import { chromiumFlags, findChromium } from "../test/browser/chromium.ts";

const FOLDER = "dist-page";
const RUNS = 3;
const BYTES_PER_MS = 200;
const ROUND_TRIP = 150;
/** How much goes through the line at once. */
const PIECE = 4096;

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".webp": "image/webp",
  ".webmanifest": "application/manifest+json",
};

interface Answered {
  readonly path: string;
  readonly bytes: number;
}

/** Sends text files packed with gzip, as hosts of static pages do. */
function staticServer(answered: Answered[]): Server {
  return createServer(async ({ url = "/" }, response) => {
    const { pathname } = new URL(url, "http://localhost");
    const path = pathname.endsWith("/") ? `${pathname}index.html` : pathname;
    const file = await readFile(join(FOLDER, path)).catch(() => undefined);
    if (!file) {
      response.writeHead(404).end();
      return;
    }
    const type = types[extname(path)] ?? "application/octet-stream";
    const isPacked = !type.startsWith("image/webp");
    const bytes = isPacked ? gzipSync(file, { level: 9 }) : file;
    answered.push({ path, bytes: bytes.length });
    response.writeHead(200, {
      "content-type": type,
      "cache-control": "max-age=600",
      ...(isPacked ? { "content-encoding": "gzip" } : {}),
    });
    response.end(bytes);
  });
}

/** A connection costs a round trip, each request and answer another, and all answers share the rate. */
function slowLine(port: number): Line {
  let free = 0;
  return createLine((client) => {
    const open = performance.now() + ROUND_TRIP;
    const server = connect(port, "127.0.0.1");
    client.on("data", async (data) => {
      await wait(Math.max(0, open - performance.now()) + ROUND_TRIP / 2);
      server.write(data);
    });
    server.on("data", async (data: Buffer) => {
      for (let at = 0; at < data.length; at += PIECE) {
        const piece = data.subarray(at, at + PIECE);
        free = Math.max(free, performance.now()) + piece.length / BYTES_PER_MS;
        setTimeout(() => client.write(piece), free + ROUND_TRIP / 2 - performance.now());
      }
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ]) {
      one.on("close", () => other.destroy()).on("error", () => other.destroy());
    }
  });
}

async function listen(server: Server | Line): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** In the page: marks when things are there, presses Enlarge as soon as that can be done, and waits for an answer. */
function watch(): void {
  const isMarked = (name: string) => performance.getEntriesByName(name).length > 0;
  const mark = (name: string, isThere: boolean) => {
    if (isThere && !isMarked(name)) performance.mark(name);
  };
  const look = () => {
    const button = document.querySelector<HTMLButtonElement>("#panel-upscale .primary");
    mark("sample", Boolean(document.querySelector("#picture-name")?.textContent));
    mark("Enlarge", button?.disabled === false);
    mark("answer", isMarked("pressed") && document.querySelector(".task .status")?.textContent !== "");
    if (isMarked("sample") && isMarked("Enlarge") && !isMarked("pressed")) {
      performance.mark("pressed");
      button?.click();
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

async function measure(executablePath: string): Promise<void> {
  const answered: Answered[] = [];
  const server = staticServer(answered);
  const line = slowLine(await listen(server));
  const browser = await chromium.launch({ executablePath, args: [...chromiumFlags] });
  const page = await browser.newPage({ serviceWorkers: "block" });
  await page.addInitScript("globalThis.__name = (part) => part"); // tsx marks the parts of functions with it
  await page.addInitScript(watch);
  await page.goto(`http://127.0.0.1:${await listen(line)}/`, { waitUntil: "commit" });
  await page.waitForFunction(() => performance.getEntriesByName("answer").length > 0);
  const bytes = answered.reduce((sum, file) => sum + file.bytes, 0);
  const names = ["first-contentful-paint", "sample", "Enlarge", "answer"];
  const times = await page.evaluate(
    (names) => names.map((name) => performance.getEntriesByName(name)[0].startTime),
    names,
  );
  const list = names.map((name, i) => `${name} ${(times[i] / 1000).toFixed(2)} s`).join(", ");
  console.log(`${list}; ${answered.length} files, ${Math.round(bytes / 1000)} kB by then`);
  await browser.close();
  line.close();
  server.closeAllConnections();
  server.close();
}

const browserFile = await findChromium();
if ("missing" in browserFile) throw new Error(browserFile.missing);
for (let run = 0; run < RUNS; run++) await measure(browserFile.path);
