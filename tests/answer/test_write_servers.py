"""Servers on this machine, the choice that is kept, and what one line says of an LLM."""

from __future__ import annotations

import json
import stat

import pytest

from rag.answer.write import choice, servers
from rag.answer.write.endpoint import Endpoint, Settings
from rag.answer.write.trial import tried
from rag.app.cli import main
from rag.errors import InputError, LlmError
from rag.library import Library
from tests.scripted_llm import answers, lists, says, serving

KEY = "sk-canary-77ab"
MODELS = {
    "/v1/models": {"data": [{"id": "small", "meta": {"n_ctx": 3000}}, {"id": "other"}, {"id": 7}, {"id": "a\nb"}]}
}


@pytest.fixture(autouse=True)
def no_choice(tmp_path, monkeypatch):
    """Nothing is set up on this machine, and nothing is found unless a test says so."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(servers, "PORTS", {})
    for name in ("RAG_LLM_URL", "RAG_LLM_MODEL", "RAG_LLM_KEY", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def port(url: str) -> int:
    return int(url.split(":")[2].split("/", maxsplit=1)[0])


def test_servers_are_found_on_this_machine(monkeypatch):
    """Those that list models; whatever else listens there is none."""
    with serving(lists(MODELS, says(""))) as one, serving(answers(200, "<html>hello")) as web:
        monkeypatch.setattr(servers, "PORTS", {"Ollama": port(one.url), "vLLM": port(web.url), "LM Studio": 9})
        assert servers.found() == [servers.LocalServer("Ollama", one.url, ("small", "other"))]
        assert all("Authorization" not in headers for headers in one.headers)


@pytest.mark.parametrize(
    ("told", "size"),
    [
        (MODELS, 3000),
        ({"/v1/models": {"data": [{"id": "small", "max_model_len": 5000}]}}, 5000),
        ({"/props": {"default_generation_settings": {"n_ctx": 2048}}}, 2048),
        ({"/api/v0/models/small": {"loaded_context_length": 6000}}, 6000),
        ({"/api/show": {"parameters": "stop x\nnum_ctx 8192"}}, 8192),
        ({"/api/show": {"model_info": {"llama.context_length": 131072}}}, 4096),
        ({"/api/show": {}, "/api/ps": {"models": [{"name": "small", "context_length": 7000}]}}, None),
        ({"/v1/models": [1], "/props": "x", "/api/show": 3}, None),
    ],
)
def test_the_context_is_what_the_server_tells(told, size):
    with serving(lists(told, says(""))) as script:
        assert servers.context(script.url, "small") == size
        assert Endpoint(Settings(script.url, "small")).context == (size or 4096)
        assert Endpoint(Settings(script.url, "small", context=1234)).context == 1234


def test_what_is_local():
    assert all(map(servers.is_local, ("http://127.0.0.1:1/v1", "http://localhost/v1", "https://[::1]:8/v1")))
    assert not any(map(servers.is_local, ("http://192.168.0.2/v1", "https://localhost.evil.example/v1", "x")))


def test_the_choice_is_kept_for_its_owner_alone():
    """The key stays with the address that it was given for, in a file that nobody else can read."""
    assert choice.kept() is None
    choice.keep(Settings("http://127.0.0.1:1/v1", "m", KEY))
    assert stat.S_IMODE(choice.place().stat().st_mode) == 0o600
    choice.keep(Settings("http://127.0.0.1:1/v1", "n"))
    assert choice.kept() == Settings("http://127.0.0.1:1/v1", "n", KEY)
    choice.keep(Settings("http://127.0.0.1:2/v1", "n"))
    assert choice.kept() == Settings("http://127.0.0.1:2/v1", "n")
    assert KEY not in choice.place().read_text()
    choice.place().write_text("[]")
    assert choice.kept() is None
    choice.forget()
    choice.forget()
    assert not choice.place().exists()


def test_who_is_asked(monkeypatch):
    """The address that is given, then the environment, the choice, what is found; or what to do."""
    with pytest.raises(InputError, match="RAG_LLM_URL"):
        choice.chosen()
    with serving(lists(MODELS, says(""))) as script:
        monkeypatch.setattr(servers, "PORTS", {"llama.cpp": port(script.url)})
        assert choice.chosen() == Settings(script.url, "small")
    choice.keep(Settings("http://127.0.0.1:2/v1", "kept"))
    assert choice.chosen() == Settings("http://127.0.0.1:2/v1", "kept")
    monkeypatch.setenv("RAG_LLM_URL", "http://127.0.0.1:3/v1")
    assert choice.chosen() == Settings("http://127.0.0.1:3/v1")
    assert choice.chosen("http://127.0.0.1:4/v1", "m") == Settings("http://127.0.0.1:4/v1", "m")


def test_one_line_says_what_works(capsys):
    reply = json.dumps({"sentences": [{"text": "The sum is five.", "sources": [1]}]})
    with serving(lists(MODELS, says(reply))) as script:
        line = tried(Settings(script.url))
        assert line.startswith("small works: it streams, keeps to the JSON form and takes 3,000 tokens. It began after")
        assert main(["llm", "--try", "--llm-url", script.url]) == 0
        assert "small works" in capsys.readouterr().out
    with serving(lists(MODELS, says("Five."))) as script:
        assert "writes plain lines" in tried(Settings(script.url))
    with serving(answers(401, KEY)) as script, pytest.raises(LlmError, match="status 401") as caught:
        tried(Settings(script.url, "m", KEY))
    assert KEY not in str(caught.value)


def test_rag_llm_lists_what_there_is(capsys, monkeypatch):
    assert main(["llm"]) == 0
    assert "No LLM is set up" in capsys.readouterr().out
    choice.keep(Settings("https://models.example/v1", "big", KEY))
    with serving(lists(MODELS, says(""))) as script:
        monkeypatch.setattr(servers, "PORTS", {"LM Studio": port(script.url)})
        assert main(["llm", "--json"]) == 0
        out = capsys.readouterr().out
    assert KEY not in out
    assert json.loads(out) == {
        "chosen": {"url": "https://models.example/v1", "model": "big", "local": False},
        "found": [{"name": "LM Studio", "url": script.url, "models": ["small", "other"]}],
    }


def test_a_library_finds_an_llm_by_itself(tmp_path, hasher, monkeypatch):
    """`Library.open(answerer="llm")` asks the one that is found."""
    (tmp_path / "storm.txt").write_text("The storm of 4 March sank twelve boats in Hartle Bay. Nobody was hurt.\n")
    text = "Nobody was hurt by the storm of 4 March."
    reply = json.dumps({"sentences": [{"text": text, "sources": [1, 2]}]})
    with serving(lists(MODELS, says(reply))) as script:
        monkeypatch.setattr(servers, "PORTS", {"Ollama": port(script.url)})
        with Library.open(tmp_path / "index", embedder=hasher, answerer="llm") as library:
            library.index(tmp_path / "storm.txt")
            answer = library.ask("Was anybody hurt?")
    assert (answer.writer, [s.text for s in answer.sentences]) == ("small", [text])
