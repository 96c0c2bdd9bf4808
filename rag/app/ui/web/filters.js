/* What a question is asked of: documents and folders that are ticked, a period, a speaker. */

import { endingOf } from "./documents.js";
import { call, icon, iconButton, make, tell } from "./core.js";

const MOST = 100; // choices that are shown at once; words narrow them down

/** Make the filters: a node, and the conditions that are set, as rag.records.filters.Filter reads them. */
export function filters() {
  let rows = [];
  const ticked = new Map(); // condition: its words
  const field = (key, label, more) => make("input", { type: "text", id: `rag-where-${key}`, "aria-label": label, autocomplete: "off", input: mirror, change: mirror, ...more });
  const words = field("words", "Find a document or folder", { type: "search", placeholder: "Find a document or folder", input: list, change: list });
  const from = field("from", "From", { type: "date" });
  const to = field("to", "To", { type: "date" });
  const speaker = field("speaker", "Speaker", { placeholder: "anyone, or part of a name" });
  const name = make("input", { type: "text", "aria-label": "Name for this selection", placeholder: "Name, to keep this selection", maxlength: "60", autocomplete: "off" });
  const keep = make("form", { class: "keep", hidden: true, submit: async (event) => { event.preventDefault(); showKept(await call("keep_selection", name.value, [...ticked.keys()])); } },
    name, make("button", { type: "submit" }, "Keep"));
  const kept = make("ul", { class: "kept", "aria-label": "Kept selections" });
  const choices = make("ul", { class: "choices", tabindex: "0", "aria-label": "Documents and folders" });
  const wrong = make("p", { class: "warning", role: "status" });
  const said = make("span", { class: "set" });
  const clear = make("button", { type: "button", class: "quiet", hidden: true, click: reset }, "Search everything");
  const fields = [["from", "From", from], ["to", "To", to], ["speaker", "Speaker", speaker]]
    .map(([key, label, input]) => make("label", { class: key }, make("span", {}, label), input));
  const node = make("details", { class: "filters", toggle: begin }, make("summary", {}, icon("filter"), make("span", {}, "Search in"), said),
    make("div", { class: "panel" }, kept, words, choices, keep, make("div", { class: "fields" }, fields), wrong), clear);
  mirror();

  function reset() {
    for (const input of [words, from, to, speaker]) input.value = "";
    ticked.clear();
    list();
    mirror();
  }

  /** Say in the closed line what is set: a filter that is forgotten explains no answer. */
  function mirror() {
    const set = inWords();
    said.replaceChildren(set || "all documents");
    node.classList.toggle("active", set !== "");
    clear.hidden = !set;
    keep.hidden = !ticked.size;
    wrong.replaceChildren(from.value && to.value && from.value > to.value ? "No day fits: “From” is later than “To”." : "");
  }

  function inWords() {
    const period = [from.value && `from ${from.value}`, to.value && `to ${to.value}`].filter(Boolean).join(" ");
    return [...ticked.values(), period, speaker.value.trim() && `said by ${speaker.value.trim()}`].filter(Boolean).join(", ");
  }

  /** Documents of ticked folders are named where single documents are ticked, too: both are to be searched. */
  function values() {
    const places = [...ticked.keys()];
    const mixed = places.some((each) => each.startsWith("document=")) && places.some((each) => each.startsWith("folder="));
    const named = mixed ? places.flatMap((each) => (each.startsWith("folder=") ? inside(each.slice("folder=".length)) : [each])) : places;
    const period = from.value || to.value ? [`date=${from.value}..${to.value}`] : [];
    return [...named, ...period, ...(speaker.value.trim() ? [`speaker=${speaker.value.trim()}`] : [])];
  }

  const inside = (folder) => rows.filter((row) => `${row.folder}/`.startsWith(`${folder}/`)).map(nameOf);

  const nameOf = (row) => `document=${endingOf(row.document)}`;

  function offer(all) {
    rows = all;
    const known = new Set([...rows.map(nameOf), ...rows.map((row) => `folder=${row.folder}`)]);
    for (const place of ticked.keys()) if (!known.has(place)) ticked.delete(place);
    list();
    mirror();
  }

  function begin() {
    list();
    if (node.open) call("kept_selections").then(showKept);
  }

  /** Show the selections that are kept by name; an error leaves them as they are. */
  function showKept(all) {
    if (all.error) {
      tell(all.error);
      return;
    }
    name.value = "";
    kept.replaceChildren(...Object.entries(all).map(([each, places]) => make("li", {},
      make("button", { type: "button", click: () => choose(places) }, each),
      iconButton("close", `Forget the selection ${each}`, async () => showKept(await call("forget_selection", each))))));
  }

  /** Tick what a kept selection has, as far as it is still there. */
  function choose(places) {
    ticked.clear();
    for (const { place, name: called } of all()) if (places.includes(place)) ticked.set(place, called);
    if (ticked.size < places.length) tell("Some of these documents are not in the library any more.");
    list();
    mirror();
  }

  /** Everything that can be ticked. */
  function all() {
    const folders = [...new Set(rows.map((row) => row.folder))].sort();
    return [...(folders.length > 1 ? folders.map((folder) => ({ place: `folder=${folder}`, name: folder.split("/").slice(-2).join("/"), more: "folder" })) : []),
      ...rows.map((row) => ({ place: nameOf(row), name: row.name, more: endingOf(row.document) === row.name ? row.day : endingOf(row.document) }))];
  }

  function list() {
    if (!node.open) return;
    const wanted = words.value.trim().toLocaleLowerCase().split(/\s+/);
    const fit = all().filter(({ place, name, more }) => ticked.has(place) || wanted.every((word) => `${name} ${more} ${place}`.toLocaleLowerCase().includes(word)));
    fit.sort((a, b) => ticked.has(b.place) - ticked.has(a.place));
    choices.replaceChildren(...fit.slice(0, MOST).map(choice),
      fit.length > MOST ? make("li", { class: "note" }, `and ${fit.length - MOST} more: type a part of the name`) : fit.length ? "" : make("li", { class: "note" }, "Nothing has that name."));
  }

  function choice({ place, name, more }) {
    const tick = make("input", { type: "checkbox", checked: ticked.has(place), change: () => { if (tick.checked) ticked.set(place, name); else ticked.delete(place); mirror(); } });
    return make("li", {}, make("label", {}, tick, make("span", { class: "name" }, name), make("span", { class: "note" }, more)));
  }

  return { node, values, offer, words: inWords };
}
