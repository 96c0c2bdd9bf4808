"""What the latest runs did is kept with the index, whoever made them; changes of one process take turns."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from rag.app.cli import main
from rag.errors import IndexCorrupt
from rag.library import Library
from rag.models.encoder import HashEmbedder
from rag.records import Outcome, SyncReport
from rag.records.runs import MOST_OUTCOMES, MOST_RUNS, Journal


@pytest.fixture
def docs(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "crane.txt").write_text("The crane fell into the river.")
    (folder / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


def latest(library):
    """Return what each run did, by file name."""
    return [
        {outcome.path.rpartition("/")[2]: outcome.state for outcome in run.outcomes}
        for run in library.store.journal().runs
    ]


def test_every_kind_of_run_is_noted(library, docs, tmp_path):
    library.index(docs)
    (docs / "crane.txt").write_text("The crane was mended.")
    library.index(docs)
    library.add(docs / "crane.txt")
    library.remove(str(docs / "crane.txt"))
    assert latest(library) == [
        {"crane.txt": "removed"},
        {"crane.txt": "added"},
        {"photo.png": "skipped", "crane.txt": "updated"},
        {"photo.png": "skipped", "crane.txt": "added"},
    ]
    assert [dict(run.counts) for run in library.store.journal().runs][-1] == {"skipped": 1, "added": 1}
    ended = datetime.fromisoformat(library.store.journal().runs[0].ended)
    assert timedelta(seconds=-1) <= datetime.now(UTC) - ended < timedelta(minutes=1)


def test_runs_of_other_processes_are_seen(docs, tmp_path):
    """As those of the command line are: through the file."""
    with Library.open(tmp_path / "index", embedder=HashEmbedder()) as page:
        assert page.store.journal().runs == ()
        assert main(["index", str(docs / "crane.txt"), "--model", "hash", "--store", str(tmp_path / "index")]) == 0
        assert latest(page) == [{"crane.txt": "added"}]
        assert page.roots() == [str(docs / "crane.txt")]


def test_a_run_that_changes_nothing_is_not_noted(library, docs):
    (docs / "photo.png").unlink()
    library.index(docs)
    before = library.store.journal()
    library.index(docs)
    assert library.store.journal() == before


def test_an_index_from_before_the_journal_opens(library, docs):
    library.index(docs)
    with closing(sqlite3.connect(library.store.root / "catalog.db")) as db, db:
        db.execute("DELETE FROM meta WHERE key = 'journal'")
    (library.store.root / "catalog.seal").unlink()  # which came later
    assert library.store.journal().runs == ()
    assert library.roots() == []
    library.index(docs)
    assert library.roots() == [str(docs)]


def test_a_damaged_journal_is_named(library, docs):
    library.index(docs)
    with closing(sqlite3.connect(library.store.root / "catalog.db")) as db, db:
        db.execute("UPDATE meta SET value = '{' WHERE key = 'journal'")
    with pytest.raises(IndexCorrupt, match="the journal is damaged"):
        library.store.journal()


def test_roots_are_the_outermost_ones(library, docs, tmp_path):
    (docs / "deep").mkdir()
    (docs / "deep" / "bridge.txt").write_text("The bridge stood.")
    (tmp_path / "docs2").mkdir()
    (tmp_path / "docs2" / "gate.txt").write_text("The gate was shut.")
    library.index(docs / "deep")
    library.index(docs, tmp_path / "docs2")
    assert library.roots() == [str(docs), str(tmp_path / "docs2")]


def test_the_journal_stays_short():
    """The oldest runs go; of a large one what failed is named first; the same thing again is one entry."""
    journal = Journal()
    for number in range(MOST_RUNS + 5):
        journal = journal.noted(SyncReport((Outcome(f"/{number}.txt", "added"),)))
    assert [run.outcomes[0].path for run in journal.runs] == [f"/{n}.txt" for n in range(MOST_RUNS + 4, 4, -1)]
    large = (*(Outcome(f"/{n}.txt", "added") for n in range(99)), Outcome("/bad.pdf", "failed", "it is damaged"))
    journal = journal.noted(SyncReport(large)).noted(SyncReport(large))
    assert journal.runs[0].counts == {"failed": 1, "added": 99}
    assert [outcome.path for outcome in journal.runs[0].outcomes][:2] == ["/bad.pdf", "/0.txt"]
    assert len(journal.runs[0].outcomes) == MOST_OUTCOMES
    assert journal.runs[1].outcomes[0].path == f"/{MOST_RUNS + 4}.txt"
    assert Journal.from_json(journal.to_json()) == journal


def test_changes_of_several_threads_take_turns(library, tmp_path):
    """Nobody is told that the index is being written."""
    files = [tmp_path / f"{number}.txt" for number in range(8)]
    errors = []

    def add(file):
        try:
            library.add(file)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test fails by it
            errors.append(error)

    for number, file in enumerate(files):
        file.write_text(f"The crane numbered {number} fell.")
    threads = [threading.Thread(target=add, args=(file,)) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert {info.name for info in library.documents()} == {file.name for file in files}
