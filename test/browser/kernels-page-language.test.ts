/**
 * Nothing that the lesson writes is the same in two languages, but for names. It is brought to show what it can say:
 * every picture of its drawings, a training step. What it says only when something breaks is compared without that,
 * and results and edits where they are (kernels-page-ladder.test.ts).
 */
import { beforeAll, expect, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { layerOf } from "../../site/kernels/layers.ts";
import { english } from "../../site/kernels/sentences/english.ts";
import { englishProse } from "../../site/kernels/sentences/english-prose.ts";
import { german } from "../../site/kernels/sentences/german.ts";
import { find, isName, lessonTexts, openKernelsPage, says, text, withDevicesToLose } from "./kernels-page.ts";

const { loseDevice } = withDevicesToLose();
const runButton = () => find<HTMLButtonElement>("#run-form [type=submit]");
const single = () => find<HTMLButtonElement>("#train-form [name=single]");
const plot = () => find("#stage-output .plot").getAttribute("aria-label")!;

const table = { ...english, ...englishProse };

/** A sentence with something in its places. */
function said(sentence: unknown): string {
  if (typeof sentence === "function")
    return sentence(...Array.from({ length: sentence.length }, (_, i) => i + 3));
  return typeof sentence === "string" ? sentence : JSON.stringify(Object.values(sentence as object));
}

/** Every text of all states, in one language. */
async function allTexts(): Promise<Set<string>> {
  const texts = new Set<string>();
  const note = () => {
    for (const text of lessonTexts()) texts.add(text);
  };
  note();
  for (const figure of document.querySelectorAll<HTMLElement>(".animation")) {
    const [, , next] = figure.querySelectorAll<HTMLButtonElement>("button");
    const frames = Number(/\/(\d+)/.exec(figure.querySelector(".count")!.textContent)![1]);
    for (let i = 0; i < frames; i++) {
      next.click();
      for (const { textContent } of figure.querySelectorAll("figcaption, p, span")) texts.add(textContent);
    }
  }
  await userEvent.selectOptions(find("#run-form select"), "srcnn");
  await says("#step-1-naive .prelude pre", /const KH = 9;/);
  await vi.waitUntil(() => [...document.querySelectorAll(".missing")].some((each) => each.checkVisibility()));
  note();
  await userEvent.selectOptions(find("#run-form select"), "tiny");
  await says("#step-1-naive .prelude pre", /const KH = 3;/);
  await userEvent.click(find("#tab-training"));
  await userEvent.click(find("#train-form [name=restart]"));
  await vi.waitUntil(() => /\D1\D/.test(plot()), { timeout: 60_000 });
  note();
  loseDevice();
  await new Promise((resolve) => setTimeout(resolve, 300));
  await userEvent.click(single());
  await says("#train-status", /swiftshader/);
  await userEvent.upload(find("#train-form [name=own]"), new File(["no picture"], "text.png"));
  await says("#train-status", /text\.png/);
  note();
  await userEvent.click(find("#tab-ladder"));
  return texts;
}

beforeAll(async () => {
  await openKernelsPage();
  await vi.waitUntil(() => !runButton().disabled, { timeout: 110_000 });
}, 120_000);

test("the script's sentences and the fixed ones have different names", () => {
  expect(Object.keys(english).filter((key) => key in englishProse)).toEqual([]);
});

test("every sentence is another one in German, unless it is a name", () => {
  const inGerman: Readonly<Record<string, unknown>> = german;
  const pairs = Object.entries(table).map(([key, sentence]) => {
    const other = inGerman[key];
    if (key === "layer") return [key, english.layer(layerOf("large")), german.layer(layerOf("large"))];
    if (key === "partlyCompared")
      return [key, english.partlyCompared(["1", "2"]), german.partlyCompared(["1", "2"])];
    return [key, said(sentence), said(other)];
  });
  expect(pairs.filter(([, one, other]) => one === other && !isName(one))).toEqual([]);
  // Numbers that a sentence computes are the same in both.
  const numbersIn = (text: string) => text.match(/\d+/g)?.sort();
  for (const [key, one, other] of pairs) expect(numbersIn(other), key).toEqual(numbersIn(one));
});

test("code in the prose is the same in both languages", () => {
  const codeOf = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code).sort();
  for (const [key, text] of Object.entries(englishProse))
    expect(codeOf(german[key as keyof typeof englishProse]), key).toEqual(codeOf(text));
});

test("in German, nothing but names is as in English", { timeout: 240_000 }, async () => {
  const before = await allTexts();
  expect(before.size).toBeGreaterThan(250);
  await userEvent.selectOptions(find("#language"), "de");
  await vi.waitFor(() => expect(text("#tab-ladder")).toBe("Wie eine Faltung schnell wird"));
  expect(document.documentElement.lang).toBe("de");
  expect(document.title).toBe("Wie eine Faltung schnell wird · pixelgrad");
  const after = await allTexts();
  expect(Math.abs(after.size - before.size)).toBeLessThan(12);
  expect([...after].filter((text) => before.has(text) && !isName(text))).toEqual([]);
});
