"""rag eval: the measures against values worked out by hand, sets and reports that can be read again."""

from __future__ import annotations

import json
import math
import shutil
import stat
from typing import TYPE_CHECKING

import pytest

from rag.cli import main
from rag.embed import HashEmbedder
from rag.errors import InputError
from rag.evaluate import evaluate, opened, read_folder, read_questions
from rag.evaluate.compare import differences, randomisation
from rag.evaluate.measures import abstention, f1, normal, ranking_scores
from rag.evaluate.report import read_report, write_report
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = {"d1": "The harbour crane lifted a bridge.", "d2": "The mayor opened a school.", "d3": "A flood hit the river."}


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """Keep the documents of sets out of the user's own cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    """A set of three documents in BEIR form, one question without an answer among three."""
    folder = tmp_path / "beir"
    folder.mkdir()
    corpus = [{"_id": id_, "title": "", "text": text} for id_, text in TEXTS.items()]
    queries = [
        {"_id": "q1", "text": "harbour crane", "answers": ["a bridge"], "answerable": True},
        {"_id": "q2", "text": "mayor school", "answers": ["a school"], "answerable": True},
        {"_id": "q3", "text": "price of bread", "answers": [], "answerable": False},
    ]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(record) + "\n" for record in corpus))
    (folder / "queries.jsonl").write_text("".join(json.dumps(record) + "\n" for record in queries))
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t2\nq2\td2\t1\nq2\td3\t0\n")
    return folder


def test_ranking_measures_by_hand():
    """The gain of nDCG is exponential: the second rank of three grades, worked out by hand."""
    scores = ranking_scores({"q": {"a": 3, "b": 1, "c": 2}}, {"q": ["x", "a", "b"]})["q"]
    assert scores["ndcg@10"] == pytest.approx((7 / math.log2(3) + 1 / 2) / (7 + 3 / math.log2(3) + 1 / 2))
    assert scores["recall@10"] == pytest.approx(2 / 3)
    assert (scores["mrr@10"], scores["hit@1"], scores["hit@5"]) == (0.5, 0.0, 1.0)


def test_nothing_found_counts_as_zero():
    """A question for which nothing came is part of the mean."""
    assert set(ranking_scores({"q": {"a": 1}, "r": {"b": 1}}, {"q": ["a"], "r": []})["r"].values()) == {0.0}


def test_answers_are_compared_as_squad_does():
    """Case, articles and punctuation do not matter; F1 is that of words."""
    assert normal("The U.S. Army!") == "us army"
    assert f1("a big red crane", "the crane") == pytest.approx(2 * 1 / (3 + 1))
    assert f1("", "crane") == 0.0


def test_abstention_measures():
    """Precision and recall of refusals; the area under the ROC counts ties half."""
    scores = abstention([True, True, False, False], [False, True, True, False], [0.1, 0.4, 0.9, 0.4])
    assert scores == {"precision": 0.5, "recall": 0.5, "auroc": pytest.approx((1 + 1 + 1 + 0.5) / 4)}
    assert abstention([False], [True], [None]) == {}


def test_folder_is_measured_and_kept(beir, capsys):
    """One command scores a BEIR folder; the second run encodes nothing, and every system can be measured."""
    dataset, embedder = read_folder(beir), HashEmbedder()
    with opened(dataset, embedder) as library:
        assert library.status().documents == 3
        summary = evaluate(dataset, library).summary()
    assert summary["queries"] == 3
    assert summary["hit@1"] == 1.0
    assert set(summary["abstention"]) <= {"precision", "recall", "auroc"}
    embedder.embed = None  # type: ignore[assignment]
    with opened(dataset, embedder) as library:
        assert library.status().generation == 1
    assert main(["eval", str(beir), "--system", "all", "--no-answers", "--model", "hash", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"bm25", "dense", "rrf", "convex", "ours"}


def test_the_index_of_a_folder_is_private_and_said_to_be_kept(beir, tmp_path, capsys):
    """When it is made, one line says where; the help and the README say the same, and deleting it is all there is."""
    (tmp_path / "cache" / "rag" / "eval").mkdir(parents=True)  # by an earlier version, for all to see
    run = ["eval", str(beir), "--no-answers", "--model", "hash", "--json"]
    assert main(run) == 0
    (kept,) = (tmp_path / "cache" / "rag" / "eval").iterdir()
    assert capsys.readouterr().err.count(f"is kept in {kept} for the next run; delete it at will\n") == 1
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in (kept, kept.parent)] == [0o700, 0o700]
    assert main(run) == 0
    assert str(kept) not in capsys.readouterr().err
    shutil.rmtree(kept)
    assert main(run) == 0
    with pytest.raises(SystemExit):
        main(["eval", "--help"])
    for text in (capsys.readouterr().out, (ROOT / "README.md").read_text("utf-8")):
        assert "~/.cache/rag/eval" in text


def test_limit_takes_the_same_questions(beir):
    """A limit spreads over the set and does not change from run to run."""
    dataset = read_folder(beir)
    assert [question.id for question in dataset.limited(2).questions] == ["q1", "q2"]
    assert dataset.limited(9) is dataset


def test_questions_about_an_index(library, tmp_path, capsys):
    """A person's own questions name documents as they are shown; a wrong name is an error that says which question."""
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "crane.txt").write_text(TEXTS["d1"] + "\n")
    (folder / "mayor.txt").write_text(TEXTS["d2"] + "\n")
    library.index(folder)
    file = tmp_path / "questions.jsonl"
    file.write_text('{"question": "harbour crane", "documents": ["crane.txt"], "answers": ["a bridge"]}\n')
    result = evaluate(read_questions(file, library), library)
    assert result.summary()["ndcg@10"] == 1.0
    store = str(library.store.root)
    report = tmp_path / "run.jsonl"
    assert main(["eval", str(file), "--store", store, "--model", "hash", "--report", str(report)]) == 0
    assert main(["eval", str(file), "--store", store, "--model", "hash", "--compare", str(report)]) == 0
    assert "difference" in capsys.readouterr().out
    file.write_text('{"question": "harbour crane", "documents": ["nothing.txt"]}\n')
    with pytest.raises(InputError, match="question 1"):
        read_questions(file, library)


def test_report_shows_every_question(beir, tmp_path):
    """The page has what was asked, expected and found; the JSONL form gives the scores back."""
    dataset = read_folder(beir)
    with opened(dataset, HashEmbedder()) as library:
        result = evaluate(dataset, library)
    write_report(result, tmp_path / "run.html")
    write_report(result, tmp_path / "run.jsonl")
    page = (tmp_path / "run.html").read_text("utf-8")
    assert all(question.text in page for question in dataset.questions)
    assert read_report(tmp_path / "run.jsonl") == {case.question.id: case.scores for case in result.cases}


def test_significance():
    """Equal runs differ by chance; a steady gain over thirty questions does not."""
    assert randomisation([0.5] * 30, [0.5] * 30) == 1.0
    assert randomisation([0.4] * 30, [0.5] * 30) < 0.001
    assert randomisation([0.4, 0.5] * 15, [0.5, 0.4] * 15) > 0.5
    found = differences({"a": {"f1": 0.0}}, {"a": {"f1": 1.0}, "b": {"f1": 1.0}}, ["f1", "hit@1"])
    assert [(d.measure, d.questions) for d in found] == [("f1", 1)]


@pytest.mark.parametrize("missing", ["corpus.jsonl", "queries.jsonl", "qrels.tsv"])
def test_incomplete_folder(beir, missing):
    """A set without one of its files is refused with the file's name."""
    (beir / missing).unlink()
    with pytest.raises(InputError, match=missing):
        read_folder(beir)
