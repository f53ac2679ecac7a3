/** The API reference: TypeDoc names modules by their files, the site by what one imports. */
import type { Entry } from "./contents.ts";

const modules: Readonly<Record<string, string>> = {
  node: "pixelgrad",
  kernel: "pixelgrad/kernel",
  picture: "pixelgrad/picture",
  data: "pixelgrad/data",
  train: "pixelgrad/train",
  evaluate: "pixelgrad/evaluate",
};

const folder = "docs/api";

export const apiEntries: readonly Entry[] = Object.entries(modules).map(([name, title]) => ({
  path: `${folder}/${name}/README.md`,
  title,
}));

/** A file of TypeDoc's output: its path in the site, and its text. */
export function renamePage(path: string, text: string): [path: string, text: string] {
  const module = /^(\w+)\/README\.md$/.exec(path)?.[1];
  if (path === "README.md") {
    const items = Object.entries(modules).map(([name, title]) => `- [${title}](${name}/README.md)`);
    return [`${folder}/README.md`, `# API reference\n\n${items.join("\n")}\n`];
  }
  if (module !== undefined) return [`${folder}/${path}`, text.replace(/^# .*$/m, `# ${modules[module]}`)];
  const [name] = path.split("/");
  return [
    `${folder}/${path}`,
    text.replace(/^(# .*)$/m, `$1\n\nImport from [\`${modules[name]}\`](../README.md).`),
  ];
}
