"""Filters: which passages a question is asked of. Applied inside both halves of the search, never after a cut."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

KEYS = ("document", "folder", "date", "section", "speaker")

_DAY = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2})?)?")


@dataclass(frozen=True, slots=True)
class Filter:
    """What a passage has to be. Values of one kind are alternatives; different kinds must all hold.

    Attributes:
        document: URIs, or the ends of paths (`report.txt`, `2024/report.txt`).
        folder: paths of folders, or the ends of such paths; documents anywhere below belong to them.
        date: first and last day, ISO 8601, either one empty for no bound; undated documents are outside of all.
        section: parts of headings; case and diacritics do not matter.
        speaker: parts of names of those who speak in the passage; case and diacritics do not matter.
    """

    document: tuple[str, ...] = ()
    folder: tuple[str, ...] = ()
    date: tuple[tuple[str, str], ...] = ()
    section: tuple[str, ...] = ()
    speaker: tuple[str, ...] = ()

    @classmethod
    def parse(cls, conditions: Iterable[str]) -> Filter:
        """Read conditions such as `document=report.txt`, `date=2024-01..2024-06-30`, `speaker=Ford`.

        Raises:
            InputError: a condition has another form.
        """
        found: dict[str, list[str]] = {key: [] for key in KEYS}
        for condition in conditions:
            key, equals, value = condition.partition("=")
            if key.strip() not in found or not equals or not value.strip():
                raise InputError(f"cannot filter by {condition!r}; use {', '.join(f'{key}=...' for key in KEYS)}")
            found[key.strip()].append(value.strip())
        dates = tuple(map(_period, found.pop("date")))
        return cls(date=dates, **{key: tuple(values) for key, values in found.items()})

    def __bool__(self) -> bool:
        return any((self.document, self.folder, self.date, self.section, self.speaker))

    def has_document(self, uri: str, date: str | None) -> bool:
        """Tell whether a document fits, passages aside."""
        return (
            (not self.document or any(_ends(uri, name) for name in self.document))
            and (not self.folder or any(_below(uri, folder) for folder in self.folder))
            and (not self.date or any(_within(date, *period) for period in self.date))
        )

    def has_section(self, section: str | None) -> bool:
        """Tell whether a passage under this heading fits."""
        return not self.section or any(_part(section, wanted) for wanted in self.section)

    def has_speaker(self, speaker: str | None) -> bool:
        """Tell whether a passage fits in which this person speaks."""
        return not self.speaker or any(_part(speaker, wanted) for wanted in self.speaker)


def _period(text: str) -> tuple[str, str]:
    """Read `2024-01-01..2024-12-31`, an open end, or one day, month or year."""
    first, dots, last = text.partition("..")
    last = last if dots else first
    for bound in (first, last):
        if bound and not _DAY.fullmatch(bound):
            raise InputError(f"cannot read the date {text!r}; write 2024-01-01..2024-12-31, 2024-05.. or 2024")
    if not first and not last:
        raise InputError(f"the date range {text!r} has no bound; write 2024-01-01..2024-12-31")
    if first and last and first > last + "~":
        raise InputError(f"the date range {text!r} ends before it begins")
    return first, last


def _within(date: str | None, first: str, last: str) -> bool:
    """Compare as text: a bound of only a year or a month covers all of it."""
    return bool(date) and (not first or str(date) >= first) and (not last or str(date)[: len(last)] <= last)


def _ends(uri: str, name: str) -> bool:
    return uri == name or uri.endswith("/" + name.removeprefix("./").lstrip("/"))


def _below(uri: str, folder: str) -> bool:
    parent = uri.rpartition("/")[0] + "/"
    wanted = folder.removeprefix("./").rstrip("/") + "/"
    return parent.startswith(wanted) if wanted.startswith("/") else f"/{wanted}" in f"/{parent}"


def _part(text: str | None, wanted: str) -> bool:
    return text is not None and _folded(wanted) in _folded(text)


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(char for char in decomposed if not unicodedata.combining(char)).split())
