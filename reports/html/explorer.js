// The ID explorer: which data set, which methods, what is searched; the panes do the rest.

const FOUND = 12;
const known = readJson("catalogues");
const opened = new Map();

const explorer = { catalogue: 0, panes: [] };

function catalogueOf(index) {
  if (!opened.has(index)) opened.set(index, new Catalogue(known[index]));
  return opened.get(index);
}

const newPane = (method) => ({ method, prefix: [], item: explorer.panes[0]?.item ?? null });

const act = {
  open(pane, prefix) {
    const before = pane.prefix;
    for (const one of explorer.panes) one.item = null;
    pane.prefix = prefix;
    const at = explorer.panes.indexOf(pane);
    drawPanes();
    const codes = [...byId("panes").children[at].querySelectorAll("button.code")];
    const back = prefix.length < before.length && codes.find((code) => Number(code.dataset.code) === before[prefix.length]);
    const place = byId("panes").children[at].querySelector("[aria-current]");
    if (codes.length) focusAmong(codes, back || codes[0]);
    else place.focus();
    announce(`${prefix.join("-") || "All items"}: ${byId("panes").children[at].querySelector("p.size").textContent}`);
  },
  choose(item) {
    for (const pane of explorer.panes) pane.item = item;
    drawPanes();
    byId("panes").querySelector("[aria-label^='Prefix'] li:last-child button").focus();
    announce(`Item ${catalogueOf(explorer.catalogue).titles[item]}`);
  },
};

const announce = (text) => { byId("explorer-status").textContent = text; };

function drawPanes() {
  const catalogue = catalogueOf(explorer.catalogue);
  const [left, right] = explorer.panes;
  byId("panes").replaceChildren(...explorer.panes.map((pane) => drawPane(pane, catalogue, act, pane === left ? right : left)));
  byId("panes").classList.toggle("two", explorer.panes.length === 2);
  byId("comparison").replaceChildren(...(right ? [comparison(explorer.panes, catalogue, act)] : []));
}

function chooseMethods() {
  const [left, right] = ["explorer-left", "explorer-right"].map((id) => byId(id).value);
  const before = explorer.panes;
  explorer.panes = [left, right].filter((value) => value !== "").map((value, side) => {
    const method = Number(value);
    return before[side]?.method === method ? before[side] : newPane(method);
  });
  drawPanes();
}

function openCatalogue(index) {
  Object.assign(explorer, { catalogue: index, panes: [] });
  const about = known[index];
  byId("explorer-tools").hidden = Boolean(about.problem);
  byId("explorer-remark").textContent = about.problem ?? [sampleRemark(about), ...about.remarks].join(" ");
  if (about.problem) {
    byId("panes").replaceChildren();
    byId("comparison").replaceChildren();
    return;
  }
  const options = () => about.methods.map(({ label, control }, i) => option(i, control ? `${label} (control)` : label));
  byId("explorer-left").replaceChildren(...options());
  byId("explorer-right").replaceChildren(option("", "nothing"), ...options());
  chooseMethods();
}

const sampleRemark = ({ total, shown }) => (total === shown ? "" : `This page holds a random sample of ${whole(shown)} of the ${whole(total)} items. `
  + "Sizes without 'about' are counted over all items; words, categories, examples and neighbours are of the sample.");

// The search field: a combobox whose list holds the items found.
function showFound() {
  const input = byId("explorer-find");
  const { items, more } = catalogueOf(explorer.catalogue).find(input.value, FOUND);
  const { titles, about } = catalogueOf(explorer.catalogue);
  byId("explorer-found").replaceChildren(...items.map((item, i) => element("li", {
    role: "option", id: `found-${i}`, "aria-selected": "false", onmousedown: (event) => { event.preventDefault(); takeFound(item); },
  }, title(titles[item] || about.ids[item]), element("small", {}, ` ${about.ids[item]}`))));
  byId("explorer-found").hidden = !items.length;
  input.setAttribute("aria-expanded", String(items.length > 0));
  input.removeAttribute("aria-activedescendant");
  if (!input.value.trim()) announce("");
  else announce(items.length ? `${counted(items.length + more, "item")} found${more ? `, the first ${FOUND} shown` : ""}` : "No item found");
  explorer.found = items;
}

function takeFound(item) {
  closeFound();
  act.choose(item);
}

function closeFound() {
  byId("explorer-found").hidden = true;
  byId("explorer-find").setAttribute("aria-expanded", "false");
}

function searchKey(event) {
  const options = [...byId("explorer-found").children];
  const at = options.findIndex((one) => one.getAttribute("aria-selected") === "true");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && options.length) {
    event.preventDefault();
    const to = (at + step + options.length + (at < 0 && step < 0 ? 1 : 0)) % options.length;
    options.forEach((one, i) => one.setAttribute("aria-selected", String(i === to)));
    options[to].scrollIntoView({ block: "nearest" });
    event.target.setAttribute("aria-activedescendant", options[to].id);
  } else if (event.key === "Enter" && options.length) {
    event.preventDefault();
    takeFound(explorer.found[Math.max(0, at)]);
  } else if (event.key === "Escape") {
    closeFound();
  }
}

function buildExplorer() {
  const select = (id, text, ...options) => element("label", { for: id }, text, element("select", { id }, options));
  const find = element("input", {
    id: "explorer-find", type: "search", role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false",
    "aria-controls": "explorer-found", autocomplete: "off", placeholder: "words of a title, or an id",
    oninput: showFound, onfocus: showFound, onblur: closeFound, onkeydown: searchKey,
  });
  byId("explorer-body").replaceChildren(
    element("div", { class: "controls" }, select("explorer-set", "Data set", known.map(({ title: name }, i) => option(i, name)))),
    element("div", { class: "controls", id: "explorer-tools" }, select("explorer-left", "Method"), select("explorer-right", "Compare with"),
      element("div", { class: "find" }, element("label", { for: "explorer-find" }, "Find an item", find),
        element("ul", { id: "explorer-found", role: "listbox", "aria-label": "Items found", hidden: true }))),
    element("p", { id: "explorer-remark", class: "hint" }),
    element("p", { id: "explorer-status", role: "status" }),
    element("div", { id: "comparison" }), element("div", { id: "panes" }));
  byId("explorer-set").addEventListener("change", (event) => openCatalogue(Number(event.target.value)));
  for (const id of ["explorer-left", "explorer-right"]) byId(id).addEventListener("change", chooseMethods);
  openCatalogue(0);
}

// '#ids=SET/LABEL/KEY' in the address opens the IDs of one configuration: the way here from a leaderboard.
function openAddressed() {
  const [set, label, key] = (decodeURIComponent(location.hash).match(/^#ids=(.*)$/)?.[1] ?? "").split("/");
  if (!key) return;
  const isMeant = ({ run, also }) => {
    const [ownSet, ownLabel, ownKey] = report.runs[run].folder.split("/");
    return set === ownSet && label === ownLabel && [ownKey, ...also].includes(key);
  };
  const at = known.findIndex(({ methods = [] }) => methods.some(isMeant));
  if (at >= 0) {
    byId("explorer-set").value = at;
    openCatalogue(at);
    byId("explorer-left").value = known[at].methods.findIndex(isMeant);
    chooseMethods();
  } else {
    announce(`This page has no IDs of ${label}, key ${key}.`);
  }
  byId("explorer-title").scrollIntoView();
  byId("explorer-title").focus();
}

if (known.length) {
  buildExplorer();
  openAddressed();
  addEventListener("hashchange", openAddressed);
} else {
  byId("explorer-body").append(element("p", {}, "None of these results is of an indexer, so there are no IDs to explore."));
}
