"""`rag verify`: check every promise of an index again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rag.errors import IndexCorrupt
from rag.local import lexical, vectors
from rag.local.catalog import text_key
from rag.local.vectors import VectorFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rag.local.catalog import Catalog


def damages(root: Path, catalog: Catalog) -> list[str]:
    """Return one line for each damage found; none means sound."""
    return [*catalog.check(), *_passages(catalog), *_vectors(root, catalog), *_lexical(root, catalog)]


def _passages(catalog: Catalog) -> Iterator[str]:
    """Cut each passage out of its document again: text, id and sentences must come out the same."""
    by_uri: dict[str, list[str]] = {}
    for passage in catalog.passages():
        by_uri.setdefault(passage.uri, []).append(passage.id)
    for uri, ids in by_uri.items():
        document = catalog.document(uri)
        for passage in catalog.passages(ids):
            try:
                again = document.passage(passage.span, passage.sentences)
            except ValueError as error:
                yield f"catalog.db: passage {passage.id}: {error}"
                continue
            if again != passage:
                yield f"catalog.db: passage {passage.id} of {uri} is not what its document says"


def _vectors(root: Path, catalog: Catalog) -> Iterator[str]:
    recipe, name = catalog.recipe, catalog.get("vectors_file")
    if recipe is None or name is None:
        return
    try:
        vectors.read(root, VectorFile(name, int(catalog.get("vectors_size") or 0), catalog.get("vectors_sha256") or ""))
    except IndexCorrupt as error:
        yield str(error)
    for passage in catalog.passages():
        for _, data in catalog.vectors_by_id(recipe.fingerprint, [passage.id]):
            vector = np.frombuffer(data, np.float32)
            if vector.shape != (recipe.dimension,) or not abs(float(vector @ vector) - 1) < 1e-3:
                yield f"catalog.db: the vector {text_key(passage)[:12]} of {passage.uri} is not a unit vector"


def _lexical(root: Path, catalog: Catalog) -> Iterator[str]:
    if not catalog.count("passages"):
        return
    whole = catalog.get("lexical") == "whole"
    index = lexical.open_folder(root / "lexical", write=False) if whole else None
    if index is None:
        yield f"{root / 'lexical'} is missing or damaged; the next rag index writes it anew"
        return
    indexed, known = set(index.ids()), catalog.passage_ids()
    extra = indexed - known - catalog.unsettled()
    if known - indexed:
        yield f"{root / 'lexical'}: {len(known - indexed)} passages are missing"
    if extra:
        yield f"{root / 'lexical'}: {len(extra)} passages too many"
