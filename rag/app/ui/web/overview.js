/* Pictures of the collection: a map of its passages, on which a question lights up what it finds, and a timeline. */

import { call, countOf, icon, make } from "./core.js";
import { open } from "./reader.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 1000;
const HEIGHT = 560;
const EDGE = 24;

const input = make("input", { type: "search", placeholder: "Ask the map a question", "aria-label": "Question for the map", autocomplete: "off" });
const form = make("form", { class: "light", role: "search", submit: (event) => { event.preventDefault(); draw(); } },
  input, make("button", { type: "submit", class: "primary" }, icon("search"), "Show"));
const map = make("div", { class: "map" });
const said = make("p", { class: "note", role: "status" });
const found = make("ol", { class: "found" });
const bars = make("div", { class: "bars" });
const time = make("p", { class: "note" });
const view = make("section", { class: "overview", "aria-label": "Overview" },
  make("h1", {}, "Overview"), form,
  make("div", { class: "mapping" }, make("div", {}, map, said), found),
  make("h2", {}, "Documents over time"), bars, time);

export function mountOverview(part) {
  part.element.querySelector("#rag-overview").replaceChildren(view);
}

/** Draw the present collection, and what the question in the box finds. */
export async function draw() {
  said.replaceChildren("Drawing…");
  const drawn = await call("overview", input.value);
  if (drawn.error) {
    map.replaceChildren();
    found.replaceChildren();
    bars.replaceChildren();
    time.replaceChildren();
    said.replaceChildren(drawn.error);
    return;
  }
  map.replaceChildren(picture(drawn));
  said.replaceChildren(drawn.found.length ? `Lit up: the ${countOf(drawn.found.length, "passage")} that a search finds first. ${drawn.about}` : drawn.about);
  found.replaceChildren(...listed(drawn.found));
  bars.replaceChildren(...timeline(drawn.bars));
  time.replaceChildren(drawn.time);
}

function svg(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const at = (point) => ({ cx: (EDGE + point.x * (WIDTH - 2 * EDGE)).toFixed(1), cy: (EDGE + point.y * (HEIGHT - 2 * EDGE)).toFixed(1) });

/** The dots; those that a question found are drawn last, larger, with their rank. All open their passage. */
function picture(drawn) {
  const dot = (point, kind, radius) => {
    const node = svg("circle", { ...at(point), r: radius, class: kind }, svg("title", {}, point.title));
    node.addEventListener("click", () => show(point));
    return node;
  };
  const lit = drawn.found.map((point, index) => {
    const place = at(point);
    const node = svg("g", { class: "lit" }, svg("title", {}, `${index + 1}. ${point.title}`), svg("circle", { ...place, r: index < 3 ? 15 : 11 }),
      svg("text", { x: place.cx, y: place.cy, dy: "0.35em", "text-anchor": "middle" }, String(index + 1)));
    node.addEventListener("click", () => show(point));
    return node;
  }).reverse();
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": drawn.about, class: lit.length ? "lit-up" : "" },
    ...drawn.points.map((point) => dot(point, "dot", 6)), ...lit);
}

const show = (point) => open({ ...point, number: null });

/** The same for those who read rather than look: the documents found, each with its first place. */
function listed(points) {
  const first = new Map();
  points.forEach((point, index) => { if (!first.has(point.document)) first.set(point.document, { point, rank: index + 1 }); });
  return [...first.values()].map(({ point, rank }) => make("li", {},
    make("button", { type: "button", class: "quiet", click: () => show(point) }, make("span", { class: "rank" }, `${rank}`), point.title)));
}

function timeline(all) {
  const most = Math.max(1, ...all.map((bar) => bar.documents));
  const share = (count) => `height: ${(100 * count) / most}%`;
  const column = (bar, index) => {
    const words = `${bar.name}: ${countOf(bar.documents, "document")}${bar.found ? `, ${bar.found} found` : ""}`;
    const ends = index === 0 || index === all.length - 1;
    return make("div", { class: "stretch", title: words, role: "img", "aria-label": words },
      make("div", { class: "room" }, make("div", { class: "bar", style: share(bar.documents) }), make("div", { class: "bar found", style: share(bar.found) })),
      make("span", { class: "name", "aria-hidden": "true" }, ends ? bar.name : ""));
  };
  return all.map(column);
}
