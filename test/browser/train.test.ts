/** The tab that trains: the loss falls, a stopped network stays, and it can be used and saved. */
import { beforeAll, expect, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { parseSafetensors } from "../../src/nn/safetensors.ts";
import { pretrainedNames } from "../../src/upscale/method-names.ts";
import { clickMain, find, openPage, says, statusLine } from "./page.ts";

const steps = () => find<HTMLInputElement>("#panel-train [name=steps]");
const points = () => document.querySelector("#panel-train .mean")!.getAttribute("points")!.split(" ");

beforeAll(async () => {
  await openPage();
  await userEvent.click(find(".samples button:nth-child(2)"));
  await says("#picture-name", /^Boats/);
  await userEvent.click(find("#tab-train"));
});

test("60 steps on a photograph: the loss falls, and the network beats bicubic", {
  timeout: 120_000,
}, async () => {
  await userEvent.fill(steps(), "60");
  await clickMain("train");
  await statusLine("train", /^60 steps in/);
  expect(points().length).toBe(60);
  const [, percent] = /after 60 steps: ([\d.]+) % of bicubic's/.exec(
    document.querySelector("#panel-train .plot")!.getAttribute("aria-label")!,
  )!;
  expect(Number(percent)).toBeLessThan(103); // it begins at 106
  const [bicubic, network] = [...document.querySelectorAll("#panel-train .facts dd")].map((fact) =>
    Number.parseFloat(fact.textContent),
  );
  expect(bicubic).toBeCloseTo(29.06, 1);
  expect(network).toBeGreaterThan(bicubic + 0.1);
});

test("its weights are a weight file of pixelgrad", async () => {
  const createUrl = vi.spyOn(URL, "createObjectURL");
  const click = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => {});
  await userEvent.click(find("#panel-train [name=download]"));
  expect((click.mock.instances[0] as unknown as HTMLAnchorElement).download).toBe("tuned-x2.safetensors");
  const bytes = new Uint8Array(await (createUrl.mock.calls[0][0] as Blob).arrayBuffer());
  expect(parseSafetensors(bytes).metadata).toMatchObject({ architecture: "ESPCN", scale: "2" });
  vi.restoreAllMocks();
});

test("a stopped network keeps what it has learned, and can be trained further", async () => {
  await userEvent.selectOptions(find("#panel-train [name=start]"), "ESPCN tuned here ×2");
  await userEvent.fill(steps(), "5000");
  await clickMain("train");
  await statusLine("train", /^Step \d+ of 5000/);
  await clickMain("train");
  const line = await statusLine("train", /steps in/);
  expect(Number.parseInt(line, 10)).toBeLessThan(5000);
  // A new network, those of the library, and the two tuned ones.
  const count = 3 + pretrainedNames.length;
  await expect.poll(() => find<HTMLSelectElement>("#panel-train [name=start]").options.length).toBe(count);
});

test("enlarging with it is a click away", async () => {
  await userEvent.click(find("#panel-train [name=use]"));
  await expect.poll(() => find("#panel-train").hidden).toBe(true);
  await clickMain("upscale");
  await statusLine("upscale", /^Done in/);
  expect(find("#panel-upscale .caption.after").textContent).toBe("ESPCN tuned here ×2");
});
