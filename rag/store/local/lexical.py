"""The lexical half: BM25 by tantivy over terms of our own analysis (rag.language.terms).

Its files are checked without tantivy, which panics over many a damaged one. meta.json names the segments of the last
commit. A segment's files never change, and each ends in a footer with the CRC32 of what is before it: JSON, its length,
and a magic number. Files that meta.json does not name are what a killed commit left behind, and do no harm.
"""

from __future__ import annotations

import json
import shutil
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import tantivy

from rag.errors import IndexCorrupt
from rag.language.terms import grams, terms
from rag.records.index import Found
from rag.store.local.files import sync, unwritable, writing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from rag.records import Passage

    Limits = Mapping[str, Iterable[str]]
    Field = Literal["terms", "grams"]

_HEAP = 64_000_000  # bytes of write buffer; tantivy needs at least 15 MB a thread

FILTERED = ("uri", "section", "speaker")
"""Fields that a search can be limited by; a passage has as many entries as it has values: none, or several speakers."""

_LONGEST = 8_000  # characters of a value; tantivy drops longer ones

EAGER = 256_000_000
"""Bytes up to which a reader checks everything before it opens a folder: a fraction of a second."""

_KILLED = "writer was killed"  # in what tantivy says of itself
_MAGIC = 1337
_BLOCK = 1 << 20


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
        self.folder = folder
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
            raise IndexCorrupt(f"{self.folder} is damaged ({error}); the next rag index writes it anew") from error

    def update(self, remove: Iterable[str], add: Iterable[Passage]) -> None:
        """Remove and add passages in one atomic commit; adding what is there already replaces it."""
        try:
            self._write(remove, add)
        except BaseException as error:
            if self.folder is None or not _is_tantivys(error):
                raise
            # its writing thread may end before the disk's own error is told
            reason = "a write failed" if _KILLED in str(error) else str(error)
            raise unwritable(self.folder, reason) from error

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
            if self.folder is not None:
                sync(self.folder)  # tantivy renames meta.json, and leaves the new name to the system
        finally:
            del writer  # or the traceback of an error keeps it, and with it the lock
        self._index.reload()

    def refreshed(self) -> bool:
        """See what a writer committed since; tell if that works: the folder may be gone, or be another one."""
        try:
            stamp = self._stamp()
            if stamp != self._seen:
                with self._guarded():
                    self._index.reload()
                self._seen = stamp
        except IndexCorrupt:
            return False
        return True

    def _stamp(self) -> tuple[int, int]:
        if self.folder is None:
            return (0, 0)
        with self._guarded():
            stat = (self.folder / "meta.json").stat()
        return (stat.st_mtime_ns, stat.st_ino)

    def search(
        self, weights: Mapping[str, float], k: int, limits: Limits | None = None, field: Field = "terms"
    ) -> list[Found]:
        """Return the `k` best passages by BM25 over weighted terms in one field, best first, ties by id.

        `limits` are, for `id` or fields of `FILTERED`, the values of which a passage must have one.
        """
        if not weights or k < 1:
            return []
        schema, query = self._index.schema, tantivy.Query
        wanted = [
            (tantivy.Occur.Should, query.boost_query(query.term_query(schema, field, term), weight))
            for term, weight in sorted(weights.items())
        ]
        conditions = [self._one_of(*limit) for limit in (limits or {}).items()]
        clauses = [(tantivy.Occur.Must, condition) for condition in (*conditions, query.boolean_query(wanted))]
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
            return 0 if self.folder is None else committed(self.folder)[1]

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
    fields: dict[str, Iterable[str | None]] = {"uri": [passage.uri], "section": [passage.section], "speaker": speakers}
    known = {field: [value[:_LONGEST] for value in values if value] for field, values in fields.items()}
    return tantivy.Document(id=passage.id, terms=" ".join(terms(text)), grams=" ".join(grams(text)), **known)


def open_folder(folder: Path, *, write: bool) -> Lexical | None:
    """Open the folder's index; None when there is none or a file of it is damaged.

    To `write`, the place is cleared for what is to be written.
    """
    if damages(folder, EAGER):
        return None
    try:
        if write:
            clear_leftovers(folder)
        return Lexical(folder)
    except (ValueError, OSError, IndexCorrupt):
        return None


def committed(folder: Path) -> tuple[list[Path], int]:
    """Return the files of the last commit, and how many removed entries they still hold.

    Raises:
        OSError, ValueError: meta.json cannot be read.
    """
    names: list[str] = []
    removed = 0
    try:
        for segment in json.loads((folder / "meta.json").read_bytes())["segments"]:
            name, deletes = segment["segment_id"].replace("-", ""), segment["deletes"]
            names += [f"{name}.{ending}" for ending in ("idx", "pos", "term", "store", "fast", "fieldnorm")]
            if deletes is not None:
                names.append(f"{name}.{deletes['opstamp']}.del")
                removed += int(deletes["num_deleted_docs"])
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"no such entry: {error}") from error
    return [folder / name for name in names], removed


def damages(folder: Path, eager: int | None = None) -> list[str]:
    """Return one line for each file that is missing or not what was written.

    When the files have more bytes together than `eager`, only their presence and their footers are checked.
    """
    try:
        paths, _ = committed(folder)
    except (ValueError, OSError) as error:
        return [f"{folder / 'meta.json'} is missing or damaged ({error})"]
    size = sum(path.stat().st_size for path in paths if path.exists())
    whole = eager is None or size <= eager
    found = ((path, _damage(path, whole=whole)) for path in paths)
    return [f"{path} {damage}" for path, damage in found if damage]


def _damage(path: Path, *, whole: bool) -> str | None:
    try:
        with path.open("rb") as file:
            file.seek(-8, 2)
            end = file.read()
            length, magic = int.from_bytes(end[:4], "little"), int.from_bytes(end[4:], "little")
            left = file.seek(-8 - length, 2)
            expected, crc = json.loads(file.read(length))["crc"], 0
            file.seek(0)
            while whole and left and (block := file.read(min(_BLOCK, left))):
                crc = zlib.crc32(block, crc)
                left -= len(block)
            if magic != _MAGIC or (whole and crc != expected):
                return "is damaged (its checksum is another one)"
    except FileNotFoundError:
        return "is missing"
    except (OSError, ValueError, LookupError, TypeError):
        return "is damaged (it does not end as it should)"
    return None


def clear_leftovers(folder: Path) -> None:
    """Delete what a killed commit left behind.

    tantivy 0.27 names a file of deletions by a counter that starts again after a crash, and then refuses for ever to
    write over the one that is left.
    """
    paths, _ = committed(folder)
    for path in (*(set(folder.glob("*.del")) - set(paths)), *folder.glob(".tmp*")):
        path.unlink(missing_ok=True)


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
            folder.mkdir(mode=0o700)
        Lexical(folder).update((), passages)
        with writing(folder):
            sync(root)
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
            sync(root)
    for folder in (new, old):
        shutil.rmtree(folder, ignore_errors=True)
