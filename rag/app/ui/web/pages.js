/* The pages of a PDF as pictures, the cited words marked on them; each is fetched when it comes into sight. */

import { bytes } from "./actions.js";
import { call, make } from "./core.js";

const LINE = 40; // pixels that a marked line needs

/** Fetch a page with the words of `card` marked: { base64, top }, or { error }. */
export const draw = (card, number) => call("page_picture", card.document, card.start, card.end, number);

/** Build the pages; `card` says which words are marked, `drawn` holds pages that have been fetched, by number. */
export function pageNodes(card, count, drawn = {}) {
  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      fill(target, card, drawn);
    }
  }, { rootMargin: "300px" });
  return Array.from({ length: count }, (_, index) => {
    const node = make("figure", { class: "page", "data-number": String(index + 1) }, make("figcaption", {}, `Page ${index + 1} of ${count}`), make("div", { class: "sheet" }));
    seen.observe(node);
    return node;
  });
}

async function fill(node, card, drawn) {
  const number = Number(node.dataset.number);
  const page = drawn[number] ?? await draw(card, number);
  const sheet = node.querySelector(".sheet");
  if (page.error) {
    sheet.replaceChildren(make("p", { class: "error" }, page.error));
    return;
  }
  const address = URL.createObjectURL(new Blob([bytes(page.base64)], { type: "image/png" }));
  const picture = make("img", { src: address, alt: `Page ${number}, as it was printed`, load: () => shown(node, picture, page.top) });
  sheet.replaceChildren(picture);
}

/** Scroll to the marked words of a page that was turned to, unless they are in sight. */
function shown(node, picture, top) {
  URL.revokeObjectURL(picture.src);
  if (top === null || !node.hasAttribute("data-aimed")) return;
  node.removeAttribute("data-aimed");
  const frame = node.parentElement.getBoundingClientRect();
  const place = picture.getBoundingClientRect();
  const mark = place.top + top * place.height;
  if (mark < frame.top || mark > frame.bottom - LINE) node.parentElement.scrollTop += mark - frame.top - frame.height / 3;
}
