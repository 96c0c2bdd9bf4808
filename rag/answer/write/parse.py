"""What an LLM writes -> sentences with the numbers of their sources, as soon as each is complete."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from rag.answer.write.prompt import NOT_FOUND, SEARCH
from rag.chunk import sentences
from rag.records import Span
from rag.records.rows import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_OBJECT = re.compile(r'\{\s*"(?:text|sources|date|who|says)"')
_EMPTY = re.compile(r'"sentences"\s*:\s*\[\s*\]')
_QUERY = re.compile(r'"search"\s*:\s*("(?:[^"\\]|\\.)*")')
_SEARCH_LINE = re.compile(rf"\s*{SEARCH}\s*:?\s*(\S.*)", re.IGNORECASE)
_HEAD = re.compile(r"^\s*(?:[-*•]\s+)?((?:\[\s*\d+(?:\s*,\s*\d+)*\s*\]\s*)+)")
_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")
_MARK = re.compile(r"\s*(?:[\[【]\s*(?:sources? )?|\(sources? )\d+(?:\s*[,;]\s*\d+)*\s*[\])】]", re.IGNORECASE)
_MEANT = re.compile(r"\s*\(= [^()]{1,40}\)")  # the days that the prompt adds behind `on Tuesday`
_DIGITS = re.compile(r"\d{1,6}")
_LINK = re.compile(r"!?\[([^\]\n]*)\](?:\([^)\n]*\)|\[[^\]\n]*\])")
_URL = re.compile(r"<?\b(?:[a-z][a-z0-9+.-]{1,20}:(?://)?|www\.)[^\s<>()]*[./][^\s<>()]*>?", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z!][^>\n]*>")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2060-\u206f\ufeff]")
_REFUSED = re.compile(
    rf"{NOT_FOUND}|not (?:in|found in|contained in|mentioned in|answered (?:by|in)) the (?:\w+ )?"
    r"(?:sources?|documents?|passages?)"
    r"|the (?:\w+ )?(?:sources?|documents?|passages?) (?:do|does) not (?:answer|say|mention|contain|provide|give)",
    re.IGNORECASE,
)
_LONGEST_QUERY = 200  # characters


class Draft(NamedTuple):
    """A sentence of an LLM and the numbers it gives, whether or not there are such sources.

    `lead` is what a form sets apart from the sentence: the date of an event, or who says it.
    """

    text: str
    numbers: tuple[int, ...]
    lead: str = ""


class NotFound(NamedTuple):
    """The LLM says that the sources do not answer."""


class Search(NamedTuple):
    """The LLM wants something searched, to answer more or better."""

    query: str


def replies(pieces: Iterable[str], *, again: bool = False) -> Iterator[Draft | NotFound | Search]:
    """Yield what a reply says: of the JSON that was asked for, or of lines that begin with numbers.

    That there is no answer counts only in front of all sentences, and ends it; but where it may ask for a search
    `again`, what it wants searched may still follow.
    """
    is_first, refused = True, False
    for found in _all(pieces):
        search = _SEARCH_LINE.match(found.text) if isinstance(found, Draft) else None
        if is_first and isinstance(found, Draft) and _REFUSED.search(found.text):
            refused = True
            if not again:
                break
        elif search or isinstance(found, Search) or not refused:
            yield Search(search[1][:_LONGEST_QUERY]) if search else found
        is_first = False
    if refused:
        yield NotFound()


def _all(pieces: Iterable[str]) -> Iterator[Draft | NotFound | Search]:
    written, position, form = "", 0, ""
    for piece in pieces:
        written += piece
        form = form or _form(written)
        if form:
            ready, position = _objects(written, position) if form == "json" else _lines(written, position, last=False)
            yield from ready
    if form != "json":
        yield from _lines(written, position, last=True)[0]
    elif query := _query(written[position:]):
        yield Search(query)
    elif _EMPTY.search(written):
        yield NotFound()


def _query(rest: str) -> str:
    """Read what is to be searched, behind the sentences."""
    found = _QUERY.search(rest)
    words = str(json.loads(found[1], strict=False)).split() if found else []
    return " ".join(words).encode("utf-8", "replace").decode()[:_LONGEST_QUERY]


def _form(written: str) -> str:
    """Tell JSON from lines by the beginning; nothing while it can still be either."""
    start = re.sub(r"^\s*(?:`[^\n]*(?:\n\s*|$))?", "", written)
    return ("json" if start[0] == "{" else "lines") if start else ""


def _objects(written: str, position: int) -> tuple[list[Draft], int]:
    """Read the sentences that are complete from `position` on, and return where the next one begins."""
    found: list[Draft] = []
    while match := _OBJECT.search(written, position):
        try:
            item, position = json.JSONDecoder(strict=False).raw_decode(written, match.start())
        except (json.JSONDecodeError, RecursionError):
            return found, match.start()
        found += _item(item)
    return found, position


def _item(item: dict[str, Any]) -> list[Draft]:
    text, lead = item.get("text", item.get("says")), item.get("date", item.get("who"))
    given = item.get("sources")
    numbers = [n for n in given if isinstance(n, int)] if isinstance(given, list) else []
    if not isinstance(text, str):
        return []
    if isinstance(lead, str) and _cleaned(lead):
        return [Draft(_cleaned(text), tuple(dict.fromkeys(numbers)), _cleaned(lead))] if _cleaned(text) else []
    return _split(text, numbers)


def _lines(written: str, position: int, *, last: bool) -> tuple[list[Draft], int]:
    end = len(written) if last else written.rfind("\n") + 1
    found: list[Draft] = []
    for line in written[position : max(position, end)].splitlines():
        head = _HEAD.match(line)
        numbers = [int(n) for n in _DIGITS.findall(head[1])] if head else []
        found += _split(_BULLET.sub("", line[head.end() :] if head else line), numbers)
    return found, max(position, end)


def _split(text: str, numbers: list[int]) -> list[Draft]:
    whole = Span(0, len(text))
    found: list[Draft] = []
    for span in [whole] if SEPARATOR in text else sentences(text, whole):  # a row of a table stays whole
        sentence = span.of(text)
        own = [int(n) for mark in _MARK.findall(sentence) for n in _DIGITS.findall(mark)]
        if plain := _cleaned(sentence):
            found.append(Draft(plain, tuple(dict.fromkeys(own or numbers))))
    return found


def _cleaned(text: str) -> str:
    """Take marks, links, addresses, tags and control characters off, and put the text on one line."""
    text = _CONTROL.sub("", _MARK.sub("", _LINK.sub(r"\1", _MEANT.sub("", text))))
    text = _URL.sub("(link removed)", _TAG.sub("", text)).replace("**", "").replace("`", "")
    return " ".join(text.split())
