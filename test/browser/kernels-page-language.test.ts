/**
 * Nothing that the lesson writes is the same in two languages, but for names. It is brought to show what it can say:
 * results, edits that are wrong, every picture of its drawings, a training step. What it says only when something
 * breaks is compared without that.
 */
import { beforeAll, expect, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { layerOf } from "../../site/kernels/layers.ts";
import { english } from "../../site/kernels/sentences/english.ts";
import { englishProse } from "../../site/kernels/sentences/english-prose.ts";
import { german } from "../../site/kernels/sentences/german.ts";
import {
  edit,
  find,
  openKernelsPage,
  program,
  says,
  text,
  tryOut,
  withDevicesToLose,
} from "./kernels-page.ts";
import { textsOnShow } from "./texts.ts";

/** What has no language: numbers, units, steps and adapters by their names. */
const names = [
  /^[^\p{L}]*$/u, // no letters
  /^[\d.,]+ (µs|ms|s|GFLOP\/s)$/,
  /^[\d.,]+e-\d+$/,
  /^(\d-[a-z]+|weight-grad[a-z-]*|[abcd])$/,
  /^(pixelgrad|English|Deutsch|GFLOP\/s)$/,
];
const isName = (text: string) => names.some((name) => name.test(text));

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

/** Programs and what a compiler says of them are in English; prose with code in it counts as one text. */
const note = (texts: Set<string>) => {
  const options = { whole: "[data-prose], .outcome p", skip: "pre, .editor, .problems" };
  for (const text of textsOnShow(options)) texts.add(text);
};

/** Every text of all states, in one language. */
async function allTexts(): Promise<Set<string>> {
  const texts = new Set<string>();
  note(texts);
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
  note(texts);
  await userEvent.selectOptions(find("#run-form select"), "tiny");
  await says("#step-1-naive .prelude pre", /const KH = 3;/);
  await userEvent.click(find("#tab-training"));
  await userEvent.click(find("#train-form [name=restart]"));
  await vi.waitUntil(() => /\D1\D/.test(plot()), { timeout: 60_000 });
  note(texts);
  loseDevice();
  await new Promise((resolve) => setTimeout(resolve, 300));
  await userEvent.click(single());
  await says("#train-status", /swiftshader/);
  await userEvent.upload(find("#train-form [name=own]"), new File(["no picture"], "text.png"));
  await says("#train-status", /text\.png/);
  note(texts);
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

test("results and edits that are there change their language; a report stays English", {
  timeout: 240_000,
}, async () => {
  const resultTexts = () => {
    const texts = new Set<string>();
    note(texts);
    return texts;
  };
  await userEvent.click(runButton());
  await says("#run-phase", /./);
  await says("#run-status", /Schritte rechnen richtig/);
  edit("1-naive", "sum += pixel *", "sum += 2.0 * pixel *");
  expect(await tryOut("1-naive")).toMatch(/^Falsch\. .* bei Bild 0, Kanal \d+, .*, also wurde keine Zeit/);
  edit("3-blocked", "var sums:", "var sums :");
  expect(await tryOut("3-blocked")).toMatch(
    /^Richtig, auf \d,\de-\d+ des größten Werts genau\. [\d,]+ (µs|ms)/,
  );
  edit("2-tiled", "fn main(", "fn main(;");
  expect(await tryOut("2-tiled")).toMatch(/^Es lässt sich nicht übersetzen .*Zeile \d+ /s);
  const write = vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue();
  await userEvent.click(find("#results [name=copy]"));
  await says("#report-status", /^Kopiert\.$/);
  const [[markdown]] = write.mock.calls;
  vi.restoreAllMocks();
  expect(markdown).toMatch(/^## 16 → 16 channels, 3×3, 32 × 32\n/);
  expect(markdown).toMatch(/Times are medians of .*All values were compared/s);
  expect(markdown).not.toMatch(/\d,\d\d?[^\d]|Multiply-Adds allein|Zeiten/);
  const inGerman = resultTexts();

  await userEvent.selectOptions(find("#language"), "en");
  await says("#run-status", /^All \d+ steps are right\./);
  expect(text("#step-1-naive .outcome")).toMatch(/^Wrong\. .* at picture 0, channel \d+/);
  expect(text("#step-3-blocked .outcome")).toMatch(/^Right, within/);
  expect(text("#step-2-tiled .outcome")).toMatch(/^It does not compile/);
  expect(text("#report-status")).toBe("Copied.");
  expect(program("2-tiled").value).toContain("fn main(;"); // edits stay
  const inEnglish = resultTexts();
  expect([...inEnglish].filter((text) => inGerman.has(text) && !isName(text))).toEqual([]);
});
