// Asks the cell that is served, and walks through its IDs. Texts go in as text, never as markup.

const byId = (id) => document.getElementById(id);

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") node.addEventListener("click", value);
    else if (name === "share") node.style.setProperty("--share", `${(100 * value).toFixed(1)}%`);
    else node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

const counted = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;
const link = (text, what) => element("button", { type: "button", class: "link", onclick: () => explore(what) }, text);

async function fetched(path, parameters) {
  const response = await fetch(`api/${path}?${new URLSearchParams(parameters)}`);
  const value = await response.json();
  if (!response.ok) throw new Error(value.error);
  return value;
}

async function tried(work) {
  try {
    byId("status").textContent = "";
    await work();
  } catch (error) {
    byId("status").textContent = error.message;
  }
}

// The last code of an ID is the dedup counter, which is no part of the IDs that are explored.
function way(item) {
  return element("div", { class: "way", "aria-label": `ID of ${item.item}` }, item.way.map((step, depth) => {
    const last = depth === item.way.length - 1;
    const prefix = item.id.slice(0, last ? depth : depth + 1).join("-");
    const words = `${last ? "counter " : ""}${step.code}: ${(100 * step.probability).toFixed(0)}%, ${counted(step.items, "item")}`;
    return element("button", { type: "button", share: step.probability, onclick: () => explore(prefix) }, words);
  }));
}

function answered({ task, items }) {
  byId("answers-title").textContent = task === "search" ? "Answers to the query" : "Next items";
  byId("answers").replaceChildren(...items.map((item) => element("li", {}, link(item.title || item.item, item.item),
    element("small", {}, ` ${item.item}, score ${item.score.toFixed(3)}`), way(item))));
  if (!items.length) byId("status").textContent = "No item was found.";
}

const itemLine = (item) => element("li", {}, link(item.title || item.id, item.id), element("small", {}, ` ${item.id}, ID ${item.codes.join("-")}`));
const heading = (text) => element("h3", {}, text);
const wordsOf = (words) => words.map(({ word }) => word).join(", ");

function prefixView(view) {
  const prefix = view.prefix.join("-");
  const categories = view.categories ?? [];
  return [
    element("p", {}, prefix ? `${counted(view.items, "item")} (${(100 * view.share).toFixed(1)}%) with the prefix ${prefix}. ` : `${counted(view.items, "item")} in all. `,
      prefix ? link("One code up", view.prefix.slice(0, -1).join("-")) : null),
    view.words.length ? element("p", {}, `More frequent here: ${wordsOf(view.words)}.`) : null,
    categories.length ? heading("Categories") : null,
    categories.length ? element("ul", {}, categories.map((one) => element("li", {}, `${one.path.join(" › ")} `, element("small", {}, counted(one.items, "item"))))) : null,
    view.next.length ? heading("Next codes, the largest") : null,
    view.next.length ? element("ul", {}, view.next.map((child) => element("li", {}, link(`code ${child.code}`, [...view.prefix, child.code].join("-")),
      element("small", {}, ` ${counted(child.items, "item")} ${wordsOf(child.words)}`)))) : null,
    view.examples.length ? heading("Items") : null,
    view.examples.length ? element("ul", {}, view.examples.map(itemLine)) : null,
  ];
}

function itemView(view) {
  return [
    element("p", {}, `${view.title} `, element("small", {}, `${view.id}, ID ${view.codes.join("-")}`)),
    view.categories.length ? element("p", {}, element("small", {}, view.categories.join(" › "))) : null,
    ...view.neighbours.filter((group) => group.items).flatMap((group) => [
      heading(`${group.whole ? "The same ID" : "Shares the prefix"} ${group.prefix.join("-")}: ${counted(group.items, "other item")}`),
      element("ul", {}, group.nearest.map(itemLine))]),
  ];
}

const explore = (what) => tried(async () => {
  const view = await fetched("inspect", { what });
  const parts = "neighbours" in view ? itemView(view) : prefixView(view);
  byId("explorer").replaceChildren(...parts.filter(Boolean));
});

const ask = async () => answered(await fetched("ask", { question: byId("question").value }));

byId("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  tried(ask);
});

tried(async () => {
  const cell = await fetched("cell", {});
  byId("cell").textContent = `${cell.label}, seed ${cell.seed}: ${cell.dataset} (${counted(cell.items, "item")}, preset ${cell.preset})`;
  document.title = `Ask ${cell.label}`;
  const kinds = { search: "a query", recommendation: "the items of a history, oldest first" };
  byId("hint").textContent = `Ask with ${cell.tasks.map((task) => kinds[task]).join(", or with ")}`;
  byId("question").value = cell.example;
  await explore("");
  await ask();
});
