"""Titles and sections, alike for all formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rag.records import Section, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST_TITLE = 200  # characters: it stands in front of each passage for the encoder, whose window is small


class Heading(NamedTuple):
    """A heading's place in the text; level 1 is the highest."""

    span: Span
    title: str
    level: int


def headline(text: str) -> str | None:
    """Return a title as one line of bounded length; None for nothing."""
    line = " ".join(text.split())
    if len(line) <= _LONGEST_TITLE:
        return line or None
    return line[:_LONGEST_TITLE].rpartition(" ")[0] + "…" if " " in line[:_LONGEST_TITLE] else line[:_LONGEST_TITLE]


def outline(text: str, headings: Sequence[Heading]) -> tuple[Section, ...]:
    """Let each heading reach to the next one of the same or a higher level."""
    ends: list[int] = []
    open_below: list[tuple[int, int]] = []  # (level, start) of the headings that follow, nearest last
    for heading in reversed(headings):
        while open_below and open_below[-1][0] > heading.level:
            open_below.pop()
        ends.append(open_below[-1][1] if open_below else len(text))
        open_below.append((heading.level, heading.span.start))
    return tuple(
        Section(Span(heading.span.start, end), heading.span, headline(heading.title) or "", heading.level)
        for heading, end in zip(headings, reversed(ends), strict=True)
    )
