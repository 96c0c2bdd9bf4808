"""The row of a table that has the most, the least, the highest or the lowest of something.

All rows of the table are compared, not only those that a search has found, and only where the question leaves no doubt:
one column is asked for, each of its values is a number, no two are the best, and every other word of the question is a
name of the table or a value of the rows that are compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.answer.tables.rows import cells, dates_in, spaced
from rag.language.terms import terms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rag.answer.tables.rows import Row, TableCell, TableQuestion

_EXTREME = re.compile(
    r"(?<!\bat )\b(?:(?P<high>most|highest|largest|greatest|biggest|best|newest)"
    r"|fewest|least|lowest|smallest|cheapest|worst|oldest)\b",
    re.IGNORECASE,
)
_ASKED = re.compile(
    r"\W*(?:in |at |on |for |of )?(?:(?:which|what)\s+(?P<noun>[\w-]+(?:\s+[\w-]+){0,2})|who\b)", re.IGNORECASE
)
_NOT = re.compile(r"\b(?:not|never|second|third|next)\b|n['’]t\b", re.IGNORECASE)
_MEANT = {
    frozenset(words.split()): re.compile(column, re.IGNORECASE)
    for words, column in (
        ("expensive costly cheapest", r"cost|price|fee|[£$€]"),
        ("earn earns earned paid", r"salary|wage|earning|\bpay\b"),
        ("oldest newest", r"built|founded|opened|established"),
    )
}
"""Words of a question that name no column themselves, with the columns that they mean."""
_JUDGEMENTS = ("score", "rating", "mark", "points", "punctuality")
_PERSON = re.compile(r"\bname\b|employee|member|person|player|author", re.IGNORECASE)
_ALL = re.compile(r"\W*(?:grand |sub-?)?(?:total|sum|average|mean|overall|all)\b", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?P<minus>[-−(]?)(?P<sign>[£$€]?)\s?(?P<digits>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)\s?(?P<share>%?)\)?"
)
_NOTHING = frozenset({"", "-", "–", "—", "n/a", "N/A"})
_FILLING = frozenset(terms("number amount total got get had has made recorded reported expensive costly earn paid"))
_BEHIND = re.compile(r"\W*$|\s+(?:at|in|on|for|by|during|across|from|to|expensive|costly)\b")


def extreme(asked: TableQuestion, rows: Sequence[Row], text: Callable[[str], str]) -> tuple[Row, TableCell] | None:
    """Return the row of a document's tables that is asked for, and the cell that answers; None where that is unsure.

    Args:
        asked: the question.
        rows: those of one document that were found.
        text: gives the text of a document.
    """
    which, words = _ASKED.match(asked.text), list(_EXTREME.finditer(asked.text))
    if not which or len(words) != 1 or not rows or _NOT.search(asked.text):
        return None
    wanted = _Wanted(asked, frozenset(terms(which["noun"] or "")), words[0])
    document = text(rows[0].candidate.hit.passage.uri)
    found: dict[int, tuple[Row, TableCell]] = {}
    for row in {tuple(cell.name for cell in row.cells): row for row in rows}.values():
        best = wanted.best(row, document)
        values = [cell.value for cell in best or ()]
        cited = next((other for other in rows if [cell.value for cell in other.cells] == values), None)
        if cited:
            found[id(cited)] = cited, next(cell for cell in cited.cells if cell.name == wanted.subject(row))
    return next(iter(found.values())) if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is asked of tables: the question, the terms behind `which` (none for a person), and the word `most`."""

    asked: TableQuestion
    noun: frozenset[str]
    word: re.Match[str]

    def best(self, row: Row, document: str) -> Sequence[TableCell] | None:
        """Return the best row of the table that a row of a document is of; None in doubt."""
        subject = self.subject(row)
        column = self._column([cell.name for cell in row.cells if cell.name and cell.name != subject])
        if subject is None or column is None or not self._fits(row, column):
            return None
        return best_row(self._compared(row, column, document), subject, column, highest=bool(self.word["high"]))

    def subject(self, row: Row) -> str | None:
        """Return the name of the column that has what is asked for."""
        if not self.noun:
            return next((cell.name for cell in row.cells if _PERSON.search(cell.name)), None)
        return next((cell.name for cell in row.cells if cell.name_terms and cell.name_terms <= self.noun), None)

    def _column(self, names: Sequence[str]) -> str | None:
        """Return the one column whose name has the most of the question, or is meant by its words."""
        asked = {word.strip("?!.,:;'\"“”()") for word in self.asked.text.lower().split()}
        for words, meant in _MEANT.items():
            if words & asked:
                names = [name for name in names if meant.search(name)]
                if len(names) == 1:
                    return names[0]
        scores = []
        for name in names:
            years = sum(date.agrees(other) for date in self.asked.dates for other in dates_in(spaced(name)))
            scores.append(self.asked.weight(set(terms(spaced(name))) - self.noun) + years)
        top = max(scores, default=0)
        return names[scores.index(top)] if top > 0 and scores.count(top) == 1 else None

    def _fits(self, row: Row, column: str) -> bool:
        """Tell whether the best may be asked for of a column: `most` of what is counted, `best` of a score."""
        word, behind = self.word[0].lower(), self.asked.text[self.word.end() :]
        counted = not set(terms(" ".join(behind.split()[:1]))).isdisjoint(terms(spaced(column)))
        return (
            not any(word in cell.name.lower() for cell in row.cells)
            and (counted or word not in {"most", "least"} or bool(_BEHIND.match(behind)))
            and (word not in {"best", "worst"} or any(judgement in column.lower() for judgement in _JUDGEMENTS))
        )

    def _compared(self, row: Row, column: str, document: str) -> list[list[TableCell]]:
        """Return the rows of a table that have all of the question that is not in names."""
        passage = row.candidate.hit.passage
        names = " ".join(spaced(cell.name) for cell in row.cells)
        known = {*terms(f"{names} {self.word[0]} {passage.context} {passage.title or ''}"), *_FILLING}
        table = list(_table(document, row))
        for term in self.asked.weights.keys() - known:
            table = [cells for cells in table if any(term in cell.terms for cell in cells)]
        for date in self.asked.dates:
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
