"""Indexes of earlier formats, as the programs of their time wrote them: opened, taken over, or refused with what to do.

Each in tests/data holds two documents of a folder /papers and, from format 2 on, a conversation with a verdict.
"""

from __future__ import annotations

import signal
import tarfile
from pathlib import Path

import pytest

from rag.chunk import Chunker
from rag.errors import FormatMismatch, StoreError
from rag.library import Library
from rag.models.encoder import HashEmbedder
from rag.store.history import History
from rag.store.local.connection import FORMAT
from rag.store.local.migration import OLD
from tests.conftest import ROOT
from tests.store.system_calls import KILL, Call, needed, watched

PAPERS = ["/papers/harbour.txt", "/papers/minutes.md"]
HARBOUR = "Harbour report\n\nThe crane lifted 412 tons on Monday. The office closed the harbour at noon.\n"
FORMATS = range(1, FORMAT + 1)


def unpacked(number: int, place: Path) -> Path:
    with tarfile.open(ROOT / "tests" / "data" / f"index-format-{number}.tar.xz") as archive:
        archive.extractall(place, filter="data")
    return place / "index"


THEN = property(lambda _: "sentences-9 max=200")
"""How passages were made by those programs: other passages would ask for a rebuild, which is not what is tried here."""


@pytest.fixture(autouse=True)
def passages_as_then(monkeypatch):
    monkeypatch.setattr(Chunker, "settings", THEN)


def opened(root: Path) -> Library:
    return Library.open(root, embedder=HashEmbedder(), reranker="none")


@pytest.fixture
def folder(tmp_path):
    """A folder with one more document."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "pier.txt").write_text("The pier is nine hundred steps long.\n")
    return tmp_path / "more"


def shows_all(library: Library, *more: str) -> bool:
    """Whether everything is as it was written, and found."""
    assert sorted(info.uri for info in library.documents()) == sorted([*PAPERS, *more])
    assert library.document(PAPERS[0]).text == HARBOUR
    assert library.search("How many tons did the crane lift?")[0].passage.uri == PAPERS[0]
    return library.verify() == []


def test_the_present_format_opens(tmp_path, folder):
    with opened(unpacked(FORMAT, tmp_path)) as library:
        assert shows_all(library)
        assert library.index(folder).embedded == 1
        assert shows_all(library, str(folder / "pier.txt"))
        noted = {info.uri: bool(info.added) for info in library.documents()}
    assert noted == {**dict.fromkeys(PAPERS, False), str(folder / "pier.txt"): True}  # of those before, nobody knows


@pytest.mark.parametrize("number", FORMATS[:-1])
def test_an_earlier_format_is_not_read_and_says_what_to_do(tmp_path, number):
    with opened(unpacked(number, tmp_path)) as library:
        for read in (library.documents, library.verify, lambda: library.search("crane")):
            with pytest.raises(
                FormatMismatch,
                match=f"format {number}, this program needs {FORMAT}; rebuild it with: ",
            ):
                read()


@pytest.mark.parametrize("number", OLD)
def test_the_formats_before_are_taken_over(tmp_path, folder, number):
    with opened(unpacked(number, tmp_path)) as library:
        assert library.index(folder).embedded == 1  # nothing is embedded again
        assert shows_all(library, str(folder / "pier.txt"))


@pytest.mark.parametrize("number", OLD)
def test_a_rebuild_takes_over_what_it_can(tmp_path, folder, number, monkeypatch):
    """With passages as they are made now, as for whoever does what the message says."""
    monkeypatch.undo()
    with opened(unpacked(number, tmp_path)) as library:
        with pytest.raises(FormatMismatch, match="rag index --rebuild FOLDER"):
            library.documents()
        report = library.index(folder, rebuild=True)
        assert report.of("failed") == []
        assert report.embedded == 1  # of the texts that are the same, the vectors are kept
        assert shows_all(library, str(folder / "pier.txt"))  # also those whose files are gone


@pytest.mark.parametrize("number", range(1, OLD[0]))
def test_older_formats_are_rebuilt_and_kept(tmp_path, folder, number):
    root = unpacked(number, tmp_path)
    old = (root / "catalog.db").read_bytes()
    with opened(root) as library:
        with pytest.raises(FormatMismatch, match="--rebuild"):
            library.index(folder)
        report = library.index(folder, rebuild=True)
        assert sorted(outcome.path for outcome in report.of("failed")) == PAPERS  # which this machine does not have
        assert all("catalog.db.damaged-1" in outcome.reason for outcome in report.of("failed"))
        assert library.verify() == []
    assert (root / "catalog.db.damaged-1").read_bytes() == old


@pytest.mark.parametrize("number", FORMATS[1:])
def test_conversations_of_every_format_are_kept(tmp_path, number):
    history = History(unpacked(number, tmp_path) / "history.db")
    (conversation,) = history.conversations()
    assert conversation.title == "How many tons did the crane lift?"
    assert [turn.verdict for turn in history.turns(conversation.id)] == ["helpful"]
    assert history.damages() == []


def take_over(root: str, folder: str) -> None:
    setattr(Chunker, "settings", THEN)  # noqa: B010 - in a process of its own
    with opened(Path(root)) as library:
        library.index(folder)


@needed
@pytest.mark.slow
@pytest.mark.parametrize("number", OLD)
def test_a_kill_while_it_is_taken_over(tmp_path, folder, number):
    """At calls all over the run: what is there is the old format, or all of it in the new one."""
    last, code = 0, None
    while code != 0:
        root = unpacked(number, tmp_path / str(last))
        calls = 0

        def decide(call: Call) -> int:
            nonlocal calls
            calls += call.changes
            return KILL if calls > last else 0  # noqa: B023 - of this round

        code = watched(root, decide, take_over, str(root), str(folder))
        assert code in {0, -signal.SIGKILL}
        with opened(root) as library:
            try:
                assert shows_all(library, *(info.uri for info in library.documents() if info.uri not in PAPERS))
            except FormatMismatch:
                pass
            except StoreError as error:
                assert "left half written by a stopped run" in str(error)  # noqa: PT017
            library.index(folder)
            assert shows_all(library, str(folder / "pier.txt"))
        last += 29
    assert last > 100
