"""The other end of `rag.load.pool`: a process that reads one file after the other, within limits.

A request is a header in JSON and the bytes of a file. It names the file and what is wanted of it: its document, or the
place of a span on its pages and a picture of one. An answer is a header and bytes as well; it may be that there is one
page more to wait for. Whatever a file does here, to memory or to time, it does to this process only.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import threading
import time
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from rag.errors import InputError, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_MEMORY = 1_000_000_000
"""Bytes of address space."""

SECONDS = 60
"""Of computing, for each file, and more for a large one."""

_BYTES_A_SECOND = 10_000  # of a PDF full of text, on a slow machine that does other things as well
_MOST_FOR_SIZE = 600


def seconds_for(size: int, header: Mapping[str, Any]) -> float:
    """Return the seconds that a file has for its size beyond those of each: none where only pages are asked for."""
    return 0 if "span" in header else min(size / _BYTES_A_SECOND, _MOST_FOR_SIZE)


def main(descriptor: str) -> None:
    """Serve until the owner closes the pipe (open as this descriptor), or is gone."""
    from rag.load.pdf.ocr import SECONDS as SECONDS_OF_PAGE

    pipe = Connection(int(descriptor))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()

    def before_page() -> None:
        _limit_time(SECONDS_OF_PAGE + SECONDS)  # tesseract starts with the same limit
        send(pipe, {"wait": SECONDS_OF_PAGE + SECONDS}, b"")

    while True:
        try:
            header, data = receive(pipe)
        except EOFError:
            return
        _limit_time(SECONDS + int(seconds_for(len(data), header)))
        send(pipe, *_answer(data, header, before_page))


def _limit_time(seconds: int) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def _answer(data: bytes, header: Mapping[str, Any], before_page: Callable[[], None]) -> tuple[Mapping[str, Any], bytes]:
    from rag.load import load_bytes
    from rag.records.codec import document_to_json

    uri = header["uri"]
    try:
        if "span" in header:
            return _places(data, header, before_page)
        return {}, document_to_json(load_bytes(data, uri, before_page))
    except Skipped as error:
        return {"skipped": str(error)}, b""
    except InputError as error:
        return {"failed": str(error)}, b""
    except MemoryError:
        reason = f"{uri}: needs more than {MOST_MEMORY / 1e9:.0f} GB of memory to read; split it"
        return {"failed": reason, "last": True}, b""  # the next file begins with empty memory
    except RecursionError:
        return {"failed": f"{uri}: is nested too deeply to read"}, b""


def _places(data: bytes, header: Mapping[str, Any], before_page: Callable[[], None]) -> tuple[Mapping[str, Any], bytes]:
    from rag.load.pdf.rectangles import picture, rectangles
    from rag.records import Span
    from rag.records.codec import document_from_json

    document, pdf = document_from_json(data[: header["document"]]), data[header["document"] :]
    found = rectangles(pdf, document, Span(*header["span"]), before_page)
    drawn = picture(pdf, document.uri, header["page"], found) if header["page"] else b""
    return {"rectangles": found}, drawn


def end_with(owner: int) -> None:
    """End when the owner has ended, also in the midst of a file."""
    while os.getppid() == owner:
        time.sleep(1)
    os.killpg(0, signal.SIGKILL)  # with what it started; its owner gave it a group of its own


def send(pipe: Connection, header: Mapping[str, Any], data: bytes) -> None:
    """Write one message; raises OSError when the other end is gone."""
    pipe.send_bytes(json.dumps(header).encode())
    pipe.send_bytes(data)


def receive(pipe: Connection) -> tuple[dict[str, Any], bytes]:
    """Read one message; raises EOFError or OSError when the other end is gone."""
    return json.loads(pipe.recv_bytes()), pipe.recv_bytes()
