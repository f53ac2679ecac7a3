/**
 * Does the package work in the runtimes, with the package managers and for the compilers that
 * docs/errors-and-versions.md names? Installs each from npm into a temporary folder, makes a project with it, and
 * runs test/runtimes and the command line there: all have to answer what Node answers here, bit for bit. `npm run
 * test:runtimes` takes minutes and much of the disk, so it is run by hand, before a release; `-- Bun TypeScript` tries
 * these alone. A runtime that cannot be had is skipped, and named.
 */
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import * as data from "../src/data/index.ts";
import * as pixelgrad from "../src/node.ts";
import type { Image } from "../src/picture/image.ts";
import { load } from "../test/runtimes/load.ts";
import { type Answer, use } from "../test/runtimes/use.ts";
import { drawn } from "../test/support/drawn.ts";
import { openRegistry } from "./local-registry.ts";
import { check, npm, pack, repository, run } from "./new-project.ts";
import {
  type Command,
  type Compiler,
  compilers,
  type Installer,
  npmInstall,
  type Runtime,
  runtimes,
  type Tool,
  tscIn,
} from "./runtimes.ts";

/** Milliseconds, even on a machine that is busy: a thread that never ends is a fault. */
const PATIENCE = 600_000;
const upscaling = "upscale -i picture.png -o large.png -s 2".split(" ");
const training = "train espcn --data pictures --valid pictures --steps 3 --eval-every 3 --out run".split(" ");

const { positionals: wanted } = parseArgs({ allowPositionals: true });
const isWanted = ({ name }: { name: string }) =>
  wanted.length === 0 || wanted.some((word) => name.includes(word));
const temporary = mkdtempSync(join(tmpdir(), "pixelgrad-runtimes-"));
const programs = join(temporary, "programs");
/** Apart from the user's caches, which may hold an older package of the same version. */
const caches = {
  DENO_DIR: join(temporary, "caches/deno"),
  BUN_INSTALL_CACHE_DIR: join(temporary, "caches/bun"),
  YARN_GLOBAL_FOLDER: join(temporary, "caches/yarn"),
};
const { readImage, writePng } = data;
const skipped: string[] = [];
let passed = 0;
let failed = 0;
try {
  await main();
} catch (error) {
  failed++;
  console.error((error as Error).message);
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
console.log(`\nChecks passed: ${passed}, failed: ${failed}. Skipped: ${skipped.join(", ") || "none"}.`);
if (failed > 0) process.exitCode = 1;

async function main(): Promise<void> {
  const all = [...runtimes, ...compilers];
  const names = all.map(({ name }) => name).join(", ");
  for (const word of wanted)
    check(
      all.some(({ name }) => name.includes(word)),
      `None is called ${word}. There are: ${names}.`,
    );
  const { path: tarball } = await pack(repository, temporary);
  const registry = await openRegistry(tarball);
  try {
    const consumer = await makeProject(npmInstall, { tools: "", tarball, registry: registry.url });
    check(consumer !== undefined, "Without npm's project, nothing can be tried.");
    await compilePrograms(consumer);
    const expected = await whatNodeAnswers();
    for (const runtime of runtimes.filter(isWanted)) {
      const tools = await obtain(runtime);
      if (tools) await tryRuntime(runtime, expected, { tools, tarball, registry: registry.url });
    }
    for (const compiler of compilers.filter(isWanted)) {
      const tools = await obtain(compiler);
      if (tools) await tryCompiler(compiler, tools, consumer);
    }
  } finally {
    registry.close();
  }
}

/** What a package manager needs: itself, and the package. */
interface Sources {
  /** The folder where it is installed. */
  tools: string;
  tarball: string;
  /** The address of a registry that has the package. */
  registry: string;
}

/** A project with the package, one for each package manager; undefined if that has failed. */
async function makeProject(installer: Installer, sources: Sources): Promise<string | undefined> {
  const { tools, tarball, registry } = sources;
  const project = join(temporary, installer.name);
  if (existsSync(project)) return project;
  mkdirSync(project);
  const manifest = { name: "consumer", private: true, type: "module", allowScripts: { webgpu: true } };
  writeFileSync(join(project, "package.json"), JSON.stringify(manifest));
  writeFileSync(join(project, "yarn.lock"), ""); // or Yarn looks for a project in the folders above
  const fromRegistry = installer.fromRegistry && { NPM_CONFIG_REGISTRY: registry };
  const command = installer.install(tools, tarball);
  const installed = await report(`install with ${installer.name}`, async () => {
    await execute(command, project, { ...installer.environment, ...fromRegistry });
    return command.map((word) => basename(word)).join(" ");
  });
  return installed ? project : undefined;
}

/** In the project of npm, so against the declarations that are in the package. */
async function compilePrograms(consumer: string): Promise<void> {
  for (const name of ["runtimes", "package"])
    cpSync(join(repository, "test", name), join(consumer, name), { recursive: true });
  const compilerOptions = {
    strict: true,
    target: "ES2022",
    module: "NodeNext",
    rewriteRelativeImportExtensions: true,
    types: ["node"],
    typeRoots: [join(repository, "node_modules/@types")],
    rootDir: "runtimes",
    outDir: programs,
  };
  writeFileSync(join(consumer, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["runtimes"] }));
  await execute([process.execPath, join(repository, "node_modules/typescript/bin/tsc")], consumer);
  copyFileSync(join(consumer, "runtimes/require.cjs"), join(programs, "require.cjs"));
}

interface Expected {
  answer: Answer;
  /** Samples of the picture that the command line enlarges, and the weights that it trains. */
  large: Buffer;
  weights: Buffer;
  /** A hash of the batches that a loader makes of the pictures of training. */
  batches: string;
}

/** By the sources, and by the command line that has been packed. */
async function whatNodeAnswers(): Promise<Expected> {
  const answer = await use(pixelgrad);
  const { loss, gradient, method, device } = answer;
  check(loss === 2 && `${gradient}` === "-8,-12", `The sources say loss ${loss}, gradient ${gradient}.`);
  const folder = join(temporary, "expected");
  mkdirSync(folder);
  const commandLine = [process.execPath, join(repository, "dist/cli/main.js")];
  const large = await enlarge(commandLine, folder);
  const weights = await train(commandLine, folder);
  const batches = await load(data, join(folder, "pictures"));
  console.log(`expected, by Node ${process.version}: what ${method} and a training run make on ${device}`);
  return { answer, large, weights, batches };
}

/** The folder where npm has installed a tool; undefined if it cannot be had. */
async function obtain({ name, package: source, version }: Tool): Promise<string | undefined> {
  const tools = join(temporary, "tools", source.replaceAll("/", "+"));
  try {
    if (!existsSync(tools)) {
      mkdirSync(tools, { recursive: true });
      // Their scripts fetch what is made for this system.
      const allowScripts = { bun: true, deno: true, node: true, pnpm: true };
      writeFileSync(join(tools, "package.json"), JSON.stringify({ private: true, allowScripts }));
      await execute([npm, "install", "--no-fund", "--no-audit", source], tools);
    }
    const [first] = (await execute(version(tools), tools)).split("\n");
    console.log(`\n${name}: ${source} is ${first}`);
    return tools;
  } catch (error) {
    console.log(`\n${name}: skipped, because it cannot be had: ${(error as Error).message}`);
    skipped.push(name);
    return undefined;
  }
}

async function tryRuntime(runtime: Runtime, expected: Expected, sources: Sources): Promise<void> {
  const { name, installer, lacksRequire } = runtime;
  const project = await makeProject(installer, sources);
  if (!project) return;
  cpSync(programs, project, { recursive: true });
  const program = runtime.program(sources.tools);
  const commandLine = runtime.commandLine(sources.tools);
  const { environment } = installer;
  const runProgram = (file: string) => execute([...program, file], project, environment);
  const tryProgram = (what: string, file: string) =>
    report(`${name}, ${what}`, async () =>
      compareAnswers(await runProgram(file), expected.answer, [...program, file]),
    );

  await tryProgram("import", "import.js");
  if (!lacksRequire) await tryProgram("require()", "require.cjs");
  else
    await report(`${name}, require()`, async () => {
      const outcome = await runProgram("require.cjs").catch(String);
      check(outcome.includes('await import("pixelgrad")'), `it should say what to write, not ${outcome}`);
      return "says what to write instead";
    });
  await tryProgram("worker thread", "thread.js");
  await report(`${name}, command line`, async () => {
    const large = await enlarge(commandLine, project, environment);
    const command = [...commandLine, ...upscaling].join(" ");
    check(large.equals(expected.large), `${command} made another picture than Node here`);
    return `${upscaling.join(" ")}: the same ${large.length} samples`;
  });
  await report(`${name}, training`, async () => {
    const weights = await train(commandLine, project, environment);
    const command = [...commandLine, ...training].join(" ");
    check(weights.equals(expected.weights), `${command} made other weights than Node here`);
    return `${training.join(" ")}: the same ${weights.length} bytes of weights`;
  });
  await report(`${name}, loader`, async () => {
    const batches = (await runProgram("loader.js")).trim();
    check(batches === expected.batches, `a loader of the same pictures made other batches, ${batches}`);
    return "the same batches of pictures that were degraded";
  });
}

/** `output`: what `command` has printed. */
function compareAnswers(output: string, expected: Answer, command: Command): string {
  const same = output.trim() === JSON.stringify(expected);
  check(same, `${command.join(" ")} printed ${output}, but Node here ${JSON.stringify(expected)}`);
  const { loss, gradient, method, picture } = expected;
  return `loss ${loss}, gradient ${gradient}, ${method} made the same ${picture.length / 2} samples`;
}

/** The samples that the command line makes of a small picture. */
async function enlarge(commandLine: Command, project: string, environment?: NodeJS.ProcessEnv) {
  await writePng(join(project, "picture.png"), drawnPicture(20, 12));
  rmSync(join(project, "large.png"), { force: true });
  await execute([...commandLine, ...upscaling], project, environment);
  const { width, height, data } = await readImage(join(project, "large.png"));
  check(width === 40 && height === 24, `the picture is ${width}x${height} pixels large, expected 40x24`);
  return Buffer.from(data);
}

/** The weights after a few steps on small pictures. */
async function train(commandLine: Command, project: string, environment?: NodeJS.ProcessEnv) {
  mkdirSync(join(project, "pictures"), { recursive: true });
  for (const name of ["a", "b"])
    await writePng(join(project, `pictures/${name}.png`), drawnPicture(96, name === "a" ? 72 : 60));
  rmSync(join(project, "run"), { recursive: true, force: true });
  await execute([...commandLine, ...training], project, environment);
  return readFileSync(join(project, "run/best.safetensors"));
}

function drawnPicture(width: number, height: number): Image {
  return drawn(width, height, 3, (x, y, c) => 128 + 100 * Math.sin((x * (c + 1)) / 3) * Math.cos(y / 2));
}

async function tryCompiler({ name, skipLibCheck }: Compiler, tools: string, consumer: string) {
  for (const [module, moduleResolution, files] of [
    ["NodeNext", "NodeNext", ["runtimes/*.ts", "package/*.ts"]],
    // By this, only what browsers have, too, is typed.
    ["ESNext", "bundler", ["runtimes/*.ts", "package/data.ts", "package/own-*.ts", "package/train.ts"]],
  ] as const) {
    await report(`${name}, moduleResolution ${moduleResolution.toLowerCase()}`, async () => {
      const compilerOptions = {
        strict: true,
        target: "ES2022",
        lib: ["ES2022", "DOM"],
        module,
        moduleResolution,
        skipLibCheck,
        noEmit: true,
        allowImportingTsExtensions: true,
        types: ["node"],
        typeRoots: [join(repository, "node_modules/@types")],
      };
      writeFileSync(join(consumer, "tsconfig.json"), JSON.stringify({ compilerOptions, include: files }));
      await execute([process.execPath, tscIn(tools)], consumer);
      return `${files.join(", ")}, skipLibCheck ${skipLibCheck}`;
    });
  }
}

/** Runs a check, and prints what it has seen or what is wrong. */
async function report(name: string, run: () => Promise<string>): Promise<boolean> {
  const start = performance.now();
  const says = (text: string) => `${name} (${((performance.now() - start) / 1000).toFixed(1)} s): ${text}`;
  try {
    console.log(`ok      ${says(await run())}`);
    passed++;
    return true;
  } catch (error) {
    console.log(`FAILED  ${says((error as Error).message)}`);
    failed++;
    return false;
  }
}

function execute([program, ...args]: Command, cwd: string, environment?: NodeJS.ProcessEnv): Promise<string> {
  return run(program, args, cwd, { environment: { ...caches, ...environment }, timeout: PATIENCE });
}
