/* What can be done with an answer: copy it with its references, save it, say whether it was right. */

import { call, copy, icon, iconButton, make, save, tell } from "./core.js";

const FORMS = [
  { form: "text", label: "Text", ending: "txt", type: "text/plain" },
  { form: "markdown", label: "Markdown with footnotes", ending: "md", type: "text/markdown" },
  { form: "docx", label: "Word document", ending: "docx", type: "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
];

/** A button that opens a list of buttons; it closes when one is chosen, by Escape, and when the focus leaves. */
export function menu(label, sign, entries) {
  const list = make("div", { class: "menu-list", role: "group", "aria-label": label, hidden: true },
    entries.map(([words, act]) => make("button", { type: "button", class: "quiet", click: () => { shut(); act(); } }, words)));
  const button = make("button", { type: "button", class: "quiet", "aria-expanded": "false", click: () => (list.hidden ? show() : shut()) }, icon(sign), label);
  const node = make("div", { class: "menu" }, button, list);
  const show = () => {
    list.hidden = false;
    list.style.left = "0";
    list.style.left = `${Math.min(0, innerWidth - 8 - list.getBoundingClientRect().right)}px`;
    list.scrollIntoView({ block: "nearest" });
    button.setAttribute("aria-expanded", "true");
    list.querySelector("button").focus();
  };
  const shut = () => {
    if (list.hidden) return;
    list.hidden = true;
    button.setAttribute("aria-expanded", "false");
    if (node.contains(document.activeElement)) button.focus();
  };
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || list.hidden) return;
    event.stopPropagation();
    shut();
  });
  node.addEventListener("focusout", (event) => { if (!node.contains(event.relatedTarget)) shut(); });
  return node;
}

/** Copy or save answers of a conversation; `ids` are those of its turns, null for all. */
async function give(turn, ids, { form, label, ending, type }, saved) {
  const made = await call("export", turn.conversation, ids, form);
  if (made.error) tell(made.error);
  else if (!saved) copy(made.text, `Answer (${label.toLowerCase()})`);
  else save(`${ids ? "answer" : "conversation"}.${ending}`, new Blob([made.base64 ? bytes(made.base64) : made.text], { type }));
}

export const bytes = (base64) => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));

/** The line of buttons under an answer. */
export function actions(turn) {
  if (!turn.id) return null;
  const [text, markdown] = FORMS;
  const files = FORMS.map((form) => [`Save this answer: ${form.label}`, () => give(turn, [turn.id], form, true)]);
  const all = FORMS.map((form) => [`Save the conversation: ${form.label}`, () => give(turn, null, form, true)]);
  const say = (what) => () => window.dispatchEvent(new CustomEvent(what, { detail: turn }));
  const tool = (sign, words, click) => make("button", { type: "button", class: "quiet", click }, icon(sign), words);
  return make("div", { class: "actions" }, tool("copy", "Copy", () => give(turn, [turn.id], text, false)), tool("edit", "Edit question", say("rag-edit")),
    menu("More", "more", [["Copy as Markdown with footnotes", () => give(turn, [turn.id], markdown, false)], ...files, ...all, ["Remove this question", say("rag-withdraw")]]),
    verdict(turn));
}

/** "Helpful" and "wrong", kept for `rag eval`; of a wrong answer the right one can be given. */
function verdict(turn) {
  const right = make("input", { type: "text", placeholder: "What would be right? (if you know)", "aria-label": "The right answer", autocomplete: "off" });
  const correction = make("form", { class: "correction", hidden: true, submit: (event) => { event.preventDefault(); keep("wrong", right.value); } },
    right, make("button", { type: "submit" }, "Keep"));
  const helpful = make("button", { type: "button", class: "quiet", click: () => keep(turn.verdict === "helpful" ? null : "helpful") }, icon("good"), "Helpful");
  const wrong = make("button", { type: "button", class: "quiet", click: () => keep(turn.verdict === "wrong" ? null : "wrong") }, icon("close"), "Wrong");
  const node = make("div", { class: "verdict-tools", role: "group", "aria-label": "Was this right?" }, helpful, wrong, correction);

  async function keep(said, words = "") {
    const failed = await call("judge", turn.id, said, words);
    if (failed) {
      tell(failed.error);
      return;
    }
    turn.verdict = said;
    paint();
    correction.hidden = said !== "wrong" || Boolean(words);
    if (!correction.hidden) right.focus();
    tell(said ? "Kept on this machine, with your judged answers." : "Taken back.");
  }

  function paint() {
    helpful.setAttribute("aria-pressed", String(turn.verdict === "helpful"));
    wrong.setAttribute("aria-pressed", String(turn.verdict === "wrong"));
  }

  paint();
  return node;
}

/* Conversations that are kept */

/** A dialog's content: the conversations, to reopen or forget them. */
export function conversations(reopen) {
  const list = make("ul", { class: "conversations" }, make("li", { class: "note" }, "Looking them up…"));
  const foot = make("button", { type: "button", class: "quiet", click: saveQuestions }, icon("download"), "Save judged answers as a file");
  const show = (rows) => {
    if (rows.error || !rows.length) {
      list.replaceChildren(make("li", { class: "note" }, rows.error ?? "No conversation is kept yet."));
      return;
    }
    list.replaceChildren(...rows.map((row) => make("li", {},
      make("button", { type: "button", class: "conversation", click: () => reopen(row.id) },
        make("span", { class: "name" }, row.title), make("span", { class: "note" }, `${row.turns === 1 ? "1 question" : `${row.turns} questions`} · ${row.day}`)),
      iconButton("close", `Forget: ${row.title}`, async () => show(await call("forget", row.id))))));
  };
  call("conversations").then(show);
  return [list, foot];
}

async function saveQuestions() {
  const made = await call("questions");
  if (made.error || !made.text) tell(made.error ?? "No answer has been judged yet: say “Helpful” or “Wrong” under one.");
  else save("questions.jsonl", new Blob([made.text], { type: "application/x-ndjson" }));
}
