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
    except RagError as error:
        return complain(str(error))
    except KeyboardInterrupt:
        kept = "; the index is as it was, and the next rag index goes on from here" if options.writes else ""
        return complain(f"interrupted{kept}", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more at exit
        return 141
    except OSError as error:
        return complain(f"{error.filename or 'the system'}: {error.strerror}; free space or check permissions")
