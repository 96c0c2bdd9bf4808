"""The one class that ties it together: open, index, search, ask."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from rag.answer import ExtractiveAnswerer, OverlapScorer
from rag.embed import DEFAULT_MODEL
from rag.embed import embedder as embedder_named
from rag.engine import open_store
from rag.errors import DocumentUnknown, FormatMismatch, IndexCorrupt, InputError
from rag.progress import Progress, silent
from rag.retrieve import Retriever
from rag.store import Changes, Outcome, SyncReport
from rag.sync import Sync

if TYPE_CHECKING:
    from typing import Self

    from rag.answer import Answerer
    from rag.embed import Embedder
    from rag.local import LocalStore
    from rag.records import Answer, Document, Hit
    from rag.rerank import Reranker
    from rag.store import DocumentInfo, Status
    from rag.where import Filter


class Library:
    """An index and all that can be done with it. Safe to use from several threads; one of them may write.

    Args:
        store: the engine.
        embedder: the encoder; without it, the one that the index was made with, or the default for a new one.
        answerer: turns passages into an answer; without it, the extractive one.
        reranker: reads the best passages once more, together with the question; without it, none does.
    """

    def __init__(
        self,
        store: LocalStore,
        embedder: Embedder | None = None,
        answerer: Answerer | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        self.store = store
        self._embedder = embedder
        self.retriever = Retriever(store, embedder, reranker=reranker)
        self.answerer: Answerer = answerer or ExtractiveAnswerer(OverlapScorer(self.retriever))

    @classmethod
    def open(
        cls,
        store: str | Path = "index",
        *,
        embedder: Embedder | None = None,
        answerer: Answerer | None = None,
        reranker: Reranker | None = None,
    ) -> Self:
        """Open the index at a path, which need not exist yet."""
        return cls(open_store(store), embedder, answerer, reranker)

    def close(self) -> None:
        """Let go of the index."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # changing it

    def index(self, *paths: str | Path, rebuild: bool = False, progress: Progress = silent) -> SyncReport:
        """Bring the index level with files and folders: add, update, and remove what vanished from a folder.

        Args:
            paths: files and folders.
            rebuild: make everything anew, with this library's encoder; documents outside of `paths` are kept.
            progress: called with (stage, done, total).

        Raises:
            InputError: no path, or one that does not exist.
            IndexLocked: another process is writing.
            ModelMismatch: the index was made with another encoder, and this is no rebuild.
        """
        if not paths:
            raise InputError("nothing to index; name files or folders, as in: rag index data")
        try:
            return self._sync([Path(path) for path in paths], progress, rebuild=rebuild)
        except (IndexCorrupt, FormatMismatch):
            if not rebuild:
                raise
            self.store.set_aside()
            return self._sync([Path(path) for path in paths], progress, rebuild=True)

    def add(self, *files: str | Path, progress: Progress = silent) -> SyncReport:
        """Copy files into the index's own folder `files` and index them; a file of the same name is replaced."""
        folder = self.store.root / "files"
        folder.mkdir(parents=True, exist_ok=True)
        copies = [Path(shutil.copyfile(file, folder / Path(file).name)) for file in files]
        report = self.index(*copies, progress=progress)
        for outcome in (*report.of("skipped"), *report.of("failed")):
            Path(outcome.path).unlink(missing_ok=True)  # or it would be tried again for ever
        return report

    def remove(self, *documents: str) -> SyncReport:
        """Forget documents, by URI or by a file name that only one of them has; raises `DocumentUnknown`."""
        uris = [self.document(name).uri for name in documents]
        with self.store.writer() as writer:
            recipe = writer.recipe
            if recipe is not None:
                writer.apply(Changes(removals=uris), recipe)
            passages = writer.passage_count()
        for uri in uris:
            if Path(uri).parent == (self.store.root / "files").absolute():
                Path(uri).unlink(missing_ok=True)
        return SyncReport(tuple(Outcome(uri, "removed") for uri in uris), passages=passages)

    def _sync(self, paths: list[Path], progress: Progress, *, rebuild: bool) -> SyncReport:
        with self.store.writer() as writer:
            encoder = self._embedder or embedder_named(writer.recipe.model if writer.recipe else DEFAULT_MODEL)
            return Sync(writer, encoder, self.store.root, progress, rebuild).files(paths)

    # asking it

    def search(self, question: str, k: int = 10, where: Filter | None = None) -> list[Hit]:
        """Return the `k` best passages that `where` admits, best first; raises what `Retriever.retrieve` raises."""
        return self.retriever.retrieve(question, k, where)

    def ask(self, question: str, k: int = 8, where: Filter | None = None) -> Answer:
        """Answer from the `k` best passages, or refuse; raises what `Retriever.retrieve` raises."""
        return self.answerer.answer(question, self.search(question, k, where))

    def warm(self) -> None:
        """Load the models now, so that the first question does not wait for them."""
        if self.store.recipe is not None:
            self.ask("warm up")

    # looking at it

    def documents(self) -> list[DocumentInfo]:
        """List all documents by URI; raises `IndexMissing`."""
        with self.store.snapshot() as snapshot:
            return snapshot.documents()

    def document(self, name: str) -> Document:
        """Return a document by its URI or by the end of its path, when only one ends so.

        Raises:
            DocumentUnknown: there is none, or several.
            IndexMissing: there is no index.
        """
        with self.store.snapshot() as snapshot:
            uris = [info.uri for info in snapshot.documents()]
            ending = "/" + name.removeprefix("./").lstrip("/")
            found = [name] if name in uris else [uri for uri in uris if uri.endswith(ending)]
            if not found:
                raise DocumentUnknown(f"no document {name} in the index; rag status lists them")
            if len(found) > 1:
                raise DocumentUnknown(f"{len(found)} documents are called {name}; say which: {', '.join(found)}")
            return snapshot.document(found[0])

    def status(self) -> Status:
        """Count what is there; raises `IndexMissing`."""
        return self.store.status()

    def verify(self) -> list[str]:
        """Check everything again; each entry names one damage, none means sound."""
        return self.store.verify()
