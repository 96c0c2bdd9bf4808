/* Settings > Answers: quotations only, a language model found on this machine, or one at another address. */

import { call, make, set, settings } from "./core.js";

const QUOTED = "extractive";
const OTHER = "other";
const EXPLAINED = "Quotations are the documents’ own words. A language model writes its own, each sentence checked here against its source; the question and the passages are sent to it.";

/** Build the part of the settings; `changed` is called with the model that is chosen, or null. */
export function answersNode(changed) {
  const select = make("select", { "aria-label": "Answers", disabled: true, change: choose });
  const hint = make("p", { class: "note", role: "status" }, "Looking for language models on this machine…");
  const url = field("Address", { placeholder: "http://127.0.0.1:8080/v1", inputmode: "url" });
  const model = field("Model", { placeholder: "the first that the server lists" });
  const key = field("Key", { type: "password", placeholder: "only if the server wants one" });
  const other = make("form", { class: "other-model", hidden: true, submit: (event) => { event.preventDefault(); use(url.value, model.value, key.value); } },
    [["Address", url], ["Model", model], ["Key", key]].map(([name, input]) => make("label", {}, make("span", {}, name), input)),
    make("button", { type: "submit" }, "Use this address"));
  const tryIt = make("button", { type: "button", class: "quiet", click: trial }, "Try it");
  const forget = make("button", { type: "button", class: "quiet", click: async () => { set("answerer", QUOTED); show(await call("forget_model")); } }, "Forget this model");
  const tools = make("div", { class: "model-tools", hidden: true }, tryIt, forget);
  const line = make("p", { class: "note tried", role: "status" });
  const node = make("div", { class: "answers-setting" },
    make("label", {}, make("span", { class: "name" }, "Answers"), select, make("span", { class: "explained" }, EXPLAINED)),
    other, hint, tools, line);
  let told = { servers: [], chosen: null };
  call("look").then(show);
  return node;

  /** Show what the server tells; an error leaves the rest as it is. */
  function show(view) {
    if (view.error) {
      hint.replaceChildren(view.error);
      return;
    }
    told = view;
    const { chosen } = view;
    const always = chosen?.always === true;
    const found = view.servers.flatMap((server) => server.models.map((name) => [JSON.stringify([server.url, name]), `${name} (${server.name}, on this machine)`]));
    const own = chosen && JSON.stringify([chosen.url, chosen.model]);
    const kept = chosen && !found.some(([value]) => value === own) ? [[own, `${chosen.model || "the first model"} at ${chosen.host ?? "its server"}`]] : [];
    const options = [[QUOTED, "Quotations only"], ...found, ...kept, ...(view.may_choose ? [[OTHER, "Another address…"]] : [])];
    select.replaceChildren(...options.map(([value, words]) => make("option", { value }, words)));
    const writes = always || (chosen && settings.answerer === "llm");
    select.value = writes ? own : QUOTED;
    select.disabled = always;
    other.hidden = true;
    key.value = "";
    tools.hidden = !writes;
    forget.hidden = always || !view.may_choose;
    hint.replaceChildren(view.install || hintOf(view, writes));
    changed(chosen);
  }

  function choose() {
    line.replaceChildren();
    other.hidden = select.value !== OTHER;
    if (select.value === OTHER) {
      url.focus();
      hint.replaceChildren("At an address that is not on this machine, your question and the passages found for it leave this machine.");
    } else if (select.value === QUOTED) {
      set("answerer", QUOTED);
      show(told);
    } else use(...JSON.parse(select.value), "");
  }

  async function use(address, name, secret) {
    key.value = "";
    const isKept = told.chosen?.url === address && told.chosen?.model === name && !secret;
    const view = isKept ? told : await call("choose", address.trim(), name, secret);
    if (!view.error) set("answerer", "llm");
    show(view);
  }

  async function trial() {
    line.replaceChildren("Trying…");
    const said = await call("try_it");
    line.replaceChildren(said.error ?? said.line);
  }
}

function hintOf(view, writes) {
  if (writes && !view.chosen.local) return `Your questions and the passages found for them leave this machine: they are sent to ${view.chosen.host ?? "the server of the model"}.`;
  if (writes) return "The model runs on this machine: nothing leaves it.";
  if (view.servers.length) return "";
  return view.may_choose ? "No language model runs on this machine: Ollama, LM Studio, llama.cpp and vLLM are found by themselves once they run." : "";
}

const field = (name, more) => make("input", { type: "text", "aria-label": name, autocomplete: "off", spellcheck: "false", ...more });
