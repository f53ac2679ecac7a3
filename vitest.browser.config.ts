/** Tests that run in a browser: the kernels once more, and the page of site. `npm run test:browser`. */
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { chromiumFlags, findChromium } from "./test/browser/chromium.ts";

const found = await findChromium();
if ("missing" in found) console.warn(`The browser tests are skipped: ${found.missing}.`);

export default defineConfig({
  oxc: { target: "es2022" },
  define: { "process.env": "{}" }, // where test/support looks for settings
  // Found only when the page loads them, and then Vite would reload the test.
  optimizeDeps: { include: ["buffer", "fflate"] },
  test: {
    include: "path" in found ? ["test/kernels/*.test.ts", "test/browser/*.test.ts"] : [],
    // These compare with files, with Node's own compiler, or by the checks of a program for Node.
    exclude: ["imresize-matlab", "wgsl", "bounds"].map((name) => `test/kernels/${name}.test.ts`),
    passWithNoTests: "missing" in found,
    globalSetup: "path" in found ? "test/browser/node-result.ts" : [],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    browser: {
      enabled: "path" in found,
      headless: true,
      screenshotFailures: false,
      api: { host: "127.0.0.1" },
      provider: playwright({
        launchOptions: "path" in found ? { executablePath: found.path, args: [...chromiumFlags] } : {},
      }),
      instances: [{ browser: "chromium" }],
    },
  },
});
