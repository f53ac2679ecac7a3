/**
 * Trains as README, the guides and the help texts say, word for word, presses Ctrl-C, and types what is then printed.
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { trainCommand } from "../../src/cli/train.ts";
import { architectures } from "../../src/node.ts";
import { root } from "../../test/support/run.ts";
import { shellWith } from "../../test/support/shell.ts";
import { trainAsTyped } from "../../test/support/train-as-typed.ts";
import type { Soak } from "./support/soak.ts";

export const soak: Soak = {
  what: "Training as README, the guides and --help say, Ctrl-C, and the command that is printed",
  tries: 9,
  async run(soak) {
    const type = shellWith(join(soak.folder, "bin"));
    const pages = ["README.md", "docs/get-started.md", "docs/train.md"].map((page) =>
      readFileSync(join(root, page), "utf8"),
    );
    const written = pages.join("\n").matchAll(/^ {4}(npx pixelgrad train .*)$/gm);
    const lines = [
      ...new Set([...written].map(([, line]) => line)),
      ...architectures.flatMap((architecture) =>
        trainCommand(architecture).examples.map(([args]) =>
          `pixelgrad train ${architecture.name.toLowerCase()} ${args}`.trimEnd(),
        ),
      ),
      // Those are for runs and data sets that must be there; the command that is printed stands for the first.
    ].filter((line) => !/--resume|--init|DIV2K/.test(line));
    for (const { index } of soak.tries()) {
      const line = lines[index % lines.length];
      await soak.attempt(line, async () => {
        const home = join(soak.folder, "home");
        mkdirSync(home);
        try {
          soak.say(await trainAsTyped(type, home, line, { PIXELGRAD_ADAPTER: soak.adapter }));
        } finally {
          rmSync(home, { recursive: true });
        }
      });
    }
    return undefined;
  },
};
