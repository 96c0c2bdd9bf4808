"""The network of `bert` in NumPy, for a question or two: importing torch takes two seconds, which more work repays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Weights = Mapping[str, Floats]
    Row = tuple[Sequence[int], Sequence[int]]  # the numbers of the tokens of a text, and their segments

WIDTH = 384
ATTENTION_HEADS = 12
LAYER_NORM_EPSILON = 1e-12
PACK = 256
"""Tokens that are computed together: ten texts of 20 tokens one by one take twice as long, more than this no less."""

# erf(x) = x P(x^2) / Q(x^2) for |x| <= 4, within 3e-7: the approximation of Eigen and XLA, from the highest power down.
_P = (-2.72614225801306e-10, 2.77068142495902e-08, -2.10102402082508e-06, -5.69250639462346e-05)
_P_LOW = (-7.34990630326855e-04, -2.95459980854025e-03, -1.60960333262415e-02)
_Q = (-1.45660718464996e-05, -2.13374055278905e-04, -1.68282697438203e-03, -7.37332916720468e-03, -1.42647390514189e-02)


def encode(weights: Weights, rows: Sequence[Row]) -> list[Floats]:
    """Return the hidden states of texts, each float32 (tokens, 384).

    Short texts are computed together, one behind the other: a matrix is read once for all of them.

    Args:
        weights: of `bert.base_weights` or of the reader, float32.
        rows: their tokens, at most 512 of each.
    """
    found: list[Floats] = []
    for pack in _packs(rows):
        ids, types = ([number for row in pack for number in row[part]] for part in (0, 1))
        x = weights["embeddings.word"][ids] + weights["embeddings.type"][types]
        x += np.concatenate([weights["embeddings.position"][: len(ids)] for ids, _ in pack])
        x = _normalised(weights, "embeddings.norm", x)
        ends = np.cumsum([len(ids) for ids, _ in pack])
        layer = 0
        while f"layer.{layer}.qkv.weight" in weights:
            x = _layer(weights, f"layer.{layer}", x, ends)
            layer += 1
        found += np.split(x, ends[:-1])
    return found


def _packs(rows: Sequence[Row]) -> Iterator[list[Row]]:
    pack: list[Row] = []
    for row in rows:
        if pack and sum(len(ids) for ids, _ in pack) + len(row[0]) > PACK:
            yield pack
            pack = []
        pack.append(row)
    if pack:
        yield pack


def _layer(weights: Weights, name: str, x: Floats, ends: NDArray[np.intp]) -> Floats:
    qkv = _linear(weights, f"{name}.qkv", x)
    mixed = np.concatenate([_attention(own) for own in np.split(qkv, ends[:-1])])
    x = _normalised(weights, f"{name}.attention_norm", x + _linear(weights, f"{name}.attention_out", mixed))
    wide = _gelu(_linear(weights, f"{name}.up", x))
    return _normalised(weights, f"{name}.norm", x + _linear(weights, f"{name}.down", wide))


def _attention(qkv: Floats) -> Floats:
    """Mix the tokens of one text; queries, keys and values stand beside each other, (tokens, 3 * 384)."""
    length, width = len(qkv), qkv.shape[1] // 3
    size = width // ATTENTION_HEADS
    query, key, value = qkv.reshape(length, 3, ATTENTION_HEADS, size).transpose(1, 2, 0, 3)  # (heads, tokens, size)
    attention = _softmax(query @ key.transpose(0, 2, 1) * np.float32(size**-0.5))
    return (attention @ value).transpose(1, 0, 2).reshape(length, width)


def _linear(weights: Weights, name: str, x: Floats) -> Floats:
    found: Floats = x @ weights[f"{name}.weight"].T
    found += weights[f"{name}.bias"]
    return found


def _normalised(weights: Weights, name: str, x: Floats) -> Floats:
    found: Floats = x - x.mean(-1, keepdims=True)
    variance = np.einsum("ij,ij->i", found, found)[:, None] / np.float32(x.shape[1])
    found /= np.sqrt(variance + np.float32(LAYER_NORM_EPSILON))
    found *= weights[f"{name}.weight"]
    found += weights[f"{name}.bias"]
    return found


def _softmax(scores: Floats) -> Floats:
    found: Floats = np.exp(scores - scores.max(-1, keepdims=True))
    found /= found.sum(-1, keepdims=True)
    return found


def _gelu(x: Floats) -> Floats:
    """The Gaussian error linear unit, x/2 (1 + erf(x / sqrt 2)); Hendrycks and Gimpel 2016."""
    z = np.clip(x * np.float32(0.5**0.5), -4, 4)
    square = z * z
    found: Floats = z * _polynomial((*_P, *_P_LOW), square)
    found /= _polynomial(_Q, square)
    found += 1
    found *= x
    found *= np.float32(0.5)
    return found


def _polynomial(factors: Sequence[float], x: Floats) -> Floats:
    found = np.full_like(x, factors[0])
    for factor in factors[1:]:  # in place: a third of the time of making new arrays
        found *= x
        found += np.float32(factor)
    return found
