"""Text as terminals and text files may hold it: nothing in it acts on what shows it."""

from __future__ import annotations

import re

_PICTURES = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n"} | {0x7F: 0x2421}
_UNFIT = re.compile("[\x80-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")


def one_line(words: str) -> str:
    """Return words for a line of a list: line ends and tabs, which a file's name may hold, become pictures, too."""
    return printable(words).replace("\n", "\u240a").replace("\t", "\u2409")


def printable(words: str) -> str:
    """Replace control characters and half surrogate pairs by their pictures or by U+FFFD.

    One character stands for one, so that positions still count; tabs and line ends stay.
    """
    return _UNFIT.sub("\ufffd", words.translate(_PICTURES))
