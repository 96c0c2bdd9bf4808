/* What a question is asked of: documents, a folder, a period, a speaker. */

import { icon, make } from "./core.js";

const FIELDS = [
  { key: "document", label: "Document", list: "rag-documents-list", placeholder: "any" },
  { key: "folder", label: "Folder", list: "rag-folders-list", placeholder: "any" },
  { key: "from", label: "From", type: "date" },
  { key: "to", label: "To", type: "date" },
  { key: "speaker", label: "Speaker", placeholder: "anyone, or part of a name" },
];

/** Make the filters: a node, and the conditions that are set, as rag.records.filters.Filter reads them. */
export function filters() {
  const inputs = Object.fromEntries(FIELDS.map(({ key, type = "text", placeholder = "", list = null }) =>
    [key, make("input", { type, placeholder, list, id: `rag-where-${key}`, autocomplete: "off", input: mirror, change: mirror })]));
  const lists = ["rag-documents-list", "rag-folders-list"].map((id) => make("datalist", { id }));
  const said = make("span", { class: "set" });
  const clear = make("button", { type: "button", class: "quiet", hidden: true, click: reset }, "Clear");
  const fields = FIELDS.map(({ key, label }) => make("label", { class: key }, make("span", {}, label), inputs[key]));
  const panel = make("div", { class: "fields" }, fields, lists);
  const node = make("details", { class: "filters" }, make("summary", {}, icon("filter"), make("span", {}, "Filter"), said), panel, clear);

  function reset() {
    for (const input of Object.values(inputs)) input.value = "";
    mirror();
  }

  /** Say in the closed line what is set: a filter that is forgotten explains no answer. */
  function mirror() {
    const parts = [inputs.document.value, inputs.folder.value, period().replace("..", " to "), inputs.speaker.value];
    const set = parts.map((part) => part.trim()).filter(Boolean);
    said.replaceChildren(set.length ? `: ${set.join(", ")}` : "");
    node.classList.toggle("active", set.length > 0);
    clear.hidden = !set.length;
  }

  const period = () => (inputs.from.value || inputs.to.value ? `${inputs.from.value}..${inputs.to.value}` : "");

  function values() {
    const pairs = [["document", inputs.document.value], ["folder", inputs.folder.value], ["date", period()], ["speaker", inputs.speaker.value]];
    return pairs.filter(([, value]) => value.trim()).map(([key, value]) => `${key}=${value.trim()}`);
  }

  function offer(rows) {
    const options = (names) => [...new Set(names)].sort().map((name) => make("option", { value: name }));
    lists[0].replaceChildren(...options(rows.map((row) => row.file)));
    lists[1].replaceChildren(...options(rows.map((row) => row.folder)));
  }

  return { node, values, offer };
}
