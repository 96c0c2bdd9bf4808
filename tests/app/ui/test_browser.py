"""The page in a real browser, over the sample corpus, as `python app.py` starts it.

Every test ends with the same three questions: did the page ask for anything outside of this machine, did a script of
a document run, did the page's own script fail.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect
from reportlab.pdfgen.canvas import Canvas

from rag.load import LARGEST
from tests.app.ui.conftest import CHROMIUM
from tests.conftest import ROOT, questions
from tests.scripted_llm import event, says, serving, start

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]

GOES_ON = threading.Event()  # the scripted model writes its second sentence
QUESTION = "How many civilians live in Idlib?"
DISPUTED = "How many people were on the barrier?"
UNANSWERABLE = "Who won the 1998 football world cup?"
NEAR_MISS = "How long is the M4 highway?"
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
WHOLE_TEXT = "node => node.textContent"


@pytest.fixture(scope="module")
def model():
    """The address of a language model that says two sentences of a source that it was given, the second when `GOES_ON`.

    Asked about the barrier, it copies one sentence.
    """

    def act(handler):
        prompt = script.requests[-1]["messages"][-1]["content"]
        if copied := re.search(r"(\[\d+\] )[^\n]*?(High water was not[^\n]*)", prompt):
            says(copied[1] + copied[2])(handler)
            return
        source = re.search(r"\[(\d+)\] [^\n]*About three million civilians", prompt)
        number = source[1] if source else "1"
        start(handler, "text/event-stream")
        handler.wfile.write(event(f"About three million civilians live in the enclave. [{number}]\n"))
        handler.wfile.flush()
        GOES_ON.wait(60)
        handler.wfile.write(event(f"Roughly half of them had fled from somewhere else in Syria. [{number}]\n"))
        handler.wfile.write(event(None, "stop") + b"data: [DONE]\n\n")

    with serving(act) as script:
        yield script.url


@pytest.fixture(scope="module")
def url(tmp_path_factory, model):
    """The page as a person starts it for the first time: app.py, no index yet."""
    store = tmp_path_factory.mktemp("app") / "index"
    environment = {**os.environ, "RAG_LLM_URL": model, "RAG_LLM_MODEL": "scripted"}
    command = [sys.executable, str(ROOT / "app.py"), "--store", str(store), "--port", "0"]
    with subprocess.Popen(command, cwd=store.parent, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Open http://127.0.0.1:")
        yield line.split()[1]
        process.terminate()


@pytest.fixture
def options():
    """What kind of window, if not the one that most tests share; tests override it."""
    return {}


@pytest.fixture(scope="module")
def windows(browser):
    """The windows that stay open, by their kind: what a page is made of is fetched once."""
    opened: dict[str, BrowserContext] = {}
    yield opened
    for context in opened.values():
        context.close()


@pytest.fixture
def page(browser, windows, url, options):
    """The page, as fresh as when it is first opened; on leaving, nothing foreign was asked for, nothing foreign ran.

    The browser kept nothing either.
    """
    kind = str(options)
    if kind not in windows:
        windows[kind] = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        windows[kind].new_page()
    context = windows[kind]
    opened = context.pages[0]
    foreign: list[str] = []
    failures: list[str] = []

    def watch(request):  # not by a route, which would have everything fetched anew
        if not request.url.startswith((url.partition("?")[0], "data:", "blob:", "about:")):
            foreign.append(request.url)

    def note(message):
        if "Content Security Policy" in message.text:
            foreign.append(message.text)

    def fail(error):
        failures.append(str(error))

    opened.on("request", watch)
    opened.on("console", note)
    opened.on("pageerror", fail)
    opened.set_viewport_size(options.get("viewport", {"width": 1280, "height": 900}))
    opened.goto("about:blank")
    opened.goto(url)
    expect(question_box(opened)).to_be_focused(timeout=30_000)
    yield opened
    assert foreign == []
    assert failures == []
    assert opened.evaluate("window.pwned") is None
    assert opened.evaluate("Object.keys(localStorage).filter(key => key !== 'rag-settings')") == []
    assert opened.evaluate("sessionStorage.length") == 0
    opened.evaluate("localStorage.clear()")
    opened.remove_listener("console", note)
    opened.remove_listener("pageerror", fail)
    opened.remove_listener("request", watch)


def question_box(page: Page) -> Locator:
    """Where a question is written."""
    return page.get_by_label("Question", exact=True)


def ask(page: Page, question: str) -> Locator:
    """Ask by keyboard and return the turn once it is answered."""
    before = page.locator(".turn").count()
    question_box(page).fill(question)
    question_box(page).press("Enter")
    turn = page.locator(".thread > li").nth(before).locator(".turn:is(.answer, .refusal, .error, .hint)")
    expect(turn).to_be_visible(timeout=FIRST_ANSWER)
    return turn


def library(page: Page) -> Locator:
    """Go to the library."""
    page.get_by_role("link", name="Library").click()
    return page.locator(".library")


def add(page: Page, *files: Path) -> Locator:
    """Add files and return the report once it speaks of them."""
    library(page).locator("input[type=file]").first.set_input_files([str(file) for file in files])
    report = page.locator(".library .report")
    expect(report.get_by_role("row").filter(has_text=files[-1].name)).to_be_visible(timeout=FIRST_ANSWER)
    return report


def shot(page: Page, tmp_path: Path, name: str, *, whole: bool = True) -> None:
    """Keep a picture for people, in RAG_SHOTS if that is set; of the `whole` page, or of what is in sight."""
    page.screenshot(path=Path(os.environ.get("RAG_SHOTS", tmp_path)) / f"{name}.png", full_page=whole)


def overflow(page: Page) -> int:
    """Return by how much the page is wider than its window."""
    width: int = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return width


def reader(page: Page) -> Locator:
    """The open document."""
    return page.locator("#rag-reader")


# asking


def test_the_token_stays_in_no_address_and_no_script_sees_it(page, url):
    assert "?token=" in url
    assert page.url == url.partition("?")[0]
    assert page.evaluate("document.cookie") == ""
    page.reload()
    expect(question_box(page)).to_be_focused(timeout=30_000)


def test_answer_has_marked_sources_and_says_why(page, tmp_path):
    turn = ask(page, QUESTION)
    expect(turn.get_by_role("heading", name=QUESTION)).to_be_visible()
    sentences, numbers = turn.locator(".sentence .words"), turn.locator(".card .number")
    assert sentences.count() == numbers.count() >= turn.locator(".card").count() > 0
    for number, sentence in enumerate(sentences.all_text_contents(), 1):
        marked = turn.locator(f".card mark[data-cites~='{number}']")
        assert " ".join("".join(marked.all_text_contents()).split()) == sentence
        expect(marked.first).to_be_visible()
    expect(turn.locator(".sentence strong").first).to_contain_text("million")
    shot(page, tmp_path, "answer")
    turn.get_by_role("button", name="Why this source").first.click()
    line = turn.locator(".why").first
    expect(line).to_contain_text(re.compile(r"It came \d+(st|nd|rd|th) of \d+ passages"), timeout=FIRST_ANSWER)
    expect(line).to_contain_text("civilians")


def test_citation_is_previewed_and_opened_by_keyboard(page):
    turn = ask(page, "What did Fouad Sayed Issa say?")
    sentence = turn.locator(".sentence").first
    before = sentence.bounding_box()
    marker = turn.get_by_role("button", name="Source 1:").first
    marker.hover()
    tip = page.get_by_role("tooltip")
    expect(tip.locator("mark")).to_be_visible()
    page.mouse.move(2, 2)
    expect(tip).to_be_hidden()

    page.keyboard.press("Escape")
    page.locator("header.top").get_by_role("link", name="Ask").focus()
    while not marker.evaluate("node => node === document.activeElement"):
        page.keyboard.press("Tab")
    expect(tip.locator("mark")).to_be_visible()
    expect(marker).to_have_attribute("aria-describedby", "rag-preview")
    page.keyboard.press("Enter")
    expect(tip).to_be_hidden()
    expect(reader(page).locator("mark.current").first).to_be_in_viewport()
    assert sentence.bounding_box() == before, "nothing moves when a source is opened"
    page.keyboard.press("]")
    expect(reader(page).get_by_role("button", name="Source 2:")).to_have_attribute("aria-current", "true")
    page.keyboard.press("Escape")
    expect(reader(page)).to_be_hidden()
    expect(marker).to_be_focused()
    assert sentence.bounding_box() == before


def test_earlier_questions_stay_and_the_box_is_below(page):
    first, second = ask(page, QUESTION), ask(page, UNANSWERABLE)
    expect(first).to_be_attached()
    assert page.locator(".asked").all_text_contents() == [QUESTION, UNANSWERABLE]
    expect(question_box(page)).to_be_in_viewport()
    expect(question_box(page)).to_have_value("")
    top = "node => node.getBoundingClientRect().top"
    assert question_box(page).evaluate(top) > second.locator(".asked").evaluate(top)
    page.get_by_role("button", name="New").click()
    assert page.locator(".turn").count() == 0
    expect(question_box(page)).to_be_focused()


def test_follow_up_leans_on_the_question_before(page):
    ask(page, "How many refugees are in Lebanon?")
    turn = ask(page, "And in Turkey?")
    expect(turn.locator(".meant q")).to_have_text("How many refugees are in Turkey?")
    expect(turn.locator(".card").first).to_contain_text("Turkey")


def test_disagreement_is_shown_side_by_side(page, tmp_path):
    turn = ask(page, DISPUTED)
    sides = turn.get_by_role("region", name="Sources disagree").get_by_role("listitem")
    assert sides.count() >= 2
    places = {side.locator(".marker").first.get_attribute("data-place") for side in sides.all()}
    assert len(places) == sides.count()
    tops = {round(side.evaluate("node => node.getBoundingClientRect().top")) for side in sides.all()[:2]}
    assert len(tops) == 1
    assert turn.locator(".sentence").count() < turn.locator(".card .number").count()
    expect(turn.get_by_role("heading", name=f"Sources differ on “{DISPUTED}”")).to_be_visible()
    shot(page, tmp_path, "conflict", whole=False)


def test_refusal_shows_nearest_passages_not_as_sources(page, tmp_path):
    turn = ask(page, UNANSWERABLE)
    expect(turn.locator(".verdict")).to_be_visible()
    expect(turn.get_by_role("heading", name="Nearest passages")).to_be_visible()
    assert turn.locator(".card").count() > 0
    assert turn.locator(".card .number, [id^=src-], .marker").count() == 0
    assert turn.get_by_role("heading", name="Sources").count() == 0
    expect(turn.get_by_role("button", name="Open document").first).not_to_be_visible()
    turn.locator(".card summary").first.click()
    turn.get_by_role("button", name="Open document").first.click()
    expect(reader(page)).to_be_visible()
    assert reader(page).locator("mark.current, .chip").count() == 0
    shot(page, tmp_path, "refusal")


def test_refusal_points_at_the_sentence_that_comes_near(page, tmp_path):
    """It is quoted under the verdict, and marked in its passage."""
    turn = ask(page, NEAR_MISS)
    expect(turn.locator(".verdict")).to_be_visible()
    assert turn.locator(".near p, .sentence .words").first.text_content()
    assert turn.locator(".card mark").count() > 0
    shot(page, tmp_path, "near")


def test_examples_can_be_asked(page):
    examples = page.get_by_role("group", name="Example questions").get_by_role("button")
    expect(examples).to_have_count(3, timeout=FIRST_ANSWER)
    question = examples.first.text_content()
    examples.first.click()
    expect(page.locator(".turn.answer .asked")).to_have_text(question, timeout=FIRST_ANSWER)
    expect(page.locator(".card").first).to_be_visible()


def test_empty_and_long_questions_get_a_friendly_line(page):
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(question_box(page)).to_have_attribute("placeholder", re.compile("Type a question first"))
    expect(ask(page, "x" * 2001)).to_contain_text("2,001 characters; up to 2,000")


def test_what_is_searched_is_ticked(page, tmp_path):
    page.locator(".filters summary").click()
    page.get_by_label("Find a document or folder").fill("displacement")
    page.get_by_role("checkbox", name="Displacement in Syria").check()
    expect(page.locator(".filters summary")).to_contain_text("Displacement in Syria")
    turn = ask(page, QUESTION)
    titles = set(turn.locator(".card .title").all_text_contents())
    assert titles == {"Displacement in Syria, a briefing on the figures"}
    shot(page, tmp_path, "searched", whole=False)
    page.get_by_label("Name for this selection").fill("Figures only")
    page.get_by_role("button", name="Keep", exact=True).click()
    kept = page.get_by_role("list", name="Kept selections")
    expect(kept).to_contain_text("Figures only")
    page.get_by_role("checkbox", name="Displacement in Syria").uncheck()
    expect(page.locator(".filters summary")).to_contain_text("all documents")
    page.reload()
    page.locator(".filters summary").click(timeout=30_000)
    expect(page.get_by_role("checkbox").first).to_be_visible(timeout=30_000)
    kept.get_by_role("button", name="Figures only", exact=True).click()
    expect(page.locator(".filters summary")).to_contain_text("Displacement in Syria")
    kept.get_by_role("button", name="Forget the selection").click()
    expect(kept).to_have_count(0)
    page.get_by_label("Find a document or folder").fill("no such name")
    expect(page.locator(".choices")).to_contain_text("Displacement in Syria")  # what is ticked stays in sight
    expect(page.locator(".choices li")).to_have_count(1)
    page.get_by_role("button", name="Search everything").click()
    expect(page.locator(".filters summary")).to_contain_text("all documents")
    page.get_by_label("Speaker").fill("nobody of that name")
    refused = ask(page, QUESTION)
    expect(refused).to_contain_text("No answer")
    expect(refused).to_contain_text("only said by nobody of that name")
    page.get_by_label("From", exact=True).fill("2031-01-01")
    expect(page.locator(".filters .set")).to_contain_text("from 2031-01-01")
    page.get_by_label("To", exact=True).fill("2030-01-01")
    expect(page.get_by_text("“From” is later than “To”")).to_be_visible()


def test_a_conversation_has_an_address_and_a_wrong_question_is_undone(page):
    ask(page, UNANSWERABLE)
    ask(page, QUESTION)
    assert re.search(r"#ask/\d+$", page.url)
    address = page.url

    question_box(page).press("ArrowUp")
    question_box(page).press("ArrowUp")
    expect(question_box(page)).to_have_value(UNANSWERABLE)
    question_box(page).press("ArrowDown")
    expect(question_box(page)).to_have_value(QUESTION)
    question_box(page).press("ArrowDown")
    expect(question_box(page)).to_have_value("")
    turn_at(page, 0).get_by_role("button", name="Edit question").click()
    expect(question_box(page)).to_have_value(UNANSWERABLE)
    expect(question_box(page)).to_be_focused()
    question_box(page).fill("")

    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".asked")).to_have_count(0)
    assert "#ask/" not in page.url
    page.go_back()
    expect(page.locator(".asked")).to_have_text([UNANSWERABLE, QUESTION])
    page.get_by_role("link", name="Library").click()
    page.get_by_role("link", name="Ask", exact=True).click()
    expect(page.locator(".asked")).to_have_text([UNANSWERABLE, QUESTION])
    assert page.url == address

    turn_at(page, 0).get_by_role("button", name="More").click()
    turn_at(page, 0).get_by_role("button", name="Remove this question").click()
    expect(page.locator(".asked")).to_have_text([QUESTION])
    page.reload()
    expect(page.locator(".asked")).to_have_text([QUESTION], timeout=30_000)
    page.evaluate("location.hash = '#ask/999999'")
    expect(page.locator("#rag-toast.shown")).to_contain_text("not there any more")


def test_answers_are_judged_saved_and_found_again(page, tmp_path):
    turn = ask(page, QUESTION)
    turn.get_by_role("button", name="Helpful").click()
    expect(turn.get_by_role("button", name="Helpful")).to_have_attribute("aria-pressed", "true")
    toast = page.locator("#rag-toast.shown")
    expect(toast).to_contain_text("Kept on this machine")
    bottom = toast.evaluate("node => node.getBoundingClientRect().bottom")
    assert bottom < page.locator("form.question").evaluate("node => node.getBoundingClientRect().top")
    words = turn.locator(".sentence .words").first.inner_text()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    turn.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="(text) copied")).to_be_visible()
    assert words in page.evaluate("navigator.clipboard.readText()")
    turn.get_by_role("button", name="More").click()
    turn.get_by_role("button", name="Copy as Markdown with footnotes").click()
    expect(page.get_by_role("status").filter(has_text="footnotes) copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert f"## {QUESTION}" in copied.replace("\\", "")
    assert "[^1]:" in copied
    ask(page, UNANSWERABLE)
    turn.get_by_role("button", name="More").click()
    with page.expect_download() as download:
        turn.get_by_role("button", name="Save the conversation: Text").click()
    text = Path(download.value.path()).read_text("utf-8")
    assert words in text
    assert UNANSWERABLE in text
    turn.get_by_role("button", name="More").click()
    with page.expect_download() as download:
        turn.get_by_role("button", name="Save this answer: Word document").click()
    assert Path(download.value.path()).read_bytes().startswith(b"PK")

    page.reload()
    expect(question_box(page)).to_be_focused(timeout=30_000)
    page.get_by_role("button", name="Conversations").click()
    page.get_by_role("dialog").get_by_role("button", name=QUESTION).first.click()
    expect(page.locator(".asked")).to_have_text([QUESTION, UNANSWERABLE])
    expect(turn_at(page, 0).get_by_role("button", name="Helpful")).to_have_attribute("aria-pressed", "true")
    turn_at(page, 0).get_by_role("button", name="Source 1:").first.click()
    expect(reader(page).locator("mark.current").first).to_be_in_viewport()

    page.keyboard.press("Escape")
    page.get_by_role("button", name="Conversations").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save judged answers").click()
    judged = questions(Path(download.value.path()))
    assert judged[0]["question"] == QUESTION
    assert judged[0]["answerable"]


def turn_at(page: Page, index: int) -> Locator:
    """A question with its answer, counted from the top."""
    return page.locator(".turn").nth(index)


def test_language_model_is_chosen_and_its_answer_grows(page):
    expect(page.get_by_text("Nothing leaves this machine")).to_be_visible()
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Answers", exact=True).select_option(label="scripted at 127.0.0.1")
    expect(page.get_by_role("dialog")).to_contain_text("runs on this machine: nothing leaves it")
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_text("Nothing leaves this machine")).to_be_visible()
    question_box(page).fill(QUESTION)
    question_box(page).press("Enter")
    turn = page.locator(".turn.answer")
    expect(turn.get_by_text("Written by scripted, checked")).to_be_visible(timeout=FIRST_ANSWER)
    expect(turn.get_by_text("Still writing")).to_be_visible()
    expect(turn.locator(".sentence .words").first).to_have_text("About three million civilians live in the enclave.")
    GOES_ON.set()
    expect(turn.get_by_role("button", name="Helpful")).to_be_visible(timeout=FIRST_ANSWER)
    assert turn.locator(".sentence").count() == 2
    turn.get_by_role("button", name="Source 1:").first.click()
    expect(reader(page).locator("mark.current").first).to_be_in_viewport()

    turn = ask(page, DISPUTED)
    sides = turn.get_by_role("region", name="Sources disagree").get_by_role("listitem")
    expect(sides.filter(has_text="three people")).to_be_visible(timeout=FIRST_ANSWER)
    expect(sides.filter(has_text="six of us")).to_be_visible()
    expect(turn.get_by_text("Still writing")).to_be_hidden(timeout=FIRST_ANSWER)
    expect(turn.locator(".sentence .words")).to_have_text(["High water was not until 01:52."])

    GOES_ON.clear()
    question_box(page).fill(QUESTION)
    question_box(page).press("Enter")
    expect(page.get_by_text("Still writing")).to_be_visible(timeout=FIRST_ANSWER)
    question_box(page).fill(DISPUTED)
    question_box(page).press("Enter")
    expect(page.locator("#rag-toast.shown")).to_contain_text("still being answered")
    expect(question_box(page)).to_have_value(DISPUTED)
    assert page.locator(".turn").count() == 3
    page.get_by_role("button", name="Stop").click()
    question_box(page).fill(QUESTION)  # at once: the end of what was stopped is not taken for this one's
    question_box(page).press("Enter")
    expect(turn_at(page, 2)).to_contain_text("Stopped before its end")
    expect(turn_at(page, 3)).to_be_visible()
    GOES_ON.set()
    expect(turn_at(page, 3).get_by_role("button", name="Helpful")).to_be_visible(timeout=FIRST_ANSWER)
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()


# reading


def test_pages_of_a_pdf_are_shown_as_pictures(page, tmp_path):
    file = tmp_path / "ferry.pdf"
    canvas = Canvas(str(file))
    canvas.drawString(72, 700, "The ferry of Quarnford was built in the town.")
    canvas.showPage()
    canvas.drawString(72, 60, "The ferry of Quarnford carries ninety-one cars.")
    canvas.showPage()
    canvas.save()
    view = library(page)
    view.get_by_label("Or search a folder").fill(str(tmp_path))
    view.get_by_role("button", name="Add folder").click()
    expect(view.locator(".outcome.done")).to_contain_text("1 added", timeout=FIRST_ANSWER)
    page.get_by_role("link", name="Ask", exact=True).click()
    turn = ask(page, "How many cars does the ferry of Quarnford carry?")
    turn.get_by_role("button", name="Source 1:").first.click()
    picture = reader(page).get_by_role("img", name="Page 2, as it was printed")
    expect(picture).to_be_visible(timeout=FIRST_ANSWER)
    expect(picture).to_be_in_viewport()
    assert picture.evaluate("image => image.naturalWidth") > 500
    lowest = picture.evaluate("image => image.getBoundingClientRect().bottom")
    assert lowest < page.viewport_size["height"] + 100, "the marked words, at the foot of the page, are in sight"
    shot(page, tmp_path, "pdf", whole=False)
    pages = reader(page).get_by_role("button", name="Pages")
    expect(pages).to_have_attribute("aria-pressed", "true")
    pages.click()
    expect(reader(page).locator("mark.current").first).to_be_in_viewport()
    pages.click()
    expect(picture).to_be_in_viewport(timeout=FIRST_ANSWER)
    page.keyboard.press("f")
    expect(reader(page).get_by_role("searchbox", name="Find in document")).to_be_focused()

    page.keyboard.press("Escape")
    file.unlink()  # what can no longer be drawn opens as text
    with page.expect_response(lambda response: '"page_picture"' in (response.request.post_data or "")):
        turn.get_by_role("button", name="Source 1:").first.click()
    expect(reader(page).locator("mark.current").first).to_be_in_viewport()
    page.wait_for_timeout(300)  # proves that nothing follows: an error that came would turn to the pages by now
    expect(pages).to_have_attribute("aria-pressed", "false")


def test_document_is_shown_as_people_read_it_and_searched(page, tmp_path):
    library(page).get_by_role("button", name="Displacement in Syria", exact=False).first.click()
    text = reader(page).locator(".text")
    expect(text.get_by_role("heading", name="What the offensive changed")).to_be_visible()
    assert text.evaluate(WHOLE_TEXT) == (ROOT / "data/displacement-figures.md").read_text("utf-8")
    assert not re.search(r"\*\*|^#|\|", text.inner_text(), flags=re.MULTILINE)
    expect(text.get_by_role("cell", name="about 770,000")).to_have_count(1)
    assert text.locator("mark").count() == 0

    page.keyboard.press("f")
    find = reader(page).get_by_role("searchbox", name="Find in document")
    expect(find).to_be_focused()
    find.fill("ocha")
    count = reader(page).locator(".count")
    expect(count).to_have_text("1 of 7")
    page.keyboard.press("Enter")
    expect(count).to_have_text("2 of 7")
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("Shift+Enter")
    expect(count).to_have_text("7 of 7")
    find.fill("no such words")
    expect(count).to_have_text("not found")
    shot(page, tmp_path, "document", whole=False)


# the collection


def test_question_lights_up_documents_over_time(page, tmp_path):
    page.get_by_role("link", name="Overview").click()
    view = page.locator(".overview")
    expect(view.locator(".stretch").first).to_be_attached(timeout=FIRST_ANSWER)
    assert view.locator(".stretch").count() > 5
    assert view.locator(".found button").count() == 0
    view.get_by_label("Question for the overview").fill(QUESTION)
    page.keyboard.press("Enter")
    expect(view.locator(".found button").first).to_be_visible(timeout=FIRST_ANSWER)
    expect(view.locator(".note")).to_contain_text("found.")
    shot(page, tmp_path, "overview")
    view.locator(".found button").first.click()
    expect(reader(page).locator("mark.near").first).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(view.locator(".contents")).to_contain_text("HTML")
    person = view.locator(".contents button").first
    question = person.get_attribute("title")
    person.click()
    expect(page.locator(".turn .asked")).to_have_text(question, timeout=FIRST_ANSWER)
    expect(question_box(page)).to_be_visible()
    expect(page.locator(".turn:is(.answer, .refusal)")).to_be_visible(timeout=FIRST_ANSWER)


def test_a_sheet_is_read_as_a_table_and_files_of_one_name_are_told_apart(page, tmp_path):
    for year, tons in (("1931", 40), ("1932", 7)):
        (tmp_path / year).mkdir()
        rows = "".join(f"Brig {number},{number * tons},Oz{number}\n" for number in range(1, 60))
        (tmp_path / year / "cargo.csv").write_text(f"Ship,Tons of coal,Port\n{rows}")
    view = library(page)
    view.get_by_label("Or search a folder").fill(str(tmp_path))
    view.get_by_role("button", name="Add folder").click()
    expect(view.locator(".outcome.done")).to_contain_text("2 added", timeout=FIRST_ANSWER)
    row = view.locator(".documents tr").filter(has_text="1932/cargo.csv")
    expect(view.locator(".documents tr").filter(has_text="1931/cargo.csv")).to_have_count(1)
    row.get_by_role("button", name="cargo.csv", exact=True).click()
    text = reader(page).locator(".text")
    expect(text.get_by_role("columnheader")).to_have_text(["Ship", "Tons of coal", "Port"], use_inner_text=True)
    cells = text.get_by_role("row").filter(has_text="Brig 42").get_by_role("cell")
    assert [cell.inner_text() for cell in cells.all()] == ["Brig 42", "294", "Oz42"]
    assert text.evaluate(WHOLE_TEXT).startswith("Ship | Tons of coal | Port\nShip: Brig 1 | Tons of coal: 7 |")
    text.locator(".table").evaluate("node => node.scrollTo(0, node.scrollHeight)")
    expect(text.get_by_role("columnheader").first).to_be_in_viewport()
    expect(text.get_by_role("row").last).to_be_in_viewport()
    expect(reader(page).locator(".reader-facts")).to_contain_text("1932/cargo.csv")


def test_added_file_can_be_asked_about_and_removed(page, tmp_path):
    file = tmp_path / "bell-museum.txt"
    file.write_text("The Bell Museum of Quarnford keeps forty-one bronze bells.\n")
    report = add(page, file)
    expect(report).to_contain_text("1 added")
    expect(page.locator(".documents")).to_contain_text("bell-museum.txt")

    page.get_by_role("link", name="Ask", exact=True).click()
    turn = ask(page, "How many bells does the Bell Museum of Quarnford keep?")
    expect(turn.locator("mark").first).to_have_text("The Bell Museum of Quarnford keeps forty-one bronze bells.")

    library(page).get_by_role("button", name="Remove bell-museum.txt").click()
    page.get_by_role("button", name="Keep").click()
    expect(page.locator(".documents")).to_contain_text("bell-museum.txt")
    page.get_by_role("button", name="Remove bell-museum.txt").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(report).to_contain_text("1 removed", timeout=FIRST_ANSWER)
    expect(page.locator(".documents")).not_to_contain_text("bell-museum.txt")


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


def test_too_large_a_file_is_told_before_and_a_large_one_can_be_cancelled(page, tmp_path):
    view = library(page)
    expect(view.locator(".drop")).to_contain_text("Up to 200 MB a file.")
    files = {}
    for name, size in (("film.txt", LARGEST + 1), ("diary.txt", LARGEST - 1000)):
        files[name] = tmp_path / name
        with files[name].open("wb") as file:
            file.truncate(size)
    view.locator("input[type=file]").first.set_input_files(files["film.txt"])
    expect(view.locator(".outcome")).to_have_count(1)
    expect(view.get_by_role("row").filter(has_text="film.txt")).to_contain_text("201 MB is more than the 200 MB")

    network = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 20_000_000}
    network.send("Network.emulateNetworkConditions", slow)
    view.locator("input[type=file]").first.set_input_files(files["diary.txt"])
    expect(view.locator(".progress")).to_contain_text(re.compile(r"Sending diary.txt: \d+ MB of 200 MB"))
    page.wait_for_function("document.querySelector('.library progress').value > 0")
    view.get_by_role("button", name="Cancel").click()
    expect(view.locator(".outcome.done")).to_contain_text("Cancelled: nothing was added.")
    network.detach()


def test_a_pasted_text_is_a_document(page):
    view = library(page)
    view.get_by_role("button", name="Paste a text").click()
    page.get_by_label("Title", exact=True).fill("Lamps of Quarnford: a note/2")
    page.get_by_label("Text", exact=True).fill("The quay of Quarnford has fifty-two lamps.")
    page.get_by_role("button", name="Add text").click()
    expect(view.locator(".outcome.done")).to_contain_text("1 added", timeout=FIRST_ANSWER)
    view.locator(".documents").get_by_role("button", name="Lamps of Quarnford").first.click()
    text = reader(page).locator(".text")
    expect(text).to_contain_text("fifty-two lamps")
    assert text.evaluate(WHOLE_TEXT) == "Lamps of Quarnford: a note/2\n\nThe quay of Quarnford has fifty-two lamps.\n"


def test_folder_of_this_machine_is_indexed_where_it_is(page, tmp_path):
    (tmp_path / "pier.txt").write_text("The pier of Quarnford is nine hundred steps long.\n")
    view = library(page)
    view.get_by_label("Or search a folder").fill(str(tmp_path))
    view.get_by_role("button", name="Add folder").click()
    expect(view.locator(".outcome.done")).to_contain_text("1 added", timeout=FIRST_ANSWER)
    view.get_by_label("Or search a folder").fill("relative/folder")
    view.get_by_role("button", name="Add folder").click()
    expect(view.locator(".outcome.error")).to_contain_text("whole path")


def test_documents_are_sorted_and_filtered(page):
    view = library(page)
    names = view.locator("td.name .title")
    expect(names.first).to_be_visible()
    shown = names.all_text_contents()
    assert shown == sorted(shown, key=str.casefold)
    view.get_by_role("button", name="Length").click()
    lengths = view.locator("td.number").filter(has_text="words").all_text_contents()
    counts = [int(words.split()[0].replace(",", "")) for words in lengths]
    assert counts == sorted(counts, reverse=True)
    expect(view.get_by_role("columnheader", name="Length")).to_have_attribute("aria-sort", "descending")
    view.get_by_label("Filter documents").fill("m4-m5")
    expect(names).to_have_count(1)


# safety


def test_hostile_document_is_inert_and_shown_unchanged(page, tmp_path):
    lines = [
        f"The ledger of Zorblax on page {number} reads {payload} there." for number, payload in enumerate(PAYLOADS)
    ]
    text = "# Ledger ${window.pwned=1} <img src=x onerror=window.pwned=1>\n\n" + "\n\n".join(lines) + "\n"
    file = tmp_path / "ledger.md"
    file.write_text(text)
    add(page, file)
    page.get_by_role("link", name="Ask", exact=True).click()
    turn = ask(page, f"What does the ledger of Zorblax read on page 1? {PAYLOADS[1]}")
    for passage in turn.locator(".card").filter(has_text="Zorblax").locator(".passage").all():
        assert passage.evaluate(WHOLE_TEXT) in text
    page.locator(".card").filter(has_text="Zorblax").last.get_by_role("button", name="Open document").click()
    body = reader(page).locator(".text")
    expect(body).to_contain_text("Zorblax")
    assert body.evaluate(WHOLE_TEXT) == text
    assert page.locator(":is(#rag-reader .text, .passage) :is(img, script, iframe, form, svg, style, a)").count() == 0
    shot(page, tmp_path, "hostile")


# comfort


@pytest.mark.parametrize("options", [{"viewport": {"width": 360, "height": 740}, "has_touch": True}], ids=["phone"])
def test_phone_shows_everything_without_sideways_scrolling(page, tmp_path):
    turn = ask(page, QUESTION)
    assert overflow(page) <= 0
    turn.get_by_role("button", name="More").tap()
    menu = turn.get_by_role("group", name="More").bounding_box()
    assert menu is not None
    assert 0 <= menu["x"] < menu["x"] + menu["width"] <= 360
    page.keyboard.press("Escape")
    turn.get_by_role("button", name="Source 1:").first.tap()
    expect(reader(page).locator("mark.current").first).to_be_in_viewport()
    assert overflow(page) <= 0
    box = reader(page).evaluate("node => [node.getBoundingClientRect().left, node.getBoundingClientRect().right]")
    assert box == [0, 360]
    shot(page, tmp_path, "phone-reader", whole=False)
    page.get_by_role("button", name="Close the document").tap()
    shot(page, tmp_path, "phone-answer")
    page.get_by_role("link", name="Library").tap()
    expect(page.get_by_role("button", name="Displacement in Syria", exact=False).first).to_be_visible()
    assert overflow(page) <= 0
    shot(page, tmp_path, "phone-documents")


def test_keyboard_and_settings(page):
    page.keyboard.press("Escape")
    page.locator("header.top").get_by_role("link", name="Ask").focus()
    page.keyboard.press("?")
    help_ = page.get_by_role("dialog", name="Keyboard")
    expect(help_).to_contain_text("write a question")
    page.keyboard.press("Escape")
    expect(help_).to_have_count(0)
    page.keyboard.press("l")
    expect(page.get_by_role("heading", name="Library")).to_be_visible()
    page.keyboard.press("/")
    expect(question_box(page)).to_be_focused()

    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Colours").select_option("dark")
    page.get_by_role("button", name="Done").click()
    page.reload()
    expect(question_box(page)).to_be_focused(timeout=30_000)
    assert "dark" in page.evaluate("document.body.className")
    assert page.evaluate("localStorage.getItem('rag-settings')") == '{"theme":"dark"}'


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
    ".top nav a, .asked, .sentence .words, .marker, .note, .facts, .facts .speaker, .card .number, "
    ".card .title, .passage p, mark, button.primary, button.quiet, .filters summary"
)


WIDTHS = (360, 768, 920, 1024, 1280, 1366, 1440, 1920, 2560)
WRONG = """() => {
  const shown = (selector) => [...document.querySelectorAll(selector)].filter((node) => node.checkVisibility());
  const box = (node) => node.getBoundingClientRect();
  const alone = shown('#rag-reader').some((node) => box(node).width === innerWidth);  // in a narrow window
  const cut = shown('header.top *, .sentence, .asked, .card, .card *, .actions button, .question *, #rag-reader *')
    .filter((node) => box(node).width && !node.closest('.table'))
    .filter((node) => box(node).left < 0 || box(node).right > innerWidth + 0.5)
    .map((node) => `cut: ${node.tagName}.${node.className}`);
  const parts = ['.thread > li:last-child .main', '.thread > li:last-child .sources', ...(alone ? [] : ['#rag-reader'])]
    .flatMap(shown);
  const beside = parts.filter((node) => box(node).left >= box(parts[0]).right);
  const pairs = [...parts.flatMap((one, at) => parts.slice(at + 1).map((other) => [one, other])),
    ...beside.map((other) => [document.querySelector('.question .box'), other])];
  const over = pairs.map(([a, b]) => [a, b, box(a), box(b)])
    .filter(([, , a, b]) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
    .map(([a, b]) => `${a.className || a.id} over ${b.className || b.id}`);
  return [...cut, ...over, ...(alone || beside.length || innerWidth < 901 ? [] : ['nothing beside the answer'])];
}"""


@pytest.mark.parametrize(
    ("options", "dark"),
    [({"color_scheme": "light"}, False), ({"color_scheme": "dark"}, True)],
    ids=["light", "dark"],
)
def test_nothing_is_covered_or_cut_and_words_stand_out(page, tmp_path, dark):
    turn = ask(page, QUESTION)
    assert ("dark" in page.evaluate("document.body.className")) == dark
    contrasts = page.evaluate(CONTRAST, WORDS)
    assert len(contrasts) > 15
    assert [(name, contrast) for name, contrast in contrasts if contrast < 4.5] == []
    wrong = {}
    for state in ("answer", "reader"):
        if state == "reader":
            turn.get_by_role("button", name="Source 1:").first.click()
            expect(reader(page).locator("mark.current").first).to_be_in_viewport()
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            wrong[state, width] = page.evaluate(WRONG) + (["wider than its window"] if overflow(page) > 0 else [])
            shot(page, tmp_path, f"{state}-{width}-{'dark' if dark else 'light'}", whole=False)
    assert {where: problems for where, problems in wrong.items() if problems} == {}
