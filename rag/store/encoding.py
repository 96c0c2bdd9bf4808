"""How texts, vectors and the words of passages are written down in a store.

A vector is kept once, as float16: half the bytes, and a cosine differs by some 0.00001. Words, which late interaction
compares, are the signs of every fourth component, 12 bytes a word for 384 dimensions: benchmarks/retrieval/README.md
has what that loses against whole vectors, nothing that could be measured.
"""

from __future__ import annotations

import hashlib
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from rag.errors import IndexCorrupt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rag.models.encoder import Vectors
    from rag.records import Passage


_EVERY = 4  # component of a word's vector is kept


@contextmanager
def decoding(what: str, where: str = "catalog.db") -> Iterator[None]:
    """Turn whatever decoding something in a store trips over into `IndexCorrupt`."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError, zlib.error) as error:
        reason = f"{type(error).__name__}: {error}"
        raise IndexCorrupt(f"{where}: {what} is damaged ({reason}); rebuild with: rag index --rebuild") from error


def text_key(passage: Passage, model: str) -> bytes:
    """Return the key under which a model's vector of this passage's retrieval text is kept."""
    text = passage.retrieval_text.encode("utf-8", "surrogatepass")
    return key_of(model, hashlib.sha256(text).hexdigest())


def key_of(model: str, text: str) -> bytes:
    """Return the key of a model, by its fingerprint, and a text, by its SHA-256."""
    return hashlib.sha256(f"{model} {text}".encode()).digest()[:16]


def packed_text(text: str) -> bytes:
    """Compress a text."""
    return zlib.compress(text.encode("utf-8", "surrogatepass"))


def unpacked_text(stored: bytes) -> str:
    """Return a text that was compressed; raises what `decoding` turns into `IndexCorrupt`."""
    return zlib.decompress(stored).decode("utf-8", "surrogatepass")


def text_sha256(text: str) -> bytes:
    """Return the checksum of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def checked_text(stored: bytes, sha256: bytes) -> str:
    """Return a compressed text that is what was written; raises `ValueError` otherwise: it must not be quoted."""
    text = unpacked_text(stored)
    if text_sha256(text) != sha256:
        raise ValueError("its checksum is another one")
    return text


def packed_vector(vector: Vectors) -> bytes:
    """Encode a unit vector."""
    return vector.astype(np.float16).tobytes()


def matrix(rows: Iterable[bytes], dimension: int) -> Vectors:
    """Decode stored vectors as float32, shape (rows, dimension); raises `IndexCorrupt`."""
    with decoding("a vector"):
        found = list(rows)
        if any(len(row) != 2 * dimension for row in found):
            raise ValueError(f"not {dimension} numbers")
        return np.frombuffer(b"".join(found), np.float16).reshape(-1, dimension).astype(np.float32)


def direction(vectors: Vectors) -> Vectors:
    """Return the direction of the mean of vectors of shape (rows, dimension)."""
    total = vectors.sum(axis=0)
    return np.asarray(total / max(float(np.linalg.norm(total)), 1e-12), np.float32)


def pack_words(vectors: Vectors) -> bytes:
    """Encode vectors of shape (words, dimension), row after row."""
    return np.packbits(vectors[:, ::_EVERY] > 0, axis=1).tobytes()


def word_similarities(asked: Vectors, weights: Vectors, packed: Mapping[str, bytes]) -> dict[str, float]:
    """Return how well each text matches: the weighted mean, over words asked for, of the best cosine with one of its.

    Args:
        asked: unit vectors, shape (words, dimension).
        weights: of these words, shape (words,); they add up to 1.
        packed: the words of each text; those without any are left out; `IndexCorrupt` for another dimension.
    """
    kept = asked[:, ::_EVERY]
    bits, width = kept.shape[1], -(-kept.shape[1] // 8)
    found = {id_: row for id_, row in packed.items() if row}
    if not found or not len(asked):
        return {}
    with decoding("the words of a passage"):
        rows = np.frombuffer(b"".join(found.values()), np.uint8).reshape(-1, width)
        lengths = [len(row) / width for row in found.values()]
        starts = np.cumsum([0, *lengths[:-1]]).astype(np.int64)
        if any(length % 1 for length in lengths):
            raise ValueError(f"not {width} bytes a word")
    ones = np.unpackbits(rows, axis=1, count=bits).astype(np.float32)
    units = kept / np.maximum(np.linalg.norm(kept, axis=1, keepdims=True), 1e-12)
    sums = np.maximum.reduceat(ones @ units.T, starts, axis=0)
    best = (2 * sums - units.sum(axis=1)) / np.sqrt(bits)  # cosines: a one counts 1, a zero -1
    return dict(zip(found, (best @ weights).tolist(), strict=True))
