"""The end of a program that serves: what is under way is asked to stop, and waited for, but not for long."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import NoReturn

from rag.errors import RagError

PATIENCE = 3.0  # s that work under way gets to stop; what is cut short goes on with the next run
WORK = "rag-work"
"""How threads that change the index are called."""

_asked = threading.Event()


class Ended(RagError):  # noqa: N818 - reads as a sentence where it is caught
    """Work was given up: the program ends, or somebody cancelled it."""


def no_longer() -> None:
    """Let work run: a server starts, perhaps after another one ended."""
    _asked.clear()


def begin() -> None:
    """Ask all work to stop."""
    _asked.set()


def stop_if_ending(*_: object) -> None:
    """Stop here if the program ends, by `Ended`: work calls it with each step, as a `Progress`, too."""
    if _asked.is_set():
        raise Ended("The program ends. What is done so far is kept, and the next run goes on from there.")


def wait_for_work() -> None:
    """Wait until no thread changes the index any more, at most as long as `PATIENCE`."""
    last = time.monotonic() + PATIENCE
    for thread in threading.enumerate():
        if thread.name == WORK:
            thread.join(max(0.0, last - time.monotonic()))


def leave(code: int) -> NoReturn:
    """End the process with an exit code, once it has nothing to lose.

    Python would take a second to tear down what the system frees at once, and would end threads that compute when they
    come back from a library such as torch, which aborts the process.
    """
    wait_for_work()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
