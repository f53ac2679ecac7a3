/**
 * The library bundled for Node, where not all of it can work: what it says then is about the bundle, and blames nothing
 * that the program gave it.
 */
import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { threadProgram } from "../../src/files/thread-program.ts";
import { isMissingProgram, packageError } from "../../src/options/incomplete.ts";
import { compiledFolder } from "../support/program.ts";
import { root } from "../support/run.ts";

/** No package is found from here. */
const folder = mkdtempSync(join(tmpdir(), "pixelgrad-bundled-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Outcome = "fine" | { readonly name: string; readonly code?: string; readonly message: string };

/** Bundles a program, and runs it. `work`: functions by their names, whose outcomes are returned. */
async function outcomesOf(name: string, imports: Readonly<Record<string, string>>, work: string) {
  const input = join(folder, `${name}.js`);
  const lines = Object.entries(imports).map(
    ([file, names]) => `import { ${names} } from ${JSON.stringify(join(compiledFolder(), file))};`,
  );
  writeFileSync(
    input,
    `${lines.join("\n")}
    const picture = { width: 4, height: 4, channels: 3, data: new Uint8Array(48) };
    const outcomes = {};
    for (const [name, run] of Object.entries(${work})) {
      outcomes[name] = await run().then(() => "fine", ({ name, code, message }) => ({ name, code, message }));
    }
    process.stdout.write(JSON.stringify(outcomes), () => process.exit());`,
  );
  const bundle = await rolldown({
    input,
    platform: "node",
    external: ["sharp", "h5wasm"],
    treeshake: { moduleSideEffects: () => true }, // package.json names those of dist
    onLog: () => {},
  });
  await bundle.write({ dir: join(folder, name), entryFileNames: "main.mjs" });
  await bundle.close();
  const env = { ...process.env, PIXELGRAD_ADAPTER: "" };
  const { stdout } = await promisify(execFile)(process.execPath, [join(name, "main.mjs")], {
    cwd: folder,
    env,
  });
  return JSON.parse(stdout) as Record<string, Outcome>;
}

describe("the half for Node", () => {
  let outcomes: Record<string, Outcome>;
  beforeAll(async () => {
    mkdirSync(join(folder, "pictures"));
    writeFileSync(join(folder, "pictures/page.ppm"), `P6 64 64 255\n${"a".repeat(64 * 64 * 3)}`);
    copyFileSync(join(root, "test/golden/keras/edsr-example-x4.h5"), join(folder, "net.h5"));
    outcomes = await outcomesOf(
      "node",
      {
        "node.js": "init, upscale",
        "data/index.js": "openFolder, PatchLoader, writePng",
        "train/index.js": "train",
      },
      `{
        bicubic: () => upscale(picture, { method: "bicubic" }),
        webgpu: () => init(),
        loader: async () => {
          const loader = new PatchLoader(await openFolder("pictures", { scale: 2 }), { batch: 1, patch: 8 });
          return loader.next().finally(() => loader.close());
        },
        keras: () => init({ adapter: "cpu" }).then(() => upscale(picture, { method: "net.h5" })),
        write: () => writePng("written.png", picture),
        train: async () => typeof train,
      }`,
    );
  }, 120_000);

  const advice = /leave pixelgrad out of the bundle \(esbuild: --external:pixelgrad;/;

  test("what needs no other file works; training can be imported without sharp", () => {
    expect(outcomes.bicubic).toBe("fine");
    expect(outcomes.train).toBe("fine");
  });

  test("the loader's threads: the picture is not blamed", () => {
    expect(outcomes.loader).toMatchObject({ code: "INCOMPLETE", message: expect.stringMatching(advice) });
    expect(outcomes.loader).toMatchObject({
      message: expect.stringMatching(
        /^A part of pixelgrad is missing: Cannot find module '.*decode-worker\.js'\. /,
      ),
    });
  });

  test("Keras' files: the file is not blamed", () => {
    expect(outcomes.keras).toMatchObject({ message: expect.stringMatching(advice) });
    expect(outcomes.keras).toMatchObject({
      message: expect.not.stringMatching(/Download it again|save the weights/),
    });
  });

  test("webgpu, bundled along: not to be installed once more", () => {
    expect(outcomes.webgpu).toMatchObject({
      code: "NO_ADAPTER",
      message: expect.stringMatching(
        /^The npm package "webgpu" .* could not be loaded: .*dawn\.node'\. A bundler has/,
      ),
    });
    expect(outcomes.webgpu).toMatchObject({ message: expect.not.stringMatching(/npm install|\n/) });
  });

  test("sharp, which is not installed: neither the file nor the path is blamed", () => {
    expect(outcomes.write).toMatchObject({
      name: "Error",
      message: expect.stringMatching(
        /^The npm package "sharp" .* could not be loaded: .* Install it with "npm install/,
      ),
    });
  });
});

test("the half for browsers, in Node, says what it is", async () => {
  const outcomes = await outcomesOf(
    "browsers",
    { "index.js": "init, upscale" },
    `{
      init: () => init(),
      cpu: () => init({ adapter: "cpu" }).then(() => upscale(picture, { method: "bicubic" })),
      path: () => upscale("page.png", { method: "bicubic" }),
      bytes: () => upscale(new Uint8Array(9), { method: "bicubic" }),
      weights: () => upscale(picture, { method: "./net.safetensors" }),
    }`,
  );
  const { init, cpu, ...others } = outcomes;
  expect(cpu).toBe("fine");
  expect(init).toMatchObject({ code: "NO_ADAPTER" });
  for (const [name, outcome] of Object.entries({ init, ...others })) {
    expect(outcome, name).toMatchObject({
      message: expect.stringMatching(/half of pixelgrad for browsers, .*Node.* the condition "node"\./),
    });
    expect(outcome, name).toMatchObject({ message: expect.not.stringMatching(/Chrome|In browsers|\.\. /) });
  }
}, 120_000);

test("a bundle in CommonJS, which does not know where it is", () => {
  expect(() => threadProgram(() => new URL("./decode-worker.js", undefined))).toThrow(
    /^A part of pixelgrad is missing: Invalid URL\. If a bundler/,
  );
});

test.each([
  ["a module that Node does not find", Object.assign(new Error("x"), { code: "ERR_MODULE_NOT_FOUND" }), true],
  ["another program's words for it", new Error("Module not found"), true],
  ["Bun's words", new Error('BuildMessage: ModuleNotFound resolving "/a/b.js" (entry point)'), true],
  [
    "a module that webpack copied as it is",
    new SyntaxError("Cannot use import statement outside a module"),
    true,
  ],
  ["memory that ran out", Object.assign(new Error("memory"), { code: "ERR_WORKER_OUT_OF_MEMORY" }), false],
])("why a thread died: %s", (_, error, isMissing) => {
  expect(isMissingProgram(error)).toBe(isMissing);
});

test.each([
  ["esbuild's", new Error('Dynamic require of "child_process" is not supported'), "bundler"],
  [
    "a package that does not know where it is",
    Object.assign(new Error("x"), { code: "ERR_INVALID_ARG_VALUE" }),
    "bundler",
  ],
  [
    "its file beside the bundle",
    new Error("Cannot find module '/app/out/linux-x64/dawn.node'\nRequire stack:"),
    "bundler",
  ],
  [
    "its file in its place",
    new Error("Cannot find module '/app/node_modules/webgpu/dist/x/dawn.node'"),
    "Install",
  ],
  ["not installed", new Error("Cannot find package 'webgpu' imported from /app/a.js"), "Install"],
  ["no add-ons", Object.assign(new Error("no"), { code: "ERR_DLOPEN_DISABLED" }), "--no-addons"],
])("why a native package cannot be loaded: %s", (_, cause, expected) => {
  const { message } = packageError("webgpu", "WebGPU for Node", cause, "Install it");
  expect(message).toContain(expected);
  expect(message).not.toMatch(/\n|\.\.$/);
});
