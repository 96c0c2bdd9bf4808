/* The reader: any document in full beside the page, the cited words marked, with a search of its own. */

import { call, factsLine, iconButton, make, textNodes } from "./core.js";
import { finder } from "./find.js";

const NEAR = 0; // stands for the passage of a refusal: it is shown, but it is no citation

let shown = null; // { card, cards, opener }

const title = make("h2", { id: "reader-title", tabindex: "-1" });
const facts = make("div", { class: "reader-facts" });
const chips = make("div", { class: "chips", role: "group", "aria-label": "Sources of the answer" });
const notes = make("div", { class: "notes" });
const body = make("div", { class: "text", tabindex: "0", role: "document", "aria-label": "Text of the document" });
const find = finder(body);
const widen = iconButton("wide", "Use the whole width", () => {
  const wide = pane.classList.toggle("wide");
  widen.setAttribute("aria-pressed", String(wide));
});
const pane = make("aside", { id: "rag-reader", class: "rag", "aria-labelledby": "reader-title", hidden: true },
  make("header", {},
    make("div", { class: "titles" }, title, facts),
    make("div", { class: "tools" }, widen, iconButton("close", "Close the document", close))),
  make("div", { class: "bar" }, chips, find.box), notes, body);

pane.addEventListener("keydown", (event) => {
  if (event.key === "Escape") close();
});

export const isOpen = () => !pane.hidden;

export function close() {
  if (pane.hidden) return;
  pane.hidden = true;
  document.body.classList.remove("reading");
  find.clear();
  const opener = shown?.opener;
  shown = null;
  mirror();
  if (opener?.isConnected) opener.focus();
}

/** Open a card's document on its words. `cards` are all sources of the answer, to go on from one to the next. */
export async function open(card, cards = [card], opener = document.activeElement) {
  const same = shown?.card.document === card.document && shown.cards === cards && body.dataset.document === card.document;
  shown = { card, cards, opener: pane.contains(opener) ? shown?.opener : opener };
  if (!pane.isConnected) document.body.append(pane);
  pane.hidden = false;
  document.body.classList.add("reading");
  mirror();
  showChips();
  if (!same) await load(card, cards);
  if (shown?.card !== card) return; // another one was opened meanwhile
  reveal(card.number ?? NEAR);
  body.focus({ preventScroll: true });
}

/** Go to the next (1) or previous (-1) source of the answer. */
export function step(by) {
  if (!shown || shown.cards.length < 2) return;
  const index = shown.cards.indexOf(shown.card) + by;
  const next = shown.cards[(index + shown.cards.length) % shown.cards.length];
  open(next, shown.cards);
}

/** Tell everybody which source is open, so that its markers can show it. */
function mirror() {
  window.dispatchEvent(new CustomEvent("rag-reading", { detail: shown?.card ?? null }));
}

function showChips() {
  const { card, cards } = shown;
  const numbered = cards.filter((each) => each.number !== null);
  const chip = (each) => make("button", {
    type: "button", class: "chip", "aria-label": `Source ${each.number}: ${each.title}`,
    "aria-current": each === card ? "true" : null, title: each.title, click: () => open(each, cards),
  }, `${each.number}`);
  const many = numbered.length > 1;
  chips.replaceChildren(...(numbered.length ? [make("span", { class: "label" }, many ? "Sources" : "Source"), ...numbered.map(chip)] : []),
    ...(many ? [iconButton("left", "Previous source", () => step(-1)), iconButton("right", "Next source", () => step(1))] : []));
}

async function load(card, cards) {
  title.replaceChildren(card.title);
  facts.replaceChildren();
  notes.replaceChildren();
  find.clear();
  body.dataset.document = "";
  body.replaceChildren(make("p", { class: "waiting" }, "Opening the document…"));
  const here = card.number === null ? [card] : cards.filter((each) => each.document === card.document);
  const spans = here.filter((each) => each.end > each.start).map((each) => [each.number ?? NEAR, each.start, each.end]);
  const view = await call("read", card.document, spans);
  if (shown?.card !== card) return;
  if (view.error) {
    title.replaceChildren("The document cannot be opened");
    body.replaceChildren(make("p", { class: "error" }, view.error));
    return;
  }
  title.replaceChildren(view.title);
  facts.replaceChildren(factsLine({ speaker: null, facts: view.facts }) ?? "");
  notes.replaceChildren(...view.notes.map((note) => make("p", { class: "note" }, note)));
  body.dataset.document = card.document;
  body.replaceChildren(...textNodes(view.blocks));
}

/** Let one citation stand out, and scroll to it. */
function reveal(number) {
  const marks = [...body.querySelectorAll("mark")];
  const of = (mark) => mark.dataset.cites.split(" ").includes(String(number));
  marks.forEach((mark) => { mark.className = !of(mark) ? "other" : number === NEAR ? "near" : "current"; });
  const first = marks.find((mark) => of(mark) && mark.getClientRects().length);
  if (first) first.scrollIntoView({ block: "center" });
  else body.scrollTop = 0;
}
