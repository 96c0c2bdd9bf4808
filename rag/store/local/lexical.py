"""The lexical half: BM25 by tantivy over terms of our own analysis (rag.language.terms)."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import tantivy

from rag.errors import IndexCorrupt
from rag.language.terms import grams, terms
from rag.store.local import segments
from rag.store.local.files import sync_folder, unwritable, writing
from rag.store.protocol import Found

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from rag.records import Passage

    Limits = Mapping[str, Iterable[str]]
    Field = Literal["terms", "grams"]

_HEAP = 64_000_000  # bytes of write buffer; tantivy needs at least 15 MB a thread

FILTERED = ("uri", "section", "speaker")
"""Fields that a search can be limited by; a passage has as many entries as it has values: none, or several speakers."""

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
    """A folder with a tantivy index, or one in memory without a folder.

    Raises:
        IndexCorrupt: whatever tantivy says, or panics over, while it opens or reads files.
        StoreError: a folder that cannot be written.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        with self._guarded():
            self._index = tantivy.Index(_schema(), path=None if folder is None else str(folder))
            # by hand: the default has a thread that watches the folder, and makes lock files while others delete it
            self._index.config_reader(reload_policy="manual")
        self._seen = self._stamp()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            if not _is_tantivys(error):
                raise
            raise IndexCorrupt(f"{self._folder} is damaged ({error}); the next rag index writes it anew") from error

    def update(self, remove: Iterable[str], add: Iterable[Passage]) -> None:
        """Remove and add passages in one atomic commit; adding what is there already replaces it."""
        try:
            self._write(remove, add)
        except BaseException as error:
            if self._folder is None or not _is_tantivys(error):
                raise
            raise unwritable(self._folder, str(error)) from error

    def _write(self, remove: Iterable[str], add: Iterable[Passage]) -> None:
        writer = self._index.writer(heap_size=_HEAP, num_threads=1)
        try:
            for id_ in remove:
                writer.delete_documents_by_term("id", id_)
            for passage in add:
                writer.delete_documents_by_term("id", passage.id)
                writer.add_document(_entry(passage))
            writer.commit()
            writer.wait_merging_threads()
        finally:
            del writer  # or the traceback of an error keeps it, and with it the lock
        self._index.reload()

    @property
    def in_memory(self) -> bool:
        """Whether it stands in for a folder that cannot be used."""
        return self._folder is None

    def refresh(self) -> None:
        """See what a writer committed since."""
        stamp = self._stamp()
        if stamp != self._seen:
            with self._guarded():
                self._index.reload()
            self._seen = stamp

    def _stamp(self) -> tuple[int, int]:
        if self._folder is None:
            return (0, 0)
        with self._guarded():
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
        with self._guarded():
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
        """Return in how many passages a term occurs; tantivy's own doc_freq counts removed ones, too."""
        query = tantivy.Query.term_query(self._index.schema, "terms", term, index_option="basic")
        with self._guarded():
            return int(self._index.searcher().search(query, 1).count)  # type: ignore[attr-defined]  # not in its stubs

    def count(self) -> int:
        """Return the number of entries."""
        with self._guarded():
            return int(self._index.searcher().num_docs)

    def deleted(self) -> int:
        """Return how many removed entries the files still hold."""
        with self._guarded():
            return 0 if self._folder is None else segments.deleted(self._folder)

    def ids(self) -> list[str]:
        """Return the id of every entry."""
        with self._guarded():
            searcher = self._index.searcher()
            hits = searcher.search(tantivy.Query.all_query(), max(searcher.num_docs, 1)).hits
            return [str(searcher.doc(address)["id"][0]) for _, address in hits]


def _is_tantivys(error: BaseException) -> bool:
    """Tell whether an error comes of tantivy's files; its panics are no `Exception`, and have no importable class."""
    return isinstance(error, (ValueError, LookupError, OSError)) or type(error).__name__ == "PanicException"


def _entry(passage: Passage) -> tantivy.Document:
    text = passage.retrieval_text
    speakers = dict.fromkeys(statement.speaker for statement in passage.statements)
    fields: list[tuple[str, Iterable[str | None]]] = [
        ("uri", [passage.uri]),
        ("section", [passage.section]),
        ("speaker", speakers),
    ]
    known = {field: [value[:_LONGEST] for value in values if value] for field, values in fields}
    return tantivy.Document(id=passage.id, terms=" ".join(terms(text)), grams=" ".join(grams(text)), **known)


def open_folder(folder: Path, *, write: bool) -> Lexical | None:
    """Open the folder's index; None when there is none or a file of it is damaged.

    Args:
        folder: of tantivy.
        write: check all files, however large, and clear the place for what is to be written.
    """
    if segments.damages(folder, eager=None if write else segments.EAGER):
        return None
    try:
        if write:
            segments.clear_leftovers(folder)
        return Lexical(folder)
    except (ValueError, OSError, IndexCorrupt):
        return None


# One folder takes another's place in two steps, with the catalog's COMMIT between them: beside() and put_in_place().


def present(root: Path, *, moved: bool) -> Path:
    """Return the folder that holds the lexical index; `moved` when the catalog says so, and it may not be done yet."""
    return root / "lexical.new" if moved and (root / "lexical.new").exists() else root / "lexical"


def beside(root: Path, passages: Iterable[Passage]) -> None:
    """Write an index of these passages beside the present one; raises `StoreError`."""
    folder = root / "lexical.new"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with writing(folder):
            folder.mkdir()
        Lexical(folder).update((), passages)
        with writing(folder):
            sync_folder(root)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def put_in_place(root: Path, *, moved: bool) -> None:
    """Finish the exchange when the catalog says `moved`; otherwise clear away what a killed writer began."""
    new, present_, old = root / "lexical.new", root / "lexical", root / "lexical.old"
    with writing(present_):
        if moved and new.exists():
            shutil.rmtree(old, ignore_errors=True)
            if present_.exists():
                present_.rename(old)
            new.rename(present_)
            sync_folder(root)
    for folder in (new, old):
        shutil.rmtree(folder, ignore_errors=True)
