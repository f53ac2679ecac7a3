/**
 * WebGPU in Node: Dawn through the npm package `webgpu`, and where the system has no Vulkan driver, the
 * software renderer SwiftShader from the npm package `@sparticuz/chromium`, if that is installed.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { constants, tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { type AdapterChoice, fits, type Host, requestFrom } from "./adapter.ts";
import type { TuningFile } from "./tuning.ts";

/**
 * Every instance Dawn has given us. They must stay referenced as long as a device of theirs is in use: if one
 * is garbage collected, the process crashes.
 */
const instances: GPU[] = [];

async function createInstance(flags: string[] = []): Promise<GPU> {
  const dawn = await import("webgpu").catch((cause) => {
    throw new Error(
      `The npm package "webgpu" (WebGPU for Node) could not be loaded: ${(cause as Error).message}. ` +
        `Install it with "npm install webgpu"; on Linux it needs glibc 2.34 or newer (not Alpine).`,
      { cause },
    );
  });
  const gpu = dawn.create(flags);
  instances.push(gpu);
  return gpu;
}

/** What Dawn listed when it last found no adapter of a wanted name. */
let present: string[] = [];

/** An adapter by a part of its device name. Dawn rejects when there is none. */
async function requestNamed(part: string, choice: AdapterChoice | undefined): Promise<GPUAdapter | null> {
  const gpu = await createInstance([`adapter=${part}`]);
  return requestFrom(gpu, choice).catch((error: Error) => {
    present = [...error.message.matchAll(/name: '([^']*)'/g)].map(([, name]) => name);
    return null;
  });
}

async function requestAdapter(choice: AdapterChoice | undefined): Promise<GPUAdapter | undefined> {
  // Without the system's Vulkan loader, Dawn would only warn about its absence. SwiftShader brings one along,
  // which finds the drivers of a real GPU, too, if there are any.
  if (process.platform === "linux" && !keepLoaded("libvulkan.so.1")) installSwiftShader();
  // Dawn prefers GPUs to software, and SwiftShader to lavapipe, which is much faster.
  if (choice !== "swiftshader") {
    const best = await requestFrom(await createInstance(), choice);
    if (best && !best.info.isFallbackAdapter) return best;
    const lavapipe = choice === "gpu" ? null : await requestNamed("llvmpipe", choice);
    if (lavapipe ?? best) return lavapipe ?? best!;
  }
  if (choice === "gpu" || choice === "lavapipe") return undefined;
  const swiftshader = await requestSwiftShader();
  if (swiftshader && fits(swiftshader.info, choice)) return swiftshader;
  // Neither the default nor a known name: perhaps another device's own name.
  return choice === undefined || choice === "swiftshader"
    ? undefined
    : ((await requestNamed(choice, choice)) ?? undefined);
}

/** The devices' own names of all adapters that Dawn and Vulkan offer. */
export async function adaptersPresent(): Promise<string[]> {
  await requestAdapter(undefined); // makes all of them visible
  installSwiftShader();
  await requestNamed("no adapter is called so", undefined);
  return present;
}

async function requestSwiftShader(): Promise<GPUAdapter | null> {
  const visible = await requestNamed("SwiftShader", "swiftshader");
  if (visible) return visible;
  return installSwiftShader() ? requestNamed("SwiftShader", "swiftshader") : null;
}

// ---- SwiftShader from npm

const SWIFTSHADER_FILES = ["libvk_swiftshader.so", "libvulkan.so.1", "vk_swiftshader_icd.json"];

/**
 * Makes SwiftShader visible to Dawn in this process: unpacks it once per machine, adds its manifest to the
 * Vulkan loader's list, and loads the loader that comes with it if the system has none. Returns false where
 * that cannot work: another platform, or the npm package is missing.
 */
function installSwiftShader(): boolean {
  if (process.platform !== "linux" || process.arch !== "x64") return false;
  const archive = findSwiftShaderArchive();
  if (!archive) return false;
  const folder = join(cacheFolder(), "pixelgrad-swiftshader-143");
  if (!SWIFTSHADER_FILES.every((file) => existsSync(join(folder, file)))) unpackTar(archive, folder);
  // Read by the Vulkan loader when the next instance is created. It adds to the drivers of the system, but is
  // ignored where the user has fixed the list with VK_ICD_FILENAMES or VK_DRIVER_FILES; those then say
  // which drivers may be used, and we add ours to them.
  const manifest = join(folder, "vk_swiftshader_icd.json");
  for (const name of ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"]) {
    if (process.env[name] !== undefined) process.env[name] = `${process.env[name]}:${manifest}`;
  }
  process.env.VK_ADD_DRIVER_FILES = manifest;
  return keepLoaded("libvulkan.so.1") || keepLoaded(join(folder, "libvulkan.so.1"));
}

function findSwiftShaderArchive(): string | undefined {
  // Beside this package, or in the project that uses it.
  for (const from of [import.meta.url, join(process.cwd(), "package.json")]) {
    try {
      const entry = createRequire(from).resolve("@sparticuz/chromium");
      const archive = join(dirname(entry), "..", "..", "bin", "swiftshader.tar.br");
      if (existsSync(archive)) return archive;
    } catch {
      // Not installed there.
    }
  }
  return undefined;
}

function cacheFolder(): string {
  const home =
    process.env.XDG_CACHE_HOME ?? (process.env.HOME ? join(process.env.HOME, ".cache") : undefined);
  if (home) {
    try {
      mkdirSync(home, { recursive: true });
      return home;
    } catch {
      // A home that cannot be written, as in some containers.
    }
  }
  // Named after the user: a folder that another user made may hold another user's libraries.
  const folder = join(tmpdir(), `pixelgrad-${userInfo().uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** A tar file is a row of 512-byte headers (name at 0, octal size at 124), each followed by its file. */
function unpackTar(archive: string, folder: string): void {
  const tar = brotliDecompressSync(readFileSync(archive));
  mkdirSync(folder, { recursive: true });
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const name = tar
      .toString("latin1", at, at + 100)
      .replace(/\0.*$/s, "")
      .replace(/^\.\//, "");
    const size = Number.parseInt(tar.toString("latin1", at + 124, at + 136), 8) || 0;
    if (SWIFTSHADER_FILES.includes(name)) {
      // Renamed when complete, so that processes that start together can do this side by side.
      const part = join(folder, `.${name}.${process.pid}`);
      writeFileSync(part, tar.subarray(at + 512, at + 512 + size), { mode: 0o755 });
      renameSync(part, join(folder, name));
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

const RTLD_NODELETE = 0x1000;

/**
 * Loads a shared library for good, so that Dawn's own search for it by name finds it. Node takes it for one
 * of its add-ons and complains that it "did not self-register"; by then it is loaded.
 */
function keepLoaded(file: string): boolean {
  try {
    process.dlopen({ exports: {} }, file, constants.dlopen.RTLD_NOW | RTLD_NODELETE);
    return true;
  } catch (error) {
    return /did not self-register/.test((error as Error).message);
  }
}

// ---- Waiting and reporting

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/**
 * While a Dawn promise is pending, Node's main thread polls without pause and takes a whole core from
 * software adapters. Sleeping between polls, at first briefly, gives it back.
 */
async function idleWait<T>(promise: Promise<T>): Promise<T> {
  let done = false;
  let milliseconds = 0.05;
  const tick = () => {
    if (done) return;
    Atomics.wait(sleeper, 0, 0, milliseconds);
    milliseconds = Math.min(0.25, milliseconds * 1.5);
    setImmediate(tick);
  };
  setImmediate(tick);
  try {
    return await promise;
  } finally {
    done = true;
  }
}

/** Where a tuner saves what it found for the adapter of this name. */
export function tuningPath(adapterName: string): string {
  return join(
    cacheFolder(),
    `pixelgrad-tuning-${adapterName.toLowerCase().replace(/[^a-z0-9]+/g, "-")}.json`,
  );
}

function savedTuning(adapterName: string): TuningFile | undefined {
  try {
    const file = JSON.parse(readFileSync(tuningPath(adapterName), "utf8")) as TuningFile;
    return file.adapter === adapterName ? file : undefined;
  } catch {
    return undefined; // none saved, or not readable: the rules serve
  }
}

const watched: (() => Error | undefined)[] = [];

/** A program whose GPU work failed and that never looked at a result must not end with exit code 0. */
function watchFailures(unseen: () => Error | undefined): void {
  if (watched.length === 0) {
    process.on("exit", () => {
      const error = watched.map((watch) => watch()).find(Boolean);
      if (!error) return;
      console.error(error);
      process.exitCode ||= 1;
    });
  }
  watched.push(unseen);
}

function adviceWithoutAdapter(choice: AdapterChoice | undefined): string {
  const isName = choice !== undefined && !["gpu", "lavapipe", "swiftshader"].includes(choice);
  if (isName && present.length > 0) {
    return `Present are: ${present.join("; ")}. Give a part of one of these names, or "gpu", "lavapipe" or "swiftshader".`;
  }
  if (process.platform === "darwin" || process.platform === "win32") {
    return "On this system WebGPU comes with the graphics driver: update the operating system and the driver, then try again.";
  }
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  const id = /^ID=(.*)$/m.exec(release)?.[1].replaceAll('"', "") ?? "";
  const version = /^VERSION_ID=(.*)$/m.exec(release)?.[1].replaceAll('"', "") ?? "";
  const install =
    id === "debian" && version === "12"
      ? `enable the suite "bookworm-backports" in apt's sources, then "apt-get update && apt-get install libvulkan1 && ` +
        `apt-get install -t bookworm-backports mesa-vulkan-drivers" (lavapipe, in software)`
      : id === "fedora"
        ? `"dnf install vulkan-loader mesa-vulkan-drivers" (lavapipe, in software)`
        : `"apt-get install libvulkan1 mesa-vulkan-drivers" or your system's like (lavapipe, in software)`;
  const npm =
    process.arch === "x64"
      ? ` Or, with nothing installed from the system: "npm install -D @sparticuz/chromium@143.0.4" (SwiftShader, slower).`
      : "";
  return `Dawn found no fitting Vulkan driver. With a GPU, install its Vulkan driver; without one, ${install}.${npm}`;
}

export const nodeHost: Host = {
  requestAdapter,
  adviceWithoutAdapter,
  savedTuning,
  wait: idleWait,
  watchFailures,
};
