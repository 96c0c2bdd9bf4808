"""Whether a sentence says what its sources say: verbatim, supported or unsupported. All on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.answer.check.faults import Source, faults
from rag.answer.check.quotations import unquoted
from rag.language.questions import is_question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.answer.check.likeness import Likeness
    from rag.records import Citation, Support


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found about a sentence: `text` is what may be shown, without quotation marks that nothing bears out."""

    text: str
    support: Support
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Judge:
    """Holds sentences against the sources they cite: rules on words first, then how alike the two are.

    Attributes:
        likeness: how probable it is that the sources say what a sentence says, where no rule objects.
    """

    likeness: Likeness

    def check(self, sentence: str, citations: Sequence[Citation]) -> Verdict:
        """Return the verdict on one sentence; without citations it is unsupported."""
        if not citations:
            return Verdict(unquoted(sentence, ""), "unsupported", "it names no source")
        if is_verbatim(sentence, citations):
            return Verdict(sentence, "verbatim")
        text = unquoted(sentence, "\n".join(citation.passage.text for citation in citations))
        source = Source.of(citations)
        fault = "it asks and answers nothing" if is_question(text) else next(faults(text, source), None)
        if fault is None and not self.likeness.supports(text, source):
            fault = "the source does not seem to say this"
        return Verdict(text, "unsupported" if fault else "supported", fault)


def is_verbatim(sentence: str, citations: Sequence[Citation]) -> bool:
    """Tell whether a sentence is one of the cited ones, or all of them in order: less than a sentence can mislead."""
    quotes = [_words(citation.quote) for citation in citations]
    return _words(sentence) in {*quotes, " ".join(quotes)}


def _words(text: str) -> str:
    return " ".join(text.split()).strip(" .")
