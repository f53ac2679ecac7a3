import { join } from "node:path";
import { command, npm } from "./new-project.ts";

/** A program, or a program with its first arguments. */
export type Command = readonly string[];

/** How a package manager makes a project that has pixelgrad. */
export interface Installer {
  /** The name of the project's folder: runtimes with the same name share it. */
  name: string;
  install(tools: string, tarball: string): Command;
  /** It installs from a registry instead of the tarball. */
  fromRegistry?: true;
  /** Environment variables of this, and of all that runs in the project. */
  environment?: NodeJS.ProcessEnv;
}

/** What npm has in a package. */
export interface Tool {
  name: string;
  package: string;
  /** How it says its version. `tools`: the folder where npm has installed `package`. */
  version(tools: string): Command;
}

export interface Runtime extends Tool {
  installer: Installer;
  /** Runs a program whose path follows. */
  program(tools: string): Command;
  /** The same for programs that write files. */
  commandLine(tools: string): Command;
  /** Where require() loads no ES modules, or does not find that it could, it has to say what to write. */
  lacksRequire?: true;
}

const inTools = (tools: string, name: string) => join(tools, "node_modules/.bin", command(name));
const nodeIn = (tools: string) => join(tools, "node_modules/node/bin/node");
const ourCommand = "node_modules/pixelgrad/dist/cli/main.js";
export const npmInstall: Installer = {
  name: "npm",
  install: (_tools, tarball) => [npm, "install", "--no-fund", "--no-audit", tarball],
};

/** Node in a version that npm has, in a project of npm. */
function node(version: string, more: Partial<Runtime> = {}): Runtime {
  return {
    name: `Node ${version}`,
    package: `node@${version}`,
    version: (tools) => [nodeIn(tools), "--version"],
    installer: npmInstall,
    program: (tools) => [nodeIn(tools)],
    commandLine: (tools) => [nodeIn(tools), ourCommand],
    ...more,
  };
}

/** Node with no more permissions than docs/errors-and-versions.md asks for. */
function nodeWithPermissions(version: string): Runtime {
  const permissions = ["--permission", "--allow-addons", "--allow-fs-read=*", "--allow-worker"];
  return node(version, {
    name: `Node ${version} --permission`,
    program: (tools) => [nodeIn(tools), ...permissions],
    commandLine: (tools) => [nodeIn(tools), ...permissions, "--allow-fs-write=*", ourCommand],
  });
}

/** Its store is in no place that an environment variable names. Without a word on builds, it ends in an error. */
const pnpmFlags = (tools: string) => ["--allow-build=webgpu", `--store-dir=${join(tools, "store")}`];
const yarn = (tools: string) => [process.execPath, join(tools, "node_modules/@yarnpkg/cli-dist/bin/yarn.js")];
/** Deno's permissions, as in docs/errors-and-versions.md. */
const denoPermissions = ["--no-prompt", "--allow-ffi", "--allow-read", "--allow-env"];

export const runtimes: readonly Runtime[] = [
  node("20.10", { lacksRequire: true }),
  node("22"),
  nodeWithPermissions("22"),
  node("24"),
  node("latest"),
  nodeWithPermissions("latest"),
  {
    name: "pnpm",
    package: "pnpm@latest",
    version: (tools) => [inTools(tools, "pnpm"), "--version"],
    installer: {
      name: "pnpm",
      install: (tools, tarball) => [inTools(tools, "pnpm"), "add", ...pnpmFlags(tools), tarball],
    },
    program: () => [process.execPath],
    commandLine: (tools) => [inTools(tools, "pnpm"), "exec", "pixelgrad"],
  },
  {
    name: "Yarn Plug'n'Play",
    package: "@yarnpkg/cli-dist@latest",
    version: (tools) => [...yarn(tools), "--version"],
    installer: {
      name: "yarn",
      install: (tools, tarball) => [...yarn(tools), "add", `pixelgrad@file:${tarball}`],
      environment: { YARN_ENABLE_TELEMETRY: "0", YARN_ENABLE_IMMUTABLE_INSTALLS: "false" },
    },
    program: (tools) => [...yarn(tools), "node"],
    commandLine: (tools) => [...yarn(tools), "pixelgrad"],
    lacksRequire: true,
  },
  {
    name: "Bun",
    package: "bun@latest",
    version: (tools) => [inTools(tools, "bun"), "--version"],
    installer: { name: "bun", install: (tools, tarball) => [inTools(tools, "bun"), "add", tarball] },
    program: (tools) => [inTools(tools, "bun")],
    commandLine: (tools) => [inTools(tools, "bun"), "x", "--bun", "pixelgrad"],
  },
  {
    name: "Deno",
    package: "deno@latest",
    version: (tools) => [inTools(tools, "deno"), "--version"],
    // It installs no tarballs, so it finds the package in a registry.
    installer: {
      name: "deno",
      install: (tools) => [inTools(tools, "deno"), "add", "npm:pixelgrad"],
      fromRegistry: true,
      environment: { NO_COLOR: "1" },
    },
    program: (tools) => [inTools(tools, "deno"), "run", ...denoPermissions],
    commandLine: (tools) => [
      ...[inTools(tools, "deno"), "run", ...denoPermissions, "--allow-write", "--allow-sys"],
      "npm:pixelgrad",
    ],
  },
];

export interface Compiler extends Tool {
  skipLibCheck: boolean;
}

export const tscIn = (tools: string) => join(tools, "node_modules/typescript/bin/tsc");

function typescript(version: string, skipLibCheck = false): Compiler {
  return {
    name: `TypeScript ${version}`,
    package: `typescript@${version}`,
    version: (tools) => [process.execPath, tscIn(tools), "--version"],
    skipLibCheck,
  };
}

/** docs/errors-and-versions.md promises that declarations are right from 5.7 on. */
export const compilers: readonly Compiler[] = [
  typescript("5.4", true),
  ...["5.7", "5.9", "6", "7"].map((version) => typescript(version)),
];
