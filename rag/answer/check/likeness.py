"""How probable it is that a source says what a sentence says.

A logistic regression on a few counts of words and on the reader's hidden state at [CLS], for the sentence read as a
question to its source: what the reader learned about questions with a changed name, number or "not" serves here too.
Fitted and measured by ``benchmarks/verify.py``; ``head.json`` holds the weights, for one set of reader weights.
"""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from rag.answer.check.faults import contraries, wrong_negations, wrong_numbers
from rag.language.terms import terms
from rag.models.reader import WEIGHTS_SHA256

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.answer.check.faults import CitedText
    from rag.models.reader import SpanBert

HEAD = Path(__file__).parent / "head.json"
THRESHOLD = 0.45  # flags 2 of 172 correct sentences, 0.5 6 of them; both catch the same planted errors
LONGEST = 1500  # characters of a source that are read
NEIGHBOURS = 5  # words apart: neighbours in the sentence should be near each other in its source


class Likeness:
    """Says whether a source supports a sentence. Safe to use from several threads.

    Args:
        network: the one that the weights were fitted on; without it, or with another, counts of words alone decide.
    """

    def __init__(self, network: SpanBert | None) -> None:
        self._weights = json.loads(HEAD.read_text("utf-8"))
        self._network = network if self.reader == WEIGHTS_SHA256 else None

    @property
    def reader(self) -> str:
        """The digest of the reader's weights that these were fitted on."""
        return str(self._weights["reader"])

    def supports(self, claim: str, source: CitedText) -> bool:
        """Tell whether the source supports the sentence; one without words says nothing."""
        state = self._network.state(claim, source.spoken[:LONGEST]) if self._network else ()
        return bool(terms(claim)) and self.probability(counts(claim, source), state) >= THRESHOLD

    def probability(self, counts: Sequence[float], state: Sequence[float] = ()) -> float:
        """Return the probability that a source supports a sentence, of its `counts` and the reader's 384 at [CLS]."""
        weights = [*self._weights["words"], *self._weights["state"]] if state else self._weights["plain"]
        logit = math.fsum(weight * value for weight, value in zip(weights, (*counts, *state), strict=True))
        return 1 / (1 + math.exp(-max(-50.0, min(50.0, logit))))


def counts(claim: str, source: CitedText) -> list[float]:
    """Return what is counted of a sentence and its source.

    The share of its terms in the source, the share of its neighbouring terms that are near each other there, and how
    many numbers, negations and contraries differ, 2 at most; and 1, for the bias.
    """
    mine, theirs = terms(claim), terms(source.spoken)
    there = set(theirs)
    near = {(a, b) for i, a in enumerate(theirs) for b in theirs[max(0, i - NEIGHBOURS) : i + NEIGHBOURS + 1]}
    pairs = list(pairwise(mine))
    shares = [sum(t in there for t in mine) / max(1, len(mine)), sum(p in near for p in pairs) / max(1, len(pairs))]
    differ = (len(list(rule(claim, source))) for rule in (wrong_numbers, wrong_negations, contraries))
    return [*shares, *(min(2, many) for many in differ), 1.0]
