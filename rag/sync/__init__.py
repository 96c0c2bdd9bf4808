"""Brings an index level with files: what is new is added, what changed replaced, what vanished removed.

A file has changed when its bytes have (SHA-256), whatever its times say; it is known by its path. Only texts whose
vector is not stored yet are embedded, and each batch of vectors is kept at once, so that an interrupted run goes on
where it stopped. Publishing is one step at the end: `Writer.apply`.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rag.chunk import Chunker
from rag.errors import InputError, LoadError, ModelMismatch, Skipped
from rag.language.terms import ANALYSIS
from rag.load import read
from rag.load.archive import is_archive, members
from rag.load.pool import Pool
from rag.models.encoder import embed_with_words
from rag.records import Outcome, Progress, SyncReport, silent
from rag.records.index import Changes, Recipe
from rag.sync.walk import escaped, uri_of, walk, walk_changed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from rag.models.encoder import Embedder
    from rag.records import Document, Passage, State
    from rag.store.local import LocalWriter
    from rag.sync.walk import Walk

_READ_AHEAD = 4  # files for each worker that are read before their turn
EMBED_BATCH = 64  # passages whose vectors are kept at once: what a kill costs at most, and a step of the bar


@dataclass(slots=True)
class _Plan:
    """What a run will publish (`upserts`, `removals`) and report; `known` is the digest of each document by URI."""

    chunker: Chunker
    known: Mapping[str, str]
    upserts: list[tuple[Document, list[Passage]]] = field(default_factory=list)
    removals: list[str] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    def take(self, document: Document) -> None:
        """Cut a document that is to be published."""
        self.upserts.append((document, self.chunker.passages(document)))

    def take_read(self, uri: str, reading: Future[Document]) -> None:
        """Wait for a file's document and note what became of it."""
        try:
            document = reading.result()
        except LoadError as error:
            self.report(error, uri)
        else:
            self.take(document)
            state: State = "updated" if uri in self.known else "added"
            self.outcomes.append(Outcome(uri, state, "; ".join(document.notes), document.aside))

    def report(self, error: LoadError, uri: str) -> None:
        """Note a file that gave no document."""
        skipped = isinstance(error, Skipped)
        kept = "; its earlier version is kept" if uri in self.known and not skipped else ""
        reason = str(error).removeprefix(f"{uri}: ")
        self.outcomes.append(Outcome(uri, "skipped" if skipped else "failed", reason + kept))

    def remove_skipped(self) -> None:
        """Forget what is known of files that are skipped now, and say so: it is no longer what the file says."""
        for place, outcome in enumerate(self.outcomes):
            if outcome.state == "skipped" and outcome.path in self.known:
                self.removals.append(outcome.path)
                reason = f"{outcome.reason}; its earlier version was removed"
                self.outcomes[place] = replace(outcome, reason=reason)

    def remove_vanished(self, found: Walk) -> None:
        """Forget what was looked for and not found, and say why."""
        for uri in found.vanished(self.known, {outcome.path for outcome in self.outcomes}):
            self.removals.append(uri)
            ignoring = found.ignoring(uri)
            gone = (
                Outcome(uri, "skipped", f"removed: {ignoring} leaves it out") if ignoring else Outcome(uri, "removed")
            )
            self.outcomes.append(gone)

    def renamed(self) -> tuple[tuple[str, str], ...]:
        """Pair removed and added documents of the same bytes."""
        old: dict[str, list[str]] = {}
        for uri in self.removals:
            old.setdefault(self.known[uri], []).append(uri)
        added = {outcome.path for outcome in self.outcomes if outcome.state == "added"}
        return tuple(
            (old[document.digest].pop(0), document.uri)
            for document, _ in self.upserts
            if document.uri in added and old.get(document.digest)
        )


@dataclass(frozen=True, slots=True)
class Sync:
    """One run that brings the index of a writer level, with the encoder of that index.

    Attributes:
        leave_out: a folder that is passed over (the index itself).
        rebuild: read and cut everything anew, also what did not change; the recipe may be another one.
        pool: reads the files; without it, the run has one of its own.
    """

    writer: LocalWriter
    embedder: Embedder
    leave_out: Path
    progress: Progress = silent
    rebuild: bool = False
    pool: Pool | None = None

    def files(self, paths: Sequence[Path], changed: Collection[str | Path] | None = None) -> SyncReport:
        """Bring the index level with these files and folders; with `changed`, only with what that names below them.

        Raises:
            InputError: a path does not exist, or there is nothing in it and never was.
            ModelMismatch: the index has another recipe, and this is no rebuild.
        """
        started = time.perf_counter()
        recipe, chunker = self._made_with()
        present = self.writer.recipe
        if present is not None and present != recipe and not self.rebuild:
            raise ModelMismatch(present.difference(recipe))
        plan = _Plan(chunker, self.writer.catalog.digests())
        root = self.leave_out
        found = walk(paths, plan.known, root) if changed is None else walk_changed(paths, changed, root)
        self._read(found, plan)
        if not plan.outcomes and changed is None:
            raise InputError(f"{paths[0]} holds no files; put documents (.txt, .md, .html, .pdf, .docx) there first")
        if self.rebuild:
            self._recut_the_rest(plan)
        embedded = self._embed(plan)
        if plan.upserts or plan.removals or self.rebuild:
            self.writer.apply(Changes(plan.upserts, plan.removals), recipe, fresh=self.rebuild)
        return SyncReport(
            outcomes=tuple(plan.outcomes),
            renamed=plan.renamed(),
            passages=self.writer.passage_count(),
            embedded=embedded,
            seconds=time.perf_counter() - started,
        )

    def documents(self, documents: Sequence[Document]) -> None:
        """Make these documents, which are no files, all that the index holds; only new texts are embedded."""
        recipe, chunker = self._made_with()
        plan = _Plan(chunker, {})
        for done, document in enumerate(documents):
            self.progress("reading", done, len(documents))
            plan.take(document)
        self._embed(plan)
        self.writer.apply(Changes(plan.upserts), recipe, fresh=True)

    @property
    def is_level(self) -> bool:
        """Whether the index was made with the present encoder and settings."""
        return self.writer.recipe == self._made_with()[0]

    def _made_with(self) -> tuple[Recipe, Chunker]:
        encoder = self.embedder
        chunker = Chunker(encoder.count_tokens)
        return Recipe(encoder.name, encoder.fingerprint, encoder.dimension, chunker.settings, ANALYSIS), chunker

    def _read(self, found: Walk, plan: _Plan) -> None:
        plan.outcomes += found.outcomes
        with nullcontext(self.pool) if self.pool else Pool() as pool:
            waiting: deque[tuple[str, Future[Document]]] = deque()
            for done, path in enumerate(found.files):
                self.progress("reading", done, len(found.files))
                for begun in self._begin(path, plan, pool):
                    waiting.append(begun)
                    while len(waiting) > _READ_AHEAD * pool.workers or (waiting and waiting[0][1].done()):
                        plan.take_read(*waiting.popleft())
            while waiting:
                plan.take_read(*waiting.popleft())
        self.progress("reading", len(found.files), len(found.files))
        found.unseen += [o.path for o in plan.outcomes if o.state == "failed" and is_archive(o.path)]
        plan.remove_skipped()
        plan.remove_vanished(found)

    def _begin(self, path: Path, plan: _Plan, pool: Pool) -> Iterator[tuple[str, Future[Document]]]:
        uri = escaped(uri_of(path))
        try:
            _, data = read(path)
            digest = hashlib.sha256(data).hexdigest()
            if is_archive(uri):
                yield from self._unpack(data, uri, digest, plan, pool)
            elif plan.known.get(uri) == digest and not self.rebuild:
                plan.outcomes.append(Outcome(uri, "unchanged"))
            else:
                yield uri, pool.submit(data, uri)
        except LoadError as error:
            if path.exists():  # one that went meanwhile is gone, as if it had been before
                plan.report(error, uri)

    def _unpack(
        self, data: bytes, uri: str, digest: str, plan: _Plan, pool: Pool
    ) -> Iterator[tuple[str, Future[Document]]]:
        """Begin to read the files in an archive that are new; one that failed is tried again, and reported again."""
        for member in members(data, uri):
            if plan.known.get(member.uri) == digest and not self.rebuild:
                plan.outcomes.append(Outcome(member.uri, "unchanged"))
                continue
            try:
                yield member.uri, pool.submit(member.read(), member.uri, digest)
            except LoadError as error:
                plan.report(error, member.uri)

    def _recut_the_rest(self, plan: _Plan) -> None:
        """In a rebuild, cut the documents that no path covers from their stored text: nothing gets lost."""
        done = {document.uri for document, _ in plan.upserts} | set(plan.removals)
        catalog = self.writer.catalog
        for uri in catalog.digests():
            if uri not in done:
                plan.take(catalog.document(uri))

    def _embed(self, plan: _Plan) -> int:
        model = self.embedder.fingerprint
        missing = self.writer.missing((p for _, passages in plan.upserts for p in passages), model)
        missing.sort(key=lambda passage: len(passage.text))  # batches of one length waste no padding
        for start in range(0, len(missing), EMBED_BATCH):
            self.progress("embedding", start, len(missing))
            batch = missing[start : start + EMBED_BATCH]
            self.writer.add_vectors(batch, *embed_with_words(self.embedder, [p.retrieval_text for p in batch]), model)
        if missing:
            self.progress("embedding", len(missing), len(missing))
        return len(missing)
