/**
 * Tests that need a browser. `npm run test:browser` runs two kinds: tests that run in a browser themselves (the
 * kernels once more, and the parts of the page), and tests that build the page, serve it and use it as people do
 * (test/page), which can reload it, close it and take the network away.
 */
import { playwright } from "@vitest/browser-playwright";
import { defineConfig, defineProject, type TestProjectInlineConfiguration } from "vitest/config";
import { chromiumFlags, findChromium } from "./test/browser/chromium.ts";

const found = await findChromium();
if ("missing" in found) console.warn(`The browser tests are skipped: ${found.missing}.`);

/**
 * A browser runs every kernel, but of each kernel's shapes only few: it compiles with the same Dawn as Node, and most
 * often for the same renderer, on which `npm run test:all` takes them all.
 */
const tier = process.env.PIXELGRAD_TEST_TIER ?? "browser";

/** A project of tests that run in a browser. */
const inBrowser = (options: TestProjectInlineConfiguration["test"]) =>
  defineProject({
    oxc: { target: "es2022" },
    define: { "process.env": JSON.stringify({ PIXELGRAD_TEST_TIER: tier }) }, // where test/support looks for settings
    // Found only when the page loads them, and then Vite would reload the test.
    optimizeDeps: { include: ["buffer", "fflate", "mediabunny"] },
    test: {
      setupFiles: "test/support/typed-arrays.ts",
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
      ...options,
    },
  });

const kernels = inBrowser({
  name: "kernels in a browser",
  include: "path" in found ? ["test/kernels/*.test.ts"] : [],
  // These compare with files, with Node's own compiler, or by the checks of a program for Node.
  exclude: ["imresize-matlab", "wgsl", "bounds"].map((name) => `test/kernels/${name}.test.ts`),
  // One window for all, which loads their modules once.
  isolate: false,
  sequence: { groupOrder: 1 },
});

const parts = inBrowser({
  name: "in a browser",
  include: "path" in found ? ["test/browser/*.test.ts"] : [],
  globalSetup: "path" in found ? "test/browser/node-result.ts" : [],
});

/** A project of tests that use the built page. */
const ofBuiltPage = (options: TestProjectInlineConfiguration["test"]) =>
  defineProject({
    test: {
      globalSetup: "path" in found ? "test/page/build.ts" : [],
      setupFiles: "test/support/typed-arrays.ts",
      pool: "forks",
      testTimeout: 120_000,
      hookTimeout: 120_000,
      // Chromium itself now and then does not get a new page going where another one computes beside it.
      retry: { count: 1, condition: /The page does not start/ },
      ...options,
    },
  });

/** Those that take longest. */
const longOnPage = ["files", "lost-device", "lesson", "training", "details", "accessibility"].map(
  (name) => `test/page/${name}.test.ts`,
);

const longPage = ofBuiltPage({ name: "built page, long", include: "path" in found ? longOnPage : [] });

const page = ofBuiltPage({
  name: "built page",
  include: "path" in found ? ["test/page/*.test.ts"] : [],
  exclude: longOnPage,
  sequence: { groupOrder: 1 },
});

// Two projects at a time, of about the same length: a third Chromium would disturb tests that watch the time.
export default defineConfig({
  test: { projects: [parts, longPage, page, kernels], passWithNoTests: "missing" in found },
});
