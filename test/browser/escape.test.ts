/** Escape stops the task that is seen, and only if it is not for something else. */
import { beforeEach, expect, test } from "vitest";
import { userEvent } from "vitest/browser";
import { TaskControl } from "../../site/task-control.ts";
import { find } from "./page.ts";

let signals: AbortSignal[];

beforeEach(() => {
  signals = [];
  document.body.innerHTML = ["first", "second"]
    .map(
      (id) => `<section id="${id}"><form><input name="steps" type="number" value="3" /><input name="name" />
        <select><option>one</option></select><input name="quality" type="radio" />
        <div class="task"><button type="submit" data-text="train">Train</button><progress></progress>
        <p class="status"></p><p role="status"></p></div></form></section>`,
    )
    .join("");
  for (const id of ["first", "second"]) {
    const control = new TaskControl(find(`#${id} .task`), (signal) => untilAborted(signal));
    void control.run((signal) => untilAborted(signal));
  }
});

function untilAborted(signal: AbortSignal): Promise<void> {
  signals.push(signal);
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

const stopped = () => signals.map(({ aborted }) => aborted);

function press(selector: string): void {
  find(selector).dispatchEvent(
    new KeyboardEvent("keydown", { key: "Escape", bubbles: true, cancelable: true }),
  );
}

test("in the tab that is seen", () => {
  find("#second").hidden = true;
  press("body");
  expect(stopped()).toEqual([true, false]);
});

test("not from a field that somebody edits, nor where it meant something else", () => {
  for (const field of ["[name=name]", "[name=steps]", "select"]) press(`#first ${field}`);
  const open = find("#first .status");
  open.addEventListener("keydown", (event) => event.preventDefault());
  press("#first .status");
  expect(stopped()).toEqual([false, false]);
  press("#first [name=quality]");
  expect(stopped()).toEqual([true, true]);
});

test("from the field in which Enter has started the task", async () => {
  press("body");
  await new Promise((resolve) => setTimeout(resolve));
  find("#second").hidden = true;
  signals = [];
  await userEvent.click(find("#first [name=steps]"));
  await userEvent.keyboard("{Enter}");
  expect(stopped()).toEqual([false]);
  press("#first [name=name]");
  expect(stopped()).toEqual([false]);
  await userEvent.keyboard("{Escape}");
  expect(stopped()).toEqual([true]);
});
