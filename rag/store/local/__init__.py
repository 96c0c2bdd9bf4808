"""The embedded engine: SQLite is the truth, FAISS and tantivy are derived from it.

COMMIT of the catalog is the only switch. The order of a publish, and why a crash at any point does no harm:

1. note in the catalog which passages the lexical index is about to differ in (`unsettled`)
2. add the new passages to the lexical index: a crash leaves entries that the catalog does not know, dropped on reading
3. in one transaction: documents, passages, the new FAISS file's name and hash (the file is written and synced first)
4. take the removed passages out of the lexical index, then settle; or write all of it anew in a folder beside it, and
   let that take its place: a COMMIT says which of the two counts
The next writer brings the lexical index level for whatever is still unsettled, finishes the exchange of folders, and
writes anew what is damaged.

Removed text leaves the catalog with COMMIT. Up to `files.SMALL` passages, the derived files are written anew at once;
of larger ones, when `files.SHARE` of their entries are removed ones, and with every rebuild.
"""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakSet

from rag.errors import IndexCorrupt, IndexMissing, InputError, StoreError
from rag.records.index import Status
from rag.records.runs import Journal
from rag.store.local import seal
from rag.store.local.catalog import Catalog
from rag.store.local.damage import (
    break_seal,
    damage_of,
    damages,
    holds_nothing,
    not_as_sealed,
    set_aside,
    withdraw,
)
from rag.store.local.files import locked, make_folder, make_private, writing
from rag.store.local.snapshot import LocalSnapshot, OpenIndexes
from rag.store.local.vector_file import Published
from rag.store.local.write import LocalWriter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.records.index import Recipe
    from rag.store.protocol import SetAside

_log = logging.getLogger("rag")

_stores: WeakSet[LocalStore] = WeakSet()
_of_parents: list[object] = []

__all__ = ["LocalSnapshot", "LocalStore", "LocalWriter"]


class LocalStore:
    """An index in a folder of this machine. Safe to use from several threads.

    Args:
        root: the folder; made by the first writer.

    Raises:
        InputError: it is a file.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        if self.root.exists() and not self.root.is_dir():
            raise InputError(f"{root} is a file, and an index is a folder: name another place with --store")
        _stores.add(self)
        self._catalogs: list[Catalog] = []  # idle reading connections
        self._indexes = OpenIndexes(self.root)
        self._seal: tuple[int, int] | None = None  # the last that was found whole

    @property
    def recipe(self) -> Recipe | None:
        try:
            with self._catalog() as catalog:
                return catalog.recipe
        except IndexMissing:
            return None

    @contextmanager
    def snapshot(self) -> Iterator[LocalSnapshot]:
        with self._catalog() as catalog, catalog.transaction(write=False):
            generation, recipe = catalog.generation, catalog.recipe
            if recipe is None:
                raise IndexMissing(f"the index at {self.root} is empty; fill it with: rag index FOLDER")
            yield LocalSnapshot(self._indexes, catalog, generation, recipe)

    @contextmanager
    def writer(self) -> Iterator[LocalWriter]:
        """Become the writer; raises `IndexLocked`. What fails before anything was kept leaves no index behind."""
        folder_was_there = self.root.exists()
        self._check_folder()
        with writing(self.root):
            make_folder(self.root)
        with locked(self.root / "LOCK"):
            make_private(self.root)
            break_seal(self.root)
            catalog = Catalog(self.root / "catalog.db", write=True)
            is_empty, is_sound = False, True
            try:
                with catalog.guarded():
                    yield LocalWriter(self.root, catalog)
                catalog.checkpoint()
            except BaseException as error:
                is_empty, is_sound = holds_nothing(catalog), not isinstance(error, StoreError)
                raise
            finally:
                catalog.close()
                make_private(self.root)
                if is_empty:
                    withdraw(self.root, folder_too=not folder_was_there)
                elif is_sound:
                    self._put_seal_on()

    def _put_seal_on(self) -> None:
        try:
            seal.put_on(self.root)
        except StoreError as error:  # all is published; without a seal, each text still has its checksum
            _log.warning("%s", error)
        self._seal = seal.stamp(self.root)

    def _check_seal(self) -> None:
        """Refuse to read a catalog that is not as it was written; each seal is looked at once."""
        stamp = seal.stamp(self.root)
        if stamp == self._seal or not (self.root / "catalog.db").exists():
            return
        for name in seal.broken(self.root, seal.CATALOG):
            if name in seal.CATALOG:
                raise not_as_sealed(self.root / name)
            _log.warning("%s is damaged; the next rag index makes it anew", self.root / name)
        self._seal = stamp

    def _check_folder(self) -> None:
        """Refuse a folder that is no index and holds what an index would write over; raises `InputError`."""
        if (self.root / "LOCK").exists() or any(self.root.glob("catalog.db*")):
            return
        for name in ("lexical", "lexical.new", "lexical.old"):
            if (self.root / name).exists():
                raise InputError(
                    f"{self.root / name} is in the way and no part of an index; name another place: --store"
                )

    def status(self) -> Status:
        """Count what is there."""
        with self.snapshot() as snapshot:
            catalog, recipe = snapshot.catalog, snapshot.recipe
            published = Published.of(catalog)
            return Status(
                store=str(self.root),
                generation=snapshot.generation,
                documents=catalog.count("documents"),
                passages=catalog.passage_count,
                waiting=snapshot.waiting(),
                model=recipe.model,
                dimension=recipe.dimension,
                vectors=str(published) if published else "none yet",
                bytes=sum(path.stat().st_size for path in self.root.rglob("*") if path.is_file()),
            )

    def journal(self) -> Journal:
        try:
            with self._catalog() as catalog:
                return catalog.journal
        except IndexMissing:
            return Journal()

    def verify(self) -> list[str]:
        self._seal = stamp = seal.stamp(self.root)  # what is not as it was sealed is one damage, and hides no other
        try:
            with self._catalog() as catalog, catalog.transaction(write=False):
                return damages(self.root, catalog)
        except IndexCorrupt as error:
            return [str(error)]
        except IndexMissing:
            if stamp is None:
                raise
            return [f"{self.root / 'catalog.db'} is missing or empty; fill the index anew with: rag index FOLDER"]
        finally:
            self._seal = None

    def begin_anew(self) -> None:
        """Forget what another process opened: after a fork, its connections and locks are not ours."""
        _of_parents.append((self._catalogs, self._indexes))  # closing them here would take locks from the parent
        self._catalogs, self._indexes = [], OpenIndexes(self.root)

    def close(self) -> None:
        """Close all connections."""
        while self._catalogs:
            self._catalogs.pop().close()
        self._indexes.forget()

    def set_aside_if_damaged(self) -> SetAside | None:
        """Move an unreadable catalog out of the way, kept under another name, so that a new one can be made.

        Returns what was moved; None where the catalog is sound, also when it cannot be opened just now, or there is
        none. Raises `IndexLocked`, and `StoreError` where the file cannot be read for want of permission or space.
        """
        path = self.root / "catalog.db"
        if not path.exists():
            return None
        with locked(self.root / "LOCK"):
            damage = damage_of(path)
            if damage is None:
                seal.take_off(self.root)  # opening it to write may have brought its log into it
                return None
            self.close()
            return set_aside(path, damage)

    @contextmanager
    def _catalog(self) -> Iterator[Catalog]:
        self._check_seal()
        catalog = None
        with suppress(IndexError):
            catalog = self._catalogs.pop()
        if catalog and not catalog.is_current:  # its file was deleted, or another index has taken its place
            catalog.close()
            self.close()  # what was kept in memory is of that file as well
            catalog = None
        catalog = catalog or Catalog(self.root / "catalog.db")
        try:
            with catalog.guarded():
                yield catalog
        except BaseException:
            catalog.close()
            raise
        if holds_nothing(catalog):  # its file may be withdrawn, and another take its place
            catalog.close()
        else:
            self._catalogs.append(catalog)


def _after_fork() -> None:
    for store in list(_stores):
        store.begin_anew()


os.register_at_fork(after_in_child=_after_fork)
