/* A citation's words shown beside its number, while the pointer or the focus is on it. */

import { factsLine, make, textNodes } from "./core.js";

const DELAY = 120; // ms; a pointer that only passes by shows nothing

const box = make("div", { id: "rag-preview", class: "rag", role: "tooltip", hidden: true, mouseenter: () => clearTimeout(timer), mouseleave: later });
let timer = 0;
let owner = null;

/** Show `card` while `node` has the pointer or the keyboard's focus. */
export function preview(node, card) {
  node.addEventListener("mouseenter", () => {
    clearTimeout(timer);
    timer = setTimeout(() => show(node, card), DELAY);
  });
  node.addEventListener("mouseleave", later);
  node.addEventListener("focus", () => { if (node.matches(":focus-visible")) show(node, card); });
  node.addEventListener("blur", hide);
  node.addEventListener("click", hide);
}

function show(node, card) {
  if (!node.isConnected) return;
  hide();
  owner = node;
  if (!box.isConnected) document.body.append(box);
  box.replaceChildren(make("p", { class: "title" }, card.title), factsLine(card) ?? "",
    make("div", { class: "passage" }, textNodes(card.passage, card.number)));
  box.hidden = false;
  node.setAttribute("aria-describedby", box.id);
  const mark = box.querySelector("mark");
  const passage = box.querySelector(".passage");
  if (mark) passage.scrollTop = mark.offsetTop - passage.offsetTop - 24;
  place(node.getBoundingClientRect());
}

/** Below the number where there is room, else above; never beyond the window. */
function place(at) {
  const { offsetWidth: width, offsetHeight: height } = box;
  const left = Math.max(8, Math.min(at.left - 24, innerWidth - width - 8));
  const below = at.bottom + 8 + height <= innerHeight;
  box.style.left = `${left}px`;
  box.style.top = `${below ? at.bottom + 8 : Math.max(8, at.top - height - 8)}px`;
}

function later() {
  clearTimeout(timer);
  timer = setTimeout(hide, 200);
}

export function hide() {
  clearTimeout(timer);
  box.hidden = true;
  owner?.removeAttribute("aria-describedby");
  owner = null;
}

addEventListener("scroll", hide, { passive: true });
addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
