/** Without WebGPU the lesson can be read: texts, drawings and programs, and why nothing runs. */
import { expect, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { beforeWorkers } from "./before-workers.ts";
import { find, openKernelsPage, program, says, text } from "./kernels-page.ts";

test("a message, and everything to read", async () => {
  beforeWorkers(`Object.defineProperty(navigator, "gpu", { value: undefined });`);
  await openKernelsPage();
  expect(find("#no-webgpu").hidden).toBe(false);
  expect(text("#no-webgpu-reason")).toMatch(/This browser offers no WebGPU/);
  await vi.waitUntil(() => document.querySelectorAll(".editor").length === 10);
  expect(program("6-prefetch").value).toContain("next_pixels");
  expect(document.querySelectorAll(".animation").length).toBe(10);
  for (const button of document.querySelectorAll<HTMLButtonElement>(
    "form [type=submit], .program .primary",
  )) {
    expect(button.disabled).toBe(true);
  }
  await userEvent.selectOptions(find("#language"), "de");
  await says("#adapter", /^Kein WebGPU$/);
  expect(text("#no-webgpu h2")).toBe("Hier kann nichts laufen: Dieser Browser hat kein WebGPU");
});
