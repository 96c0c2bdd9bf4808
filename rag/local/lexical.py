"""The lexical half: BM25 by tantivy over terms of our own analysis (rag.terms)."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import tantivy

from rag.errors import IndexCorrupt
from rag.store import Found
from rag.terms import terms

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rag.records import Passage

_HEAP = 64_000_000  # bytes of write buffer; tantivy needs at least 15 MB a thread


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("terms", tokenizer_name="whitespace", index_option="freq")
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
            writer.add_document(tantivy.Document(id=passage.id, terms=" ".join(terms(passage.retrieval_text))))
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

    def search(self, question: str, k: int) -> list[Found]:
        """Return the `k` best passages by BM25 over the question's terms, best first, ties by id."""
        schema = self._index.schema
        wanted = [
            (tantivy.Occur.Should, tantivy.Query.term_query(schema, "terms", term))
            for term in sorted(set(terms(question)))
        ]
        if not wanted or k < 1:
            return []
        searcher = self._index.searcher()
        hits = searcher.search(tantivy.Query.boolean_query(wanted), k).hits
        found = [Found(str(searcher.doc(address)["id"][0]), float(score)) for score, address in hits]
        return sorted(found, key=lambda hit: (-hit.score, hit.id))

    def frequency(self, term: str) -> int:
        """Return in how many passages a term occurs."""
        return int(self._index.searcher().doc_freq("terms", term))

    def ids(self) -> list[str]:
        """Return the id of every entry."""
        searcher = self._index.searcher()
        hits = searcher.search(tantivy.Query.all_query(), max(searcher.num_docs, 1)).hits
        return [str(searcher.doc(address)["id"][0]) for _, address in hits]


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
