/* What changed lately, and the switch that has changes of files followed. */

import { call, countOf, make, tell } from "./core.js";

const EVERY = 2000; // ms between two looks, while changes are followed and the library is in sight
const MOST_NAMES = 8; // of files, in one line
const MOST_ROOTS = 3;

let refresh = () => {};
let mine = false; // whether whoever sees the page sits at the machine that serves it
let turned = 0; // grows with each turn of the switch and its reply: what was asked before says nothing of it any more
let latest = null; // the change on top of the list, once it has been shown

const toggle = make("button", { type: "button", role: "switch", "aria-checked": "false", "aria-labelledby": "rag-follow-name", "aria-describedby": "rag-follow-says", click: turn });
const says = make("p", { class: "note", id: "rag-follow-says" });
const follow = make("div", { class: "follow", hidden: true }, toggle,
  make("div", {}, make("p", { id: "rag-follow-name", class: "name" }, "Follow changes"), says));
const last = make("span", { class: "note" });
const list = make("ol", { class: "changes", tabindex: "0", "aria-label": "Latest changes" });
const lately = make("details", { class: "lately", hidden: true }, make("summary", {}, make("span", { class: "name" }, "What changed lately"), last), list);

export const newsNodes = [follow, lately];

/** Show news from now on; `changed` is called when others have changed the collection. */
export function mountNews(changed) {
  refresh = changed;
  setInterval(() => {
    if (isOn() && document.body.dataset.view === "library" && !document.hidden) look();
  }, EVERY);
}

/** Ask the server for what is new. */
export async function askNews() {
  const asked = turned;
  return { asked, ...await call("news") };
}

/** Show what the server says; only people at its machine can have its files followed. */
export function showNews(news, local = mine) {
  if (news.error) return;
  mine = local;
  follow.hidden = !local;
  if (news.asked === turned) showFollow(news.follow);
  showChanges(news.changes);
}

/** Ask for what is new and show it. */
export const look = async () => showNews(await askNews());

/* Following */

const isOn = () => toggle.getAttribute("aria-checked") === "true";

async function turn() {
  turned += 1;
  const now = await call("follow", !isOn());
  turned += 1;
  if (now.error) tell(now.error);
  else showFollow(now);
}

function showFollow({ on, roots, trouble }) {
  toggle.setAttribute("aria-checked", String(on));
  toggle.disabled = !on && !roots.length;
  const some = roots.slice(0, MOST_ROOTS).join(", ");
  const all = roots.length > MOST_ROOTS ? `${some} and ${countOf(roots.length - MOST_ROOTS, "other")}` : some;
  says.title = roots.join("\n");
  says.replaceChildren(
    !roots.length ? "Index a folder where it is; then its changes can be followed."
      : on ? `What is added, changed or deleted in ${all} shows here within seconds, until the program ends.`
        : `Turn it on to have what is added, changed or deleted in ${all} indexed by itself.`,
    trouble ? make("span", { class: "warning" }, ` ${trouble}`) : "");
}

/* Changes */

function showChanges(changes) {
  lately.hidden = !changes.length;
  if (!changes.length) return;
  const newest = `${changes[0].ended} ${changes[0].summary}`;
  if (newest === latest) return;
  if (latest !== null) refresh();
  latest = newest;
  last.replaceChildren(`${when(changes[0].ended)}: ${changes[0].summary}`);
  list.replaceChildren(...changes.map((change) => make("li", {},
    make("time", { datetime: change.ended, title: new Date(change.ended).toLocaleString("en-GB") }, when(change.ended)),
    make("div", {}, lines(change.rows), change.more ? make("p", { class: "note" }, `and ${countOf(change.more, "more file")}`) : ""))));
}

/** A line for each state with the names of its files; a file with a reason has a line of its own. */
function lines(rows) {
  const states = [...new Set(rows.map((row) => row.state))];
  const line = (state, ...words) => make("p", { class: state }, make("span", { class: "state" }, state), " ", words);
  return states.flatMap((state) => {
    const these = rows.filter((row) => row.state === state);
    const plain = these.filter((row) => !row.reason).map((row) => row.file);
    const rest = plain.length > MOST_NAMES ? ` and ${plain.length - MOST_NAMES} more` : "";
    return [...(plain.length ? [line(state, plain.slice(0, MOST_NAMES).join(", ") + rest)] : []),
      ...these.filter((row) => row.reason).map((row) => line(state, row.file, make("span", { class: "reason" }, `: ${row.reason}`)))];
  });
}

/** The time on this machine's clock, as people say it. */
function when(iso) {
  const then = new Date(iso);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(then).setHours(0, 0, 0, 0)) / 86_400_000);
  const time = then.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const year = then.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  const day = ["today", "yesterday"][days] ?? then.toLocaleDateString("en-GB", { day: "numeric", month: "long", year });
  return `${day}, ${time}`;
}
