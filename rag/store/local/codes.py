"""Words' vectors as the catalog keeps them: the signs of every other component, 24 bytes a word for 384 dimensions.

benchmarks/retrieval/README.md has what that loses against whole vectors: nothing that could be measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rag.store.local.rows import decoding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rag.models.encoder import Vectors


def pack(vectors: Vectors) -> bytes:
    """Encode vectors of shape (words, dimension), row after row."""
    return np.packbits(vectors[:, ::2] > 0, axis=1).tobytes()


def similarities(asked: Vectors, weights: Vectors, packed: Mapping[str, bytes]) -> dict[str, float]:
    """Return how well each text matches: the weighted mean, over words asked for, of the best cosine with one of its.

    Args:
        asked: unit vectors, shape (words, dimension).
        weights: of these words, shape (words,).
        packed: the words of each text; those without any are left out.

    Raises:
        IndexCorrupt: what is packed has another dimension.
    """
    halves = asked[:, ::2]
    bits, width = halves.shape[1], -(-halves.shape[1] // 8)
    found = {id_: row for id_, row in packed.items() if row}
    if not found or not len(asked):
        return {}
    with decoding("the words of a passage"):
        rows = np.frombuffer(b"".join(found.values()), np.uint8).reshape(-1, width)
        lengths = [len(row) / width for row in found.values()]
        starts = np.cumsum([0, *lengths[:-1]]).astype(np.int64)
        if any(length % 1 for length in lengths):
            raise ValueError(f"not {width} bytes a word")
    signs = np.unpackbits(rows, axis=1, count=bits).astype(np.float32) * 2 - 1
    units = halves / np.maximum(np.linalg.norm(halves, axis=1, keepdims=True), 1e-12)
    best = np.maximum.reduceat(signs @ units.T / np.sqrt(bits), starts, axis=0)
    return dict(zip(found, (best @ weights).tolist(), strict=True))
