"""What a set is measured with: this project's retriever, and the plain ways to rank that it has to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rag.library import Library
    from rag.models.encoder import Vectors
    from rag.store.protocol import StoreSnapshot

DEPTH = 100  # passages of each half that are ranked
OWN = ("fused", "ours")  # without and with the reranker
SYSTEMS = ("bm25", "dense", "rrf", "convex", *OWN)


def ranked_documents(library: Library, question: str, system: str) -> list[str]:
    """Return the URIs of the documents that a system finds, in the order of each one's best passage."""
    if system in OWN:
        search = library.search if system == "ours" else library.retriever.fused
        return list(dict.fromkeys(hit.passage.uri for hit in search(question, DEPTH)))
    with library.store.snapshot() as snapshot:
        query = library.retriever.embedder(snapshot).embed_query(question)
        ids = list(_baseline(snapshot, question, query, system))
        passages = snapshot.passages(ids)
        return list(dict.fromkeys(passages[id_].uri for id_ in ids))


def _baseline(snapshot: StoreSnapshot, question: str, query: Vectors, system: str) -> Iterable[str]:
    from rag.retrieve.fusion import combined, from_zero, normalised  # brings numpy with it

    if system == "bm25":
        return [found.id for found in snapshot.lexical(question, DEPTH)]
    dense = snapshot.dense(query, DEPTH)
    if system == "dense":
        return [found.id for found in dense]
    lexical = snapshot.lexical(question, DEPTH)
    ids = list(dict.fromkeys(found.id for found in (*dense, *lexical)))
    if system == "rrf":  # reciprocal rank fusion (Cormack, Clarke, Buettcher 2009)
        halves = ({found.id: 1 / (60 + rank) for rank, found in enumerate(half, 1)} for half in (dense, lexical))
        return combined(ids, [(1.0, ranks) for ranks in halves])
    # normalised over the candidates, min-max and from zero (Bruch et al. 2023)
    bm25 = from_zero({found.id: found.score for found in lexical})
    return combined(ids, [(0.6, normalised(snapshot.similarities(query, ids))), (0.4, bm25)])
