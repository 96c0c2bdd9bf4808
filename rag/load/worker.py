"""The other end of `rag.load.pool`: a process that reads one file after the other, within limits.

Each message is a line of JSON and as many bytes as it says. A request names the file and what is wanted of it: its
document, or the place of a span on its pages and a picture of one. An answer may be that there is one page more to wait
for. Whatever a file does here, to memory or to time, it
does to this process only.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import threading
import time
from typing import IO, TYPE_CHECKING, Any

from rag.errors import InputError, Skipped
from rag.load.pdf import ocr

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_MEMORY = 1_000_000_000
"""Bytes of address space."""

SECONDS = 60
"""Of computing, for each file."""


def main() -> None:
    """Serve until the owner closes the pipe, or is gone."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what a library prints must not end up among the answers
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()

    def go_on() -> None:
        _limit_time(ocr.SECONDS + SECONDS)  # tesseract starts with the same limit
        send(sink, {"wait": ocr.SECONDS + SECONDS}, b"")

    ocr.before_page = go_on
    while request := receive(source):
        header, data = request
        _limit_time()
        send(sink, *_answer(data, header))


def _limit_time(seconds: int = SECONDS) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def _answer(data: bytes, header: Mapping[str, Any]) -> tuple[Mapping[str, Any], bytes]:
    from rag.load import load_bytes
    from rag.records.codec import to_json

    uri = header["uri"]
    try:
        if "span" in header:
            return _places(data, header)
        return {}, to_json(load_bytes(data, uri))
    except Skipped as error:
        return {"skipped": str(error)}, b""
    except InputError as error:
        return {"failed": str(error)}, b""
    except MemoryError:
        reason = f"{uri}: needs more than {MOST_MEMORY / 1e9:.0f} GB of memory to read; split it"
        return {"failed": reason, "last": True}, b""  # the next file begins with empty memory
    except RecursionError:
        return {"failed": f"{uri}: is nested too deeply to read"}, b""


def _places(data: bytes, header: Mapping[str, Any]) -> tuple[Mapping[str, Any], bytes]:
    """Return the rectangles of a span of a PDF, and the picture of a page with them, if one is wanted."""
    from rag.load.pdf.picture import picture
    from rag.load.pdf.rectangles import rectangles
    from rag.records import Span
    from rag.records.codec import from_json

    document, pdf = from_json(data[: header["document"]]), data[header["document"] :]
    found = rectangles(pdf, document, Span(*header["span"]))
    drawn = picture(pdf, document.uri, header["page"], found) if header["page"] else b""
    return {"rectangles": found}, drawn


def _end_with(owner: int) -> None:
    """End when the owner has ended, also in the midst of a file."""
    while os.getppid() == owner:
        time.sleep(1)
    os.killpg(0, signal.SIGKILL)  # with what it started; its owner gave it a group of its own


def send(sink: IO[bytes], header: Mapping[str, Any], data: bytes) -> None:
    """Write one message."""
    sink.write(json.dumps({**header, "size": len(data)}).encode() + b"\n")
    sink.write(data)
    sink.flush()


def receive(source: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """Read one message; None when the other end is gone."""
    line = source.readline()
    if not line.endswith(b"\n"):
        return None
    header = json.loads(line)
    data = source.read(header["size"])
    return (header, data) if len(data) == header["size"] else None


if __name__ == "__main__":
    main()
