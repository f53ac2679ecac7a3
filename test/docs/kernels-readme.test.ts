/** The table "What there is" in src/kernels/README.md names every operation, layer, loss and schedule. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { operations } from "../../scripts/docs/operations.ts";
import * as nn from "../../src/nn/index.ts";
import { root } from "../support/run.ts";

const page = readFileSync(join(root, "src/kernels/README.md"), "utf8");
const table = page
  .split("## What there is")[1]
  .split("\n\n")
  .find((part) => part.startsWith("| kind |"))!;
const named = new Set([...table.matchAll(/`(\w+)(?:\([^`]*\))?`/g)].map(([, name]) => name));

test("no operation is missing", async () => {
  const names = (await operations()).map(({ name }) => name);
  expect(names.length).toBeGreaterThan(60);
  expect(names.filter((name) => !named.has(name))).toEqual([]);
});

test("no layer, loss or schedule is missing", () => {
  const isLayer = (value: unknown) => typeof value === "function" && value.prototype instanceof nn.Module;
  const names = Object.entries(nn)
    .filter(([name, value]) => isLayer(value) || /(Loss|LR)$/.test(name))
    .map(([name]) => name);
  expect(names.length).toBeGreaterThan(30);
  expect(names.filter((name) => !named.has(name))).toEqual([]);
});
