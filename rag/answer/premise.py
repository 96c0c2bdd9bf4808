"""What a question takes for granted: names, numbers and dates that the passage which would answer does not have.

`Why did 63 soldiers die?` is answered with less confidence from a passage in which 33 died. On 1,357 questions of SQuAD
2.0 held out at 184193a these rules are worth what moving the threshold is worth; they say what is missing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.language.dates import WEEKDAYS, Parts, without_dates, written
from rag.language.names import names, same_name
from rag.language.numbers import numbers
from rag.language.speakers.vocabulary import TITLES
from rag.language.terms import terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rag.answer.question import Question
    from rag.records import Passage

_FIGURES = re.compile(r"(?<![\d./-])(\d{1,2})[./-](\d{1,2})[./-](\d{4}|\d\d)(?![\d./-])")
_EVERYDAY = {
    "CEO": "chief executive",
    "CFO": "chief financial|finance director",
    "PM": "prime minister",
    "MP": "member of parliament",
    "UK": "britain|british|united kingdom",
    "EU": "european union",
    "UN": "united nations",
    "WWI": "first world war|world war i|world war one",
    "WWII": "second world war|world war ii|world war two",
    **{day: rf"{day[:3]}\b" for day in WEEKDAYS},
}
_ADJECTIVE = re.compile(r"^\w+(?:ish|ese|[ae]an|ian|ican|ic)$")  # `British` goes without saying in Britain
_OF_A_COUNTRY = re.compile(r"^\w+(?:ish|ese|an|i|ic)$")
_STEM = 4  # letters that a country and its people have in common: `Turkey`, `Turkish`
_YEARS = re.compile(r"\b([12]\d)(\d\d)((?:(?:, ?|/|[–-]| and |, and )\d\d(?!\d))*)(?!\d)")


def missing(question: Question, passage: Passage, around: str = "") -> str | None:
    """Return the first part of what the question takes for granted that a passage lacks; None where it has all.

    A name, number or date lacks only where the passage has others in its place: else it may be said in other words.
    `around` is more of the same document: a name may stand there alone, and a pronoun in the passage.
    """
    text = passage.retrieval_text
    date = _missing_date(question, text, around)
    return date or _missing_number(question, text) or _missing_name(question, text, around)


def other_year(question: Question, sentence: str) -> str | None:
    """Return a date of the question if a sentence has years, and neither its year nor a span of years around it.

    Of 1,801 answerable questions of SQuAD with a year, the sentence that answers has only others in 40; of 161 that
    mislead, the likeliest sentence in 66, of which 27 have the year elsewhere in their passage.
    """
    years = _years(sentence)
    asked = [(words, date.year) for words, date in question.dates if date.year]
    if not years or any(min(years) <= year <= max(years) for _, year in asked):
        return None
    return next((words for words, _ in asked), None)


def _missing_date(question: Question, text: str, around: str) -> str | None:
    if not question.dates:
        return None
    given = [*(parts for _, parts in written(text)), *_in_figures(text)]
    years = _years(f"{text}\n{around}")
    known = [date for _, date in question.dates if date.year is None or not years or date.year in years]
    if any(date.agrees(parts) for date in known for parts in given):
        return None
    listed = _years(text)
    for words, date in question.dates:
        is_there = date.month is None and date.year in listed
        if not is_there and any(date.day is None or parts.day for parts in given):
            return words
    return None


def _years(text: str) -> set[int]:
    """Return the years of a text, also those written with two figures behind another: `1755, 56 and 57`, `2019/20`."""
    found = set()
    for century, year, more in _YEARS.findall(text):
        found |= {int(century + each) for each in (year, *re.findall(r"\d\d", more))}
    return found


def _in_figures(text: str) -> Iterator[Parts]:
    """Yield the dates like `3.4.2025` of a text, each both ways: nobody knows which figure is the month."""
    for match in _FIGURES.finditer(text):
        one, other, year = map(int, match.groups())
        for day, month in ((one, other), (other, one)):
            if 1 <= month <= 12 and 1 <= day <= 31:
                yield Parts(year if year > 99 else 2000 + year, month, day)


def _missing_number(question: Question, text: str) -> str | None:
    given = numbers(without_dates(text)) if question.numbers else []
    lacking = (words for words, wanted in question.numbers if not any(wanted.agrees(other) for other in given))
    return next(lacking, None) if given else None


def _missing_name(question: Question, text: str, around: str) -> str | None:
    asked = [name for name in question.names if not _ADJECTIVE.match(name)]
    if not asked or not names(text):
        return None
    document = f"{text}\n{around}"
    have, known = set(terms(document)), names(document)

    def is_unknown(words: str) -> bool:
        is_there = any(word.startswith(term) for term in terms(words) for word in have)
        return not is_there and not _spelled(words, document)

    def is_among(name: str) -> bool:
        return any(same_name(name, other) or _is_of_country(name, other) for other in known)

    unknown = (name for name in asked if is_unknown(name) and not is_among(name))
    replaced = (name for name in asked if is_unknown(_lead(name)) and _is_replaced(name, names(text)))
    return next(unknown, None) or next(replaced, None)


def _is_of_country(country: str, other: str) -> bool:
    """Tell whether a word is a country's nationality: `Turkish` for `Turkey`."""
    return other[:_STEM] == country[:_STEM] and len(country) >= _STEM and _OF_A_COUNTRY.match(other) is not None


def _spelled(name: str, text: str) -> bool:
    """Tell whether a text spells out an acronym: `Scientific Advisory Group for Emergencies` for `SAGE`."""
    if name in _EVERYDAY:
        return re.search(rf"\b(?:{_EVERYDAY[name]})", text, re.IGNORECASE) is not None
    if not re.fullmatch("[A-Z]{3,6}", name):
        return False
    words = r"\s+(?:(?:of|for|and|the|on|in|to)\s+)*".join(rf"{letter}[\w’'-]+" for letter in name)
    return re.search(rf"\b{words}", text) is not None


def _is_replaced(name: str, others: Iterable[str]) -> bool:
    """Tell whether another name that ends the same stands in its place: `Pelder Barrier` for `Thames Barrier`."""
    last = name.rsplit(maxsplit=1)[-1]
    leads = [_lead(other) for other in others if other.rsplit(maxsplit=1)[-1] == last and _lead(other)]
    return bool(leads) and not any(same_name(_lead(name), lead) for lead in leads)


def _lead(name: str) -> str:
    return " ".join(word for word in name.split()[:-1] if word.lower() not in TITLES)
