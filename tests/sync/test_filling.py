"""Texts first, vectors behind them: what is found, said and kept meanwhile, and after a kill in between."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from rag import sync
from rag.app.cli import main
from rag.app.ui.listing import documents_view
from rag.library import Library
from rag.models.encoder import HashEmbedder
from rag.store import open_store
from rag.store.copy import copied
from tests.conftest import ROOT

QUESTIONS = (
    "How many tons did the crane numbered 17 lift?",
    "ferry at the quay in ice",
    "crane with rope, net and lamp",
)

KILLED = """
import os, signal, sys
from rag import sync
from rag.library import Library
from rag.models.encoder import HashEmbedder
sync.PART, sync.FILLED, sync.EMBED_BATCH = 70, 50, 10
def kill(stage, done, total):
    if stage == sys.argv[3] and done >= int(sys.argv[4]):
        os.kill(os.getpid(), signal.SIGKILL)
Library.open(sys.argv[2], embedder=HashEmbedder()).index(sys.argv[1], progress=kill)
"""
"""200 passages, whose texts are published 70 at a time, their vectors 50 at a time."""


def opened(root):
    return Library.open(root, embedder=HashEmbedder(), reranker="none")


def held(library):
    """All that the index holds of passages and their vectors, and how it ranks them, with each score."""
    with library.store.snapshot() as snapshot:
        passages = {uri: snapshot.passages_of(uri) for uri in snapshot.uris()}
        vectors = {uri: snapshot.vectors_of(uri) for uri in passages}
    return passages, vectors, [library.search(question, 200) for question in QUESTIONS]


def killed(folder, root, stage, at):
    """Index in another process, which is killed once a stage of it has done so much."""
    command = [sys.executable, "-c", KILLED, str(folder), str(root), stage, str(at)]
    assert subprocess.run(command, check=False, cwd=ROOT).returncode == -signal.SIGKILL


def test_a_folder_is_found_by_its_words_before_its_vectors(library, corpus, capsys):
    """Another process that asks meanwhile finds all of it, and is told; afterwards nothing is said any more."""
    lacks = "200 of 200 passages are so far found by their words only"
    seen = []

    def look(stage, done, _total):
        if stage == "embedding" and not done:
            with opened(library.root) as other:
                hit = other.search(QUESTIONS[0], 3)[0]
                answer = other.ask(QUESTIONS[0])
                seen.append((other.status().waiting, hit, answer, documents_view(other.documents(), lacks)))
                assert other.found_by_words() == lacks
                assert other.verify() == []
            assert main(["status", "--store", str(library.root)]) == 0

    assert library.index(corpus, progress=look).embedded == 200
    ((waiting, hit, answer, view),) = seen
    assert waiting == 200
    assert (hit.passage.name, hit.dense_rank, hit.dense_score) == ("report-017.txt", None, None)
    assert "lifted 122 tons" in answer.citations[0].quote
    assert f"{lacks}: their vectors are still being made" in answer.reason
    assert view["summary"] == f"200 documents ({lacks})"
    assert f"{lacks}; rag index goes on with the rest" in capsys.readouterr().out
    assert (library.status().waiting, library.found_by_words()) == (0, "")
    assert "so far" not in (library.ask(QUESTIONS[0]).reason or "")
    assert library.search(QUESTIONS[0])[0].dense_rank


def test_vectors_are_published_as_they_come_the_newest_first(library, corpus, tmp_path, monkeypatch):
    """What was added last is found by its meaning first, then what was there before."""
    monkeypatch.setattr(sync, "FILLED", 50)
    killed(corpus, library.root, "embedding", 0)
    more = tmp_path / "more"
    more.mkdir()
    for number in range(60):
        (more / f"{number}.txt").write_text(f"The ferry numbered {number} carried {number * 3} people.")
    seen = []

    def look(stage, done, total):
        if stage == "embedding":
            with opened(library.root) as other, other.store.snapshot() as snapshot:
                having = [uri for uri in snapshot.uris() if snapshot.vectors_of(uri)]
                seen.append((snapshot.generation, done, total, sum(uri.startswith(str(more)) for uri in having)))

    report = library.index(more, progress=look)
    assert (report.count("added"), report.embedded) == (60, 260)
    generations = [generation for generation, *_ in seen]
    assert generations == sorted(generations)
    assert len(set(generations)) == 1 + 6  # of the texts, and of six parts
    assert [(done, total, new) for _, done, total, new in seen if done in {0, 50, 100}] == [
        (0, 260, 0),
        (50, 260, 50),
        (50, 260, 50),
        (100, 260, 60),
        (100, 260, 60),
    ]


@pytest.mark.parametrize(("stage", "at", "waiting", "left"), [("reading", 199, 140, 200), ("embedding", 120, 80, 80)])
def test_a_kill_between_the_halves_is_completed(tmp_path, corpus, stage, at, waiting, left):
    """While texts or vectors are published: the next run, of the same unchanged files, does the rest alone.

    Then all is as in one run: passages, vectors to the bit, and scores.
    """
    with opened(tmp_path / "whole") as whole:
        whole.index(corpus)
        expected = held(whole)
    killed(corpus, tmp_path / "index", stage, at)
    with opened(tmp_path / "index") as library:
        assert library.status().waiting == waiting
        assert library.verify() == []
        report = library.index(corpus)
        assert (report.count("unchanged"), report.embedded) == ({"reading": 140, "embedding": 200}[stage], left)
        assert held(library) == expected
        assert library.verify() == []
        assert library.index(corpus).embedded == 0
        assert str(corpus) in library.store.journal().roots


def test_a_copy_goes_on_where_its_source_was_stopped(tmp_path, corpus):
    killed(corpus, tmp_path / "index", "embedding", 120)
    source, target = open_store(tmp_path / "index"), open_store(tmp_path / "copy")
    assert copied(source, target).passages == 200
    source.close()
    target.close()
    with opened(tmp_path / "copy") as library:
        assert library.status().waiting == 80
        assert library.index(corpus).embedded == 80
        assert library.verify() == []


def test_what_waits_can_change_and_go(tmp_path, corpus):
    """Documents without vectors are replaced and removed like all others."""
    killed(corpus, tmp_path / "index", "embedding", 120)
    (corpus / "report-003.txt").write_text("The third report was withdrawn.")
    (corpus / "report-004.txt").unlink()
    with opened(tmp_path / "index") as library:
        report = library.index(corpus)
        assert (report.count("updated"), report.count("removed"), report.embedded) == (1, 1, 79)
        assert library.verify() == []
        with opened(tmp_path / "whole") as whole:
            whole.index(corpus)
            assert held(library) == held(whole)


@pytest.mark.parametrize(("files", "steps"), [(sync.AT_ONCE, 1), (sync.AT_ONCE + 1, 2)])
def test_few_new_texts_are_published_with_their_vectors(library, corpus, files, steps):
    """One publish is enough where the encoder needs no longer than that."""
    library.index(corpus)
    before = library.status().generation
    for number in range(files):
        (corpus / f"report-{number:03d}.txt").write_text(f"Report {number} was withdrawn.")
    assert library.index(corpus).embedded == files
    assert library.status().generation == before + steps
