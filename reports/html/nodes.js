// What a prefix holds, in the explorer's words.

const MOST_ITEMS = 12;
const MOST_CODES = 30;
const SEPARATOR = " › ";

const categoryText = (path) => title(path.join(SEPARATOR));

// How many items of the whole data set have this prefix: exact, or estimated from the sample.
function sizeOf(catalogue, codes, prefix, shown) {
  const { total, shown: sampled } = catalogue.about;
  if (!prefix.length) return { n: total, exact: true };
  if (total === sampled) return { n: shown, exact: true };
  const counted = codes.about.counts[prefix.join("-")];
  return counted === undefined ? { n: Math.round(shown * total / sampled), exact: false } : { n: counted, exact: true };
}

const ofSample = (catalogue) => (catalogue.about.total === catalogue.about.shown ? "" : " of the sample");
const sizeText = ({ n, exact: known }) => `${known ? "" : "about "}${counted(n, "item")}`;

function wordList(words) {
  return element("ul", { class: "words" }, words.map(({ word, count }) => element("li", {}, title(word), element("small", {}, whole(count)))));
}

function categoryList(categories, n) {
  return element("ul", { class: "bars" }, categories.map(({ path, count }) => element("li", {},
    element("span", { class: "bar", style: `--share: ${count / n}` }), categoryText(path), element("small", {}, percent(count / n)))));
}

// A list that shows its first entries and a button for the rest.
function longList(attributes, entries, most, what) {
  const list = element("ul", attributes, entries.slice(0, most));
  if (entries.length <= most) return list;
  const more = button(`Show all ${whole(entries.length)} ${what}`, () => {
    list.append(...entries.slice(most));
    list.children[most].querySelector("button")?.focus();
    more.remove();
  });
  return element("div", {}, list, more);
}

function itemList(catalogue, items, choose, label, also = null) {
  const entries = [...items].slice(0, 500).map((item) => element("li", {},
    button(title(catalogue.titles[item] || catalogue.about.ids[item]), () => choose(item)),
    also?.has(item) ? element("small", { class: "also" }, " in both") : null));
  return longList({ class: "items", "aria-label": label }, entries, MOST_ITEMS, "items");
}

// Items spread evenly over the range, so that the examples are not all of one sub-tree.
function examples(items, most) {
  const step = Math.max(1, items.length / most);
  return Array.from({ length: Math.min(most, items.length) }, (_, i) => items[Math.floor(i * step)]);
}

// The codes after a prefix with their sizes, most items first.
function nextCodes(catalogue, codes, prefix) {
  return codes.children(prefix).map((child) => {
    const here = [...prefix, child.code];
    return { ...child, here, size: sizeOf(catalogue, codes, here, child.items.length) };
  }).sort((a, b) => b.size.n - a.size.n || a.code - b.code);
}

function codeRow(catalogue, child, largest, open) {
  const words = catalogue.distinctive(child.items, 5).map(({ word }) => word).join(", ");
  const [top] = catalogue.topCategories(child.items, 1);
  return element("li", {}, button([
    element("b", {}, child.code),
    element("span", { class: "bar", style: `--share: ${child.size.n / largest}` }),
    element("span", { class: "size" }, sizeText(child.size)),
    element("span", { class: "about gist" }, title(words || "no distinctive words")),
    top ? element("span", { class: "about" }, categoryText(top.path), ` ${percent(top.count / child.items.length)}`) : null,
  ], () => open(child.here), { class: "code", "data-code": child.code }));
}
