/* What all parts share: elements made of data, texts with their looks, the way to the server.

   One rule keeps the page safe: strings from data become text nodes (or the value of an attribute that no browser acts
   on, such as `title`), never markup. There is no innerHTML in these scripts, no template and no Markdown. */

import { factsOf } from "./documents.js";

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  close: "M5 5l14 14M19 5L5 19",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5L20 20",
  up: "M6 15l6-6 6 6",
  down: "M6 9l6 6 6-6",
  left: "M15 6l-6 6 6 6",
  right: "M9 6l6 6-6 6",
  wide: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  settings: "M4 7h8M16 7h4M4 17h4M12 17h8M14 5a2 2 0 1 0 0 4 2 2 0 0 0 0-4zM10 15a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
  help: "M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4M12 17.8v.2",
  filter: "M4 6h16M7 12h10M10 18h4",
  copy: "M9 9h10v11H9zM15 9V4H5v11h4",
  good: "M5 12.5l4.5 4.5L19 7.5",
  warning: "M12 4l9 16H3zM12 10v4.5M12 17v.3",
  history: "M4 12a8 8 0 1 0 2.5-5.8L4 8.5M4 4v4.5h4.5M12 8v4.5l3 2",
  add: "M12 5v14M5 12h14",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  send: "M5 12h14M13 6l6 6-6 6",
  download: "M12 4v11M7 10.5l5 5 5-5M5 20h14",
  edit: "M4 20l1-4L16.5 4.5l3 3L8 19zM14 7l3 3",
  more: "M5 12h.01M12 12h.01M19 12h.01",
};

/** Make an element. Children are elements or strings; strings become text nodes; null and "" are left out. */
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== ""));
  return node;
}

/** Draw one of our icons; what it means stands beside it or in its button's label. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "icon");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** A button with an icon alone: its label is read out and shown on hover. */
export const iconButton = (name, label, click) =>
  make("button", { type: "button", class: "icon-button", "aria-label": label, title: label, click }, icon(name));

export const countOf = (number, thing) => `${number.toLocaleString("en")} ${thing}${number === 1 ? "" : "s"}`;

/* Texts: blocks of runs, as render.block_views makes them. All text nodes together are the text. */

const ELEMENTS = { heading: "h3", code: "pre", quote: "blockquote" };

function runNode(run, current) {
  let node = run.text;
  const looks = { strong: "strong", em: "em", code: "code" };
  if (run.look) node = make(looks[run.look] ?? "span", { class: `look-${run.look}` }, node);
  if (!run.cites) return node;
  const now = [current].flat().some((number) => run.cites.includes(number));
  return make("mark", { class: now ? "current" : "other", "data-cites": run.cites.join(" ") }, node);
}

/** A table row: runs between two separators are a cell; a separator, hidden, belongs to the cell before it. */
function rowNode(block, head, current) {
  const cells = [make(head ? "th" : "td")];
  for (const run of block.runs) {
    cells.at(-1).append(runNode(run, current));
    if (run.look === "cell") cells.push(make(head ? "th" : "td"));
  }
  return make("tr", {}, block.columns ? spread(cells, block.columns) : cells);
}

/** Cells each in its column, with empty ones between them. */
function spread(cells, columns) {
  const row = Array.from({ length: Math.max(...columns) + 1 }, () => null);
  cells.forEach((cell, index) => { row[columns[index]] = cell; });
  return row.map((cell) => cell ?? make("td"));
}

/** The names over columns that no row of the text names: shown, but no part of the text. */
const namesNode = (names) => make("tr", {}, names.map((name) => make("th", { scope: "col", "data-name": name })));

/** What a file says of itself before its text begins: closed at first. */
const frontNode = () => make("details", { class: "front" }, make("summary", { "aria-label": "About this file", "data-name": "About this file" }));

/** Build a text; consecutive rows make one table. `current` is the number of the citation to stand out. */
export function textNodes(blocks, current = null) {
  const nodes = [];
  let table = null;
  let front = null;
  blocks.forEach((block, index) => {
    if (block.page) {
      nodes.push(make("div", { class: "page-sign", "data-page": `Page ${block.page}`, "data-number": `${block.page}`, role: "separator" }));
      table = null;
    }
    if (block.kind === "rule" && table) {
      table.append(make("tr", { class: "rule" }, make("td", {}, block.runs.map((run) => runNode(run, current)))));
    } else if (block.kind === "row") {
      if (!table) nodes.push(make("div", { class: "table", tabindex: "0", role: "group", "aria-label": "Table" },
        make("table", {}, (table = make("tbody")))));
      if (block.above?.length) table.append(namesNode(block.above));
      table.append(rowNode(block, block.head || blocks[index + 1]?.kind === "rule", current));
    } else {
      table = null;
      const tag = ELEMENTS[block.kind] ?? "p";
      const classes = `block ${block.kind}${block.level ? ` level-${block.level}` : ""}${block.tight ? " tight" : ""}`;
      const node = make(tag, { class: classes }, block.runs.map((run) => runNode(run, current)));
      if (block.kind === "front" && !front) nodes.push((front = frontNode()));
      if (block.kind === "front") front.append(node);
      else nodes.push(node);
    }
  });
  return nodes;
}

/** Facts about a source in one line; the speaker first, and stronger. */
export function factsLine(card) {
  const facts = factsOf(card);
  if (!card.speaker && !facts.length) return null;
  const speaker = card.speaker ? make("strong", { class: "speaker" }, card.speaker) : null;
  return make("p", { class: "facts" }, speaker, speaker && facts.length ? " · " : null, facts.join(" · "));
}

/* The server: functions of the frame part, ready once that part is mounted. */

let connect;
const connected = new Promise((resolve) => { connect = resolve; });
export const setServer = (server) => connect(server);

/** Call a function of the server; what fails, and a server that does not answer, gives { error }. */
export async function call(name, ...args) {
  const server = await connected;
  try {
    return await server[name](args);
  } catch {
    return { error: "The server does not answer. Is the program still running?" };
  }
}

/* An event of a part that the server refuses (its queue is full, it is gone) brings no view: tell those who wait. */

const LATE = 300; // ms by which a last view may come after its event has ended

/** Call `lost` when an event of a part ends without its last view. To be told of each last view: an event may end only
    when the next one has begun, and is not to be taken for the end of that. */
export function watchEnds(part, lost) {
  let seen = 0; // last views whose events have not ended yet
  addEventListener("rag-settled", ({ detail }) => setTimeout(() => {
    if (detail === part && seen) seen -= 1;
    else if (detail === part || detail === "refused") lost();
  }, LATE));
  return () => { seen += 1; };
}

const ordinary = window.fetch;
window.fetch = async (...args) => {
  const event = String(args[0]?.url ?? args[0]).includes("/queue/join");
  const settled = () => window.dispatchEvent(new CustomEvent("rag-settled", { detail: "refused" }));
  try {
    const response = await ordinary(...args);
    if (event && !response.ok) settled();
    return response;
  } catch (error) {
    if (event) settled();
    throw error;
  }
};

/* Settings: kept in this browser; nothing of a question or a document is. */

const KEY = "rag-settings";
const DEFAULTS = { theme: "system", k: 12, answerer: "extractive" };
export const settings = { ...DEFAULTS, ...load() };

function load() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

export function set(name, value) {
  settings[name] = value;
  const changed = Object.fromEntries(Object.entries(settings).filter(([key, kept]) => kept !== DEFAULTS[key]));
  try {
    if (Object.keys(changed).length) localStorage.setItem(KEY, JSON.stringify(changed));
    else localStorage.removeItem(KEY);
  } catch { /* a browser that keeps nothing: the setting lasts as long as the page */ }
}

/** Say something for a moment over the header, aloud too. */
export function tell(message) {
  let line = document.getElementById("rag-toast");
  if (!line) document.body.append((line = make("div", { id: "rag-toast", class: "rag", role: "status" })));
  line.replaceChildren(message);
  line.classList.add("shown");
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => line.classList.remove("shown"), 4000);
}

export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    tell(`${what} copied.`);
  } catch {
    tell("The browser does not allow copying here.");
  }
}

/** Save data as a file. */
export function save(name, blob) {
  const address = URL.createObjectURL(blob);
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
