"""JSON and JSONL: a block for each record, each value with the names that lead to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rag.errors import LoadError, Skipped
from rag.load.decode import decode
from rag.load.pieces import Piece, assemble, line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.records import Document

_ASKED = {"question", "answers", "evidence"}  # the fields of a question file of `rag eval`
_LONGEST_RECORD = 600  # characters in one line; a larger record gets a line for each of its values


def parse(data: bytes, uri: str) -> Document:
    """Read one value; raises `LoadError` with the place of an error."""
    return assemble(_pieces(_value(decode(data, uri), uri), "$"), data, uri, "application/json")


def parse_lines(data: bytes, uri: str) -> Document:
    """Read a value on each line; lines that are none are named as lost.

    Raises:
        Skipped: the lines are questions for `rag eval`: indexed, they would answer themselves.
        LoadError: no line is JSON.
    """
    values: list[tuple[int, object]] = []
    bad: list[int] = []
    for number, text in enumerate(decode(data, uri).split("\n"), 1):
        if text.strip():
            try:
                values.append((number, _value(text, uri)))
            except LoadError:
                bad.append(number)
    if values and all(isinstance(value, dict) and value.keys() >= _ASKED for _, value in values):
        raise Skipped(f"{uri}: holds questions for rag eval, which are no document; rename its fields to index it")
    pieces = [piece for number, value in values for piece in _pieces(value, f"line {number}")]
    if not pieces and bad:
        raise LoadError(f"{uri}: no line of it is JSON; correct it")
    notes = (f"{len(bad)} lines are no JSON ({', '.join(map(str, bad[:10]))})",) if bad else ()
    return assemble(pieces, data, uri, "application/jsonl", notes=notes)


def _value(text: str, uri: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise LoadError(f"{uri}: is no JSON ({error}); correct it") from error
    except (RecursionError, ValueError) as error:
        raise LoadError(f"{uri}: is JSON that cannot be read ({error})") from error


def _pieces(value: object, where: str) -> Iterator[Piece]:
    """Yield a record as one block while it is short, else its parts."""
    pairs = list(_leaves(value, ""))
    text = " | ".join(f"{name}: {leaf}" if name else leaf for name, leaf in pairs)
    if len(text) <= _LONGEST_RECORD or not isinstance(value, dict | list):
        yield Piece(text, mark=where)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _pieces(each, f"{where}[{index}]")
    else:
        for key, each in value.items():
            if isinstance(each, dict | list):
                yield from _pieces(each, f"{where}.{line(key)}")
            else:
                yield Piece(f"{line(key)}: {_leaf(each)}", None, "\n", f"{where}.{line(key)}")


def _leaves(value: object, name: str) -> Iterator[tuple[str, str]]:
    """Yield each value with its name; what is in a list has that of the list."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _leaves(each, f"{name}.{line(key)}" if name else line(key))
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each, name)
    elif text := _leaf(value):
        yield name, text


def _leaf(value: object) -> str:
    return "" if value is None else line(value if isinstance(value, str) else json.dumps(value))
