"""Looks questions up in tables: which row is asked about, and which cell of it answers.

The reader was trained on prose. Of the rows of a table it takes a wrong one half of the time, and quotes it with
confidence; that rows say with each value what it is makes up for it.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from rag.answer.tables.rows import SETTINGS, Row, TableQuestion, cells, columns_above, pairs, spaced
from rag.language.dates import without_dates
from rag.language.terms import STOP_WORDS, terms
from rag.records import Candidate, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from rag.answer.question import Question
    from rag.answer.tables.rows import TableCell

    Alike = Callable[[str, Sequence[str]], Sequence[float]]

_MONEY = re.compile(
    r"amount|cost|price|total|sum|fee|value|paid|spen[dt]|budget|salar|wage|earning|income|[$€£]|\b(?:pay|usd|eur|gbp)\b",
    re.IGNORECASE,
)
_PAID = re.compile(
    r"\W*(?:how much\b.*\b(?:paid|pay|spen[dt]|cost|receiv|got|get|earn|charg|owe|give|worth)"
    r"|what (?:do|does|did|has|have)\b.*\b(?:earn|cost|charge|pay|paid))",
    re.IGNORECASE,
)
_PAID_FOR = re.compile(r"\bfor (?P<what>.+)", re.IGNORECASE)
_PLACES = tuple("location place city town village county country region address venue site district".split())
_WHY = re.compile(r"\W*(?:why|what (?:caused?|led))\b", re.IGNORECASE)
_MOST = re.compile(
    r"\b(?:most|least|average|mean|total|altogether|combined|(?:few|larg|small|high|low|great|bigg|old|young|new|late|earli"
    r"|long|short|tall|deep|fast|slow|rich|poor|cheap|strong|weak|heavi|busi)est)\b",
    re.IGNORECASE,
)


def looked_up(
    question: Question,
    found: Sequence[Candidate],
    weights: Mapping[str, float],
    alike: Alike,
    text: Callable[[str], str],
) -> list[Candidate]:
    """Judge the rows of tables among the candidates by what a question has of them, and leave all else as it is.

    Of the rows of a document only those that have most of the question can answer, by the cell that is asked for. What
    has to be added up, compared or explained is in no single row; a table's head answers nothing. Where the question
    has nothing of any row, the reader's judgement stands.

    Args:
        question: what is asked.
        found: sentences and rows, with the reader's scores.
        weights: the question's terms with their rarity.
        alike: the cosines between a text and others.
        text: gives the text of a document.
    """
    yes_no = question.kind == "yes_no"  # then the row is all
    asked = TableQuestion.of(question, weights)
    text = cache(text)
    found = [replace(c, columns=_columns_of(c, text)) for c in found]
    split = [(c, cells(c.text, c.columns)) for c in found]
    tables = defaultdict[str, list[Row]](list)  # of each document
    for candidate, parts in split:
        if parts:
            tables[candidate.hit.passage.uri].append(Row(candidate, parts, asked))
    columns = _Columns(asked, [row for rows in tables.values() for row in rows if row.is_data], alike)
    judged = {id(c): replace(c, score=0.0, short=None) for c, parts in split if not parts and columns.are_named(c.text)}
    for every in tables.values():
        rows = [row for row in every if row.is_data]
        most = max((row.overlap for row in rows), default=(0.0, 0.0))
        named = [row for row in rows if row.overlap == most] if most > (0.0, 0.0) else []
        beaten = [row for row in every if named and 2 * len(rows) > len(every) and row.overlap < most]
        for row in [*beaten, *(rows if named or columns.are_compared else ())]:
            judged[id(row.candidate)] = replace(row.candidate, score=0.0, short=None)
        fine = [] if columns.are_compared else [row for row in named if not row.lacks]
        judged |= {id(row.candidate): candidate for row, candidate in _judged(fine, columns, yes_no=yes_no)}
    forms = [] if yes_no else _forms(c for c in found if id(c) not in judged)
    judged |= {id(line): one for form in forms for line, one in _filled_in(form, asked, alike)}
    return [judged.get(id(candidate), candidate) for candidate in found]


def _columns_of(candidate: Candidate, text: Callable[[str], str]) -> tuple[str, ...]:
    if not candidate.text.startswith("|"):
        return ()
    end = candidate.span.start
    return tuple(columns_above(text(candidate.hit.passage.uri)[max(0, end - SETTINGS.longest_table) : end]))


def _forms(found: Iterable[Candidate]) -> Iterator[list[Candidate]]:
    """Yield the lines of each document that are pairs of labels and values, in order, as one form."""
    forms = defaultdict[str, list[Candidate]](list)
    for line in sorted((each for each in found if pairs(each.text)), key=lambda each: each.span):
        forms[line.hit.passage.uri].append(line)
    for form in forms.values():
        if len(form) > 1:
            has_head = len(pairs(form[0].text)) < len(pairs(form[1].text))
            yield form[has_head:]


def _filled_in(form: Sequence[Candidate], asked: TableQuestion, alike: Alike) -> Iterator[tuple[Candidate, Candidate]]:
    """Judge the lines of a form, all about the same, by the label that is asked for, or means much the same.

    The names of the question have to be in it, and where no label is said, one of its values.
    """
    start = form[0].span.start
    given = [replace(cell, start=cell.start + line.span.start - start) for line in form for cell in pairs(line.text)]
    row = Row(form[0], given, asked)
    columns = _Columns(asked, [row], alike)
    score, _, cell = columns.answering(row)
    near = replace(row, cells=[one for one in given if one is cell or row.is_given(one)])
    explained = near.explains(asked.weights if score == SETTINGS.meant_score and len(near.cells) > 1 else ())
    named = all(row.has_any(terms(name)) for name in asked.question.names) and score >= SETTINGS.meant_score
    if cell and named and explained >= SETTINGS.explained and not columns.are_compared:
        for line in form:
            short = _place(row, cell) if _place(row, cell) in line.span else None
            yield line, replace(line, score=score * min(1.0, explained) if short else 0.0, short=short, certain=1.0)


def _judged(rows: Sequence[Row], columns: _Columns, *, yes_no: bool) -> Iterator[tuple[Row, Candidate]]:
    answers = [columns.answering(row) for row in rows]
    agreed = len({cell.value if cell else None for _, _, cell in answers}) == 1
    for row, (score, explained, cell) in zip(rows, answers, strict=True):
        if explained < SETTINGS.explained:
            yield row, row.candidate
        elif yes_no and score < SETTINGS.named_score:
            yield row, replace(row.candidate, score=max(SETTINGS.only_score, row.candidate.score))
        else:
            short = _place(row, cell) if cell and (agreed or yes_no) else None
            yield row, replace(row.candidate, score=score * min(1.0, explained), short=short, certain=1.0)


def _place(row: Row, cell: TableCell) -> Span:
    start = row.candidate.span.start + cell.start
    return Span(start, start + len(cell.value))


class _Columns:
    """Which cell of a row is asked for: by its name, by what its name means, by being the only one of its kind."""

    def __init__(self, asked: TableQuestion, rows: Sequence[Row], alike: Alike) -> None:
        self._asked = asked
        self._alike = alike
        self._names = list(dict.fromkeys(cell.name for row in rows for cell in row.cells if cell.name))
        self._known: dict[str, dict[str, float]] = {}
        self._is_paid = _PAID.match(asked.text)

    @property
    def are_compared(self) -> bool:
        """Whether the answer is in no single row: why, the most or the sum of something unless a column is named so."""
        names, question = " ".join(self._names).lower(), self._asked.text
        return bool(_WHY.match(question)) or any(word.lower() not in names for word in _MOST.findall(question))

    def are_named(self, line: str) -> bool:
        """Tell whether a line is the head of a table: names of columns and nothing else."""
        names = [name.strip() for name in line.split(" | ")]
        return len(names) > 1 and all(name in self._names for name in names)

    def answering(self, row: Row) -> tuple[float, float, TableCell | None]:
        """Return the score of a row, how much of the question it explains, and the cell that is asked for.

        Where no cell is asked for, the row only comes closest; where several may be, none is named.
        """
        given = [cell for cell in row.cells if row.is_given(cell)]
        rest = [cell for cell in row.cells if cell not in given]
        fitting = [cell for cell in rest if row.is_of_kind(cell)]
        known = {term for cell in given for term in cell.terms}
        wanted = {term: weight for term, weight in self._asked.weights.items() if term not in known}
        unnamed = wanted.keys() - {term for cell in given for term in cell.name_terms}
        dated = [cell for cell in fitting if row.is_of_year(cell)]
        shares = [math.fsum(wanted[term] for term in unnamed & cell.name_terms) for cell in rest]
        named = dated if len(dated) == 1 else _best(rest, shares)
        meant = [] if named else self._meant(_money(fitting) if self._is_paid else fitting, wanted)
        only = [] if named or meant else self._only(row.cells[0] if given else None, fitting, bool(unnamed))
        score = SETTINGS.named_score if named else SETTINGS.meant_score if meant else SETTINGS.only_score
        chosen = [cell for cell in named or meant or only if cell in fitting]
        what = _PAID_FOR.search(self._asked.text) if self._is_paid else None
        if what and not row.has_any(terms(what["what"])):
            return 0.0, 1.0, None  # paid for something else
        explained = row.explains(wanted if meant and given else terms(self._is_paid[0]) if self._is_paid else ())
        return (score if chosen else SETTINGS.near_score), explained, self._one(chosen)

    def _meant(self, fitting: Sequence[TableCell], wanted: Iterable[str]) -> list[TableCell]:
        """Return the cells of the asked kind whose names, years left out, mean what is wanted."""
        words = (word for word in re.findall(r"[\w-]+", self._asked.text) if word.lower() not in STOP_WORDS)
        phrase = " ".join(word for word in words if not set(terms(word)).isdisjoint(wanted))
        if phrase not in self._known:
            cosines = self._alike(phrase, [*map(_plain, self._names)]) if phrase else [0.0] * len(self._names)
            self._known[phrase] = dict(zip(self._names, cosines, strict=True))
        likeness = [self._known[phrase].get(cell.name, 0.0) for cell in fitting]
        return _best(fitting, likeness) if max(likeness, default=0.0) >= SETTINGS.alike else []

    def _only(self, first: TableCell | None, fitting: Sequence[TableCell], unnamed: bool) -> list[TableCell]:
        """Return the one cell that can be meant: a place, whom the row is about; and all sums."""
        if self._is_paid:
            return [cell for cell in _money(fitting) if any(map(str.isdigit, cell.value))]
        kind = self._asked.question.kind
        if kind == "place":
            fitting = [cell for cell in fitting if any(place in cell.name.lower() for place in _PLACES)]
        elif kind == "person" and not unnamed:
            fitting = [cell for cell in fitting if cell is first]
        elif unnamed:
            return []
        return list(fitting) if len(fitting) == 1 else []

    def _one(self, found: Sequence[TableCell]) -> TableCell | None:
        """Return the one cell whose name has a date of the question, or the fewest words."""
        found = [cell for cell in found if self._asked.has_date(cell.name_dates)] or found
        best = _best(found, [1 / (1 + len(terms(_plain(cell.name)))) for cell in found])
        return best[0] if len(best) == 1 else None


def _money(found: Sequence[TableCell]) -> list[TableCell]:
    return [cell for cell in found if _MONEY.search(cell.name)]


def _best(found: Sequence[TableCell], scores: Sequence[float]) -> list[TableCell]:
    top = max(scores, default=0.0)
    return [cell for cell, score in zip(found, scores, strict=True) if 0 < score >= top - 1e-9]


def _plain(name: str) -> str:
    """Return the name of a column without its year: `Population 2021` is a population."""
    return without_dates(spaced(name)).strip(" –")
