"""`python -m rag` is `rag`."""

import sys

from rag.app.cli import main

if __name__ == "__main__":
    sys.exit(main())
