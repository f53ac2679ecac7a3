/** The lesson's start where something fails: it says what, and can be read, and run if only the proposal failed. */
import { beforeEach, expect, test, vi } from "vitest";
import html from "../../site/kernels/index.html?raw";
import type { ToWorker } from "../../site/task-engine.ts";
import { find, keepStorageApart } from "./page.ts";

type Message = ToWorker<Record<string, { input: unknown; event: unknown; result: unknown }>>;

const text = (selector: string) => find(selector).textContent;

/** Opens the page once more, with workers that answer so; `undefined`: their file does not load. */
async function open(answers: Readonly<Record<string, unknown>> | undefined): Promise<void> {
  class FakeWorker extends EventTarget {
    constructor() {
      super();
      if (!answers) setTimeout(() => this.dispatchEvent(new Event("error", { cancelable: true })));
    }

    postMessage(message: Message): void {
      if (!answers || "abort" in message) return;
      const answer = answers[message.task];
      const content = answer instanceof Error ? { error: answer } : { result: answer };
      setTimeout(() =>
        this.dispatchEvent(new MessageEvent("message", { data: { ...content, id: message.id } })),
      );
    }

    terminate(): void {}
  }
  vi.stubGlobal("Worker", FakeWorker);
  document.body.innerHTML = new DOMParser().parseFromString(html, "text/html").body.innerHTML;
  const opening = ++count;
  await import(/* @vite-ignore */ `/site/kernels/main.ts?opening=${opening}`);
}

let count = 0;
let unhandled: unknown[];

beforeEach(() => {
  keepStorageApart();
  unhandled = [];
  window.addEventListener("unhandledrejection", ({ reason }) => unhandled.push(reason));
});

test("a device that is lost while a convolution is proposed: the page can be used", async () => {
  await open({
    open: { adapter: "A card", software: false },
    describe: [],
    suggest: new Error("The device was lost."),
  });
  await vi.waitFor(() => expect(find<HTMLButtonElement>("#run-form [type=submit]").disabled).toBe(false));
  expect(find<HTMLButtonElement>("#train-form [type=submit]").disabled).toBe(false);
  expect(find("#no-webgpu").hidden).toBe(true);
  expect(text("#adapter")).toBe("A card");
  expect(unhandled).toEqual([]);
});

test("a worker that does not load is not called a lack of WebGPU, and all texts can be read", async () => {
  location.hash = "#training";
  await open(undefined);
  await vi.waitFor(() => expect(find("#panel-training").hidden).toBe(false));
  expect(find("#no-webgpu").hidden).toBe(true);
  expect(text("#adapter")).toBe("Not loaded");
  expect(text("#run-status")).toMatch(/^A file of this page could not be loaded, its worker\. Check the/);
  expect(find<HTMLButtonElement>("#run-form [type=submit]").disabled).toBe(true);
  expect(unhandled).toEqual([]);
  location.hash = "";
});

test("without WebGPU", async () => {
  await open({ open: new Error("This browser offers no WebGPU."), describe: [] });
  await vi.waitFor(() => expect(find("#no-webgpu").hidden).toBe(false));
  expect(text("#adapter")).toBe("No WebGPU");
  expect(text("#no-webgpu-reason")).toBe("This browser offers no WebGPU.");
});
