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
from rag.store.protocol import Changes, Recipe
from rag.sync.walk import shown, uri_of, walk, walk_changed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from rag.models.encoder import Embedder
    from rag.records import Document, Passage
    from rag.store.protocol import Writer
    from rag.sync.walk import Walk

_READ_AHEAD = 4  # files for each worker that are read before their turn
EMBED_BATCH = 64  # passages whose vectors are kept at once: what a kill costs at most, and a step of the bar


@dataclass(slots=True)
class _Plan:
    """What a run will publish and report."""

    upserts: list[tuple[Document, list[Passage]]] = field(default_factory=list)
    removals: list[str] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    def drop_skipped(self, known: Collection[str]) -> None:
        """Forget what is known of files that are skipped now, and say so: it is no longer what the file says."""
        for place, outcome in enumerate(self.outcomes):
            if outcome.state == "skipped" and outcome.path in known:
                self.removals.append(outcome.path)
                reason = f"{outcome.reason}; its earlier version was removed"
                self.outcomes[place] = replace(outcome, reason=reason)


@dataclass(frozen=True, slots=True)
class Sync:
    """One run.

    Attributes:
        writer: of the index that is to be brought level.
        embedder: the encoder of the index.
        leave_out: a folder that is passed over (the index itself).
        progress: told how far the run is.
        rebuild: read and cut everything anew, also what did not change; the recipe may be another one.
        pool: reads the files; without it, the run has one of its own.
    """

    writer: Writer
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
        recipe, chunker = self._recipe()
        known = self.writer.digests()
        root = self.leave_out
        found = walk(paths, known, root) if changed is None else walk_changed(paths, changed, root)
        plan = self._read(found, known, chunker)
        if not plan.outcomes and changed is None:
            raise InputError(f"{paths[0]} holds no files; put documents (.txt, .md, .html, .pdf, .docx) there first")
        if self.rebuild:
            self._recut_the_rest(plan, chunker)
        embedded = self._embed(plan)
        if plan.upserts or plan.removals or self.rebuild:
            self.writer.apply(Changes(plan.upserts, plan.removals), recipe, fresh=self.rebuild)
        return SyncReport(
            outcomes=tuple(plan.outcomes),
            renamed=_renamed(plan, known),
            passages=self.writer.passage_count(),
            embedded=embedded,
            seconds=time.perf_counter() - started,
        )

    def documents(self, documents: Sequence[Document]) -> None:
        """Make these documents, which are no files, all that the index holds; only new texts are embedded."""
        recipe, chunker = self._made_with()
        plan = _Plan()
        for done, document in enumerate(documents):
            self.progress("reading", done, len(documents))
            plan.upserts.append((document, chunker.passages(document)))
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

    def _recipe(self) -> tuple[Recipe, Chunker]:
        recipe, chunker = self._made_with()
        present = self.writer.recipe
        if present is not None and present != recipe and not self.rebuild:
            raise ModelMismatch(present.difference(recipe))
        return recipe, chunker

    def _read(self, found: Walk, known: dict[str, str], chunker: Chunker) -> _Plan:
        """Read what is there and compare it with what is known."""
        plan = _Plan(outcomes=found.outcomes)
        with nullcontext(self.pool) if self.pool else Pool() as pool:
            waiting: deque[tuple[str, Future[Document]]] = deque()
            for done, path in enumerate(found.files):
                self.progress("reading", done, len(found.files))
                for begun in self._begin(path, known, plan, pool):
                    waiting.append(begun)
                    while len(waiting) > _READ_AHEAD * pool.workers or (waiting and waiting[0][1].done()):
                        self._finish(*waiting.popleft(), known, chunker, plan)
            while waiting:
                self._finish(*waiting.popleft(), known, chunker, plan)
        self.progress("reading", len(found.files), len(found.files))
        found.unseen += [o.path for o in plan.outcomes if o.state == "failed" and is_archive(o.path)]
        plan.drop_skipped(known)
        gone = found.vanished(known, {outcome.path for outcome in plan.outcomes})
        plan.removals += gone
        plan.outcomes += [_gone(uri, found.ignoring(uri)) for uri in gone]
        return plan

    def _begin(
        self, path: Path, known: dict[str, str], plan: _Plan, pool: Pool
    ) -> Iterator[tuple[str, Future[Document]]]:
        """Begin to read a file, or the files in it, when its content is new."""
        uri = shown(uri_of(path))
        try:
            _, data = read(path)
            digest = hashlib.sha256(data).hexdigest()
            if is_archive(uri):
                yield from self._unpack(data, uri, digest, known, plan, pool)
            elif known.get(uri) == digest and not self.rebuild:
                plan.outcomes.append(Outcome(uri, "unchanged"))
            else:
                yield uri, pool.submit(data, uri)
        except LoadError as error:
            if path.exists():  # one that went meanwhile is gone, as if it had been before
                self._report(error, uri, known, plan)

    def _unpack(
        self, data: bytes, uri: str, digest: str, known: dict[str, str], plan: _Plan, pool: Pool
    ) -> Iterator[tuple[str, Future[Document]]]:
        """Begin to read the files in an archive that are new; one that failed is tried again, and reported again."""
        for member in members(data, uri):
            if known.get(member.uri) == digest and not self.rebuild:
                plan.outcomes.append(Outcome(member.uri, "unchanged"))
                continue
            try:
                yield member.uri, pool.submit(member.read(), member.uri, digest)
            except LoadError as error:
                self._report(error, member.uri, known, plan)

    def _finish(
        self, uri: str, reading: Future[Document], known: dict[str, str], chunker: Chunker, plan: _Plan
    ) -> None:
        """Wait for a file's document and note what became of it."""
        try:
            document = reading.result()
        except LoadError as error:
            self._report(error, uri, known, plan)
        else:
            plan.upserts.append((document, chunker.passages(document)))
            plan.outcomes.append(Outcome(uri, "updated" if uri in known else "added", "; ".join(document.notes)))

    def _report(self, error: LoadError, uri: str, known: dict[str, str], plan: _Plan) -> None:
        """Note a file that gave no document."""
        if isinstance(error, Skipped):
            plan.outcomes.append(Outcome(uri, "skipped", _reason(error, uri)))
        else:
            kept = "; its earlier version is kept" if uri in known else ""
            plan.outcomes.append(Outcome(uri, "failed", _reason(error, uri) + kept))

    def _recut_the_rest(self, plan: _Plan, chunker: Chunker) -> None:
        """In a rebuild, cut the documents that no path covers from their stored text: nothing gets lost."""
        done = {document.uri for document, _ in plan.upserts} | set(plan.removals)
        plan.upserts += [(doc, chunker.passages(doc)) for doc in self.writer.documents() if doc.uri not in done]

    def _embed(self, plan: _Plan) -> int:
        """Store the vectors that are missing and return how many there were."""
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


def _gone(uri: str, ignoring: str | None) -> Outcome:
    """Say what became of a known document that is not there, or not to be."""
    return Outcome(uri, "skipped", f"removed: {ignoring} leaves it out") if ignoring else Outcome(uri, "removed")


def _reason(error: LoadError, uri: str) -> str:
    return str(error).removeprefix(f"{uri}: ")


def _renamed(plan: _Plan, known: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """Pair removed and added documents of the same bytes."""
    old: dict[str, list[str]] = {}
    for uri in plan.removals:
        old.setdefault(known[uri], []).append(uri)
    added = {outcome.path for outcome in plan.outcomes if outcome.state == "added"}
    return tuple(
        (old[document.digest].pop(0), document.uri)
        for document, _ in plan.upserts
        if document.uri in added and old.get(document.digest)
    )
