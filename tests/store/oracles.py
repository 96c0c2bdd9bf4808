"""What a store must find, counted plainly from its passages."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from rag.language.terms import terms
from rag.models.encoder import HashEmbedder
from tests.conftest import all_passages

if TYPE_CHECKING:
    from rag.library import Library


HALF = 5e-4
"""What float16, as vectors are stored, may make of a cosine."""


def dense_oracle(library: Library, question: str) -> list[tuple[str, float]]:
    """All passages with their cosine, best first."""
    passages = all_passages(library)
    vectors = HashEmbedder().embed([p.retrieval_text for p in passages])
    scores = vectors @ HashEmbedder().embed_query(question)
    return sorted(((p.id, float(s)) for p, s in zip(passages, scores, strict=True)), key=lambda pair: -pair[1])


def bm25_oracle(library: Library, question: str) -> dict[str, float]:
    """BM25 with k1 1.2 and b 0.75 (Robertson, Zaragoza 2009) of all passages that share a term."""
    bags = {p.id: Counter(terms(p.retrieval_text)) for p in all_passages(library)}
    mean = sum(sum(bag.values()) for bag in bags.values()) / len(bags)
    scores: dict[str, float] = {}
    for term in set(terms(question)):
        having = [id_ for id_, bag in bags.items() if term in bag]
        idf = math.log(1 + (len(bags) - len(having) + 0.5) / (len(having) + 0.5))
        for id_ in having:
            count, length = bags[id_][term], sum(bags[id_].values())
            norm = 1.2 * (1 - 0.75 + 0.75 * length / mean)
            scores[id_] = scores.get(id_, 0.0) + idf * count * 2.2 / (count + norm)
    return scores
