import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  // Node 20 does not know `using`; this target has it written out.
  oxc: { target: "es2022" },
  // The course's programs import the package by its name, as in a project of one's own (tsconfig.json has the same).
  resolve: {
    alias: Object.entries({
      pixelgrad: "node.ts",
      "pixelgrad/kernel": "kernel.ts",
      "pixelgrad/picture": "picture/index.ts",
      "pixelgrad/data": "data/index.ts",
    }).map(([name, file]) => ({
      find: new RegExp(`^${name}$`),
      replacement: fileURLToPath(new URL(`src/${file}`, import.meta.url)),
    })),
  },
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
