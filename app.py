"""The web page over the index; without one, the sample documents in data/ are indexed first."""

from __future__ import annotations

import argparse
import os
import sys

from rag.app.cli.commands import SAMPLES
from rag.app.cli.options import OPEN_TO_ALL
from rag.app.cli.output import Bars
from rag.app.ui import serve
from rag.app.ui.ending import leave
from rag.errors import IndexMissing, RagError
from rag.library import Library


def main() -> int:
    """Serve until interrupted; 1 and one line when that cannot be done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", default=os.environ.get("RAG_STORE", "index"), help="the index (default: index)")
    parser.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1")
    parser.add_argument("--port", type=int, default=7860, help="default: 7860")
    parser.add_argument("--no-token", action="store_true", help=OPEN_TO_ALL)
    options = parser.parse_args()
    try:
        with Library.open(options.store) as library:
            index_sample(library)
            serve(library, options.host, options.port, with_token=not options.no_token)
    except RagError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return leave(130)
    return leave(0)


def index_sample(library: Library) -> None:
    """Index the sample documents when there is no index yet."""
    try:
        library.status()
    except IndexMissing:
        sys.stderr.write(f"Indexing the sample documents in {SAMPLES} (once)\n")
        with Bars() as bars:
            report = library.index(SAMPLES, progress=bars.show)
        sys.stderr.write(f"{report}\n")


if __name__ == "__main__":
    sys.exit(main())
