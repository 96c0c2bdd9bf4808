"""The encoders: text -> unit vectors, of the whole and of each word in its place.

The vector of a passage blurs what single words say, which the encoder's states of the tokens keep: late interaction
matches each word of a question with the nearest of a passage (Khattab, Zaharia 2020, "ColBERT"; here untrained for it).
"""

from __future__ import annotations

import copy
import hashlib
import threading
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from rag.errors import ModelError
from rag.language.terms import terms
from rag.models import bert
from rag.models.numpy_bert import WIDTH
from rag.models.runtime import device, fast_dtype, loading, use_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer
    from tokenizers import Encoding

    Vectors = NDArray[np.float32]

DEFAULT_MODEL = "all-MiniLM-L6-v2"
BATCH = 16  # texts of like length that other models read at once; 64 is slower
BULK = 64  # from this many texts on all processors work, in bfloat16 where they have it


@dataclass(frozen=True, slots=True, eq=False)
class WordVectors:
    """The words of a text in order, as they are written, and their float32 unit vectors, shape (words, dimension)."""

    texts: tuple[str, ...]
    vectors: NDArray[np.float32]


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

    def embed_words(self, texts: Sequence[str]) -> tuple[Vectors, list[WordVectors]]:
        """Return what `embed` returns and, from the same pass, the words of each text in their places."""


class BertEmbedder:
    """The encoder of the package; its vectors are those of sentence-transformers, which takes ten seconds to import.

    Raises `ModelError` on first use, when the weights are missing or not the published ones.
    """

    name = DEFAULT_MODEL
    dimension = WIDTH
    fingerprint = bert.WEIGHTS_SHA256
    max_tokens = 256

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of each text, special tokens left out."""
        return [len(encoding) for encoding in bert.tokenizer().encode_batch_fast(texts, add_special_tokens=False)]

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return float32 unit vectors, shape (len(texts), dimension)."""
        return self.embed_words(texts)[0]

    def embed_words(self, texts: Sequence[str]) -> tuple[Vectors, list[WordVectors]]:
        """Return what `embed` returns and, from the same pass, the words of each text in their places."""
        bulk = len(texts) >= BULK
        return self._encode(texts, threads=None if bulk else 1, fast=bulk)

    def embed_query(self, text: str) -> Vectors:
        """Return the float32 unit vector of one question, shape (dimension,), with one thread."""
        return self.embed([text]).ravel()

    def _encode(self, texts: Sequence[str], *, threads: int | None, fast: bool) -> tuple[Vectors, list[WordVectors]]:
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        words: dict[int, WordVectors] = {}
        encoded = bert.tokenizer().encode_batch(list(texts), add_special_tokens=False)
        begin, end = bert.tokenizer().encode("").ids
        ids = [[begin, *encoding.ids[: self.max_tokens - 2], end] for encoding in encoded]
        rows = [(row, [0] * len(row)) for row in ids]
        for number, states in _default_network().hidden(rows, threads=threads, fast=fast):
            vectors[number] = states.mean(0)
            words[number] = _word_vectors(texts[number], encoded[number], states[1:-1])
        return unit(vectors), [words[number] for number in range(len(texts))]


@cache
def _default_network() -> bert.Bert:
    return bert.Bert(bert.base_weights())


def unit(vectors: Vectors) -> Vectors:
    """Return rows of length 1; one of zeros stays as it is."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12), np.float32)


def _word_vectors(text: str, encoding: Encoding, states: Vectors) -> WordVectors:
    """Return the words of a text, each with the mean of its tokens; those without terms, as stop words, are left out.

    `states`, shape (tokens, dimension), are of the first tokens of the encoding, which has no special ones.
    """
    tokens: dict[int | None, list[int]] = {}  # of each word, by its number
    for token, number in enumerate(encoding.word_ids[: len(states)]):
        tokens.setdefault(number, []).append(token)
    offsets = encoding.offsets  # made anew each time it is asked for
    written = ((text[offsets[own[0]][0] : offsets[own[-1]][1]], own) for own in tokens.values())
    kept = [(word, own) for word, own in written if _has_terms(word)]
    if not kept:
        return WordVectors((), np.zeros((0, states.shape[1]), np.float32))
    firsts = np.cumsum([0, *(len(own) for _, own in kept[:-1])])
    sums = np.add.reduceat(states[[token for _, own in kept for token in own]], firsts, axis=0)
    return WordVectors(tuple(word for word, _ in kept), unit(sums))


@lru_cache(maxsize=100_000)
def _has_terms(word: str) -> bool:
    return bool(terms(word))


class SentenceEmbedder:
    """Any sentence-transformers model by name or path; raises `ModelError` on first use when it cannot be loaded."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.RLock()

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._model().get_embedding_dimension() or 0)

    @property
    def max_tokens(self) -> int:
        """Tokens of a text that the encoder reads, behind its prompt for documents."""
        return int(self._model().get_max_seq_length() or 512) - self.count_tokens([self._prompt("document")])[0]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all parameters and prompts."""
        digest = hashlib.sha256(f"{self._prompt('query')}{self._prompt('document')}".encode())
        for key, tensor in sorted(self._model().state_dict().items()):
            digest.update(key.encode())
            digest.update(tensor.float().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of each text, special tokens left out."""
        encoded = self._model().tokenizer(list(texts), add_special_tokens=False, verbose=False)
        return [len(ids) for ids in encoded["input_ids"]]

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return float32 unit vectors, shape (len(texts), dimension)."""
        bulk = len(texts) >= BULK
        use_threads(None if bulk else 1)
        return self._encode(self._model(bulk=bulk).encode_document, texts)

    def embed_query(self, text: str) -> Vectors:
        """Return the float32 unit vector of one question, shape (dimension,), with one thread."""
        use_threads(1)
        return self._encode(self._model().encode_query, [text]).ravel()

    def _prompt(self, kind: str) -> str:
        """Return what the model's authors put in front of a `query` or a `document`, mostly nothing."""
        return self._model().prompts.get(kind) or ""

    def _encode(self, encode: Callable[..., torch.Tensor], texts: Sequence[str]) -> Vectors:
        import torch

        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        with torch.inference_mode():
            found = encode(list(texts), batch_size=BATCH, convert_to_tensor=True, show_progress_bar=False)
        vectors = unit(found.float().cpu().numpy())
        if not np.isfinite(vectors).all():
            raise ModelError(f"encoder {self.name} gave vectors that are not finite; check its weights")
        return vectors

    def _model(self, *, bulk: bool = False) -> SentenceTransformer:
        """Return the model, for much text in its format; loaded once, whoever asks first."""
        with self._lock:
            return self._loaded_for_bulk if bulk else self._loaded

    @cached_property
    def _loaded(self) -> SentenceTransformer:
        with loading("encoder", self.name) as local:
            from sentence_transformers import SentenceTransformer

            return SentenceTransformer(self.name, device=device(), local_files_only=local).eval()

    @cached_property
    def _loaded_for_bulk(self) -> SentenceTransformer:
        import torch

        return self._loaded if fast_dtype() is torch.float32 else copy.deepcopy(self._loaded).to(fast_dtype())


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
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            vectors[row, 0] = 1e-3  # no text has a vector of length zero
            for word in text.lower().split():
                digest = hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest()
                value = int.from_bytes(digest, "little")
                vectors[row, value % self.dimension] += 1.0 if value >> 63 else -1.0
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)

    def embed_words(self, texts: Sequence[str]) -> tuple[Vectors, list[WordVectors]]:
        """Return what `embed` returns, and the words of each text, which are the same in all places."""
        kept = [tuple(word for word in text.split() if terms(word)) for text in texts]
        return self.embed(texts), [WordVectors(words, self.embed(words)) for words in kept]

    def embed_query(self, text: str) -> Vectors:
        """Return the float32 unit vector of one question, shape (dimension,)."""
        return self.embed([text]).ravel()


def embed_with_words(encoder: Embedder, texts: Sequence[str]) -> tuple[Vectors, list[WordVectors]]:
    """Return the vectors of texts, and their words where the encoder gives them; otherwise no words.

    Raises `ModelError` for what is no unit vector: a single NaN would spoil what is found from then on.
    """
    if isinstance(encoder, WordEmbedder):
        vectors, words = encoder.embed_words(texts)
    else:
        vectors, words = (
            encoder.embed(texts),
            [WordVectors((), np.zeros((0, encoder.dimension), np.float32))] * len(texts),
        )
    wrong = np.flatnonzero(~(np.abs(np.linalg.norm(vectors, axis=1) - 1) < 0.01))
    if len(wrong):
        text = " ".join(texts[wrong[0]].split())[:80]
        raise ModelError(f"the encoder {encoder.name} gives no unit vector for: {text}; use another one: --model NAME")
    return vectors, words


@lru_cache(maxsize=2)
def embedder(name: str | None = None) -> Embedder:
    """Return the default encoder, a sentence-transformers model, or the stand-in `hash`: the same object each time."""
    if name in (None, DEFAULT_MODEL):
        return BertEmbedder()
    return HashEmbedder() if name == "hash" else SentenceEmbedder(name)
