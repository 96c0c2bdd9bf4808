"""The boundary of calls from the page and from assistants: what they ask is checked, an error is told in one line."""

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
        _log.exception("a call could not be answered")
        return failed("Something went wrong. The window in which the program runs says what.")


def on_error(failed: Callable[[str], F]) -> Callable[[Callable[P, T]], Callable[P, T | F]]:
    """Decorate a call with what it returns for an error: `failed` gets the one line that says it."""

    def decorate(call: Callable[P, T]) -> Callable[P, T | F]:
        @wraps(call)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> T | F:
            return attempt(lambda: call(*args, **kwargs), failed)

        return guarded

    return decorate


def checked_number(k: int) -> int:
    """Return how many passages are to be found; raises `InputError`."""
    if not 1 <= k <= MOST_SOURCES:
        raise InputError(f"k is {k}; it can be 1 to {MOST_SOURCES}.")
    return k


def checked_question(question: str) -> str:
    """Return the question without surrounding space and lone surrogates; raises `InputError` for none or a long one."""
    question = question.encode("utf-8", "replace").decode("utf-8").strip()
    if not question:
        raise InputError("Type a question first.")
    if len(question) > LONGEST_QUESTION:
        raise InputError(
            f"The question has {len(question):,} characters; up to {LONGEST_QUESTION:,} can be asked at once."
        )
    return question
