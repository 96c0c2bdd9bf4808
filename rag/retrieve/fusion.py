"""Candidates of both halves -> one ranking. All constants of the ranking, with what chose them, are in `Fusion`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.language.terms import term_weights, terms
from rag.models.word_vectors import weights_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from rag.models.encoder import Vectors
    from rag.models.word_vectors import Words
    from rag.records import Filter
    from rag.store.protocol import Found, Snapshot

    Scores = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Fusion:
    """How signals are combined: a convex combination, each normalised over the candidates of a question.

    The dense signal is scaled from its lowest to its highest candidate, lexical ones from zero to their highest
    (Bruch, Gai, Ingber 2023, "An Analysis of Fusion Functions for Hybrid Retrieval"). Reciprocal rank fusion lost to
    BM25 alone on news articles. The weights were fitted on eight public sets by coordinate ascent, with each set left
    out in turn, and then rounded; that of `words` was put beside them later, and all scaled to add up to 1:
    benchmarks/retrieval/README.md has the scores, with and without each signal.

    Attributes:
        dense: weight of the cosine between question and passage.
        document: weight of the cosine between question and the passage's whole document.
        words: weight of late interaction: how near each word of the question comes to one of the passage.
        terms: weight of BM25 over words.
        grams: weight of BM25 over pieces of four characters: other spellings, compounds, typing errors.
        candidates: how many of each half are considered.
        reranked: how many of the best passages a reranker reads.
        reader: weight of the package's reader as reranker, of the probability that a passage answers, beside the 1 of
            all signals above.
        reranker: the same of any other reranker, of its scores from their lowest to their highest.
    """

    dense: float = 0.31
    document: float = 0.14
    words: float = 0.15
    terms: float = 0.24
    grams: float = 0.16
    candidates: int = 100
    reranked: int = 12
    reader: float = 0.3
    reranker: float = 0.5


@dataclass(frozen=True, slots=True)
class Ranking:
    """Passage ids with their scores, best first, and what each half found."""

    scores: dict[str, float]
    dense: Sequence[Found]
    lexical: Sequence[Found]
    cosines: Scores


def ranking(
    snapshot: Snapshot, question: str, query: Vectors, words: Words, fusion: Fusion, where: Filter | None
) -> Ranking:
    """Rank the candidates of both halves for a question.

    Args:
        snapshot: the index.
        question: its text.
        query: its unit vector, shape (dimension,).
        words: its words in their places.
        fusion: the weights.
        where: what a passage has to be.
    """
    dense = snapshot.dense(query, fusion.candidates, where)
    lexical = snapshot.lexical(question, fusion.candidates, where)
    ids = list(dict.fromkeys(found.id for half in (dense, lexical) for found in half))
    cosines = snapshot.similarities(query, ids)
    literal = _from_zero(snapshot.term_scores(term_weights(question), ids))
    waiting = {id_: literal.get(id_, 0.0) for id_ in ids if id_ not in cosines}  # no vector yet: terms stand in for it
    near = {**_from_lowest(cosines), **waiting}
    signals: list[tuple[float, Callable[[], Scores]]] = [
        (fusion.dense, lambda: near),
        (fusion.document, lambda: {**_from_lowest(snapshot.document_similarities(query, list(cosines))), **waiting}),
        (fusion.words, lambda: {**_from_lowest(_late(snapshot, words, ids)), **waiting}),
        (fusion.terms, lambda: literal),
        (fusion.grams, lambda: _from_zero(snapshot.gram_scores(question, ids))),
    ]
    scores = combined(ids, [(weight, signal()) for weight, signal in signals if weight])
    return Ranking(scores, dense, lexical, cosines)


def combined(ids: Iterable[str], signals: Sequence[tuple[float, Scores]]) -> dict[str, float]:
    """Add up weighted signals, 0 where one is silent; best first, ties by id."""
    scores = {id_: sum(weight * signal.get(id_, 0.0) for weight, signal in signals) for id_ in ids}
    return dict(sorted(scores.items(), key=lambda item: (-item[1], item[0])))


def reranked(scores: Scores, judged: Scores, weight: float) -> dict[str, float]:
    """Order the judged passages anew; they were the best, and only gain on all others. Scores stay between 0 and 1.

    Args:
        scores: of all passages, best first.
        judged: what the reranker says of the first of them, from 0 to 1.
        weight: of that.
    """
    return combined(scores, [(1 / (1 + weight), scores), (weight / (1 + weight), judged)])


def normalised(judged: Scores) -> dict[str, float]:
    """Return scores of any scale as ones from 0 to 1."""
    return _from_lowest(judged)


def _late(snapshot: Snapshot, words: Words, ids: Sequence[str]) -> Scores:
    """Match each word of the question with its best in a passage; rare words count more."""
    rarity = snapshot.rarity({term for word in words.texts for term in terms(word)})
    return snapshot.word_similarities(words.vectors, weights_of(words.texts, rarity), ids)


def _from_lowest(scores: Scores) -> dict[str, float]:
    low, high = min(scores.values(), default=0.0), max(scores.values(), default=0.0)
    return {id_: (score - low) / (high - low) if high > low else float(score > 0) for id_, score in scores.items()}


def _from_zero(scores: Scores) -> dict[str, float]:
    top = max(scores.values(), default=0.0)
    return {id_: score / top for id_, score in scores.items()} if top > 0 else {}
