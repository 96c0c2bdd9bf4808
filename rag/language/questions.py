"""Questions inside texts: where one stands, and which one comes before an answer."""

from __future__ import annotations

import re

LONGEST_QUESTION = 300
"""Characters in front of a sentence among which the question is looked for that it is a reply to."""
_ASKED_LAST = re.compile(r"[^.!?\n]+\?[\W_]*(?:[^\W\d_][\w.'’-]*(?: [\w.'’-]+){0,4}:\s*)?$")  # `... that? HALE: `
_ASKED = re.compile(r"[^.!?\n]+\?")


def answerless(text: str) -> list[tuple[int, int]]:
    """The spans of ``text`` where no answer stands: its questions (code points)."""
    return [match.span() for match in _ASKED.finditer(text)]


def asked_before(text: str, place: int) -> str:
    """Return the question that stands right before a place in a text, as in an interview; nothing without one."""
    asked = _ASKED_LAST.search(text[max(0, place - LONGEST_QUESTION) : max(0, place)])
    return asked[0].strip("*_ \n") if asked else ""


def is_question(text: str) -> bool:
    """Tell whether a sentence asks: then it is no answer."""
    return re.search(r"[?？؟][\'\"”’»)*_]*\s*$", text) is not None
