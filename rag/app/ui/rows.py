"""Rows of tables in a text, as loaders write them: which lines are rows, and which column each of their cells is in.

A loader says with each value what it is (`Name: Ada | Year: 1843`). People read the names once, above the columns: here
they are told from the values, and a row whose names stand nowhere above it, as in a passage from the middle of a table,
brings them along.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from rag.records.rows import NAMED, SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


_LONGEST_NAME = 80  # characters
_AHEAD = 50  # rows that are looked at for the names of all columns


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a table.

    `columns` are those of its cells, counted from 0, none where its cells are all there are; `named` says of each cell
    how many of its first characters are the column's name. `is_head` tells the row of names, and `above` holds the
    names that stand over it where no row does.
    """

    columns: tuple[int, ...] = ()
    named: tuple[int, ...] = ()
    is_head: bool = False
    above: tuple[str, ...] = ()


PLAIN = TableRow()
"""A row whose cells say nothing of columns."""


def table_rows(lines: Sequence[str]) -> dict[int, TableRow]:
    """Return those of a text's blocks that are rows of tables, by their index."""
    cells = [line.split(SEPARATOR) for line in lines]
    found = dict(_named_rows(cells))
    plain = [0 if index in found else len(each) for index, each in enumerate(cells)]
    for count, group in groupby(range(len(lines)), key=plain.__getitem__):
        if count > 1 and len(rows := list(group)) > 1:
            found |= dict.fromkeys(rows, PLAIN)
    return found


def _named_rows(rows: Sequence[Sequence[str]]) -> Iterator[tuple[int, TableRow]]:
    names: Sequence[str] = ()
    for index, cells in enumerate(rows):
        if len(cells) > 1 and index + 1 < len(rows) and _row(rows[index + 1], cells):
            names = cells
            yield index, TableRow(is_head=True)
        elif row := _row(cells, names):
            yield index, row
        elif own := _own_names(cells):
            names = _all_names(own, rows[index + 1 : index + _AHEAD])
            if row := _row(cells, names):
                yield index, TableRow(row.columns, row.named, above=tuple(names))
        else:
            names = ()


def _row(cells: Sequence[str], names: Sequence[str]) -> TableRow | None:
    """Return a row under these names; None where fewer than half of its cells say that they are of one of them."""
    columns: list[int] = []
    named: list[int] = []
    for cell in cells:
        name = next((n for n in range(len(names)) if n not in columns and cell.startswith(names[n] + NAMED)), None)
        columns.append(max(columns, default=-1) + 1 if name is None else name)
        named.append(0 if name is None else len(names[name] + NAMED))
    in_order = columns == sorted(set(columns))
    return TableRow(tuple(columns), tuple(named)) if in_order and sum(map(bool, named)) * 2 > len(cells) else None


def _own_names(cells: Sequence[str]) -> list[str]:
    """Return the names that the cells of a row give themselves; none unless all do, each another one."""
    names = [cell.partition(NAMED)[0] for cell in cells if NAMED in cell]
    good = 1 < len(names) == len(cells) == len(set(names)) and all(0 < len(name) <= _LONGEST_NAME for name in names)
    return names if good else []


def _all_names(names: list[str], later: Sequence[Sequence[str]]) -> list[str]:
    """Return the names of a row with those that only rows below it have, each before the one it stands before there."""
    known = list(names)
    for own in map(_own_names, later):
        if not set(own) & set(known):
            break
        for name, behind in zip(reversed(own), ["", *reversed(own)], strict=False):
            if name not in known:
                known.insert(known.index(behind) if behind else len(known), name)
    return known
