"""rag eval: the measures against values worked out by hand, sets and reports that can be read again."""

from __future__ import annotations

import json
import math
import re
import shutil
import stat
from typing import TYPE_CHECKING

import pytest

from rag.app.cli import main
from rag.errors import InputError
from rag.evaluate import Case, Result, evaluate, opened, read_folder, read_questions
from rag.evaluate.dataset import LabelledQuestion
from rag.evaluate.measures import abstention, answer_scores, f1, normal, ranking_scores
from rag.evaluate.report import write_report
from rag.models.encoder import HashEmbedder
from rag.records import Answer, Citation, Document, Span
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
    assert set(json.loads(capsys.readouterr().out)) == {"bm25", "dense", "rrf", "convex", "fused", "ours"}


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
    """A person's own questions name documents as they are shown; a wrong name is an error that says on which line."""
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
    assert "ndcg@10" in capsys.readouterr().out
    assert json.loads(report.read_text("utf-8"))["scores"]["hit@1"] == 1.0
    file.write_text('{"question": "harbour crane", "documents": ["nothing.txt"]}\n')
    with pytest.raises(InputError, match="line 1"):
        read_questions(file, library)


@pytest.mark.slow
def test_report_shows_every_question(beir, tmp_path):
    """The page has what was asked, expected and found; the JSONL form gives the scores back."""
    dataset = read_folder(beir)
    with opened(dataset, HashEmbedder()) as library:
        result = evaluate(dataset, library)
    write_report(result, tmp_path / "run.html")
    write_report(result, tmp_path / "run.jsonl")
    page = (tmp_path / "run.html").read_text("utf-8")
    assert all(question.text in page for question in dataset.questions)
    records = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text("utf-8").splitlines()]
    assert [(record["id"], record["scores"]) for record in records] == [(c.question.id, c.scores) for c in result.cases]


def test_report_marks_wrong_refusals(tmp_path):
    """A refusal of what has an answer is wrong, and so is an answer to what has none."""
    answers = (Answer("?", abstained=True, reason="Not said."), Answer("?"))
    for answerable, faults in ((True, (True, False)), (False, (False, True)), (None, (False, False))):
        for answer, is_wrong in zip(answers, faults, strict=True):
            case = Case(LabelledQuestion("q1", "Who?", answerable=answerable), [], answer)
            write_report(Result("set", "rag", (case,), 1.0), tmp_path / "run.html")
            page = (tmp_path / "run.html").read_text("utf-8")
            fault = "refused, though there is an answer" if answer.abstained else "answered, though there is no answer"
            assert (fault in page, 'class="wrong"' in page) == (is_wrong, is_wrong)


@pytest.mark.parametrize("missing", ["corpus.jsonl", "queries.jsonl", "qrels.tsv"])
def test_incomplete_folder(beir, missing):
    """A set without one of its files is refused with the file's name."""
    (beir / missing).unlink()
    with pytest.raises(InputError, match=missing):
        read_folder(beir)


@pytest.mark.parametrize(
    ("name", "line", "complaint"),
    [
        ("queries.jsonl", b'{"text": "who?"}', "line 2: no '_id'"),
        ("queries.jsonl", b'["a"]', "line 2: no JSON object"),
        ("queries.jsonl", b'{"_id": "q", "text": "caf\xe9"}', "line 2: not UTF-8"),
        ("queries.jsonl", b'{"_id": "q"}', "line 2: no text as 'text'"),
        ("qrels.tsv", b"q1\td\xe9\t1", "line 2: not UTF-8"),
        ("qrels.tsv", b"q1\td1\t0.5", "line 2: the grade '0.5'"),
        ("qrels.tsv", b"q1\td1", "line 2: not three columns"),
    ],
)
def test_unreadable_lines_of_a_folder(beir, name, line, complaint):
    """A line that is no part of a set is named with its file; nothing is passed over."""
    first, *_ = (beir / name).read_bytes().splitlines()
    (beir / name).write_bytes(first + b"\n" + line + b"\n")
    with pytest.raises(InputError, match=f"{name}, {complaint}"):
        read_folder(beir)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [(b'{"text": "a"}', "no '_id'"), (b'"d4"', "no JSON object"), (b'{"_id": "d4", "text": 4}', "no text as 'text'")],
)
def test_unreadable_documents_of_a_folder(beir, line, complaint, capsys):
    """A document that cannot be read stops the run with one line."""
    with (beir / "corpus.jsonl").open("ab") as corpus:
        corpus.write(line + b"\n")
    assert main(["eval", str(beir), "--model", "hash"]) == 1
    assert f"corpus.jsonl, line 4: {complaint}" in capsys.readouterr().err


def test_question_file_of_another_editor(library, tmp_path):
    """A mark at the beginning is none of the first question's; a file in UTF-16 is refused with its first line."""
    (tmp_path / "crane.txt").write_text(TEXTS["d1"] + "\n")
    library.index(tmp_path / "crane.txt")
    file = tmp_path / "questions.jsonl"
    line = '{"question": "harbour crane", "documents": ["crane.txt"]}\r\n'
    file.write_text(line, "utf-8-sig")
    assert [question.text for question in read_questions(file, library).questions] == ["harbour crane"]
    file.write_text(line, "utf-16")
    with pytest.raises(InputError, match="line 1: not UTF-8"):
        read_questions(file, library)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        (
            '"answers": "nine crowns"',
            """'answers' is "nine crowns"; write a list, as in {"answers": ["nine crowns"]}""",
        ),
        ('"evidence": "It cost nine."', "'evidence' is"),
        ('"documents": "crane.txt"', "'documents' is"),
        ('"answers": [["nine", true]]', "true among 'answers' is no text"),
        ('"evidence": [{"text": "nine"}]', """{"text": "nine"} among 'evidence' is no text"""),
        ('"answerable": "false"', """'answerable' is "false"; write true or false"""),
    ],
)
def test_fields_of_another_kind(library, tmp_path, fields, complaint):
    """What would be taken for something else, and give wrong scores, is refused with what to write."""
    file = tmp_path / "questions.jsonl"
    file.write_text(f'{{"question": "harbour crane"}}\n\n{{"question": "what did it cost?", {fields}}}\n')
    with pytest.raises(InputError, match=re.escape(f"questions.jsonl, line 3: {complaint}")):
        read_questions(file, library)


def test_answers_in_other_words(library, tmp_path):
    """Any answer of a list within the list will do, a number is one, and null is none."""
    file = tmp_path / "questions.jsonl"
    file.write_text(
        '{"question": "when?", "answers": [["May 2012", "2012-05"], 2012], "evidence": [{"fact": "In May."}, ""]}\n'
        '{"question": "who?", "answers": null, "answerable": null}\n'
    )
    when, who = read_questions(file, library).questions
    assert (when.answers, when.evidence) == (("May 2012", "2012-05", "2012"), ("In May.",))
    assert (who.id, who.answers, who.answerable) == ("2", (), None)


def test_one_id_for_two(beir, library, tmp_path):
    """Two questions or two documents of one id are named both: their scores would be those of one."""
    file = tmp_path / "questions.jsonl"
    file.write_text('{"id": "a", "question": "crane?"}\n{"id": "b", "question": "x"}\n{"id": "a", "question": "y"}\n')
    with pytest.raises(InputError, match="line 1 and line 3 have the same id, a;"):
        read_questions(file, library)
    with (beir / "corpus.jsonl").open("a") as corpus:
        corpus.write('{"_id": "d2", "text": "Another."}\n')
    with pytest.raises(InputError, match="line 2 and line 4 have the same id, d2;"):
        list(read_folder(beir).documents())
    with (beir / "queries.jsonl").open("a") as queries:
        queries.write('{"_id": "q3", "text": "price of milk"}\n')
    with pytest.raises(InputError, match="line 3 and line 4 have the same id, q3;"):
        read_folder(beir)


def measured(library, tmp_path, *records):
    """Return the summary of questions about the crane."""
    (tmp_path / "crane.txt").write_text(TEXTS["d1"] + "\n")
    library.index(tmp_path / "crane.txt")
    file = tmp_path / "questions.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    return evaluate(read_questions(file, library), library).summary()


def test_refusals_alone_are_measured(library, tmp_path):
    """Questions of which only is known that they have no answer."""
    summary = measured(library, tmp_path, {"question": "What is the price of bread in Lima?", "answerable": False})
    assert summary["abstention"]["recall"] == 1.0


def test_evidence_alone_is_measured(library, tmp_path):
    """Without short answers, it is measured whether the evidence is cited, and nothing else."""
    question = {"question": "What did the harbour crane lift?", "evidence": ["The harbour crane lifted a bridge."]}
    summary = measured(library, tmp_path, question)
    assert set(summary) == {"sentence_hit@1", "queries", "seconds"}
    assert summary["sentence_hit@1"] == 1.0


@pytest.mark.parametrize(
    ("quote", "answer", "held"),
    [
        ("The school (“The Mole”) has 30 pupils.", "The Mole", 1.0),
        ("It was ‘sold’.", "sold", 1.0),
        ("The Mole's school has 30 pupils.", "The Mole", 0.0),
        ("The moleskin was sold.", "mole", 0.0),
    ],
)
def test_a_sentence_holds_an_answer_in_any_quotation_marks(quote, answer, held):
    """As whole words; typographic marks are marks, as those of ASCII are."""
    passage = Document("/a.txt", quote, None, "0" * 64).passage(Span(0, len(quote)), [Span(0, len(quote))])
    given = Answer("?", citations=(Citation.of(passage, Span(0, len(quote)), 1, 1.0),))
    assert answer_scores(LabelledQuestion("q", "?", answers=(answer,)), given)["sentence_hit@1"] == held


def test_nothing_to_measure(library, tmp_path):
    """A file that does not say what is right gives no table without scores, but what to add."""
    with pytest.raises(InputError, match="documents, answers, evidence or answerable: false"):
        measured(library, tmp_path, {"question": "What did the harbour crane lift?", "answerable": True})


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--report", "nodir/run.html"), "there is no folder nodir"),
        (("--report", "run.txt"), "run.txt: a report is .html"),
    ],
)
def test_files_are_checked_before_asking(beir, monkeypatch, options, complaint, capsys):
    """A report that cannot be written is refused before anything is asked."""
    monkeypatch.chdir(beir.parent)
    assert main(["eval", "beir", "--model", "hash", *options]) == 1
    shown = capsys.readouterr()
    assert complaint in shown.err
    assert shown.out == ""
    assert not (beir.parent / "cache").exists()


@pytest.mark.slow
def test_scores_come_before_the_report(beir, capsys):
    """Where the report cannot be written after all, the scores have been printed."""
    full = beir / "full.jsonl"
    full.symlink_to("/dev/full")
    assert main(["eval", str(beir), "--model", "hash", "--report", str(full)]) == 1
    shown = capsys.readouterr()
    assert "hit@1" in shown.out
    assert "No space left" in shown.err
