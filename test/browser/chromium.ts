/** Which browser the tests use. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import chromium from "@sparticuz/chromium";

const system = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/**
 * Flags for WebGPU without a GPU, and without a sandbox, because containers often forbid it; the browser
 * opens only our own pages.
 */
export const chromiumFlags: readonly string[] = ["--no-sandbox", "--enable-unsafe-webgpu"];

/**
 * Path of a Chromium or Chrome that starts: the one that CHROMIUM_PATH names, one of the system's, or on
 * Linux the one from npm, which this unpacks. If there is none, `missing` says why.
 */
export async function findChromium(): Promise<{ path: string } | { missing: string }> {
  const wanted = process.env.CHROMIUM_PATH;
  if (wanted) {
    return existsSync(wanted)
      ? { path: wanted }
      : { missing: `CHROMIUM_PATH names ${wanted}, which does not exist` };
  }
  const path = system.find((path) => existsSync(path));
  if (path) return { path };
  const advice = "install Chromium or Chrome, or set CHROMIUM_PATH to one";
  if (process.platform !== "linux" || process.arch !== "x64") {
    return { missing: `there is none of ${system.join(", ")}; ${advice}` };
  }
  try {
    const unpacked = await chromium.executablePath();
    execFileSync(unpacked, ["--version"], { stdio: "pipe" });
    return { path: unpacked };
  } catch (error) {
    return {
      missing: `npm's @sparticuz/chromium does not start (${(error as Error).message.trim()}); ${advice}`,
    };
  }
}
