"""Connecting a language model in a real browser, watching it write, losing it, and going back to quotations."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading

import pytest
from playwright.sync_api import Page, expect

from rag.answer.write.servers import PORTS
from tests.app.ui.conftest import CHROMIUM
from tests.app.ui.test_browser import FIRST_ANSWER, QUESTION, question_box, shot
from tests.conftest import ROOT
from tests.scripted_llm import event, lists, says, serving, start

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]

KEY = "sk-canary-3b7e"
WRITTEN = "About three million civilians live in the enclave."
INVENTED = "The enclave has 99 hospitals."
GOES_ON, DIES = threading.Event(), threading.Event()


def act(handler, prompt: str) -> None:
    """Write a sentence, wait, and write one that no source has; or break off, as a process that is killed."""
    if "Last question" in prompt:
        says(json.dumps({"question": QUESTION}))(handler)
        return
    start(handler, "text/event-stream")
    handler.wfile.write(event(f"[1] {WRITTEN}\n"))
    handler.wfile.flush()
    GOES_ON.wait(120)
    if DIES.is_set():
        return
    handler.wfile.write(event(f"[1] {INVENTED}\n") + event(None, "stop") + b"data: [DONE]\n\n")


@pytest.fixture(scope="module")
def model():
    """A model's server where one is looked for; gives the name of what usually listens there."""
    told = {"/v1/models": {"data": [{"id": "scripted", "meta": {"n_ctx": 4096}}]}}
    for name, port in PORTS.items():
        try:
            with serving(lists(told, lambda handler: act(handler, prompt())), port) as script:

                def prompt() -> str:
                    return str(script.requests[-1]["messages"][-1]["content"])

                yield name
                return
        except OSError:  # another program has the port
            continue
    pytest.skip("all ports of LLM servers are taken")


@pytest.fixture(scope="module")
def started(tmp_path_factory, model, sample_index):
    """The page, its folder, and the log of its program."""
    folder = tmp_path_factory.mktemp("models")
    shutil.copytree(sample_index, folder / "index")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("RAG_LLM", "OPENAI"))}
    environment["XDG_CONFIG_HOME"] = str(folder / "config")
    command = [sys.executable, str(ROOT / "app.py"), "--store", str(folder / "index"), "--port", "0"]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        assert process.stdout is not None
        yield process.stdout.readline().split()[1], folder, model
        process.terminate()


@pytest.fixture
def page(browser, started):
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.goto(started[0])
    expect(question_box(opened)).to_be_focused(timeout=60_000)
    yield opened
    opened.close()


def settings(page: Page):
    """Open the settings and return the choice of who answers, once the server has told who can."""
    page.get_by_role("button", name="Settings").click()
    choice = page.get_by_label("Answers", exact=True)
    expect(choice).to_be_enabled(timeout=30_000)
    return choice


def ask(page: Page):
    """Ask and return the newest turn."""
    before = page.locator(".turn").count()
    question_box(page).fill(QUESTION)
    question_box(page).press("Enter")
    return page.locator(".thread > li").nth(before).locator(".turn")


def test_a_model_is_connected_watched_lost_and_left(page, started, tmp_path):
    _, folder, server = started
    settings(page).select_option(label=f"scripted ({server}, on this machine)")
    expect(page.get_by_role("dialog")).to_contain_text("nothing leaves it")
    GOES_ON.set()
    page.get_by_role("button", name="Try it").click()
    expect(page.locator(".tried")).to_contain_text("scripted works: it streams", timeout=30_000)
    expect(page.locator(".tried")).to_contain_text("takes 4,096 tokens")
    shot(page, tmp_path, "model-settings", whole=False)
    page.get_by_role("button", name="Done").click()

    # quotations turn into checked sentences
    GOES_ON.clear()
    turn = ask(page)
    expect(turn.get_by_text("Written by scripted, checked")).to_be_visible(timeout=FIRST_ANSWER)
    expect(turn.locator(".sentence .words").first).to_have_text(WRITTEN)
    GOES_ON.set()
    expect(turn.locator(".sentence .words")).to_have_text([WRITTEN, INVENTED], timeout=FIRST_ANSWER)
    expect(turn.locator(".unsupported .warning")).to_contain_text("99 is not in the source")
    expect(turn.get_by_text("Quoted", exact=True)).to_be_hidden()
    shot(page, tmp_path, "model-answer")

    # stopped
    GOES_ON.clear()
    turn = ask(page)
    expect(turn.locator(".sentence .words").first).to_have_text(WRITTEN, timeout=FIRST_ANSWER)
    page.get_by_role("button", name="Stop").click()
    expect(turn).to_contain_text("Stopped before its end")

    # killed in the middle: the quotations stand, with a line that says why
    turn = ask(page)
    expect(turn.locator(".sentence .words").first).to_have_text(WRITTEN, timeout=FIRST_ANSWER)
    DIES.set()
    GOES_ON.set()
    expect(turn).to_contain_text("broke off: this answer is quoted from the documents instead", timeout=FIRST_ANSWER)
    expect(turn.get_by_text("Quoted", exact=True)).to_be_visible()
    expect(turn.get_by_text(WRITTEN)).to_be_hidden()

    # another address, with a key that shows up nowhere
    settings(page).select_option(label="Another address…")
    expect(page.get_by_role("dialog")).to_contain_text("leave this machine")
    page.get_by_label("Address", exact=True).fill("http://127.0.0.1:9/v1")
    page.get_by_label("Model", exact=True).fill("big")
    page.get_by_label("Key", exact=True).fill(KEY)
    page.get_by_role("button", name="Use this address").click()
    expect(page.get_by_label("Answers", exact=True).locator("option:checked")).to_have_text("big at 127.0.0.1")
    page.get_by_role("button", name="Try it").click()
    expect(page.locator(".tried")).to_contain_text("cannot be reached", timeout=30_000)
    assert page.get_by_label("Key", exact=True).input_value() == ""
    page.get_by_role("button", name="Done").click()
    turn = ask(page)
    expect(turn).to_contain_text("cannot be reached: this answer is quoted", timeout=FIRST_ANSWER)
    page.reload()
    expect(question_box(page)).to_be_focused(timeout=60_000)
    choice = settings(page)
    assert KEY not in page.content()
    assert KEY not in page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    holding = [path.name for path in folder.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert holding == ["llm.json"]

    # back to quotations
    choice.select_option(label="Quotations only")
    page.get_by_role("button", name="Done").click()
    turn = ask(page)
    expect(turn.get_by_text("Quoted", exact=True)).to_be_visible(timeout=FIRST_ANSWER)
    expect(turn.get_by_role("button", name="Helpful")).to_be_visible(timeout=FIRST_ANSWER)
    assert turn.get_by_text("Written by").count() == 0
