"""How a quotation is shown with its speaker, title and section: nothing is said twice."""

from __future__ import annotations

import re

from rag.language.speakers.titles import TITLES

_LABEL = re.compile(r"[\W_]*([^:\n]{1,80}?)[*_\s]*:")  # at the start, as transcripts have it, perhaps in bold


def speaker_before(speaker: str | None, words: str) -> str | None:
    """Return the speaker to be named before a quotation; None where it begins with a label that names them.

    `MR ABSALOM:` names `Peter Absalom, counsel to the inquiry`; `Brandvold (quietly):` names `Brandvold`.
    """
    label = _LABEL.match(words)
    if not speaker or not label:
        return speaker
    head = set(_words(re.split(r"[,(\[]", label[1])[0])) - TITLES.keys()
    name = set(_words(speaker.partition(",")[0]))
    return None if head & name and head <= set(_words(speaker)) else speaker


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
