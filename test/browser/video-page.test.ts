/** The tab for video, as people use it: a file, what it becomes, the conversion, a pause, a stop, and watching. */
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { downloaded, find, openPage, says } from "./page.ts";
import { evenTimes, makeVideo, readVideo, type TestVideo } from "./test-video.ts";

const panel = "#panel-video";
const status = (wanted: RegExp) => says(`${panel} .task .status`, wanted);
const estimate = (wanted: RegExp) => says(`${panel} .estimate`, wanted);
const button = (name: string) => find<HTMLButtonElement>(`${panel} [name=${name}]`);
const main = () => find<HTMLButtonElement>(`${panel} .primary`);
const picker = window as Window & { showSaveFilePicker?: unknown };

async function openPanel(): Promise<void> {
  await userEvent.click(find("#tab-video"));
  await vi.waitFor(() => expect(main()).not.toBeNull(), { timeout: 20_000 });
}

/** A minute of video, which is still being converted when a test pauses or stops that. */
let minute: Blob;

/** Chooses a video, and waits until the page knows how long it takes. */
async function give(video: Blob | TestVideo, name = "clip.webm"): Promise<void> {
  const file = video instanceof Blob ? video : await makeVideo({ hasSound: false, ...video });
  await userEvent.upload(button("video"), new File([file], name, { type: file.type }));
  await says(`${panel} .estimate`, /^$|^Measuring/);
  await estimate(/^About/);
  await vi.waitFor(() => expect(main().disabled).toBe(false));
}

beforeAll(async () => {
  minute = await makeVideo({ times: evenTimes(1500), codec: "vp8", hasSound: false });
  await openPage();
  await openPanel();
  // The quickest one, so that the tests are quick in software, too.
  await userEvent.click(find(`${panel} details summary`));
  await vi.waitFor(() => expect(find<HTMLSelectElement>(`${panel} [name=method]`).length).toBeGreaterThan(3));
  await userEvent.selectOptions(find(`${panel} [name=method]`), "bicubic");
}, 60_000);

beforeEach(() => {
  picker.showSaveFilePicker = undefined; // the results are downloaded, unless a test says otherwise
});

afterEach(async () => {
  if (!find(`${panel} .player`).hidden) await userEvent.click(button("end"));
});

test("before anything long begins, it says what is in the file, what it becomes, and how long that takes", async () => {
  await give({ hasSound: true, times: evenTimes(50) });
  const facts = find(`${panel} .about`).textContent;
  for (const fact of ["64 × 48", "2.0 s", "Frames a second25", "VP9 in WebM", "Opus"])
    expect(facts).toContain(fact);
  const becomes = find(`${panel} .becomes`).textContent;
  expect(becomes).toMatch(/^64 × 48 becomes 128 × 96 pixels\. A file of about \d+ kB\./);
  expect(becomes).toMatch(/The sound \(Opus\) is copied unchanged\.$/);
  expect(await estimate(/^About/)).toMatch(/^About [\d.]+ s: [\d.]+ frames a second\.$/);
  expect(find(`${panel} .live`).textContent).toMatch(/^Watching: /);
  // A frame, and what the method makes of it.
  expect([...document.querySelectorAll(`${panel} .caption`)].map(({ textContent }) => textContent)).toEqual([
    "a frame",
    "enlarged by bicubic",
  ]);
});

test("another scale is measured anew", async () => {
  await give({});
  await userEvent.click(find(`${panel} [name=scale][value='4']`));
  expect(main().disabled).toBe(true);
  await says(`${panel} .becomes`, /becomes 256 × 192 pixels/);
  await vi.waitFor(() => expect(main().disabled).toBe(false), { timeout: 20_000 });
  await userEvent.click(find(`${panel} [name=scale][value='2']`));
  await says(`${panel} .becomes`, /becomes 128 × 96 pixels/);
});

test("a size that no encoder of the browser takes is told, and nothing is begun", async () => {
  await give({ width: 2000, height: 1500, times: [0, 0.1], codec: "vp8" });
  await userEvent.click(find(`${panel} [name=scale][value=size]`));
  await userEvent.fill(find(`${panel} [name=width]`), "16000");
  await says(`${panel} .becomes`, /This browser cannot write video of 16000 × 12000 pixels\./);
  expect(find(`${panel} .estimate`).textContent).toBe("");
  expect(main().disabled).toBe(true);
  await userEvent.click(find(`${panel} [name=scale][value='2']`));
});

test("converts, and hands the file out", async () => {
  await give({ times: evenTimes(20) }, "my clip.webm");
  await userEvent.click(main());
  expect(await status(/^Done/)).toMatch(/^Done: 20 frames in [\d.]+ s, \d+ kB\.$/);
  const { file, name } = await downloaded(`${panel} [name=download]`);
  expect(name).toBe("my clip-96p-bicubic.webm");
  const { frames } = await readVideo(file);
  expect(frames.length).toBe(20);
  expect([frames[0].width, frames[0].height]).toEqual([128, 96]);
});

test("“Best” is called by the network that a frame has chosen", async () => {
  const method = find<HTMLSelectElement>(`${panel} [name=method]`);
  await userEvent.selectOptions(method, "automatic");
  try {
    await give({ times: evenTimes(2) }, "short.webm");
    const caption = find(`${panel} .caption.after`).textContent;
    expect(caption).toMatch(/^enlarged by wren(?:-photo)?$/);
    await userEvent.click(main());
    await status(/^Done/);
    expect(find(`${panel} .caption.after`).textContent).toBe(caption);
    const { name } = await downloaded(`${panel} [name=download]`);
    expect(name).toBe(`short-96p-${caption.replace("enlarged by ", "")}.webm`);
  } finally {
    await userEvent.selectOptions(method, "bicubic");
  }
}, 120_000);

test("writes into the file that the user chooses, where a page can do that", async () => {
  await give({ times: evenTimes(20) });
  const folder = await navigator.storage.getDirectory();
  const handle = await folder.getFileHandle("chosen.webm", { create: true });
  picker.showSaveFilePicker = vi.fn(async () => handle);
  await userEvent.click(main());
  expect(await status(/^Done/)).toMatch(/Saved as “chosen\.webm”\.$/);
  expect(button("download").hidden).toBe(true);
  const { frames } = await readVideo(await handle.getFile());
  expect(frames.length).toBe(20);
});

test("whoever chooses no file has started nothing", async () => {
  await give({});
  picker.showSaveFilePicker = async () => {
    throw new DOMException("The user aborted a request.", "AbortError");
  };
  await userEvent.click(main());
  await vi.waitFor(() => expect(main().textContent).toBe("Convert"));
  expect(find(`${panel} .task .status`).textContent).toBe("");
  expect(button("pause").hidden).toBe(true);
});

test("pauses, goes on, and stops with a file that can be played", async () => {
  await give(minute);
  await userEvent.click(main());
  await status(/^\d+ frames, [\d.]+ a second: \d+ %/);
  await userEvent.click(button("pause"));
  const paused = await status(/^Paused after \d+ frames\.$/);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(find(`${panel} .task .status`).textContent).toBe(paused);
  expect(button("pause").textContent).toBe("Resume");
  await userEvent.click(button("pause"));
  await status(/^\d+ frames/);
  await userEvent.click(main());
  const text = await status(/^Stopped\./);
  const count = Number(/first (\d+) frames/.exec(text)![1]);
  expect(count).toBeLessThan(1500);
  const { file } = await downloaded(`${panel} [name=download]`);
  expect((await readVideo(file)).frames.length).toBe(count);
});

test("a file that comes during a conversion is refused, and what was changed is measured afterwards", async () => {
  await give(minute);
  await userEvent.click(main());
  await status(/^\d+ frames/);
  const file = await makeVideo({ hasSound: false });
  await userEvent.upload(button("video"), new File([file], "another.webm", { type: "video/webm" }));
  await says("#message", /A video is being converted\. Stop that first, or wait until it is done\./);
  await userEvent.click(find(`${panel} [name=scale][value='3']`));
  await new Promise((resolve) => setTimeout(resolve, 500)); // a change is measured sooner
  await status(/^\d+ frames, [\d.]+ a second: \d+ %/); // it goes on
  await userEvent.click(main());
  await status(/^Stopped\./);
  expect(find(`${panel} .about`).textContent).toContain("60.0 s");
  await vi.waitFor(() => expect(main().disabled).toBe(false), { timeout: 20_000 });
  expect(find(`${panel} .estimate`).textContent).toMatch(/^About/);
  await userEvent.click(find(`${panel} [name=scale][value='2']`));
});

/** Lets some of the messages to the worker go out later. Returns a function that ends that. */
function delayed(wanted: (message: Message) => boolean, ms: number): () => void {
  const post = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (message: Message, ...rest: object[]) {
    if (!message.input || !wanted(message)) return post.call(this, message, ...rest);
    // The page closes its own frame at once.
    const frame = message.input.frame?.clone();
    setTimeout(() => {
      post.call(this, { ...message, input: { ...message.input, ...(frame && { frame }) } });
      frame?.close();
    }, ms);
  };
  return () => {
    Worker.prototype.postMessage = post;
  };
}

interface Message {
  readonly task?: string;
  readonly input?: { readonly name?: string; readonly frame?: VideoFrame };
}

test("of two files that are chosen one after the other the later one stays, even if it is read first", async () => {
  const atOnce = delayed(({ input }) => input!.name === "first.webm", 1000);
  const slow = await makeVideo({ times: evenTimes(100), hasSound: false });
  const quick = await makeVideo({ width: 80, height: 60, hasSound: false });
  await userEvent.upload(button("video"), new File([slow], "first.webm", { type: "video/webm" }));
  await userEvent.upload(button("video"), new File([quick], "second.webm", { type: "video/webm" }));
  await says(`${panel} .about`, /80 × 60/);
  atOnce();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await estimate(/^About/);
  expect(find(`${panel} .about`).textContent).toContain("80 × 60");
});

test("another language, chosen during a conversion, leaves its buttons what they are", async () => {
  await give(minute);
  await userEvent.click(main());
  await status(/^\d+ frames/);
  await userEvent.click(button("pause"));
  await userEvent.selectOptions(find("#language"), "de");
  await vi.waitFor(() => expect(find("#tab-upscale").textContent).toBe("Vergrößern"));
  expect(main().textContent).toBe("Anhalten");
  expect(button("pause").textContent).toBe("Fortsetzen");
  await userEvent.click(button("pause"));
  expect(button("pause").textContent).toBe("Pause");
  await userEvent.click(main());
  await status(/^Angehalten\. Die Datei/);
  await vi.waitFor(() => expect(main().textContent).toBe("Umwandeln"));
  await userEvent.selectOptions(find("#language"), "en");
  await vi.waitFor(() => expect(main().textContent).toBe("Convert"));
});

test("pictures can be enlarged while a video is converted", async () => {
  await give(minute);
  await userEvent.click(main());
  await status(/^\d+ frames/);
  expect([button("watch").disabled, button("camera").disabled]).toEqual([true, true]);
  await userEvent.click(find("#tab-upscale"));
  await userEvent.click(find("#panel-upscale [value=other]"));
  await userEvent.selectOptions(find("#panel-upscale [name=method]"), "bicubic");
  await userEvent.click(find("#panel-upscale .primary"));
  await says("#panel-upscale .task .status", /^Done/);
  await userEvent.click(find("#tab-video"));
  await userEvent.keyboard("{Escape}");
  await status(/^Stopped\./);
  await vi.waitFor(() =>
    expect([button("watch").disabled, button("camera").disabled]).toEqual([false, false]),
  );
});

test.each([
  ["text.mp4", new Blob(["no video"]), /^text\.mp4 is no video that this page can read\./],
  ["empty.webm", new Blob([]), /^empty\.webm is empty\./],
])("%s gives one clear message", async (name, content, wanted) => {
  await userEvent.upload(button("video"), new File([content], name));
  await status(wanted);
});

test("a video that is dropped anywhere opens the tab", async () => {
  await userEvent.click(find("#tab-upscale"));
  const file = await makeVideo({ hasSound: false });
  const data = new DataTransfer();
  data.items.add(new File([file], "dropped.webm", { type: "video/webm" }));
  document.dispatchEvent(new DragEvent("drop", { dataTransfer: data, cancelable: true, bubbles: true }));
  await vi.waitFor(() => expect(find(panel).hidden).toBe(false));
  await estimate(/^About/);
});

test("of several videos the first is opened, and that is said", async () => {
  await give({});
  const data = new DataTransfer();
  for (const [width, name] of [
    [96, "one.webm"],
    [112, "two.webm"],
  ] as const) {
    data.items.add(new File([await makeVideo({ width, hasSound: false })], name, { type: "video/webm" }));
  }
  document.dispatchEvent(new DragEvent("drop", { dataTransfer: data, cancelable: true, bubbles: true }));
  await says(`${panel} .about`, /96 × 48/);
  await says("#message", /Only the first video is opened, one\.webm\./);
});

// It depends on when the browser hands frames out, which on a busy machine may be late: then once more.
test("watching: frames are enlarged as they play, with a pause and another place", { retry: 3 }, async () => {
  await give({ times: evenTimes(100), hasSound: true });
  await userEvent.click(button("watch"));
  const canvas = find<HTMLCanvasElement>(`${panel} .player canvas`);
  await vi.waitFor(() => expect([canvas.width, canvas.height]).toEqual([128, 96]), { timeout: 30_000 });
  await says(`${panel} .player .rate`, /^[\d.]+ of 25 frames a second, \d+ ms behind$/);
  await userEvent.click(button("play"));
  await vi.waitFor(() => expect(button("play").textContent).toBe("Play"));
  const shown = () => [...canvas.getContext("2d")!.getImageData(0, 0, 128, 96).data].join();
  const before = shown();
  const position = find<HTMLInputElement>(`${panel} [name=position]`);
  // On a slow machine the video may have played nearly to its end: the other place must show another frame.
  const [there, elsewhere] = position.valueAsNumber < 2 ? ["3.5", "1"] : ["1", "3.5"];
  const goTo = (time: string) => {
    position.value = time;
    position.dispatchEvent(new Event("input"));
  };
  // Chromium now and then hands out no frame at the first place that a paused video is moved to.
  for (let tries = 0; tries < 5 && shown() === before; tries++) {
    if (tries > 0) goTo(elsewhere);
    await new Promise((resolve) => setTimeout(resolve, 200 * tries));
    goTo(there);
    await vi.waitFor(() => expect(shown()).not.toBe(before), { timeout: 6000 }).catch(() => {});
  }
  await vi.waitFor(() => expect(find(`${panel} .player .time`).textContent).toBe(`0:0${there[0]} of 0:04`));
  expect(shown()).not.toBe(before);
  // A frame that comes while another one is being enlarged is not forgotten. A place may show its frame in two
  // steps, the old one first.
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  let late = "";
  while (late !== shown()) {
    late = shown();
    await wait(1000);
  }
  const atOnce = delayed(({ task }) => task === "enlargeFrame", 1000);
  // Only if the frame elsewhere is there before the next place is chosen, it is shown.
  for (let tries = 0; tries < 5 && shown() === late; tries++) {
    for (const time of [elsewhere, there]) {
      position.value = time;
      position.dispatchEvent(new Event("input"));
      await wait(400 + 300 * tries);
    }
    await vi.waitFor(() => expect(shown()).not.toBe(late), { timeout: 3000 }).catch(() => {});
  }
  expect(shown()).not.toBe(late);
  await vi.waitFor(() => expect(shown()).toBe(late), { timeout: 20_000 });
  atOnce();
  await userEvent.click(button("end"));
  expect(find(`${panel} .player`).hidden).toBe(true);
  expect(document.querySelector("video")).toBeNull();
});

test("a camera's pictures are enlarged in the same way, and a refusal is told", async () => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [80, 60];
  const context = canvas.getContext("2d")!;
  const drawing = setInterval(() => {
    context.fillStyle = `hsl(${performance.now() % 360} 80% 50%)`;
    context.fillRect(0, 0, 80, 60);
  }, 40);
  const stream = canvas.captureStream();
  const getUserMedia = vi.spyOn(navigator.mediaDevices, "getUserMedia").mockResolvedValue(stream);
  await userEvent.click(button("camera"));
  const large = find<HTMLCanvasElement>(`${panel} .player canvas`);
  await vi.waitFor(() => expect([large.width, large.height]).toEqual([160, 120]), { timeout: 30_000 });
  await userEvent.click(button("end"));
  expect(stream.getTracks().every(({ readyState }) => readyState === "ended")).toBe(true);
  clearInterval(drawing);
  // The camera is on before the page sees that the form asks for no size.
  const again = canvas.captureStream();
  getUserMedia.mockResolvedValue(again);
  await userEvent.click(find(`${panel} [name=scale][value=size]`));
  await userEvent.fill(find(`${panel} [name=width]`), "");
  await userEvent.click(button("camera"));
  await vi.waitFor(() => expect(find(`${panel} .task .status.error`).textContent).not.toBe(""));
  expect(again.getTracks().every(({ readyState }) => readyState === "ended")).toBe(true);
  await userEvent.click(find(`${panel} [name=scale][value='2']`));
  getUserMedia.mockRejectedValue(new DOMException("Permission denied", "NotAllowedError"));
  await userEvent.click(button("camera"));
  await status(/^The browser did not let this page use a camera\./);
  getUserMedia.mockRestore();
});
