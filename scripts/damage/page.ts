/** The page that these scripts write into. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { writeWhole } from "../../src/data/index.ts";

/** A file or folder of the documentation. */
export function inDocs(name: string): string {
  return fileURLToPath(new URL(`../../docs/${name}`, import.meta.url));
}

/** Replaces what stands between two marks of docs/damage.md. */
export async function writeSection(name: "estimates" | "quality", content: string): Promise<void> {
  const file = inDocs("damage.md");
  const text = readFileSync(file, "utf8");
  const between = new RegExp(`(<!-- ${name}: .* -->\n)[^]*(<!-- end of ${name} -->)`);
  if (!between.test(text)) throw new Error(`${file} lacks the marks that enclose its ${name}.`);
  await writeWhole(
    file,
    text.replace(between, (_, begin, end) => `${begin}\n${content.trim()}\n\n${end}`),
  );
}
