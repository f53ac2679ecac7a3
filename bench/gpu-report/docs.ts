/** Puts the reports of docs/gpus into docs/gpus.md: `npm run docs:gpus`. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineCommand, UsageError } from "../../src/cli/flags.ts";
import { print } from "../../src/cli/print.ts";
import { run } from "../../src/cli/run.ts";
import { writeWhole } from "../../src/data/index.ts";
import { pageOf, type Report } from "./report.ts";

const docs = fileURLToPath(new URL("../../docs", import.meta.url));
const page = join(docs, "gpus.md");
const [begin, end] = ["<!-- reports: npm run docs:gpus -->", "<!-- end of reports -->"];

/** docs/gpus.md with the reports between its two marks as they are in docs/gpus now. */
export function withReports(text: string, folder = join(docs, "gpus")): string {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) {
    throw new UsageError(
      `docs/gpus.md has lost its marks. It needs a line "${begin}" and, after it, "${end}"`,
    );
  }
  const reports = reportFiles(folder).map((file) => {
    const report = JSON.parse(readFileSync(join(folder, file), "utf8")) as Report;
    if (report.format !== 1) throw new UsageError(`docs/gpus/${file} is no report of this version`);
    return `${pageOf(report, { level: 3, brief: true }).trimEnd()}\n\nAll of it: [${file}](gpus/${file}).`;
  });
  return `${[text.slice(0, from + begin.length), ...reports].join("\n\n")}\n\n${text.slice(to)}`;
}

/** "nvidia-h100/report.json", …, sorted by name. */
function reportFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) =>
      readdirSync(join(folder, name))
        .filter((file) => /^report.*\.json$/.test(file))
        .map((file) => `${name}/${file}`),
    )
    .sort();
}

const docsCommand = defineCommand({
  about: `
Puts all docs/gpus/*/report*.json into docs/gpus.md, between its two marks. To add a card, put the report.json
of "npm run bench:report" into a folder of docs/gpus, named after the card, and run this.`,
  flags: {},
  examples: [["", "after a report was added"]],
  async run() {
    await writeWhole(page, withReports(readFileSync(page, "utf8")));
    print("Written: docs/gpus.md");
  },
});

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = await run("npm run docs:gpus --", docsCommand, process.argv.slice(2));
}
