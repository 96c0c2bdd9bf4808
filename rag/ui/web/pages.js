/* The pages of a PDF as pictures, the cited words marked on them; each is fetched when it comes into sight. */

import { bytes } from "./actions.js";
import { call, make } from "./core.js";

/** Build the pages; `card` says which words are marked. */
export function pageNodes(card, count) {
  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      fill(target, card);
    }
  }, { rootMargin: "300px" });
  return Array.from({ length: count }, (_, index) => {
    const node = make("figure", { class: "page", "data-number": String(index + 1) }, make("figcaption", {}, `Page ${index + 1} of ${count}`), make("div", { class: "sheet" }));
    seen.observe(node);
    return node;
  });
}

async function fill(node, card) {
  const number = Number(node.dataset.number);
  const drawn = await call("page_picture", card.document, card.start, card.end, number);
  const sheet = node.querySelector(".sheet");
  if (drawn.error) {
    sheet.replaceChildren(make("p", { class: "error" }, drawn.error));
    return;
  }
  const address = URL.createObjectURL(new Blob([bytes(drawn.base64)], { type: "image/png" }));
  const picture = make("img", { src: address, alt: `Page ${number}, as it was printed`, load: () => URL.revokeObjectURL(address) });
  sheet.replaceChildren(picture);
}
