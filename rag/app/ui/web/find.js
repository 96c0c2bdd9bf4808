/* Search inside one element: a box with a count, next and previous; what is found is highlighted without touching it. */

import { icon, iconButton, make } from "./core.js";

const ALL = "rag-found";
const NOW = "rag-found-now";

/** Make a search box for the text of `body`. */
export function finder(body) {
  let ranges = [];
  let now = -1;

  const input = make("input", { type: "search", placeholder: "Find in document", "aria-label": "Find in document", input: search, keydown: keys });
  const count = make("span", { class: "count", role: "status" });
  const box = make("div", { class: "find", role: "search" }, icon("search"), input, count,
    iconButton("up", "Previous place", () => go(-1)), iconButton("down", "Next place", () => go(1)));

  function keys(event) {
    if (event.key === "Enter") {
      event.preventDefault();
      go(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape" && input.value) {
      event.stopPropagation();
      clear();
    }
  }

  function search() {
    const words = input.value.trim();
    ranges = words ? found(body, words) : [];
    now = -1;
    if (ranges.length) go(1);
    else paint();
    if (words && !ranges.length) count.replaceChildren("not found");
  }

  function go(by) {
    if (!ranges.length) return;
    now = (now + by + ranges.length) % ranges.length;
    paint();
    const place = ranges[now].getBoundingClientRect();
    const frame = body.getBoundingClientRect();
    if (place.top < frame.top || place.bottom > frame.bottom) body.scrollTop += place.top - frame.top - frame.height / 3;
  }

  function paint() {
    count.replaceChildren(ranges.length ? `${now + 1} of ${ranges.length}` : "");
    if (!window.CSS?.highlights) return;
    CSS.highlights.set(ALL, new Highlight(...ranges));
    CSS.highlights.set(NOW, new Highlight(...ranges.slice(now, now + 1)));
  }

  function clear() {
    input.value = "";
    ranges = [];
    now = -1;
    paint();
  }

  return { box, clear, focus: () => input.select() };
}

/** Return a range for each place, as people see the text: hidden signs skipped, a line break a space, any case. */
function found(body, words) {
  const walker = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
  const pieces = [];
  let text = "";
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const hidden = node.parentElement.closest(".look-sign, .look-gap, .look-cell");
    if (!hidden) pieces.push({ node, start: text.length });
    text += hidden ? "\n".repeat(hidden.matches(".look-sign") ? 0 : 1) : node.data;
  }
  const pattern = words.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/\s+/g, "\\s+");
  const at = (offset, end) => {
    const piece = pieces.findLast((each) => (end ? each.start < offset : each.start <= offset));
    return [piece.node, Math.min(offset - piece.start, piece.node.length)];
  };
  return [...text.matchAll(new RegExp(pattern, "giu"))].map((match) => {
    const range = new Range();
    range.setStart(...at(match.index, false));
    range.setEnd(...at(match.index + match[0].length, true));
    return range;
  });
}
