/** Devices in Node: what opening them costs, and where libraries come from. */
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { adaptersPresent, isOnlyOurs } from "../../src/device/adapter-node.ts";
import { openDevice } from "../../src/device/open.ts";
import { add } from "../../src/kernels/elementwise/index.ts";
import { tensor } from "../../src/tensor/create.ts";
import { scope } from "../../src/tensor/scope.ts";
import { gpuDevices } from "../support/devices.ts";
import { runCode } from "../support/run.ts";

const devices = await gpuDevices();
const folder = mkdtempSync(join(tmpdir(), "pixelgrad-adapter-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const isLinux = process.platform === "linux";

describe.skipIf(!isLinux).each(devices.map((device) => device.adapterClass))("%s", (adapter) => {
  test("opened and destroyed again and again: threads, files and memory stay flat", async () => {
    const use = async () => {
      using _ = scope();
      const device = await openDevice({ adapter });
      const x = tensor([1, 2], undefined, { device });
      expect([...(await add(x, x).data())]).toEqual([2, 4]);
      device.destroy();
    };
    const count = () => ({
      threads: readdirSync("/proc/self/task").length,
      files: readdirSync("/proc/self/fd").length,
    });
    for (let i = 0; i < 3; i++) await use();
    const [before, memory] = [count(), process.memoryUsage.rss()];
    for (let i = 0; i < 40; i++) await use();
    const after = count();
    // The driver ends a device's threads a little later.
    expect(after.threads).toBeLessThanOrEqual(before.threads + 5);
    expect(after.files).toBeLessThanOrEqual(before.files + 3);
    expect((process.memoryUsage.rss() - memory) / 2 ** 20).toBeLessThan(80);
  });
});

describe.skipIf(!isLinux)("a path that nobody else can change", () => {
  const at = (...parts: string[]) => join(folder, ...parts);
  const make = (name: string, mode: number) => {
    mkdirSync(at(name));
    writeFileSync(at(name, "library.so"), "");
    chmodSync(at(name, "library.so"), 0o755);
    chmodSync(at(name), mode);
    return at(name, "library.so");
  };

  test("one's own folder", () => {
    expect(isOnlyOurs(make("own", 0o700))).toBe(true);
    expect(isOnlyOurs(at("own"))).toBe(true);
    symlinkSync(at("own"), at("link"));
    expect(isOnlyOurs(at("link", "library.so"))).toBe(true);
  });

  test("a folder or a file that everybody can write", () => {
    expect(isOnlyOurs(make("open", 0o777))).toBe(false);
    expect(isOnlyOurs(at("open"))).toBe(false);
    const file = make("open-file", 0o700);
    chmodSync(file, 0o757);
    expect(isOnlyOurs(file)).toBe(false);
    mkdirSync(at("open", "inner"), { mode: 0o700 });
    expect(isOnlyOurs(at("open", "inner"))).toBe(false); // whose name can be given to another folder
    symlinkSync(at("open"), at("own", "link"));
    expect(isOnlyOurs(at("own", "link", "inner"))).toBe(false);
  });

  test("a folder as /tmp: only what is in it is safe", () => {
    const file = make("sticky", 0o1777);
    expect(isOnlyOurs(file)).toBe(true);
    expect(isOnlyOurs(at("sticky"))).toBe(false);
  });

  test.skipIf(process.getuid?.() !== 0)("somebody else's", () => {
    const file = make("theirs", 0o755);
    chownSync(file, 65534, 65534);
    expect(isOnlyOurs(file)).toBe(false);
    chownSync(file, 0, 0);
    chownSync(at("theirs"), 65534, 65534);
    expect(isOnlyOurs(file)).toBe(false);
    chownSync(at("theirs"), 0, 65534);
    chmodSync(at("theirs"), 0o775);
    expect(isOnlyOurs(file)).toBe(false);
  });
});

const swiftShader = (await adaptersPresent()).some((name) => name.includes("SwiftShader"));

test.skipIf(!isLinux || !swiftShader)(
  "libraries are not loaded from a folder that somebody else has made",
  async () => {
    // Without a home, the folder's name can be foreseen.
    const theirs = join(folder, `pixelgrad-${process.getuid!()}`, "pixelgrad-swiftshader-143");
    mkdirSync(theirs, { recursive: true });
    for (const file of ["libvk_swiftshader.so", "libvulkan.so.1", "vk_swiftshader_icd.json"]) {
      writeFileSync(join(theirs, file), "not a library");
    }
    chmodSync(theirs, 0o777);
    const code = `
    import { readFileSync } from "node:fs";
    import { init } from "./src/node.ts";
    const device = await init({ adapter: "swiftshader" });
    const libraries = readFileSync("/proc/self/maps", "utf8").match(/\\S*libvk_swiftshader.so/g);
    console.log(libraries[0]);
    device.destroy();`;
    const {
      code: exit,
      stdout,
      stderr,
    } = await runCode(code, {
      env: { HOME: "/dev/null", XDG_CACHE_HOME: "", TMPDIR: folder, VK_ADD_DRIVER_FILES: undefined },
    });
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
    expect(stdout).toMatch(/pixelgrad-swiftshader-\w{6}\/libvk_swiftshader.so/);
    // The process has removed its own copy.
    expect(readdirSync(folder).filter((name) => name.startsWith("pixelgrad-swiftshader"))).toEqual([]);
  },
);
