/** What the AbortSignal of another realm is here: of no class that this one knows, such as a frame's or jsdom's. */
export class ForeignController {
  readonly signal = new ForeignSignal();

  abort(reason: unknown): void {
    this.signal.aborted = true;
    this.signal.reason = reason;
    this.signal.dispatchEvent(new Event("abort"));
  }
}

class ForeignSignal extends EventTarget implements AbortSignal {
  aborted = false;
  reason: unknown;
  onabort = null;

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }
}
