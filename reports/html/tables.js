// Tables: sorting, filters, movement with the arrow keys, and the way to each number's provenance.

const CONTROL = "[tabindex]"; // what can have the focus in a cell
const controlsOf = (table) => table.querySelectorAll(CONTROL);
const sections = [...document.querySelectorAll("section.table")];

const numberOf = (row, column) => {
  const text = row.cells[column].dataset.value;
  return text === undefined ? null : Number(text);
};

// The first click sorts best first, the second turns it round, the third restores the order of the report.
function sortBy(header) {
  const body = header.closest("table").tBodies[0];
  const column = header.cellIndex;
  const first = header.dataset.order === "down" ? "descending" : "ascending";
  const second = first === "descending" ? "ascending" : "descending";
  const next = { [first]: second, [second]: null }[header.getAttribute("aria-sort")];
  const order = next === undefined ? first : next;
  for (const other of header.parentElement.cells) other.removeAttribute("aria-sort");
  if (order) header.setAttribute("aria-sort", order);
  const sign = order === "descending" ? -1 : 1;
  const place = (row) => Number(row.dataset.row);
  const compare = (a, b) => {
    if (!order) return 0;
    if (header.dataset.order === "text") return sign * a.cells[column].textContent.localeCompare(b.cells[column].textContent);
    const [left, right] = [numberOf(a, column), numberOf(b, column)];
    if (left === null || right === null) return (left === null) - (right === null);
    return sign * (left - right);
  };
  body.append(...[...body.rows].sort((a, b) => compare(a, b) || place(a) - place(b)));
}

function explainCell(control) {
  const row = control.closest("tr");
  const section = control.closest("section.table");
  const table = report.tables[section.dataset.table];
  const { label, runs, cells } = table.rows[row.dataset.row];
  const column = control.parentElement.cellIndex - 1;
  const cell = cells[column];
  if (!cell) return showProvenance(label, runs);
  const shown = control.firstChild.textContent;
  const { header, meaning } = table.columns[column];
  return showProvenance(`${label}, ${header}: ${shown}`, cell.runs ?? [], valuesOf(cell, meaning));
}

// A grid is one tab stop: the arrow keys move among its visible cells, as in a spreadsheet.
function moveInGrid(table, event) {
  const cell = document.activeElement.closest("th, td");
  if (!cell || !table.contains(cell)) return;
  const rows = [...table.rows].filter((row) => !row.hidden);
  const visible = (row) => [...row.cells].filter((one) => !one.hidden);
  const y = rows.indexOf(cell.parentElement);
  const x = visible(cell.parentElement).indexOf(cell);
  const last = visible(rows[y]).length - 1;
  const [toY, toX] = {
    ArrowDown: [y + 1, x], ArrowUp: [y - 1, x], ArrowRight: [y, x + 1], ArrowLeft: [y, x - 1],
    Home: [y, 0], End: [y, last], PageUp: [0, x], PageDown: [rows.length - 1, x],
  }[event.key] ?? [];
  if (toY === undefined) return;
  event.preventDefault();
  const target = visible(rows[Math.max(0, Math.min(rows.length - 1, toY))])[Math.max(0, Math.min(last, toX))];
  focusAmong(controlsOf(table), target.querySelector(CONTROL));
}

for (const table of document.querySelectorAll("table[role=grid]")) {
  table.querySelector(CONTROL).tabIndex = 0;
  table.addEventListener("keydown", (event) => moveInGrid(table, event));
  table.addEventListener("click", (event) => {
    const control = event.target.closest("button");
    if (!control) return;
    focusAmong(controlsOf(table), control);
    if (control.classList.contains("sort")) sortBy(control.parentElement);
    else explainCell(control);
  });
}

function hideRows(section, chosen) {
  for (const row of section.querySelectorAll("tbody tr")) {
    row.hidden = Boolean((chosen.method && row.dataset.method !== chosen.method)
      || (chosen.controls && "control" in row.dataset) || (chosen.holes && "hole" in row.dataset));
  }
}

function hideColumns(section, chosen) {
  const headers = [...section.querySelectorAll("thead th")];
  const hidden = headers.map((header) => Boolean(chosen.set && header.dataset.set && header.dataset.set !== chosen.set));
  for (const row of section.querySelectorAll("tr")) {
    for (const cell of row.cells) cell.hidden = hidden[cell.cellIndex];
  }
}

// A table is shown if, of each facet that concerns it, it has the chosen value.
function hasChosen(section, facets) {
  const own = JSON.parse(section.dataset.facets);
  return Object.entries(facets).every(([name, value]) => !value || !own[name].length || own[name].includes(value));
}

function filterTables() {
  const facets = Object.fromEntries([...document.querySelectorAll("[data-facet]")].map((one) => [one.dataset.facet, one.value]));
  const chosen = {
    set: facets.set, method: byId("filter-method").value, controls: byId("filter-controls").checked,
    holes: byId("filter-holes")?.checked,
  };
  for (const section of sections) {
    hideRows(section, chosen);
    hideColumns(section, chosen);
    section.hidden = !section.querySelector("tbody tr:not([hidden])") || !hasChosen(section, facets);
    document.querySelector(`[data-for="${section.id}"]`).hidden = section.hidden;
    const table = section.querySelector("table");
    const reachable = table.querySelector("[tabindex='0']");
    if (!reachable || reachable.closest("[hidden]")) tabStop(controlsOf(table), table.querySelector(`th:not([hidden]) ${CONTROL}`));
  }
  const shown = sections.filter((section) => !section.hidden).length;
  byId("filtered").textContent = shown === sections.length ? "" : `${shown} of ${counted(sections.length, "table")} shown.`;
}

// A table that is wider than its place says so at its right edge, until it is scrolled to its end.
function markWide(scroll) {
  scroll.parentElement.classList.toggle("more", scroll.scrollLeft + scroll.clientWidth < scroll.scrollWidth - 2);
}

const widths = new ResizeObserver((changes) => changes.forEach(({ target }) => markWide(target)));

for (const scroll of document.querySelectorAll(".wide > .scroll")) {
  widths.observe(scroll);
  scroll.addEventListener("scroll", () => markWide(scroll), { passive: true });
}

for (const control of document.querySelectorAll("#tables .controls select, #tables .controls input")) {
  control.addEventListener("change", filterTables);
}
for (const header of document.querySelectorAll("section[data-ranked] thead th:nth-child(2)")) sortBy(header);
if (sections.length) filterTables();
