// One method's side of the explorer: a prefix with what it holds, or an item with its neighbours.
// A pane is {method, prefix, item}; `act` = {open(pane, prefix), choose(item)} changes the explorer's state.

function crumbs(pane, codes, act) {
  const step = (prefix, text) => element("li", {}, button(text, () => act.open(pane, prefix), {
    "aria-current": prefix.length === pane.prefix.length && pane.item === null ? "location" : false,
  }));
  const path = pane.item === null ? pane.prefix : codes.id(pane.item);
  return element("nav", { class: "crumbs", "aria-label": `Prefix, ${codes.about.label}` }, element("ol", {},
    step([], "all items"), path.map((code, level) => step(path.slice(0, level + 1), code))));
}

function paneHead(codes) {
  const { label, seed, seeds, protocol, levels, also, run, control } = codes.about;
  const others = seeds.length > 1 ? ` of ${seeds.join(", ")}` : "";
  const same = also.length ? ` ${counted(also.length, "further configuration")} of this label gave the same IDs.` : "";
  return element("header", {}, element("h3", {}, title(control ? `${label} (control)` : label)),
    element("p", { class: "hint" }, `Seed ${seed}${others}; ${counted(levels, "code")}; ${protocol}.${same} `,
      button("How these IDs were made", () => showProvenance(label, [run]))));
}

function nodeView(pane, catalogue, codes, act) {
  const { prefix } = pane;
  const items = codes.items(prefix);
  const size = sizeOf(catalogue, codes, prefix, items.length);
  const share = size.n / catalogue.about.total;
  const children = nextCodes(catalogue, codes, prefix);
  const ended = items.length - children.reduce((sum, { items: own }) => sum + own.length, 0);
  const words = prefix.length ? catalogue.distinctive(items, 14) : [];
  const categories = catalogue.topCategories(items, 6);
  const rows = children.map((child) => codeRow(catalogue, child, children[0].size.n, (to) => act.open(pane, to)));
  const list = children.length ? longList({ class: "codes", "aria-label": `Codes after ${prefix.join("-") || "the start"}` }, rows, MOST_CODES, "codes") : null;
  list?.addEventListener("keydown", (event) => walk(event, list, pane, act));
  if (list) tabStop(list.querySelectorAll("button.code"), list.querySelector("button.code"));
  return [
    element("p", { class: "size" }, prefix.length ? `${sizeText(size)} (${percent(share)}) ${size.n === 1 ? "has" : "have"} the prefix ${prefix.join("-")}.` : `${sizeText(size)} in all.`),
    words.length ? element("section", {}, element("h4", {}, "Words more frequent here than elsewhere"), wordList(words)) : null,
    categories.length ? element("section", {}, element("h4", {}, "Most frequent categories"), categoryList(categories, items.length)) : null,
    list ? element("section", {}, element("h4", {}, `Next code: ${counted(children.length, "code")} in use${ofSample(catalogue) && " in the sample"}`), list) : null,
    ended && prefix.length ? element("p", {}, `${counted(ended, "item")}${ofSample(catalogue)} ${ended === 1 ? "has" : "have"} this ID whole.`) : null,
    prefix.length ? element("section", {}, element("h4", {}, items.length > MOST_ITEMS && list ? "Example items" : "Items"),
      itemList(catalogue, list ? examples(items, MOST_ITEMS) : items, act.choose, `Items of ${prefix.join("-")}`)) : null,
  ];
}

// Up and Down move among the codes, Right opens one, Left goes back to the prefix before.
function walk(event, list, pane, act) {
  if (event.key === "ArrowRight" && document.activeElement.classList.contains("code")) {
    event.preventDefault();
    document.activeElement.click();
  } else if (event.key === "ArrowLeft" && pane.prefix.length) {
    event.preventDefault();
    act.open(pane, pane.prefix.slice(0, -1));
  } else {
    moveWithArrows(list, event);
  }
}

// Neighbours of an item by the length of the prefix they share with it: [{depth, items}], closest first.
function neighbours(codes, item) {
  const id = codes.id(item);
  const groups = [];
  let closer = new Set([item]);
  for (let depth = id.length; depth > 0; depth -= 1) {
    const items = codes.items(id.slice(0, depth));
    groups.push({ depth, whole: depth === id.length, prefix: id.slice(0, depth), items: items.filter((one) => !closer.has(one)), all: items });
    closer = new Set(items);
  }
  return groups;
}

function itemView(pane, catalogue, codes, act, other) {
  const { item } = pane;
  const theirs = (depth) => other && new Set(other.items(other.id(item).slice(0, depth)));
  const groups = neighbours(codes, item).filter(({ items }) => items.length);
  return [
    element("p", { class: "chosen" }, title(catalogue.titles[item])),
    element("p", { class: "hint" }, title(catalogue.about.ids[item]), catalogue.path(item).length ? [" · ", categoryText(catalogue.path(item))] : null),
    groups.length ? null : element("p", {}, "No other item shares its first code."),
    groups.map(({ depth, whole: same, prefix, items }) => element("section", {},
      element("h4", {}, same ? `The same ID ${prefix.join("-")}: ${counted(items.length, "item")}`
        : `Shares ${depth === 1 ? "the first code" : `the first ${depth} codes`} ${prefix.join("-")}: ${counted(items.length, "item")}`),
      itemList(catalogue, items, act.choose, `Neighbours by ${counted(depth, "code")}`, theirs(depth)))),
  ];
}

function drawPane(pane, catalogue, act, other) {
  const codes = catalogue.codesOf(pane.method);
  const otherCodes = other && catalogue.codesOf(other.method);
  return element("article", { class: "pane", "aria-label": codes.about.label }, paneHead(codes), crumbs(pane, codes, act),
    pane.item === null ? nodeView(pane, catalogue, codes, act) : itemView(pane, catalogue, codes, act, otherCodes));
}

// Where the items of one side's prefix lie on the other side.
function spread(from, to, catalogue, act) {
  const [own, theirs] = [catalogue.codesOf(from.method), catalogue.codesOf(to.method)];
  const items = own.items(from.prefix);
  const counts = new Map();
  for (const item of items) counts.set(theirs.code(item, 0), (counts.get(theirs.code(item, 0)) ?? 0) + 1);
  const largest = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, 8);
  return element("section", {}, element("h4", {}, title(`${own.about.label} ${from.prefix.join("-")}: its ${counted(items.length, "item")}${ofSample(catalogue)} `
    + `${items.length === 1 ? "lies" : "lie"} under ${counted(counts.size, "first code")} of ${theirs.about.label}`)),
  element("ul", { class: "bars" }, largest.map(([code, n]) => element("li", {}, element("span", { class: "bar", style: `--share: ${n / items.length}` }),
    button(`code ${code}`, () => act.open(to, [code])), element("small", {}, `${counted(n, "item")}, ${percent(n / items.length)}`)))));
}

// How far two methods agree about an item's neighbours, code by code.
function agreement(item, left, right, catalogue) {
  const sides = [left, right].map((pane) => catalogue.codesOf(pane.method));
  const depths = Array.from({ length: Math.min(...sides.map((codes) => codes.id(item).length)) }, (_, i) => i + 1);
  const rows = depths.map((depth) => {
    const [one, two] = sides.map((codes) => new Set([...codes.items(codes.id(item).slice(0, depth))].filter((other) => other !== item)));
    const both = [...one].filter((other) => two.has(other)).length;
    const either = one.size + two.size - both;
    return element("tr", {}, element("th", { scope: "row" }, counted(depth, "code")), [one.size, two.size, both].map((n) => element("td", {}, whole(n))),
      element("td", {}, either ? percent(both / either) : "–"));
  });
  const headers = ["Shared prefix", ...sides.map((codes) => title(codes.about.label)), "In both", "Of either"];
  return element("div", { class: "scroll" }, element("table", {}, element("caption", {}, "Neighbours of this item"),
    element("thead", {}, element("tr", {}, headers.map((header) => element("th", { scope: "col" }, header)))), element("tbody", {}, rows)));
}

function comparison(panes, catalogue, act) {
  const [left, right] = panes;
  if (left.item !== null) return element("section", { class: "comparison" }, agreement(left.item, left, right, catalogue));
  const parts = [[left, right], [right, left]].filter(([from]) => from.prefix.length).map(([from, to]) => spread(from, to, catalogue, act));
  return parts.length ? element("section", { class: "comparison" }, parts)
    : element("p", { class: "hint" }, "Open a code on one side to see where its items lie on the other, or find an item to compare its neighbours.");
}
