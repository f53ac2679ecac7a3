/**
 * The projects of docs/browsers.md, as their readers would make them: written to a folder with the package
 * `pixelgrad-web` installed, built with what each needs, and opened in Chromium, where the canvas must show
 * what Node computes.
 */
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { dirname, extname, join } from "node:path";
import { type Browser, chromium } from "playwright";
import { build, createServer as createViteServer, type InlineConfig } from "vite";
import { writePng } from "../src/data/index.ts";
import { init, upscale } from "../src/node.ts";
import { chromiumFlags, findChromium } from "../test/browser/chromium.ts";
import { drawn } from "../test/support/drawn.ts";
import { check, kilobytes, manifestOf, npm, pack, repository, run } from "./new-project.ts";

/** What all pages enlarge: larger than one of the tiles that the example of Vite asks for. */
const photo = drawn(
  70,
  20,
  3,
  (x, y, c) => 128 + 100 * Math.sin((x * (c + 1)) / 9) * Math.cos((y * y) / 300),
);

/** A folder with all examples, the photograph in each, and these packages installed. */
export async function writeProjects(folder: string, packages: readonly string[]) {
  await run(npm, ["run", "build:web"], repository);
  mkdirSync(folder, { recursive: true });
  const { path, size, unpackedSize } = await pack(join(repository, "dist-web"), folder);
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ name: "pages", private: true, type: "module" }),
  );
  // As the docs say it, with a file in the place of the registry.
  const web = `pixelgrad@file:${path}`;
  await run(npm, ["install", "--no-fund", "--no-audit", web, ...packages], folder);
  const { dependencies, version } = manifestOf("pixelgrad", folder);
  check(dependencies === undefined, "pixelgrad-web has dependencies");
  check(unpackedSize < 6.5e6, `pixelgrad-web takes ${unpackedSize} bytes, docs/browsers.md says 6 MB`);

  const text = readFileSync(join(repository, "docs/browsers.md"), "utf8");
  check(text.includes(`pixelgrad-web@${version}/`), `docs/browsers.md names another version than ${version}`);
  for (const [, name, body] of text.matchAll(
    /^```\w+\n(?:\/\/|<!--) (\S+\.\w+)(?: -->)?\n([\s\S]*?)^```$/gm,
  )) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), body);
  }
  for (const name of examplesIn(folder)) {
    for (const path of ["photo.png", "public/photo.png"]) {
      mkdirSync(dirname(join(folder, name, path)), { recursive: true });
      await writePng(join(folder, name, path), photo);
    }
  }
  // Where no bundler looks for packages in the folders above.
  for (const name of ["import-map", "module-worker"]) {
    symlinkSync(join(folder, "node_modules"), join(folder, name, "node_modules"), "junction");
  }
  const says = `${kilobytes(size)} packed, ${kilobytes(unpackedSize)} unpacked, no dependencies`;
  return { says, result: undefined };
}

function examplesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== "node_modules")
    .map(({ name }) => name);
}

/** The example in TypeScript, by the strictest settings that projects have. */
export async function compileProjects(folder: string, compiler: string) {
  const strict = {
    ...{
      strict: true,
      skipLibCheck: false,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
    },
    ...{ target: "ES2022", module: "ESNext", moduleResolution: "bundler", verbatimModuleSyntax: true },
    ...{ lib: ["ES2022", "DOM"], types: [], noEmit: true },
  };
  const config = { compilerOptions: strict, files: ["vite/main.ts"] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  await run(process.execPath, [join(compiler, "bin/tsc")], folder);
  return { says: config.files.join(), result: undefined };
}

/** Builds and opens the projects that need no large packages. */
export async function tryProjects(folder: string) {
  const expected = ["vite", "webpack", "module-worker", "import-map", "cdn", "next"].sort();
  check(`${examplesIn(folder).sort()}` === `${expected}`, `the examples are ${examplesIn(folder)}`);
  const browserAt = await findChromium();
  const lines = [await bundleWithVite(folder), await bundleWithWebpack(folder)];
  if ("missing" in browserAt)
    return { says: `${lines.join("; ")}; not opened: ${browserAt.missing}`, result: undefined };

  const elsewhere = await serve(join(folder, "node_modules/pixelgrad"));
  const cdn = join(folder, "cdn/index.html");
  const page = readFileSync(cdn, "utf8");
  const address = /https:\/\/cdn\.jsdelivr\.net\/npm\/pixelgrad-web@[\d.]+/;
  check(address.test(page), "the example of a CDN names none");
  writeFileSync(cdn, page.replace(address, elsewhere.origin));

  const here = await serve(folder);
  const dev = await createViteServer({ ...viteConfig(folder), server: { host: "127.0.0.1", port: 0 } });
  const browser = await chromium.launch({ executablePath: browserAt.path, args: [...chromiumFlags] });
  try {
    await dev.listen();
    const pages = {
      "Vite's build": `${here.origin}/vite/dist/`,
      "Vite's development server": `http://127.0.0.1:${(dev.httpServer!.address() as AddressInfo).port}/`,
      "webpack 5": `${here.origin}/webpack/`,
      "a module worker": `${here.origin}/module-worker/`,
      "an import map": `${here.origin}/import-map/`,
      "a script from another server": `${here.origin}/cdn/`,
    };
    for (const [name, url] of Object.entries(pages)) {
      const start = performance.now();
      await seeRightPicture(browser, url, name);
      lines.push(`${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
    }
  } finally {
    await browser.close();
    await dev.close();
    for (const { server } of [here, elsewhere]) server.close();
  }
  return { says: lines.join("; "), result: undefined };
}

function viteConfig(folder: string): InlineConfig {
  return { root: join(folder, "vite"), configFile: false, logLevel: "warn", base: "./" };
}

async function bundleWithVite(folder: string): Promise<string> {
  await build(viteConfig(folder));
  const { version } = manifestOf("vite", repository);
  return `Vite ${version} ${scripts(join(folder, "vite/dist/assets"))}`;
}

interface Webpack {
  (
    options: object,
    done: (
      error: Error | null,
      stats?: { hasErrors(): boolean; hasWarnings(): boolean; toString(options: object): string },
    ) => void,
  ): void;
  readonly version: string;
}

async function bundleWithWebpack(folder: string): Promise<string> {
  const webpack: Webpack = createRequire(join(folder, "package.json"))("webpack");
  const options = { mode: "production", context: join(folder, "webpack"), performance: { hints: false } };
  await new Promise<void>((resolve, reject) => {
    webpack({ ...options, output: { path: join(folder, "webpack/dist") } }, (error, stats) => {
      const bad = stats?.hasErrors() || stats?.hasWarnings();
      if (error || bad)
        reject(error ?? new Error(stats!.toString({ all: false, errors: true, warnings: true })));
      else resolve();
    });
  });
  return `webpack ${webpack.version} ${scripts(join(folder, "webpack/dist"))}`;
}

function scripts(folder: string): string {
  const files = readdirSync(folder).filter((name) => name.endsWith(".js"));
  const sizes = files.map((name) => Math.round(statSync(join(folder, name)).size / 1000));
  return `(scripts of ${sizes.sort((a, b) => a - b).join(" + ")} kB)`;
}

let expected: Promise<readonly number[]> | undefined;

/** RGBA of the enlarged photograph, by Node. */
async function nodePixels(): Promise<readonly number[]> {
  const device = await init();
  const { data } = (await upscale(photo, { scale: 2 })).image;
  device.destroy();
  return Array.from({ length: (data.length / 3) * 4 }, (_, i) =>
    i % 4 === 3 ? 255 : data[(i >> 2) * 3 + (i % 4)],
  );
}

/** Opens a page and waits until its canvas shows the picture, to one level. */
export async function seeRightPicture(browser: Browser, url: string, name: string): Promise<void> {
  expected ??= nodePixels();
  const pixels = await expected;
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    const missing = message.location().url.endsWith("/favicon.ico");
    if (message.type() === "error" && !missing) complaints.push(message.text());
  });
  await page.goto(url);
  const difference = () =>
    page.evaluate(
      ({ pixels, width, height }) => {
        const canvas = document.querySelector("canvas");
        if (canvas?.width !== width || canvas.height !== height) return 256;
        const { data } = canvas.getContext("2d")!.getImageData(0, 0, width, height);
        return pixels.reduce((worst, value, i) => Math.max(worst, Math.abs(value - data[i])), 0);
      },
      { pixels, width: photo.width * 2, height: photo.height * 2 },
    );
  const end = performance.now() + 60_000;
  let worst = 256;
  while (worst > 1 && performance.now() < end && complaints.length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    // A development server may reload the page meanwhile.
    worst = await difference().catch(() => 256);
  }
  await page.close();
  check(complaints.length === 0, `${name}: the page complains: ${complaints.join("; ")}`);
  check(worst <= 1, `${name}: the canvas differs from Node's picture by ${worst} levels`);
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".png": "image/png",
};

/** A plain server of files, whose modules pages of other servers may import. */
async function serve(root: string): Promise<{ server: Server; origin: string }> {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url!, "http://localhost").pathname);
    const file = join(root, path.endsWith("/") ? `${path}index.html` : path);
    if (!existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, {
      "content-type": types[extname(file)] ?? "application/octet-stream",
      "access-control-allow-origin": "*",
    });
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
