"""Files come, change, swap, move and go, in any order, and runs are killed: the index shows what a dictionary has.

`pytest -m soak` tries 1,000 histories.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rag.errors import IndexMissing, StoreError
from rag.library import Library
from rag.models.encoder import HashEmbedder
from tests.store.oracles import HALF, bm25_oracle, dense_oracle
from tests.store.system_calls import KILL, Call, needed, watched

pytestmark = [needed, pytest.mark.slow]

WORDS = "harbour crane bridge river mayor flood council budget Rotterdam İzmir 北京 school 2016 H-T-S".split()
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)
NAMES = st.sampled_from([f"{letter}.txt" for letter in "abcdefg"])
CALLS = 320  # that change files, in a run: some are killed at one of them


def run(root: str, folder: str, rebuild: bool, removed: str | None) -> None:
    """Index, or remove a document, in this process."""
    with Library.open(root, embedder=HashEmbedder(), reranker="none") as library:
        if removed:
            library.remove(removed)
        else:
            library.index(folder, rebuild=rebuild)


class History(RuleBasedStateMachine):
    """What the last run that came to its end saw is what the index shows."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.folder = self.root / "documents"
        self.folder.mkdir()
        self.indexed: dict[str, str] = {}
        self.open()

    def open(self) -> None:
        self.library = Library.open(self.root / "index", embedder=HashEmbedder(), reranker="none")

    def teardown(self) -> None:
        self.library.close()
        shutil.rmtree(self.root)

    def files(self) -> dict[str, str]:
        return {str(path): path.read_text("utf-8") for path in self.folder.iterdir()}

    def has_files(self) -> bool:
        return bool(self.indexed or list(self.folder.iterdir()))

    @rule(name=NAMES, text=TEXTS)
    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, "utf-8")

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)

    @rule(one=NAMES, other=NAMES)
    def rename(self, one: str, other: str) -> None:
        if (self.folder / one).exists():
            (self.folder / one).rename(self.folder / other)

    @rule(one=NAMES, other=NAMES)
    def swap(self, one: str, other: str) -> None:
        a, b = self.folder / one, self.folder / other
        if a.exists() and b.exists():
            a_text, b_text = a.read_text("utf-8"), b.read_text("utf-8")
            a.write_text(b_text, "utf-8")
            b.write_text(a_text, "utf-8")

    @precondition(has_files)
    @rule(rebuild=st.booleans())
    def index(self, rebuild: bool) -> None:
        files = self.files()
        report = self.library.index(self.folder, rebuild=rebuild)
        changed = {uri for uri in files if self.indexed.get(uri) != files[uri]}
        assert report.count("added") == len(files.keys() - self.indexed.keys())
        assert report.count("removed") == len(self.indexed.keys() - files.keys())
        if not rebuild:
            assert report.count("updated") == len(changed & self.indexed.keys())
            assert report.embedded <= len({files[uri] for uri in changed})
        self.indexed = files

    @precondition(lambda self: bool(self.indexed))
    @rule(choice=st.integers(0, 100))
    def remove(self, choice: int) -> None:
        uri = sorted(self.indexed)[choice % len(self.indexed)]
        self.library.remove(uri)
        del self.indexed[uri]

    @precondition(has_files)
    @rule(last=st.integers(0, CALLS), what=st.sampled_from(["index", "rebuild", "remove"]))
    def crash(self, last: int, what: str) -> None:
        removed = min(self.indexed) if what == "remove" and self.indexed else None
        after = {uri: text for uri, text in self.indexed.items() if uri != removed} if removed else self.files()
        calls = 0

        def decide(call: Call) -> int:
            nonlocal calls
            calls += call.changes
            return KILL if calls > last else 0

        root = self.root / "index"
        code = watched(root, decide, run, str(root), str(self.folder), what == "rebuild", removed)
        seen = self.seen()
        assert seen in ((after,) if code == 0 else (self.indexed, after))
        self.indexed = seen

    @rule()
    def reopen(self) -> None:
        self.library.close()
        self.open()

    @precondition(lambda self: bool(self.indexed))
    @rule(question=TEXTS, k=st.integers(1, 20))
    def search(self, question: str, k: int) -> None:
        query = HashEmbedder().embed_query(question)
        with self.library.store.snapshot() as snapshot:
            dense, lexical = snapshot.dense(query, k), snapshot.lexical(question, k)
        oracle = dense_oracle(self.library, question)
        assert np.allclose([found.score for found in dense], [score for _, score in oracle[:k]], atol=HALF)
        assert all(abs(dict(oracle)[found.id] - found.score) < HALF for found in dense)
        bm25 = bm25_oracle(self.library, question)
        assert len(lexical) == min(k, len(bm25))
        assert {found.id for found in lexical} <= bm25.keys()

    def seen(self) -> dict[str, str]:
        try:
            texts = {info.uri: self.library.document(info.uri).text for info in self.library.documents()}
        except IndexMissing:
            return {}
        except StoreError as error:  # of an index that was only just begun
            assert "left half written by a stopped run" in str(error)  # noqa: PT017
            return {}
        assert self.library.verify() == []
        return texts

    @invariant()
    def shows_what_was_indexed(self) -> None:
        assert self.seen() == self.indexed


class ManyHistories(History):
    """The same, for the long run."""


LASTING = settings(stateful_step_count=20, suppress_health_check=list(HealthCheck))
History.TestCase.settings = settings(LASTING, max_examples=10)
ManyHistories.TestCase.settings = settings(LASTING, max_examples=1000)
TestHistory = History.TestCase
TestManyHistories = pytest.mark.timeout(4 * 3600)(pytest.mark.soak(ManyHistories.TestCase))
