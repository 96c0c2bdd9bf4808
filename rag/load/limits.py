"""How large a file, and what is in it, may be. Beyond that it is a data set or a log, which nobody quotes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.errors import Skipped

if TYPE_CHECKING:
    from rag.records import Document

LARGEST = 50_000_000
"""Bytes of a file."""

MOST_TEXT = 20_000_000
"""Characters of a document."""

MOST_LINES = 1_000_000
MOST_BLOCKS = 200_000
"""Of a document: to cut it into passages takes a minute at most."""

_LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"


def check_size(uri: str, size: int) -> None:
    """Raise `Skipped` for a file of more bytes than one may have."""
    if size > LARGEST:
        raise Skipped(f"{uri}: {size / 1e6:.0f} MB is more than the {LARGEST / 1e6:.0f} MB of a document; split it")


def check_lines(uri: str, text: str) -> None:
    """Raise `Skipped` for a text of more lines than a document may have."""
    _check(uri, sum(map(text.count, _LINE_ENDS)), MOST_LINES, "lines")


def check_text(document: Document) -> None:
    """Raise `Skipped` for a document without text, or with more of it than one may have."""
    uri, text = document.uri, document.text
    if not text.strip():
        raise Skipped(f"{uri}: has no text; nothing to index")
    _check(uri, len(text), MOST_TEXT, "characters")
    _check(uri, len(document.blocks), MOST_BLOCKS, "paragraphs or rows")
    check_lines(uri, text)


def _check(uri: str, count: int, most: int, what: str) -> None:
    if count > most:
        raise Skipped(f"{uri}: holds {count:,} {what}, more than {most:,}; split it")
