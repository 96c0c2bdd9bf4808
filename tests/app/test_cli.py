"""The command line as a person uses it: real processes, exit codes, one-line complaints."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rag.app.cli import main
from rag.library import Library
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TEXT = "The harbour report.\n\nThe crane lifted 412 tons on Monday. Nobody was hurt. The mayor was in Rotterdam.\n"


def rag(*arguments: str, cwd: Path, store: str = "index", environment: dict[str, str] | None = None):
    """Run the command and return the finished process."""
    return subprocess.run(
        [sys.executable, "-m", "rag", *arguments],
        cwd=cwd,
        env={**os.environ, "RAG_STORE": store, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a document and an index of it, made with the stand-in encoder."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "harbour.txt").write_text(TEXT)
    assert rag("index", "docs", "--model", "hash", cwd=tmp_path).returncode == 0
    return tmp_path


def assert_complains(process, *words: str, code: int = 1) -> None:
    """The process ended with this code and one line that holds these words."""
    assert process.returncode == code
    assert process.stdout == ""
    lines = process.stderr.splitlines()
    assert len(lines) == 1, process.stderr
    assert lines[0].startswith("rag: ")
    assert all(word in lines[0] for word in words), lines[0]


def test_index_json(place):
    """The report has the fields of the contract."""
    (place / "docs" / "new.md").write_text("# New\n\nA new text. It is short.\n")
    (place / "docs" / "garbage.txt").write_bytes(os.urandom(3000))
    report = json.loads(rag("index", "docs", "--json", cwd=place).stdout)
    assert {key: report[key] for key in ("added", "updated", "removed", "unchanged", "failed")} == {
        "added": 1, "updated": 0, "removed": 0, "unchanged": 1, "failed": [],
    }  # fmt: skip
    assert [Path(entry["path"]).name for entry in report["skipped"]] == ["garbage.txt"]
    assert report["skipped"][0]["reason"]
    assert report["passages"] == 2
    assert report["embedded"] == 1
    assert isinstance(report["seconds"], float)


@pytest.mark.slow
def test_store_before_and_after_the_command(place):
    """`--store` is taken in both places and wins over the environment."""
    for arguments in (["--store", "index", "status", "--json"], ["status", "--json", "--store", "index"]):
        process = rag(*arguments, cwd=place, store="nowhere")
        assert json.loads(process.stdout)["documents"] == 1


def test_ask_show_round_trip(place):
    """Every quote is what `rag show` prints at its offsets."""
    answer = json.loads(rag("ask", "How many tons did the crane lift on Monday?", "--json", cwd=place).stdout)
    assert answer["abstained"] is False
    assert "412 tons" in answer["citations"][0]["quote"]
    for citation in answer["citations"]:
        shown = json.loads(rag("show", citation["document"], "--json", cwd=place).stdout)
        assert shown["text"][citation["start"] : citation["end"]] == citation["quote"]
        passage = citation["passage"]
        assert shown["text"][passage["start"] : passage["end"]] == passage["text"]
        at = f"{citation['start']}:{citation['end']}"
        marked = rag("show", "harbour.txt", "--at", at, cwd=place).stdout
        assert f">>>{citation['quote']}<<<" in marked
    numbers = {citation["number"] for citation in answer["citations"]}
    assert all(set(sentence["citations"]) <= numbers and sentence["citations"] for sentence in answer["sentences"])


@pytest.mark.slow
def test_whole_sentences_come_with_the_words_that_answer(place):
    """No bare span is printed: the text begins with the quotation, in which the data mark what answers."""
    asked = "How many tons did the crane lift on Monday?"
    (first, *_) = json.loads(rag("ask", asked, "--json", cwd=place).stdout)["sentences"]
    assert [first["text"][start:end] for start, end in first["marks"]] == ["412 tons"]
    lines = rag("ask", asked, cwd=place).stdout.splitlines()
    assert lines[0].startswith("The crane lifted 412 tons")


@pytest.mark.slow
def test_samples_in_the_index_are_said(tmp_path):
    """Who adds own documents to the samples of app.py is told, with what can be done; the command given does it."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "harbour.txt").write_text(TEXT)
    alone = rag("index", str(ROOT / "data"), "--model", "hash", cwd=tmp_path)
    assert "sample" not in alone.stderr
    mixed = rag("index", "docs", cwd=tmp_path)
    assert mixed.returncode == 0
    (said,) = [line for line in mixed.stderr.splitlines() if "sample" in line]
    assert "17 sample documents" in said
    assert "--store PLACE" in said
    assert "sample" not in rag("index", "docs", cwd=tmp_path).stderr
    command = said.partition("take them out: rag ")[2].partition(";")[0]
    whole = f"{sys.executable} -m rag {command}"
    assert subprocess.run(whole, shell=True, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    assert json.loads(rag("status", "--json", cwd=tmp_path).stdout)["documents"] == 1
    (tmp_path / "docs" / "new.txt").write_text("Another text.")
    assert "sample" not in rag("index", "docs", cwd=tmp_path).stderr


@pytest.mark.slow
def test_refusal_is_an_answer(place):
    """A refusal has a reason and the nearest passages, and exits 0."""
    process = rag("ask", "Who won the chess tournament in Wijk?", "--json", cwd=place)
    answer = json.loads(process.stdout)
    assert process.returncode == 0
    assert answer["abstained"] is True
    assert answer["reason"]
    assert answer["sentences"] == answer["citations"] == []
    assert answer["nearest"][0]["document"].endswith("harbour.txt")


@pytest.mark.slow
def test_search_text_and_json(place):
    """Search prints passages with ranks; JSON gives both ranks."""
    hits = json.loads(rag("search", "crane tons", "--json", cwd=place).stdout)["hits"]
    assert [hit["rank"] for hit in hits] == list(range(1, len(hits) + 1))
    assert hits[0]["lexical_rank"] == 1
    assert "412 tons" in rag("search", "crane tons", cwd=place).stdout


@pytest.mark.slow
def test_remove_and_status(place):
    """A removed document is forgotten."""
    assert rag("remove", "harbour.txt", cwd=place).stdout == "1 removed\n"
    assert json.loads(rag("status", "--json", cwd=place).stdout)["documents"] == 0


@pytest.mark.slow
def test_verify(place):
    """Verify exits 0 on a sound index and 1 on a damaged one, naming the file."""
    assert rag("verify", cwd=place).stdout == "sound\n"
    path = next((place / "index").glob("vectors-*.faiss"))
    path.write_bytes(path.read_bytes()[:-1])
    process = rag("verify", "--json", cwd=place)
    assert process.returncode == 1
    assert path.name in json.loads(process.stdout)["damages"][0]


@pytest.mark.parametrize("command", ["search", "ask"])
def test_missing_index(tmp_path, command):
    """Without an index, the complaint says how to make one."""
    assert_complains(rag(command, "anything?", cwd=tmp_path), "no index", "rag index")
    assert not (tmp_path / "index").exists()


@pytest.mark.slow
def test_unknown_document(place):
    """An unknown document is named."""
    assert_complains(rag("show", "nothing.txt", cwd=place), "nothing.txt", "rag status")
    assert_complains(rag("remove", "nothing.txt", cwd=place), "nothing.txt")


@pytest.mark.slow
def test_span_beyond_the_end(place):
    """A span outside of the document is refused."""
    assert_complains(rag("show", "harbour.txt", "--at", "5:99999", cwd=place), "99999")


@pytest.mark.slow
def test_missing_path_and_empty_folder(place):
    """A path that does not exist and a folder without files are named."""
    (place / "empty").mkdir()
    assert_complains(rag("index", "nowhere", cwd=place), "nowhere", "does not exist")
    assert_complains(rag("index", "empty", cwd=place), "empty", "no files")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file(place):
    """A file without permission is reported as failed, the rest goes on."""
    secret = place / "docs" / "secret.txt"
    secret.write_text("Not for everybody.")
    secret.chmod(0)
    report = json.loads(rag("index", "docs", "--json", cwd=place).stdout)
    assert [Path(entry["path"]).name for entry in report["failed"]] == ["secret.txt"]
    assert rag("index", "docs", "--strict", cwd=place).returncode == 1


@pytest.mark.slow
def test_failed_file_and_strict(place):
    """A file that cannot be read is reported and does not stop the rest; `--strict` makes it an error."""
    os.mkfifo(place / "docs" / "pipe.txt")
    process = rag("index", "docs", "--json", cwd=place)
    report = json.loads(process.stdout)
    assert process.returncode == 0
    assert [Path(entry["path"]).name for entry in report["failed"]] == ["pipe.txt"]
    assert report["unchanged"] == 1
    assert rag("index", "docs", "--strict", cwd=place).returncode == 1


@pytest.mark.slow
def test_endless_question(place):
    """A question of 100 kB is refused in one line."""
    assert_complains(rag("ask", "x" * 100_000, cwd=place), "100000 characters")


@pytest.mark.slow
def test_other_model(place):
    """An index made with another encoder is named, with what to do."""
    assert_complains(rag("index", "docs", "--model", "all-MiniLM-L6-v2", cwd=place), "encoder hash", "--rebuild")
    assert_complains(rag("search", "crane", "--model", "all-MiniLM-L6-v2", cwd=place), "encoder hash", "--rebuild")


def test_unknown_model(tmp_path):
    """A model that cannot be loaded is one line."""
    (tmp_path / "x.txt").write_text("A text.")
    process = rag("index", "x.txt", "--model", "./no-such-model", cwd=tmp_path)
    assert_complains(process, "no-such-model")
    assert not (tmp_path / "index").exists()


@pytest.mark.slow
def test_failed_first_run_leaves_no_index(tmp_path):
    """A wrong path leaves nothing where nothing was, and of a folder that was there only what others put into it."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "mine.txt").write_text("A note.")
    (tmp_path / "empty").mkdir()
    for store in ("index", "own"):
        assert_complains(rag("index", "nowhere", "--model", "hash", cwd=tmp_path, store=store), "does not exist")
        assert_complains(rag("index", "empty", "--model", "hash", cwd=tmp_path, store=store), "no files")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "own"]
    assert [path.name for path in own.iterdir()] == ["mine.txt"]
    assert_complains(rag("status", cwd=tmp_path), "no index at index")


@pytest.mark.parametrize("arguments", [[], ["fly"], ["ask"], ["search", "x", "-k", "0"], ["show", "x", "--at", "3"]])
def test_wrong_usage(tmp_path, arguments):
    """Wrong usage exits 2."""
    assert rag(*arguments, cwd=tmp_path).returncode == 2


@pytest.mark.slow
def test_closed_pipe(place):
    """`rag show | head -1` ends without a traceback."""
    command = f"{sys.executable} -m rag show harbour.txt --store index | true"
    process = subprocess.run(command, shell=True, cwd=place, capture_output=True, text=True, check=False)
    assert process.stderr == ""


@pytest.mark.slow
def test_show_names_the_place_on_the_page(place):
    """Page and rectangles of a span of a PDF; without its file, the page alone."""
    from tests.load.test_pdf import two_columns

    path = place / "docs" / "floods.pdf"
    path.write_bytes(two_columns())
    assert rag("index", "docs", cwd=place).returncode == 0
    text = json.loads(rag("show", "floods.pdf", "--json", cwd=place).stdout)["text"]
    start = text.index("2.1 million")
    shown = rag("show", "floods.pdf", "--at", f"{start}:{start + 11}", "--json", cwd=place)
    found = json.loads(shown.stdout)
    assert found["at"]["text"] == "2.1 million"
    assert found["page"] == 2
    (box,) = found["rectangles"]
    assert set(box) == {"page", "x0", "y0", "x1", "y1"}
    assert box["page"] == 2
    path.unlink()
    gone = rag("show", "floods.pdf", "--at", "0:5", "--json", cwd=place)
    assert json.loads(gone.stdout)["rectangles"] == []
    assert "no such file" in gone.stderr


@pytest.mark.slow
def test_sides_follow_ups_and_as_of(place):
    """Two reports that differ are shown side by side, the newer first; as of a day before it there is one."""
    for name, day, tons in (("old", "2024-05-06", 412), ("new", "2024-05-13", 380)):
        text = f"Harbour\n\nPublished: {day}\n\nThe crane lifted {tons} tons on Monday.\n"
        (place / "docs" / f"{name}.txt").write_text(text)
    (place / "docs" / "harbour.txt").unlink()
    assert rag("index", "docs", cwd=place).returncode == 0
    asked = "How many tons did the crane lift on Monday?"
    lines = rag("ask", asked, cwd=place).stdout.splitlines()
    at = lines.index("Sources differ on “How many tons did the crane lift on Monday?”:")
    assert lines[at + 1].startswith("  2024-05-13, Harbour: The crane lifted 380 tons on Monday.")
    assert lines[at + 2].startswith("  2024-05-06, Harbour: The crane lifted 412 tons on Monday.")
    answer = json.loads(rag("ask", asked, "--as-of", "2024-05-10", "--json", cwd=place).stdout)
    assert [citation["date"] for citation in answer["citations"]] == ["2024-05-06"]
    assert answer["conflicts"] == []
    assert answer["citations"][0]["dates"][0]["date"] == "2024-05-06"
    process = rag("ask", "And on Tuesday?", "--after", asked, cwd=place)
    assert process.stdout.startswith("searched for: How many tons did the crane lift on Tuesday?\n")
    assert_complains(rag("search", asked, "--as-of", "soon", cwd=place), "cannot read the date")


@pytest.mark.slow
def test_filters_that_find_nothing(place):
    """A name of no document is an error; a refusal over a part of the documents says so, and search as well."""
    (place / "docs" / "school.txt").write_text("The school report.\n\nThe roof was mended in May.\n")
    assert rag("index", "docs", cwd=place).returncode == 0
    asked = "How many tons did the crane lift on Monday?"
    assert_complains(
        rag("ask", asked, "--where", "document=nosuch.txt", cwd=place), "document=nosuch.txt", "rag status"
    )
    assert_complains(rag("search", asked, "--where", "folder=.", cwd=place), "no document matches folder=.")
    said = "The search was limited to: document=school.txt."
    assert said in rag("ask", asked, "--where", "document=school.txt", cwd=place).stdout
    process = rag("ask", asked, "--where", "document=school.txt", "--json", cwd=place)
    answer = json.loads(process.stdout)
    assert (process.returncode, answer["abstained"]) == (0, True)
    assert answer["reason"].endswith(said)
    process = rag("search", asked, "--where", "speaker=Nobody", cwd=place)
    assert process.stdout == "nothing found where speaker=Nobody\n"
    assert "was limited" not in rag("ask", asked, "--where", "document=harbour.txt", cwd=place).stdout


@pytest.mark.slow
def test_documents_do_not_act_on_the_terminal(place):
    """Escape sequences and other control characters of a document or a file's name are shown as what they are."""
    hidden = "The bridge weighed \x1b[8m90\x1b[0m tons.\x07\x9b31m Twice.\n\nThe\tbridge stood\u202e."
    name = "bridge\x1b]0;owned\x07\u202egpj\u2066.txt"
    (place / "docs" / name).write_text(hidden, "utf-8")
    shown = [rag("index", "docs", cwd=place), rag("index", "docs", "--rebuild", cwd=place)]
    asked = "How many tons did the bridge weigh?"
    shown += [rag(*arguments, cwd=place) for arguments in (
        ("ask", asked), ("search", asked), ("status",), ("show", name), ("show", name, "--at", "4:10"),
        ("ask", asked, "--format", "text"), ("show", "\x1b[8m"), ("ask", asked, "--where", "document=\x1b[8m"),
    )]  # fmt: skip
    for process in shown:
        written = process.stdout + process.stderr
        assert not [char for char in written if not char.isprintable() and char not in "\n\t"], process.args
    assert "weighed \u241b[8m90\u241b[0m tons.\u2407\ufffd31m Twice." in shown[5].stdout
    assert "weighed [8m90[0m tons. [" in shown[2].stdout  # an answer leaves out what is not seen
    document = json.loads(rag("show", name, "--json", cwd=place).stdout)
    assert document["text"].strip() == hidden
    assert "The\tbridge stood\ufffd." in shown[5].stdout
    for command in (("status",), ("search", asked), ("show", name), ("verify",)):
        assert not re.search("[\x80-\x9f\u202e\u2066]", rag(*command, "--json", cwd=place).stdout), command


@pytest.mark.slow
def test_a_line_end_in_a_file_name_breaks_no_line(place):
    """Reports and lists have one line for each file; what would break it is shown."""
    (place / "docs" / "broken\nname\t.txt").write_bytes(os.urandom(3000))
    (place / "docs" / "two\nlines.txt").write_text("The pier is nine hundred steps long.\n")
    report = rag("index", "docs", cwd=place).stderr.splitlines()
    assert [line for line in report if "broken\u240aname\u2409.txt: " in line], report
    assert rag("status", cwd=place).stdout.splitlines()[-1].endswith("/two\u240alines.txt")
    asked = rag("ask", "How many steps long is the pier?", cwd=place).stdout.splitlines()
    assert asked[-1].endswith("/two\u240alines.txt")


@contextmanager
def to_be_interrupted(place: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command that gets the signal of Ctrl-C in the block, and must end by it."""
    heard = signal.signal(signal.SIGINT, signal.SIG_DFL)  # shells have background jobs ignore it, and children inherit
    command = [sys.executable, "-m", "rag", *arguments, "--store", "index", "--model", "hash"]
    process = subprocess.Popen(command, cwd=place, stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, heard)
    try:
        yield process
        process.wait(timeout=60)
        assert process.returncode == 130
    finally:
        process.kill()


def soon(holds: Callable[[], bool]) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def is_read(pipe: Path, ends: list[int]) -> bool:
    """Open the other end of a pipe, if somebody reads it, and keep it open."""
    try:
        ends.append(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:  # nobody does
        return False
    return True


@pytest.mark.slow
def test_interrupted_while_writing(place):
    """It is said that the index is as it was."""
    for number in range(1000):
        (place / "docs" / f"{number}.txt").write_text(f"The ferry {number} left at noon.\n" * 20)
    with to_be_interrupted(place, "index", "docs") as process:
        soon(lambda: f"process {process.pid} " in (place / "index" / "LOCK").read_text())
        process.send_signal(signal.SIGINT)
    complaint = process.communicate()[1]
    assert "rag: interrupted; the index is as it was, and the next rag index goes on" in complaint
    assert "harbour.txt" in rag("status", cwd=place).stdout
    assert "999.txt" not in rag("status", cwd=place).stdout


@pytest.mark.slow
def test_interrupted_while_reading(place):
    """Nothing is said of the index, which was not being written."""
    os.mkfifo(place / "questions.jsonl")
    with to_be_interrupted(place, "eval", "questions.jsonl") as process:
        ends: list[int] = []
        soon(lambda: is_read(place / "questions.jsonl", ends))  # and it waits for what never comes
        process.send_signal(signal.SIGINT)
        os.close(ends.pop())  # a signal right before it begins to wait is seen only when the wait ends
    assert process.communicate()[1].startswith("rag: interrupted\n")


def test_python_that_fails_inside_is_told_in_a_line(monkeypatch, capsys):
    """Without memory, Python may end the loading of a module with a SystemError."""

    def fails(*_: object, **__: object) -> None:
        raise SystemError("error return without exception set")

    monkeypatch.setattr(Library, "open", fails)
    assert main(["status"]) == 1
    assert capsys.readouterr().err == (
        "rag: Python failed inside: error return without exception set; "
        "free memory, or install Python and rag again if it stays so\n"
    )
