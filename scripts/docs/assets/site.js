/** The menu on small screens, and the search. Pages are complete without it. */
const top_ = document.documentElement.dataset.top;
const button = document.querySelector(".menu");
const menu = document.querySelector("#menu");
button.addEventListener("click", () => {
  button.setAttribute("aria-expanded", String(menu.classList.toggle("open")));
});
const current = menu.querySelector("[aria-current]");
if (current) menu.scrollTop = current.offsetTop - menu.clientHeight / 2;

const input = document.querySelector(".search input");
const list = document.querySelector(".search ol");
let loading;

/** Loads the index when the search is first used. */
function load() {
  loading ??= (async () => {
    await script("assets/minisearch.js");
    const pages = await new Promise((resolve, reject) => {
      window.searchIndex = resolve;
      script("assets/search-index.js").catch(reject);
    });
    const index = new MiniSearch({
      fields: ["title", "headings", "text"],
      storeFields: ["title", "text"],
      // `conv2d()` and `Function: conv2d()` are found as conv2d.
      searchOptions: { boost: { title: 5, headings: 2 }, prefix: true, fuzzy: 0.15, combineWith: "AND" },
    });
    index.addAll(pages);
    return index;
  })();
  return loading;
}

function script(path) {
  return new Promise((resolve, reject) => {
    const element = document.createElement("script");
    element.src = top_ + path;
    element.onload = resolve;
    element.onerror = () => reject(new Error(`${path} could not be loaded.`));
    document.head.append(element);
  });
}

async function search() {
  const index = await load();
  const words = input.value.trim();
  const results = words ? index.search(words).slice(0, 12) : [];
  list.replaceChildren(
    ...results.map(({ id, title, text }) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      const extract = document.createElement("small");
      link.href = top_ + id;
      link.textContent = title;
      extract.textContent = text.slice(0, 160);
      link.append(extract);
      item.append(link);
      return item;
    }),
  );
  if (words && results.length === 0) list.textContent = "Nothing found.";
  list.hidden = !words;
}

input.addEventListener("focus", load);
input.addEventListener("input", search);
input.addEventListener("keydown", (event) => {
  if (event.key === "Enter") list.querySelector("a")?.click();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !/input|textarea/i.test(event.target.tagName)) {
    event.preventDefault();
    input.focus();
  }
  if (event.key === "Escape") list.hidden = true;
});
document.addEventListener("click", (event) => {
  if (!event.target.closest(".search")) list.hidden = true;
});
