"""Merged cells of a sheet, and formulas without results: what is in its XML and not in the cells."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?\bref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_NO_RESULT = re.compile(rb'<c\s(?![^>]*\bt="str")[^>]*>\s*<f[^<]*(?:</f>)?\s*(?:<v\s*/>|<v></v>)?\s*</c>')


class Range(NamedTuple):
    """A merged cell: rows from 1, columns from 0, both ends included."""

    top: int
    left: int
    bottom: int
    right: int


def ranges(sheet: bytes) -> list[Range]:
    """Return the merged cells of a sheet's XML, from the top down."""
    found = (match.groups() for match in _MERGED.finditer(sheet))
    return sorted(Range(int(top), _column(left), int(bottom), _column(right)) for left, top, right, bottom in found)


def across(merged: Iterable[Range]) -> dict[int, list[tuple[int, int]]]:
    """Return the first and last columns of the cells that cover several, by row."""
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for each in merged:
        if each.right > each.left:
            found[each.top].append((each.left, each.right))
    return found


def filled(rows: Iterable[tuple[int, list[str]]], merged: Iterable[Range]) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows with the text of a cell that covers several of them in each; empty rows stay empty."""
    waiting = iter(merged)
    following = next(waiting, None)
    covering: list[tuple[Range, str]] = []
    for number, cells in rows:
        covering = [(each, text) for each, text in covering if each.bottom >= number]
        if any(cells):
            for each, text in covering:
                cells.extend([""] * (each.left + 1 - len(cells)))
                cells[each.left] = text
        while following is not None and following.top <= number:
            text = cells[following.left] if following.left < len(cells) else ""
            if text and following.bottom > number == following.top:
                covering.append((following, text))
            following = next(waiting, None)
        yield number, cells


def without_result(sheet: bytes) -> int:
    """Return how many formulas have no result in the file: a program wrote them, and none has computed them."""
    return sum(1 for _ in _NO_RESULT.finditer(sheet))


def _column(letters: bytes) -> int:
    index = 0
    for letter in letters:
        index = index * 26 + letter - 64
    return index - 1
