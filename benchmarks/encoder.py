"""Passages per second of the default encoder in both number formats, and how far their vectors agree.

Run: python benchmarks/encoder.py. The ratio counts: both are measured in turns, in one run, on made-up text.
"""

from __future__ import annotations

import os
import random
import time

import numpy as np

from rag.embed import SentenceEmbedder

WORDS = "the harbour crane bridge of river mayor a flood council budget school report ceasefire highway in at".split()


def main() -> None:
    """Measure five times in turns and print the best of each."""
    chance = random.Random(0)
    texts = [" ".join(chance.choices(WORDS, k=chance.randint(40, 160))) for _ in range(64)]
    encoder = SentenceEmbedder()
    single, bulk = encoder._model, encoder._bulk_model  # noqa: SLF001 - the two that are compared
    threads = os.cpu_count() or 1
    best = {"float32": 0.0, "bulk": 0.0}
    vectors = {}
    for _ in range(5):
        for name, model in (("float32", single), ("bulk", bulk)):
            start = time.perf_counter()
            vectors[name] = encoder._encode(model, texts, threads=threads)  # noqa: SLF001
            best[name] = max(best[name], len(texts) / (time.perf_counter() - start))
    cosines = np.sum(vectors["float32"] * vectors["bulk"], axis=1)
    kind = "bfloat16" if bulk is not single else "float32: bfloat16 is no faster here"
    print(f"float32 {best['float32']:.1f} passages/s, chosen for bulk ({kind}) {best['bulk']:.1f} passages/s")
    print(f"ratio {best['bulk'] / best['float32']:.2f}, cosine between them at least {cosines.min():.5f}")


if __name__ == "__main__":
    main()
