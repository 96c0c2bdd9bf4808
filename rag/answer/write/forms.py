"""Which form an answer is asked for in, and how long: from the question's own words. English."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["sentences", "list", "timeline", "table", "summary"]

_KINDS: dict[Kind, str] = {
    "timeline": r"\btime ?lines?\b|\bchronolog\w+|\bin (?:the )?order of (?:date|time)\b",
    "table": r"\b(?:as|in|make|give me|draw up) (?:me )?an? table\b|\bwho (?:says|said|claims|claimed) what\b",
    "list": r"\b(?:as|in|make|give me) (?:me )?an? (?:\w+ )?list\b|^\W*list\b|\bbullet(?:ed)? points?\b",
    "summary": r"\bsummar(?:y|ies|i[sz]e|i[sz]ing)\b|\bmain points\b|\bkey (?:points|findings)\b|\bsum up\b",
}
_NUMBERS = {
    word: n for n, word in enumerate("one two three four five six seven eight nine ten eleven twelve".split(), 1)
}
_COUNT = re.compile(
    rf"\b(\d{{1,3}}|{'|'.join(_NUMBERS)})(?: (?:short|main|key))?"
    r"[ -](sentence|point|line|item|bullet|row|event|word)s?\b",
    re.IGNORECASE,
)
_BRIEF = re.compile(r"\b(?:brief(?:ly)?|in short|short|in a few words|concise(?:ly)?)\b", re.IGNORECASE)
_LONG = re.compile(r"\b(?:in detail|detailed|thorough(?:ly)?|at length|comprehensive(?:ly)?)\b", re.IGNORECASE)
_USUAL: dict[Kind, int] = {"sentences": 4, "list": 10, "timeline": 12, "table": 12, "summary": 6}
_WORDS_OF_SENTENCE = 20
_MOST = 20

_SAID: dict[Kind, str] = {
    "sentences": "Answer in at most {} short sentences.",
    "list": "Answer with a list of at most {} items, each a full sentence.",
    "timeline": "Answer with a timeline of at most {} events, the earliest first, each with its date.",
    "table": "Answer with at most {} rows: in each, who says something, and what they say.",
    "summary": "Summarise the sources in at most {} sentences, the most important first.",
}


@dataclass(frozen=True, slots=True)
class Form:
    """How an answer is to be laid out, and how many sentences, items or rows it may have."""

    kind: Kind = "sentences"
    most: int = _USUAL["sentences"]

    @classmethod
    def of(cls, question: str) -> Form:
        """Read the form that a question asks for; sentences where it asks for none."""
        kind: Kind = next(
            (kind for kind, pattern in _KINDS.items() if re.search(pattern, question, re.IGNORECASE)), "sentences"
        )
        return cls(kind, _length(question, _USUAL[kind]))

    @property
    def told(self) -> str:
        """The form in words for an LLM."""
        return _SAID[self.kind].format(self.most)


def _length(question: str, usual: int) -> int:
    if count := _COUNT.search(question):
        number = int(count[1]) if count[1].isdecimal() else _NUMBERS[count[1].lower()]
        wanted = number // _WORDS_OF_SENTENCE if count[2].lower() == "word" else number
        return max(1, min(wanted, _MOST))
    if _BRIEF.search(question):
        return max(1, usual // 2)
    return min(_MOST, usual * 2) if _LONG.search(question) else usual
