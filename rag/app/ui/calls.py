"""The boundary of the page's calls: what is asked for is checked, and every error becomes one line for a person."""

from __future__ import annotations

import logging
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from rag.errors import InputError, RagError

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_QUESTION = 2000
MOST_SOURCES = 50  # that may be asked for

_log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F")


def attempt(run: Callable[[], T], failed: Callable[[str], F]) -> T | F:
    """Run; on an error say it in one line. What is no error of the library is logged for whoever runs the server."""
    try:
        return run()
    except RagError as error:
        return failed(str(error))
    except Exception:  # noqa: BLE001 - the boundary: nothing above could say it to the person
        _log.exception("the page could not do what was asked")
        return failed("Something went wrong. The window in which the program runs says what.")


def on_error(failed: Callable[[str], F]) -> Callable[[Callable[P, T]], Callable[P, T | F]]:
    """Decorate a call with what it returns for an error: `failed` gets the one line that says it."""

    def decorate(call: Callable[P, T]) -> Callable[P, T | F]:
        @wraps(call)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> T | F:
            return attempt(lambda: call(*args, **kwargs), failed)

        return guarded

    return decorate


def error_view(message: str) -> dict[str, str]:
    """Return what the page's scripts take for an error where they expect an object."""
    return {"error": message}


def checked_number(k: int) -> int:
    """Return how many passages are to be found; raises `InputError`."""
    if not 1 <= k <= MOST_SOURCES:
        raise InputError(f"k is {k}; it can be 1 to {MOST_SOURCES}.")
    return k


def checked_question(question: str) -> str:
    """Return the question without surrounding space, fit to be sent back (no lone surrogates).

    Raises:
        InputError: there is nothing in it, or too much.
    """
    question = question.encode("utf-8", "replace").decode("utf-8").strip()
    if not question:
        raise InputError("Type a question first.")
    if len(question) > LONGEST_QUESTION:
        raise InputError(
            f"The question has {len(question):,} characters; up to {LONGEST_QUESTION:,} can be asked at once."
        )
    return question
