"""Question sets line by line: what cannot be read is an error that names the file and the line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rag.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


def text_lines(file: Path) -> Iterator[tuple[str, str]]:
    """Yield the place of each line, as errors name it, and the line; raises `InputError` where it is not UTF-8."""
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            place = f"{file}, line {number}"
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")  # some editors begin a file with a mark
            except UnicodeDecodeError as error:
                raise InputError(f"{place}: not UTF-8 ({error.reason}); save the file as UTF-8") from error
            yield place, text


def records(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the place and the object of each line that is not blank; raises `InputError` where there is no object."""
    for place, line in text_lines(file):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{place}: not JSON ({error}); each line is one object, as in {{...}}") from error
        if not isinstance(record, dict):
            raise InputError(f"{place}: no JSON object but {_short(record)}; each line is one object, as in {{...}}")
        yield place, record


def id_in(record: Mapping[str, Any], place: str) -> str:
    """Return the `_id` of a line in BEIR form, a number as its digits; raises `InputError`."""
    id_ = record.get("_id")
    if id_ in (None, "") or not isinstance(id_, str | int):
        raise InputError(f"{place}: no '_id'; give it one that no other line has: {_short(record)}")
    return str(id_)


def text_in(record: Mapping[str, Any], key: str, place: str) -> str:
    """Return a text that has to be there; raises `InputError`."""
    text = record.get(key)
    if not isinstance(text, str) or not text.strip():
        raise InputError(f"{place}: no text as {key!r}: {_short(record)}")
    return text


def _short(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)[:80]
