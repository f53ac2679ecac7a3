import { afterEach, describe, expect, it, vi } from "vitest";
import { formatDuration, Progress } from "../../src/report/progress.ts";

/** A stream that records what is written, and a clock that the test moves. */
function recorder({ isTTY = false, columns = 100 } = {}) {
  const written: string[] = [];
  const clock = { seconds: 0 };
  vi.spyOn(performance, "now").mockImplementation(() => clock.seconds * 1000);
  const stream = { isTTY, columns, write: (text: string) => written.push(text) };
  return { stream, written, clock, text: () => written.join("") };
}
afterEach(() => vi.restoreAllMocks());

/** What a terminal shows after `text`: \r goes back to the line's start, ESC [K clears the rest of it. */
function screen(text: string): string[] {
  const lines = [""];
  let column = 0;
  for (const [token] of text.replaceAll("\x1b[K", "⌫").matchAll(/[\r\n⌫]|[^\r\n⌫]+/g)) {
    const line = lines[lines.length - 1];
    if (token === "\r") column = 0;
    else if (token === "\n") column = lines.push("") * 0;
    else if (token === "⌫") lines[lines.length - 1] = line.slice(0, column);
    else {
      lines[lines.length - 1] = line.slice(0, column) + token + line.slice(column + token.length);
      column += token.length;
    }
  }
  return lines;
}

it("writes durations", () => {
  const cases: [number, string][] = [
    [0, "0s"],
    [7.4, "7s"],
    [59.6, "1m00s"],
    [65, "1m05s"],
    [3599.7, "1h00m"],
    [3725, "1h02m"],
    [86400 * 3 + 4 * 3600 + 59, "3d04h"],
    [-1, "0s"],
    [Number.NaN, "?"],
    [Number.POSITIVE_INFINITY, "?"],
  ];
  for (const [seconds, text] of cases) expect(formatDuration(seconds), `${seconds}`).toBe(text);
});

describe("Progress", () => {
  /** What a terminal of this width shows after 90 seconds and some of 30,000 steps. */
  const bar = (step: number, columns: number) => {
    const { stream, clock, text } = recorder({ isTTY: true, columns });
    const progress = new Progress({ total: 30_000, stream });
    clock.seconds = 90;
    progress.update(step, { loss: 0.0213, lr: 1e-4 });
    return screen(text())[0];
  };

  it("writes one line with everything, values with four digits", () => {
    const { stream, clock, text } = recorder();
    const progress = new Progress({ total: 30_000, stream });
    clock.seconds = 90;
    progress.update(900, { a: 0.021308, b: 0.02, c: 31.0249, d: 2.5e-5, e: 0, f: Number.NaN });
    expect(text()).toBe(
      "  3%    900/30000  10.0 steps/s  a 0.02131  b 0.02000  c 31.02  d 2.5e-5  e 0  f NaN  ETA 48m30s\n",
    );
  });

  it("writes ? for an unknown speed", () => {
    const { stream, text } = recorder();
    new Progress({ total: 10, stream }).update(0);
    expect(text()).toBe("  0%   0/10  ? steps/s  ETA ?\n");
  });

  it("has no speed before a step, and writes texts as they are", () => {
    const { stream, clock, text } = recorder();
    const progress = new Progress({ total: 10, start: 1, stream });
    clock.seconds = 1e-6;
    progress.update(1, { waiting: "< 1 %" });
    expect(text()).toBe(" 10%   1/10  ? steps/s  waiting < 1 %  ETA ?\n");
  });

  it("fills the bar as far as the run has come", () => {
    expect(bar(0, 200)).toMatch(/^░{30} /);
    expect(bar(15_000, 200)).toMatch(/^█{15}░{15} /);
    expect(bar(29_999, 200)).toMatch(/^█{29}░ /);
    expect(bar(30_000, 200)).toMatch(/^█{30} /);
    expect(bar(36_000, 200)).toMatch(/^█{30} /);
  });

  it("never fills the last column of the terminal", () => {
    const status = "  3%    900/30000  10.0 steps/s  loss 0.02130  lr 1e-4  ETA 48m30s";
    for (let columns = 1; columns < 200; columns++) {
      const line = bar(900, columns);
      expect(line.length).toBeLessThan(columns);
      const hasBar = columns >= status.length + 7;
      expect(hasBar ? line.replace(/^[█░]+ /, "") : line).toBe(status.slice(0, columns - 1));
      expect(line.includes("░")).toBe(hasBar);
    }
  });

  it("writes the end to a file once, however late it is", () => {
    const { stream, written, clock } = recorder();
    const progress = new Progress({ total: 2, stream });
    for (const step of [1, 2, 2]) {
      clock.seconds += 60;
      progress.update(step, {});
    }
    progress.done();
    expect(written.map((line) => line.slice(0, 4))).toEqual([" 50%", "100%"]);
  });

  it("writes a line every few seconds to a file", () => {
    const { stream, written, clock } = recorder();
    const progress = new Progress({ total: 100, stream });
    for (let step = 1; step <= 100; step++) {
      clock.seconds = step / 4;
      progress.update(step, { loss: 1 / step });
    }
    progress.done();
    progress.done();
    const steps = written.map((line) => Number(line.match(/(\d+)\/100/)?.[1]));
    expect(steps).toEqual([1, 21, 41, 61, 81, 100]);
    expect(written.every((line) => line.endsWith("\n"))).toBe(true);
    expect(written[1]).toBe(" 21%   21/100  4.00 steps/s  loss 0.04762  ETA 20s\n");
    expect(written[5]).toBe("100%  100/100  4.00 steps/s  loss 0.01000  took 25s\n");
    expect(written.join("")).not.toContain("\r");
    expect(written.join("")).not.toContain("\x1b");
  });

  it("redraws one line in a terminal, ten times a second at most", () => {
    const { stream, written, clock, text } = recorder({ isTTY: true });
    const progress = new Progress({ total: 1000, stream });
    for (let step = 1; step <= 1000; step++) {
      clock.seconds = step / 1000;
      progress.update(step, { loss: step < 500 ? 0.001 : 12345 });
    }
    expect(written.length).toBeLessThanOrEqual(11);
    expect(screen(text())).toHaveLength(1);
    progress.done();
    const [line, rest] = screen(text());
    expect(line).toBe(`${"█".repeat(30)} 100%  1000/1000  1000 steps/s  loss 1.235e+4  took 1s`);
    expect(rest).toBe("");
  });

  it("prints lines above the bar", () => {
    const { stream, clock, text } = recorder({ isTTY: true });
    const progress = new Progress({ total: 10, stream });
    clock.seconds = 1;
    progress.update(1);
    progress.log("PSNR 31.02 dB");
    clock.seconds = 2;
    progress.update(2);
    progress.done();
    progress.log("saved");
    const lines = screen(text());
    expect(lines).toHaveLength(4);
    expect(lines[0]).toBe("PSNR 31.02 dB");
    expect(lines[1]).toMatch(/^██████░+ {2}20%/);
    expect(lines.slice(2)).toEqual(["saved", ""]);
  });

  it("follows a change of speed, and forgets a slow start", () => {
    const { stream, written, clock } = recorder();
    const progress = new Progress({ total: 10_000, stream });
    const speed = () => Number(written[written.length - 1].match(/([\d.]+) steps/)?.[1]);
    clock.seconds = 30; // compiling shaders
    progress.update(1);
    expect(speed()).toBeLessThan(0.1);
    for (let step = 2; step <= 601; step++) {
      clock.seconds += 0.1;
      progress.update(step);
    }
    expect(speed()).toBeGreaterThan(9.5);
    expect(speed()).toBeLessThanOrEqual(10);
  });

  it("does not count steps done before a resumed run for the speed", () => {
    const { stream, clock, text } = recorder();
    const progress = new Progress({ total: 200, start: 100, stream });
    clock.seconds = 5;
    progress.update(110);
    expect(text()).toBe(" 55%  110/200  2.00 steps/s  ETA 45s\n");
  });

  it("works in a terminal of unknown width", () => {
    const { stream, clock, text } = recorder({ isTTY: true, columns: 0 });
    const progress = new Progress({ total: 10, stream });
    clock.seconds = 1;
    progress.update(5);
    expect(screen(text())[0]).toMatch(/^█{15}░{15} {2}50% .*ETA 1s$/);
  });

  it("counts other things than steps, and can leave no trace", () => {
    const { stream, clock, text } = recorder({ isTTY: true });
    const progress = new Progress({ total: 10, unit: "tiles", stream });
    clock.seconds = 1;
    progress.update(5);
    expect(screen(text())[0]).toContain("5/10  5.00 tiles/s");
    progress.clear();
    progress.done();
    expect(screen(text())).toEqual([""]);
  });

  it("refuses a run without steps", () => {
    expect(() => new Progress({ total: 0 })).toThrow(/step 0 of 0/);
    expect(() => new Progress({ total: 5, start: 6 })).toThrow(/step 6 of 5/);
  });
});
