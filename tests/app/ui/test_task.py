"""What a person does in an hour: every citation opened, the whole task without a mouse, changes of files followed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import APIResponse, Locator, Page, Route, expect

from rag.load import load
from rag.store.history import History
from tests.app.ui.conftest import CHROMIUM
from tests.app.ui.test_browser import FIRST_ANSWER, WHOLE_TEXT, library, question_box, reader
from tests.conftest import ROOT, questions

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]

ANSWERS = 50
ACTIVE = "node => node === document.activeElement"
RAG = [sys.executable, "-m", "rag"]
QUICK = ["--reader", "none"]  # answers by words and meaning alone: the way of a citation is the same


@pytest.fixture(scope="module")
def store(tmp_path_factory, sample_index):
    """An index of the sample documents."""
    return shutil.copytree(sample_index, tmp_path_factory.mktemp("task") / "index")


@pytest.fixture(scope="module")
def url(store):
    command = [*RAG, "serve", "--store", str(store), "--port", "0", *QUICK]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[1]
        process.terminate()
        assert process.wait(30) == 0, "it ends, also while it follows changes"


@pytest.fixture
def page(browser, url):
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.goto(url)
    expect(question_box(opened)).to_be_focused(timeout=30_000)
    yield opened
    opened.close()


def candidates() -> list[str]:
    """Questions about the sample documents, each able to stand alone."""
    pairs = json.loads((ROOT / "tests/data/followups.json").read_text("utf-8"))
    asked = [pair["before"] for pair in pairs] + [pair["alone"] for pair in pairs]
    asked += [each["question"] for each in questions(ROOT / "tests/data/swapped_questions.jsonl")]
    return list(dict.fromkeys(asked))


def asked(page: Page, question: str) -> Locator:
    """Put a question into the box that has the focus, and return the turn once it is answered."""
    before = page.locator(".turn").count()
    expect(question_box(page)).to_be_focused()
    page.keyboard.insert_text(question)
    page.keyboard.press("Enter")
    turn = page.locator(".thread > li").nth(before).locator(".turn:is(.answer, .refusal, .error, .hint)")
    turn.wait_for(timeout=FIRST_ANSWER)
    return turn


def test_every_citation_of_fifty_answers_opens_on_its_quotation(page, store):
    page.evaluate("localStorage.setItem('rag-settings', '{\"k\": 4}')")
    page.reload()
    texts = {str(path): load(path).text for path in (ROOT / "data").iterdir()}
    answers = opened = 0
    for question in candidates():
        if answers == ANSWERS:
            break
        turn = asked(page, question)
        history = History(store / "history.db")
        answer = history.turns(history.conversations()[0].id)[0].answer
        assert answer["question"] == question
        assert turn.locator(".card [id^=src-]").count() == len(answer["citations"])
        answers += not answer["abstained"]
        for citation in answer["citations"]:
            open_marked(page, turn, citation["number"], citation["document"])
            marked = "".join(reader(page).locator("mark.current").all_text_contents())
            assert marked == citation["quote"] == texts[citation["document"]][citation["start"] : citation["end"]]
            assert reader(page).locator(".text").evaluate(WHOLE_TEXT) == texts[citation["document"]]
            opened += 1
        page.get_by_role("button", name="New conversation").click()
    conversations = History(store / "history.db").conversations()
    kept = [turn.answer for each in conversations for turn in History(store / "history.db").turns(each.id)]
    assert answers == ANSWERS
    assert opened == sum(len(answer["citations"]) for answer in kept) >= ANSWERS


def open_marked(page: Page, turn: Locator, number: int, document: str) -> None:
    """Open a source by its marker, and wait until its words are in sight."""
    turn.get_by_role("button", name=f"Source {number}:").first.click()
    mark = reader(page).locator("mark.current:visible").first  # a table row begins with a hidden sign
    mark.wait_for()
    expect(mark).to_be_in_viewport()
    assert reader(page).locator(".text").get_attribute("data-document") == document


def go_to(page: Page, target: Locator, key: str = "Tab") -> None:
    """Press Tab, or Shift+Tab, until the target has the focus."""
    expect(target).to_be_visible()
    for _ in range(300):
        if target.evaluate(ACTIVE):
            return
        page.keyboard.press(key)
    pytest.fail(f"{key} never comes to {target}")


def test_the_whole_task_by_keyboard_alone(page, tmp_path):
    turn = asked(page, "How many refugees are in Lebanon?")
    marker = turn.get_by_role("button", name="Source 1:").first
    go_to(page, marker, "Shift+Tab")
    page.keyboard.press("Enter")
    expect(reader(page).locator("mark.current").first).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(reader(page)).to_be_hidden()
    expect(marker).to_be_focused()
    page.keyboard.press("/")
    turn = asked(page, "And in Turkey?")
    expect(turn.locator(".meant q")).to_have_text("How many refugees are in Turkey?")

    (tmp_path / "bell-museum.txt").write_text("The Bell Museum of Quarnford keeps forty-one bronze bells.\n")
    page.keyboard.press("Escape")
    page.keyboard.press("l")
    go_to(page, page.get_by_label("Or search a folder"))
    page.keyboard.type(str(tmp_path))
    page.keyboard.press("Enter")
    report = page.locator(".library .outcome.done")
    expect(report).to_contain_text("1 added", timeout=FIRST_ANSWER)
    go_to(page, page.get_by_role("link", name="Ask", exact=True), "Shift+Tab")
    page.keyboard.press("Enter")
    turn = asked(page, "How many bells does the Bell Museum of Quarnford keep?")
    expect(turn.locator("mark").first).to_have_text("The Bell Museum of Quarnford keeps forty-one bronze bells.")
    check_export(page, turn)

    page.keyboard.press("l")
    go_to(page, page.get_by_role("button", name="Remove bell-museum.txt"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Keep")).to_be_focused()
    go_to(page, page.get_by_role("dialog").get_by_role("button", name="Remove"))
    page.keyboard.press("Enter")
    expect(report).to_contain_text("1 removed", timeout=FIRST_ANSWER)
    expect(page.locator(".documents")).not_to_contain_text("bell-museum.txt")
    expect(page.locator(".documents tbody button:focus")).to_have_count(1)  # that of the row below, not nowhere


def check_export(page: Page, turn: Locator) -> None:
    """Save the conversation as text, and compare it with what is shown."""
    go_to(page, turn.get_by_role("button", name="More"), "Shift+Tab")
    page.keyboard.press("Enter")
    go_to(page, turn.get_by_role("button", name="Save the conversation: Text"))
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    text = Path(download.value.path()).read_text("utf-8")
    words = page.locator(".sentence .words").all_text_contents()
    assert words
    assert [sentence for sentence in words if sentence not in text] == []


def test_news_asked_for_before_the_switch_was_turned_does_not_turn_it_back(page):
    late: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        if '"news"' in (route.request.post_data or "") and not late:
            late.append((route, route.fetch()))
        else:
            route.continue_()

    switch = library(page).get_by_role("switch", name="Follow changes")
    expect(switch).to_have_attribute("aria-checked", "false")
    page.route("**/*", hold)
    page.get_by_role("link", name="Ask").click()
    library(page)  # asks for the news
    while not late:
        page.wait_for_timeout(50)
    switch.press("Space")
    expect(switch).to_have_attribute("aria-checked", "true")
    route, response = late[0]
    with page.expect_response(lambda each: each.request == route.request):
        route.fulfill(response=response)
    page.wait_for_timeout(300)  # proves that nothing follows: the late news would have turned the switch by now
    expect(switch).to_have_attribute("aria-checked", "true")
    switch.press("Space")
    expect(switch).to_have_attribute("aria-checked", "false")


def test_changes_are_followed_while_the_switch_is_on(page, url, tmp_path):
    note = tmp_path / "ferry.txt"
    note.write_text("The ferry of Quarnford is green.\n")
    view = library(page)
    switch, lately = view.get_by_role("switch", name="Follow changes"), view.locator(".lately")
    expect(lately.locator("li").last).to_contain_text("added", timeout=30_000)
    expect(lately.locator("li").last).to_contain_text("and 9 more")
    switch.press("Space")
    expect(switch).to_have_attribute("aria-checked", "true")
    expect(view.locator("#rag-follow-says")).to_contain_text(str(ROOT / "data"))
    index(page, tmp_path, "1 added")
    expect(view.locator("#rag-follow-says")).to_contain_text(str(tmp_path))

    page.reload()
    expect(switch).to_have_attribute("aria-checked", "true", timeout=30_000)
    (tmp_path / "pier.txt").write_text("The pier of Quarnford is nine hundred steps long.\n")
    expect(view.locator(".documents")).to_contain_text("pier.txt", timeout=FIRST_ANSWER)
    note.unlink()
    expect(view.locator(".documents")).not_to_contain_text("ferry.txt", timeout=FIRST_ANSWER)
    view.get_by_text("What changed lately").click()
    expect(lately.locator("li").nth(0)).to_have_text(re.compile(r"^today, \d\d:\d\d ?removed ferry\.txt$"))
    expect(lately.locator("li").nth(1)).to_contain_text("added pier.txt")

    switch.press("Space")
    expect(switch).to_have_attribute("aria-checked", "false")
    (tmp_path / "mole.txt").write_text("The mole of Quarnford is made of oak.\n")
    index(page, tmp_path, "1 added, 1 unchanged")
    switch.press("Space")  # and it is on when the server is ended
    expect(switch).to_have_attribute("aria-checked", "true")


def index(page: Page, folder: Path, outcome: str) -> None:
    """Index a folder by its name, and wait for what became of it."""
    page.get_by_label("Or search a folder").fill(str(folder))
    page.get_by_role("button", name="Add folder").click()
    expect(page.locator(".library .outcome.done > p")).to_contain_text(outcome, timeout=FIRST_ANSWER)
