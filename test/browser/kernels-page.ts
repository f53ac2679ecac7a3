/** The lesson on kernels in a test: how to open it, wait for what it says, and take its device away. */
import { vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import "../../site/kernels/style.css";
import html from "../../site/kernels/index.html?raw";
import { beforeWorkers } from "./before-workers.ts";
import { find, keepStorageApart, says } from "./page.ts";
import { textsOnShow } from "./texts.ts";

/** Loads the page into the window of the test file, so only once in each, and waits until it can be used. */
export async function openKernelsPage(): Promise<void> {
  await page.viewport(1280, 800);
  keepStorageApart();
  document.body.innerHTML = new DOMParser().parseFromString(html, "text/html").body.innerHTML;
  await import("../../site/kernels/main.ts");
  const editors = [...document.querySelectorAll<HTMLElement>(".editor")];
  await vi.waitUntil(() => editors.every((editor) => editor.querySelector("textarea")), { timeout: 10_000 });
}

/** Workers in which `loseDevice` destroys the device that was opened last, as a driver's crash would. */
export function withDevicesToLose(): { loseDevice(): void } {
  beforeWorkers(`
    const request = GPUAdapter.prototype.requestDevice;
    let last;
    GPUAdapter.prototype.requestDevice = async function (...options) {
      last = await request.apply(this, options);
      return last;
    };
    globalThis.testChannel = new BroadcastChannel("lose the device");
    globalThis.testChannel.onmessage = () => last?.destroy();
  `);
  const channel = new BroadcastChannel("lose the device");
  return { loseDevice: () => channel.postMessage("now") };
}

export const text = (selector: string) => find(selector).textContent;

/** The field with a step's program. */
export function program(step: string): HTMLTextAreaElement {
  return find<HTMLTextAreaElement>(`#step-${step} textarea`);
}

/** Replaces a piece of a step's program. */
export function edit(step: string, piece: string, by: string): void {
  const field = program(step);
  if (!field.value.includes(piece)) throw new Error(`Step ${step} has no ${piece}.`);
  field.value = field.value.replace(piece, by);
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
}

/** Runs a step's program as it is in the field, and returns what is said about it. */
export async function tryOut(step: string): Promise<string> {
  const button = find<HTMLButtonElement>(`#step-${step} .program .primary`);
  await userEvent.click(button);
  await vi.waitUntil(() => button.dataset.text === "runKernel" && !button.disabled, {
    timeout: 110_000,
  });
  return text(`#step-${step} .outcome`);
}

export async function reset(step: string): Promise<void> {
  await userEvent.click(find(`#step-${step} .program .primary + button`));
}

/** What has no language: numbers, units, steps and adapters by their names. */
const names = [
  /^[^\p{L}]*$/u, // no letters
  /^[\d.,]+ (µs|ms|s|GFLOP\/s)$/,
  /^[\d.,]+e-\d+$/,
  /^(\d-[a-z]+|weight-grad[a-z-]*|[abcd])$/,
  /^(pixelgrad|English|Deutsch|GFLOP\/s)$/,
];
/** Is a text a name, which is the same in all languages? */
export const isName = (text: string) => names.some((name) => name.test(text));

/**
 * What is on show. Programs and what a compiler says of them are in English; prose with code in it counts as one
 * text.
 */
export function lessonTexts(): Set<string> {
  return new Set(textsOnShow({ whole: "[data-prose], .outcome p", skip: "pre, .editor, .problems" }));
}

export { find, says };
