/** For people who would rather that nothing moves by itself. */
export function prefersStillness(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** A bar for work whose length nobody knows yet: it moves to and fro, or it is empty. */
export function showUnknownProgress(bar: HTMLProgressElement): void {
  if (prefersStillness()) bar.value = 0;
  else bar.removeAttribute("value");
}
