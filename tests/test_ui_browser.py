"""The page in a real browser, over the sample corpus, as `python app.py` starts it.

Every test ends with the same three questions: did the page ask for anything outside of this machine, did a script of
a document run, did the page's own script fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

ROOT = Path(__file__).parent.parent
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
QUESTION = "How many civilians live in Idlib?"
UNANSWERABLE = "Who won the 1998 football world cup?"
FIRST_ANSWER = 120_000  # ms; the encoder is loading on a busy machine
PAYLOADS = [
    "<script>window.pwned=1</script>",
    '<img src=x onerror="window.pwned=1">',
    '<svg onload="window.pwned=1">',
    '<details open ontoggle="window.pwned=1">',
    '<iframe srcdoc="<script>parent.pwned=1</script>"></iframe>',
    '<math><mtext><table><mglyph><style><img src=x onerror="window.pwned=1">',
    "![picture](http://evil.test/a.png)",
    "[click](javascript:window.pwned=1)",
    '<div style="background:url(http://evil.test/b.png)">',
    '<form action="http://evil.test/"><input name=a></form>',
    "${window.pwned=1} {{constructor.constructor('window.pwned=1')()}}",
    "C:\\users\\nobody \\u{zz} export A=${HOME} `tick`",
    "$\\href{javascript:window.pwned=1}{x}$ \\(\\url{http://evil.test}\\)",
    "http://evil.test/c www.evil.test who@evil.test *bold* _it_ # head",
]


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """The page as a person starts it for the first time: app.py, no index yet."""
    store = tmp_path_factory.mktemp("app") / "index"
    command = [sys.executable, str(ROOT / "app.py"), "--store", str(store), "--port", "0"]
    with subprocess.Popen(command, cwd=store.parent, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Open http://127.0.0.1:")
        yield line.split()[1]
        process.terminate()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def options():
    """What kind of window; tests override it."""
    return {"viewport": {"width": 1280, "height": 900}}


@pytest.fixture
def page(browser, url, options):
    """The opened page; on leaving, nothing foreign was asked for and nothing foreign ran."""
    context = browser.new_context(**options)
    opened = context.new_page()
    foreign: list[str] = []
    failures: list[str] = []

    def watch(route):
        if route.request.url.startswith((url, "data:", "blob:")):
            route.continue_()
        else:
            foreign.append(route.request.url)
            route.abort()

    context.route("**/*", watch)
    opened.on("console", lambda m: foreign.append(m.text) if "Content Security Policy" in m.text else None)
    opened.on("pageerror", lambda error: failures.append(str(error)))
    opened.goto(url)
    expect(opened.get_by_label("Question")).to_be_focused(timeout=30_000)
    yield opened
    assert foreign == []
    assert failures == []
    assert opened.evaluate("window.pwned") is None
    assert opened.evaluate("localStorage.length + sessionStorage.length") == 0
    context.close()


def ask(page: Page, question: str) -> Locator:
    """Ask by keyboard and return the answer's part once it is about this question."""
    page.get_by_label("Question").fill(question)
    page.get_by_label("Question").press("Enter")
    expect(page.locator(".rag-answer .asked")).to_have_text(question, timeout=FIRST_ANSWER)
    return page.locator(".rag-answer")


def add(page: Page, *files: Path) -> Locator:
    """Upload files and return the report once it speaks of them."""
    page.get_by_role("tab", name="Documents").click()
    page.locator("#rag-upload input[type=file]").set_input_files([str(file) for file in files])
    report = page.locator(".rag-report")
    expect(report.get_by_role("row").filter(has_text=files[-1].name)).to_be_visible(timeout=FIRST_ANSWER)
    return report


def shot(page: Page, tmp_path: Path, name: str, *, whole: bool = True) -> None:
    """Keep a picture for people, in RAG_SHOTS if that is set; of the `whole` page, or of what is in sight."""
    page.screenshot(path=Path(os.environ.get("RAG_SHOTS", tmp_path)) / f"{name}.png", full_page=whole)


def overflow(page: Page) -> int:
    """Return by how much the page is wider than its window."""
    width: int = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return width


def test_answer_has_marked_sources(page, tmp_path):
    answer = ask(page, QUESTION)
    expect(answer.get_by_role("heading", name="Answer")).to_be_visible()
    sentences, marks = answer.locator(".sentence .words"), page.locator(".card mark")
    assert sentences.count() == marks.count() > 0
    for sentence, mark in zip(sentences.all_text_contents(), marks.all_text_contents(), strict=True):
        assert " ".join(mark.split()) == sentence
    assert "million civilians" in answer.inner_text()
    shot(page, tmp_path, "answer")


def test_marker_leads_to_its_card_and_the_card_to_the_document(page, tmp_path):
    answer = ask(page, QUESTION)
    marker = answer.get_by_role("link", name="Source 1", exact=True).first
    marker.click()
    card = page.locator("#src-1")
    expect(card).to_be_focused()
    marker.focus()
    page.keyboard.press("Enter")
    expect(card).to_be_focused()

    page.keyboard.press("Tab")
    opener = card.get_by_role("button", name="Open document")
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    pane = page.get_by_role("dialog")
    mark = pane.locator("mark")
    expect(mark).to_be_in_viewport()
    assert mark.text_content() == card.locator("mark").text_content()
    shot(page, tmp_path, "reader", whole=False)
    page.keyboard.press("Escape")
    expect(pane).to_have_count(0)
    expect(opener).to_be_focused()


def test_open_document_is_the_document(page):
    page.get_by_role("tab", name="Documents").click()
    page.get_by_role("button", name="Displacement in Syria", exact=False).first.click()
    pane = page.get_by_role("dialog")
    expect(pane.locator(".text")).to_contain_text("Inside Syria")
    text = (ROOT / "data/displacement-figures.md").read_text("utf-8")
    assert pane.locator(".text").text_content() == text
    assert pane.locator("mark").count() == 0


def test_refusal_shows_nearest_passages_not_as_sources(page, tmp_path):
    answer = ask(page, UNANSWERABLE)
    expect(answer.get_by_role("heading", name="No answer in these documents")).to_be_visible()
    expect(page.get_by_role("heading", name="Nearest passages")).to_be_visible()
    assert page.locator(".card").count() > 0
    assert page.locator(".card mark, .card .number, [id^=src-], .marker").count() == 0
    assert page.get_by_role("heading", name="Sources").count() == 0
    shot(page, tmp_path, "refusal")


def test_examples_can_be_asked(page):
    examples = page.locator(".rag-examples").get_by_role("button")
    expect(examples).to_have_count(3, timeout=FIRST_ANSWER)
    question = examples.first.text_content()
    examples.first.click()
    expect(page.get_by_label("Question")).to_have_value(question)
    expect(page.locator(".rag-answer .asked")).to_have_text(question, timeout=FIRST_ANSWER)
    expect(page.locator(".card").first).to_be_visible()


def test_empty_and_long_questions_get_a_friendly_line(page):
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator(".rag-answer")).to_contain_text("Type a question first")
    page.get_by_label("Question").fill("x" * 2001)
    page.get_by_label("Question").press("Enter")
    expect(page.locator(".rag-answer")).to_contain_text("2,001 characters; up to 2,000")


def test_added_file_can_be_asked_about_and_removed(page, tmp_path):
    file = tmp_path / "bell-museum.txt"
    file.write_text("The Bell Museum of Quarnford keeps forty-one bronze bells.\n")
    report = add(page, file)
    expect(report).to_contain_text("1 added")
    expect(page.locator(".rag-documents")).to_contain_text("bell-museum.txt")

    page.get_by_role("tab", name="Ask").click()
    ask(page, "How many bells does the Bell Museum of Quarnford keep?")
    expect(page.locator("#src-1 mark")).to_have_text("The Bell Museum of Quarnford keeps forty-one bronze bells.")

    page.get_by_role("tab", name="Documents").click()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove bell-museum.txt").click()
    expect(report).to_contain_text("1 removed")
    expect(page.locator(".rag-documents")).not_to_contain_text("bell-museum.txt")


def test_broken_file_is_reported_with_the_reason(page, tmp_path):
    good, broken = tmp_path / "lighthouse.txt", tmp_path / "broken.txt"
    good.write_text("The lighthouse of Quarnford is painted in three colours.\n")
    broken.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 4)
    report = add(page, good, broken)
    row = report.get_by_role("row").filter(has_text="broken.txt")
    expect(row.locator(".state")).to_have_text("skipped")
    assert len(row.locator(".reason").inner_text()) > 10
    expect(report.get_by_role("row").filter(has_text="lighthouse.txt").locator(".state")).to_have_text("added")
    shot(page, tmp_path, "report")


def test_hostile_document_is_inert_and_shown_unchanged(page, tmp_path):
    lines = [
        f"The ledger of Zorblax on page {number} reads {payload} there." for number, payload in enumerate(PAYLOADS)
    ]
    text = "# Ledger ${window.pwned=1} <img src=x onerror=window.pwned=1>\n\n" + "\n\n".join(lines) + "\n"
    file = tmp_path / "ledger.md"
    file.write_text(text)
    add(page, file)
    page.get_by_role("tab", name="Ask").click()
    for number, payload in enumerate(PAYLOADS):
        ask(page, f"What does the ledger of Zorblax read on page {number}? {payload}")
        for passage in page.locator(".card").filter(has_text="Zorblax").locator("blockquote").all_text_contents():
            assert passage in text
    page.locator(".card").filter(has_text="Zorblax").first.get_by_role("button").click()
    body = page.get_by_role("dialog").locator(".text")
    expect(body).to_contain_text("Zorblax")
    assert body.text_content() == text
    assert page.locator("dialog :is(img, script, iframe, form, svg, style, a)").count() == 0
    assert page.locator(".rag-sources :is(img, script, iframe, form, svg, style, a)").count() == 0
    page.keyboard.press("Escape")
    shot(page, tmp_path, "hostile")


@pytest.mark.parametrize("options", [{"viewport": {"width": 360, "height": 740}, "has_touch": True}], ids=["phone"])
def test_phone_shows_everything_without_sideways_scrolling(page, tmp_path):
    ask(page, QUESTION)
    assert overflow(page) <= 0
    page.locator("#src-1").get_by_role("button", name="Open document").tap()
    expect(page.get_by_role("dialog").locator("mark")).to_be_in_viewport()
    assert overflow(page) <= 0
    shot(page, tmp_path, "phone-reader", whole=False)
    page.get_by_role("button", name="Close").tap()
    shot(page, tmp_path, "phone-answer")
    page.get_by_role("tab", name="Documents").tap()
    expect(page.get_by_role("button", name="Displacement in Syria", exact=False).first).to_be_visible()
    assert overflow(page) <= 0
    shot(page, tmp_path, "phone-documents")


CONTRAST = """selector => {
  const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = node => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  return [...document.querySelectorAll(selector)].filter(node => node.checkVisibility()).map(node => {
    const [low, high] = [light(getComputedStyle(node).color), light(ground(node))].sort((a, b) => a - b);
    return [node.className || node.tagName, (high + 0.05) / (low + 0.05)];
  });
}"""
WORDS = (
    "h1, #rag-header p, [role=tab], label span, .asked, .words, .marker, .note, .facts, .number, "
    ".rag-examples .label, .card h3, blockquote, mark, #rag-result button, button.primary"
)


@pytest.mark.parametrize(
    ("options", "dark"),
    [({"color_scheme": "light"}, False), ({"color_scheme": "dark"}, True)],
    ids=["light", "dark"],
)
def test_words_stand_out_from_their_ground(page, tmp_path, dark):
    ask(page, QUESTION)
    assert ("dark" in page.evaluate("document.body.className")) == dark
    page.wait_for_timeout(500)  # colours fade in
    contrasts = page.evaluate(CONTRAST, WORDS)
    assert len(contrasts) > 15
    assert [(name, contrast) for name, contrast in contrasts if contrast < 4.5] == []
    shot(page, tmp_path, "dark" if dark else "light")
