import { defineConfig } from "vitest/config";

export default defineConfig({
  // Node 20 does not know `using`; this target has it written out.
  oxc: { target: "es2022" },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/browser/**", "test/page/**"], // vitest.browser.config.ts runs those
    setupFiles: "test/support/node-host.ts",
    // Ending a worker thread while Dawn has a promise pending aborts the whole process; forks are safe.
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
