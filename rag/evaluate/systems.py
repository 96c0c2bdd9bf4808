"""What a set is measured with: this project's retriever, and the plain ways to rank that it has to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rag.library import Library
    from rag.models.encoder import Vectors
    from rag.records.index import Found
    from rag.store.local import LocalSnapshot

DEPTH = 100
"""Passages of each half that are ranked."""

BASELINES = ("bm25", "dense", "rrf", "convex")
OWN = ("fused", "ours")
"""Without and with the reranker."""

SYSTEMS = (*BASELINES, *OWN)


def ranked_documents(library: Library, question: str, system: str) -> list[str]:
    """Return the URIs of the documents that a system finds, in the order of each one's best passage."""
    if system in OWN:
        search = library.search if system == "ours" else library.retriever.fused
        return list(dict.fromkeys(hit.passage.uri for hit in search(question, DEPTH)))
    with library.store.snapshot() as snapshot:
        query = library.retriever.embedder(snapshot).embed_query(question)
        ids = _baseline(snapshot, question, query, system)
        passages = snapshot.passages(ids)
        return list(dict.fromkeys(passages[id_].uri for id_ in ids))


def _baseline(snapshot: LocalSnapshot, question: str, query: Vectors, system: str) -> list[str]:
    """Rank passages by BM25, by cosine, by reciprocal ranks or by a plain convex combination of both."""
    if system == "bm25":
        return [found.id for found in snapshot.lexical(question, DEPTH)]
    if system == "dense":
        return [found.id for found in snapshot.dense(query, DEPTH)]
    halves = (snapshot.dense(query, DEPTH), snapshot.lexical(question, DEPTH))
    return _rrf(halves) if system == "rrf" else _convex(snapshot, query, halves)


def _rrf(halves: Iterable[Sequence[Found]], k: int = 60) -> list[str]:
    """Reciprocal rank fusion (Cormack, Clarke, Buettcher 2009)."""
    scores: dict[str, float] = {}
    for half in halves:
        for rank, found in enumerate(half, 1):
            scores[found.id] = scores.get(found.id, 0.0) + 1 / (k + rank)
    return _best_first(scores)


def _convex(snapshot: LocalSnapshot, query: Vectors, halves: tuple[Sequence[Found], Sequence[Found]]) -> list[str]:
    """0.6 dense + 0.4 lexical, each normalised over the candidates, min-max and from zero (Bruch et al. 2023)."""
    lexical = {found.id: found.score for found in halves[1]}
    ids = list(dict.fromkeys(found.id for half in halves for found in half))
    dense = snapshot.similarities(query, ids)
    low, high = min(dense.values(), default=0.0), max(dense.values(), default=0.0)
    top = max(lexical.values(), default=0.0)
    span = (high - low) or 1.0
    return _best_first(
        {id_: 0.6 * (dense.get(id_, low) - low) / span + 0.4 * lexical.get(id_, 0.0) / (top or 1.0) for id_ in ids}
    )


def _best_first(scores: Mapping[str, float]) -> list[str]:
    return sorted(scores, key=lambda id_: (-scores[id_], id_))
