"""Measures: of retrieval by ir-measures (pytrec_eval), of short answers as SQuAD does (Rajpurkar et al. 2016)."""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rag.evaluate.dataset import LabelledQuestion
    from rag.records import Answer

RANKING = ("ndcg@10", "recall@10", "mrr@10", "hit@1", "hit@5")
ANSWER = ("sentence_hit@1", "exact_match", "f1")

Scores = dict[str, float]


def ranking_scores(relevant: Mapping[str, Mapping[str, int]], ranked: Mapping[str, Sequence[str]]) -> dict[str, Scores]:
    """Measure the documents ranked for each question; nDCG gains `2**grade - 1`, discounted by log2(rank + 1)."""
    import ir_measures
    from ir_measures import RR, R, Success, nDCG

    gains = {grade: 2**grade - 1 for grades in relevant.values() for grade in grades.values()}
    measures = (nDCG(gains=gains) @ 10, R @ 10, RR @ 10, Success @ 1, Success @ 5)
    names = {str(measure): name for measure, name in zip(measures, RANKING, strict=True)}
    qrels = [ir_measures.Qrel(id_, uri, grade) for id_, grades in relevant.items() for uri, grade in grades.items()]
    run = [ir_measures.ScoredDoc(id_, uri, -float(rank)) for id_ in relevant for rank, uri in enumerate(ranked[id_])]
    scores: dict[str, Scores] = {id_: {} for id_ in relevant}
    for found in ir_measures.iter_calc(measures, qrels, run):
        scores[found.query_id][names[str(found.measure)]] = float(found.value)
    return scores


def answer_scores(question: LabelledQuestion, answer: Answer) -> Scores:
    """Measure the answer to an answerable question as far as the set says what is right; a refusal gets 0 everywhere.

    `sentence_hit@1`: the first cited sentence holds one of the answers or a piece of evidence, or is part of one.
    """
    short = answer.short_answer.text if answer.short_answer else ""
    first = answer.citations[0].quote if answer.citations else ""
    scores: Scores = {}
    if question.answers or question.evidence:
        scores["sentence_hit@1"] = float(_holds(first, question))
    if question.answers:
        scores["exact_match"] = max(float(normal(short) == normal(gold)) for gold in question.answers) if short else 0.0
        scores["f1"] = max(f1(short, gold) for gold in question.answers) if short else 0.0
    return scores


def _holds(quote: str, question: LabelledQuestion) -> bool:
    quoted = f" {_plain(quote)} "
    if not quoted.strip():
        return False
    evidence = [f" {_plain(piece)} " for piece in question.evidence]
    held = [f" {_plain(answer)} " for answer in question.answers] + evidence
    return any(piece.strip() and piece in quoted for piece in held) or any(quoted in piece for piece in evidence)


def normal(text: str) -> str:
    """Return `text` as SQuAD compares answers: in lower case, without punctuation, articles and extra white space."""
    bare = "".join(char for char in text.lower() if char not in string.punctuation)
    return " ".join(re.sub(r"\b(?:a|an|the)\b", " ", bare).split())


def _plain(text: str) -> str:
    """Return `text` as `normal` does, also without typographic quotation marks: `“The Mole”` holds `The Mole`."""
    return normal("".join(char for char in text if unicodedata.category(char) not in ("Pi", "Pf")))


def f1(given: str, gold: str) -> float:
    """Return the harmonic mean of precision and recall of words."""
    mine, theirs = normal(given).split(), normal(gold).split()
    if not mine or not theirs:
        return float(mine == theirs)
    shared = sum((Counter(mine) & Counter(theirs)).values())
    return 2 * shared / (len(mine) + len(theirs))


def abstention(refused: Sequence[bool], answerable: Sequence[bool], confidence: Sequence[float | None]) -> Scores:
    """Measure refusals: precision, recall, and how well confidence tells answerable questions (area under the ROC).

    A value is absent where it is not defined: nothing refused, nothing to refuse, no confidence given.
    """
    right = sum(no and not can for no, can in zip(refused, answerable, strict=True))
    unanswerable = sum(not can for can in answerable)
    scores: Scores = {}
    if any(refused):
        scores["precision"] = right / sum(refused)
    if unanswerable:
        scores["recall"] = right / unanswerable
    given = [value for value in confidence if value is not None]
    if len(given) == len(confidence) and 0 < unanswerable < len(answerable):
        scores["auroc"] = _auroc(given, answerable)
    return scores


def _auroc(values: Sequence[float], positive: Sequence[bool]) -> float:
    """Return the probability that a positive has the higher value, a tie counting half (Mann-Whitney)."""
    import numpy as np

    high = np.array([v for v, p in zip(values, positive, strict=True) if p])
    low = np.sort([v for v, p in zip(values, positive, strict=True) if not p])
    below = np.searchsorted(low, high, "left") + np.searchsorted(low, high, "right")
    return float(below.mean() / (2 * len(low)))
