"""How models run on this machine: device, threads and number format, and quiet loading of one by name or path."""

from __future__ import annotations

import logging
import os
import sys
import threading
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

LIGHT_TOKENS = 30_000
"""That a process computes in NumPy before it imports torch: about twenty questions, whose reading takes as long."""

BULK_TOKENS = 6_000
"""Of one call, from which on torch is imported at once: a batch of an index, with more behind it as a rule."""

DEVICES = ("auto", "cpu", "cuda", "mps")


def device() -> str:
    """Return where models run: what the environment's RAG_DEVICE names, by default a GPU where torch finds one.

    Raises `ModelError` for another name, or for a device that torch does not find.
    """
    return _device(os.environ.get("RAG_DEVICE") or "auto")


@cache
def _device(wanted: str) -> str:
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted not in DEVICES:
        raise ModelError(f"RAG_DEVICE is {wanted!r}; it can be {', '.join(DEVICES)}")
    if not there.get(wanted, True):
        raise ModelError(f"RAG_DEVICE is {wanted}, and torch finds no such device; leave it out, or set it to cpu")
    return next(name for name, is_there in there.items() if is_there) if wanted == "auto" else wanted


_BESIDE = "rag-torch"
_computed = 0  # tokens so far, in this process


def torch_pays(tokens: int) -> bool:
    """Tell whether to compute so many tokens in torch: it is imported already, a GPU is named, or much is to be done.

    Importing torch takes two seconds of a processor; NumPy computes as fast, with one thread in float32. Where little
    by little has become much, a thread imports it beside, and nobody's question waits for that.
    """
    global _computed  # noqa: PLW0603 - of the process, as the import of torch is; losing a few tokens to a race is fine
    _computed += tokens
    if tokens > BULK_TOKENS or os.environ.get("RAG_DEVICE") in {"cuda", "mps"}:
        return True
    if "torch" not in sys.modules and _computed > LIGHT_TOKENS:
        _torch_beside()
    return "torch" in sys.modules and not any(thread.name == _BESIDE for thread in threading.enumerate())


@cache
def _torch_beside() -> None:
    threading.Thread(target=import_module, args=("torch",), name=_BESIDE).start()


def use_threads(most: int | None) -> None:
    """Have torch compute with at most so many threads, with None one a processor; holds for the calling thread only.

    A second thread beside a busy neighbour makes a single question 25 times slower (barrier spinning).
    """
    import torch

    wanted = os.environ.get("OMP_NUM_THREADS", "")  # one of several workers has it set, and Ray sets it in its own
    processors = int(wanted) if wanted.isdecimal() else os.cpu_count() or 1
    torch.set_num_threads(max(1, min(most or processors, processors)))


@cache
def fast_dtype() -> torch.dtype:
    """Return the number format for much text: bfloat16 where the device multiplies matrices in it, or float32.

    2.2 times faster on AVX512-BF16, cosine 0.9999. Only Linux says what a processor has; elsewhere float32 is safe.
    """
    import torch

    if device() != "cpu":
        return torch.bfloat16 if device() == "cuda" and torch.cuda.is_bf16_supported() else torch.float32
    path = Path("/proc/cpuinfo")
    words = set(path.read_text(encoding="utf-8").split()) if path.exists() else set()
    return torch.float32 if words.isdisjoint({"avx512_bf16", "amx_bf16", "bf16"}) else torch.bfloat16


def quiet_libraries() -> None:
    """Keep the libraries of Hugging Face from reporting and chatting; before they are imported."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    for chatty in ("sentence_transformers", "transformers", "huggingface_hub"):
        logging.getLogger(chatty).setLevel(logging.ERROR)


@contextmanager
def loading(kind: str, name: str) -> Iterator[bool]:
    """Load a model, such as an `encoder`, with the libraries of Hugging Face: quiet, and with `ModelError` for errors.

    Yields:
        whether the name is that of a folder, for which the network is never asked.
    """
    local = Path(name).exists()
    if not local and name.startswith((".", "/", "~")):
        raise ModelError(f"cannot load {kind} {name}: there is no such folder")
    if local:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    quiet_libraries()
    try:
        yield local
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        first_line = str(error).strip().partition("\n")[0]
        raise ModelError(f"cannot load {kind} {name}: {first_line}; give a model's name or folder") from error
