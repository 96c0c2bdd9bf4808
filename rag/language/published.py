"""The date of publication, as the first lines of a document or its file's name give it."""

from __future__ import annotations

import datetime as dt
import re
from itertools import zip_longest
from operator import itemgetter
from typing import TYPE_CHECKING

from rag.language.blocks import front_matter
from rag.language.dates import GERMAN_MONTHS, MONTHS, WEEKDAY, any_of, month_number
from rag.language.terms import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rag.records import Document

_MONTH, _GERMAN_MONTH = (rf"(?P<month>{any_of(names)})\.?" for names in (MONTHS, GERMAN_MONTHS))
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er)?"
_YEAR = r"(?P<year>\d{4})"
_FORMS = tuple(
    re.compile(rf"(?<!\d)(?<!\d[-/.]){form}(?!\d)(?![-/.]\d)", re.IGNORECASE)
    for form in (
        rf"{_YEAR}-(?P<month>\d\d)-(?P<day>\d\d)(?:T[\d:.]+Z?)?",
        rf"{_YEAR}/(?P<month>\d\d?)/(?P<day>\d\d?)",
        rf"{_DAY}(?:\s+of)?[\s-]+{_MONTH},?[\s-]+{_YEAR}",
        rf"{_MONTH}\s+{_DAY},?\s+{_YEAR}",
        rf"(?P<day>\d{{1,2}})\.\s?{_GERMAN_MONTH}\s+{_YEAR}",
        rf"(?P<day>\d{{1,2}})\.\s?(?P<month>\d{{1,2}})\.\s?{_YEAR}",
    )
)
_PLACE_AND_TIME = re.compile(rf"(?:\w+day,?\s)?{_DAY}\s{_MONTH}\s{_YEAR},\s(?-i:[A-Z])", re.IGNORECASE)
_LABEL = re.compile(
    r"\W*(?:first\s+|last\s+|for\s+immediate\s+)?"
    r"(?P<label>published|publication\s+date|pubdate|posted|released?|release\s+date|issued|filed"
    r"|broadcast|aired|recorded|dated|date|updated|modified|veröffentlicht|aufgezeichnet|aktualisiert|datum|stand"
    r"|publiée?|enregistrée?|diffusée?|mise? à jour)(?:\s+(?:on|at|am|vom|le))?\s*[:–—-]?\s*",
    re.IGNORECASE,
)
_LATER = {"updated", "modified", "aktualisiert", "mis à jour", "mise à jour"}  # better than nothing
_WEEKDAY_FIRST = re.compile(r"^[^\W\d_]{3,10},?\s")
_FIELD = re.compile(r"[^\W\d_][^:]{0,40}:\s")  # a value of a form is not when it was written
_SENTENCE_OF_DATE = re.compile(r"\s*(?:$|[.;|(·–—-]|(?:at|in|by|from|with|im|in|von|à|par)\s|,\s(?:\d|[A-Z]))")
"""Behind the date of `Recorded on 9 May 2023 at the town hall.`: no clause about something else that was published."""
_BESIDE = re.compile(rf"\d{{1,2}}[:.]\d\d|\b{WEEKDAY}\b|\b(?:gmt|utc|[ce]e?s?t|[ap]\.?m)\b\.?", re.IGNORECASE)
_DATELINE = re.compile(
    r"[A-Z][\w .,/'’-]{1,50}?[,(]\s*(?P<date>[^()–—]{6,20}?)\)?\s*(?:\([A-Za-z ]{2,20}\)\s*)?[–—-]\s"
)
_IN_NAME = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_.]?([01]\d)[-_.]?([0-3]\d)(?!\d)")
_HEAD = 15  # lines in which a document says when it was published


def parse_date(text: str) -> str | None:
    """Return the first date in `text` as `YYYY-MM-DD`; None when there is none."""
    found = (match for form in _FORMS for match in form.finditer(text))
    for match in sorted(found, key=re.Match.start):
        try:
            return dt.date(int(match["year"]), month_number(match["month"]), int(match["day"])).isoformat()
        except ValueError:
            continue
    return None


def publication_date(lines: Iterable[str]) -> str | None:
    """Return the date that the first lines of a document give for it.

    A labelled one is best (`Published: 2 December 2024`), then a line of little else than a date, then a dateline
    (`DAMASCUS, Dec. 2, 2024 (AP) -`). A date inside prose, or in a timeline, says when something happened.
    """
    rows = [" ".join(line.replace("*", " ").replace("_", " ").split()) for line in lines if line.strip()]
    return _labelled(rows[:_HEAD]) or _standing_alone(rows) or _dateline(rows[:_HEAD])


def date_in_name(uri: str) -> str | None:
    """Return the date in the name of a file: `2024-12-02-talks.txt`, `talks_20241202.pdf`."""
    dates = (parse_date("-".join(match.groups())) for match in _IN_NAME.finditer(uri.rpartition("/")[2]))
    return next(filter(None, dates), None)


def date_origin(document: Document) -> str | None:
    """Return where the date of a document stands: `first lines`, `file name`, or else `metadata`; None without one.

    Its text comes first: a reader can check it there. The block that opens a Markdown file counts as metadata.
    """
    if document.date is None:
        return None
    start = front_matter(document.text) if document.media_type == "text/markdown" else 0
    if publication_date(document.text[start:].splitlines()) == document.date:
        return "first lines"
    return "file name" if date_in_name(document.uri) == document.date else "metadata"


def _labelled(head: Sequence[str]) -> str | None:
    labels = [
        (match["label"].lower() in _LATER, row[match.end() :] or below)  # a label may have a line of its own
        for row, below in zip_longest(head, head[1:], fillvalue="")
        if (match := _LABEL.match(row))
    ]
    found = (_only(rest) or _opening(rest) for _, rest in sorted(labels, key=itemgetter(0)))
    return next(filter(None, found), None)


def _standing_alone(rows: Sequence[str]) -> str | None:
    """Return the date of a line above the first paragraph; a remark of one line may stand over it."""
    found = [(index, date) for index, row in enumerate(rows) if len(row) <= 80 and (date := _only(row))]
    if not 1 <= len(found) <= 2 or found[0][0] >= _HEAD:
        return None
    index, date = found[0]
    return None if any(map(_is_prose, rows[1:index])) else date


def _dateline(head: Sequence[str]) -> str | None:
    for match in filter(None, map(_DATELINE.match, head)):
        is_life = any(form.match(match.string, match.end()) for form in _FORMS)  # `Ada, 12 May 1809 – 15 April 1865`
        if not is_life and (date := parse_date(match["date"])):
            return date
    return None


def _only(row: str) -> str | None:
    found = None if _FIELD.match(row) else parse_date(row)
    if _PLACE_AND_TIME.match(row):
        return found
    for form in _FORMS:
        row, times = form.subn("", row)
        if times > 1:
            return None
    beside = _BESIDE.sub("", row)
    return found if len(words(beside)) <= 6 and not beside.rstrip().endswith((".", "!", "?")) else None


def _opening(words: str) -> str | None:
    """Return the date that a sentence opens with, after its label: `9 May 2023 at the town hall. Present: ...`."""
    rests = (words, _WEEKDAY_FIRST.sub("", words))
    found = (match for rest in rests for form in _FORMS if (match := form.match(rest)))
    return next((parse_date(m[0]) for m in found if _SENTENCE_OF_DATE.match(m.string, m.end())), None)


def _is_prose(row: str) -> bool:
    return len(row) > 80 and row.rstrip("\"”’'»)").endswith((".", "!", "?", "。"))
