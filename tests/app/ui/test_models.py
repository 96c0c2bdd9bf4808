"""Settings > Answers without a browser: what is found, chosen and told; a key goes in and never comes out."""

from __future__ import annotations

import json
import threading
from typing import Any

import gradio as gr
import pytest

from rag.answer.write import choice, servers
from rag.app.ui.examples import Examples
from rag.app.ui.handlers import Handlers
from rag.app.ui.models import ModelHandlers
from rag.errors import InputError
from rag.store.history import History
from tests.scripted_llm import event, lists, says, serving, start

KEY = "sk-canary-91cd"


@pytest.fixture
def handlers(library, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(servers, "PORTS", {})
    monkeypatch.delenv("RAG_LLM_URL", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return ModelHandlers(library, local=True)


def test_a_model_is_found_chosen_tried_and_forgotten(handlers, monkeypatch):
    assert handlers.look()["chosen"] is None
    reply = json.dumps({"sentences": [{"text": "Five.", "sources": [1]}]})
    with serving(lists({"/v1/models": {"data": [{"id": "small"}]}}, says(reply))) as script:
        monkeypatch.setattr(servers, "PORTS", {"Ollama": int(script.url.split(":")[2].split("/")[0])})
        assert handlers.look()["servers"] == [{"name": "Ollama", "url": script.url, "models": ["small"]}]
        view = handlers.choose(script.url, "small", "")
        assert view["chosen"] == {
            "url": script.url,
            "model": "small",
            "host": "127.0.0.1",
            "local": True,
            "has_key": False,
        }
        assert "small works" in handlers.try_it()["line"]
        first = handlers.answerer()
        assert handlers.answerer() is first
    assert handlers.forget_model()["chosen"] is None
    with pytest.raises(InputError, match="Settings"):
        handlers.answerer()


def test_the_key_is_never_shown(handlers):
    view = handlers.choose("https://models.example/v1", "big", KEY)
    assert view["chosen"]["has_key"]
    assert not view["chosen"]["local"]
    assert KEY not in json.dumps([view, handlers.look(), handlers.chosen()])
    kept = choice.kept()
    assert kept is not None
    assert kept.key == KEY
    handlers.choose("https://other.example/v1", "big", "")
    assert KEY not in choice.place().read_text()
    with pytest.raises(InputError) as caught:
        handlers.choose("https://models.example/v1", "big", KEY + "\n")
    assert KEY not in str(caught.value)


def test_only_this_machine_chooses(library, handlers):
    """Whoever sees the page from elsewhere is told what is chosen, and changes nothing."""
    handlers.choose("http://127.0.0.1:1/v1", "m", "")
    far = ModelHandlers(library, local=False)
    assert far.look()["may_choose"] is False
    assert far.look()["chosen"]["model"] == "m"
    for act in (lambda: far.choose("http://127.0.0.1:2/v1", "m", ""), far.forget_model):
        with pytest.raises(InputError, match="only at the machine"):
            act()


def test_the_environment_names_one_until_another_is_chosen(handlers, monkeypatch):
    monkeypatch.setenv("RAG_LLM_URL", "http://127.0.0.1:3/v1")
    assert handlers.chosen()["url"] == "http://127.0.0.1:3/v1"
    handlers.choose("http://127.0.0.1:4/v1", "m", "")
    assert handlers.chosen()["url"] == "http://127.0.0.1:4/v1"


def test_each_sentence_is_shown_when_it_comes(library, handlers, tmp_path):
    """A model may say its first sentence at once and be long over the next."""
    told, goes_on, seen_first = "About three million civilians live in Idlib.", threading.Event(), []

    def act(handler) -> None:
        start(handler, "text/event-stream")
        handler.wfile.write(event(f"[1] {told}\n"))
        seen_first.append(goes_on.wait(20))
        handler.wfile.write(event(None, "stop") + b"data: [DONE]\n\n")

    (tmp_path / "idlib.txt").write_text("Around three million civilians live in Idlib, the agency says.\n")
    library.index(tmp_path / "idlib.txt")
    asked = {"question": "How many civilians live in Idlib?", "where": [], "turn": 1, "k": 12, "conversation": 0}
    page = Handlers(library, History(tmp_path / "history.db"), Examples(library), local=True)
    with serving(lists({"/v1/models": {"data": [{"id": "quick"}]}}, act)) as script:
        page.models.choose(script.url, "quick", "")
        sentences: list[dict[str, Any]] = []
        for each in page.ask(gr.EventData(None, {**asked, "answerer": "llm"})):
            sentences = json.loads(each["view"])["sentences"]
            if [sentence["writer"] for sentence in sentences] == ["quick"]:
                goes_on.set()
    assert seen_first == [True]
    assert [sentence["runs"][0]["text"] for sentence in sentences] == [told]
