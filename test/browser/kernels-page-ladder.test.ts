/** The lesson's ladder: every step is right and timed, edits are judged, and it can be stopped. */
import { beforeAll, describe, expect, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import {
  edit,
  find,
  isName,
  lessonTexts,
  openKernelsPage,
  program,
  reset,
  says,
  text,
  tryOut,
  withDevicesToLose,
} from "./kernels-page.ts";

const runButton = () => find<HTMLButtonElement>("#run-form [type=submit]");
const rows = () =>
  [...document.querySelectorAll<HTMLTableRowElement>("#results-table tbody tr:not(.group)")].map((row) =>
    [...row.cells].map(({ textContent }) => textContent),
  );
const factsOf = (step: string) =>
  new Map(
    [...document.querySelectorAll(`#step-${step} .facts div`)].map((row) => [
      row.querySelector("dt")!.textContent,
      row.querySelector("dd")!.textContent,
    ]),
  );

const { loseDevice } = withDevicesToLose();

beforeAll(async () => {
  await openKernelsPage();
  await vi.waitUntil(() => !runButton().disabled, { timeout: 110_000 });
}, 120_000);

test("it knows the adapter, and chose a convolution that a slow one computes", () => {
  expect(text("#adapter")).toMatch(/software/);
  expect(find<HTMLSelectElement>("#run-form select").value).toBe("tiny");
  expect(program("1-naive").value).toContain("sum += pixel * f32(weight[");
  expect(text("#step-1-naive .prelude pre")).toContain("const KH = 3;");
  expect(factsOf("1-naive").get("Multiply-adds for each load")).toBe("0.5");
  expect(factsOf("5-shared").get("Barriers")).toMatch(/^\d+$/);
});

test("it stops when asked to, and can be run again", { timeout: 120_000 }, async () => {
  await userEvent.click(runButton());
  await says("#run-phase", /./);
  await userEvent.click(find("#run-form [name=stop]"));
  await says("#run-status", /^Stopped\.$/);
  expect(runButton().disabled).toBe(false);
  expect(find("#results").hidden).toBe(true);
});

describe("a run", () => {
  beforeAll(async () => {
    await userEvent.click(runButton());
    await says("#run-phase", /timing, turn 1/);
    loseDevice(); // in the middle: it begins again by itself
    await says("#run-status", /steps are right/);
  }, 240_000);

  test("goes on after the device was lost", () => {
    expect(text("#run-status")).toMatch(/^All \d+ steps are right\. .* The device was lost meanwhile/);
  });

  test("every step is right, and has a time and a share of the ceiling", () => {
    const names = rows().map(([name]) => name);
    for (const name of ["1-naive", "2-tiled", "3-blocked", "5-shared", "6-prefetch"]) {
      expect(names).toContain(name);
    }
    const gradients = ["weight-grad-naive", "weight-grad", "weight-grad-shared", "weight-grad-rolling"];
    for (const name of gradients) expect(names).toContain(name);
    for (const [name, , gflops, share, time, speedUp, result] of rows()) {
      expect(result, name).toBe("right");
      expect(Number(gflops), name).toBeGreaterThan(0);
      expect(Number.parseFloat(share), name).toBeGreaterThan(0);
      expect(Number.parseFloat(share), name).toBeLessThan(120);
      expect(time, name).toMatch(/^[\d.,]+ (µs|ms|s)$/);
      expect(speedUp, name).toMatch(/^[\d.]+×$/);
      expect(factsOf(name).get("Largest difference"), name).toMatch(/^(0|\d\.\de-\d+)$/);
    }
    // GFLOP/s follow from the time: 2 * 16 * 16 * 9 * 32 * 32 operations.
    const [, , gflops, , time] = rows()[0];
    expect(Number(gflops) * Number.parseFloat(time)).toBeCloseTo(4.719, 1);
    const blocked = rows().find(([name]) => name === "3-blocked")!;
    expect(Number.parseFloat(blocked[5])).toBeGreaterThan(2);
  });

  test("says how it was timed and checked, and what the ceilings are", () => {
    expect(text("#results-note")).toMatch(/Multiply-adds in registers alone: [\d.]+ GFLOP\/s before/);
    expect(text("#results-note")).toMatch(/A copy of this size: [\d.]+ GB\/s/);
    expect(text("#results-note")).toMatch(
      /medians of \d runs in turns, after a warm-up, by (wall|the GPU's own clock)/,
    );
    expect(text("#results-note")).toMatch(/All values .* plain loops on the CPU in float64/);
  });

  test("its numbers can be copied and downloaded", async () => {
    const write = vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue();
    await userEvent.click(find("#results [name=copy]"));
    const [[markdown]] = write.mock.calls;
    expect(markdown).toMatch(/^## 16 → 16 channels, 3×3, 32 × 32\n\n- Adapter: .*software/);
    expect(markdown).toContain(`- Browser: ${navigator.userAgent}`);
    expect(markdown.match(/^\| (\d-|weight-grad)/gm)?.length).toBe(rows().length);

    const createUrl = vi.spyOn(URL, "createObjectURL");
    const click = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => {});
    await userEvent.click(find("#results [name=download]"));
    expect(click).toHaveBeenCalledOnce();
    const json = JSON.parse(await (createUrl.mock.calls[0][0] as Blob).text());
    expect(json).toMatchObject({ format: 1, layer: { id: "tiny" }, card: { software: true } });
    expect(json.steps.length).toBe(rows().length);
    vi.restoreAllMocks();
  });
});

test("results and edits that are there change their language; a report stays English", {
  timeout: 120_000,
}, async () => {
  await userEvent.selectOptions(find("#language"), "de");
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
  const inGerman = lessonTexts();

  await userEvent.selectOptions(find("#language"), "en");
  await says("#run-status", /^All \d+ steps are right\./);
  expect(text("#step-1-naive .outcome")).toMatch(/^Wrong\. .* at picture 0, channel \d+/);
  expect(text("#step-3-blocked .outcome")).toMatch(/^Right, within/);
  expect(text("#step-2-tiled .outcome")).toMatch(/^It does not compile/);
  expect(text("#report-status")).toBe("Copied.");
  expect(program("2-tiled").value).toContain("fn main(;"); // edits stay
  const inEnglish = lessonTexts();
  expect([...inEnglish].filter((text) => inGerman.has(text) && !isName(text))).toEqual([]);
  for (const step of ["1-naive", "2-tiled", "3-blocked"]) await reset(step);
});

describe("an edited program", { timeout: 120_000 }, () => {
  test("that does not compile: the error, at its line", async () => {
    edit("1-naive", "sum += pixel *", "sum += pixl *");
    const line =
      program("1-naive")
        .value.split("\n")
        .findIndex((each) => each.includes("pixl")) + 1;
    expect(await tryOut("1-naive")).toMatch(new RegExp(`does not compile.*Line ${line} .*pixl`, "s"));
    expect(text("#step-1-naive .line-numbers .wrong")).toBe(`${line}`);
    await userEvent.click(find("#step-1-naive .problems button"));
    const { value, selectionStart, selectionEnd } = program("1-naive");
    expect(value.slice(selectionStart, selectionEnd)).toMatch(/^sum \+= pixl/);
    await reset("1-naive");
    expect(program("1-naive").value).toContain("sum += pixel *");
  });

  test("in a loop that is written out, too", async () => {
    edit("3-blocked", "sums[o * PIXELS + i] += w", "sums[o * PIXELS + i] += ww");
    const line =
      program("3-blocked")
        .value.split("\n")
        .findIndex((each) => each.includes("+= ww")) + 1;
    expect(await tryOut("3-blocked")).toMatch(new RegExp(`Line ${line} `));
    await reset("3-blocked");
  });

  test("that computes something wrong: how much and where, and no time", async () => {
    edit("1-naive", "element(sum)", "element(select(sum, 0.0, o == 2u && row == 3u && column == 5u))");
    const said = await tryOut("1-naive");
    expect(said).toMatch(
      /^Wrong\. The largest difference is [\d.]+ % .* channel 2, row 3, column 5: 0 in place of -?\d/,
    );
    expect(said).toMatch(/was not timed/);
    expect(said).not.toMatch(/GFLOP/);
    await reset("1-naive");
  });

  test("that leaves values out: what nobody wrote is no number", async () => {
    edit("1-naive", "if (column >= p.ow", "if (column == 7u || column >= p.ow");
    expect(await tryOut("1-naive")).toMatch(/^Wrong\. There are values that are no numbers.*column 7: NaN/);
    await reset("1-naive");
  });

  test("that asks for another buffer, or has none of its own", async () => {
    edit("1-naive", "read> bias: array<element>", "read> biases: array<element>");
    edit("1-naive", "bias[o]", "biases[o]");
    expect(await tryOut("1-naive")).toMatch(/cannot be launched.*the buffer for biases is missing/);
    await reset("1-naive");
  });

  test("of a weight gradient, wrong and right", async () => {
    edit("weight-grad-naive", "column++", "column += 2u");
    expect(await tryOut("weight-grad-naive")).toMatch(
      /^Wrong\. .*output channel \d+, input channel \d+, row \d and/,
    );
    await reset("weight-grad-naive");
    edit("weight-grad-naive", "sum += pixel * dy[", "sum = sum + pixel * dy[");
    expect(await tryOut("weight-grad-naive")).toMatch(/^Right, within /);
    await reset("weight-grad-naive");
  });

  test("that is right: it is timed in turns with the step as it was", async () => {
    edit("3-blocked", "var sums:", "var sums :");
    const said = await tryOut("3-blocked");
    expect(said).toMatch(/^Right, within [\d.e-]+ of the largest value\. [\d.]+ (µs|ms), [\d.]+ GFLOP\/s/);
    expect(said).toMatch(/(as fast as the step was|its time) \([\d.]+ (µs|ms), in turns with it\)/);
    await reset("3-blocked");
    expect(text("#step-3-blocked .outcome")).toBe("");
  });
});

describe("what the page suggests to try does what it says", { timeout: 120_000 }, () => {
  const swap = (step: string, change: (body: string) => string) => {
    const body = program(step).value;
    const changed = change(body);
    expect(changed).not.toBe(body);
    edit(step, body, changed);
  };
  const block = (body: string, head: string) => {
    const start = body.indexOf(head);
    const indent = /( *)$/.exec(body.slice(0, start))![1];
    const end = body.indexOf(`\n${indent}}\n`, start) + indent.length + 3;
    return body.slice(start, end);
  };

  test.each<[step: string, change: (body: string) => string, outcome: RegExp]>([
    [
      "1-naive",
      (body) => body.replace("column = id.x; let row = id.y", "column = id.y; let row = id.x"),
      /^Right/,
    ],
    ["1-naive", (body) => body.replace(/.*if \(row < 0 .*\n/, ""), /^Wrong/],
    [
      "2-tiled",
      (body) => body.replace(/(workgroupBarrier[\s\S]*?) *workgroupBarrier\(\);\n/, "$1"),
      /^(Right|Wrong)/,
    ],
    ["3-blocked", (body) => body.replace(/ \/\/ @unroll(\n *sums\[o \* PIXELS \+ i\] \+=)/, "$1"), /^Right/],
    [
      "5-shared",
      (body) =>
        body.replace(/(sums\[\S+ \* ROWS \+ row\]) \+= w \* (under\[.*?\]);/, "$1 = fma(w, vec4f($2), $1);"),
      /^Right/,
    ],
    [
      "6-prefetch",
      (body) => {
        const loading = block(body, "if (first_c < p.c) {");
        const computing = block(body.slice(body.indexOf(loading)), "if (turn > 0) {");
        return body.replace(loading, "").replace(computing, `${computing}    ${loading}`);
      },
      /^Right/,
    ],
  ])("%s", async (step, change, outcome) => {
    swap(step, change);
    expect(await tryOut(step)).toMatch(outcome);
    await reset(step);
  });

  test("4-broadcast, where there are subgroups", async ({ skip }) => {
    if (find("#step-4-broadcast .program").hidden) skip("This adapter has none of one size.");
    swap("4-broadcast", (body) => body.replaceAll("(kx * CHANNELS + o) % LANES)", "0)"));
    expect(await tryOut("4-broadcast")).toMatch(/^Wrong/);
    await reset("4-broadcast");
  });
});

test("the drawings count what the estimate counts", async () => {
  for (const [step, most] of [
    ["1-naive", 0.5],
    ["3-blocked", 6.6],
  ] as const) {
    const figure = find(`#step-${step} .animation`);
    const count = () => figure.querySelector(".count")!.textContent;
    const frames = Number(/\/(\d+)/.exec(count())![1]);
    while (!count().startsWith(`${frames}/`)) await userEvent.click(figure.querySelectorAll("button")[2]);
    expect(count()).toMatch(new RegExp(`: ${most}\\d* each$`));
    expect(Number(factsOf(step).get("Multiply-adds for each load"))).toBeCloseTo(most, 1);
  }
});

test("another convolution has other constants, and the edit stays", async () => {
  edit("1-naive", "// A pixel of the input", "// My pixel");
  await userEvent.selectOptions(find("#run-form select"), "srcnn");
  await says("#step-1-naive .prelude pre", /const KH = 9;/);
  expect(program("1-naive").value).toContain("// My pixel");
  expect(find("#results").hidden).toBe(true);
});
