"""The numbers of Word's lists and headings, which the text itself does not hold: counted as Word counts them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from rag.load.container import attribute, integer, value_of

if TYPE_CHECKING:
    from rag.load.container import Element

_ROMAN = dict(
    zip("m cm d cd c xc l xl x ix v iv i".split(), (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1), strict=True)
)
_PLACE = re.compile(r"%([1-9])")


class _Level(NamedTuple):
    kind: str  # decimal, lowerLetter, bullet, ...
    text: str  # as in `%1.%2.`
    start: int


@dataclass(slots=True)
class Numbering:
    """The lists that a Word file defines, with how far each has been counted."""

    levels: dict[str, dict[int, _Level]] = field(default_factory=dict)  # by the abstract list's id
    lists: dict[str, str] = field(default_factory=dict)  # the abstract list of each list
    restarts: dict[tuple[str, int], int] = field(default_factory=dict)  # where a list begins anew, by its level
    counts: dict[str, dict[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Element | None) -> Numbering:
        """Read `word/numbering.xml`; without it no list has numbers."""
        found = cls()
        if root is None:
            return found
        for element in root.iter("{*}abstractNum"):
            key = attribute(element, "abstractNumId") or ""
            found.levels[key] = {_number(each, "ilvl"): _level(each) for each in element.iterfind("{*}lvl")}
        for element in root.iterfind("{*}num"):
            key = attribute(element, "numId") or ""
            found.lists[key] = value_of(element, "abstractNumId") or ""
            for each in element.iterfind("{*}lvlOverride"):
                if (start := value_of(each, "startOverride")) is not None:
                    found.restarts[key, _number(each, "ilvl")] = integer(start)
        return found

    def label(self, key: str, level: int) -> str:
        """Count one paragraph of list `key`, and return its number as in `2.1`, `-` for a bullet, or nothing."""
        abstract = self.lists.get(key, "")
        levels = self.levels.get(abstract, {})
        own = levels.get(level)
        if own is None or own.kind == "bullet":
            return "-"
        counts = self.counts.setdefault(abstract, {})
        restart = self.restarts.pop((key, level), None)
        counts[level] = counts.get(level, own.start - 1) + 1 if restart is None else restart
        for deeper in [each for each in counts if each > level]:
            del counts[deeper]

        def shown(match: re.Match[str]) -> str:
            above = int(match[1]) - 1
            kind, _, start = levels.get(above, own)
            return format_number(counts.get(above, start), kind)

        return _PLACE.sub(shown, own.text).strip()


def _level(element: Element) -> _Level:
    kind, text = value_of(element, "numFmt") or "decimal", value_of(element, "lvlText") or ""
    return _Level(kind, "" if kind == "none" else text, integer(value_of(element, "start") or "1"))


def _number(element: Element, name: str) -> int:
    return integer(attribute(element, name) or "0")


def format_number(number: int, kind: str) -> str:
    """Return a number in the letters or figures of its list, as Word names them: `decimal`, `lowerRoman`, ..."""
    if "Roman" in kind:
        text = ""
        for letters, value in _ROMAN.items():
            text += letters * (number // value)
            number %= value
    elif "Letter" in kind:
        text = chr(97 + (number - 1) % 26) * ((number - 1) // 26 + 1)
    else:
        text = f"{number:02}" if kind == "decimalZero" else str(number)
    return text.upper() if kind.startswith("upper") else text
