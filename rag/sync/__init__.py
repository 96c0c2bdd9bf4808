"""Brings an index level with files: what is new is added, what changed replaced, what vanished removed.

A file has changed when its bytes have (SHA-256), whatever its times say; it is known by its path. Texts are published
as soon as they are cut, part by part, and found by their words; their vectors are published behind them, those of the
newest documents first. Only texts whose vector is not stored yet are embedded, and each batch of vectors is kept at
once, so that an interrupted run goes on where it stopped. Texts and vectors are published
in one step where few passages change, and in a rebuild, which leaves what is there untouched until it is whole.
"""

from __future__ import annotations

import hashlib
import time
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rag.chunk import Chunker
from rag.errors import InputError, LoadError, ModelMismatch, Skipped
from rag.language.terms import ANALYSIS
from rag.load import read
from rag.load.archive import is_archive, members
from rag.records import Outcome, Progress, SyncReport, never, silent
from rag.records.index import Changes, Recipe
from rag.sync.walk import escaped, uri_of, walk, walk_changed
from rag.sync.workers import File, Here

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from rag.models.encoder import Embedder
    from rag.records import Document, Passage, State
    from rag.store.protocol import StoreWriter
    from rag.sync.walk import Walk
    from rag.sync.workers import Cut, Workers

EMBED_BATCH = 64  # passages whose vectors are kept at once: what a kill costs at most, and a step of the bar
PART = 10_000  # passages whose texts are published at once: bounds the memory, and what a kill costs
FILLED = 1_000  # passages whose vectors are published at once: half a minute's work of one processor
AT_ONCE = 16  # texts to embed up to which a change is published with its vectors: half a second; a publish takes 0.1


@dataclass(slots=True)
class _Plan:
    """What a run will publish next (`upserts`, `removals`) and report; `known` are digests by URI."""

    chunker: Chunker
    known: Mapping[str, str]
    upserts: list[tuple[Document, list[Passage]]] = field(default_factory=list)
    removals: list[str] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    added: list[tuple[str, str]] = field(default_factory=list)  # digest and URI
    embedded: int = 0

    def take(self, document: Document) -> None:
        """Cut a document that is to be published."""
        self.upserts.append((document, self.chunker.passages(document)))

    def take_cut(self, uri: str, found: Cut | LoadError) -> None:
        """Take a file's document and its passages, and note what became of the file."""
        if isinstance(found, LoadError):
            self.report(found, uri)
            return
        self.upserts.append(found)
        document = found[0]
        state: State = "updated" if uri in self.known else "added"
        if state == "added":
            self.added.append((document.digest, uri))
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
        return tuple((old[digest].pop(0), uri) for digest, uri in self.added if old.get(digest))


@dataclass(frozen=True, slots=True)
class Sync:
    """One run that brings the index of a writer level, with the encoder of that index.

    Attributes:
        leave_out: a folder that is passed over (the index itself).
        rebuild: read and cut everything anew, also what did not change; the recipe may be another one.
        workers: read, cut and encode; without them, this process does.
    """

    writer: StoreWriter
    embedder: Embedder
    leave_out: Path
    progress: Progress = silent
    rebuild: bool = False
    workers: Workers | None = None

    def files(self, paths: Sequence[Path], changed: Collection[str | Path] | None = None) -> SyncReport:
        """Bring the index level with these files and folders; with `changed`, only with what that names below them.

        Passages may be left without a vector: `filled` gives them theirs.

        Raises:
            InputError: a path does not exist, or there is nothing in it and never was.
            ModelMismatch: the index has another recipe, and this is no rebuild.
        """
        started = time.perf_counter()
        recipe, chunker = self._made_with()
        present = self.writer.recipe
        if present is not None and present != recipe and not self.rebuild:
            raise ModelMismatch(present.difference(recipe))
        plan = _Plan(chunker, self.writer.digests())
        root = self.leave_out
        found = walk(paths, plan.known, root) if changed is None else walk_changed(paths, changed, root)
        with self._working() as workers:
            self._read(found, plan, workers, recipe)
            if not plan.outcomes and changed is None:
                what = "put documents (.txt, .md, .html, .pdf, .docx) there first"
                raise InputError(f"{paths[0]} holds no files; {what}")
            if self.rebuild:
                self._recut_the_rest(plan)
            missing = self._missing(plan.upserts)
            if self.rebuild or len(missing) <= AT_ONCE:
                plan.embedded = self._embed(missing, workers, 0, len(missing))
        if plan.upserts or plan.removals or self.rebuild:
            self.writer.apply(Changes(plan.upserts, plan.removals), recipe, fresh=self.rebuild)
        return SyncReport(
            outcomes=tuple(plan.outcomes),
            renamed=plan.renamed(),
            passages=self.writer.passage_count(),
            embedded=plan.embedded,
            seconds=time.perf_counter() - started,
        )

    def filled(self, report: SyncReport, until: Callable[[], bool] = never) -> SyncReport:
        """Give each passage that has none its vector, also those of earlier runs, the newest documents first.

        They are published part by part. It ends earlier when `until`, asked after each batch, says so. Returns the
        report of this run with what that took.
        """
        started = time.perf_counter()
        waiting = self.writer.waiting()
        if not waiting:
            return report
        done, total, embedded = 0, sum(waiting.values()), 0
        with self._working() as workers:
            for part in _parts(waiting):
                documents = [(self.writer.document(uri), self.writer.passages_of(uri)) for uri in part]
                embedded += self._embed(self._missing(documents), workers, done, total, until)
                self.writer.apply(Changes(documents), self._made_with()[0])
                done += sum(waiting[uri] for uri in part)
                if until():
                    break
            else:  # of texts that several passages have, each was counted once
                self.progress("embedding", total, total)
        seconds, left = report.seconds + time.perf_counter() - started, sum(self.writer.waiting().values())
        return replace(report, embedded=report.embedded + embedded, waiting=left, seconds=seconds)

    def documents(self, documents: Sequence[Document]) -> None:
        """Make these documents, which are no files, all that the index holds; only new texts are embedded."""
        recipe, chunker = self._made_with()
        plan = _Plan(chunker, {})
        for done, document in enumerate(documents):
            self.progress("reading", done, len(documents))
            plan.take(document)
        missing = self._missing(plan.upserts)
        self._embed(missing, Here(self.embedder), 0, len(missing))
        self.writer.apply(Changes(plan.upserts), recipe, fresh=True)

    @property
    def is_level(self) -> bool:
        """Whether the index was made with the present encoder and settings."""
        return self.writer.recipe == self._made_with()[0]

    def _made_with(self) -> tuple[Recipe, Chunker]:
        encoder = self.embedder
        chunker = Chunker(encoder.count_tokens)
        return Recipe(encoder.name, encoder.fingerprint, encoder.dimension, chunker.settings, ANALYSIS), chunker

    def _working(self) -> AbstractContextManager[Workers]:
        return nullcontext(self.workers) if self.workers else Here(self.embedder)

    def _read(self, found: Walk, plan: _Plan, workers: Workers, recipe: Recipe) -> None:
        plan.outcomes += found.outcomes
        cut = 0  # passages
        for uri, result in workers.cut(self._to_read(found, plan)):
            plan.take_cut(uri, result)
            cut += 0 if isinstance(result, LoadError) else len(result[1])
            if cut >= PART and not self.rebuild:
                self.writer.apply(Changes(plan.upserts), recipe)
                plan.upserts, cut = [], 0
        self.progress("reading", len(found.files), len(found.files))
        found.unseen += [o.path for o in plan.outcomes if o.state == "failed" and is_archive(o.path)]
        plan.remove_skipped()
        plan.remove_vanished(found)

    def _to_read(self, found: Walk, plan: _Plan) -> Iterator[File]:
        """Yield the files that are new or changed, and note what became of all others."""
        for done, path in enumerate(found.files):
            self.progress("reading", done, len(found.files))
            yield from self._new(path, plan)

    def _new(self, path: Path, plan: _Plan) -> Iterator[File]:
        uri = escaped(uri_of(path))
        try:
            _, data = read(path)
            digest = hashlib.sha256(data).hexdigest()
            if is_archive(uri):
                yield from self._unpack(data, uri, digest, plan)
            elif plan.known.get(uri) == digest and not self.rebuild:
                plan.outcomes.append(Outcome(uri, "unchanged"))
            else:
                yield File(uri, data)
        except LoadError as error:
            if path.exists():  # one that went meanwhile is gone, as if it had been before
                plan.report(error, uri)

    def _unpack(self, data: bytes, uri: str, digest: str, plan: _Plan) -> Iterator[File]:
        """Yield the files in an archive that are new; one that failed is tried again, and reported again."""
        for member in members(data, uri):
            if plan.known.get(member.uri) == digest and not self.rebuild:
                plan.outcomes.append(Outcome(member.uri, "unchanged"))
                continue
            try:
                yield File(member.uri, member.read(), digest)
            except LoadError as error:
                plan.report(error, member.uri)

    def _recut_the_rest(self, plan: _Plan) -> None:
        """In a rebuild, cut the documents that no path covers from their stored text: nothing gets lost."""
        done = {document.uri for document, _ in plan.upserts} | set(plan.removals)
        for uri in self.writer.digests():
            if uri not in done:
                plan.take(self.writer.document(uri))

    def _missing(self, documents: Iterable[tuple[Document, Sequence[Passage]]]) -> list[Passage]:
        """Return a passage for each text of these documents that is to be embedded."""
        passages = (passage for _, passages in documents for passage in passages)
        return self.writer.missing(passages, self.embedder.fingerprint)

    def _embed(
        self, missing: Sequence[Passage], workers: Workers, done: int, total: int, until: Callable[[], bool] = never
    ) -> int:
        """Embed these, keep their vectors batch by batch, and return how many; `done` of `total` were there before."""
        before = done
        wanted = sorted(missing, key=lambda passage: len(passage.text))  # batches of one length waste no padding
        batches = [wanted[start : start + EMBED_BATCH] for start in range(0, len(wanted), EMBED_BATCH)]
        encoded = workers.embed([passage.retrieval_text for passage in batch] for batch in batches)
        if missing:
            self.progress("embedding", done, total)
        for batch, (vectors, words) in zip(batches, encoded, strict=True):
            self.writer.add_vectors(batch, vectors, words, self.embedder.fingerprint)
            done += len(batch)
            self.progress("embedding", done, total)
            if until():
                break
        return done - before


def _parts(waiting: Mapping[str, int]) -> Iterator[list[str]]:
    """Divide documents by URI among parts of some `FILLED` passages that wait, in order; the last one has the rest."""
    part, passages = list[str](), 0
    for uri, number in waiting.items():
        part.append(uri)
        passages += number
        if passages >= FILLED:
            yield part
            part, passages = [], 0
    if part:
        yield part


def workers_named(workers: int | str, encoder: Embedder) -> AbstractContextManager[Workers]:
    """Return so many processes of this machine, or those of Ray: `ray`, or `ray://HOST:PORT` for a cluster elsewhere.

    Raises `InputError` for anything else, and where the extra `ray` is not installed.
    """
    if str(workers).isdecimal() and int(workers) > 0:
        from rag.sync.processes import Processes

        return Processes(int(workers), encoder)
    if workers == "ray" or str(workers).startswith("ray://"):
        from rag.sync.on_ray import OnRay

        return OnRay(str(workers), encoder)
    raise InputError(f"workers cannot be {workers!r}; give a number, ray, or ray://HOST:PORT")
