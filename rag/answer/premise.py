"""What a question takes for granted: names, numbers, dates and deeds that the passage which would answer does not have.

`Why did 63 soldiers die?` is not answered from a passage in which 33 died.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.answer.events import missing_event
from rag.language.dates import Parts, without_dates, written
from rag.language.names import is_name, same_name
from rag.language.numbers import number, numbers
from rag.language.speakers.titles import TITLES
from rag.language.terms import terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rag.records import Passage

_CAPITAL = r"\b(?:(?:al|el|an)-)?[A-Z](?:[\w’'-]|\.(?=[A-Z]))*"
_NAME = re.compile(rf"{_CAPITAL}(?:\s+{_CAPITAL})*")
_DIGITS = r"(?:\d[\d,.]*\d|\d)(?:\s(?:thousand|million|billion))?"
_WORDS = (
    r"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty(?:-\w+)?)(?:\s(?:hundred|thousand|million|billion))?"
)
_NUMBER = re.compile(rf"(?<![\w.-])({_DIGITS}|{_WORDS})\b(?:\s[a-z]+)?(?![-\w])")
_NEGATION = re.compile(r"\b(?:not|no(?!\s*\.)|never|nobody|neither|cannot)\b|n['’]t\b", re.IGNORECASE)
_AFTER_ALL = re.compile(r"\b(?:since|until|till|before|only|just|unless|except)\b", re.IGNORECASE)
"""Behind a negation these take it back: what was `not tested since May` was tested in May."""
_LISTED = re.compile(  # often counted, rarely with the number in the text
    r"^\s*(?:what|which|who) (?:are|were) (?:the |some )?\w+|\btwo\b"
    r"|^\s*(?:what|which|name|list) (?:the )?(?:three|four|five|six|seven|eight|nine|ten|[3-9]|10)(?= [a-z]+s\b)",
    re.IGNORECASE,
)
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
}
_POSSESSIVE = re.compile(r"['’]s?$")
_ADJECTIVE = re.compile(r"^\w+(?:ish|ese|[ae]an|ian|ican|ic)$")  # `British` goes without saying in Britain
_DENIED = re.compile(
    r"\W*(?:\d+\.\s+)?(?:it (?:is|was) (?:\w+ )?(?:denied|untrue|not true|false|not (?:the case|admitted|accepted))\b"
    r"|(?:[\w.’'-]+\s+){1,5}(?:denies|denied|deny) that\b)",
    re.IGNORECASE,
)
_DENYING = re.compile(
    r"\b(?:den(?:y|ies|ied|ial)|true|false|claim|claims|claimed|admit|admits|admitted|sa(?:y|ys|id)|think|thinks|thought"
    r"|respon\w+|react\w*|comment\w*|repl(?:y|ies|ied)|answer\w*|position|defen[cs]e|view|stance|according)\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[;:]\s|,\s|\s(?:but|while|whereas|although)\s")
_UNREAL_BEFORE = re.compile(
    r"\b(?:rumou?red that|it is alleged that|none of (?:the|these|those|its|their|his|her)(?: \w+)?\s*$"
    r"|(?:earlier|previous) version of\b.*\b(?:said|reported)|(?:was|were) to (?:be|have)\b.* (?:in|on|by|at)\s*$)",
    re.IGNORECASE,
)
_UNREAL_BEHIND = re.compile(
    r"(?:\s[\w’'-]+){0,3}?\s(?:would have|might have|may have|could have)\b"
    r"|\s(?:(?:is|was|are|were|has|have|had|did|does|do|will|would|can|could) (?:not|never)|never"
    r"|(?:is|was|are|were|has|have|had|did|does|do|wo|would|could)n[’']t"
    r"|(?:refuse[sd]?|fail(?:s|ed)?|decline[sd]?) to)\b",
    re.IGNORECASE,
)
_UNREAL_ASKED = re.compile(
    r"\b(?:not|never|no|none|nobody|refused?|failed?|declined?|would|may|might|could|planned|supposed|rumou?red"
    r"|alleged|to be|to have)\b|n[’']t\b",
    re.IGNORECASE,
)
_OF_ALL = re.compile(r"^\W*of (?:the|these|those|its|their) $", re.IGNORECASE)
_FEWER = re.compile(r"\b(?:none|nobody|all but|no one|half|most|some|many)\b", re.IGNORECASE)
_REACH = 2  # words behind a negation that it is about
_YEAR = re.compile(r"\b[12]\d{3}\b")
_OPENING = re.compile(r"\s*\S+")


def missing(question: str, passage: Passage, around: str = "") -> str | None:
    """Return the first part of what the question takes for granted that a passage lacks; None where it has all.

    A name, number or date lacks only where the passage has others in its place: else it may be said in other words.

    Args:
        question: what is asked.
        passage: would answer it.
        around: more of the same document; a name may stand there alone, and a pronoun in the passage.
    """
    told = passage.retrieval_text
    date = _missing_date(question, told, around)
    missed = date or _missing_number(question, told) or _missing_name(without_dates(question), told, around)
    return missed or missing_event(question, told)


def denies(question: str, sentence: str) -> bool:
    """Tell whether a sentence says that what the question takes for granted did not happen.

    It does when a negation stands right before a word of the question: `was never invited` for `When was ... invited?`.
    """
    if _NEGATION.search(question):
        return False
    asked = set(terms(question))
    behind = (sentence[match.end() :] for match in _NEGATION.finditer(sentence))
    denied = (" ".join(words.split()[:_REACH]) for words in behind if not _AFTER_ALL.search(words))
    return any(asked & set(terms(words)) for words in denied)


def is_denied(question: str, sentence: str) -> bool:
    """Tell whether a sentence only says that something is not so: `It is denied that the ship made 17 knots`."""
    return bool(_DENIED.match(sentence)) and not _DENYING.search(question)


def is_unreal(question: str, sentence: str, start: int, end: int) -> bool:
    """Tell whether an answer is part of what did not happen, or may not have: then it is not to be shown by itself.

    `Ann` of `Ann refused to resign`, `14` of `None of the 14 survived`, `300` of `300 houses would have been flooded`.

    Args:
        question: what is asked.
        sentence: has the answer.
        start: where it starts there, in code points.
        end: where it ends.
    """
    if _UNREAL_ASKED.search(question):
        return False
    before, after = _CLAUSE.split(sentence[:start])[-1], sentence[end:]
    behind = _CLAUSE.split(after)[0]
    total = _OF_ALL.search(before) and numbers(sentence[start:end]) and (_FEWER.search(after) or _NUMBER.search(after))
    return bool(total or _UNREAL_BEFORE.search(before) or _UNREAL_BEHIND.match(behind))


def _missing_date(question: str, told: str, around: str) -> str | None:
    """Find a date that agrees with none of the passage, or whose year the document lacks though it has others."""
    asked = written(question)
    said = [*(parts for _, parts in written(told)), *_in_figures(told)] if asked else []
    years = set(_YEAR.findall(f"{told}\n{around}"))
    known = [date for _, date in asked if date.year is None or not years or str(date.year) in years]
    if any(date.agrees(parts) for date in known for parts in said):
        return None
    for span, date in asked:
        alike = [parts for parts in said if date.day is None or parts.day is not None]
        if alike:
            return span.of(question)
    return None


def _in_figures(text: str) -> Iterator[Parts]:
    """Yield the dates like `3.4.2025` of a text: nobody knows which figure is the month, so it may be either."""
    for match in _FIGURES.finditer(text):
        one, other, year = map(int, match.groups())
        for day, month in ((one, other), (other, one)):
            if 1 <= month <= 12 and 1 <= day <= 31:
                yield Parts(year if year > 99 else 2000 + year, month, day)


def _missing_number(question: str, told: str) -> str | None:
    asked = list(_NUMBER.finditer(_LISTED.sub("", without_dates(question))))
    said = numbers(without_dates(told)) if asked else []
    for match in asked:
        wanted = number(match[0])
        if wanted and said and not any(wanted.agrees(other) for other in said):
            return match[1]
    return None


def _missing_name(question: str, told: str, around: str) -> str | None:
    """Find a name of which passage and document have no word, nor an abbreviation or another spelling."""
    first = _OPENING.match(question)
    asked = [_POSSESSIVE.sub("", name) for name in names(question[first.end() if first else 0 :])]
    asked = [name for name in asked if not _ADJECTIVE.match(name)]
    if not asked or not names(told):
        return None
    document = f"{told}\n{around}"
    have, known = set(terms(document)), names(document)

    def is_unknown(words: str) -> bool:
        return not any(word.startswith(term) for term in terms(words) for word in have) and not _spelled(
            words, document
        )

    unknown = (name for name in asked if is_unknown(name) and not any(same_name(name, other) for other in known))
    replaced = (name for name in asked if is_unknown(_lead(name)) and _is_replaced(name, names(told)))
    return next(unknown, None) or next(replaced, None)


def _spelled(name: str, text: str) -> bool:
    """Tell whether a text spells out an acronym: `Scientific Advisory Group for Emergencies` for `SAGE`."""
    known = _EVERYDAY.get(name)
    if known and re.search(rf"\b(?:{known})", text, re.IGNORECASE):
        return True
    if not re.fullmatch(r"[A-Z]{3,6}", name):
        return False
    words = r"\s+(?:(?:of|for|and|the|on|in|to)\s+)*".join(rf"{letter}[\w’'-]+" for letter in name)
    return re.search(rf"\b{words}", text) is not None


def _is_replaced(name: str, names: Iterable[str]) -> bool:
    """Tell whether another name that ends the same stands in its place: `Pelder Barrier` for `Thames Barrier`."""
    last = name.rsplit(maxsplit=1)[-1]
    leads = [_lead(other) for other in names if other.rsplit(maxsplit=1)[-1] == last and _lead(other)]
    return bool(leads) and not any(same_name(_lead(name), lead) for lead in leads)


def _lead(name: str) -> str:
    """Return the words of a name before its last one, without titles."""
    return " ".join(word for word in name.split()[:-1] if word.lower() not in TITLES)


def names(text: str) -> list[str]:
    """Return what is written like a name, each once; a word that only opens a sentence may be among them."""
    return [name for name in dict.fromkeys(_NAME.findall(text)) if is_name(name)]
