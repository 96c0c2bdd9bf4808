"""JSON, JSONL, CSV and TSV: a block for each record, each value with the names that lead to it."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from rag.errors import LoadError, Skipped
from rag.load.blocks import Block, assemble, counted, line
from rag.load.decode import MOST_TEXT, decode
from rag.load.sheets import date_above, sheet_table
from rag.records import Omission

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.records import Document

_ASKED = {"question", "answers", "evidence"}  # the fields of a question file of `rag eval`
_LONGEST_RECORD = 600  # characters in one line; a larger record gets a line for each of its values
_SAMPLE = 20_000  # characters
_DELIMITERS = ",;\t|"


def parse_json(data: bytes, uri: str) -> Document:
    """Read one value; raises `LoadError` with the place of an error."""
    return assemble(_blocks(_value(decode(data, uri), uri), "$"), data, uri, "application/json")


def parse_json_lines(data: bytes, uri: str) -> Document:
    """Read a value on each line; lines that are none are named as lost. Raises `LoadError` where there are no others.

    Raises `Skipped` for questions for `rag eval`: indexed, they would answer themselves.
    """
    values: dict[int, object] = {}
    bad: dict[int, str] = {}
    for number, text in enumerate(decode(data, uri).split("\n"), 1):
        if text.strip():
            try:
                values[number] = _value(text, uri)
            except LoadError:
                bad[number] = line(text)
    if values and all(isinstance(value, dict) and value.keys() >= _ASKED for value in values.values()):
        raise Skipped(f"{uri}: holds questions for rag eval, which are no document; rename its fields to index it")
    blocks = [block for number, value in values.items() for block in _blocks(value, f"line {number}")]
    if not blocks and bad:
        raise LoadError(f"{uri}: no line of it is JSON; correct it")
    notes = counted((len(bad), f"line[s] without JSON ({', '.join(map(str, islice(bad, 10)))})"))
    aside = tuple(Omission("unreadable", text) for text in bad.values())
    return assemble(blocks, data, uri, "application/jsonl", notes=notes, set_aside=aside)


def parse_csv(data: bytes, uri: str) -> Document:
    """Read a table of text; raises `LoadError` where its quotation marks or cells make no sense."""
    blocks = list(sheet_table(_rows(decode(data, uri), uri)))
    return assemble(blocks, data, uri, "text/csv", date=date_above(blocks))


def _value(text: str, uri: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise LoadError(f"{uri}: is no JSON ({error}); correct it") from error
    except (RecursionError, ValueError) as error:
        raise LoadError(f"{uri}: is JSON that cannot be read ({error})") from error


def _blocks(value: object, where: str) -> Iterator[Block]:
    pairs = list(_leaves(value, ""))
    text = " | ".join(f"{name}: {leaf}" if name else leaf for name, leaf in pairs)
    if len(text) <= _LONGEST_RECORD or not isinstance(value, dict | list):
        yield Block(text, mark=where)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _blocks(each, f"{where}[{index}]")
    else:
        for name, each in ((line(key), each) for key, each in value.items()):
            if isinstance(each, dict | list):
                yield from _blocks(each, f"{where}.{name}")
            else:
                yield Block(f"{name}: {_leaf(each)}", None, "\n", f"{where}.{name}")


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


def _rows(text: str, uri: str) -> Iterator[tuple[int, list[str]]]:
    """Yield number and cells of each row. A row in which a cell has line ends counts once, as in spreadsheets."""
    csv.field_size_limit(MOST_TEXT)
    first = text.partition("\n")[0].removesuffix("\r")
    named = first[4:] if first.startswith("sep=") and len(first) == 5 else ""  # how Excel may be told
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=named or _delimiter(text))
    try:
        yield from islice(enumerate(reader, 1), 1 if named else 0, None)
    except csv.Error as error:
        raise LoadError(f"{uri}: row {reader.line_num} is no row of a table ({error}); save it anew as CSV") from error


def _delimiter(text: str) -> str:
    """Return the sign that most rows have equally often; of two not the comma, which may stand in numbers."""

    def agreement(mark: str) -> tuple[float, bool, int]:
        rows = [row for row in csv.reader(io.StringIO(text[:_SAMPLE], newline=""), delimiter=mark) if row]
        width, count = max(Counter(map(len, rows)).items(), key=lambda item: (item[0] > 1, item[1]), default=(1, 0))
        return (0.0, False, 1) if width == 1 else (count / len(rows), mark != ",", width)

    return max(_DELIMITERS, key=agreement)
