/** A page's side of its worker: what becomes of tasks when the worker fails, is replaced, or answers late. */
import { expect, test, vi } from "vitest";
import { TaskEngine } from "../../site/task-engine.ts";

interface Tasks {
  double: { input: number; event: string; result: number };
}

type Sent = { id: number; task: "double"; input: number } | { abort: number };

/** Answers when the test wants it to. */
class FakeWorker extends EventTarget {
  readonly sent: Sent[] = [];
  isTerminated = false;

  postMessage(message: Sent): void {
    this.sent.push(message);
  }

  terminate(): void {
    this.isTerminated = true;
  }

  /** Answers the task that was sent at this place. */
  answer(at = 0): void {
    const task = this.sent[at];
    if ("abort" in task) throw new Error("That was no task.");
    this.dispatchEvent(new MessageEvent("message", { data: { id: task.id, result: 2 * task.input } }));
  }

  /** Reports progress of the first task. */
  tell(event: string): void {
    this.dispatchEvent(new MessageEvent("message", { data: { id: 0, event } }));
  }

  fail(message?: string): void {
    this.dispatchEvent(Object.assign(new Event("error", { cancelable: true }), { message }));
  }
}

class Engine extends TaskEngine<Tasks> {
  protected override sayFailed(reason?: string): string {
    return reason ?? "not loaded";
  }
}

function start(patience?: number): { engine: Engine; workers: FakeWorker[] } {
  const workers: FakeWorker[] = [];
  const engine = new Engine(() => {
    workers.push(new FakeWorker());
    const worker: EventTarget = workers.at(-1)!;
    return worker as Worker;
  }, patience);
  return { engine, workers };
}

test("tasks are answered, in any order", async () => {
  const { engine, workers } = start();
  const [one, two] = [engine.run("double", 1), engine.run("double", 2)];
  workers[0].answer(1);
  workers[0].answer(0);
  expect(await Promise.all([one, two])).toEqual([2, 4]);
  expect(workers.length).toBe(1);
});

test("a worker that fails ends all its tasks, and the next task starts another one", async () => {
  const { engine, workers } = start();
  const ended = vi.fn();
  engine.onEnd = ended;
  const [one, two] = [engine.run("double", 1), engine.run("double", 2)];
  expect(ended).not.toHaveBeenCalled();
  workers[0].fail("no memory");
  expect(ended).toHaveBeenCalledTimes(1);
  await expect(one).rejects.toMatchObject({ name: "WorkerError", message: "no memory" });
  await expect(two).rejects.toThrow("no memory");
  expect(workers[0].isTerminated).toBe(true);
  const three = engine.run("double", 3);
  workers[1].answer();
  expect(await three).toBe(6);
  const four = engine.run("double", 4);
  workers[1].fail(); // a file that does not load says nothing
  await expect(four).rejects.toThrow("not loaded");
});

test("a worker that does not answer an abort is replaced, and what it still says harms nobody", async () => {
  vi.useFakeTimers();
  try {
    const { engine, workers } = start(1000);
    const ended = vi.fn();
    engine.onEnd = ended;
    const control = new AbortController();
    const stuck = engine.run("double", 1, { signal: control.signal });
    control.abort();
    expect(workers[0].sent.at(-1)).toEqual({ abort: 0 });
    vi.advanceTimersByTime(1001);
    await expect(stuck).rejects.toMatchObject({ name: "AbortError" });
    expect(workers[0].isTerminated).toBe(true);
    expect(ended).toHaveBeenCalledTimes(1);
    const next = engine.run("double", 2);
    workers[0].answer();
    workers[0].fail("late");
    workers[1].answer();
    expect(await next).toBe(4);
    expect(workers[1].isTerminated).toBe(false);
  } finally {
    vi.useRealTimers();
  }
});

test("a task that is left at once rejects at once, and what still comes of it can be freed", async () => {
  const { engine, workers } = start();
  const control = new AbortController();
  const [onEvent, onLate] = [vi.fn(), vi.fn()];
  const left = engine.run("double", 1, { signal: control.signal, onEvent, onLate });
  control.abort();
  await expect(left).rejects.toMatchObject({ name: "AbortError" });
  const next = engine.run("double", 2, { onLate });
  workers[0].tell("half");
  workers[0].answer(0);
  workers[0].answer(2);
  expect(await next).toBe(4);
  expect(onEvent).not.toHaveBeenCalled();
  expect(onLate.mock.calls).toEqual([[{ event: "half" }], [{ result: 2 }]]);
});

test("a task whose signal was aborted before is aborted", async () => {
  const { engine, workers } = start();
  const run = engine.run("double", 1, { signal: AbortSignal.abort(), onLate() {} });
  await expect(run).rejects.toMatchObject({ name: "AbortError" });
  expect(workers[0].sent).toEqual([{ id: 0, task: "double", input: 1 }, { abort: 0 }]);
});
