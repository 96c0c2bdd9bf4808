"""Subtitles (SRT, VTT): running text whose time codes are the names of its places."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, NamedTuple

from rag.language.blocks import is_turn
from rag.load.blocks import document, line
from rag.load.decode import decode
from rag.records import Mark, Span, Statement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.records import Document

_TIME = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[.,]\d{1,3}"
_CUE = re.compile(rf"^[ \t]*{_TIME}[ \t]+-->[ \t]+{_TIME}[^\n]*$", re.MULTILINE)
_TAG = re.compile(r"<[^<>\n]{0,200}>|\{\\[^{}\n]{0,100}\}")
_VOICE = re.compile(r"<v(?:\.[^\s>]{1,50})?\s+([^<>\n]{1,100})>|</v>")
_PAUSE = 4  # seconds of silence that end a paragraph
_SHORT = 10  # characters of a cue that may well be said twice
_LONGEST = 1_200  # characters of a paragraph


class _Cue(NamedTuple):
    start: int  # seconds
    end: int
    text: str
    speaker: str | None


def parse(data: bytes, uri: str) -> Document:
    """Read subtitles; cues that go on with a sentence stand in one paragraph."""
    source = decode(data, uri).replace("\r\n", "\n").replace("\r", "\n")
    text = ""
    blocks: list[Span] = []
    marks: list[Mark] = []
    speakers: list[Statement] = []
    last: _Cue | None = None
    for cue in _cues(source):
        joined = last is not None and _goes_on(last, cue, len(text) - blocks[-1].start)
        text += (" " if joined else "\n\n") if text else ""
        span = Span(len(text), len(text) + len(cue.text))
        text += cue.text
        blocks[-1:] = [Span(blocks[-1].start, span.end)] if joined else [*blocks[-1:], span]
        marks.append(Mark(span, f"{cue.start // 3600:02}:{cue.start // 60 % 60:02}:{cue.start % 60:02}"))
        if cue.speaker:
            speakers.append(Statement(span, cue.speaker))
        last = cue
    kind = "text/vtt" if source.lstrip().startswith("WEBVTT") else "application/x-subrip"
    return document(text, data, uri, kind, blocks=tuple(blocks), marks=tuple(marks), speakers=tuple(speakers))


def _cues(source: str) -> Iterator[_Cue]:
    found = list(_CUE.finditer(source))
    ends = [*(match.start() for match in found[1:]), None]
    above: list[str] = []
    for match, end in zip(found, ends, strict=False):
        between = source[match.end() : end]
        rows = between.strip("\n").split("\n\n")[0].split("\n")
        if end and len(rows) > 1 and rows[-1].strip().isdigit() and "\n\n" not in between:
            rows.pop()  # the number of the next cue, where no blank line parts them
        rows = [row for row in rows if line(_TAG.sub("", row))]
        plain = [line(_TAG.sub("", row)) for row in rows]
        rolled = (n for n in (2, 1) if plain[:n] == above[-n:] and sum(map(len, plain)) > _SHORT)
        above, rows = plain, rows[next(rolled, 0) :]  # the lines above stay while the next comes
        times = [int(part or 0) for part in match.groups()]
        start, stop = (h * 3600 + m * 60 + s for h, m, s in (times[:3], times[3:]))
        for voice, words in _voices("\n".join(rows)):
            yield _Cue(start, stop, words, voice)


def _voices(body: str) -> Iterator[tuple[str | None, str]]:
    """Yield the words of one cue with the voice that speaks them: two may speak in it, or nobody that is named."""
    first, *parts = _VOICE.split(body)  # words, then a name (None at the end of a voice) and words in turn
    for name, said in [(None, first), *zip(parts[::2], parts[1::2], strict=True)]:
        if words := line(html.unescape(_TAG.sub("", said.replace("\n", " ")))):
            yield line(html.unescape(name or "")) or None, words


def _goes_on(last: _Cue, cue: _Cue, length: int) -> bool:
    closed = last.text.endswith((".", "!", "?", "…", "。", "؟", '"', "”"))
    fresh = cue.text.startswith(("- ", "– ", ">>")) or is_turn(cue.text) or cue.speaker != last.speaker
    return not fresh and cue.start - last.end < _PAUSE and (not closed or length < _LONGEST)
