/* One question with its answer and sources. */

import { actions } from "./actions.js";
import { call, copy, factsLine, icon, make, textNodes } from "./core.js";
import { nameOf } from "./documents.js";
import { preview } from "./preview.js";
import { open } from "./reader.js";

const LINE = 28; // px, of a passage
const NEAREST = 0; // "cites" this where a refusal marks what comes nearest

/** What stands while an answer is being made: as high as a sentence, so that little moves when it comes. */
export const waitingNode = (question) => make("article", { class: "turn" },
  make("div", { class: "main" }, asked(question),
    make("div", { class: "waiting", role: "status" }, make("span", { class: "bar" }), make("span", { class: "bar" }), "Reading the documents…")));

/** What a follow-up was taken for, and what a model had searched besides, so that a wrong guess is seen. */
const meant = (turn) => [[turn.searched_for, "Searched for: "], ...(turn.searches ?? []).map((query) => [query, "Searched also for: "])]
  .map(([query, words]) => (query ? make("p", { class: "meant" }, words, make("q", {}, query)) : null));

const asked = (question) => make("h2", { class: "asked" }, question);

/** Build a turn of a TurnView. */
export function turnNode(turn) {
  const main = make("div", { class: "main" }, asked(turn.question), meant(turn), answerNodes(turn), turn.growing ? make("p", { class: "note growing", role: "status" }, growing(turn)) : actions(turn));
  const sources = turn.cards.length ? sourcesNode(turn) : null;
  return make("article", { class: `turn ${turn.kind}` }, main, sources);
}

const growing = (turn) => turn.sentences?.some((each) => each.writer) ? "Still writing…"
  : "The model is reading the sources. What it writes takes the place of this.";

function answerNodes(turn) {
  if (turn.kind === "error" || turn.kind === "hint") return [make("p", { class: turn.kind }, turn.message)];
  if (turn.kind === "refusal") {
    const near = turn.cards.find(citedWords);
    return [make("p", { class: "verdict" }, turn.growing ? "No quotation answers this; the passages are being read…" : "No answer in these documents"),
      make("p", { class: "reason" }, turn.message), near ? nearNode(near, turn) : null,
      turn.searched ? make("p", { class: "note" }, `Searched ${turn.searched}.`) : null];
  }
  const sides = new Set(turn.conflicts.flatMap((each) => each.sources));
  const others = turn.sentences.filter((each) => !each.quoted || !each.sources.every((number) => sides.has(number)));
  const verdict = turn.closest ? make("p", { class: "verdict" }, "No clear answer in these documents") : null;
  const notice = turn.message ? make("p", { class: turn.closest ? "reason" : "note notice" }, turn.message) : null;
  return [verdict, notice, turn.conflicts.map((each) => conflict(each, turn)), byWhom(others, turn)];
}

/** The sentences under a line that says whose they are: of a model, quoted, and quoted beside the answer. */
function byWhom(sentences, turn) {
  const written = sentences.filter((each) => each.writer);
  const quoted = sentences.filter((each) => !each.writer && !each.beside);
  const beside = sentences.filter((each) => !each.writer && each.beside);
  return [written.length ? make("p", { class: "whose" }, `Written by ${written[0].writer}, checked`) : null, laidOut(written, turn),
    quoted.length ? make("p", { class: "whose" }, "Quoted") : null, quoted.map((each) => sentence(each, turn)),
    beside.length ? make("div", { class: "beside" }, make("p", { class: "whose" }, "Also in the sources"), beside.map((each) => sentence(each, turn))) : null];
}

/** What a model wrote, in the form that was asked for. */
function laidOut(sentences, turn) {
  if (sentences.length && sentences.every((each) => each.cells.length)) return table(sentences, turn);
  if (!["list", "timeline", "summary"].includes(turn.form)) return sentences.map((each) => sentence(each, turn));
  return sentences.length ? make("ul", { class: "items" }, sentences.map((each) => make("li", {}, sentence(each, turn)))) : null;
}

/** What comes nearest to an answer: words of a document, which open there. */
function nearNode(card, turn) {
  const opener = make("button", { type: "button", class: "quiet", click: () => open(card, turn.cards, opener) }, icon("file"), nameOf(card));
  return make("blockquote", { class: "near" }, make("p", {}, citedWords(card)), opener);
}

function sentence(view, turn) {
  if (view.cells.length) return row(view, turn);
  return make("p", { class: view.supported ? "sentence" : "sentence unsupported" },
    view.speaker ? make("span", { class: "speaker" }, `${view.speaker}: `) : null,
    make("span", { class: "words" }, runs(view)),
    markers(view.sources, turn),
    warning(view));
}

const warning = (view) => (view.supported ? null : make("span", { class: "warning" }, ` Not supported by its source${view.fault ? `: ${view.fault}` : ""}`));

const runs = (view) => view.runs.map((run) => (run.marked ? make("strong", {}, run.text) : run.text));

/** A row of a table under the names of its columns. */
const row = (view, turn) => table([view], turn);

/** Rows that have the same columns. */
const table = (views, turn) => make("div", { class: "sentence row" }, make("table", {},
  make("thead", {}, make("tr", {}, views[0].cells.map((cell) => make("th", { scope: "col" }, cell.name)), make("td"))),
  make("tbody", {}, views.map((view) => make("tr", { class: view.supported ? null : "unsupported" },
    view.cells.map((cell) => make("td", {}, runs(cell))), make("td", {}, markers(view.sources, turn), warning(view)))))));

/** Both sides beside each other: the words of each, who says so, and when. */
function conflict(view, turn) {
  const side = (number) => {
    const card = turn.cards.find((each) => each.number === number);
    const paragraphs = turn.sentences.filter((each) => each.quoted && each.sources.includes(number)).map(runs);
    const said = paragraphs.length ? paragraphs : [card ? citedWords(card) : ""];
    return make("li", {}, said.map((words) =>
      make("p", { class: "said" }, words, words === said.at(-1) ? markers([number], turn) : null)),
      card?.speaker ? make("p", { class: "by" }, card.speaker) : null,
      card ? make("p", { class: "facts" }, [nameOf(card), card.day].filter(Boolean).join(" · ")) : null);
  };
  return make("section", { class: "conflict", "aria-label": "Sources disagree" },
    make("h3", {}, view.about ? `Sources differ on “${view.about}”` : "Sources differ"),
    make("ul", { class: "sides" }, view.sources.map(side)));
}

/** Markers after some words, held to the last of them by spaces that do not break. */
const markers = (numbers, turn) => numbers.map((number) => ["\u00a0", marker(number, turn)]).flat();

function marker(number, turn) {
  const card = turn.cards.find((each) => each.number === number);
  const node = make("button", {
    type: "button", class: "marker", "aria-label": `Source ${number}${card ? `: ${card.title}` : ""}`,
    "data-place": card ? placeOf(card) : null, click: () => card && open(card, turn.cards, node),
  }, `${number}`);
  if (card) preview(node, card);
  return node;
}

const placeOf = (card) => `${card.document} ${card.start} ${card.end}`;

/* The source that is open in the reader stands out wherever it is named. */
window.addEventListener("rag-reading", ({ detail: card }) => {
  document.querySelectorAll("[data-place]").forEach((node) => {
    node.classList.toggle("open", card !== null && node.dataset.place === placeOf(card));
  });
});

/* The sources */

function sourcesNode(turn) {
  return make("div", { class: "sources" },
    make("h3", {}, turn.heading),
    turn.note ? make("p", { class: "note" }, turn.note) : null,
    make("ol", { class: "cards" }, turn.cards.filter(isFirst).map((each) => cardNode(each, turn))));
}

/** Whether a card is the one that stands for all citations of its passage. */
const isFirst = (card) => card.number === null || card.number === card.shared[0];

function cardNode(card, turn) {
  const why = make("p", { class: "why", role: "status" });
  const opener = make("button", { type: "button", class: "title", click: () => open(card, turn.cards, opener) }, card.title);
  const explain = async (event) => {
    event.target.hidden = true;
    why.replaceChildren("Looking it up…");
    const said = await call("why", turn.question, card.document, card.start, card.end);
    why.replaceChildren(said.error ?? said);
  };
  const name = (what) => `${what}: ${card.title}`;
  const tool = (sign, words, label, click) => make("button", { type: "button", class: "quiet", click, "aria-label": name(label) }, icon(sign), words);
  const reason = card.number === null ? "Why this passage" : "Why this source";
  const speakers = new Set(turn.cards.filter((each) => card.shared?.includes(each.number)).map((each) => each.speaker));
  const body = [factsLine(speakers.size > 1 ? { ...card, speaker: null } : card), excerpt(card),
    make("div", { class: "card-tools" },
      tool("file", "Open", "Open document", (event) => open(card, turn.cards, event.currentTarget)),
      tool("help", `${reason}?`, reason, explain),
      card.number === null ? null : tool("copy", "Copy", "Copy quotation", () => copy(quoteOf(card), "Quotation"))),
    why];
  if (card.number === null) return make("li", { class: "card folded", "data-place": placeOf(card) }, folded(card, body));
  const numbers = card.shared.map((each) => make("span", { class: "number", "aria-hidden": "true", id: `src-${turn.turn}-${each}` }, `${each}`));
  return make("li", { class: "card", "data-place": placeOf(card) }, make("h4", {}, numbers, opener), body);
}

/** What is no source stands in one line until it is opened. */
const folded = (card, body) => make("details", {},
  make("summary", {}, make("span", { class: "title" }, nameOf(card)), make("span", { class: "line" }, citedWords(card))), body);

/** A passage, cut to a few lines: those with the cited words. */
function excerpt(card) {
  const passage = make("div", { class: "passage" }, textNodes(card.passage, card.shared ?? card.number));
  const fit = new ResizeObserver(() => {
    const marks = [...passage.querySelectorAll("mark")].map((mark) => mark.getBoundingClientRect());
    const above = passage.getBoundingClientRect().top - passage.scrollTop;
    const low = marks.length && marks.at(-1).bottom - above > passage.clientHeight - LINE;
    passage.scrollTop = low ? marks[0].top - above - LINE : 0;
    passage.classList.toggle("cut", passage.scrollHeight - passage.scrollTop > passage.clientHeight + 1);
    passage.classList.toggle("begun", passage.scrollTop > 0);
  });
  fit.observe(passage);
  return passage;
}

const flat = (words) => words.trim().split(/\s+/).join(" ");

const wordsOf = (card) => card.passage.flatMap((block) => block.runs).filter((run) => run.cites?.includes(card.number ?? NEAREST)).map((run) => run.text).join("");

/** The words of a passage that a card's citation is, on one line. */
const citedWords = (card) => flat(wordsOf(card));

/** The cited words with where they stand, for pasting. */
function quoteOf(card) {
  const words = wordsOf(card);
  const place = [card.speaker, card.title, ...card.facts].filter(Boolean).join(", ");
  return `“${words}” (${place})`;
}
