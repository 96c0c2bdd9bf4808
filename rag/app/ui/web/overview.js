/* The collection over time, and which of its documents a question finds. */

import { address, ask } from "./ask.js";
import { call, countOf, icon, make } from "./core.js";
import { endingOf } from "./documents.js";
import { open } from "./reader.js";

const input = make("input", { type: "search", placeholder: "What do you want to find over time?", "aria-label": "Question for the overview", autocomplete: "off" });
const form = make("form", { class: "light", role: "search", submit: (event) => { event.preventDefault(); draw(); } },
  input, make("button", { type: "submit", class: "primary" }, icon("search"), "Show"));
const bars = make("div", { class: "bars" });
const time = make("p", { class: "note", role: "status" });
const found = make("ol", { class: "found", "aria-label": "Documents found" });
const contents = make("dl", { class: "contents" });
const view = make("section", { class: "overview", "aria-label": "Overview" },
  make("h1", {}, "Overview"), form, make("h2", {}, "Documents over time"), bars, time, found, make("h2", {}, "What is in here"), contents);

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
  contents.replaceChildren(...(drawn.error ? [] : contentsOf(drawn)));
}

/** Kinds of documents, and who and what is named most: each a question that is asked when it is chosen. */
function contentsOf({ kinds, people, names }) {
  const go = (question) => {
    addEventListener("hashchange", () => ask(question), { once: true }); // when the box to ask in is shown
    location.hash = address();
  };
  const asked = (all) => all.map(({ name, question }) => make("button", { type: "button", title: question, click: () => go(question) }, name));
  return [["Documents", kinds], ["Who speaks", asked(people)], ["Named most", asked(names)]]
    .filter(([, what]) => what.length).map(([name, what]) => make("div", {}, make("dt", {}, name), make("dd", {}, what)));
}

/** The documents found, each with the rank of its first passage, which opens. */
function listed(places) {
  const first = new Map();
  places.forEach((place, index) => { if (!first.has(place.document)) first.set(place.document, { place, rank: index + 1 }); });
  return [...first.values()].map(({ place, rank }) => make("li", {},
    make("button", { type: "button", class: "quiet", click: () => open({ ...place, number: null }) }, make("span", { class: "rank" }, `${rank}`), place.title,
      endingOf(place.document).includes("/") ? make("span", { class: "note" }, endingOf(place.document)) : null)));
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
