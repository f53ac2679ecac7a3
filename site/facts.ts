/** Fills a list of terms and values, and shows it. */
export function showFacts(list: HTMLElement, facts: Readonly<Record<string, string>>): void {
  const items = Object.entries(facts).map(([term, value]) => {
    const item = document.createElement("div");
    const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
    dt.textContent = term;
    dd.textContent = value;
    item.append(dt, dd);
    return item;
  });
  list.replaceChildren(...items);
  list.hidden = false;
}
