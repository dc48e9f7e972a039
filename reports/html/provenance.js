// The panel that says where a number comes from.

const INTERVALS = {
  t: "95% t interval over the seeds",
  bootstrap: "95% interval of a bootstrap over seeds and users or queries",
  exact: "95% interval of Clopper and Pearson over users or queries",
  bounded: "95% interval for rare hits or misses, over seeds and users or queries",
  judgments: "95% interval over the judged groups",
};

const exact = (value) => (typeof value === "number" ? String(Number(value.toPrecision(6))) : String(value));

function pairs(entries) {
  const shown = entries.filter(([, value]) => ![null, undefined, false, ""].includes(value));
  return element("dl", {}, shown.flatMap(([name, value]) => [
    element("dt", {}, name), element("dd", {}, typeof value === "object" ? value : String(value)),
  ]));
}

function commandBlock(text) {
  const status = element("span", { role: "status" });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      status.textContent = " copied";
    } catch {
      status.textContent = " this browser does not let a page copy; select the text instead";
    }
  };
  return element("div", {}, element("pre", { class: "command", tabindex: 0, "aria-label": "Command" }, text),
    button("Copy the command", copy), status);
}

function valuesOf(cell, meaning) {
  const rows = (cell.runs ?? []).map((run, i) => [report.runs[run].seed, cell.values[i]]).filter(([, value]) => value !== null);
  const published = cell.published;
  const verdict = published && [published.verdict, ...published.reasons].filter(Boolean).join("; ");
  return pairs([
    ["Meaning", meaning],
    ["Each seed", rows.map(([seed, value]) => `seed ${seed}: ${exact(value)}`).join(", ")],
    ["Interval", cell.interval && `${exact(cell.low)} to ${exact(cell.high)} (${INTERVALS[cell.interval] ?? cell.interval})`],
    ["Published", published && exact(published.value)],
    ["Difference", published && typeof published.difference === "number" && `${(100 * published.difference).toFixed(1)}%`],
    ["Verdict", verdict],
  ]);
}

function runBlock(run) {
  const several = run.versions.length > 1;
  const versions = run.versions.flatMap(({ tasks, revision, packages }) => {
    const of = several ? `, ${tasks.join(", ")}` : "";
    const listed = Object.entries(packages).map(([name, version]) => `${name} ${version}`).join(", ");
    return [[`Git revision${of}`, revision && element("code", {}, revision)], [`Versions${of}`, listed]];
  });
  return element("details", { open: true }, element("summary", {}, `Seed ${run.seed}`), pairs([
    ["Folder, below the runs", element("code", {}, run.folder)],
    ["Files", run.files.join(", ")],
    ...versions,
    ["Device", run.device],
    ["Date", run.date],
    ["Seconds, all stages", run.seconds === null ? null : exact(run.seconds)],
  ]));
}

function configurationBlock(configuration, runs) {
  const counts = Object.entries(configuration.counts).map(([name, n]) => `${typeof n === "number" ? whole(n) : n} ${name}`).join(", ");
  return element("section", { class: "configuration" },
    element("h3", {}, title(configuration.label)),
    commandBlock(configuration.command),
    configuration.ids && element("p", {}, element("a", { href: configuration.ids, onclick: () => byId("provenance").close() }, "These IDs in the explorer")),
    pairs([
      ["Data set", configuration.data],
      ["Counts", counts],
      ["Method", `${configuration.method} (${configuration.kind})`],
      ["Preset", configuration.preset],
      ["Text fields", configuration.fields.join(", ")],
      ["Queries", configuration.queries],
      ["Key", element("code", {}, configuration.key)],
      ["Notes", configuration.notes.join(" ")],
    ]),
    element("details", {}, element("summary", {}, "All settings"),
      element("pre", { tabindex: 0, "aria-label": "Settings" }, JSON.stringify(configuration.config, null, 2))),
    ...runs.map(runBlock));
}

function showProvenance(heading, numbers, details = null) {
  const groups = new Map();
  for (const run of numbers) {
    const key = report.runs[run].configuration;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  const blocks = [...groups].map(([key, runs]) => configurationBlock(report.configurations[key], runs.map((run) => report.runs[run])));
  const nothing = blocks.length ? null : element("p", {}, "No run stands behind this cell.");
  const dialog = byId("provenance");
  dialog.replaceChildren(
    element("header", {}, element("h2", { id: "provenance-title", tabindex: -1 }, heading),
      button("Close", () => dialog.close(), { "aria-keyshortcuts": "Escape" })),
    ...[details, nothing].filter(Boolean), ...blocks);
  dialog.showModal();
  dialog.scrollTop = 0;
  byId("provenance-title").focus();
}

byId("provenance").addEventListener("click", (event) => {
  if (event.target === event.currentTarget) event.currentTarget.close(); // the backdrop
});
