"""The network of `bert` in torch: for much text, on a GPU, and to be trained.

It is written out in plain tensor functions, because importing ``transformers`` would cost seconds to run forty lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from rag.models.numpy_bert import ATTENTION_HEADS, LAYER_NORM_EPSILON, WIDTH
from rag.models.runtime import device, use_threads

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rag.models.numpy_bert import Floats, Row

    Tensors = Mapping[str, torch.Tensor]

BATCH_TOKENS = 1024  # padded tokens in one forward pass on a processor; 2,048 took 15% longer (AVX2, one thread)
GPU_BATCH_TOKENS = 32_768  # the same on a GPU, which a small batch leaves idle
MASKED = -1e4  # added to the scores of what must not be chosen; representable in bfloat16 and float16


def hidden(weights: Tensors, rows: Sequence[Row], threads: int | None) -> Iterator[tuple[int, Floats]]:
    """Yield the number of each row and its hidden states, float32 (tokens, 384), rows of like length together."""
    use_threads(threads)
    with torch.inference_mode():
        for batch in batches([len(ids) for ids, _ in rows]):
            ids, mask = padded([rows[number][0] for number in batch])
            types, _ = padded([rows[number][1] for number in batch])
            states = encode(weights, ids, types, mask).float().cpu().numpy()
            for number, found in zip(batch, states, strict=True):
                yield number, found[: len(rows[number][0])]


def encode(
    weights: Tensors, ids: torch.Tensor, types: torch.Tensor, mask: torch.Tensor, dropout: float = 0.0
) -> torch.Tensor:
    """Return the hidden states of a batch, (batch, length, 384), in the dtype and on the device of the weights.

    Args:
        weights: named as in `bert.base_weights`.
        ids: the numbers of the tokens, int64 (batch, length).
        types: their segments, likewise.
        mask: False on padding, bool (batch, length).
        dropout: the share of what each block adds that is set to 0, in training.
    """
    place = weights["embeddings.word"].device
    ids, types, mask = ids.to(place), types.to(place), mask.to(place)
    word, segment = F.embedding(ids, weights["embeddings.word"]), F.embedding(types, weights["embeddings.type"])
    x = word + weights["embeddings.position"][: ids.shape[1]] + segment
    x = F.dropout(_normalised(weights, "embeddings.norm", x), dropout)
    bias = (~mask)[:, None, None, :].to(x.dtype) * MASKED
    layer = 0
    while f"layer.{layer}.qkv.weight" in weights:
        x = _layer(weights, f"layer.{layer}", x, bias, dropout)
        layer += 1
    return x


def _layer(weights: Tensors, name: str, x: torch.Tensor, bias: torch.Tensor, dropout: float) -> torch.Tensor:
    """One post-norm transformer layer; the fused attention is slower in training on CPUs: 51 ms an example, not 40."""
    batch, length, width = x.shape
    size = width // ATTENTION_HEADS
    qkv = linear(weights, f"{name}.qkv", x).view(batch, length, 3, ATTENTION_HEADS, size)
    query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # each (batch, heads, length, size)
    attention = ((query * size**-0.5) @ key.transpose(-1, -2) + bias).softmax(-1)
    mixed = (attention @ value).transpose(1, 2).reshape(batch, length, width)
    mixed = F.dropout(linear(weights, f"{name}.attention_out", mixed), dropout)
    x = _normalised(weights, f"{name}.attention_norm", x + mixed)
    wide = F.gelu(linear(weights, f"{name}.up", x))
    return _normalised(weights, f"{name}.norm", x + F.dropout(linear(weights, f"{name}.down", wide), dropout))


def linear(weights: Tensors, name: str, x: torch.Tensor) -> torch.Tensor:
    """Return what the linear layer of that name makes of `x`."""
    return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])


def _normalised(weights: Tensors, name: str, x: torch.Tensor) -> torch.Tensor:
    return F.layer_norm(x, (WIDTH,), weights[f"{name}.weight"], weights[f"{name}.bias"], LAYER_NORM_EPSILON)


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield the numbers of inputs of like length together, as many as suit the device."""
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
    """Return rows of numbers as one tensor, filled up with 0, and its mask: (rows, length) each, int64 and bool."""
    values = torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
    return values, torch.arange(values.shape[1]) < torch.tensor([len(row) for row in rows])[:, None]
