"""Damage: every promise of an index checked again, a damaged catalog set aside, an index of nothing withdrawn."""

from __future__ import annotations

import hashlib
import logging
import shutil
import sqlite3
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import DocumentUnknown, FormatMismatch, IndexCorrupt, StoreError
from rag.store.encoding import matrix
from rag.store.local import lexical, seal
from rag.store.local.catalog import Catalog
from rag.store.local.files import mark_damaged, writing
from rag.store.local.vector_file import MappedFile, Published
from rag.store.protocol import SetAside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.records import Document

_log = logging.getLogger("rag")


def damages(root: Path, catalog: Catalog) -> list[str]:
    """Return one line for each damage found; none means sound."""
    found = [f"{root / name} is not as the last rag index left it" for name in seal.broken(root)]
    with _collected(found, catalog):
        found += catalog.check()
    with _collected(found, catalog):
        for uri in catalog.digests():
            with _collected(found, catalog):
                found += _document(catalog, catalog.document(uri))
    with _collected(found, catalog):
        found += _vectors(root, catalog)
    with _collected(found, catalog):
        found += _lexical(root, catalog)
    with _collected(found, catalog):
        found += _uploads(root / "files", catalog)
    return list(dict.fromkeys(found))


@contextmanager
def _collected(found: list[str], catalog: Catalog) -> Iterator[None]:
    """Make a damage that ends a check one more line, and go on with the next check."""
    try:
        with catalog.guarded():
            yield
    except IndexCorrupt as error:
        found.append(str(error))
    except DocumentUnknown as error:  # SQLite's own list of names has another one than the document
        found.append(f"catalog.db: {error}")


def _document(catalog: Catalog, document: Document) -> list[str]:
    """Cut each passage out of its document again: text, id and sentences must come out the same."""
    found: list[str] = []
    for id_ in sorted(catalog.passage_ids([document.uri]), key=str):  # a damaged one may be no text
        with _collected(found, catalog):
            for passage in catalog.passages_of(document, [id_]):
                try:
                    again = document.passage(passage.span, passage.sentences)
                except (ValueError, TypeError) as error:
                    found.append(f"catalog.db: passage {id_}: {error}")
                    continue
                if again != passage:
                    found.append(f"catalog.db: passage {id_} of {document.uri} is not what its document says")
    return found


def _uploads(folder: Path, catalog: Catalog) -> list[str]:
    """Compare the files that were added with what was read from them."""
    found: list[str] = []
    for uri, digest in catalog.digests().items():
        file = Path(uri)
        if file.parent != folder.resolve():
            continue
        try:
            with file.open("rb") as opened:
                sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
        except OSError as error:
            found.append(f"{file} cannot be read ({error.strerror}); its text is in the index")
        else:
            if sha256 != digest:
                found.append(f"{file} is not the file that was added; its text is in the index as it was")
    return found


def _vectors(root: Path, catalog: Catalog) -> list[str]:
    recipe, published = catalog.recipe, Published.of(catalog)
    if recipe is None or published is None:
        return []
    found: list[str] = []
    with _collected(found, catalog):
        try:
            MappedFile(root, published).check_all()
        except IndexCorrupt:
            mark_damaged(root / published.name)
            raise
    for number, data in catalog.vectors():
        with _collected(found, catalog):
            vector = matrix([data], recipe.dimension)[0]
            if not abs(float(vector @ vector) - 1) < 1.5e-3:  # of float16 the last bit is half a thousandth
                (candidate,) = catalog.candidates_by_number([number])
                found.append(f"catalog.db: the vector of passage {candidate.id} is not a unit vector")
    covered = published.count - catalog.count("gone") + catalog.count("beside")
    if not catalog.count("passages") == catalog.passage_count == covered:
        found.append("catalog.db: its numbers of passages differ; rebuild with: rag index --rebuild")
    return found


def _lexical(root: Path, catalog: Catalog) -> list[str]:
    if not catalog.count("passages"):
        return []
    state = catalog.get("lexical")
    if state not in {"whole", "moved"}:
        return []  # not written yet: a new index whose first run was stopped; the catalog knows
    folder = lexical.present(root, moved=state == "moved")
    found = lexical.damages(folder)
    if found:
        mark_damaged(root / "lexical")
        return [f"{line}; the next rag index writes it anew" for line in found]
    indexed, known = set(lexical.Lexical(folder).ids()), catalog.passage_ids()
    extra = indexed - known - catalog.unsettled()
    if known - indexed:
        found.append(f"{folder}: {len(known - indexed)} passages are missing")
    if extra:
        found.append(f"{folder}: {len(extra)} passages too many")
    return found


def not_as_sealed(file: Path) -> IndexCorrupt:
    """Return the error of a catalog that changed by itself."""
    return IndexCorrupt(
        f"{file} is damaged: it is not as the last rag index left it; rebuild with: rag index --rebuild FOLDER"
    )


def break_seal(root: Path) -> None:
    """Take the seal off, unless the truth is damaged: raises `IndexCorrupt`. What is derived is then made anew."""
    if (root / "catalog.db").exists():
        for name in seal.broken(root):
            if name in seal.CATALOG:
                raise not_as_sealed(root / name)
            if name == seal.FILE and (damage := _content_damage(root / "catalog.db")):
                raise IndexCorrupt(f"{damage}; {root / name} is damaged as well")
            _log.warning("%s is damaged; it is made anew", root / name)
            if name != seal.FILE:
                (root / "lexical" / "meta.json").unlink(missing_ok=True)
    seal.take_off(root)


def damage_of(path: Path) -> str | None:
    """Return what keeps a rebuild from reading the catalog that is there; None when nothing does."""
    for name in seal.broken(path.parent, seal.CATALOG):
        if name in seal.CATALOG:
            return str(not_as_sealed(path.parent / name))
    return _content_damage(path)


def _content_damage(path: Path) -> str | None:
    try:
        with closing(Catalog(path, write=True)) as catalog, catalog.guarded():
            found = catalog.check()
            for uri in catalog.digests():
                catalog.document(uri)
            _ = catalog.recipe, catalog.generation
    except (IndexCorrupt, FormatMismatch) as error:
        return str(error)
    return found[0] if found else None


def set_aside(path: Path, damage: str) -> SetAside:
    """Rename a damaged catalog, whose lock is held and which nobody here has open; raises `StoreError`."""
    name = f"{path.name}.damaged-{1 + len(list(path.parent.glob(f'{path.name}.damaged-*')))}"
    _log.warning("%s; the old file is kept as %s", damage, name)
    with writing(path):
        (path.parent / seal.FILE).unlink(missing_ok=True)
        for file in [*path.parent.glob(f"{path.name}-*"), path]:
            file.rename(file.with_name(file.name.replace(path.name, name)))
    return SetAside(path.with_name(name), _named_documents(path.with_name(name)))


def _named_documents(file: Path) -> list[str]:
    """Return the URIs that can be read in a damaged catalog: from its table, and from the index over that."""
    found: dict[str, None] = {}
    for indexed in ("", "NOT INDEXED"):
        try:
            with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
                for (uri,) in database.execute(f"SELECT uri FROM documents {indexed}"):  # noqa: S608 - our own words
                    if isinstance(uri, str):
                        found[uri] = None
        except sqlite3.Error:
            continue  # so far it could be read
    return list(found)


def holds_nothing(catalog: Catalog) -> bool:
    """Tell whether nothing was published, noted or embedded so far; of a catalog that cannot be read, it is not said.

    Vectors of an interrupted first run are something: the next one goes on with them.
    """
    try:
        with catalog.guarded():
            noted = any(catalog.get(key) is not None for key in ("recipe", "journal"))
            return not noted and not catalog.count("vectors")
    except StoreError:
        return False


def withdraw(root: Path, *, folder_too: bool) -> None:
    """Delete the files of an empty index whose lock is held and whose catalog is closed, the lock's own last.

    Its folder goes as well where that is said, unless somebody else has put something there.
    """
    with suppress(OSError):  # what failed before is what is to be said
        for name in (
            seal.FILE,
            "catalog.db-wal",
            "catalog.db-shm",
            "catalog.db",
        ):  # a log must not outlive its database
            (root / name).unlink(missing_ok=True)
        for name in ("lexical", "lexical.new", "lexical.old"):
            shutil.rmtree(root / name, ignore_errors=True)
        (root / "LOCK").unlink(missing_ok=True)
        if folder_too:
            root.rmdir()
