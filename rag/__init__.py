"""Cited question answering over your own documents.

Names are resolved on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.errors import RagError
    from rag.library import Library
    from rag.records import Answer, Citation, Document, Hit, Passage, Span, SyncReport
    from rag.retrieve import Retriever

# Read when NumPy and torch are imported. Threads that wait must not spin; NumPy's have no other way, and an answer took
# five times the processor time, and five times as long, while others were busy as well.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Shapes that torch keeps for reuse took 2 MB a question, to no gain.
os.environ.setdefault("LRU_CACHE_CAPACITY", "8")
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "8")

__version__ = "0.1.0"

_HOMES = {
    "Answer": "rag.records",
    "Citation": "rag.records",
    "Document": "rag.records",
    "Hit": "rag.records",
    "Library": "rag.library",
    "Passage": "rag.records",
    "RagError": "rag.errors",
    "Retriever": "rag.retrieve",
    "Span": "rag.records",
    "SyncReport": "rag.records",
}

__all__ = [
    "Answer",
    "Citation",
    "Document",
    "Hit",
    "Library",
    "Passage",
    "RagError",
    "Retriever",
    "Span",
    "SyncReport",
    "__version__",
]


def __getattr__(name: str) -> object:
    """Import the module that holds a public name."""
    if name not in _HOMES:
        msg = f"module 'rag' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
