"""Models by name or path: what loading one with the libraries of Hugging Face needs around it."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from rag.errors import ModelError


def is_local(kind: str, name: str) -> bool:
    """Make the libraries quiet, and tell whether `name` is a folder, for which the network is never asked.

    Raises:
        ModelError: it is meant as a folder, and there is none.
    """
    local = Path(name).exists()
    if not local and name.startswith((".", "/", "~")):
        raise ModelError(f"cannot load {kind} {name}: there is no such folder")
    if local:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait must not spin beside busy neighbours
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    for chatty in ("sentence_transformers", "transformers", "huggingface_hub"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    return local


def cannot_load(kind: str, name: str, error: Exception) -> ModelError:
    """Return the error for a model that the libraries could not load."""
    first_line = str(error).strip().partition("\n")[0]
    return ModelError(f"cannot load {kind} {name}: {first_line}; give a model's name or folder")
