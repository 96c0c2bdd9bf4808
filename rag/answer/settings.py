"""The numbers of the extractive answerer: when it answers, when it refuses, how much it quotes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Evidence:
    """How the reader's scores and retrieval's are weighed into one probability that a passage answers.

    A logistic model (Platt 1999) of the reader's answerable logit and span margin, the best sentence's share of the
    question's terms, the cosine of question and passage, and whether the short answer is of the kind that is asked
    for. Where the passage may answer, the reader looks again, at its best sentence alone, or at two, and its scores
    are the means of both looks: what deceives it in one often does not in the other.

    The weights were fitted by `python benchmarks/reader/combine.py` on squad20_A, pages.jsonl, news.jsonl, news2.jsonl;
    `threshold`, `closest` and `whole` were chosen on people_A (benchmarks/people.md): figures on these are no results.

    Attributes:
        answerable: the weight of the reader's answerable logit.
        margin: of its span margin.
        coverage: of the best sentence's share of the question's terms.
        cosine: of the cosine of question and passage.
        unlike: what is taken off where the short answer is of the wrong kind, as no number for `How many`.
        lacking: what a passage loses that lacks a name, number or date of the question.
        bias: the constant.
        later: the weight of the second look in the means.
        always: how many passages are read however retrieval scores them: of a handful, even the second may have 0.
        near: the least score of retrieval, as a share of the best one's, of any other passage that is read.
        first: how many are read first.
        further: the least probability of one of these at which the others are read as well.
        again: the least probability of a passage whose best sentences are read again.
        second: the least share of the answer's beginning of a second sentence that is read again.
        price: what each further token of a short answer takes from its score, after two looks.
        threshold: the least probability of a plain answer; below it, quotations come under a notice.
        yes_no_threshold: the same, for questions that want yes or no.
        closest: the least probability of a sentence that is quoted so: below it, the question is refused,
        whole: unless a sentence has this share of the question's terms.
    """

    answerable: float = 0.34
    margin: float = 0.28
    coverage: float = 3.0
    cosine: float = 7.0
    unlike: float = 1.1
    lacking: float = 5.0
    bias: float = -8.1
    later: float = 0.35
    always: int = 3
    near: float = 0.6
    first: int = 6
    further: float = 0.02
    again: float = 0.06
    second: float = 0.1
    price: float = 0.03
    threshold: float = 0.22
    yes_no_threshold: float = 0.35
    closest: float = 0.03
    whole: float = 0.9

    def probability(self, signals: Sequence[float]) -> float:
        """Return the probability that a passage with these signals, in the order of the weights, answers."""
        weights = (self.answerable, self.margin, self.coverage, self.cosine, self.unlike)
        return _sigmoid(math.fsum(weight * signal for weight, signal in zip(weights, signals, strict=True)) + self.bias)

    def lowered(self, score: float) -> float:
        """Return the score of a sentence whose passage lacks something that the question takes for granted."""
        inside = min(max(score, 1e-9), 1 - 1e-9)
        return _sigmoid(math.log(inside / (1 - inside)) - self.lacking) if score else 0.0


@dataclass(frozen=True, slots=True)
class Quoting:
    """Which sentences make up an answer. Chosen by hand on news.jsonl; `beside` and `near` on people_A.

    Attributes:
        longest: sentences in an answer at most.
        beside: the share of the best one's score from which on a neighbour is quoted with it.
        near: a further sentence is quoted when its score is at least this share of the best one's.
        support: a sentence of the same passage is quoted beside the best one when it holds so much more of what was
            asked: "Who said that ...?" is answered by the name, and shown by what was said.
        nearest: passages shown with a refusal.
        items: of a list, quoted at most.
        marked: the least certainty of the words that are marked in a sentence that answers plainly,
        marked_closest: and in one that only comes closest. Both were chosen on people_A.
        short: the least score of a sentence whose short answer is given.
        short_cell: the same, of the row of a table.
    """

    longest: int = 3
    beside: float = 0.2
    near: float = 0.7
    support: float = 0.25
    nearest: int = 5
    items: int = 12
    marked: float = 0.3
    marked_closest: float = 0.6
    short: float = 0.8
    short_cell: float = 0.6


@dataclass(frozen=True, slots=True)
class Speech:
    """How the words of the speaker that a question asks for are weighed. Chosen by hand on news.jsonl and the seeds.

    Attributes:
        own: the score of the speaker's words when they hold all that was asked about.
        about: the share of it that they need.
        following: what a sentence behind them has of their score.
        others: what any other sentence keeps of its own.
        unnamed: what is left of the words of somebody else that do not name the asked one.
    """

    own: float = 0.8
    about: float = 0.5
    following: float = 0.8
    others: float = 0.5
    unnamed: float = 0.2


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What it takes for a sentence to be shown as the other side. Chosen by hand on ramdocs_A and xquad_en_A.

    Attributes:
        score: what a side needs at least.
        near: the share of the best sentence's score that it needs.
        covered: the share of the question's terms that it needs.
        near_alike: the share of the best sentence's score that is enough when it says nearly the same words.
        alike: words in common, of all words of two sentences, from which on they say nearly the same.
        most: sides that are shown.
        disputing: the share of the question's terms in a sentence which says that accounts differ,
        disputed: the share of the threshold that is enough for the other side then,
        reach: and the characters from that sentence to the accounts that it speaks of.
    """

    score: float = 0.4
    near: float = 0.6
    covered: float = 0.75
    near_alike: float = 0.5
    alike: float = 0.6
    most: int = 3
    disputing: float = 0.7
    disputed: float = 1 / 3
    reach: int = 500


@dataclass(frozen=True, slots=True)
class Breadth:
    """Which sentences answer a broad question. Chosen by hand on people_A: figures on it are no results.

    Attributes:
        most: quotations at most.
        near: the share of the best one's score that a sentence needs.
        alike: words in common, of all words of two sentences, from which on the second repeats the first.
        shortest: characters of a sentence that is quoted.
        cosine: the weight of the cosine of question and sentence.
        coverage: of the share of the question's terms in it.
        reader: of the reader's score.
        lead: of standing at the beginning of its document.
        passage: of its passage's score.
        opening: characters from the beginning at which that ends.
        least: the cosine that one sentence needs for an answer.
    """

    most: int = 7
    near: float = 0.5
    alike: float = 0.5
    shortest: int = 45
    cosine: float = 1.0
    coverage: float = 0.5
    reader: float = 1.5
    lead: float = 0.4
    passage: float = 1.0
    opening: int = 600
    least: float = 0.3


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, logit))))
