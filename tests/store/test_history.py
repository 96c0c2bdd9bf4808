"""Conversations and feedback stay on this machine, whole, within bounds, and become questions for `rag eval`."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from rag.app.as_json import Json, answer_json
from rag.app.cli import main
from rag.errors import FormatMismatch, InputError, StoreError
from rag.store.history import History
from tests.conftest import ROOT


def answer(question: str, padding: str = "") -> Json:
    """A refusal in the form of `rag ask --json`."""
    return {
        "question": question,
        "answer": padding,
        "abstained": True,
        "reason": None,
        "short_answer": None,
        "sentences": [],
        "citations": [],
        "conflicts": [],
        "nearest": [],
    }


@pytest.fixture
def history(tmp_path):
    return History(tmp_path / "index" / "history.db")


def test_nothing_is_made_by_looking(history, tmp_path):
    assert history.conversations() == []
    assert history.question_file(()) == ""
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="not there"):
        history.turns(1)


def test_conversations_are_kept_in_order(history, tmp_path):
    hostile = "</script>\ud800 \x00 'quoted' \U0001f600"
    first = history.add(answer(hostile))
    second = history.add(answer("Second?"))
    third = history.add(answer("And then?"), first.conversation)
    again = History(tmp_path / "index" / "history.db")
    assert [(c.id, c.title, c.turns) for c in again.conversations()] == [
        (first.conversation, hostile, 2),
        (second.conversation, "Second?", 1),
    ]
    assert again.turns(first.conversation) == [first, third]
    assert stat.S_IMODE((tmp_path / "index" / "history.db").stat().st_mode) == 0o600


def test_a_question_is_taken_out_of_its_conversation(history):
    """Where it was the first, the conversation goes by the next one from then on, and can go on."""
    first, second, third = (history.add(answer(q), 1) for q in ("First?", "Second?", "Third?"))
    assert first.conversation == second.conversation == third.conversation
    assert history.withdraw(second.id) == first.id
    assert history.withdraw(first.id) == third.id
    assert [turn.answer["question"] for turn in history.turns(third.id)] == ["Third?"]
    assert [(c.id, c.title, c.turns) for c in history.conversations()] == [(third.id, "Third?", 1)]
    assert history.add(answer("Fourth?"), third.id).conversation == third.id
    assert history.damages() == []
    with pytest.raises(InputError, match="not kept"):
        history.withdraw(first.id)
    history.withdraw(third.id)
    assert history.withdraw(history.conversations()[0].id) is None
    assert history.conversations() == []


def test_deleted_words_are_gone_from_the_file(history, tmp_path):
    kept = history.add(answer("kept words"))
    gone = history.add(answer("secret words", "more secret words" * 1000))
    history.judge(gone.id, "wrong", "secret correction")
    history.delete(gone.conversation)
    assert [c.id for c in history.conversations()] == [kept.conversation]
    anew = history.add(answer("kept, too"), gone.conversation)
    assert anew.conversation == anew.id
    data = (tmp_path / "index" / "history.db").read_bytes()
    assert b"kept words" in data
    assert b"secret" not in data
    assert [path.name for path in (tmp_path / "index").iterdir()] == ["history.db"]


def test_oldest_conversations_make_room(tmp_path):
    file = tmp_path / "history.db"
    history = History(file, most_bytes=300_000)
    first = history.add(answer("0"))
    for number in range(1, 60):
        history.add(answer(str(number), "x" * 10_000))
    assert history.add(answer("again", "x" * 10_000), first.conversation).conversation != first.conversation
    titles = [conversation.title for conversation in history.conversations()]
    assert titles == ["again", *(str(number) for number in range(59, 60 - len(titles), -1))]
    assert 20 < len(titles) < 30
    assert file.stat().st_size <= 320_000


def test_only_what_is_there_can_be_judged(history):
    with pytest.raises(InputError, match="not kept"):
        history.judge(7, "wrong")


def test_verdicts_replace_each_other(history):
    turn = history.add(answer("Who?"))
    history.judge(turn.id, "wrong", "Mary Smith")
    assert [(t.verdict, t.correction) for t in history.turns(turn.conversation)] == [("wrong", "Mary Smith")]
    history.judge(turn.id, "helpful")
    assert [(t.verdict, t.correction) for t in history.turns(turn.conversation)] == [("helpful", None)]
    history.judge(turn.id, None)
    assert history.question_file(()) == ""


def test_threads_lose_nothing(history):
    with ThreadPoolExecutor(8) as pool:
        turns = list(pool.map(lambda number: history.add(answer(str(number))), range(40)))
    assert len({turn.id for turn in turns}) == 40
    assert {c.title for c in history.conversations()} == {str(number) for number in range(40)}


WRITER = """
import sys
from pathlib import Path
from rag.store.history import History
from tests.store.test_history import answer
history = History(Path(sys.argv[1]))
for number in range(1_000_000):
    print(history.add(answer(str(number), "x" * 20_000)).id, flush=True)
"""


def test_killed_writer_loses_nothing_that_it_reported(tmp_path):
    file = tmp_path / "history.db"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(file)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout is not None
        reported = [process.stdout.readline() for _ in range(20)]
        time.sleep(0.01)  # to fall anywhere into what it writes next
        process.send_signal(signal.SIGKILL)
        reported += process.stdout.readlines()
    kept = {conversation.id for conversation in History(file).conversations()}
    assert {int(line) for line in reported if line.endswith("\n")} <= kept
    History(file).add(answer("after"))


def test_unusable_files_are_named(tmp_path):
    (tmp_path / "damaged.db").write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError, match=r"damaged\.db cannot be used .*move it away"):
        History(tmp_path / "damaged.db").add(answer("?"))
    with sqlite3.connect(tmp_path / "newer.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(FormatMismatch, match=r"newer\.db"):
        History(tmp_path / "newer.db").conversations()
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be used"):
        History(tmp_path / "file" / "history.db").add(answer("?"))


@pytest.mark.slow
def test_feedback_is_a_question_file_that_eval_measures(library, history, tmp_path, capsys):
    for name, words in (
        ("harbour", "The harbour of Testville closed on Monday."),
        ("mill", "The mill has nine bells."),
    ):
        (tmp_path / f"{name}.txt").write_text(words + "\n")
        library.index(tmp_path / f"{name}.txt")
    right = answer_json(library.ask("When did the harbour of Testville close?"))
    assert right["citations"]
    turns = {name: history.add({**right, "question": f"{right['question']} {name}"}) for name in ("good", "bad")}
    turns |= {name: history.add(answer(f"Who won the {name} cup?")) for name in ("first", "second")}
    history.add(answer("Nobody said anything of this one."))
    history.judge(turns["good"].id, "helpful")
    history.judge(turns["bad"].id, "wrong", "on Monday")
    history.judge(turns["first"].id, "helpful")
    history.judge(turns["second"].id, "wrong")
    gone = {"document": "/removed.txt", "quote": "gone"}
    half = history.add({**right, "citations": [*right["citations"], gone]})
    history.judge(half.id, "helpful")

    documents = {info.uri for info in library.documents()}
    file = tmp_path / "feedback.jsonl"
    file.write_text(history.question_file(documents), "utf-8")
    records = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert [record.get("answerable") for record in records] == [True, True, False, True, True]
    assert records[0]["documents"] == [str(tmp_path / "harbour.txt")]
    assert records[0]["evidence"] == [citation["quote"] for citation in right["citations"]]
    assert records[1]["answers"] == ["on Monday"]
    assert records[4]["documents"] == records[0]["documents"]

    assert main(["eval", str(file), "--json", "--store", str(library.store.root), "--model", "hash"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["queries"] == 5
    assert scores["hit@1"] == 1.0
    assert "abstention" in scores
