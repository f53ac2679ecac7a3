/** What a page says at a moment, to be compared with what it says in another language. */
import { find } from "./page.ts";

/**
 * Texts, labels, hints and titles that are on show, each once and without spaces at its ends. What `whole` matches
 * counts as one text, and what `skip` matches is left out.
 */
export function textsOnShow({ whole, skip }: { whole?: string; skip?: string } = {}): string[] {
  const texts: string[] = [document.title, find("body").dataset.drop ?? ""];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT, (node) => {
    const element = node as HTMLElement;
    if (skip !== undefined && element.matches(skip)) return NodeFilter.FILTER_REJECT;
    return whole !== undefined && element.parentElement!.closest(whole)
      ? NodeFilter.FILTER_REJECT
      : NodeFilter.FILTER_ACCEPT;
  });
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node as HTMLElement;
    if (!element.checkVisibility()) continue;
    for (const name of ["aria-label", "title", "alt", "placeholder", "aria-valuetext"])
      texts.push(element.getAttribute(name) ?? "");
    if (whole !== undefined && element.matches(whole)) texts.push(element.textContent);
    else
      for (const child of element.childNodes)
        if (child.nodeType === Node.TEXT_NODE) texts.push(child.textContent!);
  }
  return texts.map((text) => text.trim().replace(/\s+/g, " ")).filter((text) => text !== "");
}
