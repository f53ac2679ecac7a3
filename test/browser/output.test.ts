/** The part of the form that hands results out, with an engine that fails. */
import { expect, test, vi } from "vitest";
import type { Engine } from "../../site/engine.ts";
import html from "../../site/index.html?raw";
import { Output } from "../../site/output.ts";
import type { Result } from "../../site/queue.ts";
import { find } from "./page.ts";

test("formats that cannot be asked for are told of, and the next result asks again, until they are known", async () => {
  document.body.innerHTML = new DOMParser().parseFromString(html, "text/html").body.innerHTML;
  const run = vi.fn().mockRejectedValueOnce(new Error("No connection.")).mockResolvedValue(["png"]);
  const complain = vi.fn();
  const result = { id: 1, label: "espcn", name: "cup" } as Result;
  const events = { results: () => [result], say() {}, complain };
  const output = new Output(find("#panel-upscale .output"), { run } as Partial<Engine> as Engine, events);
  const formats = () => find<HTMLSelectElement>("#panel-upscale [name=format]").options.length;
  output.result = result;
  await vi.waitFor(() => expect(complain).toHaveBeenCalledExactlyOnceWith(new Error("No connection.")));
  expect(formats()).toBe(3);
  output.result = result;
  output.result = result;
  await vi.waitFor(() => expect(formats()).toBe(1));
  output.result = result;
  expect(run).toHaveBeenCalledTimes(2);
});
