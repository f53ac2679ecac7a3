/**
 * Shows a video enlarged while it plays. An element of the browser's plays it, with its sound; each frame that it
 * shows goes to the worker, unless the frame before is still there.
 */
import type { Engine } from "../engine.ts";
import { say as sayOnPage } from "../language.ts";
import type { Enlargement } from "../runs.ts";
import type { Size } from "../size.ts";
import { say } from "./language.ts";
import { clock, rateText } from "./texts.ts";

/** The rate on show is that of the last so many milliseconds. */
const RATE_OVER = 2000;

export interface PlayerEvents {
  onEnd(): void;
  onError(error: Error): void;
}

export interface Footage {
  readonly name: string;
  readonly source: Blob | MediaStream;
  /** Frames a second, if that is known. */
  readonly rate?: number;
}

export class Player {
  readonly #engine: Engine;
  readonly #events: PlayerEvents;
  readonly #root: HTMLElement;
  readonly #canvas: HTMLCanvasElement;
  readonly #play: HTMLButtonElement;
  readonly #mute: HTMLButtonElement;
  readonly #position: HTMLInputElement;
  readonly #time: HTMLElement;
  readonly #rate: HTMLElement;
  readonly #hint: HTMLElement;
  #video: HTMLVideoElement | undefined;
  #footage: Footage | undefined;
  #frames: Enlargement = { runs: [] };
  #isBusy = false;
  /** A frame came while another one was being enlarged. */
  #hasMissed = false;
  /** When frames were shown. */
  #showTimes: number[] = [];

  constructor(root: HTMLElement, engine: Engine, events: PlayerEvents) {
    this.#engine = engine;
    this.#events = events;
    this.#root = root;
    this.#canvas = root.querySelector("canvas")!;
    this.#play = root.querySelector("[name=play]")!;
    this.#mute = root.querySelector("[name=mute]")!;
    this.#position = root.querySelector("[name=position]")!;
    this.#time = root.querySelector(".time")!;
    this.#rate = root.querySelector(".rate")!;
    this.#hint = root.querySelector(".screen .hint")!;
    this.#play.addEventListener("click", () => this.#toggle());
    this.#mute.addEventListener("click", () => {
      if (this.#video) this.#video.muted = !this.#video.muted;
    });
    this.#position.addEventListener("input", () => {
      if (this.#video) this.#video.currentTime = this.#position.valueAsNumber;
    });
    const full = root.querySelector<HTMLButtonElement>("[name=full]")!;
    full.hidden = !document.fullscreenEnabled;
    full.addEventListener("click", () => {
      if (document.fullscreenElement) void document.exitFullscreen();
      else void root.requestFullscreen();
    });
    root.querySelector("[name=end]")!.addEventListener("click", () => this.close());
  }

  get isOpen(): boolean {
    return this.#video !== undefined;
  }

  /** How frames are enlarged from now on. */
  set frames(frames: Enlargement) {
    this.#frames = frames;
    if (this.#video) void this.#enlarge(this.#video);
  }

  /** Starts at once. */
  async open(footage: Footage, frames: Enlargement): Promise<void> {
    this.close();
    this.#frames = frames;
    this.#footage = footage;
    const { source, name } = footage;
    const video = document.createElement("video");
    video.ariaHidden = "true"; // it lies under the canvas: browsers give frames only of what is in sight
    video.tabIndex = -1;
    video.playsInline = true;
    const isLive = source instanceof MediaStream;
    if (isLive) video.srcObject = source;
    else video.src = URL.createObjectURL(source);
    this.#video = video;
    this.#canvas.before(video);
    this.#root.hidden = false;
    this.#showTimes = [];
    this.#canvas.hidden = true; // until the first frame is there
    this.#rate.textContent = "";
    this.#hint.hidden = false;
    this.#hint.textContent = sayOnPage.preparing;
    for (const control of [this.#position, this.#time, this.#mute]) control.hidden = isLive;
    for (const event of ["play", "pause", "volumechange", "timeupdate", "durationchange"] as const) {
      video.addEventListener(event, () => this.#render());
    }
    video.addEventListener("error", () => {
      if (this.#video !== video) return;
      this.close();
      this.#events.onError(new Error(say.cannotPlay(name)));
    });
    const next = () => {
      if (this.#video !== video) return;
      void this.#enlarge(video);
      video.requestVideoFrameCallback(next);
    };
    video.requestVideoFrameCallback(next);
    this.#render();
    // Where the browser wants a click for sound, the button is there.
    await video.play().catch(() => undefined);
    this.#render();
  }

  /**
   * Shows what the camera sees. `enlargementOf`: how frames of a size are enlarged; its RangeError says that they are
   * not.
   *
   * @throws Error with a sentence in the page's language if there is nothing to show
   */
  async openCamera(enlargementOf: (frame: Size) => Enlargement): Promise<void> {
    let source: MediaStream | undefined;
    try {
      const camera = { width: { ideal: 640 }, height: { ideal: 480 } };
      source = await navigator.mediaDevices.getUserMedia({ video: camera });
      const { width = 640, height = 480, frameRate } = source.getVideoTracks()[0].getSettings();
      const { runs, size } = enlargementOf({ width, height });
      await this.open({ name: say.cameraName, source, rate: frameRate }, { runs, size });
    } catch (error) {
      for (const track of source?.getTracks() ?? []) track.stop();
      const { name, message } = error as Error;
      const texts: Readonly<Record<string, string>> = {
        NotAllowedError: say.cameraRefused,
        NotFoundError: say.noCamera,
        RangeError: message,
      };
      throw new Error(texts[name] ?? say.cameraBusy(message));
    }
  }

  close(): void {
    const video = this.#video;
    if (!video) return;
    this.#video = undefined;
    video.pause();
    if (video.srcObject instanceof MediaStream) {
      for (const track of video.srcObject.getTracks()) track.stop();
      video.srcObject = null;
    } else {
      URL.revokeObjectURL(video.src);
      video.removeAttribute("src");
    }
    video.remove();
    this.#root.hidden = true;
    if (document.fullscreenElement === this.#root) void document.exitFullscreen();
    this.#events.onEnd();
  }

  /** In the page's language. */
  writeAgain(): void {
    this.#render();
  }

  #toggle(): void {
    if (this.#video?.paused) void this.#video.play();
    else this.#video?.pause();
  }

  /**
   * Enlarges the frame that the element shows, and shows the result; not while another one is being enlarged.
   * Then the next one will do if the video plays, and else this one is enlarged afterwards.
   */
  async #enlarge(video: HTMLVideoElement): Promise<void> {
    if (this.#isBusy) {
      this.#hasMissed = true;
      return;
    }
    if (video.videoWidth === 0 || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    this.#isBusy = true;
    this.#hasMissed = false;
    try {
      const frame = new VideoFrame(video);
      const frames = this.#frames;
      const enlarging = this.#engine.run("enlargeFrame", { frame, ...frames });
      frame.close(); // the worker has its own
      const { bitmap, ms, runs } = await enlarging;
      if (this.#video === video) this.#show(bitmap, ms);
      bitmap.close();
      // The first frame's choice of a network holds for all.
      if (this.#frames === frames) this.#frames = { ...frames, runs };
    } catch (error) {
      if (this.#video !== video) return;
      this.close();
      this.#events.onError(error as Error);
    } finally {
      this.#isBusy = false;
      if (this.#hasMissed && this.#video?.paused) void this.#enlarge(this.#video);
    }
  }

  #show(bitmap: ImageBitmap, ms: number): void {
    this.#hint.hidden = true;
    this.#canvas.hidden = false;
    const { width, height } = bitmap;
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      [this.#canvas.width, this.#canvas.height] = [width, height];
    }
    this.#canvas.getContext("2d")!.drawImage(bitmap, 0, 0);
    const now = performance.now();
    const recent = this.#showTimes.filter((time) => now - time < RATE_OVER);
    this.#showTimes = [...(recent.length > 1 ? recent : this.#showTimes.slice(-2)), now];
    if (this.#showTimes.length < 3 || this.#video!.paused) return;
    const rate = ((this.#showTimes.length - 1) / (now - this.#showTimes[0])) * 1000;
    const of = this.#footage!.rate;
    const text = say.shown(rateText(rate), of === undefined ? undefined : rateText(of));
    this.#rate.textContent = `${text}, ${say.late(Math.round(ms))}`;
  }

  #render(): void {
    const video = this.#video;
    if (!video) return;
    this.#play.textContent = video.paused ? say.play : say.pause;
    this.#mute.ariaPressed = `${video.muted}`;
    if (!Number.isFinite(video.duration)) return;
    this.#position.max = `${video.duration}`;
    this.#position.value = `${video.currentTime}`;
    this.#time.textContent = say.at(clock(video.currentTime), clock(video.duration));
    this.#position.setAttribute("aria-valuetext", this.#time.textContent);
  }
}
