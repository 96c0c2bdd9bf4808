"""The row of a table that has the most, the least, the highest or the lowest of something.

All rows of the table are compared, not only those that a search has found, and only where the question leaves no doubt:
one column is asked for, each of its values is a number, no two are the best, and every other word of the question is a
name of the table or a value of the rows that are compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.answer.tables.rows import Cell, cells, spaced
from rag.language.terms import terms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rag.answer.tables.rows import Asked, Row

_EXTREME = re.compile(
    r"(?<!\bat )\b(?P<high>most|highest|largest|greatest|biggest|best|newest)|"
    r"(?<!\bat )\b(?P<low>fewest|least|lowest|smallest|cheapest|worst|oldest)\b",
    re.IGNORECASE,
)
_ASKED = re.compile(
    r"\W*(?:in |at |on |for |of )?(?:(?:which|what)\s+(?P<noun>[\w-]+(?:\s+[\w-]+){0,2})|who\b)", re.IGNORECASE
)
_NOT = re.compile(r"\b(?:not|never|second|third|next)\b|n['’]t\b", re.IGNORECASE)
_COLUMNS = {  # of words that name no column themselves
    re.compile(said, re.IGNORECASE): re.compile(meant, re.IGNORECASE)
    for said, meant in (
        (r"\b(?:expensive|costly|cheapest)\b", r"cost|price|fee|[£$€]"),
        (r"\b(?:earns?|earned|paid)\b", r"salary|wage|earning|\bpay\b"),
        (r"\b(?:oldest|newest)\b", r"built|founded|opened|established"),
    )
}
_JUDGED = re.compile(r"\b(?:best|worst)\b", re.IGNORECASE)
_JUDGEMENT = re.compile(r"score|rating|mark|points|punctuality", re.IGNORECASE)
_PERSON = re.compile(r"\bname\b|employee|member|person|player|author", re.IGNORECASE)
_ALL = re.compile(r"\W*(?:grand |sub-?)?(?:total|sum|average|mean|overall|all)\b", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?P<minus>[-−(]?)(?P<sign>[£$€]?)\s?(?P<digits>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)\s?(?P<share>%?)\)?"
)
_NOTHING = frozenset({"", "-", "–", "—", "n/a", "N/A"})
_FILLING = frozenset(terms("number amount total got get had has made recorded reported expensive costly earn paid"))
_BEHIND = re.compile(r"\W*$|\s+(?:at|in|on|for|by|during|across|from|to|expensive|costly)\b")


@dataclass(frozen=True, slots=True)
class _Sought:
    """What is asked of the tables of a document.

    Attributes:
        asked: the question.
        noun: the terms right behind `which`, one of which may be what is asked for; none for a person.
        word: says what the best is: `most`.
        rows: those that were found.
        text: the whole document.
    """

    asked: Asked
    noun: frozenset[str]
    word: re.Match[str]
    rows: Sequence[Row]
    text: str


def extreme(asked: Asked, rows: Sequence[Row], text: Callable[[str], str]) -> tuple[Row, Cell] | None:
    """Return the row of a document's tables that is asked for, and the cell that answers; None where that is unsure.

    Args:
        asked: the question.
        rows: those of one document that were found.
        text: gives the text of a document.
    """
    which, words = _ASKED.match(asked.question), list(_EXTREME.finditer(asked.question))
    if not which or len(words) != 1 or not rows or _NOT.search(asked.question):
        return None
    noun = frozenset(terms(which["noun"] or ""))
    sought = _Sought(asked, noun, words[0], rows, text(rows[0].candidate.hit.passage.uri))
    tables = {tuple(cell.name for cell in row.cells): row for row in rows}
    found = {id(best[0]): best for row in tables.values() if (best := _of_table(sought, row))}
    return next(iter(found.values())) if len(found) == 1 else None


def _of_table(sought: _Sought, row: Row) -> tuple[Row, Cell] | None:
    """Compare the rows of the table that a row is of."""
    named = [cell.name for cell in row.cells]
    subject = next((name for name in named if _is_about(name, sought.noun)), None)
    column = _column(sought, [name for name in named if name and name != subject])
    if subject is None or column is None or not _fits(sought, column, named):
        return None
    best = best_row(_compared(sought, row, column), subject, column, highest=bool(sought.word["high"]))
    values = [cell.value for cell in best or ()]
    cited = next((other for other in sought.rows if [cell.value for cell in other.cells] == values), None)
    return (cited, next(cell for cell in cited.cells if cell.name == subject)) if cited else None


def _fits(sought: _Sought, column: str, named: Sequence[str]) -> bool:
    """Tell whether the best may be asked for of a column: `most` of what is counted, `best` of a score."""
    word, question = sought.word, sought.asked.question
    behind = {*terms(" ".join(question[word.end() :].split()[:1]))}
    counted = not behind.isdisjoint(terms(spaced(column))) or bool(_BEHIND.match(question, word.end()))
    return (
        not any(word[0].lower() in name.lower() for name in named)
        and (counted or word[0].lower() not in {"most", "least"})
        and bool(_JUDGEMENT.search(column) or not _JUDGED.search(word[0]))
    )


def _compared(sought: _Sought, row: Row, column: str) -> list[list[Cell]]:
    """Return the rows of a table that have all of the question that is not in names."""
    asked, passage = sought.asked, row.candidate.hit.passage
    names = " ".join(spaced(cell.name) for cell in row.cells)
    known = {*terms(f"{names} {sought.word[0]} {passage.context} {passage.title or ''}"), *_FILLING}
    table = list(_table(sought.text, row))
    for term in asked.weights.keys() - known:
        table = [cells for cells in table if any(term in cell.terms for cell in cells)]
    for date in asked.dates:
        if not any(date.agrees(parts) for parts in Cell(column, "", 0).name_dates):
            table = [cells for cells in table if any(date.agrees(parts) for cell in cells for parts in cell.dates)]
    return table


def _is_about(name: str, noun: frozenset[str]) -> bool:
    own = set(terms(spaced(name)))
    return bool(own) and own <= noun if noun else bool(_PERSON.search(name))


def _column(sought: _Sought, others: Sequence[str]) -> str | None:
    """Return the one column whose name has the most of the question, or is meant by its words."""
    asked = sought.asked
    for said, meant in _COLUMNS.items():
        if said.search(asked.question):
            others = [name for name in others if meant.search(name)]
            if len(others) == 1:
                return others[0]
    scores = []
    for name in others:
        own = set(terms(spaced(name))) - sought.noun
        years = sum(date.agrees(parts) for date in asked.dates for parts in Cell(name, "", 0).name_dates)
        scores.append(sum(weight for term, weight in asked.weights.items() if term in own) + years)
    top = max(scores, default=0)
    return others[scores.index(top)] if top > 0 and scores.count(top) == 1 else None


def _table(text: str, row: Row) -> Iterator[list[Cell]]:
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


def best_row(table: Sequence[Sequence[Cell]], subject: str, column: str, *, highest: bool) -> Sequence[Cell] | None:
    """Return the row with the highest or lowest number; None where one is no number, or two are the best.

    Nor where the signs differ: pounds are not compared with dollars.
    """
    scored = []
    signs = set()
    for row in table:
        value = next((cell.value.strip() for cell in row if cell.name == column), "")
        who = next((cell.value for cell in row if cell.name == subject), "")
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
