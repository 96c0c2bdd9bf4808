"""The command line. Results on standard output, progress and complaints on standard error.

Exit 0: fine (a refusal is an answer). 1: a `RagError`, one line; damage that `rag verify` found; a failed file with
`rag index --strict`. 2: wrong usage. 130: interrupted.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

from rag.app.cli.options import parser
from rag.app.cli.output import Notes, complain
from rag.errors import RagError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code."""
    options = parser().parse_args(arguments)
    logging.basicConfig(handlers=[Notes()], level=logging.WARNING, format="%(message)s")
    options.store = getattr(options, "store", None) or os.environ.get("RAG_STORE") or "index"
    try:
        return int(options.run(options))
    except KeyboardInterrupt:
        kept = "; the index is as it was, and the next rag index goes on from here" if options.writes else ""
        return complain(f"interrupted{kept}", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more at exit
        return 141
    except (RagError, MemoryError, ImportError, OSError, SystemError) as error:
        return complain(_told(error))


def _told(error: Exception) -> str:
    """Say what is wrong, and what to do."""
    if isinstance(error, MemoryError):
        return "there is not enough memory free; end other programs and run it again"
    if isinstance(error, SystemError):  # Python itself failed, as when it finds no memory while it loads a module
        return f"Python failed inside: {error}; free memory, or install Python and rag again if it stays so"
    if isinstance(error, ImportError):  # a compiled library that finds no memory ends so as well
        return f"cannot load a part of rag: {error}; free memory, or install rag again if it stays so"
    if isinstance(error, OSError):
        return f"{error.filename or 'the system'}: {error.strerror or error}; free space or check permissions"
    return str(error)
