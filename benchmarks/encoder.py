"""Passages per second of the default encoder, in ours and in sentence-transformers, and how far they agree.

Run: python benchmarks/encoder.py. The ratios count: all are measured in turns, in one run, on made-up text.
"""

from __future__ import annotations

import os
import random
import time
from typing import TYPE_CHECKING

import numpy as np

from rag.models import bert
from rag.models.encoder import BertEmbedder, SentenceEmbedder
from rag.models.runtime import fast_dtype, use_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rag.models.encoder import Vectors

WORDS = "the harbour crane bridge of river mayor a flood council budget school report ceasefire highway in at".split()


def main() -> None:
    """Measure in turns and print the best of each."""
    chance = random.Random(0)
    texts = [" ".join(chance.choices(WORDS, k=chance.randint(40, 160))) for _ in range(64)]
    own, other, threads = BertEmbedder(), SentenceEmbedder(str(bert.folder())), os.cpu_count() or 1
    ways: dict[str, Callable[[Sequence[str]], Vectors]] = {
        "sentence-transformers": lambda some: other._encode(other._model().encode_document, some),  # noqa: SLF001
        "float32": lambda some: own._encode(some, threads=threads, fast=False)[0],  # noqa: SLF001
        "bulk": own.embed,
    }
    best, vectors = dict.fromkeys(ways, 0.0), {}
    for _ in range(3):
        for name, encode in ways.items():
            use_threads(threads)
            start = time.perf_counter()
            vectors[name] = encode(texts)
            best[name] = max(best[name], len(texts) / (time.perf_counter() - start))
    for name, rate in best.items():
        cosines = np.sum(vectors["sentence-transformers"] * vectors[name], axis=1)
        print(f"{name}: {rate:.1f} passages/s, cosine with sentence-transformers at least {cosines.min():.6f}")
    print(f"bulk is {fast_dtype()}")


if __name__ == "__main__":
    main()
