/** The core of the library in the oldest Node that package.json allows, from npm's package `node`. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Soak } from "./support/soak.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  engines: { node: string };
};
/** ">=20.10" is 20.10.0. */
const version = `${engines.node.replace(/^>=/, "")}.0`;

/** Runs in the built package, which is where old versions meet it. */
const program = (folder: string) => `
import assert from "node:assert";
import { createRequire } from "node:module";
const sharp = createRequire(${JSON.stringify(join(root, "package.json"))})("sharp");
const entry = (name) => import("${pathToFileURL(join(root, "dist"))}/" + name + ".js");
const { Adam, ESPCN, Random, backward, init, interpolator, mseLoss, noGrad, rand, scope, upscale } = await entry("node");
const { readImage, writePng } = await entry("data/index");
const { presets, resume, train } = await entry("train/index");
const { evaluate, findPictures } = await entry("evaluate/index");

const device = await init();
const [width, height] = [48, 40];
const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 37 + (i >> 5)) & 255);
const image = { width, height, channels: 3, data };
const folder = ${JSON.stringify(folder)};
for (const name of ["a", "b", "c"]) await writePng(folder + "/pictures-" + name + ".png", image);
for (const format of ["png", "jpeg", "webp"]) {
  const path = folder + "/x." + format;
  await sharp(data, { raw: { width, height, channels: 3 } }).toFormat(format).toFile(path);
  const read = await readImage(path);
  assert.deepStrictEqual([read.width, read.height, read.channels], [width, height, 3]);
  for (const method of ["bicubic", "espcn", "edsr-small", "srcnn"]) {
    assert.strictEqual((await upscale(path, { method })).image.width, 2 * width);
  }
}
const random = new Random(1);
const model = new ESPCN({ scale: 2, filters: [4, 4], random });
const adam = new Adam(model.parameters(), { lr: 1e-2 });
const [x, y] = [rand([1, 1, 8, 8], { random }), rand([1, 1, 16, 16], { random })];
const losses = [];
for (let i = 0; i < 20; i++) {
  const step = scope();
  const loss = mseLoss(model.forward(x), y);
  adam.step(backward(loss));
  losses.push(await loss.item());
  step.end();
}
assert(losses.at(-1) < losses[0]);
const config = { ...presets.ESPCN.quick, network: { ...presets.ESPCN.quick.network, scale: 2, filters: [4, 4] },
  data: [folder], patch: 8, batch: 2, warmup: 0, validPictures: 1, steps: 6, evalEvery: 3, logEvery: 1, out: folder + "/run" };
await train(config, { device });
await resume(folder + "/run", { device, change: (saved) => ({ ...saved, steps: 9 }) });
const { images } = await evaluate(interpolator("bicubic", 2), findPictures(folder, { scale: 2 }));
assert(images.length > 0);
process.exit();
`;

export const soak: Soak = {
  what: `The library's core in Node ${version}: pictures, networks, training, evaluation, require()`,
  tries: 1,
  async run(soak) {
    if (!existsSync(join(root, "dist", "node.js"))) throw new Error("There is no dist: npm run build.");
    const node = (args: readonly string[]) =>
      spawnSync("npx", ["-y", `node@${version}`, ...args], {
        cwd: root,
        encoding: "utf8",
        timeout: 250_000,
        env: { ...process.env, NODE_OPTIONS: "" },
      });
    for (const { index } of soak.tries()) {
      await soak.attempt(`the core, try ${index}`, () => {
        const file = join(soak.folder, "program.mjs");
        writeFileSync(file, program(soak.folder));
        const { status, stderr } = node([file]);
        if (status !== 0) throw new Error(`exit code ${status}: ${stderr}`);
      });
      await soak.attempt("require()", () => {
        const { stderr, status } = node(["-e", 'require("pixelgrad"); console.log("done")']);
        if (status !== 0 && !stderr.includes("pixelgrad is an ES module")) throw new Error(stderr);
      });
    }
    return { version };
  },
};
