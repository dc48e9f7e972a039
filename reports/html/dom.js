// Elements from data: text goes in as text, never as markup.

const byId = (id) => document.getElementById(id);
const readJson = (id) => JSON.parse(byId(id).textContent);
const report = readJson("data");

const SVG = "http://www.w3.org/2000/svg";

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

const element = (tag, attributes = {}, ...children) => filled(document.createElement(tag), attributes, children);
const drawing = (tag, attributes = {}, ...children) => filled(document.createElementNS(SVG, tag), attributes, children);
const button = (text, onclick, attributes = {}) => element("button", { type: "button", onclick, ...attributes }, [text].flat());
const option = (value, text) => element("option", { value }, text);
const title = (text) => element("bdi", {}, text);

const whole = (number) => number.toLocaleString("en");
const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)}%`;
const counted = (n, one, many = `${one}s`) => `${whole(n)} ${n === 1 ? one : many}`;

// One tab stop for a list of controls; the arrow keys, Home and End move inside it.
function moveWithArrows(list, event) {
  const controls = [...list.querySelectorAll("button")];
  const at = controls.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: controls.length - 1 }[event.key];
  if (at < 0 || to === undefined) return;
  event.preventDefault();
  focusAmong(controls, controls[Math.max(0, Math.min(controls.length - 1, to))]);
}

function tabStop(controls, chosen) {
  for (const control of controls) control.tabIndex = control === chosen ? 0 : -1;
}

function focusAmong(controls, chosen) {
  tabStop(controls, chosen);
  chosen?.focus();
}
