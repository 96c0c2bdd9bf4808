"""Sixty hostile texts in six places of the page: none runs, none loads anything, all are shown as they are."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.app.ui.conftest import CHROMIUM
from tests.app.ui.test_browser import FIRST_ANSWER, library, question_box
from tests.conftest import ROOT
from tests.hostile import ASK_ALL, FAIL, REFUSE, TEXTS, file_names

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]

# all text that stands on the page, without scripts and styles; fields count by their value
SHOWN = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT, (node) =>
    node.parentElement.closest('script, style') ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT);
  let text = '';
  while (walker.nextNode()) text += walker.currentNode.data;
  return text;
}"""
INSIDE = f"(texts, shown = ({SHOWN})()) => texts.filter((text) => !shown.includes(text))"
# elements that the page itself never makes
FOREIGN = (
    "iframe, object, embed, base, form[action], marquee, gradio-app gradio-app, portal, fencedframe, math, template, "
    "#ragPage"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def url(folder):
    environment = {**os.environ, "GRADIO_TEMP_DIR": str(folder / "uploads"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.hostile", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Open http://127.0.0.1:")
        yield line.split()[1]
        process.terminate()


@pytest.fixture
def page(browser, url):
    """The page; on leaving, nothing foreign was asked for, nothing foreign ran, and the page's script did not fail."""
    foreign: list[str] = []
    failures: list[str] = []

    def watch(route):
        if route.request.url.startswith((url, "data:", "blob:")):
            route.continue_()
        else:
            foreign.append(route.request.url)
            route.abort()

    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.context.route("**/*", watch)
    opened.on("console", lambda m: foreign.append(m.text) if "Content Security Policy" in m.text else None)
    opened.on("dialog", lambda dialog: failures.append(dialog.message))
    opened.on("pageerror", lambda error: failures.append(str(error)))
    opened.goto(url)
    expect(question_box(opened)).to_be_focused(timeout=FIRST_ANSWER)
    before = opened.evaluate("(names) => document.querySelectorAll(names).length", FOREIGN)
    yield opened
    assert foreign == []
    assert failures == []
    assert opened.evaluate("window.pwned") is None
    assert opened.evaluate("(names) => document.querySelectorAll(names).length", FOREIGN) == before
    assert opened.url.startswith(url)
    opened.close()


def ask(page, question, last):
    """Ask once the answer before has ended, and wait until the page shows a text."""
    expect(page.get_by_title("Ask (Enter)")).to_be_visible(timeout=FIRST_ANSWER)
    question_box(page).fill(question)
    question_box(page).press("Enter")
    page.wait_for_function(f"(text) => ({SHOWN})().includes(text)", arg=last, timeout=FIRST_ANSWER)


def questions():
    """The texts as questions that are not too long, each text whole in one of them; a question is one line."""
    asked, question = [], REFUSE
    for text in (" ".join(text.split()) for text in TEXTS):
        if len(question) + len(text) > 1900:
            asked.append(question)
            question = REFUSE
        question = f"{question} {text}".strip()
    return [*asked, question]


def test_sixty_texts_in_six_places(page, folder, tmp_path):
    # answer and source, with their speakers, sections, titles and conflicts
    ask(page, ASK_ALL, TEXTS[-1])
    page.wait_for_function(f"(texts) => !({INSIDE})(texts).length", arg=TEXTS, timeout=FIRST_ANSWER)
    shown = page.evaluate(SHOWN)
    assert [text for text in TEXTS if shown.count(text) < 2] == []  # as the answer and as its source

    # question, and the reason of a refusal
    asked = questions()
    for question in asked:
        ask(page, question, question)
        page.wait_for_function(f"(texts) => !({INSIDE})(texts).length", arg=TEXTS, timeout=FIRST_ANSWER)

    # error
    ask(page, FAIL, "\n".join(TEXTS))

    # file name: in the list of documents
    library(page)
    page.wait_for_function(f"(texts) => !({INSIDE})(texts).length", arg=file_names(), timeout=FIRST_ANSWER)

    # report: files and reasons
    upload = tmp_path / "harmless.txt"
    upload.write_text("A harmless note about nothing.\n")
    page.locator("input[type=file]").first.set_input_files([str(upload)])
    page.wait_for_function(f"() => ({SHOWN})().includes('harmless.txt')", timeout=FIRST_ANSWER)
    page.wait_for_function(
        f"(texts) => !({INSIDE})(texts).length", arg=[t.split("/")[-1] for t in TEXTS], timeout=FIRST_ANSWER
    )

    page.mouse.move(640, 450)
    page.wait_for_timeout(500)  # proves that nothing follows: what a text had the page load would have been asked for
    assert not (folder / "foreign.jsonl").exists()  # the server spoke to nobody either


def test_texts_survive_being_read(folder, url):
    """What the page was given is what the files hold."""
    from rag.library import Library
    from rag.models.encoder import HashEmbedder

    with Library.open(folder / "index", embedder=HashEmbedder()) as library:
        text = library.document("all.txt").text
        assert [each for each in TEXTS if each not in text] == []
        names = {info.uri.rpartition("/")[2] for info in library.documents()}
        assert set(file_names()) <= names
