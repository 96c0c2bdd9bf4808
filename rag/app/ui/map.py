"""A map of the passages: nearby ones are about similar things, and a question lights up what it found.

The two axes are the principal components of the passages' vectors (Hotelling 1933): the same index gives the same map,
and what is found can be placed on it without drawing it anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from rag.models.encoder import Vectors
    from rag.records import Passage
    from rag.store.local import LocalSnapshot, LocalStore

MOST_POINTS = 2_000


@dataclass(frozen=True, slots=True)
class Point:
    """A passage on the map: where it stands in its document, and `x` and `y` from 0 to 1, `y` downwards."""

    document: str
    title: str
    start: int
    end: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Projection:
    """From vectors, shape (n, dimension), to places on the map, shape (n, 2), from 0 to 1."""

    mean: NDArray[np.float64]
    axes: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @classmethod
    def of(cls, vectors: Vectors) -> Projection:
        """Find the two directions in which these vectors differ the most; each points to its largest component."""
        mean = vectors.mean(axis=0, dtype=np.float64) if len(vectors) else np.zeros(vectors.shape[1])
        centred = vectors.astype(np.float64) - mean
        _, found = np.linalg.eigh(centred.T @ centred)  # in ascending order of variance
        axes = found[:, :-3:-1]
        axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), range(axes.shape[1])])
        places = centred @ axes if len(vectors) else np.zeros((1, axes.shape[1]))
        return cls(mean, axes, places.min(axis=0), places.max(axis=0))

    def __call__(self, vectors: Vectors) -> NDArray[np.float64]:
        """Place vectors; those beyond the ones that it was made of, at the edge."""
        places = (vectors - self.mean) @ self.axes
        size = self.high - self.low
        inside = np.where(size > 1e-9, (places - self.low) / np.maximum(size, 1e-9), 0.5)
        return np.clip(inside, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class PassageMap:
    """A sample of the passages, evenly spread, of `total`; `generation` is that of the index it shows."""

    points: tuple[Point, ...]
    total: int
    generation: int
    projection: Projection


class CurrentMap:
    """The map of an index as it is now: drawn once for each generation, kept as long as the index stays."""

    def __init__(self, store: LocalStore) -> None:
        self._store = store
        self._map: PassageMap | None = None

    def of(self, found: Sequence[Passage] = ()) -> tuple[PassageMap, tuple[Point, ...]]:
        """Return the map, and where on it these passages are; raises `IndexMissing`."""
        with self._store.snapshot() as snapshot:
            if self._map is None or self._map.generation != snapshot.generation:
                self._map = passage_map(snapshot)
            return self._map, found_points(self._map, snapshot, found)


def passage_map(snapshot: LocalSnapshot) -> PassageMap:
    """Draw at most 2,000 passages of an index."""
    vectors = snapshot.vectors(snapshot.sample(MOST_POINTS))
    projection = Projection.of(_matrix(vectors, snapshot.recipe.dimension))
    points = _points(snapshot, vectors, projection)
    return PassageMap(tuple(points), snapshot.passage_count(), snapshot.generation, projection)


def found_points(map_: PassageMap, snapshot: LocalSnapshot, passages: Sequence[Passage]) -> tuple[Point, ...]:
    """Place what a question found, in its order; those without a vector are left out."""
    vectors = snapshot.vectors([passage.id for passage in passages])
    return tuple(_points(snapshot, vectors, map_.projection))


def _points(snapshot: LocalSnapshot, vectors: dict[str, Vectors], projection: Projection) -> Iterator[Point]:
    passages = snapshot.passages(vectors)
    places = projection(_matrix(vectors, snapshot.recipe.dimension)).tolist()
    for (id_, _), (x, y) in zip(vectors.items(), places, strict=True):
        passage = passages[id_]
        yield Point(passage.uri, passage.name, passage.span.start, passage.span.end, round(x, 4), round(y, 4))


def _matrix(vectors: dict[str, Vectors], dimension: int) -> Vectors:
    return np.stack(list(vectors.values())) if vectors else np.zeros((0, dimension), np.float32)
