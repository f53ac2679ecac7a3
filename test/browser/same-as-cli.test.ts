/** What the page gives for files of many kinds is what the command line gives: samples, profiles, metadata. */
import { unzipSync } from "fflate";
import { beforeAll, expect, inject, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { decodePng } from "../../site/pictures/decode-png.ts";
import { inflate } from "../../site/pictures/inflate.ts";
import { english } from "../../site/sentences/english.ts";
import { sentences } from "../../site/sentences/list.ts";
import { chooseMethod, clickMain, downloaded, find, giveFile, openPage, statusLine } from "./page.ts";

// It needs Node's Buffer, which page.ts brings.
const { pngMetadata } = await import("../../src/formats/metadata-of-png.ts");

const results = inject("cliResults");
const network = inject("nodeResult").weights;

/** From the page's archive, by the names of the originals. */
async function enlargedByPage(suffix: RegExp): Promise<Map<string, Uint8Array>> {
  const files = results.map(({ name, input }) => new File([Uint8Array.from(input)], name));
  await userEvent.upload(find("#chooser input"), files);
  await vi.waitFor(() => expect(document.querySelectorAll(".queue li").length).toBe(files.length));
  await clickMain("upscale");
  await statusLine("upscale", new RegExp(`^Done: ${files.length} pictures`));
  const { file, name } = await downloaded("#panel-upscale [name=zip]");
  expect(name).toBe("pixelgrad.zip");
  const entries = unzipSync(new Uint8Array(await file.arrayBuffer()));
  const fileOf = (name: string) => {
    const stem = name.replace(/\.[^.]*$/, "");
    return Object.keys(entries).find(
      (entry) => entry.startsWith(stem) && suffix.test(entry.slice(stem.length)),
    )!;
  };
  return new Map(results.map(({ name }) => [name, entries[fileOf(name)]] as const));
}

async function expectSame(page: Uint8Array, cli: Uint8Array, tolerance: number): Promise<void> {
  const [got, wanted] = [await decodePng(page), await decodePng(cli)];
  const { data, ...shape } = got.image;
  const { data: wantedData, ...wantedShape } = wanted.image;
  expect(shape).toEqual(wantedShape);
  expect(data.constructor).toBe(wantedData.constructor);
  let most = 0;
  for (let i = 0; i < data.length; i++) most = Math.max(most, Math.abs(data[i] - wantedData[i]));
  expect(most).toBeLessThanOrEqual(tolerance);
  expect(new Set(data).size).toBeGreaterThan(20);
  expect(pngMetadata(page, got.icc, inflate)).toEqual(pngMetadata(cli, wanted.icc, inflate));
}

/** What the page says of the results in a format, besides how many there are. */
async function notesOfPage(format: string): Promise<string> {
  await userEvent.selectOptions(find("#panel-upscale [name=format]"), format);
  await downloaded("#panel-upscale [name=zip]");
  await userEvent.selectOptions(find("#panel-upscale [name=format]"), "png");
  return (await statusLine("upscale", /^Saved/)).replace(/^Saved \d+ pictures, .*? [kM]B\. /, "");
}

/** The same of what the command line says of each; `suffix` is how the page's names end. */
function notesOfCli(format: "jpeg" | "webp", suffix: string): string {
  const namesBy = new Map<string, string[]>();
  for (const { name, notes } of results) {
    for (const { text } of notes[format]) {
      // It has flags, and a canvas has 8 bits whatever the format holds.
      const note = text.replace(" (--alpha chooses)", "").replace(/ became 8: .*/, " became 8");
      namesBy.set(note, [...(namesBy.get(note) ?? []), name.replace(/\.[^.]*$/, suffix)]);
    }
  }
  return sentences([...namesBy].map(([note, names]) => english.noteOn(note, names)));
}

let notes: Record<"jpeg" | "webp", string>;
let bicubic: Map<string, Uint8Array>;
let sized: Map<string, Uint8Array>;
let own: Map<string, Uint8Array>;

beforeAll(async () => {
  await openPage();
  await chooseMethod("bicubic");
  bicubic = await enlargedByPage(/^-x2-bicubic\.png$/);
  notes = { jpeg: await notesOfPage("jpeg"), webp: await notesOfPage("webp") };
  await userEvent.click(find("[name=scale][value=size]"));
  await userEvent.fill(find("#panel-upscale [name=width]"), "100");
  sized = await enlargedByPage(/^-100x\d+-bicubic\.png$/);
  await userEvent.click(find("[name=scale][value='2']"));
  await giveFile(Uint8Array.from(network), "own.safetensors");
  await vi.waitFor(() =>
    expect(find<HTMLSelectElement>("[name=method]").selectedOptions[0].text).toBe("own ×2"),
  );
  own = await enlargedByPage(/^-x2-own\.png$/);
}, 240_000);

test.each(results)(
  "$name by interpolation: every sample, and what the file says",
  async ({ name, bicubic: wanted }) => {
    await expectSame(bicubic.get(name)!, Uint8Array.from(wanted), 0);
  },
);

test.each(results)("$name to a size in pixels: every sample", async ({ name, sized: wanted }) => {
  await expectSame(sized.get(name)!, Uint8Array.from(wanted), 0);
});

// Node's adapter may be another one, which rounds sums differently.
test.each(results)("$name by a network: within a level of 8 bits", async ({ name, network: wanted }) => {
  const isDeep = name.includes("16");
  await expectSame(own.get(name)!, Uint8Array.from(wanted), isDeep ? 64 : 1);
});

test.each([
  ["jpeg", "-x2-bicubic.jpg", /^Put on white: .* 16 bits per sample became 8 \(/],
  ["webp", "-x2-bicubic.webp", /16 bits per sample became 8 \(.*Without the text Comment: /],
] as const)("what results in %s lack", (format, suffix, some) => {
  const wanted = notesOfCli(format, suffix);
  expect(wanted).toMatch(some);
  expect(notes[format]).toBe(wanted);
});
