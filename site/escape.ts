/** Escape as a way to stop what runs. */

/** Fields in which people type or open a list: Escape means something there. */
const FIELDS = "select, textarea, input:not([type=checkbox], [type=radio], [type=range], [type=file])";

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
    const isField = target instanceof Element && target.matches(FIELDS);
    if (!isField || target === startedFrom()) stop();
  });
}
