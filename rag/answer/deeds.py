"""Grave things that are said of people: a sentence that does not say them is no answer about who it was, or when.

The reader fills a question that takes them for granted with any name or day nearby: for `When did the chief executive
resign?` the day on which she began. So the sentence that answers, or the one before it, has to speak of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.records import Passage, Span

_NAME = re.compile(r"(?<=\s)[A-Z][\w’'-]+")
_WAS = r"\b(?:was|were|is|are|be|been|got)\b(?: [\w.’'-]+){0,5}? "
_DEEDS = [
    (re.compile(asked, re.IGNORECASE), re.compile(said, re.IGNORECASE))
    for asked, said in (
        (
            rf"\barrest(?:s|ed)?\b|{_WAS}detained\b",
            r"arrest|detain|custody|apprehend|captur|caught|taken|held|seiz|raid",
        ),
        (
            rf"\bconvict(?:ed|s)?\b|\bguilty\b|{_WAS}(?:sentenced|jailed|imprisoned)\b",
            r"convict|guilty|sentenc|jail|prison|condemn|verdict|acquit|\byears?\b|\bmonths?\b|\blife\b|behind bars",
        ),
        (
            rf"{_WAS}(?:charged (?:with|over)|accused|indicted|prosecuted|sued)\b",
            r"charg|accus|indict|prosecut|\bsu(?:ed|es|ing|it)\b|lawsuit|alleg|court|claim|trial|tried",
        ),
        (
            r"\b(?:resign(?:ed|s)?|(?:step|stepped|stand|stood) down|quit)\b",
            r"resign|down|aside|quit|le(?:ft|ave|aving)|depart|retir|\bgo(?:es|ne)?\b|went|oust|succe|replac|until|\bend",
        ),
        (
            rf"{_WAS}(?:sacked|fired|dismissed|suspended)\b",
            r"sack|\bfir(?:ed|ing)|dismiss|suspen|remov|oust|let go|terminat|\blos[et]|reliev|replac|axed|drop|expel",
        ),
        (r"\b(?:marry|marries|married|wed)\b", r"marr|wed|wife|husband|spouse|bride|groom|widow"),
    )
]


def leaves_unsaid(question: str, passage: Passage, sentence: Span) -> bool:
    """Tell whether a question speaks of an arrest, a conviction, a resignation or the like, and a sentence does not.

    Args:
        question: what is asked.
        passage: has the sentence.
        sentence: would answer, in code points of the document; the one before it may say what it is about, unless it
            has a name of the question itself.
    """
    asked = [said for question_has, said in _DEEDS if question_has.search(question)]
    if not asked:
        return False
    own = passage.quote(sentence)
    named = any(word in own for word in _NAME.findall(question))
    earlier = (span.start for span in passage.sentences if span.start < sentence.start and not named)
    before = max(earlier, default=sentence.start)
    told = passage.text[max(0, before - passage.span.start) : sentence.end - passage.span.start]
    return not any(said.search(told) for said in asked)
