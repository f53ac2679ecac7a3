import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./run.ts";

export interface SourceFile {
  readonly path: string;
  /** Bodies as they stand in the file. */
  readonly kernels: { name: string; body: string }[];
}

/** The files under src that declare kernels. */
export function wgslFiles(): SourceFile[] {
  return readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => {
      const text = readFileSync(join(root, "src", path), "utf8");
      const declarations = text.matchAll(/= kernel\(\s*"([^"]+)",\s*\/\* wgsl \*\/ `([^`]*)`/g);
      return { path, kernels: [...declarations].map(([, name, body]) => ({ name, body })) };
    })
    .filter(({ path, kernels }) => kernels.length > 0 || path.endsWith(".wgsl.ts"));
}
