/** The report needs no other file, and contains all of its specification. */
import { describe, expect, test } from "vitest";
import { decodeImage, type Image } from "../../src/data/index.ts";
import { htmlPage } from "../../src/report/page.ts";
import { linePlots } from "../../src/report/plot.ts";
import { noise } from "../data/support.ts";

const high = noise(64, 48, 3);
const low = noise(32, 24, 3);
const region = { x: 16, y: 12, width: 32, height: 24 };

const page = (title: string) =>
  htmlPage({
    title,
    lead: "33.00 dB",
    facts: [["Adapter", "a <b> & c"]],
    plots: [linePlots({ title: "Loss", panels: [{ title: "", xLabel: "x", yLabel: "y", series: [] }] })],
    rows: [
      {
        title: "boats",
        overview: { caption: "held out", image: high, region },
        panels: [
          { caption: "LR", image: low },
          { caption: "HR", image: high },
        ],
      },
    ],
    tables: [{ title: "Configuration", rows: [["steps", "1200"]] }],
  });

describe("a report", () => {
  test("refers to nothing outside itself, and runs nothing", async () => {
    const html = await page("EDSR x2");
    expect(html).toMatch(/^<!doctype html>/);
    const links = [...html.matchAll(/(?:src|href|url)\s*[=(]\s*"?([^"\s>]{0,30})/g)].map(([, link]) => link);
    expect(links).toHaveLength(3);
    for (const link of links) expect(link).toMatch(/^data:image\/png;base64,/);
    expect(html).not.toMatch(/<script|<link|@import|onload/);
    expect(html).toContain('<meta name="viewport" content="width=device-width');
  });

  test("escapes all texts", async () => {
    const html = await page('<script>alert("x")</script>');
    expect(html).toContain("<h1>&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;</h1>");
    expect(html).toContain("<dd>a &lt;b&gt; &amp; c</dd>");
    expect(html).toContain('<th scope="row">steps</th><td>1200</td>');
  });

  test("contains the whole picture with its mark, and the region in each version", async () => {
    const html = await page("EDSR x2");
    const pictures: Image[] = [];
    for (const [, png] of html.matchAll(/base64,([^"]+)"/g)) {
      pictures.push(await decodeImage(Buffer.from(png, "base64"), "a picture of the report"));
    }
    const sizes = pictures.map(({ width, height }) => [width, height]);
    // Enlarged by whole factors to fit 432 x 288, and 288 x 288.
    expect(sizes).toEqual([
      [384, 288],
      [288, 216],
      [288, 216],
    ]);
    expect(html).toContain("left:25.00%;top:25.00%;width:50.00%;height:50.00%");
    // The first pixel of the region, in HR's version and in LR's.
    const pixel = (image: Image, x: number, y: number) => {
      const at = (y * image.width + x) * image.channels;
      return [...image.data.subarray(at, at + 3)];
    };
    expect(pixel(pictures[2], 0, 0)).toEqual(pixel(high, 16, 12));
    expect(pixel(pictures[1], 0, 0)).toEqual(pixel(low, 8, 6));
  });
});
