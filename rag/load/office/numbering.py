"""The numbers of Word's lists and headings, which the text itself does not hold: counted as Word counts them."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from rag.load.container import attribute, integer, value_of

if TYPE_CHECKING:
    from rag.load.container import Element

_ROMAN = tuple(
    zip("m cm d cd c xc l xl x ix v iv i".split(), (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1), strict=True)
)
_PLACE = re.compile(r"%([1-9])")


class _Level(NamedTuple):
    kind: str  # decimal, lowerLetter, bullet, ...
    text: str  # as in `%1.%2.`
    start: int


class Numbering:
    """The lists that `word/numbering.xml` defines, with how far each has been counted."""

    def __init__(self, root: Element) -> None:
        self._levels = {  # by the abstract list's id
            attribute(each, "abstractNumId"): {_number(level): _level(level) for level in each.iterfind("{*}lvl")}
            for each in root.iter("{*}abstractNum")
        }
        lists = {attribute(each, "numId"): each for each in root.iterfind("{*}num")}
        self._abstract = {key: value_of(each, "abstractNumId") for key, each in lists.items()}
        self._restarts = {  # where a list begins anew, by its level
            (key, _number(level)): integer(start)
            for key, each in lists.items()
            for level in each.iterfind("{*}lvlOverride")
            if (start := value_of(level, "startOverride"))
        }
        self._counts: dict[str, dict[int, int]] = defaultdict(dict)

    def label(self, key: str, level: int) -> str:
        """Count one paragraph of list `key`, and return its number as in `2.1`, `-` for a bullet, or nothing."""
        abstract = self._abstract.get(key, "")
        levels = self._levels.get(abstract, {})
        own = levels.get(level)
        if own is None or own.kind == "bullet":
            return "-"
        above = {at: count for at, count in self._counts[abstract].items() if at <= level}
        above[level] = self._restarts.pop((key, level), above.get(level, own.start - 1) + 1)
        self._counts[abstract] = above

        def shown(match: re.Match[str]) -> str:
            at = int(match[1]) - 1
            kind, _, start = levels.get(at, own)
            return format_number(above.get(at, start), kind)

        return _PLACE.sub(shown, own.text).strip()


def _level(element: Element) -> _Level:
    kind, start = value_of(element, "numFmt", "decimal"), integer(value_of(element, "start", "1"))
    return _Level(kind, "" if kind == "none" else value_of(element, "lvlText"), start)


def _number(element: Element) -> int:
    return integer(attribute(element, "ilvl"))


def format_number(number: int, kind: str) -> str:
    """Return a number in the letters or figures of its list, as Word names them: `decimal`, `lowerRoman`, ..."""
    if "Roman" in kind:
        text = ""
        for letters, value in _ROMAN:
            text += letters * (number // value)
            number %= value
    elif "Letter" in kind:
        text = chr(97 + (number - 1) % 26) * ((number - 1) // 26 + 1)
    else:
        text = f"{number:02}" if kind == "decimalZero" else str(number)
    return text.upper() if kind.startswith("upper") else text
