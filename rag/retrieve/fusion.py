"""Candidates of both halves -> one ranking. All numbers that were chosen, with what chose them, are in `Fusion`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from rag.language.terms import term_weights, terms, words
from rag.records import Hit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from rag.models.encoder import Vectors, WordVectors
    from rag.records import Filter, Passage
    from rag.records.index import Found
    from rag.store.protocol import StoreSnapshot

    Scores = Mapping[str, float]

_SHINGLE = 3  # words that stand together, as near copies are known by


@dataclass(frozen=True, slots=True)
class Fusion:
    """How signals are combined: a convex combination, each normalised over the candidates of a question.

    The dense signal is scaled from its lowest to its highest candidate, lexical ones from zero to their highest
    (Bruch, Gai, Ingber 2023, "An Analysis of Fusion Functions for Hybrid Retrieval"). Reciprocal rank fusion lost to
    BM25 alone on news articles. The weights were fitted on eight public sets by coordinate ascent, with each set left
    out in turn, and then rounded; that of `words` was put beside them later, and all scaled to add up to 1.
    benchmarks/retrieval/README.md has the scores without each signal and the commands that measure them again.
    """

    dense: float = 0.31  # weight of the cosine between question and passage
    document: float = 0.14  # weight of the cosine between question and the passage's whole document
    words: float = 0.15  # weight of late interaction: how near each word of the question comes to one of the passage
    terms: float = 0.24  # weight of BM25 over words
    grams: float = 0.16  # weight of BM25 over pieces of four characters: other spellings, compounds, typing errors
    reader: float = 0.3  # weight of the probability that a passage answers, by our reader, beside the 1 of all above
    reranker: float = 0.5  # the same of any other reranker, of its scores from their lowest to their highest
    candidates: int = 100  # passages of each half that are considered
    reranked: int = 12  # of the best passages that a reranker reads,
    always: int = 3  # our reader so many of these in any case,
    near: float = 0.6  # and of the others those with this share of the best one's score, as for an answer
    shortlist: int = 40  # of the best by all other signals: only their pieces, and missing terms, are looked up
    copies: int = 2  # times the passages wanted are looked at where some of them are copies
    alike: float = 0.8  # share of the runs of words of two near copies that both have

    def to_rerank(self, scores: Scores, *, all_of_them: bool) -> list[str]:
        """Return the ids of the passages that a reranker reads, of `scores` with the best first.

        A reranker whose scores mean nothing by themselves has to read `all_of_them` to tell them apart.
        """
        first = list(scores)[: self.reranked]
        if all_of_them:
            return first
        return [first[at] for at in likely([scores[id_] for id_ in first], self.always, self.near)]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Passage ids with their scores, best first, and what each half found."""

    scores: dict[str, float]
    dense: Sequence[Found]
    lexical: Sequence[Found]
    cosines: Scores

    def hits(self, passages: Iterable[Passage], scores: Scores, judged: Scores) -> list[Hit]:
        """Return passages as hits with their final scores, what a reranker judged, and their part in both halves."""
        dense, lexical = ({hit.id: rank for rank, hit in enumerate(half, 1)} for half in (self.dense, self.lexical))
        bm25 = {hit.id: hit.score for hit in self.lexical}
        return [
            Hit(
                passage=p,
                score=scores[p.id],
                dense_rank=dense.get(p.id),
                lexical_rank=lexical.get(p.id),
                dense_score=self.cosines.get(p.id),
                lexical_score=bm25.get(p.id),
                reranker_score=judged.get(p.id),
            )
            for p in passages
        ]


def ranking(
    snapshot: StoreSnapshot, question: str, query: Vectors, words: WordVectors, fusion: Fusion, where: Filter | None
) -> Ranking:
    """Rank the candidates of both halves for a question, of which `query` is the unit vector, shape (dimension,).

    Scores of given passages are what the lexical index takes longest for: only the shortlist is looked up there.
    """
    dense = snapshot.dense(query, fusion.candidates, where)
    lexical = snapshot.lexical(question, fusion.candidates, where)
    ids = list(dict.fromkeys(found.id for found in (*dense, *lexical)))
    cosines = {found.id: found.score for found in dense}
    cosines |= snapshot.similarities(query, [id_ for id_ in ids if id_ not in cosines])
    known = {found.id: found.score for found in lexical}
    literal = from_zero(known)
    waiting = {id_: literal.get(id_, 0.0) for id_ in ids if id_ not in cosines}  # no vector yet: terms stand in for it
    near: list[tuple[float, Callable[[], Scores]]] = [
        (fusion.dense, lambda: cosines),
        (fusion.document, lambda: snapshot.document_similarities(query, list(cosines))),
        (fusion.words, lambda: _late_interaction(snapshot, words, ids)),
    ]
    signals: list[tuple[float, Scores]] = [
        (weight, {**normalised(signal()), **waiting}) for weight, signal in near if weight
    ]
    shortlist = list(combined(ids, [*signals, (fusion.terms, literal)]))[: fusion.shortlist]
    if fusion.terms:
        others = [id_ for id_ in shortlist if id_ not in known]
        signals.append((fusion.terms, from_zero({**known, **snapshot.term_scores(term_weights(question), others)})))
    if fusion.grams:
        signals.append((fusion.grams, from_zero(snapshot.gram_scores(question, shortlist))))
    return Ranking(combined(ids, signals), dense, lexical, cosines)


def combined(ids: Iterable[str], signals: Sequence[tuple[float, Scores]]) -> dict[str, float]:
    """Add up weighted signals, 0 where one is silent; best first, ties by id."""
    scores = {id_: sum(weight * signal.get(id_, 0.0) for weight, signal in signals) for id_ in ids}
    return dict(sorted(scores.items(), key=lambda item: (-item[1], item[0])))


def reranked(scores: Scores, judged: Scores, weight: float) -> dict[str, float]:
    """Order anew by what a reranker says of the best passages, from 0 to 1; they only gain. Scores stay in 0 to 1."""
    return combined(scores, [(1 / (1 + weight), scores), (weight / (1 + weight), judged)])


def likely(scores: Sequence[float], always: int, near: float) -> list[int]:
    """Return the places of passages worth reading: the first `always`, and others with this share of the best score."""
    least = near * max(scores, default=0.0)
    return [at for at, score in enumerate(scores) if at < always or score >= least]


def _late_interaction(snapshot: StoreSnapshot, words: WordVectors, ids: Sequence[str]) -> Scores:
    """Match each word of the question with its best in a passage; it counts as much as its rarest term is rare."""
    found = [terms(word) for word in words.texts]
    rarity = snapshot.rarity({term for each in found for term in each})
    weights = np.array([max(rarity[term] for term in each) for each in found], np.float32)
    share = weights / weights.sum() if len(weights) else weights
    return snapshot.word_similarities(words.vectors, np.asarray(share, np.float32), ids)


def normalised(scores: Scores) -> dict[str, float]:
    """Return scores of any scale as ones from 0, the lowest, to 1."""
    low, high = min(scores.values(), default=0.0), max(scores.values(), default=0.0)
    return {id_: (score - low) / (high - low) if high > low else float(score > 0) for id_, score in scores.items()}


def from_zero(scores: Scores) -> dict[str, float]:
    """Return scores as shares of the highest; nothing where none is above 0."""
    top = max(scores.values(), default=0.0)
    return {id_: score / top for id_, score in scores.items()} if top > 0 else {}


def copies_apart(ranked: Iterable[Passage], share: float) -> tuple[list[Passage], list[Passage]]:
    """Set passages that copy a better one apart from all others; both keep their order.

    A copy, such as a wire story in a second paper, has the same words but for a few, and just the same numbers: reports
    that differ in a number contradict each other, and both are wanted. Likeness is the resemblance of Broder 1997, "On
    the resemblance and containment of documents": the share of runs of three words that are in both.
    """
    seen: dict[tuple[str, ...], list[tuple[str, ...]]] = {}  # words of the passages with the same numbers
    runs = cache(_runs)
    first: list[Passage] = []
    again: list[Passage] = []
    for passage in ranked:
        found = tuple(words(passage.text.casefold()))
        numbers = tuple(word for word in found if not word.isalpha() and any(char.isdigit() for char in word))
        alike = seen.setdefault(numbers, [])
        copies = any(len(runs(found) & runs(other)) >= share * len(runs(found) | runs(other)) for other in alike)
        (again if copies else first).append(passage)
        alike.append(found)
    return first, again


def _runs(words: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    return frozenset(words[i : i + _SHINGLE] for i in range(max(1, len(words) - _SHINGLE + 1)))
