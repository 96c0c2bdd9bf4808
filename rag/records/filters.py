"""Filters: which passages a question is asked of. Applied inside both halves of the search, never after a cut."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

KEYS = ("document", "folder", "date", "section", "speaker")

_DAY = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2})?)?")
_COMPARED = re.compile(r"\s*date\s*(?P<how>[<>]=?)(?P<day>.*)")


@dataclass(frozen=True, slots=True)
class Filter:
    """What a passage has to be. Values of one kind are alternatives; different kinds must all hold.

    Attributes:
        document: URIs, or the ends of paths (`report.txt`, `2024/report.txt`).
        folder: paths of folders, or the ends of such paths; documents anywhere below belong to them.
        date: first and last day, ISO 8601, either one empty for no bound; undated documents are outside of all.
        section: parts of headings; case and diacritics do not matter.
        speaker: parts of names of those who speak in the passage; case and diacritics do not matter.
        as_of: the last day of publication, ISO 8601; unlike with `date`, undated documents stay in.
    """

    document: tuple[str, ...] = ()
    folder: tuple[str, ...] = ()
    date: tuple[tuple[str, str], ...] = ()
    section: tuple[str, ...] = ()
    speaker: tuple[str, ...] = ()
    as_of: str = ""

    @classmethod
    def parse(cls, conditions: Iterable[str], as_of: str = "") -> Filter:
        """Read conditions such as `document=report.txt`, `date=2024-01..2024-06-30`, `date>=2024-05`, `speaker=Ford`.

        Comparisons of dates must all hold: together they are one period.

        Raises:
            InputError: a condition has another form, or `as_of` is no date.
        """
        found: dict[str, list[str]] = {key: [] for key in KEYS}
        compared: list[tuple[str, str]] = []
        for condition in conditions:
            if comparison := _COMPARED.fullmatch(condition):
                compared.append(_bounds(comparison["how"], comparison["day"].strip()))
                continue
            key, equals, value = condition.partition("=")
            if key.strip() not in found or not equals or not value.strip():
                raise InputError(f"cannot filter by {condition!r}; use {', '.join(f'{key}=...' for key in KEYS)}")
            found[key.strip()].append(value.strip())
        dates = [*map(_period, found.pop("date")), *_overlap(compared)]
        _check_day(as_of)
        return cls(date=tuple(dates), as_of=as_of, **{key: tuple(values) for key, values in found.items()})

    def __bool__(self) -> bool:
        return self.limits_documents or bool(self.section or self.speaker)

    def __str__(self) -> str:
        """Read as the conditions that it was made of: `document=report.txt, date=2024-01..2024-06`."""
        dates = (first if first == last else f"{first}..{last}" for first, last in self.date)
        values = {key: dates if key == "date" else getattr(self, key) for key in KEYS}
        said = [f"{key}={value}" for key in KEYS for value in values[key]]
        return ", ".join([*said, *([f"as of {self.as_of}"] if self.as_of else [])])

    @property
    def limits_documents(self) -> bool:
        """Whether it admits only some documents, whatever their passages."""
        return any((self.document, self.folder, self.date, self.as_of))

    def check_names(self, uris: Collection[str]) -> None:
        """Raise `InputError` for a document or folder that none of these URIs fits: a mistyped name finds nothing."""
        for key, names, fits in (("document", self.document, is_called), ("folder", self.folder, _below)):
            for name in names if uris else ():
                if not any(fits(uri, name) for uri in uris):
                    raise InputError(f"no document matches {key}={name}; rag status lists them")

    def has_document(self, uri: str, date: str | None) -> bool:
        """Tell whether a document fits, passages aside."""
        return (
            (not self.document or any(is_called(uri, name) for name in self.document))
            and (not self.folder or any(_below(uri, folder) for folder in self.folder))
            and (not self.date or any(_within(date, *period) for period in self.date))
            and (not self.as_of or not date or _within(date, "", self.as_of))
        )

    def has_section(self, section: str | None) -> bool:
        """Tell whether a passage under this heading fits."""
        return not self.section or any(_part(section, wanted) for wanted in self.section)

    def has_speaker(self, speaker: str | None) -> bool:
        """Tell whether a passage fits in which this person speaks."""
        return not self.speaker or any(_part(speaker, wanted, whole=True) for wanted in self.speaker)


def _period(text: str) -> tuple[str, str]:
    """Read `2024-01-01..2024-12-31`, an open end, or one day, month or year."""
    first, dots, last = text.partition("..")
    last = last if dots else first
    for bound in (first, last):
        _check_day(bound, text)
    if not first and not last:
        raise InputError(f"the date range {text!r} has no bound; write 2024-01-01..2024-12-31")
    if first and last and first > last + "~":
        raise InputError(f"the date range {text!r} ends before it begins")
    return first, last


def _check_day(bound: str, text: str = "") -> None:
    try:
        known = not bound or bool(_DAY.fullmatch(bound) and dt.date.fromisoformat(f"{bound}-01-01"[:10]))
    except ValueError:
        known = False
    if not known:
        raise InputError(f"cannot read the date {text or bound!r}; write 2024-01-01..2024-12-31, 2024-05.. or 2024")


def _bounds(how: str, day: str) -> tuple[str, str]:
    if not day:
        raise InputError(f"date{how} needs a date; write date>=2024-01-01")
    _check_day(day)
    if how in {">=", "<="}:
        return (day, "") if how == ">=" else ("", day)
    first = dt.date.fromisoformat(f"{day}-01-01"[:10])
    try:
        if how == "<":
            return "", (first - dt.timedelta(days=1)).isoformat()
        later = first + dt.timedelta(days={4: 366, 7: 31}.get(len(day), 1))  # in the next year or month,
        return (later if len(day) == 10 else later.replace(day=1)).isoformat(), ""  # which then begins there
    except OverflowError:
        raise InputError(f"no date is {how} {day}; write date>=2024-01-01") from None


def _overlap(periods: list[tuple[str, str]]) -> list[tuple[str, str]]:
    if not periods:
        return []
    lasts = (last for _, last in periods if last)
    return [(max(first for first, _ in periods), min(lasts, key=lambda last: f"{last}~", default=""))]  # a year is long


def _within(date: str | None, first: str, last: str) -> bool:
    """Compare as text: a bound of only a year or a month covers all of it."""
    return bool(date) and (not first or str(date) >= first) and (not last or str(date)[: len(last)] <= last)


def is_called(uri: str, name: str) -> bool:
    """Tell whether a document goes by a name: its URI, or the end of its path; an absolute path is a whole one."""
    return uri == name or (not name.startswith("/") and uri.endswith("/" + name.removeprefix("./")))


def _below(uri: str, folder: str) -> bool:
    parent = uri.rpartition("/")[0] + "/"
    wanted = folder.removeprefix("./").rstrip("/") + "/"
    return parent.startswith(wanted) if wanted.startswith("/") else f"/{wanted}" in f"/{parent}"


def _part(text: str | None, wanted: str, *, whole: bool = False) -> bool:
    """Tell whether words are in a text, the last one whole or as a beginning: `Ford` is no part of `Crawford`."""
    end = r"(?!\w)" if whole else ""
    return text is not None and bool(re.search(rf"(?<!\w){re.escape(_folded(wanted))}{end}", _folded(text)))


def folded_words(text: str) -> str:
    """Return the words of a text without case and diacritics, a space around each; nothing where it has none."""
    words = re.findall(r"\w+", _folded(text))
    return f" {' '.join(words)} " if words else ""


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(char for char in decomposed if not unicodedata.combining(char)).split())
