"""How models run on this machine: device, threads and number format, and quiet loading of one by name or path."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

DEVICE = "cpu"
"""Where all models run."""


def use_threads(most: int | None) -> None:
    """Have torch compute with at most so many threads; with None, with one for each processor.

    Holds for the calling thread only. A second thread beside a busy neighbour makes a single question 25 times slower
    (barrier spinning), so that one question has one.
    """
    import torch

    processors = os.cpu_count() or 1
    torch.set_num_threads(min(most or processors, processors))


@cache
def fast_dtype() -> torch.dtype:
    """Return the number format for much text: bfloat16 where the processor multiplies matrices in it, or float32.

    2.2 times faster on AVX512-BF16, cosine 0.9999. Only Linux says what a processor has; elsewhere float32 is safe.
    """
    import torch

    path = Path("/proc/cpuinfo")
    words = set(path.read_text(encoding="utf-8").split()) if path.exists() else set()
    return torch.float32 if words.isdisjoint({"avx512_bf16", "amx_bf16", "bf16"}) else torch.bfloat16


def quiet_libraries() -> None:
    """Keep torch and the libraries of Hugging Face from spinning, reporting and chatting; before they are imported."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait must not spin beside busy neighbours
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    for chatty in ("sentence_transformers", "transformers", "huggingface_hub"):
        logging.getLogger(chatty).setLevel(logging.ERROR)


def is_local(kind: str, name: str) -> bool:
    """Tell whether a model's name is that of a folder; raises `ModelError` when it is meant so, and there is none."""
    local = Path(name).exists()
    if not local and name.startswith((".", "/", "~")):
        raise ModelError(f"cannot load {kind} {name}: there is no such folder")
    return local


@contextmanager
def loading(kind: str, name: str) -> Iterator[bool]:
    """Load a model with the libraries of Hugging Face: quiet, and with errors in our words.

    Args:
        kind: what it is to a person, such as `encoder`.
        name: of the model, or its folder.

    Yields:
        whether it is a folder, for which the network is never asked.

    Raises:
        ModelError: it cannot be loaded.
    """
    local = is_local(kind, name)
    if local:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    quiet_libraries()
    try:
        yield local
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        first_line = str(error).strip().partition("\n")[0]
        raise ModelError(f"cannot load {kind} {name}: {first_line}; give a model's name or folder") from error
