"""The row of a table that has the most, the least, the highest or the lowest of something.

All rows of the table are compared, not only those that a search has found, and only where the question leaves no doubt:
one column is asked for, each of its values is a number, no two are the best, and every other word of the question is a
name of the table or a value of the rows that are compared.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.answer.tables.rows import cells, dates_in, spaced
from rag.language.terms import terms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rag.answer.tables.rows import Row, TableCell, TableQuestion

_EXTREME = re.compile(
    r"(?<!\bat )\b(?:(?P<high>most|highest|largest|greatest|biggest)|fewest|least|lowest|smallest)\b", re.IGNORECASE
)
_ASKED = re.compile(r"\W*(?:in |at |on |for |of )?(?:which|what)\s+(?P<noun>[\w-]+(?:\s+[\w-]+){0,2})", re.IGNORECASE)
_NOT = re.compile(r"\b(?:not|never|second|third|next)\b|n['’]t\b", re.IGNORECASE)
_ALL = re.compile(r"\W*(?:grand |sub-?)?(?:total|sum|average|mean|overall|all)\b", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?P<minus>[-−(]?)(?P<sign>[£$€]?)\s?(?P<digits>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)\s?(?P<share>%?)\)?"
)
_NOTHING = frozenset({"", "-", "–", "—", "n/a", "N/A"})
_FILLING = frozenset(terms("number amount total got get made recorded reported"))


def extreme(asked: TableQuestion, rows: Sequence[Row], text: Callable[[str], str]) -> tuple[Row, TableCell] | None:
    """Return the row that is asked for of those found of a document, and the cell that answers; None if unsure."""
    which, words = _ASKED.match(asked.text), list(_EXTREME.finditer(asked.text))
    if not which or len(words) != 1 or not rows or _NOT.search(asked.text):
        return None
    noun, word = frozenset(terms(which["noun"])), words[0]
    found: list[tuple[Row, TableCell]] = []
    for row in {tuple(cell.name for cell in row.cells): row for row in rows}.values():  # one of each table
        subject = next((cell.name for cell in row.cells if cell.name_terms and cell.name_terms <= noun), None)
        column = _column(asked, [cell.name for cell in row.cells if cell.name and cell.name != subject], noun)
        if subject is None or column is None or not _fits(asked.text, word, row, column):
            continue
        table = _compared(asked, word[0], row, column, text(row.candidate.hit.passage.uri))
        best = best_row(table, subject, column, highest=bool(word["high"])) or ()
        cited = [other for other in rows if [cell.value for cell in other.cells] == [cell.value for cell in best]]
        found += [(other, next(cell for cell in other.cells if cell.name == subject)) for other in cited[:1]]
    return found[0] if len(found) == 1 else None


def _column(asked: TableQuestion, names: Sequence[str], noun: frozenset[str]) -> str | None:
    """Return the one column whose name has the most of the question."""
    scores = []
    for name in names:
        years = sum(date.agrees(other) for date in asked.dates for other in dates_in(spaced(name)))
        scores.append(asked.weight(set(terms(spaced(name))) - noun) + years)
    top = max(scores, default=0)
    return names[scores.index(top)] if top > 0 and scores.count(top) == 1 else None


def _fits(question: str, word: re.Match[str], row: Row, column: str) -> bool:
    """Tell whether the best may be asked for of a column: `most` only of what is counted in it."""
    counted = not set(terms(" ".join(question[word.end() :].split()[:1]))).isdisjoint(terms(spaced(column)))
    is_name = any(word[0].lower() in cell.name.lower() for cell in row.cells)
    return not is_name and (counted or word[0].lower() not in {"most", "least"})


def _compared(asked: TableQuestion, word: str, row: Row, column: str, document: str) -> list[list[TableCell]]:
    """Return the rows of a table that have all of the question that is not in names."""
    passage = row.candidate.hit.passage
    names = " ".join(spaced(cell.name) for cell in row.cells)
    known = {*terms(f"{names} {word} {passage.context} {passage.title or ''}"), *_FILLING}
    table = list(_table(document, row))
    for term in asked.weights.keys() - known:
        table = [cells for cells in table if any(term in cell.terms for cell in cells)]
    for date in asked.dates:
        if not any(map(date.agrees, dates_in(spaced(column)))):
            table = [cells for cells in table if any(date.agrees(other) for cell in cells for other in cell.dates)]
    return table


def _table(text: str, row: Row) -> Iterator[list[TableCell]]:
    """Yield the rows of the table around a row: the lines without a blank one between, but for heads said again."""
    start = text.rfind("\n", 0, row.candidate.span.start) + 1
    at, lines = len(text[:start].splitlines()), text.splitlines()
    names = {cell.name for cell in row.cells}
    for part in (lines[at::-1], lines[at + 1 :]):
        for line in part:
            found = cells(line)
            if found and found[0].name == row.cells[0].name:
                yield found
            elif not set(line.split(" | ")) & names:
                break


def best_row(
    table: Sequence[Sequence[TableCell]], subject: str, column: str, *, highest: bool
) -> Sequence[TableCell] | None:
    """Return the row with the highest or lowest number; None where one is no number, or two are the best.

    Nor where the signs differ: pounds are not compared with dollars.
    """
    scored, signs = [], set()
    for row in table:
        values = {cell.name: cell.value.strip() for cell in reversed(row)}  # the first column of a name counts
        value, who = values.get(column, ""), values.get(subject, "")
        if value in _NOTHING or not who or _ALL.match(who):
            continue
        number = _NUMBER.fullmatch(value)
        if not number:
            return None
        signs.add((number["sign"], number["share"]))
        scored.append((float(number["digits"].replace(",", "")) * (-1 if number["minus"] else 1), row))
    scored.sort(key=lambda one: one[0], reverse=highest)
    alone = len(scored) > 1 and scored[0][0] != scored[1][0]
    return scored[0][1] if alone and len(signs) == 1 else None
