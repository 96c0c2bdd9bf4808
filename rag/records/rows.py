"""Rows of a table as text that says with each value what it is: `Name: Ada | Year: 1843`."""

from __future__ import annotations

SEPARATOR = " | "
NAMED = ": "


def without_names(row: str, known: set[str]) -> tuple[str, str]:
    """Return a row without the names of columns that are `known`, and these names; its own are known from now on."""
    if SEPARATOR not in row:
        return row, ""
    parts = [part.partition(NAMED) for part in row.split(SEPARATOR)]
    said = [name for name, colon, _ in parts if colon and name in known]
    kept = SEPARATOR.join(value if colon and name in known else name + colon + value for name, colon, value in parts)
    known.update(name for name, colon, _ in parts if colon)
    return kept, " ".join(said)


def names_once(text: str) -> str:
    """Return a text whose rows name a column only where it comes first: all its words, fewer of them twice."""
    known: set[str] = set()
    return "\n".join(without_names(line, known)[0] for line in text.split("\n"))
