/* Asking: a conversation of questions and answers, the box for the next one, and the conditions it is asked under. */

import { call, icon, make, settings, tell, watchEnds } from "./core.js";
import { filters } from "./filters.js";
import { close as closeReader } from "./reader.js";
import { turnNode, waitingNode } from "./turn.js";

const LONGEST = 2000;
const EXAMPLES = 3;

let page = null; // what Gradio gives to the part
let count = 0; // turns asked on this page
let conversation = 0; // the one that goes on, as the server keeps it; 0 for a new one
let collection = ""; // what is searched, in words
let pending = null; // number of the turn that is being answered
let ended = null; // to be called with each last view
let back = 0; // how many questions ago the one was asked that stands in the box again

const thread = make("ol", { class: "thread", "aria-label": "Conversation", "aria-live": "polite", "aria-relevant": "additions" });
const input = make("textarea", {
  id: "rag-input", rows: "1", placeholder: "What do you want to know?", "aria-label": "Question",
  maxlength: String(LONGEST + 1), enterkeyhint: "send", autocomplete: "off", keydown: keys, input: () => { back = 0; grow(); },
});
const button = make("button", { type: "submit", class: "primary" });
const conditions = filters();
const form = make("form", { class: "question", submit }, make("div", { class: "box" }, input, button), conditions.node);
const examples = make("div", { class: "examples", role: "group", "aria-label": "Example questions" });
const summary = make("p", { class: "summary" });
const welcome = make("div", { class: "welcome" },
  make("h1", {}, "Ask your documents"),
  make("p", {}, "Every sentence of an answer is cited to the exact words of its source. ",
    make("span", { class: "private" }, "Nothing leaves this machine.")));
const view = make("section", { class: "ask fresh", "aria-label": "Ask" }, welcome, thread, form, summary, examples);

export function mountAsk(part) {
  page = part;
  waitFor(null);
  part.element.querySelector("#rag-ask").replaceChildren(view);
  ended = watchEnds("ask", settle);
  part.watch("value", () => {
    const turn = part.props.value ? JSON.parse(part.props.value.view) : null;
    if (turn?.turn !== pending) return; // of a question that was stopped
    if (!turn.growing) ended();
    receive(turn);
  });
  addEventListener("rag-edit", ({ detail: turn }) => write(turn.question));
  addEventListener("rag-withdraw", ({ detail: turn }) => withdraw(turn));
  input.focus();
  offerExamples();
}

export function focusQuestion() {
  input.focus();
  input.select();
}

/** Show what the collection holds; the filters offer its documents and folders. */
export function collectionChanged(documents) {
  const many = documents.rows.length > 0;
  collection = documents.summary;
  summary.replaceChildren(many ? `Searching ${documents.summary}.` : "There are no documents yet: ",
    many ? "" : make("a", { href: "#library" }, "add some to the library"), many ? "" : ", then ask about them.");
  conditions.offer(documents.rows);
}

/** Where this conversation is found again. */
export const address = () => (conversation ? `#ask/${conversation}` : "#ask");

/** Go on with another conversation, of which this is the address now. */
function name(id) {
  conversation = id;
  if (document.body.dataset.view === "ask") history.replaceState(null, "", address());
  document.querySelector('.top nav a[data-view="ask"]')?.setAttribute("href", address());
}

/** Show the conversation of an address, 0 for a new one. */
export async function showConversation(id) {
  if (id && id !== conversation) await reopen(id);
  else if (id !== conversation) startAfresh();
  else thread.lastElementChild?.scrollIntoView({ block: "start" });
  focusQuestion();
}

/** Begin a new conversation. */
export function startAfresh() {
  if (pending !== null) cut();
  name(0);
  thread.replaceChildren();
  view.classList.add("fresh");
  input.setAttribute("placeholder", "What do you want to know?");
  input.value = "";
  grow();
  input.focus();
}

/** Show a conversation that was kept, to go on with it. */
async function reopen(id) {
  const kept = await call("reopen", id);
  if (location.hash !== `#ask/${id}`) return; // another one is wanted by now
  startAfresh();
  if (kept.error) {
    tell(kept.error);
    return;
  }
  for (const turn of kept) {
    const item = make("li", { id: `turn-${(count += 1)}` });
    thread.append(item);
    item.question = turn.question;
    item.turn = { ...turn, turn: count };
    item.replaceChildren(turnNode(item.turn));
  }
  name(id);
  view.classList.remove("fresh");
  input.setAttribute("placeholder", "Ask another question");
  thread.lastElementChild?.scrollIntoView({ block: "start" });
}

/** The turns that are shown, oldest first. */
export const turns = () => [...thread.children].map((item) => item.turn).filter(Boolean);

/** Show example questions as they are found: each has to be tried before it is offered. */
async function offerExamples() {
  for (let wanted = 1; wanted <= EXAMPLES; wanted += 1) {
    const questions = await call("examples", wanted);
    if (!Array.isArray(questions)) return;
    showExamples(questions);
    if (questions.length < wanted) return;
  }
}

function showExamples(questions) {
  const choose = (question) => make("button", { type: "button", click: () => ask(question) }, question);
  examples.replaceChildren(...(questions.length ? [make("span", { class: "label" }, "For example"), ...questions.map(choose)] : []));
}

function keys(event) {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit();
  }
  const asked = [...thread.children].map((item) => item.question);
  const there = back + ({ ArrowUp: 1, ArrowDown: -1 }[event.key] ?? NaN);
  if (!(there >= 0 && there <= asked.length) || (input.value && !back)) return;
  event.preventDefault();
  write(there ? asked.at(-there) : "");
  back = there;
}

/** Put words into the box, to be changed and asked. */
function write(words) {
  input.value = words;
  grow();
  input.focus();
  input.setSelectionRange(words.length, words.length);
}

/** Take a question with its answer out of the conversation, as if it had not been asked. */
async function withdraw(turn) {
  const rest = await call("withdraw", turn.conversation, turn.id);
  if (rest.error) {
    tell(rest.error);
    return;
  }
  document.getElementById(`turn-${turn.turn}`)?.remove();
  if (!rest) startAfresh();
  else {
    for (const { turn: other } of thread.children) if (other) other.conversation = rest;
    name(rest);
    focusQuestion();
  }
  tell("The question and its answer are removed.");
}

/** As high as the question is long. */
function grow() {
  input.style.height = "auto";
  input.style.height = `${Math.min(input.scrollHeight, 200)}px`;
}

/** The turn that is being answered, or null: meanwhile the button ends it. */
function waitFor(turn) {
  pending = turn;
  button.title = turn === null ? "Ask (Enter)" : "Stop answering";
  button.replaceChildren(make("span", {}, turn === null ? "Ask" : "Stop"), icon(turn === null ? "send" : "close"));
}

function submit(event) {
  event.preventDefault();
  if (pending === null) ask(input.value);
  else if (event.submitter === button) stop(); // Enter in the box submits without it
  else if (input.value.trim()) tell("The question before is still being answered; Stop ends it.");
}

/** End the answer where it is; what has come of it stays. */
function stop() {
  const stopped = pending;
  const shown = document.getElementById(`turn-${stopped}`).turn;
  cut();
  if (shown) receive({ ...shown, growing: false, message: "Stopped before its end." });
  else receive({ turn: stopped, kind: "hint", cards: [], message: "Stopped." });
}

/** Have the server end its work on the question; no view of it is waited for any more. */
function cut() {
  page.trigger("stop");
  ended();
  waitFor(null);
}

export function ask(question) {
  if (pending !== null) return;
  const words = question.trim();
  if (!words) {
    input.setAttribute("placeholder", "Type a question first, then press Enter.");
    input.focus();
    return;
  }
  closeReader(); // what is marked there belongs to another question
  input.focus();
  waitFor((count += 1));
  view.classList.remove("fresh");
  input.setAttribute("placeholder", "Ask another question");
  input.value = "";
  back = 0;
  grow();
  const item = make("li", { id: `turn-${pending}` }, waitingNode(words));
  item.question = words;
  item.where = conditions.words();
  thread.append(item);
  item.scrollIntoView({ block: "start" });
  page.trigger("submit", { turn: pending, question: words, where: conditions.values(), k: settings.k, answerer: settings.answerer, conversation });
}

/** Show a view of the server in the place of its question. */
function receive(turn) {
  const item = turn && document.getElementById(`turn-${turn.turn}`);
  if (!item) return;
  item.turn = { ...turn, question: turn.question ?? item.question, searched: [collection, item.where].filter(Boolean).join(", only ") };
  if (turn.conversation && turn.conversation !== conversation) name(turn.conversation);
  item.replaceChildren(turnNode(item.turn));
  if (turn.turn !== pending || turn.growing) return;
  waitFor(null);
  item.scrollIntoView({ block: "start" });
}

/** The server has ended without an answer to the last question: say so. */
function settle() {
  if (pending === null) return;
  receive({ turn: pending, kind: "error", cards: [], message: "No answer came: the server is busy or cannot be reached. Ask again in a moment." });
}

