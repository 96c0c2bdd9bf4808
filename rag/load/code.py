"""Source code and other text whose lines have a meaning: kept as it is, each line a block with its number."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from rag.language.blocks import lines, strip
from rag.load.decode import decode
from rag.records import Document, Mark, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIXES = frozenset(
    ".py .pyi .js .mjs .ts .tsx .jsx .java .kt .c .h .cc .cpp .hpp .cs .go .rs .rb .php .pl .lua .r .jl .swift .scala "
    ".sh .bash .zsh .ps1 .bat .sql .css .scss .xml .yaml .yml .toml .ini .cfg .conf .properties .env .tex .bib .rst "
    ".adoc .org .log .diff .patch .vue .svelte .dart .ex .exs .erl .hs .ml .clj .lisp .el .vim .cmake .gradle "
    ".proto".split()
)


def parse(data: bytes, uri: str) -> Document:
    """Read code; `Document.text` is exactly what the file holds, and each line has its number as its name."""
    text = decode(data, uri)
    rows = [(number, strip(text, row)) for number, row in enumerate(lines(text), 1)]
    filled = [(number, row) for number, row in rows if len(row)]
    return Document(
        uri=uri,
        text=text,
        title=None,
        digest=hashlib.sha256(data).hexdigest(),
        media_type="text/x-source",
        blocks=tuple(row for _, row in filled),
        marks=tuple(_marks(filled)),
    )


def _marks(rows: list[tuple[int, Span]]) -> Iterator[Mark]:
    for number, row in rows:
        yield Mark(row, f"line {number}")
