"""Document text made fit to be shown: nothing in it acts on a terminal, and no speaker is named twice."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_PICTURES = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n"} | {0x7F: 0x2421}
ACTING = "\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
"""What acts on a terminal, or turns what follows round: `gpj.exe` backwards is no picture. Arabic texts need some."""
_UNFIT = re.compile("[\x7f-\x9f\u2028\u2029\u202d\u202e\ud800-\udfff\ufffe\uffff]")
_QUOTED = re.compile(r"“[^”]*”?|\"[^\"]*\"?")
_REPORTED = re.compile(
    r"\b(?:sa(?:id|ys)|told|tells|added|adds|wrote|according to|claim(?:s|ed)|argue[sd]|warn(?:s|ed))\b"
)
_LABEL = re.compile(r"[^:\n]{1,80}:")  # at the start, as transcripts have it


def one_line(words: str) -> str:
    """Return words for a line of a list: line ends and tabs, which a file's name may hold, become pictures, too."""
    return re.sub(f"[{ACTING}]", "\ufffd", printable(words).replace("\n", "\u240a").replace("\t", "\u2409"))


def printable(words: str) -> str:
    """Replace control characters and half surrogate pairs by their pictures or by U+FFFD.

    One character stands for one, so that positions still count; tabs and line ends stay.
    """
    return _UNFIT.sub("\ufffd", words.translate(_PICTURES))


def speaker_before(speaker: str | None, words: str) -> str | None:
    """Return the speaker to be named before a quotation; None where its words name them: `MR ABSALOM: Thank you.`.

    None, too, where they report what was said instead of quoting it: they are the reporter's.
    """
    if not speaker:
        return None
    last = _words(speaker.partition(",")[0])[-1:]
    reports = not _LABEL.match(words) and _REPORTED.search(_QUOTED.sub("", words))
    return None if reports or (last and last[0] in _words(words)) else speaker


ALSO = "Also in the sources:"
"""Stands over what quotations say beside the answer."""


def marked_pieces(text: str, marks: Sequence[Sequence[int]]) -> list[tuple[str, bool]]:
    """Return a sentence in pieces, each with whether it is marked as what answers.

    `marks` are `(start, end)` in code points of it, in order and apart from each other.
    """
    ends = [0, *(end for mark in marks for end in mark), len(text)]
    pieces = [(text[start:end], number % 2 == 1) for number, (start, end) in enumerate(pairwise(ends))]
    return [piece for piece in pieces if piece[0]]


def is_own_speech(speaker: str | None, words: str) -> bool:
    """Tell whether words are a speaker's own: a quotation without anything reported around it."""
    return speaker is not None and not _REPORTED.search(_QUOTED.sub("", words))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
