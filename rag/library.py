"""The one class that ties it together: open, index, search, ask."""

from __future__ import annotations

import logging
import threading
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rag.answer import Answerer, Question, answers, explained, only_speaker, readings
from rag.answer.extractive import ExtractiveAnswerer
from rag.answer.scorer import scorer
from rag.errors import DocumentUnknown, IndexCorrupt, IndexMissing, InputError, RagError
from rag.models.encoder import DEFAULT_MODEL
from rag.models.encoder import embedder as embedder_named
from rag.records import Outcome, Progress, SyncReport, never, silent
from rag.records.filters import is_called
from rag.records.index import Changes, found_by_words
from rag.retrieve import Retriever, check_question

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from typing import Self

    from rag.load.pool import Pool
    from rag.models.encoder import Embedder
    from rag.models.reader import Reader
    from rag.models.reranker import Reranker
    from rag.records import Answer, Document, Filter, Hit
    from rag.records.index import DocumentInfo, Status
    from rag.store.history import History
    from rag.store.protocol import SetAside, Store, StoreWriter
    from rag.sync import Sync

_log = logging.getLogger("rag")


class Library:
    """An index and all that can be done with it. Safe to use from several threads; those that change it take turns.

    Args:
        store: the engine.
        embedder: the encoder; without it, the one that the index was made with, or the default for a new one.
        answerer: turns passages into an answer; without it, the extractive one; `llm` for the LLM that is set up, or
            one found on this machine (see `rag.answer.write.choice.chosen`).
        reranker: as of `Retriever`.
        reader: finds the answers for the extractive answerer: None for the package's own, a transformers model for
            question answering by name or path, or `none` to go by words and meaning alone.
    """

    def __init__(
        self,
        store: Store,
        embedder: Embedder | None = None,
        answerer: Answerer | Literal["llm"] | None = None,
        reranker: Reranker | str | None = None,
        reader: Reader | str | None = None,
    ) -> None:
        self.store = store
        self._embedder = embedder
        self._pool: Pool | None = None
        self._turn = threading.Lock()
        self.retriever = Retriever(store, embedder, reranker)
        self._scorer = scorer(self.retriever, reader)
        self._quoting = ExtractiveAnswerer(self._scorer)
        self._english_only = reader is None
        self.answerer: Answerer = self._writing() if answerer == "llm" else answerer or self._quoting

    @classmethod
    def open(
        cls,
        store: str | Path = "index",
        *,
        embedder: Embedder | None = None,
        answerer: Answerer | Literal["llm"] | None = None,
        reranker: Reranker | str | None = None,
        reader: Reader | str | None = None,
    ) -> Self:
        """Open the index at a path or URL (see `rag.store.open_store`), which need not exist yet."""
        from rag.store import open_store

        return cls(open_store(store), embedder, answerer, reranker, reader)

    def _writing(self) -> Answerer:
        from rag.answer.write import llm_answerer
        from rag.answer.write.choice import chosen

        return llm_answerer(self.retriever, chosen(), self._quoting)

    def close(self) -> None:
        """Let go of the index."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def index(
        self,
        *paths: str | Path,
        rebuild: bool = False,
        changed: Collection[str | Path] | None = None,
        progress: Progress = silent,
        workers: int | str | None = None,
        until: Callable[[], bool] = never,
    ) -> SyncReport:
        """Bring the index level with files and folders: add, update, and remove what vanished from a folder.

        With `changed`, only these files and folders below `paths` are looked at. `rebuild` makes everything anew, with
        this library's encoder; documents outside of `paths` are kept, but for a damaged catalog: then those that it
        still names and `paths` do not hold are reported as failed. `progress` is called with (stage, done, total).
        `workers` is a number of processes, `ray` or `ray://HOST:PORT`. Texts can be searched by their words as soon as
        they are read; their vectors, and those that an earlier run was stopped before, are published behind them. That
        ends earlier when `until`, asked between batches, says so: the next run goes on with it.
        Raises `InputError` for no path, or one that does not exist, `IndexLocked` while another process is writing, and
        `ModelMismatch` when the index was made with another encoder, and this is no rebuild.
        """
        from rag.sync.walk import escaped, uri_of  # all loaders come with it, which a question does not need

        if not paths:
            raise InputError("nothing to index; name files or folders, as in: rag index data")
        with self._turn:
            aside = self.store.set_aside_if_damaged() if rebuild else None
            wanted = [Path(path) for path in paths]
            roots = [escaped(uri_of(path)) for path in wanted]
            if aside and self.files.is_dir():
                wanted.append(self.files)
            with self.store.writer() as writer, self._synced(writer, progress, rebuild, workers) as sync:
                report = sync.files(wanted, changed)
                if aside:
                    report = replace(report, outcomes=(*report.outcomes, *_lost(aside, report)))
                writer.note(report, roots)
                return sync.filled(report, until)

    @contextmanager
    def readers_kept(self) -> Iterator[None]:
        """Keep the processes that read files, for many small runs one after the other."""
        from rag.load.pool import Pool

        with Pool() as pool:
            self._pool = pool
            try:
                yield
            finally:
                with self._turn:  # a run of another thread may be using it
                    self._pool = None

    def add(self, *files: str | Path, progress: Progress = silent) -> SyncReport:
        """Copy files into the index's own folder `files` and index them; a file of the same name is replaced.

        A file that cannot be read as a document is reported and not copied. Nothing is copied
        where this raises `InputError` (one is no file) or `IndexLocked` (another process is writing).
        """
        from rag.sync.uploads import check_files, copied

        check_files(files)
        with self._turn, self.store.writer() as writer:
            copies, refused = copied(files, self.files)
            try:
                with self._synced(writer, progress) as sync:
                    report = sync.files(copies) if copies else SyncReport()
                    report = replace(report, outcomes=(*report.outcomes, *refused))
                    writer.note(report)
                    return sync.filled(report)
            except RagError:  # given up in the middle
                self._delete_unread(copies)
                raise

    def _delete_unread(self, copies: Sequence[Path]) -> None:
        """Delete those copies that the index did not get to: nothing else would ever take them in."""
        try:
            known = {info.uri for info in self.documents()}
        except IndexMissing:
            known = set()
        for copy in copies:
            if str(copy) not in known and not any(uri.startswith(f"{copy}/") for uri in known):
                copy.unlink(missing_ok=True)

    def remove(self, *documents: str) -> SyncReport:
        """Forget documents, by URI or by a file name that only one of them has; raises `DocumentUnknown`."""
        from rag.sync.uploads import delete_copy
        from rag.sync.walk import uri_of

        uris = list(dict.fromkeys(self.document(name).uri for name in documents))
        with self._turn, self.store.writer() as writer:
            for uri in uris:  # first, and while nobody can add a file of the same name: else a kill leaves it for ever
                if Path(uri).parent == Path(uri_of(self.files)):
                    delete_copy(Path(uri))
            if writer.recipe is not None:
                writer.apply(Changes(removals=uris), writer.recipe)
            report = SyncReport(tuple(Outcome(uri, "removed") for uri in uris), passages=writer.passage_count())
            writer.note(report)
        return report

    @property
    def root(self) -> Path:
        """The folder on this machine for what is not in the index itself: conversations, added files."""
        return self.store.root

    @property
    def files(self) -> Path:
        """The index's own folder for files that were added."""
        return self.store.root / "files"

    @contextmanager
    def _synced(
        self, writer: StoreWriter, progress: Progress, rebuild: bool = False, workers: int | str | None = None
    ) -> Iterator[Sync]:
        from rag.sync import Sync, workers_named
        from rag.sync.workers import Here

        encoder = self._embedder or embedder_named(writer.recipe.model if writer.recipe else DEFAULT_MODEL)
        with Here(encoder, self._pool) if workers is None else workers_named(workers, encoder) as those:
            yield Sync(writer, encoder, self.store.root, progress, rebuild, those)

    def search(self, question: str, k: int = 10, where: Filter | None = None) -> list[Hit]:
        """Return the `k` best passages that `where` admits, best first; raises what `Retriever.retrieve` raises."""
        return self.retriever.retrieve(question, k, where)

    def ask(
        self, question: str, k: int = 12, where: Filter | None = None, history: Sequence[Answer | str] = ()
    ) -> Answer:
        """Answer from the `k` best passages that `where` admits, or refuse; raises what `Retriever.retrieve` raises.

        The question may lean on those of `history`, answers or mere questions, oldest first (`And in Aleppo?`);
        `Answer.searched_for` then says what was meant.
        """
        return deque(self.ask_stream(question, k, where, history), maxlen=1)[0]

    def ask_stream(
        self,
        question: str,
        k: int = 12,
        where: Filter | None = None,
        history: Sequence[Answer | str] = (),
        answerer: Answerer | None = None,
    ) -> Iterator[Answer]:
        """Yield what `ask` returns as it grows, each sentence checked before it comes; the last one counts.

        `answerer` is another one than the library's own; one that gives its answer at once yields it alone.
        """
        check_question(question)
        who = answerer or self.answerer

        def search(text: str) -> list[Hit]:
            return only_speaker(self.retriever.to_read(text, k, where), where)

        english_only, lacks = self._english_only and who is self._quoting, self.found_by_words()
        meant = [Question.parse(reading) for reading in readings(question, history)]
        for answer in answers(search, who, meant, question, history, where):
            yield explained(answer, question, where, english_only=english_only, lacks=lacks)

    def warm(self, *, wait: bool = True) -> None:
        """Load the models and open the index before the first question; without `wait`, while somebody types it."""
        if not wait:
            threading.Thread(target=self._warm_quietly, name="rag-warm", daemon=True).start()
        elif self.store.recipe is not None:
            self.retriever.warm()
            self._scorer.warm()

    def _warm_quietly(self) -> None:
        try:
            self.warm()
        except RagError as error:  # the first question will say it to the person
            _log.warning("%s", error)

    def found_by_words(self) -> str:
        """Say how many passages only their words find so far; empty where all have vectors. Raises `IndexMissing`."""
        with self.store.snapshot() as snapshot:
            return found_by_words(snapshot.waiting(), snapshot.passage_count())

    def documents(self) -> list[DocumentInfo]:
        """List all documents by URI; raises `IndexMissing`."""
        with self.store.snapshot() as snapshot:
            return snapshot.documents()

    def document(self, name: str) -> Document:
        """Return a document by its URI or by the end of its path, when only one ends so; raises `DocumentUnknown`."""
        with self.store.snapshot() as snapshot:
            with suppress(DocumentUnknown):
                return snapshot.document(name)
            found = [uri for uri in snapshot.uris() if is_called(uri, name)]
            if not found:
                raise DocumentUnknown(f"no document {name} in the index; rag status lists them")
            if len(found) > 1:
                raise DocumentUnknown(f"{len(found)} documents are called {name}; say which: {', '.join(found)}")
            return snapshot.document(found[0])

    def status(self) -> Status:
        """Count what is there; raises `IndexMissing`."""
        return self.store.status()

    def roots(self) -> list[str]:
        """Return the folders that `index` was given, and the files that are documents, none inside of another.

        A folder whose only document was removed still is one: what comes into it is new.
        """
        if self.store.recipe is None:
            return []
        with self.store.snapshot() as snapshot:
            known = [f"{uri}/" for uri in snapshot.uris()]
        roots = self.store.journal().roots
        held = (root for root in roots if any(uri.startswith(f"{root.rstrip('/')}/") for uri in known))
        return sorted({*held, *(root for root in roots if Path(root).is_dir())})

    def verify(self) -> list[str]:
        """Check everything again, kept conversations as well; each entry names one damage, none means sound."""
        return [*self.store.verify(), *self.history().damages()]

    def repair(self) -> list[str]:
        """Make anew what is derived and forget damaged conversations, of which a copy is kept; return what is left.

        The catalog cannot be mended but by `index` with `rebuild`: its damage is left.
        """
        if self.verify():
            self.history().repair()
            with suppress(IndexCorrupt), self._turn, self.store.writer():
                pass  # a writer begins by making derived files anew
        return self.verify()

    def history(self) -> History:
        """Return the conversations that are kept beside the index."""
        from rag.store.history import History

        return History(self.root / "history.db")


def _lost(aside: SetAside, report: SyncReport) -> list[Outcome]:
    seen = {outcome.path for outcome in report.outcomes}
    reason = f"was in the damaged catalog, which is kept as {aside.file.name}, and is in none of these paths; index it"
    return [Outcome(uri, "failed", reason) for uri in aside.documents if uri not in seen]
