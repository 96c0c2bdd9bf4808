/* Builds the parts of the page from the data that render.py makes.

   One rule keeps it safe: strings from data become text nodes (or the value of an attribute that no browser acts on,
   such as `title`), never markup. There is no innerHTML here, no template and no Markdown. */
(() => {
  "use strict";

  const CALM = matchMedia("(prefers-reduced-motion: reduce)");

  /** Make an element. Children are elements or strings; strings become text nodes; null is left out. */
  function make(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") node.addEventListener(name, value);
      else if (value !== null) node.setAttribute(name, value);
    }
    node.append(...children.flat().filter((child) => child !== null && child !== ""));
    return node;
  }

  /** Before, mark and after as nodes; an empty mark is none. */
  const marked = (view) => [view.before, view.mark ? make("mark", {}, view.mark) : null, view.after];

  const factsLine = (facts) => (facts.length ? make("p", { class: "facts" }, facts.join(" · ")) : null);

  function show(node) {
    node.scrollIntoView({ block: "nearest", behavior: CALM.matches ? "auto" : "smooth" });
    node.focus({ preventScroll: true });
  }

  /* The answer */

  function marker(number) {
    const follow = (event) => {
      const card = document.getElementById(`src-${number}`);
      event.preventDefault();
      if (card) show(card);
    };
    return make("a", { class: "marker", href: `#src-${number}`, "aria-label": `Source ${number}`, click: follow }, `[${number}]`);
  }

  /** Markers after some words, held to the last of them by spaces that do not break. */
  const markers = (numbers) => numbers.map((number) => ["\u00a0", marker(number)]).flat();

  function sentence(view) {
    return make(
      "p",
      { class: view.supported ? "sentence" : "sentence unsupported" },
      view.speaker ? make("span", { class: "speaker" }, `${view.speaker}: `) : null,
      make("span", { class: "words" }, view.text),
      markers(view.sources),
      view.supported ? null : make("span", { class: "warning" }, " Not supported by its source"),
    );
  }

  function conflict(view) {
    const text = view.about ? `The sources disagree about ${view.about}:` : "The sources disagree:";
    return make("p", { class: "conflict" }, text, markers(view.sources));
  }

  function answer(view) {
    if (view.kind === "empty") return [];
    if (view.kind === "hint" || view.kind === "error") return [make("p", { class: view.kind }, view.message)];
    const asked = make("p", { class: "asked" }, view.question);
    if (view.kind === "refusal") {
      return [make("h2", {}, "No answer in these documents"), asked, make("p", { class: "reason" }, view.message)];
    }
    const short = view.short
      ? make("p", { class: "short" }, make("span", { class: "words" }, view.short.text), markers([view.short.source]))
      : null;
    const parts = [short, view.sentences.map(sentence), view.conflicts.map(conflict)];
    return [make("h2", {}, "Answer"), asked, ...parts.flat().filter(Boolean)];
  }

  /* The sources */

  function card(view, page) {
    const open = () => read(page, view.document, view.start, view.end);
    const heading = [view.number === null ? null : make("span", { class: "number" }, `${view.number}`), view.title];
    const attributes = view.number === null ? { class: "card" } : { class: "card", id: `src-${view.number}`, tabindex: "-1" };
    return make(
      "li",
      attributes,
      make("h3", {}, ...heading),
      factsLine(view.facts),
      make("blockquote", {}, ...marked(view)),
      make("button", { type: "button", "aria-label": `Open document: ${view.title}`, click: open }, "Open document"),
    );
  }

  function sources(view, page) {
    if (!view.cards.length) return [];
    return [
      make("h2", {}, view.heading),
      view.note ? make("p", { class: "note" }, view.note) : null,
      make("ol", { class: "cards" }, ...view.cards.map((each) => card(each, page))),
    ].filter(Boolean);
  }

  /* The reading pane: a drawer above the page; Escape or its button closes it and gives the focus back */

  async function read(page, uri, start, end) {
    const body = make("div", { class: "text", tabindex: "0", role: "document" }, "Opening the document…");
    const title = make("h2", { id: "reader-title" }, "");
    const facts = make("p", { class: "facts" });
    const close = make("button", { type: "button", click: () => pane.close() }, "Close");
    const pane = make("dialog", { class: "reader", "aria-labelledby": "reader-title", close: () => pane.remove() },
      make("header", {}, make("div", {}, title, facts), close), body);
    pane.addEventListener("click", (event) => { if (event.target === pane) pane.close(); });
    document.body.append(pane);
    pane.showModal();
    const view = await page.server.read([uri, start, end]).catch(() => ({ error: "The server does not answer." }));
    title.textContent = view.error ? "The document cannot be opened" : view.title;
    facts.textContent = view.error ? "" : view.facts.join(" · ");
    body.replaceChildren(...(view.error ? [view.error] : marked(view).filter(Boolean)));
    body.querySelector("mark")?.scrollIntoView({ block: "center" });
  }

  /* The collection */

  const heads = (...names) => names.map((name) => make("th", { scope: "col" }, name));

  function documentRow(row, page) {
    const forget = () => {
      if (confirm(`Remove “${row.name}” from the index?`)) page.trigger("delete", { document: row.document });
    };
    const open = () => read(page, row.document, 0, 0);
    return make(
      "tr",
      {},
      make("td", { class: "name" }, make("button", { type: "button", class: "link", click: open }, row.name)),
      make("td", { class: "date" }, row.date),
      make("td", { class: "count" }, row.passages.toLocaleString("en")),
      make("td", { class: "file", title: row.document }, row.file),
      make("td", {}, make("button", { type: "button", "aria-label": `Remove ${row.name}`, click: forget }, "Remove")),
    );
  }

  function documents(view, page) {
    const head = make("tr", {}, ...heads("Title", "Date", "Passages", "File"), make("td", {}));
    const table = make("table", { class: "documents" }, make("thead", {}, head),
      make("tbody", {}, ...view.rows.map((row) => documentRow(row, page))));
    return [make("h2", {}, "Documents"), make("p", { class: "note" }, view.summary), ...(view.rows.length ? [table] : [])];
  }

  function report(view) {
    if (!view.summary) return [];
    const rows = view.rows.map((row) => make("tr", { class: row.state }, make("td", { class: "file" }, row.file),
      make("td", { class: "state" }, row.state), make("td", { class: "reason" }, row.reason)));
    const table = make("table", { class: "report" },
      make("thead", {}, make("tr", {}, ...heads("File", "Result", "Reason"))), make("tbody", {}, ...rows));
    const scroll = make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Report by file" }, table);
    return [make("p", { class: view.error ? "error" : "done" }, view.summary), ...(rows.length ? [scroll] : [])];
  }

  function examples(view, page) {
    if (!view.length) return [];
    const choose = (question) => () => page.trigger("select", { question });
    const button = (question) => make("button", { type: "button", click: choose(question) }, question);
    return [make("span", { class: "label", id: "examples-label" }, "For example"), ...view.map(button)];
  }

  const BUILDERS = { answer, sources, documents, report, examples };
  const LIVE = new Set(["answer", "report"]); // read out when they change

  /** Show a gr.HTML's value, now and whenever it changes. `page` holds what Gradio gives to js_on_load. */
  function mount(kind, page) {
    const build = () => {
      const root = page.element.querySelector(`.rag-${kind}`);
      root.replaceChildren(...(page.props.value ? BUILDERS[kind](page.props.value, page) : []));
    };
    if (LIVE.has(kind)) page.element.setAttribute("aria-live", "polite");
    build();
    page.watch("value", build);
  }

  window.ragPage = { mount };
})();
