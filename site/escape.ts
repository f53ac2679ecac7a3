/** Escape as a way to stop what runs. */

/** Kinds of fields that Escape does nothing to. */
const PLAIN = ["button", "checkbox", "file", "radio", "range", "submit"];

/**
 * Calls `stop` at Escape, as long as `button`, which stops, too, can be seen: what runs in a hidden tab goes on. Not if
 * Escape was for something else: for a field in which somebody types or chooses, other than `startedFrom()`, or for
 * what has prevented the event's default.
 */
export function onEscape(
  button: HTMLElement,
  stop: () => void,
  startedFrom: () => Element | undefined = () => undefined,
): void {
  document.addEventListener("keydown", ({ key, target, defaultPrevented }) => {
    if (key !== "Escape" || defaultPrevented || button.getClientRects().length === 0) return;
    if (target === startedFrom() || !isField(target)) stop();
  });
}

function isField(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return !PLAIN.includes(target.type);
  return target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}
