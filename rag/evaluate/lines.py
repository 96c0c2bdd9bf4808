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


def texts_in(record: Mapping[str, Any], key: str, place: str) -> tuple[str, ...]:
    """Return a list of texts that may be missing; raises `InputError`.

    Numbers count as texts, a list among them as several, and an object as the text under its `fact`.
    """
    found = record.get(key)
    if found is None:
        return ()
    if not isinstance(found, list):  # the letters of a text would be taken for texts
        raise InputError(f"{place}: {key!r} is {_short(found)}; write a list, as in {_short({key: [str(found)]})}")
    return tuple(text for entry in found for text in _text(entry, key, place))


def truth_in(record: Mapping[str, Any], key: str, place: str) -> bool | None:
    """Return what is true or false, None where it is not known; raises `InputError`."""
    value = record.get(key)
    if value is not None and not isinstance(value, bool):  # the text "false" would be taken for true
        raise InputError(f"{place}: {key!r} is {_short(value)}; write true or false, or leave it out")
    return value


def check_new(id_: str, place: str, seen: dict[str, str]) -> None:
    """Note the place of an id; raises `InputError` where another has it."""
    first = seen.setdefault(id_, place)
    if first != place:
        raise InputError(f"{first} and {place.rpartition(', ')[2]} have the same id, {id_}; give each one its own")


def _text(entry: object, key: str, place: str) -> tuple[str, ...]:
    if isinstance(entry, list):
        return tuple(text for each in entry for text in _text(each, key, place))
    text = entry.get("fact") if isinstance(entry, dict) else entry
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise InputError(f"{place}: {_short(entry)} among {key!r} is no text; write texts in quotation marks")
    return (str(text),) if str(text).strip() else ()


def _short(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)[:80]
