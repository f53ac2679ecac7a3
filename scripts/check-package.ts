/**
 * Does the package work as npm would publish it? Packs it, installs it into a new project in a temporary
 * folder, and compiles, runs and bundles test/package there, as any user would. `npm run test:package` takes
 * a minute or two. CHROMIUM_PATH names a browser other than Linux's Chromium or Chrome.
 */
import { spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join, posix } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { build, createLogger, type Rolldown } from "vite";
import { readImage, writePng } from "../src/data/index.ts";
import { chromiumFlags, findChromium } from "../test/browser/chromium.ts";
import { compileProjects, tryProjects, writeProjects } from "./browser-projects.ts";
import { render } from "./docs/markdown.ts";
import { check, kilobytes, manifestOf, npm, npx, pack, repository, run } from "./new-project.ts";

interface Answer {
  losses: number[];
  /** The method that enlarged a picture, and the mean sample of the result. */
  method: string;
  mean: number;
  device: string;
  /** Results of pixelgrad/picture: see test/package/picture.ts. */
  step: number[];
  decibels: number;
}

const { devDependencies } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
/**
 * Hides the system's Vulkan drivers, as on a machine without any: then SwiftShader comes from its npm
 * package.
 */
const noDrivers = { VK_DRIVER_FILES: "/nonexistent", PIXELGRAD_ADAPTER: "" };
/** Programs with operations of their own: those of docs/own-operations.md. */
const ownOperations = ["own-operation.ts", "several-outputs.ts", "own-optimizer.ts"];
/** The last one that is written in TypeScript, which most projects still have, and the present one. */
const compilers = ["typescript-5", "typescript"];
/** What `tsc --init` adds to `strict`. */
const flagsOfInit = {
  ...{ noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, verbatimModuleSyntax: true },
  ...{
    isolatedModules: true,
    noUncheckedSideEffectImports: true,
    moduleDetection: "force",
    skipLibCheck: true,
  },
};
const hasSwiftShader = process.platform === "linux" && process.arch === "x64";

const temporary = mkdtempSync(join(tmpdir(), "pixelgrad-package-"));
const project = join(temporary, "project");
try {
  await main();
} catch (error) {
  console.error(`\nThe package is not fit to publish: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  rmSync(temporary, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const tarball = await step("pack", packAndCheck);
  await step("install in a new project", () => install(tarball));
  await step("compile", compile);
  await step("run in Node", runInNode);
  const swiftshader = await step("run in Node without Vulkan drivers", runWithoutDrivers);
  await step("run operations of its own", runOwnOperations);
  await step("load training data", loadData);
  await step("use the command line", useCommandLine);
  await step("enlarge with other people's models", enlargeWithOthersModels);
  await step("bundle for Node", bundleForNode);
  const site = await step("bundle for browsers", bundle);
  await step("run in a browser", () => runInBrowser(site, swiftshader));
  await step("the single file", sizeOfSingleFile);
  const pages = join(temporary, "pages");
  await step("install pixelgrad-web", () => writeProjects(pages, ["webpack@5"]));
  await step("compile for browsers", () => compileProjects(pages, join(project, "node_modules/typescript")));
  await step("the projects of docs/browsers.md", () => tryProjects(pages));
}

/** Runs a step, and prints what it says about its result and how long it took. */
async function step<T>(name: string, run: () => Promise<{ says: string; result: T }>): Promise<T> {
  const start = performance.now();
  const { says, result } = await run().catch((error: Error) => {
    throw new Error(`${name}: ${error.message}`, { cause: error });
  });
  console.log(`${name} (${((performance.now() - start) / 1000).toFixed(1)} s): ${says}`);
  return result;
}

async function packAndCheck() {
  const { path, size, unpackedSize, files: paths } = await pack(repository, temporary);
  const folders = [...new Set(paths.map((path) => path.split("/")[0]))].sort();
  const expected = [
    ...["CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "SECURITY.md", "dist", "docs", "examples"],
    ...["package.json", "src", "weights"],
  ];
  for (const name of expected) check(folders.includes(name), `the tarball lacks ${name}`);
  for (const name of folders) check(expected.includes(name), `the tarball holds ${name}, which nobody needs`);
  // The entries, and the programs of worker threads.
  for (const name of [
    "index.js",
    "index.d.ts",
    "node.js",
    "kernel.js",
    "kernel.d.ts",
    "picture/index.js",
    "picture/index.d.ts",
    "data/index.js",
    "data/index.d.ts",
    "data/decode-worker.js",
    "upscale/keras-worker.js",
    "worker/index.js",
    "worker/index.d.ts",
    "worker/thread.js",
    "browser/pixelgrad.js",
    "browser/pixelgrad.d.ts",
    "browser/thread.js",
    "train/index.d.ts",
    "evaluate/index.d.ts",
    "cli/main.js",
  ]) {
    check(paths.includes(`dist/${name}`), `the tarball lacks dist/${name}`);
  }
  checkLinks(paths);
  const says = `${paths.length} files, ${kilobytes(size)} packed, ${kilobytes(unpackedSize)} unpacked`;
  return { says, result: path };
}

/** Whoever has only the package can follow every link in its pages, and sees their pictures. */
function checkLinks(paths: readonly string[]): void {
  const lacking = paths
    .filter((path) => path.endsWith(".md"))
    .flatMap((page) =>
      linksOf(page)
        .filter((target) => !paths.some((path) => path === target || path.startsWith(`${target}/`)))
        .map((target) => `${page} links to ${target}`),
    );
  check(lacking.length === 0, `the tarball lacks what its pages link to: ${lacking.join("; ")}`);
}

/** The files and folders that a page names in its links, from the repository's root. */
function linksOf(page: string): string[] {
  const targets: string[] = [];
  render(readFileSync(join(repository, page), "utf8"), (href) => {
    const [target] = href.split("#");
    const isAddress = /^[a-z]+:/.test(href);
    if (target !== "" && !isAddress)
      targets.push(posix.join(posix.dirname(page), decodeURI(target)).replace(/\/$/, ""));
    return href;
  });
  return targets;
}

async function install(tarball: string) {
  mkdirSync(project);
  cpSync(join(repository, "test/package"), project, { recursive: true });
  const manifest = { name: "consumer", private: true, type: "module", allowScripts: { webgpu: true } };
  writeFileSync(join(project, "package.json"), JSON.stringify(manifest));
  const names = ["typescript", "@types/node", ...(hasSwiftShader ? ["@sparticuz/chromium"] : [])];
  const others = names.map((name) => `${name}@${devDependencies[name]}`);
  others.push("typescript-5@npm:typescript@~5.9.0", "esbuild@0.28");
  await run(npm, ["install", "--no-fund", "--no-audit", tarball, ...others], project);
  const installed = readdirSync(join(project, "node_modules/@types"));
  return { says: `${others.join(", ")}; @types: ${installed.join(", ")}`, result: undefined };
}

/** Declarations are checked as strictly as code (no skipLibCheck), with and without the DOM's types. */
async function compile() {
  const strict = { strict: true, target: "ES2022", skipLibCheck: false, outDir: "out", rootDir: "." };
  const nodenext = { ...strict, module: "NodeNext" };
  const bundler = { ...strict, module: "ESNext", moduleResolution: "bundler", noEmit: true };
  const settings = {
    "module nodenext": {
      compilerOptions: { ...nodenext, types: ["node"] },
      files: ["node.ts", "node-only.ts", "data.ts", ...ownOperations],
    },
    "as tsc --init": {
      compilerOptions: { ...nodenext, ...flagsOfInit, types: ["node"], noEmit: true },
      files: ["data.ts", ...ownOperations],
    },
    "without the DOM": {
      compilerOptions: { ...nodenext, types: ["node"], lib: ["ES2022"], noEmit: true },
      files: ["train.ts", "node-only.ts", "picture.ts", "data.ts", ...ownOperations],
    },
    "module resolution bundler": {
      compilerOptions: { ...bundler, types: [], lib: ["ES2022", "DOM"] },
      files: ["page.ts", "worker.ts", ...ownOperations],
    },
  };
  for (const compiler of compilers) {
    for (const [name, config] of Object.entries(settings)) {
      writeFileSync(join(project, "tsconfig.json"), JSON.stringify(config));
      await run(process.execPath, [join("node_modules", compiler, "bin/tsc")], project).catch(
        (error: Error) => {
          throw new Error(`${compiler}, ${name}: ${error.message}`, { cause: error });
        },
      );
    }
  }
  const versions = compilers.map((name) => manifestOf(name, project).version);
  return {
    says: `${Object.keys(settings).join(", ")}; TypeScript ${versions.join(" and ")}`,
    result: undefined,
  };
}

/** On any adapter. Node's coverage report lists every script that it loads. */
async function runInNode() {
  const coverage = join(temporary, "coverage");
  const answer = await trained({ NODE_V8_COVERAGE: coverage });
  const loaded = readdirSync(coverage).flatMap((file) => {
    const { result } = JSON.parse(readFileSync(join(coverage, file), "utf8"));
    return result.map(({ url }: { url: string }) => url);
  });
  check(
    loaded.some((url) => url.includes("/pixelgrad/dist/models/")),
    "Node's report does not list the package's scripts",
  );
  // Weights from a path need the path, what lies there, its bytes and, those of Keras, a thread; WebP
  // pictures of browsers need to know how they are turned. No decoder is among them.
  const unwanted = loaded.filter((url) =>
    /node_modules\/sharp\/|pixelgrad\/dist\/(?:data|files|formats)\/(?!read-file\.|path-of\.|same-file\.|thread-program\.|turn\.|riff\.)/.test(
      url,
    ),
  );
  check(unwanted.length === 0, `import "pixelgrad" loads what only pixelgrad/data needs: ${unwanted}`);
  return { says: describe(answer), result: undefined };
}

async function runWithoutDrivers() {
  if (!hasSwiftShader)
    return { says: "skipped: SwiftShader comes from npm for Linux on x64 only", result: undefined };
  const answer = await trained(noDrivers);
  check(/swiftshader/i.test(answer.device), `expected SwiftShader, but it ran on ${answer.device}`);
  return { says: describe(answer), result: answer };
}

async function trained(environment: NodeJS.ProcessEnv): Promise<Answer> {
  const answer: Answer = JSON.parse(await run(process.execPath, ["out/node.js"], project, { environment }));
  const [before, after] = answer.losses;
  check(after < before, `the loss did not fall: ${describe(answer)}`);
  // The mean of the ramp's samples is 127.
  check(
    answer.method.startsWith("wren") && Math.abs(answer.mean - 127) < 2,
    `a picture was not enlarged by the package's network: ${describe(answer)}`,
  );
  checkMeasured(answer);
  return answer;
}

/**
 * Keys' cubic by hand: beside a step at twice the size, 255 (w(0.75) + w(1.75)) = 51.8, and the rest of 255.
 */
function checkMeasured({ step, decibels }: Answer): void {
  const expectedStep = [0, 0, 0, 0, 0, 0, 0, 52, 203, 255, 255, 255, 255, 255, 255, 255];
  check(`${step}` === `${expectedStep}`, `imresize made ${step} of a step, expected ${expectedStep}`);
  const expected = 10 * Math.log10(255 ** 2 / 10 ** 2);
  check(Math.abs(decibels - expected) < 1e-9, `psnr gave ${decibels} dB, expected ${expected}`);
}

/** WGSL, reference, gradient and their checks, in TypeScript and in few lines. */
async function runOwnOperations() {
  const says = (await run(process.execPath, ["out/own-operation.js"], project)).trim();
  check(/^gaussian and its gradient are right on /.test(says), `the operation said ${says}`);
  const lines = readFileSync(join(project, "own-operation.ts"), "utf8").trim().split("\n").length;
  check(lines <= 40, `an operation takes ${lines} lines`);
  // Would a mistake show?
  const code = readFileSync(join(project, "out/own-operation.js"), "utf8");
  for (const [right, wrong, complaint] of [
    ["exp(-x[i] * x[i])", "exp(-x[i] * x[i] * 1.01)", "compareWithCpu, result, on "],
    ["mul(mul(x, y), -2)", "mul(mul(x, y), -2.01)", "gradcheck: gradient of input 0"],
  ]) {
    check(code.includes(right), `the operation's code lacks ${right}`);
    writeFileSync(join(project, "out/wrong-operation.js"), code.replace(right, wrong));
    const outcome = await run(process.execPath, ["out/wrong-operation.js"], project).catch(String);
    check(outcome.includes(complaint), `with ${wrong} the checks said ${outcome}`);
  }
  await run(process.execPath, ["out/several-outputs.js"], project);
  const optimizer = (await run(process.execPath, ["out/own-optimizer.js"], project)).trim();
  const [, before, after] = /^Lion: loss (\S+) -> (\S+), replayed: true$/.exec(optimizer) ?? [];
  check(Number(after) < 0.1 * Number(before), `the optimizer said ${optimizer}`);
  await run(process.execPath, ["out/node-only.js"], project);
  return { says: `${says}, in ${lines} lines; ${optimizer}`, result: undefined };
}

async function loadData() {
  mkdirSync(join(project, "pictures"));
  const batch = (await run(process.execPath, ["out/data.js"], project)).trim();
  const expected = JSON.stringify({ lowShape: [2, 3, 8, 8], highShape: [2, 3, 16, 16], values: ["0.2000"] });
  check(batch === expected, `a batch of a grey picture should be ${expected}, got ${batch}`);
  return { says: batch, result: undefined };
}

/** Enlarges and measures the picture that loadData wrote, by the installed command. */
async function useCommandLine() {
  const version = (await run(npx, ["pixelgrad", "--version"], project)).trim();
  const args = "evaluate --hr pictures --scale 2 --method bicubic --json bicubic.json".split(" ");
  await run(npx, ["pixelgrad", ...args], project);
  const { images } = JSON.parse(readFileSync(join(project, "bicubic.json"), "utf8"));
  // Every enlargement of a grey picture is that picture: the PSNR is infinite, which JSON writes as null.
  check(images.length === 1 && images[0].psnr === null, `expected one picture without error: ${images}`);

  // On the photographs that are installed with the package. What it calls its best is what evaluate measures.
  const training = "train espcn --steps 2 --eval-every 1 --valid pictures-to-measure --out run".split(" ");
  const valid = join(project, "pictures-to-measure");
  mkdirSync(valid);
  await writePng(join(valid, "a.png"), { width: 48, height: 40, channels: 3, data: noise(48 * 40 * 3) });
  await run(npx, ["pixelgrad", ...training], project);
  const measuring = "evaluate --hr pictures-to-measure --json run.json --method run/best.safetensors".split(
    " ",
  );
  await run(npx, ["pixelgrad", ...measuring], project);
  const { mean } = JSON.parse(readFileSync(join(project, "run.json"), "utf8"));
  const log = readFileSync(join(project, "run/log.jsonl"), "utf8").trim().split("\n");
  const figures = log.map((line) => JSON.parse(line).psnr).filter((psnr) => psnr !== undefined);
  check(Math.max(...figures) === mean.psnr, `trained to ${figures} dB, but evaluate says ${mean.psnr}`);
  return { says: `pixelgrad ${version}, ${args.join(" ")}, ${training.join(" ")}`, result: undefined };
}

/** README's example with a file of PyTorch, and a file of Keras before and after its package is installed. */
async function enlargeWithOthersModels() {
  const readme = readFileSync(join(project, "node_modules/pixelgrad/README.md"), "utf8");
  const [, example] =
    /^ +npx (pixelgrad upscale -m \S+\.pth -i photo\.jpg -o large\.png)$/m.exec(readme) ?? [];
  check(example !== undefined, "README has no example of a .pth any more");
  const golden = join(repository, "test/golden");
  cpSync(join(golden, "foreign-networks/4x-esrgan.pth"), join(project, example.split(" ")[3]));
  const bicubic = "upscale -i pictures-to-measure/a.png -o photo.jpg -s 2 -m bicubic".split(" ");
  await run(npx, ["pixelgrad", ...bicubic], project);
  await run(npx, example.split(" "), project);
  const { width, height } = await readImage(join(project, "large.png"));
  check(width === 4 * 96 && height === 4 * 80, `${example} made a picture of ${width}x${height}`);

  cpSync(join(golden, "keras/srcnn-valid-x3.h5"), join(project, "srcnn-x3.h5"));
  check(!existsSync(join(project, "node_modules/h5wasm")), "h5wasm is installed with the package");
  const info = () => run(npx, ["pixelgrad", "info", "srcnn-x3.h5"], project);
  const without = await info().catch(String);
  const [command] = /npm install h5wasm/.exec(without) ?? [];
  check(command !== undefined, `without h5wasm, a file of Keras says ${without}`);
  await run(npm, ["install", "--no-fund", "--no-audit", `h5wasm@${devDependencies.h5wasm}`], project);
  const described = await info();
  check(/SRCNN x3, windows 9-3-5/.test(described), `with h5wasm, a file of Keras says ${described}`);
  return { says: `npx ${example}; ${command}`, result: undefined };
}

/**
 * As esbuild bundles for Node if nobody says otherwise: in CommonJS. Such a file does not know its own address, so it
 * does what needs no other file, and says what to do about the rest.
 */
async function bundleForNode() {
  const program = `const { upscale } = require("pixelgrad");
    const data = new Uint8Array(4 * 4 * 3);
    const picture = { width: 4, height: 4, channels: 3, data };
    upscale(picture, { scale: 2, method: process.argv[2] }).then(({ image }) => console.log(image.width));`;
  writeFileSync(join(project, "bundled.cjs"), program);
  const left = ["webgpu", "sharp", "h5wasm"].map((name) => `--external:${name}`);
  const flags = ["--bundle", "--platform=node", ...left, "--outfile=out/bundled.cjs"];
  await run(npx, ["esbuild", "bundled.cjs", ...flags], project);
  const width = (await run(process.execPath, ["out/bundled.cjs", "bicubic"], project)).trim();
  check(width === "8", `the bundle said ${width}`);
  const says = await run(process.execPath, ["out/bundled.cjs", "wren"], project).catch(String);
  check(says.includes("--external:pixelgrad"), `without weights, the bundle said ${says}`);
  return { says: `esbuild ${manifestOf("esbuild", project).version}`, result: undefined };
}

/** Bytes without a pattern, the same at every call. */
function noise(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (Math.imul(i + 1, 0x9e3779b1) >>> 24) ^ (i & 0xff));
}

async function bundle() {
  const complaints: string[] = [];
  const logger = createLogger("warn");
  logger.warn = logger.warnOnce = logger.error = (message) => void complaints.push(message);
  const site = join(temporary, "site");
  const { output } = (await build({
    root: project,
    configFile: false,
    logLevel: "warn",
    customLogger: logger,
    build: { outDir: site, emptyOutDir: true, target: "es2022" },
  })) as Rolldown.RolldownOutput;
  check(complaints.length === 0, `Vite complains: ${complaints.join("\n")}`);

  const chunks = output.filter((part) => part.type === "chunk");
  for (const module of chunks.flatMap(({ moduleIds }) => moduleIds)) {
    const others = /node_modules\/(?!pixelgrad\/)|adapter-node|dist\/node\.js|^node:|browser-external/.test(
      module,
    );
    const data = /pixelgrad\/dist\/data\//.test(module);
    check(!others && !data, `the bundle holds ${module}, which browsers have no use for`);
  }
  const later = chunks.flatMap(({ dynamicImports }) => dynamicImports);
  check(later.length === 0, `the bundle imports ${later} later, which Vite before 8 refuses in workers`);
  const code = chunks.map((chunk) => chunk.code).join("\n");
  const nodeOnly = /["'`](node:|sharp["'`]|pngjs["'`]|webgpu["'`])|\brequire\(|browser-external/.exec(code);
  check(
    !nodeOnly,
    `the bundle mentions ${nodeOnly?.[0]}: …${code.slice(nodeOnly?.index, (nodeOnly?.index ?? 0) + 80)}…`,
  );
  const sizes = `${kilobytes(code.length)}, ${kilobytes(gzipSync(code, { level: 9 }).length)} with gzip`;
  return { says: `Vite ${manifestOf("vite", repository).version}: ${sizes}`, result: site };
}

/** The library for a script tag: as large as docs/browsers.md says, and of nothing but itself. */
async function sizeOfSingleFile() {
  const path = join(project, "node_modules/pixelgrad/dist/browser/pixelgrad.js");
  const code = readFileSync(path);
  const zipped = gzipSync(code, { level: 9 }).length;
  check(zipped < 154_000, `dist/browser/pixelgrad.js has grown to ${kilobytes(zipped)} with gzip`);
  const imported = /^import |\bimport\(|\brequire\(/m.exec(String(code));
  check(!imported, `dist/browser/pixelgrad.js needs another file: ${imported?.[0]}`);
  // String(model) and errors tell them.
  const classes = Object.entries(await import(pathToFileURL(path).href)).filter(([, value]) =>
    String(value).startsWith("class"),
  );
  const renamed = classes.filter(([name, value]) => (value as { name: string }).name !== name);
  check(
    classes.length > 20 && renamed.length === 0,
    `in dist/browser/pixelgrad.js, classes have other names: ${renamed.map(([name]) => name)}`,
  );
  return { says: `${kilobytes(code.length)}, ${kilobytes(zipped)} with gzip`, result: undefined };
}

/** The same kernels on the same renderer, so the losses must agree up to rounding. */
async function runInBrowser(site: string, swiftshader: Answer | undefined) {
  const skipped = (why: string) => ({ says: `skipped: ${why}`, result: undefined });
  if (!swiftshader) return skipped("there is no result of SwiftShader in Node to compare with");
  const chromium = await findChromium();
  if ("missing" in chromium) return skipped(chromium.missing);
  const answer = await visit(chromium.path, site);
  checkMeasured(answer);
  const differences = answer.losses.map((loss, i) => Math.abs(loss / swiftshader.losses[i] - 1));
  const worst = Math.max(...differences);
  const samples = Math.abs(answer.mean - swiftshader.mean);
  check(
    worst <= 1e-5 && samples < 0.01 && answer.method === swiftshader.method,
    `${describe(answer)}, but in Node ${describe(swiftshader)}`,
  );
  return { says: `${describe(answer)}, ${worst.toExponential(1)} from Node's`, result: undefined };
}

/** Serves the site, opens it in a headless browser and waits for what its page sends back. */
async function visit(browserPath: string, site: string): Promise<Answer> {
  const types: Record<string, string> = { ".html": "text/html", ".js": "text/javascript" };
  let answered = (_: string) => {};
  const answer = new Promise<string>((resolve) => {
    answered = resolve;
  });
  const server = createServer(async (request, response) => {
    if (request.method === "POST") {
      let text = "";
      for await (const part of request) text += part;
      response.end();
      answered(text);
      return;
    }
    const file = join(site, request.url === "/" ? "index.html" : request.url!);
    if (!existsSync(file)) return response.writeHead(404).end();
    response.setHeader("content-type", types[extname(file)] ?? "application/octet-stream");
    response.end(readFileSync(file));
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));

  const { port } = server.address() as AddressInfo;
  const flags = ["--headless", ...chromiumFlags, "--no-first-run", "--disable-dev-shm-usage"];
  const profile = `--user-data-dir=${join(temporary, "profile")}`;
  const browser = spawn(browserPath, [...flags, profile, `http://127.0.0.1:${port}/`], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => browser.once("exit", () => resolve()));
  try {
    const text = await Promise.race([
      answer,
      ended.then(() => Promise.reject(new Error("the browser ended before the page had answered"))),
      new Promise<never>((_, reject) =>
        setTimeout(() => reject(new Error("the page did not answer in 120 s")), 120_000).unref(),
      ),
    ]);
    const parsed: Answer & { error?: string } = JSON.parse(text);
    if (parsed.error) throw new Error(`in the page: ${parsed.error}`);
    return parsed;
  } finally {
    browser.kill();
    await ended;
    server.closeAllConnections();
    server.close();
  }
}

// ---- Helpers

function describe({ losses: [before, after], method, mean, device }: Answer): string {
  return `loss ${before.toFixed(6)} -> ${after.toFixed(6)}, ${method} gave ${mean.toFixed(3)}, on ${device}`;
}
