"""The lexical half: BM25 by tantivy over terms of our own analysis (rag.terms)."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Literal

import tantivy

from rag.errors import IndexCorrupt
from rag.store import Found
from rag.terms import grams, terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from rag.records import Passage

    Limits = Mapping[str, Iterable[str]]
    Field = Literal["terms", "grams"]

_HEAP = 64_000_000  # bytes of write buffer; tantivy needs at least 15 MB a thread


FILTERED = ("uri", "section", "speaker")
"""Fields that a search can be limited by; a passage without the value has no such entry."""

_LONGEST = 8_000  # characters of a value; tantivy drops longer ones


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    for field in ("terms", "grams"):
        builder.add_text_field(field, tokenizer_name="whitespace", index_option="freq")
    for field in FILTERED:
        builder.add_text_field(field, tokenizer_name="raw", index_option="basic")
    return builder.build()


class Lexical:
    """A folder with a tantivy index, or one in memory without a folder."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._index = tantivy.Index(_schema(), path=None if folder is None else str(folder))
        # by hand: the default has a thread that watches the folder, and makes a lock file in it while others delete it
        self._index.config_reader(reload_policy="manual")
        self._seen = self._stamp()

    def update(self, remove: Iterable[str], add: Iterable[Passage]) -> None:
        """Remove and add passages in one atomic commit; adding what is there already replaces it."""
        try:
            self._write(remove, add)
        except ValueError as error:
            raise IndexCorrupt(f"{self._folder} cannot be written ({error}); delete it and try again") from error

    def _write(self, remove: Iterable[str], add: Iterable[Passage]) -> None:
        writer = self._index.writer(heap_size=_HEAP, num_threads=1)
        for id_ in remove:
            writer.delete_documents_by_term("id", id_)
        for passage in add:
            writer.delete_documents_by_term("id", passage.id)
            writer.add_document(_entry(passage))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()

    @property
    def in_memory(self) -> bool:
        """Whether it stands in for a folder that cannot be used."""
        return self._folder is None

    def refresh(self) -> None:
        """See what a writer committed since."""
        stamp = self._stamp()
        if stamp != self._seen:
            self._index.reload()
            self._seen = stamp

    def _stamp(self) -> tuple[int, int]:
        if self._folder is None:
            return (0, 0)
        stat = (self._folder / "meta.json").stat()
        return (stat.st_mtime_ns, stat.st_ino)

    def search(self, weights: Mapping[str, float], k: int, limits: Limits | None = None) -> list[Found]:
        """Return the `k` best passages by BM25 over weighted terms, best first, ties by id.

        Args:
            weights: how much each term counts.
            k: how many.
            limits: for fields of `FILTERED`, the values of which a passage must have one.
        """
        return self._search("terms", weights, k, [self._one_of(*limit) for limit in (limits or {}).items()])

    def scores(self, field: Field, weights: Mapping[str, float], ids: Sequence[str]) -> dict[str, float]:
        """Return the BM25 score, in one field, of those of these passages that have any of the weighted terms."""
        return {found.id: found.score for found in self._search(field, weights, len(ids), [self._one_of("id", ids)])}

    def _search(
        self, field: Field, weights: Mapping[str, float], k: int, limits: Sequence[tantivy.Query]
    ) -> list[Found]:
        if not weights or k < 1:
            return []
        schema, query = self._index.schema, tantivy.Query
        wanted = [
            (tantivy.Occur.Should, query.boost_query(query.term_query(schema, field, term), weight))
            for term, weight in sorted(weights.items())
        ]
        clauses = [(tantivy.Occur.Must, limit) for limit in (*limits, query.boolean_query(wanted))]
        searcher = self._index.searcher()
        hits = searcher.search(query.boolean_query(clauses), k).hits
        found = [Found(str(searcher.doc(address)["id"][0]), float(score)) for score, address in hits]
        return sorted(found, key=lambda hit: (-hit.score, hit.id))

    def _one_of(self, field: str, values: Iterable[str]) -> tantivy.Query:
        """Return a condition that adds nothing to the score."""
        return tantivy.Query.const_score_query(
            tantivy.Query.term_set_query(self._index.schema, field, [value[:_LONGEST] for value in values]), 0.0
        )

    def frequency(self, term: str) -> int:
        """Return in how many passages a term occurs."""
        return int(self._index.searcher().doc_freq("terms", term))

    def ids(self) -> list[str]:
        """Return the id of every entry."""
        searcher = self._index.searcher()
        hits = searcher.search(tantivy.Query.all_query(), max(searcher.num_docs, 1)).hits
        return [str(searcher.doc(address)["id"][0]) for _, address in hits]


def _entry(passage: Passage) -> tantivy.Document:
    text = passage.retrieval_text
    fields = {"uri": passage.uri, "section": passage.section, "speaker": passage.speaker}
    known = {field: value[:_LONGEST] for field, value in fields.items() if value is not None}
    return tantivy.Document(id=passage.id, terms=" ".join(terms(text)), grams=" ".join(grams(text)), **known)


def open_folder(folder: Path, *, write: bool) -> Lexical | None:
    """Open the folder's index; None when there is none or it is damaged (a writer clears the place for a new one)."""
    try:
        if not (folder / "meta.json").exists():
            return None
        if write:
            _clear_leftovers(folder)
        return Lexical(folder)
    except (ValueError, OSError):
        return None


def new_folder(folder: Path) -> Lexical:
    """Make an empty index in place of whatever is in the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return Lexical(folder)


def _clear_leftovers(folder: Path) -> None:
    """Delete what a killed commit left behind.

    tantivy 0.27 names a file of deletions by a counter that starts again after a crash, and then refuses for ever to
    write over the one that is left.
    """
    segments = json.loads((folder / "meta.json").read_bytes())["segments"]
    named = {
        f"{segment['segment_id'].replace('-', '')}.{segment['deletes']['opstamp']}.del"
        for segment in segments
        if segment["deletes"]
    }
    leftovers = [path for path in folder.glob("*.del") if path.name not in named]
    for path in (*leftovers, *folder.glob(".tmp*")):
        path.unlink(missing_ok=True)
