"""The boundary where every error becomes one line for a person; nothing below it catches what it cannot handle."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

from rag.errors import InputError, RagError

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_SOURCES = 50  # that may be asked for

_log = logging.getLogger(__name__)
T = TypeVar("T")


def attempt(run: Callable[[], T], failed: Callable[[str], T]) -> T:
    """Run; on an error say it in one line. What is no error of the library is kept for whoever runs the server."""
    try:
        return run()
    except RagError as error:
        return failed(str(error))
    except Exception:  # noqa: BLE001 - the boundary: nothing above could say it to the person
        _log.exception("the page could not do what was asked")
        return failed("Something went wrong. The window in which the program runs says what.")


def checked_number(k: int) -> int:
    """Return how many passages are to be found; raises `InputError`."""
    if not 1 <= k <= MOST_SOURCES:
        raise InputError(f"k is {k}; it can be 1 to {MOST_SOURCES}.")
    return k
