/** A worker's side of its page: which tasks wait for which, how they end, and what is handed over. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { handOver, type Performers, serveTasks } from "../../site/serve-tasks.ts";

interface Task {
  input: string;
  event: string;
  result: object;
}

interface Tasks {
  tensors: Task;
  file: Task;
}

type Send = { id: number; task: keyof Tasks; input: string } | { abort: number };

let page: EventTarget;
let answers: { id: number }[];
let transfers: Transferable[][];

beforeEach(() => {
  [page, answers, transfers] = [new EventTarget(), [], []];
  vi.stubGlobal("self", page);
  vi.stubGlobal("postMessage", (message: { id: number }, { transfer }: { transfer: Transferable[] }) => {
    answers.push(message);
    transfers.push(transfer);
  });
});
afterEach(() => vi.unstubAllGlobals());

function send(message: Send): void {
  page.dispatchEvent(new MessageEvent("message", { data: message }));
}

/** Serves tasks that end when the test says so, unless it brings others. */
function serveSlowly(others: Partial<Performers<Tasks>> = {}) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const perform: Performers<Tasks>["file"] = async (input) => {
    begun.push(input);
    await new Promise<void>((resolve) => ends.set(input, resolve));
    return {};
  };
  serveTasks<Tasks, "tensors">({ tensors: others.tensors ?? perform }, { file: others.file ?? perform });
  return { begun, end: (input: string) => ends.get(input)!() };
}

const settle = () => new Promise((resolve) => setTimeout(resolve));

test("tasks with tensors wait for each other, and others do not", async () => {
  const { begun, end } = serveSlowly();
  send({ id: 1, task: "tensors", input: "first" });
  send({ id: 2, task: "tensors", input: "second" });
  send({ id: 3, task: "file", input: "file" });
  await settle();
  expect(begun).toEqual(["file", "first"]);
  end("first");
  await settle();
  expect(begun).toEqual(["file", "first", "second"]);
  expect(answers).toEqual([{ id: 1, result: {} }]);
});

test("what a task leaves is waited for by the next one, and not by its own result", async () => {
  let endLeftover = () => {};
  const begun: string[] = [];
  serveSlowly({
    async tensors(input, { leave }) {
      begun.push(input);
      leave(new Promise<void>((resolve) => (endLeftover = resolve)));
      return {};
    },
  });
  send({ id: 1, task: "tensors", input: "first" });
  send({ id: 2, task: "tensors", input: "second" });
  await settle();
  expect([begun, answers]).toEqual([["first"], [{ id: 1, result: {} }]]);
  endLeftover();
  await settle();
  expect(begun).toEqual(["first", "second"]);
});

test("a long task takes turns with those that work with tensors, also after a turn that fails", async () => {
  const turns: string[] = [];
  const { begun, end } = serveSlowly({
    async file(_, { inTurn }) {
      await inTurn(async () => Promise.reject(new Error("no frame"))).catch(() => turns.push("failed"));
      await inTurn(async () => turns.push("frame"));
      return {};
    },
  });
  send({ id: 1, task: "tensors", input: "first" });
  send({ id: 2, task: "file", input: "video" });
  await settle();
  expect([begun, turns]).toEqual([["first"], []]);
  end("first");
  await settle();
  expect(turns).toEqual(["failed", "frame"]);
});

test("an abort ends what has not begun at once, and it does not begin later", async () => {
  const { begun, end } = serveSlowly();
  send({ id: 1, task: "tensors", input: "first" });
  send({ id: 2, task: "tensors", input: "second" });
  await settle();
  send({ abort: 2 });
  await settle();
  const stopped = { id: 2, error: expect.objectContaining({ name: "AbortError" }) };
  expect(answers).toEqual([stopped]);
  end("first");
  await settle();
  send({ abort: 2 });
  send({ id: 3, task: "tensors", input: "third" });
  await settle();
  expect(begun).toEqual(["first", "third"]);
  expect(answers).toEqual([stopped, { id: 1, result: {} }]);
});

test("an abort ends what has begun when that says so, and only the page's own is called one", async () => {
  const untilAborted: Performers<Tasks>["tensors"] = (_, { signal }) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("half done"))));
  serveTasks<Tasks, "tensors">(
    { tensors: untilAborted },
    { file: async () => Promise.reject(new DOMException("The device is gone.", "AbortError")) },
    ({ message }) => ({ name: "DeviceLostError", message }),
  );
  send({ id: 1, task: "tensors", input: "first" });
  await settle();
  send({ abort: 1 });
  send({ id: 2, task: "file", input: "" });
  await settle();
  expect(answers).toContainEqual({ id: 1, error: { name: "AbortError", message: "half done" } });
  expect(answers).toContainEqual({
    id: 2,
    error: { name: "DeviceLostError", message: "The device is gone." },
  });
});

test("what is handed over is not copied, in results and in events", async () => {
  const [inEvent, inResult] = [new ArrayBuffer(1), new ArrayBuffer(2)];
  serveSlowly({
    async file(_, { report }) {
      report(handOver({ part: inEvent }, [inEvent]) as never);
      return handOver(inResult);
    },
  });
  send({ id: 1, task: "file", input: "" });
  await settle();
  expect(answers).toEqual([
    { id: 1, event: { part: inEvent } },
    { id: 1, result: inResult },
  ]);
  expect(transfers).toEqual([[inEvent], [inResult]]);
});
