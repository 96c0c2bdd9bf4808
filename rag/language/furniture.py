"""What stands in a document and that nobody would quote."""

from __future__ import annotations

import re

from rag.language.dates import ENGLISH_MONTHS, WEEKDAY, any_of
from rag.language.names import PARTICLES

_LONGEST = 120  # characters; what is longer says something

_WORD = r"[A-Z][\w.'’-]*"
_NAME = rf"{_WORD}(?:\s+(?:(?:{'|'.join(PARTICLES)})\s+){{0,2}}{_WORD}){{1,4}}"
_BYLINE = re.compile(
    rf"(?:(?:[Ww]ritten|[Rr]eported|[Ss]tory|[Ww]ords|[Pp]hotographs?)\s+)?(?:[Bb]y|BY)\s+{_NAME}"
    rf"(?:(?:,|\s*\||\s+and|\s+in)\s+{_NAME}){{0,4}}"
)
_LABEL = r"(?:(?:first|last)\s+)?(?:published|posted|updated|modified|date)"
_DATE_WORDS = rf"(?:{WEEKDAY}|{any_of(ENGLISH_MONTHS)}|on|at|of|gmt|utc|bst|ce?st|e[ds]?t|[ap]m)"
_DATED = re.compile(
    rf"{_LABEL}\b(?=[^\d]*\d)(?:[\s,:;|/.–—-]|\d(?:st|nd|rd|th|t|z)?|\b{_DATE_WORDS}\b|\b{_LABEL}\b)+", re.IGNORECASE
)
_PAGE = re.compile(
    r"(?:click here|\(more\)|read (?:more|also|next)|see also|share(?: this(?: article| story| page)?)?|share on \w+"
    r"|(?:(?:leave|post|add|write) a |view |\d+ )?comments?(?: \(?\d+\)?)?|advertisement|sponsored(?: content)?"
    r"|related(?: (?:articles|stories|topics|content|posts))?|sign up|log ?in|subscribe(?: now)?|follow us"
    r"|skip to (?:main )?content|all rights reserved|(?:©|copyright (?:©|\(c\)|\d{4})).*)[\s.:…»>]*",
    re.IGNORECASE,
)
_CONTENTS = re.compile(r"(?:\.\s?){5,300}(?:\d{1,4}|[ivxlc]{1,6})\s*$")  # a line of a table of contents


def is_wordless(text: str) -> bool:
    """Tell whether there is no letter or digit in a text, as in a drawn line or the line under a table's head."""
    return not any(map(str.isalnum, text))


def is_furniture(block: str) -> bool:
    """Tell whether a block only belongs to the page: a byline, a date, `Comments`, a line of contents."""
    if _CONTENTS.search(block[-400:]):
        return True
    if len(block) > _LONGEST:
        return False
    line = block.strip("*_#>•- \t\r\n")
    return any(pattern.fullmatch(line) for pattern in (_BYLINE, _DATED, _PAGE))


_GREETING = frozenset(
    "dear hi hello hey hej hei hallo liebe lieber cher chère best kind regards sincerely yours".split()
)


def is_greeting(block: str, people: frozenset[str]) -> bool:
    """Tell whether a line of a mail only greets or signs: with the names of `people`, in lower case, and nothing else.

    One of little more than a name, as `Agreed`, may be the whole answer: it has another word.
    """
    words = block.strip("> ,.!").lower().split()
    return 0 < len(words) <= 5 and all(word.strip(",") in people | _GREETING for word in words)
