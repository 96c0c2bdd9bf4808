"""What an LLM writes -> sentences with the numbers of their sources, as soon as each is complete."""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from rag.chunk import sentences
from rag.records import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MOST_DRAFTS = 12
_OBJECT = re.compile(r'\{\s*"(?:text|sources)"')
_HEAD = re.compile(r"^\s*(?:[-*•]\s+)?((?:\[\s*\d+(?:\s*,\s*\d+)*\s*\]\s*)+)")
_MARK = re.compile(r"\s*(?:[\[【]\s*(?:sources? )?|\(sources? )\d+(?:\s*[,;]\s*\d+)*\s*[\])】]", re.IGNORECASE)
_DIGITS = re.compile(r"\d{1,6}")
_LINK = re.compile(r"!?\[([^\]\n]*)\](?:\([^)\n]*\)|\[[^\]\n]*\])")
_URL = re.compile(r"<?\b(?:[a-z][a-z0-9+.-]{1,20}:(?://)?|www\.)[^\s<>()]*[./][^\s<>()]*>?", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z!][^>\n]*>")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2060-\u206f\ufeff]")


class Draft(NamedTuple):
    """A sentence of an LLM and the numbers it gives, whether or not there are such sources."""

    text: str
    numbers: tuple[int, ...]


def drafts(pieces: Iterable[str]) -> Iterator[Draft]:
    """Yield the sentences of an answer: of the JSON that was asked for, or of lines that begin with numbers."""
    return islice(_all_drafts(pieces), _MOST_DRAFTS)


def _all_drafts(pieces: Iterable[str]) -> Iterator[Draft]:
    written, position, form = "", 0, ""
    for piece in pieces:
        written += piece
        form = form or _form(written)
        if form:
            ready, position = _objects(written, position) if form == "json" else _lines(written, position, last=False)
            yield from ready
    if form != "json":
        yield from _lines(written, position, last=True)[0]


def _form(written: str) -> str:
    """Tell JSON from lines by the beginning; nothing while it can still be either."""
    start = re.sub(r"^\s*(?:`[^\n]*(?:\n\s*|$))?", "", written)
    return ("json" if start[0] == "{" else "lines") if start else ""


def _objects(written: str, position: int) -> tuple[list[Draft], int]:
    """Read the sentences that are complete from `position` on, and return where the next one begins."""
    found: list[Draft] = []
    while match := _OBJECT.search(written, position):
        try:
            item, position = json.JSONDecoder().raw_decode(written, match.start())
        except (json.JSONDecodeError, RecursionError):
            return found, match.start()
        text, given = item.get("text"), item.get("sources")
        numbers = [n for n in given if isinstance(n, int)] if isinstance(given, list) else []
        if isinstance(text, str):
            found += _split(text, numbers)
    return found, position


def _lines(written: str, position: int, *, last: bool) -> tuple[list[Draft], int]:
    end = len(written) if last else written.rfind("\n") + 1
    found: list[Draft] = []
    for line in written[position : max(position, end)].splitlines():
        head = _HEAD.match(line)
        numbers = [int(n) for n in _DIGITS.findall(head[1])] if head else []
        found += _split(line[head.end() :] if head else line, numbers)
    return found, max(position, end)


def _split(text: str, numbers: list[int]) -> list[Draft]:
    found: list[Draft] = []
    for span in sentences(text, Span(0, len(text))):
        sentence = span.of(text)
        own = [int(n) for mark in _MARK.findall(sentence) for n in _DIGITS.findall(mark)]
        if plain := _cleaned(sentence):
            found.append(Draft(plain, tuple(dict.fromkeys(own or numbers))))
    return found


def _cleaned(text: str) -> str:
    """Take marks, links, addresses, tags and control characters off, and put the text on one line."""
    text = _CONTROL.sub("", _MARK.sub("", _LINK.sub(r"\1", text)))
    text = _URL.sub("(link removed)", _TAG.sub("", text)).replace("**", "").replace("`", "")
    return " ".join(text.split())
