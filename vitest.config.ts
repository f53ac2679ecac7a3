import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Tests come in two tiers. `npm run test:all` is all of them, those of kernels on every adapter that is present
 * (support/devices.ts). `npm test` (mode "quick") takes minutes even on two cores and SwiftShader: it tests on one
 * adapter, takes fewer of a kernel's shapes (support/tier.ts), and leaves out these files.
 */
const slow = [
  // Each test starts a program, some of them several times, and waits until it has trained or has been killed.
  "test/cli/{as-typed,convert,evaluate,signals,train,upscale,upscale-files}.test.ts",
  "test/examples/{denoise,digits,fit-picture,resume-as-printed,train}.test.ts",
  "test/train/{device-loss,fine-tune,kill,one-process,pictures,resume,validation,verdict}.test.ts",
  // Every method enlarges a picture, and two runs train on pictures as large as DIV2K's.
  "test/bench/report-parts.test.ts",
  // Whole networks on many pictures; upscale.test.ts enlarges some.
  "test/upscale/{device-loss,half,interpolator,kept,network,padding,pretrained}.test.ts",
  // Networks of real size.
  "test/models/{published,rrdbnet}.test.ts",
  "test/golden/resnet.test.ts",
  // All programs of the course and the guides.
  "test/docs/{course,programs,worker-threads}.test.ts",
  // Thousands of pictures that are blurred and packed as JPEG.
  "test/data/{degrade-photo,raw-cache}.test.ts",
];

/** These take longest, the longest first. */
const long = [
  ...["kernels/conv2d", "train/trainer", "upscale/pretrained", "examples/train", "cli/as-typed"],
  ...["train/fine-tune", "cli/upscale", "kernels/wgsl", "kernels/vendors", "train/resume", "upscale/network"],
  ...["train/device-loss", "cli/evaluate", "train/one-process", "upscale/half", "golden/operations"],
].map((name) => `/test/${name}.test.ts`);

/**
 * Begins with the long files, so that all cores have work until the end. In a new checkout Vitest knows no times,
 * and begins with files of many bytes.
 */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = long.findIndex((name) => moduleId.endsWith(name));
      return at < 0 ? long.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

/** vitest.browser.config.ts runs the first two. */
const leftOut = (mode: string) => ["test/browser/**", "test/page/**", ...(mode === "quick" ? slow : [])];

/**
 * Tests of functions, which leave nothing behind that another test would notice: a process takes one of these files
 * after the other, and loads its modules once. All others have a process each.
 */
const inOneProcess = [
  "test/{docs,evaluate,files,formats,golden,kernels,models,nn,options}/*.test.ts",
  "test/{picture,report,tensor,testing,video,weights}/*.test.ts",
];

export default defineConfig(({ mode }) => ({
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
    projects: [
      {
        extends: true,
        test: { name: "in one process", include: inOneProcess, exclude: leftOut(mode), isolate: false },
      },
      {
        extends: true,
        test: {
          name: "in its own process",
          include: ["test/**/*.test.ts"],
          exclude: [...inOneProcess, ...leftOut(mode)],
        },
      },
    ],
    env: { PIXELGRAD_TEST_TIER: mode === "quick" ? "quick" : "all" },
    globalSetup: ["test/support/program.ts", ...(mode === "quick" ? ["test/support/quick-run.ts"] : [])],
    setupFiles: ["test/support/node-host.ts", "test/support/typed-arrays.ts"],
    // Ending a worker thread while Dawn has a promise pending aborts the whole process; forks are safe.
    pool: "forks",
    sequence: { sequencer: LongFirst },
    // By default one core stays free, which of two is half.
    maxWorkers: "100%",
    // Ten times what the longest takes on an idle machine: a busy one must not make tests fail.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
}));
