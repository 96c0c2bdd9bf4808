"""The weighted mean of several files of weights: ``python benchmarks/reader/mix.py OUT SHARE*FILE SHARE*FILE ...``.

``encoder`` as FILE is all-MiniLM-L6-v2, which has no heads: where a file lacks a tensor, the others' shares are scaled
up. The mean of runs from the same start is better than either (Wortsman et al. 2022, "Model soups").
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from rag.models import bert

FIXED = "embeddings.word"  # taken from the encoder's package, never trained


def mixed(parts: list[tuple[float, dict[str, torch.Tensor]]]) -> dict[str, torch.Tensor]:
    """Return the mean of each tensor over the parts that have it, in float16."""
    found = {}
    for name in sorted({name for _, weights in parts for name in weights} - {FIXED}):
        having = [(share, weights[name].float()) for share, weights in parts if name in weights]
        total = sum(share for share, _ in having)
        found[name] = sum(tensor * (share / total) for share, tensor in having).half().contiguous()  # type: ignore[union-attr]
    return found


def part(text: str) -> tuple[float, dict[str, torch.Tensor]]:
    """Read ``0.5*FILE``."""
    share, _, file = text.partition("*")
    return float(share), encoder() if file == "encoder" else load_file(file)


def encoder() -> dict[str, torch.Tensor]:
    """Return the weights of the encoder, by the reader's names."""
    return {name: torch.from_numpy(array) for name, array in bert.base_weights().items()}


if __name__ == "__main__":
    save_file(mixed([part(text) for text in sys.argv[2:]]), Path(sys.argv[1]))
