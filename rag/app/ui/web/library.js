/* The library: which documents there are, adding and removing them, and what a change did. */

import { call, icon, make, tell, watchEnds } from "./core.js";
import { endingOf } from "./documents.js";
import { mountNews, newsNodes } from "./news.js";
import { open } from "./reader.js";
import { megabytes, upload } from "./upload.js";

const COLUMNS = [
  { key: "name", label: "Title" },
  { key: "kind", label: "Kind" },
  { key: "date", label: "Date" },
  { key: "words", label: "Length", number: true },
  { key: "added", label: "Added" },
];
const MOST_TOLD = 12; // files of a report that are shown at once

let page = null;
let changed = () => {};
let rows = [];
let sorted = { key: "name", up: true };
let working = false;
let largest = Infinity; // bytes of a file
let stop = () => {}; // ends what is going on

const chooser = make("input", { type: "file", multiple: true, hidden: true, change: () => send([...chooser.files]) });
const folderChooser = make("input", { type: "file", webkitdirectory: true, hidden: true, change: () => send([...folderChooser.files]) });
const limit = make("span");
const drop = make("div", { class: "drop" },
  icon("add"),
  make("p", {}, make("strong", {}, "Drop files or folders here"), make("span", {}, "Texts, web pages, PDF, Office, e-books, mail, subtitles, archives. They are copied into the index."), limit),
  make("div", { class: "choose" },
    make("button", { type: "button", class: "primary", click: () => chooser.click() }, "Choose files"),
    make("button", { type: "button", click: () => folderChooser.click() }, "Choose a folder"),
    make("button", { type: "button", click: paste }, "Paste a text")),
  chooser, folderChooser);
const path = make("input", { type: "text", id: "rag-folder", placeholder: "/home/you/reports", autocomplete: "off", spellcheck: "false" });
const byName = make("form", { class: "by-name", hidden: true, submit: (event) => { event.preventDefault(); start("input", { folder: path.value }); } },
  make("label", { for: "rag-folder" }, "Or search a folder where it is"),
  make("div", { class: "row" }, path, make("button", { type: "submit" }, "Add folder")));
const report = make("div", { class: "report", "aria-live": "polite" });
const words = make("input", { type: "search", placeholder: "Filter by title, file, date or kind", "aria-label": "Filter documents", input: list });
const summary = make("p", { class: "note" });
const table = make("div", { class: "documents" });
const view = make("section", { class: "library", "aria-label": "Library" },
  make("h1", {}, "Library"), make("div", { class: "adding" }, drop, byName), report, newsNodes,
  make("div", { class: "list-head" }, summary, words), table);

export function mountLibrary(part, refresh) {
  page = part;
  changed = refresh;
  mountNews(refresh);
  part.element.querySelector("#rag-library").replaceChildren(view);
  const ended = watchEnds("library", () => {
    if (working) receive({ kind: "error", summary: "The server is busy or cannot be reached. Try again in a moment.", rows: [] });
  });
  part.watch("value", () => {
    const work = part.props.value;
    if (work && work.kind !== "progress") ended();
    receive(work);
  });
  for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, over);
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
  drop.addEventListener("drop", dropped);
}

export function showCollection({ documents, local, largest: bytes }) {
  largest = bytes ?? largest;
  limit.replaceChildren(Number.isFinite(largest) ? `Up to ${megabytes(largest)} a file.` : "");
  rows = documents.rows;
  summary.replaceChildren(documents.summary);
  byName.hidden = !local;
  list();
}

/* Adding */

function over(event) {
  event.preventDefault();
  drop.classList.add("over");
}

async function dropped(event) {
  event.preventDefault();
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const files = entries.length ? (await Promise.all(entries.map(filesOf))).flat() : [...event.dataTransfer.files];
  send(files);
}

/** All files of a dropped file or folder. */
async function filesOf(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => { entry.file(resolve, reject); })];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (!some.length) return found;
    found.push(...(await Promise.all(some.map(filesOf))).flat());
  }
}

/** Send files to the server, one after the other, and have them indexed together. */
async function send(files) {
  chooser.value = folderChooser.value = "";
  if (!files.length || working) return;
  working = true;
  const [small, large] = [files.filter((file) => file.size <= largest), files.filter((file) => file.size > largest)];
  const refused = large.map((file) => ({ file: file.name, state: "skipped", reason: `${megabytes(file.size)} is more than the ${megabytes(largest)} of a file; split it` }));
  const all = small.reduce((sum, file) => sum + file.size, 0);
  const sent = [];
  let before = 0;
  let stopped = false;
  for (const file of small) {
    const many = small.length > 1 ? ` (${sent.length + 1} of ${small.length})` : "";
    const told = (bytes) => progress(`Sending ${file.name}${many}: ${megabytes(before + bytes)} of ${megabytes(all)}`, (before + bytes) / (all || 1));
    const sending = upload(file, told);
    stop = () => { stopped = true; sending.stop(); };
    told(0);
    try {
      sent.push({ path: await sending.path, orig_name: file.name, meta: { _type: "gradio.FileData" } });
    } catch (error) {
      refused.push({ file: file.name, state: "failed", reason: error.message });
    }
    before += file.size;
    if (stopped) break;
  }
  working = false;
  page.refused = stopped ? [] : refused;
  if (stopped) receive({ kind: "done", summary: "Cancelled: nothing was added.", rows: [] });
  else if (sent.length) start("upload", { files: sent });
  else receive({ kind: "error", summary: "Nothing was added.", rows: [] });
}

/** Add a text that has no file yet: it becomes one. */
function paste() {
  const title = make("input", { type: "text", "aria-label": "Title", placeholder: "Title", autocomplete: "off", maxlength: "100", required: true });
  const text = make("textarea", { "aria-label": "Text", placeholder: "Paste or write the text here", rows: "12", required: true });
  const box = make("dialog", { class: "rag rag-dialog", "aria-label": "Paste a text", close: () => box.remove() },
    make("form", { class: "inner", submit: add }, make("h2", {}, "Paste a text"), title, text,
      make("div", { class: "end" }, make("button", { type: "button", click: () => box.close() }, "Cancel"), make("button", { type: "submit", class: "primary" }, "Add text"))));

  function add(event) {
    event.preventDefault();
    const name = title.value.trim();
    box.close();
    send([new File([`${name}\n\n${text.value.trim()}\n`], `${name.replace(/[^\p{L}\p{N} ._-]+/gu, " ").trim() || "text"}.txt`, { type: "text/plain" })]);
  }

  document.body.append(box);
  box.showModal();
}

function start(event, data) {
  if (working) {
    tell("Wait until the present change is done.");
    return;
  }
  working = true;
  stop = () => call("cancel");
  progress("Starting…", 0);
  page.trigger(event, data);
}

const line = make("p");
const bar = make("progress", { max: "1", "aria-label": "Progress" });
const going = make("div", { class: "progress" }, make("div", {}, line, make("button", { type: "button", class: "quiet", click: () => stop() }, "Cancel")), bar);

function progress(words, share) {
  line.replaceChildren(words);
  bar.value = share;
  if (!going.isConnected) report.replaceChildren(going); // else Cancel would lose the focus
}

function receive(work) {
  if (!work) return;
  if (work.kind === "progress") {
    progress(work.summary, work.share);
    return;
  }
  working = false;
  const all = [...(page.refused ?? []), ...work.rows];
  const trouble = work.kind === "error" || all.some((row) => row.state === "failed");
  page.refused = [];
  report.replaceChildren(make("div", { class: `outcome ${work.kind}${trouble ? " trouble" : ""}` },
    make("p", {}, icon(trouble ? "warning" : "good"), work.summary,
      make("button", { type: "button", class: "quiet", click: () => report.replaceChildren() }, "Dismiss")),
    all.length ? reportTable(all.slice(0, MOST_TOLD)) : null,
    all.length > MOST_TOLD ? make("details", {}, make("summary", {}, `${all.length - MOST_TOLD} more`), reportTable(all.slice(MOST_TOLD))) : null));
  changed();
}

function reportTable(all) {
  const heads = ["File", "Result", "Reason"].map((name) => make("th", { scope: "col" }, name));
  return make("table", {}, make("thead", {}, make("tr", {}, heads)), make("tbody", {}, all.map((row) =>
    make("tr", { class: row.state }, make("td", { class: "file" }, row.file), make("td", { class: "state" }, row.state),
      make("td", { class: "reason" }, row.reason)))));
}

/* The list */

function list() {
  const wanted = words.value.trim().toLocaleLowerCase().split(/\s+/);
  const text = (row) => [row.name, row.document, row.day, row.date, row.kind, row.length, row.trouble].join(" ").toLocaleLowerCase();
  const shown = rows.filter((row) => wanted.every((word) => text(row).includes(word))).sort(compare);
  const giveBack = keepFocus();
  if (!rows.length) {
    table.replaceChildren(make("p", { class: "note" }, "Nothing here yet."));
    return;
  }
  table.replaceChildren(make("table", {},
    make("thead", {}, make("tr", {}, COLUMNS.map(head), make("td"))),
    make("tbody", {}, shown.map(row))),
    shown.length ? "" : make("p", { class: "note" }, "No document fits the filter."));
  giveBack();
}

/** Remember the row that has the focus; the list that takes its place gives it to the same one, or the one below. */
function keepFocus() {
  const button = document.activeElement?.closest(".documents tbody button");
  const at = [...table.querySelectorAll("tbody tr")].indexOf(button?.closest("tr"));
  const place = button?.closest("tr").dataset.document;
  const kind = button?.classList[0];
  return () => {
    if (!button) return;
    const now = [...table.querySelectorAll("tbody tr")];
    const row = now.find((each) => each.dataset.document === place) ?? now[Math.min(at, now.length - 1)];
    (row?.querySelector(`button.${kind}`) ?? words).focus();
  };
}

function compare(a, b) {
  const { key, up } = sorted;
  const order = typeof a[key] === "number" ? a[key] - b[key] : a[key].localeCompare(b[key], "en", { numeric: true });
  return (up ? order : -order) || a.name.localeCompare(b.name, "en");
}

function head({ key, label, number }) {
  const here = sorted.key === key;
  const sort = () => {
    sorted = { key, up: here ? !sorted.up : !number && !["date", "added"].includes(key) };
    list();
    table.querySelector(`th[data-key="${key}"] button`).focus();
  };
  return make("th", { scope: "col", "data-key": key, class: number ? "number" : null, "aria-sort": here ? (sorted.up ? "ascending" : "descending") : null },
    make("button", { type: "button", click: sort }, label, here ? icon(sorted.up ? "up" : "down") : null));
}

function row(each) {
  const opener = make("button", { type: "button", class: "title", click: () => open({ ...each, title: each.name, number: null, start: 0, end: 0 }) }, each.name);
  const file = endingOf(each.document);
  return make("tr", { class: each.trouble ? "trouble" : null, "data-document": each.document },
    make("td", { class: "name" }, opener, file === each.name ? null : make("span", { class: "file", title: each.document }, file),
      each.trouble ? make("span", { class: "warning" }, each.trouble) : null),
    make("td", { class: "kind" }, each.kind),
    make("td", { class: "date" }, each.day || "—"),
    make("td", { class: "number" }, each.length),
    make("td", { class: "added" }, each.added ? new Date(each.added).toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" }) : "—"),
    make("td", { class: "act" }, make("button", { type: "button", class: "quiet", "aria-label": `Remove ${each.name}`, click: () => remove(each) }, "Remove")));
}

function remove(each) {
  const cancel = make("button", { type: "button", click: () => box.close() }, "Keep");
  const agree = make("button", { type: "button", class: "danger", click: () => { box.close(); start("delete", { documents: [each.document] }); } }, "Remove");
  const box = make("dialog", { class: "rag rag-dialog", "aria-label": "Remove a document", close: () => box.remove() },
    make("div", { class: "inner" }, make("h2", {}, "Remove this document?"), make("p", {}, `“${each.name}” (${endingOf(each.document)})`),
      make("p", { class: "note" }, "It is no longer searched. A file that was added here is deleted; a file of one of your folders stays where it is, and is taken in again when its folder is added again. Conversations that quote it are kept until you forget them."),
      make("div", { class: "end" }, cancel, agree)));
  document.body.append(box);
  box.showModal();
  cancel.focus();
}
