"""Whether a sentence says what its sources say: verbatim, supported or unsupported. All on this machine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.answer.check.faults import CitedText, faults, wrong_numbers
from rag.answer.check.swaps import swapped
from rag.language.detect import language
from rag.language.questions import is_question
from rag.language.terms import terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.answer.check.likeness import Likeness
    from rag.models.encoder import Embedder
    from rag.records import Citation, Support

_QUOTED = re.compile(
    r"“([^“”]+)”|\"([^\"]+)\"|«([^«»]+)»|„([^„“]+)“|(?<!\w)‘([^‘’]+(?:’\w[^‘’]*)*)’(?!\w)|(?<!\w)'([^']+)'(?!\w)"
)
LEAST_SHARED = 0.5
"""The share of a sentence's terms that its source has to have: the least of 77 correct rewordings has 0.6."""

OTHER_LANGUAGE = "its source is in another language, so that only its numbers were checked"
"""The fault of a sentence that the checks, made for one language, cannot judge."""

_WITHOUT_MARKS = str.maketrans("", "", '"“”«»„')


@dataclass(frozen=True, slots=True)
class CheckedSentence:
    """What was found about a sentence."""

    text: str  # what may be shown, without quotation marks that nothing bears out
    support: Support
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class SentenceChecker:
    """Holds sentences against the sources they cite: rules on words first, then the models where none objects.

    Attributes:
        likeness: how probable it is that a source says a sentence.
        encoder: tells a synonym from another thing; without it, words that were swapped are not looked at.
    """

    likeness: Likeness
    encoder: Embedder | None = None

    def check(self, sentence: str, citations: Sequence[Citation]) -> CheckedSentence:
        """Return what was found about one sentence; without citations it is unsupported."""
        if not citations:
            return CheckedSentence(unquoted(sentence, ""), "unsupported", "it names no source")
        if is_verbatim(sentence, citations):
            return CheckedSentence(sentence, "verbatim")
        text = unquoted(sentence, "\n".join(citation.passage.text for citation in citations))
        source = CitedText.of(citations)
        if _differ_in_language(text, source.text):
            return CheckedSentence(text, "unsupported", next(wrong_numbers(text, source), OTHER_LANGUAGE))
        fault = "it asks and answers nothing" if is_question(text) else next(faults(text, source), None)
        if fault is None and not _has_its_words(text, source.spoken):
            fault = "most of its words are not in the source"
        if fault is None and not self.likeness.supports(text, source):
            fault = "the source does not seem to say this"
        if fault is None and self.encoder:
            fault = swapped(text, [citation.quote for citation in citations], self.encoder)
        return CheckedSentence(text, "unsupported" if fault else "supported", fault)


def _has_its_words(text: str, source: str) -> bool:
    wanted = set(terms(text))
    return len(wanted & set(terms(source))) >= LEAST_SHARED * len(wanted)


def _differ_in_language(one: str, other: str) -> bool:
    first, second = language(one), language(other)
    return first is not None and second is not None and first != second


def is_verbatim(sentence: str, citations: Sequence[Citation]) -> bool:
    """Tell whether a sentence is one of the cited ones, or all of them in order: less than a sentence can mislead."""
    wanted, *quotes = (" ".join(text.split()).strip(" .") for text in (sentence, *(c.quote for c in citations)))
    return wanted in {*quotes, " ".join(quotes)}


def unquoted(text: str, sources: str) -> str:
    """Take the quotation marks off whatever the sources do not have letter by letter (white space aside).

    A closing comma or full stop inside the marks may belong to the sentence around them. Marks without a partner go.
    """
    source = " ".join(sources.split())
    parts, position = list[str](), 0
    for match in _QUOTED.finditer(text):
        parts += [text[position : match.start()].translate(_WITHOUT_MARKS), _quotation(match, source)]
        position = match.end()
    return "".join([*parts, text[position:].translate(_WITHOUT_MARKS)])


def _quotation(match: re.Match[str], source: str) -> str:
    words = " ".join(next(filter(None, match.groups())).split())
    bare = words.rstrip(".,;")
    if words in source:
        return match[0]
    if bare and bare in source:  # the stop was put inside by the one who quotes
        return f"{match[0][0]}{bare}{match[0][-1]}{words[len(bare) :]}"
    return unquoted(words, source)
