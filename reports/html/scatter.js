// Quality against cost, one mark per configuration; the line joins those that none beats in both.

const SHAPES = ["M-5,0a5,5 0 1,0 10,0a5,5 0 1,0 -10,0", "M-4.5,-4.5h9v9h-9z", "M0,-6L5.5,4.5h-11z", "M0,-6L6,0L0,6L-6,0z",
  "M0,6L5.5,-4.5h-11z", "M-2,-6h4v4h4v4h-4v4h-4v-4h-4v-4h4z"];
const COLOURS = 7; // of style.css
const MARGIN = { top: 16, right: 24, bottom: 48, left: 64 };

const short = (value) => Number(value.toPrecision(3)).toLocaleString("en", { maximumSignificantDigits: 3 });

function scatterPoints() {
  const metric = report.qualities[byId("scatter-quality").value];
  const cost = byId("scatter-cost").value;
  const circumstances = byId("scatter-circumstances").value;
  const controls = byId("scatter-controls").checked;
  if (!metric) return [];
  return report.points
    .filter((point) => point.circumstances === circumstances && point.task === metric.task && (controls || !point.control))
    .map((point) => ({ ...point, x: point.cost[cost], y: point.quality[metric.measure] }))
    .filter(({ x, y }) => typeof x === "number" && typeof y === "number")
    .map((point) => ({ ...point, y: point.y * metric.scale }));
}

function niceTicks(low, high) {
  const step = 10 ** Math.floor(Math.log10((high - low) / 4 || 1));
  const size = [1, 2, 5, 10].map((factor) => factor * step).find((width) => (high - low) / width <= 5) ?? 10 * step;
  const first = Math.ceil(low / size);
  return Array.from({ length: Math.floor(high / size + 1e-9) - first + 1 }, (_, i) => (first + i) * size);
}

function logTicks(low, high) {
  const ticks = [];
  const wide = Math.log10(high / low) > 3;
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1) {
    for (const factor of wide ? [1] : [1, 2, 5]) ticks.push(factor * 10 ** power);
  }
  return ticks.filter((tick) => tick >= low && tick <= high);
}

function axis(values, room, logarithmic) {
  let [low, high] = [Math.min(...values), Math.max(...values)];
  if (logarithmic) {
    [low, high] = [low / 1.5, high * 1.5];
    const span = Math.log(high / low);
    return { at: (value) => room * Math.log(value / low) / span, ticks: logTicks(low, high) };
  }
  const pad = (high - low) * 0.08 || Math.abs(high) * 0.1 || 1;
  [low, high] = [low >= 0 && low < (high - low) / 2 ? 0 : low - pad, high + pad];
  return { at: (value) => room * (value - low) / (high - low), ticks: niceTicks(low, high) };
}

function unbeaten(points) {
  const best = [];
  for (const point of [...points].sort((a, b) => a.x - b.x || b.y - a.y)) {
    if (!best.length || point.y > best.at(-1).y) best.push(point);
  }
  return best;
}

const overlap = (a, b) => Math.max(0, Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x))
  * Math.max(0, Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y));

// Of the places around a mark, the one where the label covers least; far ones get a line to their mark.
function placeLabels(svg, marks, width, height) {
  const taken = marks.map(({ px, py }) => ({ x: px - 7, y: py - 7, width: 14, height: 14 }));
  const longest = Math.min(36, Math.floor(width / 16)); // characters; the mark itself says the whole label
  for (const mark of [...marks].sort((a, b) => a.py - b.py)) {
    const text = drawing("text", { class: "label" }, mark.label.length > longest ? `${mark.label.slice(0, longest)}…` : mark.label);
    svg.append(text);
    const [wide, high] = [text.getComputedTextLength(), 15];
    const places = [];
    for (const away of [0, 16, 32, 48, 64]) {
      for (const [dx, dy] of [[10, -away], [10, away], [-10 - wide, -away], [-10 - wide, away], [-wide / 2, -14 - away], [-wide / 2, 14 + away]]) {
        const box = { x: mark.px + dx, y: mark.py + dy - high / 2, width: wide, height: high };
        const outside = box.x < MARGIN.left + 2 || box.x + wide > width - 2 || box.y < 2 || box.y + high > height - MARGIN.bottom;
        const covered = taken.reduce((sum, other) => sum + overlap(box, other), 0);
        places.push({ box, away, cost: covered + (outside ? 1e4 : 0) + away });
      }
    }
    const { box, away } = places.reduce((best, place) => (place.cost < best.cost ? place : best));
    taken.push(box);
    text.setAttribute("x", box.x);
    text.setAttribute("y", box.y + 11);
    if (away > 16) {
      const end = Math.max(box.x, Math.min(box.x + wide, mark.px));
      svg.prepend(drawing("line", { class: "leader", x1: mark.px, y1: mark.py, x2: end, y2: box.y + high / 2 }));
    }
  }
}

function drawMark(mark, index, names) {
  const say = `${mark.label}: ${names.quality} ${short(mark.y)}, ${names.cost} ${short(mark.x)}`;
  const open = () => showProvenance(mark.label, mark.runs, pairs([[names.quality, exact(mark.y)], [names.cost, exact(mark.x)]]));
  const onKey = (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    open();
  };
  return drawing("g", {
    class: `mark colour${index % COLOURS}${mark.control ? " control" : ""}`, transform: `translate(${mark.px},${mark.py})`,
    tabindex: 0, role: "button", "aria-label": say, onclick: open, onkeydown: onKey,
  }, drawing("title", {}, say), drawing("circle", { class: "halo", r: 11 }), drawing("path", { d: SHAPES[index % SHAPES.length] }));
}

function axes(svg, x, y, names, width, height) {
  const right = width - MARGIN.right;
  const bottom = height - MARGIN.bottom;
  for (const tick of y.ticks) {
    const at = bottom - y.at(tick);
    svg.append(drawing("line", { class: "grid", x1: MARGIN.left, x2: right, y1: at, y2: at }),
      drawing("text", { class: "tick", x: MARGIN.left - 8, y: at + 4, "text-anchor": "end" }, short(tick)));
  }
  for (const tick of x.ticks) {
    const at = MARGIN.left + x.at(tick);
    svg.append(drawing("line", { class: "grid", x1: at, x2: at, y1: MARGIN.top, y2: bottom }),
      drawing("text", { class: "tick", x: at, y: bottom + 18, "text-anchor": "middle" }, short(tick)));
  }
  const middle = (MARGIN.top + bottom) / 2;
  svg.append(drawing("text", { class: "axis", x: (MARGIN.left + right) / 2, y: height - 8, "text-anchor": "middle" }, names.cost),
    drawing("text", { class: "axis", transform: `translate(14,${middle}) rotate(-90)`, "text-anchor": "middle" }, names.quality));
}

function drawScatter() {
  const place = byId("scatter");
  const points = scatterPoints();
  if (!points.length) {
    place.replaceChildren(element("p", {}, "No method here has both this metric and this cost."));
    return;
  }
  const width = Math.max(300, Math.min(980, place.clientWidth));
  const height = Math.round(Math.max(340, Math.min(520, width * 0.6)));
  const names = { quality: report.qualities[byId("scatter-quality").value].measure, cost: byId("scatter-cost").selectedOptions[0].text };
  const logarithmic = byId("scatter-log").checked && points.every(({ x }) => x > 0);
  const x = axis(points.map((point) => point.x), width - MARGIN.left - MARGIN.right, logarithmic);
  const y = axis(points.map((point) => point.y), height - MARGIN.top - MARGIN.bottom, false);
  const marks = points.map((point) => ({ ...point, px: MARGIN.left + x.at(point.x), py: height - MARGIN.bottom - y.at(point.y) }));
  const svg = drawing("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": `${names.quality} against ${names.cost}` });
  place.replaceChildren(svg, element("p", { class: "hint" },
    `${byId("scatter-circumstances").value}. Better is up and to the left; the line joins the methods that none beats in both, control rows (hollow) aside. `
    + "Costs are of the stages that this task needs. Choose a mark to see what made it."));
  axes(svg, x, y, names, width, height);
  const steps = unbeaten(marks.filter((mark) => !mark.control)).map(({ px, py }, i) => (i ? `H${px}V${py}` : `M${px},${py}`));
  svg.append(drawing("path", { class: "unbeaten", d: steps.join("") }));
  placeLabels(svg, marks, width, height);
  svg.append(...marks.map((mark, i) => drawMark(mark, i, names)));
}

// Offers what there is: metrics of this data and protocol, costs of these results.
function offerAxes() {
  const here = report.points.filter((point) => point.circumstances === byId("scatter-circumstances").value);
  const refill = (select, options) => {
    const before = select.value;
    select.replaceChildren(...options);
    if (options.some((one) => one.value === before)) select.value = before;
  };
  const metrics = report.qualities.map((metric, i) => [metric, i]).filter(([metric]) => here.some((point) => point.task === metric.task
    && typeof point.quality[metric.measure] === "number"));
  refill(byId("scatter-quality"), metrics.map(([metric, i]) => option(i, `${metric.measure}, ${metric.task}`)));
  const costs = report.costs.filter(({ key }) => here.some((point) => key in point.cost));
  refill(byId("scatter-cost"), costs.map(({ key, name }) => option(key, name)));
  drawScatter();
}

byId("scatter-circumstances").append(...[...new Set(report.points.map((point) => point.circumstances))].map((words) => option(words, words)));
byId("scatter-circumstances").addEventListener("change", offerAxes);
for (const id of ["scatter-quality", "scatter-cost", "scatter-log", "scatter-controls"]) byId(id).addEventListener("change", drawScatter);
if (report.points.length) {
  offerAxes();
  let drawn = byId("scatter").clientWidth;
  addEventListener("resize", () => {
    if (byId("scatter").clientWidth !== drawn) drawScatter();
    drawn = byId("scatter").clientWidth;
  });
} else {
  byId("scatter").append(element("p", {}, "No result has both a metric and a cost."));
}
