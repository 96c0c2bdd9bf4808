/* The reader: any document in full beside the page, the cited words marked, with a search of its own. */

import { call, factsLine, icon, iconButton, make, textNodes } from "./core.js";
import { finder } from "./find.js";
import { draw, pageNodes } from "./pages.js";

const NEAR = 0; // stands for the passage of a refusal: it is shown, but it is no citation

let shown = null; // { card, cards, opener }

const title = make("h2", { id: "reader-title", tabindex: "-1" });
const facts = make("div", { class: "reader-facts" });
const chips = make("div", { class: "chips", role: "group", "aria-label": "Sources of the answer" });
const notes = make("div", { class: "notes" });
const body = make("div", { class: "text", tabindex: "0", role: "document", "aria-label": "Text of the document" });
const find = finder(body);
const sheets = make("div", { class: "sheets", tabindex: "0", role: "document", "aria-label": "Pages of the document", hidden: true });
const asPages = make("button", { type: "button", class: "quiet as-pages", "aria-pressed": "false", hidden: true, click: () => (sheets.hidden ? turnTo(true) : backToText()) }, icon("file"), "Pages");
const widen = iconButton("wide", "Use the whole width", () => {
  const wide = pane.classList.toggle("wide");
  widen.setAttribute("aria-pressed", String(wide));
});
const pane = make("aside", { id: "rag-reader", class: "rag", "aria-labelledby": "reader-title", hidden: true },
  make("header", {},
    make("div", { class: "titles" }, title, facts),
    make("div", { class: "tools" }, widen, iconButton("close", "Close the document", close))),
  make("div", { class: "bar" }, chips, asPages, find.box), notes, body, sheets);

pane.addEventListener("keydown", (event) => {
  if (event.key === "Escape") close();
});

export const isOpen = () => !pane.hidden;

export function close() {
  if (pane.hidden) return;
  const opener = shown?.opener;
  makeRoom(false, opener);
  find.clear();
  shown = null;
  mirror();
  if (opener?.isConnected) opener.focus();
}

/** Show the reader or hide it; the page beside it gets narrower or wider, and what was clicked stays where it is. */
function makeRoom(reading, opener) {
  const top = () => (opener?.isConnected ? opener.getBoundingClientRect().top : 0);
  const before = top();
  pane.hidden = !reading;
  document.body.classList.toggle("reading", reading);
  scrollBy({ top: top() - before, behavior: "instant" });
}

/** Open a card's document on its words. `cards` are all sources of the answer, to go on from one to the next. */
export async function open(card, cards = [card], opener = document.activeElement) {
  const same = shown?.card.document === card.document && shown.cards === cards && body.dataset.document === card.document;
  shown = { card, cards, opener: pane.contains(opener) ? shown?.opener : opener };
  if (!pane.isConnected) document.body.append(pane);
  makeRoom(true, shown.opener);
  mirror();
  showChips();
  if (!same) await load(card, cards);
  if (shown?.card !== card) return; // another one was opened meanwhile
  reveal(card.number ?? NEAR);
  if (!sheets.hidden) {
    turnTo(true);
    return;
  }
  body.focus({ preventScroll: true });
  if (!same) turnToMarkedPage(card);
}

/** Show a citation of a PDF on its page, if its words can be marked there, unless somebody has gone to work on the text. */
async function turnToMarkedPage(card) {
  const number = pageOfMark();
  if (card.number === null || card.end <= card.start || !Number(body.dataset.pages)) return;
  const drawn = await draw(card, number);
  const busy = shown?.card !== card || !sheets.hidden || document.activeElement !== body;
  if (!busy && !drawn.error && drawn.top !== null) turnTo(true, { [number]: drawn });
}

/** Go to the search in the text. */
export function search() {
  if (pane.hidden) return;
  if (!sheets.hidden) backToText();
  find.box.querySelector("input").focus();
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
  turnTo(false);
  asPages.hidden = true;
  title.replaceChildren(card.title);
  facts.replaceChildren();
  notes.replaceChildren();
  find.clear();
  body.dataset.document = "";
  body.dataset.pages = 0;
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
  facts.replaceChildren(factsLine({ speaker: null, facts: view.facts, document: view.document }) ?? "");
  notes.replaceChildren(...view.notes.map((note) => make("p", { class: "note" }, note)));
  body.dataset.document = card.document;
  body.dataset.pages = view.pages;
  asPages.hidden = !view.pages;
  body.replaceChildren(...textNodes(view.blocks));
}

/** Show the pages as they were printed, or the text again; `drawn` holds pages that are at hand. */
function turnTo(pages, drawn = {}) {
  asPages.setAttribute("aria-pressed", String(pages));
  body.hidden = pages;
  sheets.hidden = !pages;
  find.box.hidden = pages;
  sheets.replaceChildren(...(pages ? pageNodes(shown.card, Number(body.dataset.pages), drawn) : []));
  if (!pages) return;
  const page = sheets.querySelector(`[data-number="${pageOfMark()}"]`);
  page?.scrollIntoView({ block: "start" });
  page?.toggleAttribute("data-aimed", true); // its marked words are scrolled to once its picture is there
  sheets.focus({ preventScroll: true });
}

function backToText() {
  turnTo(false);
  body.querySelector("mark.current, mark.near")?.scrollIntoView({ block: "center" });
}

/** The page that the words standing out are on: the last sign of a page before them. */
function pageOfMark() {
  const mark = body.querySelector("mark.current, mark.near");
  const signs = [...body.querySelectorAll(".page-sign")];
  const before = signs.filter((sign) => mark && sign.compareDocumentPosition(mark) & Node.DOCUMENT_POSITION_FOLLOWING);
  return Number(before.at(-1)?.dataset.number ?? 1);
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
