"""`rag verify`: check every promise of an index again."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rag.errors import IndexCorrupt
from rag.store.local import lexical, segments, vectors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rag.records import Document
    from rag.store.local.catalog import Catalog


def damages(root: Path, catalog: Catalog) -> list[str]:
    """Return one line for each damage found; none means sound."""
    found: list[str] = []
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
    return list(dict.fromkeys(found))


@contextmanager
def _collected(found: list[str], catalog: Catalog) -> Iterator[None]:
    """Make a damage that ends a check one more line, and go on with the next check."""
    try:
        with catalog.guarded():
            yield
    except IndexCorrupt as error:
        found.append(str(error))


def _document(catalog: Catalog, document: Document) -> list[str]:
    """Cut each passage out of its document again: text, id and sentences must come out the same."""
    found: list[str] = []
    for id_ in sorted(catalog.passage_ids(document.uri)):
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


def _vectors(root: Path, catalog: Catalog) -> list[str]:
    recipe = catalog.recipe
    if recipe is None or catalog.get("vectors_file") is None:
        return []
    found: list[str] = []
    with _collected(found, catalog):
        vectors.read_published(root, catalog)
    for number, data in catalog.vectors(recipe.fingerprint, catalog.numbers(recipe.fingerprint)):
        with _collected(found, catalog):
            vector = vectors.matrix([data], recipe.dimension)[0]
            if not abs(float(vector @ vector) - 1) < 1e-3:
                id_ = catalog.ids_of([number])[number]
                found.append(f"catalog.db: the vector of passage {id_} is not a unit vector")
    return found


def _lexical(root: Path, catalog: Catalog) -> list[str]:
    if not catalog.count("passages"):
        return []
    state = catalog.get("lexical")
    if state not in {"whole", "moved"}:
        return []  # not written yet: a new index whose first run was stopped; the catalog knows
    folder = lexical.present(root, moved=state == "moved")
    found = segments.damages(folder)
    if found:
        return [f"{line}; the next rag index writes it anew" for line in found]
    indexed, known = set(lexical.Lexical(folder).ids()), catalog.passage_ids()
    extra = indexed - known - catalog.unsettled()
    if known - indexed:
        found.append(f"{folder}: {len(known - indexed)} passages are missing")
    if extra:
        found.append(f"{folder}: {len(extra)} passages too many")
    return found
