"""Text -> unit vectors."""

from __future__ import annotations

import hashlib
import os
import threading
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from rag.errors import ModelError
from rag.language.terms import terms
from rag.models import bert, hub
from rag.models.word_vectors import Words, words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

    Vectors = NDArray[np.float32]

DEFAULT_MODEL = "all-MiniLM-L6-v2"
BATCH = 16  # texts of like length that other models read at once; 64 is slower
BULK = 64  # from this many texts on all processors work, in bfloat16 where they have it


class Embedder(Protocol):
    """What the index needs of an encoder."""

    @property
    def name(self) -> str:
        """The name under which the index remembers it."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    @property
    def fingerprint(self) -> str:
        """A hash of the weights: the same name with other weights is another encoder."""

    @property
    def max_tokens(self) -> int:
        """Tokens of a text that the encoder reads, the rest being cut off."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of each text, special tokens left out."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return float32 unit vectors, shape (len(texts), dimension)."""

    def embed_query(self, text: str) -> Vectors:
        """Return the float32 unit vector of one question, shape (dimension,)."""


@runtime_checkable
class WordEmbedder(Protocol):
    """What an encoder may offer besides: without it, there is no late interaction."""

    def embed_words(self, texts: Sequence[str]) -> tuple[Vectors, list[Words]]:
        """Return what `embed` returns and, from the same pass, the words of each text in their places."""


class BertEmbedder:
    """The encoder that comes with the package, all-MiniLM-L6-v2, in the plain functions of `rag.models.bert`.

    Its vectors are those of sentence-transformers, without the ten seconds that importing it takes.

    Raises:
        ModelError: on first use, when the weights are missing or not the published ones.
    """

    name = DEFAULT_MODEL
    dimension = bert.WIDTH
    fingerprint = bert.WEIGHTS_SHA256
    max_tokens = 256

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of each text, special tokens left out."""
        return [len(encoding) for encoding in bert.tokenizer().encode_batch_fast(texts, add_special_tokens=False)]

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return float32 unit vectors, shape (len(texts), dimension)."""
        return self.embed_words(texts)[0]

    def embed_words(self, texts: Sequence[str]) -> tuple[Vectors, list[Words]]:
        """Return what `embed` returns and, from the same pass, the words of each text in their places."""
        if len(texts) < BULK:
            return self._encode(bert.base_weights(), texts, threads=1)
        return self._encode(_bulk_weights(), texts, threads=os.cpu_count() or 1)

    def embed_query(self, text: str) -> Vectors:
        """Return the float32 unit vector of one question, shape (dimension,), with one thread.

        A second thread beside a busy neighbour makes a single question 25 times slower (barrier spinning).
        """
        vector: Vectors = self.embed([text])[0]
        return vector

    def _encode(self, weights: bert.Weights, texts: Sequence[str], *, threads: int) -> tuple[Vectors, list[Words]]:
        import numpy as np
        import torch

        torch.set_num_threads(threads)  # holds for the calling thread only
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        words: dict[int, Words] = {}
        encoded = bert.tokenizer().encode_batch(list(texts), add_special_tokens=False)
        begin, end = bert.special_ids(bert.tokenizer())
        rows = [[begin, *encoding.ids[: self.max_tokens - 2], end] for encoding in encoded]
        with torch.inference_mode():
            for batch in bert.batches([len(row) for row in rows]):
                ids, mask = bert.padded([rows[number] for number in batch])
                hidden = bert.encode(weights, ids, torch.zeros_like(ids), mask)
                vectors[batch] = bert.pooled(hidden, mask).numpy()
                for states, number in zip(hidden, batch, strict=True):
                    states_inside = states[1 : len(rows[number]) - 1]
                    words[number] = words_of(texts[number], encoded[number], states_inside)
        return vectors, [words[number] for number in range(len(texts))]


@cache
def _bulk_weights() -> bert.Weights:
    """The weights in bfloat16 where the processor has it (2.2 times faster on AVX512-BF16, cosine 0.9999)."""
    import torch

    weights = bert.base_weights()
    return {name: t.to(torch.bfloat16) for name, t in weights.items()} if bert.has_bfloat16() else weights


class SentenceEmbedder:
    """Any sentence-transformers model by name or path.

    Nothing is loaded before it is needed: importing sentence-transformers takes about ten seconds.

    Raises:
        ModelError: on first use, when the model cannot be loaded.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.RLock()

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._model.get_embedding_dimension() or 0)

    @property
    def max_tokens(self) -> int:
        """Tokens of a text that the encoder reads."""
        return int(self._model.get_max_seq_length() or 512)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all parameters."""
        digest = hashlib.sha256()
        for key, tensor in sorted(self._model.state_dict().items()):
            digest.update(key.encode())
            digest.update(tensor.float().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of each text, special tokens left out."""
        encoded = self._model.tokenizer(list(texts), add_special_tokens=False, verbose=False)
        return [len(ids) for ids in encoded["input_ids"]]

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return float32 unit vectors, shape (len(texts), dimension)."""
        if len(texts) < BULK:
            return self._encode(self._model, texts, threads=1)
        return self._encode(self._bulk_model, texts, threads=os.cpu_count() or 1)

    def embed_query(self, text: str) -> Vectors:
        """Return the float32 unit vector of one question, shape (dimension,), with one thread."""
        vector: Vectors = self._encode(self._model, [text], threads=1)[0]
        return vector

    def _encode(self, model: SentenceTransformer, texts: Sequence[str], *, threads: int) -> Vectors:
        import numpy as np
        import torch

        torch.set_num_threads(threads)  # holds for the calling thread only
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        with torch.inference_mode():
            tensor = model.encode(
                list(texts), batch_size=BATCH, convert_to_tensor=True, show_progress_bar=False
            ).float()
            unit = torch.nn.functional.normalize(tensor, dim=1).numpy()
        if not np.isfinite(unit).all():
            raise ModelError(f"encoder {self.name} gave vectors that are not finite; check its weights")
        return np.ascontiguousarray(unit, np.float32)

    @property
    def _model(self) -> SentenceTransformer:
        with self._lock:
            return self._loaded

    @cached_property
    def _loaded(self) -> SentenceTransformer:
        local = hub.is_local("encoder", self.name)
        from sentence_transformers import SentenceTransformer

        try:
            return SentenceTransformer(self.name, device="cpu", local_files_only=local).eval()
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise hub.cannot_load("encoder", self.name, error) from error

    @property
    def _bulk_model(self) -> SentenceTransformer:
        with self._lock:
            return self._bulk

    @cached_property
    def _bulk(self) -> SentenceTransformer:
        """The same model in bfloat16 where the processor has it."""
        import copy

        import torch

        return copy.deepcopy(self._model).to(torch.bfloat16) if bert.has_bfloat16() else self._model


class HashEmbedder:
    """A stand-in without a model, for tests and trials: words hashed into a vector. Deterministic on every machine."""

    def __init__(self, name: str = "hash", dimension: int = 64) -> None:
        self.name = name
        self.dimension = dimension
        self.max_tokens = 256
        self.fingerprint = hashlib.sha256(f"{name} {dimension}".encode()).hexdigest()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count words."""
        return [len(text.split()) for text in texts]

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return float32 unit vectors, shape (len(texts), dimension)."""
        import numpy as np

        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            vectors[row, 0] = 1e-3  # no text has a vector of length zero
            for word in text.lower().split():
                digest = hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest()
                value = int.from_bytes(digest, "little")
                vectors[row, value % self.dimension] += 1.0 if value >> 63 else -1.0
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)

    def embed_words(self, texts: Sequence[str]) -> tuple[Vectors, list[Words]]:
        """Return what `embed` returns, and the words of each text, which are the same in all places."""
        kept = [tuple(word for word in text.split() if terms(word)) for text in texts]
        return self.embed(texts), [Words(words, self.embed(words)) for words in kept]

    def embed_query(self, text: str) -> Vectors:
        """Return the float32 unit vector of one question, shape (dimension,)."""
        vector: Vectors = self.embed([text])[0]
        return vector


def embed_with_words(encoder: Embedder, texts: Sequence[str]) -> tuple[Vectors, list[Words]]:
    """Return the vectors of texts, and their words where the encoder gives them; otherwise no words."""
    import numpy as np

    if isinstance(encoder, WordEmbedder):
        return encoder.embed_words(texts)
    return encoder.embed(texts), [Words((), np.zeros((0, encoder.dimension), np.float32))] * len(texts)


@lru_cache(maxsize=2)
def embedder(name: str | None = None) -> Embedder:
    """Return the encoder of that name: the default, a sentence-transformers model, or `hash` for the stand-in.

    The same name gives the same object, so that a process loads the weights once.
    """
    if name in (None, DEFAULT_MODEL):
        return BertEmbedder()
    return HashEmbedder() if name == "hash" else SentenceEmbedder(name)
