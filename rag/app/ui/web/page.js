/* The page: one part for each gr.HTML of page.py, the way from view to view, the keyboard, settings and help. */

import { conversations } from "./actions.js";
import { answersNode } from "./answers.js";
import { address, collectionChanged, focusQuestion, mountAsk, showConversation, startAfresh, turns } from "./ask.js";
import { learn } from "./documents.js";
import { call, icon, make, set, setServer, settings } from "./core.js";
import { mountLibrary, showCollection } from "./library.js";
import { askNews, look, showNews } from "./news.js";
import { draw, mountOverview } from "./overview.js";
import { hide as hidePreview } from "./preview.js";
import { close as closeReader, isOpen, open, search, step } from "./reader.js";

const VIEWS = { ask: "Ask", library: "Library", overview: "Overview" };
const KEYS = [
  ["/", "write a question"],
  ["1 … 9", "open that source of the last answer"],
  ["[ ]", "previous and next source"],
  ["F", "find in the open document"],
  ["Esc", "close what is open; leave the question"],
  ["N", "new conversation"],
  ["A L O", "go to Ask, Library, Overview"],
  ["C", "earlier conversations"],
  ["↑ ↓", "in an empty box: the questions before"],
  ["?", "show this list"],
];

let model = null; // the language model that is chosen, as the server tells; null for none
const dark = matchMedia("(prefers-color-scheme: dark)");

/* Parts */

export function mount(kind, part) {
  if (kind === "frame") mountFrame(part);
  else if (kind === "ask") mountAsk(part);
  else if (kind === "library") mountLibrary(part, refresh);
  else mountOverview(part);
}

function mountFrame(part) {
  setServer(part.server);
  part.element.querySelector("#rag-frame").replaceChildren(header());
  document.documentElement.lang = "en";
  addEventListener("hashchange", go);
  addEventListener("keydown", keys);
  dark.addEventListener("change", paint);
  paint();
  go();
  refresh();
}

async function refresh() {
  const [view, news] = await Promise.all([call("start"), askNews()]);
  if (view.error) return;
  model = view.llm;
  paint();
  learn(view.documents.rows);
  collectionChanged(view.documents);
  showNews(news, view.local);
  showCollection(view);
}

/* From view to view */

function header() {
  const link = ([name, label]) => make("a", { href: `#${name}`, "data-view": name }, label);
  return make("header", { class: "top" },
    make("a", { href: "#ask", class: "brand", click: startAfresh }, "rag"),
    make("nav", { "aria-label": "Views" }, Object.entries(VIEWS).map(link)),
    make("div", { class: "tools" },
      make("button", { type: "button", class: "quiet", "aria-label": "New conversation", title: "New conversation (N)", click: () => { location.hash = "#ask"; startAfresh(); } }, icon("add"), make("span", {}, "New")),
      make("button", { type: "button", class: "quiet", "aria-label": "Conversations", title: "Earlier conversations (C)", click: showConversations }, icon("history"), make("span", {}, "Conversations")),
      make("button", { type: "button", class: "icon-button", "aria-label": "Settings", title: "Settings", click: showSettings }, icon("settings")),
      make("button", { type: "button", class: "icon-button", "aria-label": "Keyboard", title: "Keyboard (?)", click: showHelp }, icon("help"))));
}

function go() {
  const [name, conversation] = location.hash.slice(1).split("/");
  const view = name in VIEWS ? name : "ask";
  document.body.dataset.view = view;
  document.querySelectorAll(".top nav a").forEach((link) => {
    if (link.dataset.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  });
  hidePreview();
  closeReader();
  scrollTo(0, 0);
  if (view === "ask") showConversation(Number(conversation) || 0);
  if (view === "library") look();
  if (view === "overview") draw();
}

/* The keyboard: single letters only where nobody is writing */

function keys(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && isOpen() && !document.querySelector("dialog[open]")) {
    closeReader();
    return;
  }
  if (event.key === "Escape" && event.target.id === "rag-input") event.target.blur(); // single letters are keys again
  if (event.target.closest?.("input, textarea, select, dialog, [contenteditable]")) return;
  const last = turns().at(-1);
  const acts = {
    "/": write, c: showConversations, o: () => { location.hash = "#overview"; }, "?": showHelp, n: () => { location.hash = "#ask"; startAfresh(); },
    a: () => { location.hash = address(); }, l: () => { location.hash = "#library"; },
    "[": () => step(-1), "]": () => step(1),
    f: search,
  };
  const source = last?.cards.find((card) => String(card.number) === event.key);
  const act = source ? () => open(source, last.cards) : acts[event.key.toLowerCase()];
  if (!act) return;
  event.preventDefault();
  act();
}

function write() {
  if (document.body.dataset.view === "ask") focusQuestion();
  else location.hash = address(); // which gives the box the focus
}

/* Conversations, help and settings */

function showConversations() {
  const box = dialog("Conversations", conversations((id) => {
    box.close();
    location.hash = `#ask/${id}`;
  }));
}


function dialog(title, ...content) {
  const box = make("dialog", { class: "rag rag-dialog", "aria-label": title, close: () => box.remove(),
    click: (event) => { if (event.target === box) box.close(); } },
    make("div", { class: "inner" }, make("h2", {}, title), content,
      make("div", { class: "end" }, make("button", { type: "button", class: "primary", click: () => box.close() }, "Done"))));
  document.body.append(box);
  box.showModal();
  return box;
}

function showHelp() {
  dialog("Keyboard", make("dl", { class: "keys" }, KEYS.map(([key, does]) =>
    make("div", {}, make("dt", {}, key.split(" ").map((each) => (each === "…" ? "…" : make("kbd", {}, each)))), make("dd", {}, does)))));
}

function showSettings() {
  const choice = (name, options, label, explained) => make("label", {}, make("span", { class: "name" }, label),
    make("select", { "aria-label": label, change: (event) => { set(name, typeof settings[name] === "number" ? Number(event.target.value) : event.target.value); paint(); } },
      options.map(([value, words]) => make("option", { value: String(value), selected: settings[name] === value }, words))),
    make("span", { class: "explained" }, explained));
  dialog("Settings",
    choice("theme", [["system", "As this computer"], ["light", "Light"], ["dark", "Dark"]], "Colours", "Light or dark, or as this computer is set."),
    choice("k", [[4, "4"], [8, "8"], [12, "12"], [24, "24"]], "Passages read", "How many passages are read for an answer. More of them find what is said in passing; fewer are quicker."),
    answersNode((chosen) => { model = chosen; paint(); }),
    make("p", { class: "note" }, "These settings are kept in this browser, the model’s address and key on this machine, in a file that only you can read. Questions and documents are not kept in the browser."));
}

function paint() {
  const wanted = settings.theme === "dark" || (settings.theme === "system" && dark.matches);
  document.body.classList.toggle("dark", wanted);
  const writes = model?.always || (model && settings.answerer === "llm");
  document.body.dataset.answerer = writes && !model.local ? "remote" : writes ? "local" : "extractive";
}
