"""A filter as a condition for the server, and what of it is left to check here.

The condition admits all that the filter admits, and hardly anything else: `like` knows no word boundaries, and takes
the signs that mean something to it for any character. So every row that comes is checked once more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.records.filters import folded_words
from rag.store.milvus.server import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rag.records import Filter, Passage

_SPECIAL = str.maketrans({"%": "_", "\\": "_", '"': "_"})  # `_` is any character


def condition(where: Filter | None) -> str:
    """Return what the server is to ask of a passage's row; empty for no filter."""
    if not where:
        return ""
    kinds = (
        [each for name in where.document for each in _documents(name)],
        [each for folder in where.folder for each in _folders(folder)],
        [_period(first, last) for first, last in where.date],
        [f'date == "" or date <= {quoted(where.as_of + "~")}'] if where.as_of else [],
        [f"section like {_pattern(f'%{folded_words(part).rstrip()}%')}" for part in where.section],
        [f"speaker like {_pattern(f'%{folded_words(name)}%')}" for name in where.speaker],
    )
    return " and ".join(f"({' or '.join(alternatives)})" for alternatives in kinds if alternatives)


def admits(where: Filter | None, passage: Passage) -> bool:
    """Tell whether a filter admits a passage."""
    return not where or (
        where.has_document(passage.uri, passage.date)
        and where.has_section(passage.section)
        and (not where.speaker or any(where.has_speaker(said.speaker) for said in passage.statements))
    )


def _documents(name: str) -> Iterable[str]:
    yield f"uri == {quoted(name)}"
    if not name.startswith("/"):
        yield f"uri like {_pattern('%/' + name.removeprefix('./'))}"


def _folders(folder: str) -> Iterable[str]:
    wanted = folder.removeprefix("./").rstrip("/") + "/"
    yield f"uri like {_pattern(wanted + '%')}"
    if not wanted.startswith("/"):
        yield f"uri like {_pattern('%/' + wanted + '%')}"


def _period(first: str, last: str) -> str:
    bounds = [f"date >= {quoted(first)}" if first else 'date != ""']
    if last:
        bounds.append(f"date <= {quoted(last + '~')}")  # behind all days of a month or a year
    return f"({' and '.join(bounds)})"


def _pattern(text: str) -> str:
    start, end = text.startswith("%"), text.endswith("%")
    inside = text[start : len(text) - end].translate(_SPECIAL)
    return quoted("%" * start + inside + "%" * end)
