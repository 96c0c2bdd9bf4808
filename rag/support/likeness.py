"""How probable it is that a source says what a sentence says, from the words that they share and how they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.terms import terms

if TYPE_CHECKING:
    from rag.support.faults import Source


@dataclass(frozen=True, slots=True)
class Likeness:
    """Interim: the share of the sentence's terms in the source."""

    threshold: float = 0.6

    def supports(self, claim: str, source: Source) -> bool:
        """Tell whether the source supports the sentence."""
        wanted, there = terms(claim), set(terms(" ".join((source.text, *source.speakers))))
        return bool(wanted) and sum(term in there for term in wanted) >= self.threshold * len(wanted)
