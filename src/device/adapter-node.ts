/**
 * WebGPU in Node: Dawn from the npm package `webgpu`. Where the system has no Vulkan driver, Dawn gets the
 * software renderer SwiftShader from the npm package `@sparticuz/chromium`, if that is installed.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { constants, homedir, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { packageError } from "../options/incomplete.ts";
import { type Host, requestFrom } from "./adapter.ts";
import type { AdapterChoice } from "./adapter-choice.ts";
import { type DawnSwitch, dawnFlags } from "./dawn.ts";
import type { TuningFile } from "./tuning.ts";

/**
 * Dawn's instances. Each has threads and files, which it keeps, so there is one for each way to look. Switches
 * belong to an instance, so devices with different ones can be open side by side.
 */
const instances = new Map<string, Promise<GPU>>();

function instance(flags: string[] = []): Promise<GPU> {
  // The Vulkan loader reads these when an instance looks for adapters, and later changes pass it by.
  const { VK_DRIVER_FILES, VK_ICD_FILENAMES, VK_ADD_DRIVER_FILES } = process.env;
  const key = JSON.stringify([flags, VK_DRIVER_FILES, VK_ICD_FILENAMES, VK_ADD_DRIVER_FILES]);
  const existing = instances.get(key);
  if (existing) return existing;
  const created = createInstance(flags);
  instances.set(key, created);
  created.catch(() => instances.delete(key));
  return created;
}

async function createInstance(flags: string[]): Promise<GPU> {
  const dawn = await import("webgpu").catch((cause: NodeJS.ErrnoException) => {
    const install =
      'Install it with "npm install webgpu"; on Linux it needs glibc 2.34 or newer (not Alpine)';
    throw Object.assign(packageError("webgpu", "WebGPU for Node", cause, install), { code: "NO_ADAPTER" });
  });
  return dawn.create(flags);
}

/** The names of all adapters, as Dawn listed them when it last had none of a requested name. */
let present: string[] = [];

/** The adapter whose device name contains `part`, if it fits the choice. */
async function requestNamed(
  part: string,
  choice?: AdapterChoice,
  flags: readonly string[] = [],
): Promise<GPUAdapter | undefined> {
  const gpu = await instance([`adapter=${part}`, ...flags]);
  // Dawn rejects where there is none, and lists the others.
  return requestFrom(gpu, choice).catch((error: Error) => {
    present = [...error.message.matchAll(/name: '([^']*)'/g)].map(([, name]) => name);
    return undefined;
  });
}

async function requestAdapter(
  choice?: AdapterChoice,
  switches: readonly DawnSwitch[] = [],
): Promise<GPUAdapter | undefined> {
  const flags = dawnFlags(switches);
  // Without the system's Vulkan loader, Dawn would only warn that there is none. The loader beside
  // SwiftShader also finds the driver of a real GPU, if there is one.
  if (process.platform === "linux" && !keepLoaded("libvulkan.so.1")) installSwiftShader();
  // Dawn prefers GPUs to software, and SwiftShader to lavapipe, which is much faster.
  if (choice !== "swiftshader") {
    const best = await requestFrom(await instance(flags), choice);
    if (best && !best.info.isFallbackAdapter) return best;
    const lavapipe = choice === "gpu" ? undefined : await requestNamed("llvmpipe", choice, flags);
    if (lavapipe ?? best) return lavapipe ?? best;
  }
  if (choice === "gpu" || choice === "lavapipe") return undefined;
  let swiftshader = await requestNamed("SwiftShader", choice, flags);
  if (!swiftshader && installSwiftShader()) {
    swiftshader = await requestNamed("SwiftShader", choice, flags);
  }
  if (swiftshader || choice === undefined || choice === "swiftshader") return swiftshader;
  return requestNamed(choice, choice, flags);
}

/** The devices' own names of all adapters that Dawn and Vulkan offer. */
export async function adaptersPresent(): Promise<string[]> {
  installSwiftShader();
  await requestNamed("no adapter has this name");
  return present;
}

// ---- SwiftShader from npm

const SWIFTSHADER_FILES = ["libvk_swiftshader.so", "libvulkan.so.1", "vk_swiftshader_icd.json"];

/**
 * Makes SwiftShader visible to Dawn in this process: unpacks it once per machine, adds its manifest to the
 * Vulkan loader's list, and loads the loader beside it if the system has none. Returns false where that
 * cannot work: on another platform, or without the npm package.
 */
function installSwiftShader(): boolean {
  if (process.platform !== "linux" || process.arch !== "x64") return false;
  const archive = findSwiftShaderArchive();
  if (!archive) return false;
  const folder = libraryFolder(archive);
  // The Vulkan loader reads the environment when the next instance is created. VK_ADD_DRIVER_FILES adds to
  // the system's drivers, but is ignored where the user has fixed the list; then the manifest goes into that
  // list.
  const manifest = join(folder, "vk_swiftshader_icd.json");
  for (const name of ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"]) {
    if (process.env[name] !== undefined) process.env[name] = `${process.env[name]}:${manifest}`;
  }
  process.env.VK_ADD_DRIVER_FILES = manifest;
  return keepLoaded("libvulkan.so.1") || keepLoaded(join(folder, "libvulkan.so.1"));
}

/** SHA-256 of the archive in version 143.0.4. */
const ARCHIVE_HASH = "1b4c63ac0f24bfedd469675c33b09c84f7d6d26acb30bed2ab8e875e084cf3a2";

/**
 * The archive as a dependency of this package or of the program that uses it; else of the project in the
 * current folder. That one may be anybody's, such as a data set's, so there only the known archive will do.
 */
function findSwiftShaderArchive(): string | undefined {
  const installed = archiveSeenFrom(import.meta.url);
  if (installed) return installed;
  const here = archiveSeenFrom(join(process.cwd(), "package.json"));
  if (!here) return undefined;
  const hash = createHash("sha256").update(readFileSync(here)).digest("hex");
  return hash === ARCHIVE_HASH ? here : undefined;
}

function archiveSeenFrom(file: string): string | undefined {
  try {
    const entry = createRequire(file).resolve("@sparticuz/chromium");
    const archive = join(dirname(entry), "..", "..", "bin", "swiftshader.tar.br");
    return existsSync(archive) ? archive : undefined;
  } catch {
    return undefined; // not installed there
  }
}

/**
 * The folder with SwiftShader's files, unpacked. Whoever can write into a folder from which a process loads
 * libraries can run programs as its user. So it is used only if that is nobody else; otherwise the files are
 * unpacked into a new folder, which this process removes when it ends.
 */
function libraryFolder(archive: string): string {
  try {
    const folder = join(cacheFolder(), "pixelgrad-swiftshader-143");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (SWIFTSHADER_FILES.every((file) => existsSync(join(folder, file)))) {
      if (SWIFTSHADER_FILES.every((file) => isOnlyOurs(join(folder, file)))) return folder;
    } else if (isOnlyOurs(folder)) {
      unpackTar(archive, folder);
      return folder;
    }
  } catch {
    // It cannot be written, or somebody else has made it.
  }
  ownFolder ??= temporaryFolder(archive);
  return ownFolder;
}

let ownFolder: string | undefined;

/** A new folder in the system's temporary one. mkdtemp chooses a name that nobody can have foreseen. */
function temporaryFolder(archive: string): string {
  const folder = mkdtempSync(join(tmpdir(), "pixelgrad-swiftshader-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  unpackTar(archive, folder);
  return folder;
}

/**
 * Can only this user, or the system's administrator, change a file, or put another one in its place? The file
 * and the folders above it must belong to one of them, and no others may write there, except into a folder
 * such as /tmp, whose "sticky" bit lets everybody remove only what is theirs.
 */
export function isOnlyOurs(path: string): boolean {
  const user = process.getuid?.();
  if (user === undefined) return true; // Windows, where nothing is unpacked
  const isSafe = (part: string, above: number): boolean => {
    const status = lstatSync(part);
    const { mode, uid, gid } = status;
    // On many systems every user has a group alone, of the same number.
    const writers = gid === user && gid === process.getgid?.() ? 0o002 : 0o022;
    const othersWrite = (mode & writers) !== 0 && !status.isSymbolicLink(); // a link has all bits
    const isSticky = (mode & 0o1000) !== 0 && above > 0;
    return (uid === user || uid === 0) && (!othersWrite || isSticky);
  };
  // Both the links on the way and what they lead to.
  return [resolve(path), realpathSync(path)].every((whole) => ancestors(whole).every(isSafe));
}

/** A path and all folders above it. */
function ancestors(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [path, ...ancestors(parent)];
}

/** The folder for what can be made again: libraries, and a tuner's measurements. */
function cacheFolder(): string {
  try {
    const folder = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
    mkdirSync(folder, { recursive: true });
    return folder;
  } catch {
    // There is no home, or it is read-only, as in some containers. Somebody else may have made this folder;
    // isOnlyOurs() is asked before anything in it is used.
    const folder = join(tmpdir(), `pixelgrad-${process.getuid?.() ?? "cache"}`);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
  }
}

/** A tar file is a row of 512-byte headers (name at 0, octal size at 124), each followed by its file. */
function unpackTar(archive: string, folder: string): void {
  const tar = brotliDecompressSync(readFileSync(archive));
  mkdirSync(folder, { recursive: true });
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const [name] = tar
      .toString("latin1", at, at + 100)
      .replace(/^\.\//, "")
      .split("\0");
    const size = Number.parseInt(tar.toString("latin1", at + 124, at + 136), 8) || 0;
    if (SWIFTSHADER_FILES.includes(name)) {
      // It gets its name when it is complete, so that processes may do this at the same time.
      const part = join(folder, `.${name}.${process.pid}`);
      writeFileSync(part, tar.subarray(at + 512, at + 512 + size), { mode: 0o755 });
      renameSync(part, join(folder, name));
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

const RTLD_NODELETE = 0x1000;

/**
 * Loads a shared library for good, so that Dawn finds it by its name. Node takes it for an add-on and
 * complains that it "did not self-register"; by then it is loaded.
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
 * While a promise of Dawn's is pending, Node's main thread polls without pause. That takes a whole core, of which
 * software adapters have better uses, and hears of the end at once. So it sleeps between polls, for a tenth of the
 * time that it has waited: what takes long is heard of later, but not much in proportion. What is done soon costs
 * no sleep, since even the shortest would take longer. A GPU does not miss the core, but others may.
 */
async function idleWait<T>(promise: Promise<T>, separateProcessor: boolean): Promise<T> {
  const wait = { start: performance.now(), withoutSleep: separateProcessor ? 2 : 0.05 };
  waits.add(wait);
  if (!ticks) setImmediate(tick);
  ticks = true;
  try {
    return await promise;
  } finally {
    waits.delete(wait);
    lastEnd = performance.now();
  }
}

/** Waits that are not over, in the order in which they began. Together they sleep once between two polls. */
const waits = new Set<{ readonly start: number; readonly withoutSleep: number }>();
/** When a wait was last over: the next has waited for its own work only since then. */
let lastEnd = 0;
/** Is there a next `tick`? */
let ticks = false;

function tick(): void {
  const [oldest] = waits;
  ticks = oldest !== undefined;
  if (!oldest) return;
  const waited = performance.now() - Math.max(oldest.start, lastEnd);
  if (waited > oldest.withoutSleep) Atomics.wait(sleeper, 0, 0, Math.min(0.25, waited / 10));
  setImmediate(tick);
}

/** The file in which a tuner saves its measurements for the adapter of this name. */
export function tuningPath(adapterName: string): string {
  const slug = adapterName.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  return join(cacheFolder(), `pixelgrad-tuning-${slug}.json`);
}

function savedTuning(adapterName: string): TuningFile | undefined {
  try {
    const path = tuningPath(adapterName);
    if (!isOnlyOurs(path)) return undefined;
    const file = JSON.parse(readFileSync(path, "utf8")) as TuningFile;
    return file.adapter === adapterName ? file : undefined;
  } catch {
    return undefined; // nothing saved, or nothing readable: kernels are chosen by rule
  }
}

const watched = new Set<() => Error | undefined>();
let watching = false;

/** A program whose GPU work failed must not end with exit code 0, even if it never read a result. */
function watchFailures(unseen: () => Error | undefined): () => void {
  if (!watching) process.on("exit", reportUnseen);
  watching = true;
  watched.add(unseen);
  return () => watched.delete(unseen);
}

/** A function of its own, since as a closure it would keep the first device for ever. */
function reportUnseen(): void {
  const error = [...watched].map((watch) => watch()).find(Boolean);
  if (!error) return;
  console.error(error);
  process.exitCode ||= 1;
}

function adviceWithoutAdapter(choice?: AdapterChoice): string {
  return `${adviceOnDrivers(choice)} To run without WebGPU, slowly, use adapter "cpu" (PIXELGRAD_ADAPTER=cpu).`;
}

function adviceOnDrivers(choice?: AdapterChoice): string {
  const isName = choice !== undefined && !["gpu", "lavapipe", "swiftshader"].includes(choice);
  if (isName && present.length > 0) {
    return (
      `These are present: ${present.join("; ")}. Give a part of one of these names, or "gpu", "lavapipe" ` +
      `or "swiftshader".`
    );
  }
  if (process.platform === "darwin" || process.platform === "win32") {
    return (
      "On this system WebGPU is part of the graphics driver: update the operating system and the driver, " +
      "then try again."
    );
  }
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  const [id, version] = ["ID", "VERSION_ID"].map(
    (field) => new RegExp(`^${field}="?([^"\n]*)`, "m").exec(release)?.[1],
  );
  const install =
    id === "debian" && version === "12"
      ? `enable the suite "bookworm-backports" in apt's sources, then "apt-get update && ` +
        `apt-get install libvulkan1 && apt-get install -t bookworm-backports mesa-vulkan-drivers"`
      : id === "fedora"
        ? `"dnf install vulkan-loader mesa-vulkan-drivers"`
        : `"apt-get install libvulkan1 mesa-vulkan-drivers", or what your system has instead`;
  const npm =
    process.arch === "x64"
      ? ` Or, without installing anything in the system: "npm install -D @sparticuz/chromium@143.0.4" ` +
        `(SwiftShader, slower).`
      : "";
  return (
    "Dawn found no fitting Vulkan driver. With a GPU, install its Vulkan driver; " +
    `without one, ${install} (lavapipe, in software).${npm}`
  );
}

export const nodeHost: Host = {
  requestAdapter,
  adviceWithoutAdapter,
  savedTuning,
  wait: idleWait,
  watchFailures,
};
