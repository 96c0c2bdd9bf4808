/* The collection over time, and which of its documents a question finds. */

import { call, countOf, icon, make } from "./core.js";
import { open } from "./reader.js";

const input = make("input", { type: "search", placeholder: "What do you want to find over time?", "aria-label": "Question for the overview", autocomplete: "off" });
const form = make("form", { class: "light", role: "search", submit: (event) => { event.preventDefault(); draw(); } },
  input, make("button", { type: "submit", class: "primary" }, icon("search"), "Show"));
const bars = make("div", { class: "bars" });
const time = make("p", { class: "note", role: "status" });
const found = make("ol", { class: "found", "aria-label": "Documents found" });
const view = make("section", { class: "overview", "aria-label": "Overview" },
  make("h1", {}, "Overview"), form, make("h2", {}, "Documents over time"), bars, time, found);

export function mountOverview(part) {
  part.element.querySelector("#rag-overview").replaceChildren(view);
}

/** Draw the present collection, and what the question in the box finds. */
export async function draw() {
  time.replaceChildren("Drawing…");
  const drawn = await call("overview", input.value);
  bars.replaceChildren(...(drawn.error ? [] : timeline(drawn.bars)));
  time.replaceChildren(drawn.error ?? drawn.time);
  found.replaceChildren(...(drawn.error ? [] : listed(drawn.found)));
}

/** The documents found, each with the rank of its first passage, which opens. */
function listed(places) {
  const first = new Map();
  places.forEach((place, index) => { if (!first.has(place.document)) first.set(place.document, { place, rank: index + 1 }); });
  return [...first.values()].map(({ place, rank }) => make("li", {},
    make("button", { type: "button", class: "quiet", click: () => open({ ...place, number: null }) }, make("span", { class: "rank" }, `${rank}`), place.title)));
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
