/**
 * The site's table of contents: what stands in the menu, in which order. Paths are those of the repository.
 * Pages that are only linked to (READMEs of rooms, source files, folders) are found by their links.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Entry {
  /** A Markdown file. */
  readonly path: string;
  /** The name in the menu. */
  readonly title: string;
}

export interface Section {
  readonly title: string;
  readonly entries: readonly Entry[];
}

const section = (title: string, entries: Readonly<Record<string, string>>): Section => ({
  title,
  // A page of another branch of work appears here when it is there.
  entries: Object.entries(entries)
    .filter(([path]) => existsSync(join(root, path)))
    .map(([path, title]) => ({ path, title })),
});

export const home = "docs/README.md";

export const contents: readonly Section[] = [
  section("Start", {
    "docs/get-started.md": "Get started",
    "docs/from-pytorch.md": "From PyTorch",
    "docs/operations.md": "Operations",
  }),
  section("Guides", {
    "docs/upscale.md": "Upscale pictures",
    "docs/train.md": "Train a network",
    "docs/damage.md": "Damaged pictures",
    "docs/degradation.md": "Degradations",
    "docs/other-programs.md": "Bring a model",
    "docs/own-operations.md": "Write a kernel",
    "docs/measure-quality.md": "Measure quality: PSNR",
    "docs/measure-a-card.md": "Measure a card",
    "docs/browsers.md": "In browsers",
    "docs/library.md": "The library",
    "docs/adapters.md": "Adapters",
    "docs/picture-files.md": "Picture files",
    "docs/profiling.md": "Where the time goes",
  }),
  section("How a GPU trains a network", {
    "docs/course/README.md": "What this course is",
    "docs/course/01-tape.md": "1. A tape of numbers",
    "docs/course/02-tensors.md": "2. Tensors",
    "docs/course/03-first-kernel.md": "3. A first kernel",
    "docs/course/04-sums.md": "4. Sums by many threads",
    "docs/course/05-convolution.md": "5. A convolution is a sum",
    "docs/course/06-gradients.md": "6. Its two gradients",
    "docs/course/07-blocks.md": "7. Blocks in registers",
    "docs/course/08-tiles.md": "8. Tiles, and why step 5 is faster",
    "docs/course/09-adam.md": "9. Adam",
    "docs/course/10-training-step.md": "10. A training step",
  }),
  section("The inside", {
    "docs/architecture.md": "Architecture",
    "src/kernels/README.md": "Kernels",
    "src/kernels/conv2d/README.md": "Convolution, step by step",
    "src/device/README.md": "The device",
    "src/nn/README.md": "Layers, losses and optimizers",
    "src/weights/README.md": "Weight files",
    "src/formats/README.md": "Picture files as bytes",
    "src/files/README.md": "Picture files",
    "src/data/README.md": "Data sets and batches",
    "src/models/README.md": "Networks",
    "src/upscale/README.md": "From a picture to a larger one",
    "src/train/README.md": "How a network is trained",
    "docs/glossary.md": "Glossary",
  }),
  section("Figures and promises", {
    "docs/gpus.md": "Cards measured",
    "docs/measurements.md": "Measurements",
    "weights/README.md": "The networks that come with the package",
    "docs/training-choices.md": "What was tried in training",
    "docs/reliability.md": "Reliability",
    "docs/errors-and-versions.md": "Errors and versions",
    "docs/development.md": "Development",
    "site/README.md": "The page",
    "test/golden/README.md": "What is compared with PyTorch",
    "scripts/soak/README.md": "Long tests",
    "CONTRIBUTING.md": "Contributing",
    "SECURITY.md": "Security",
    "CHANGELOG.md": "Changelog",
  }),
];
