"""The extractive reader: where in a passage the answer stands, and how likely the passage answers at all.

A reader is a network that scores each token as the answer's beginning and end; that of the package was started from
all-MiniLM-L6-v2 and trained by ``benchmarks/reader/train.py`` (``weights/card.md``). Its token embeddings, frozen in
training, come from the encoder's own package and are not stored a second time.

Span head: Devlin et al. 2019, section 4.2; the null answer at [CLS]: section 4.3 (SQuAD 2.0).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from rag.errors import ModelError
from rag.language.questions import answerless
from rag.models import bert
from rag.models.spans import TokenScores

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenizers import Encoding

    from rag.models.numpy_bert import Floats, Weights

MAX_TOKENS = 384  # of one input: question, context line and a window of the passage
MAX_QUESTION_TOKENS = 64
MAX_CONTEXT_TOKENS = 64
WINDOW_OVERLAP = 96  # tokens shared by neighbouring windows of a long passage: longer than any answer

NOWHERE = -1e4  # the score of a token where no answer stands
WEIGHTS_SHA256 = "0839022ec152852453b933a1c2256762a7a800a139cc0eab7eec424e0537fb03"  # of those in the package


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reader found in one passage: the best answer, ``text[start:end]`` of it, is whole words, never empty."""

    start: int
    end: int
    answer_probability: float  # of the passage, 0 to 1; calibrated (``weights/card.md``), comparable between passages
    answer_logit: float  # the raw score of the answerable head
    span_score: float  # how far the span's logits stand above those of "no answer"; not calibrated
    tokens: TokenScores  # of the passage, or of the best window of a long one

    def shares(self, spans: Sequence[tuple[int, int]]) -> list[float]:
        """How much of the answer's beginning falls into each of these spans (code points), 0 to 1."""
        weights = np.exp(self.tokens.starts - self.tokens.starts.max())
        likely = list(zip(self.tokens.places, (weights / weights.sum()).tolist(), strict=True))
        return [sum(p for (place, _), p in likely if start <= place < end) for start, end in spans]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Platt scaling of the two raw scores, logit of [CLS] and span score, and the threshold that was chosen with it.

    Platt 1999, "Probabilistic outputs for support vector machines"; fitted by ``benchmarks/reader/evaluate.py``.
    """

    answerable: float = 1.0
    margin: float = 0.0
    bias: float = 0.0
    threshold: float = 0.5

    def probability(self, answerable: float, margin: float) -> float:
        """The calibrated probability of two raw scores."""
        logit = self.answerable * answerable + self.margin * margin + self.bias
        return 1 / (1 + math.exp(-max(-50.0, min(50.0, logit))))


@dataclass(frozen=True, slots=True)
class Window:
    """One input of a network: a question, a context line and a stretch of one passage."""

    passage: int
    ids: list[int]
    types: list[int]
    first: int  # position of the first token of the passage
    offsets: list[tuple[int, int]]  # code points, in the passage, of the tokens from there on


class Network(Protocol):
    """What a reader needs of a model."""

    def windows(self, question: str, passages: Sequence[str], contexts: Sequence[str]) -> list[Window]:
        """The inputs for a question: each passage in one or more windows, one that holds no token in none."""

    def logits(self, windows: Sequence[Window], threads: int) -> Iterator[tuple[int, Floats, Floats, float]]:
        """Yield each window's number, logits of start and end, (tokens,), no answer at 0, and of whether it answers."""


class SpanBert:
    """The BERT of ``bert`` with a head for spans and one for whether there is an answer."""

    def __init__(self, weights: Weights) -> None:
        self._bert = bert.Bert(weights)
        self._span = (weights["head.span.weight"].T, weights["head.span.bias"])
        self._answerable = (weights["head.answerable.weight"][0], weights["head.answerable.bias"][0])

    def windows(self, question: str, passages: Sequence[str], contexts: Sequence[str]) -> list[Window]:
        """[CLS] question [SEP] context [SEP] passage [SEP], a long passage in overlapping windows.

        The passage alone is segment 1, where an answer can stand. An empty context line takes its [SEP] with it.
        """
        tokenizer = bert.tokenizer()
        asked = tokenizer.encode(question, add_special_tokens=False).ids
        told = tokenizer.encode_batch(list(contexts), add_special_tokens=False)
        texts = tokenizer.encode_batch(list(passages), add_special_tokens=False)
        found: list[Window] = []
        for number, (context, text) in enumerate(zip(told, texts, strict=True)):
            found.extend(windows_of(number, asked, context.ids, text) if text.ids else [])
        return found

    def logits(self, windows: Sequence[Window], threads: int) -> Iterator[tuple[int, Floats, Floats, float]]:
        """Yield the number of each window and its logits: start and end of the tokens, and whether it answers."""
        for number, hidden in self._hidden(windows, threads):
            spans = hidden @ self._span[0] + self._span[1]
            yield number, spans[:, 0], spans[:, 1], float(hidden[0] @ self._answerable[0] + self._answerable[1])

    def state(self, question: str, passage: str) -> list[float]:
        """The hidden state at [CLS] of a question read with a passage, 384 numbers; read to the end of one window."""
        ((_, hidden),) = self._hidden(self.windows(question, [passage], [""])[:1], Reader.threads)
        state: list[float] = hidden[0].tolist()
        return state

    def _hidden(self, windows: Sequence[Window], threads: int) -> Iterator[tuple[int, Floats]]:
        return self._bert.hidden([(window.ids, window.types) for window in windows], threads=threads, fast=True)


def windows_of(number: int, asked: list[int], context: list[int], text: Encoding) -> list[Window]:
    """The windows of one passage; ``asked`` and ``context`` are token numbers, cut to their limits here."""
    begin, separator = bert.tokenizer().encode("").ids
    asked, context = asked[:MAX_QUESTION_TOKENS], context[:MAX_CONTEXT_TOKENS]
    head = [begin, *asked, separator, *([*context, separator] if context else [])]
    room = MAX_TOKENS - len(head) - 1
    found = []
    for first in range(0, max(1, len(text.ids) - WINDOW_OVERLAP), room - WINDOW_OVERLAP):
        body = text.ids[first : first + room]
        types = [0] * len(head) + [1] * (len(body) + 1)
        found.append(Window(number, [*head, *body, separator], types, len(head), text.offsets[first : first + room]))
    return found


@cache
def shipped_network() -> tuple[SpanBert, Calibration]:
    """The network of the package, loaded once; raises `ModelError` when its files are missing or not the published."""
    path = Path(__file__).parent / "weights" / "weights.safetensors"
    bert.check_sha256(path, WEIGHTS_SHA256, "install the package again")
    return load_network(path)


def load_network(path: Path) -> tuple[SpanBert, Calibration]:
    """A network from weights such as ``benchmarks/reader/train.py`` writes; raises `ModelError`."""
    try:
        halves, about = bert.tensors(path)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ModelError(f"the reader cannot be loaded from {path}: {error}") from error
    weights = {name: array.astype(np.float32) for name, array in halves.items()}
    weights["embeddings.word"] = bert.base_weights()["embeddings.word"]
    return SpanBert(weights), Calibration(**json.loads(about.get("calibration", "{}")))


class Reader:
    """Reads passages for a question. Safe to use from several threads: nothing changes after loading."""

    threads = 2  # eight passages in two thirds of the time of one, with no more processor time, also when busy

    def __init__(self, network: Network, calibration: Calibration) -> None:
        self.calibration = calibration
        self._network = network

    @classmethod
    def shipped(cls) -> Reader:
        """The reader that comes with the package; raises `ModelError` as `shipped_network` does."""
        return cls(*shipped_network())

    def read(self, question: str, passages: Sequence[str], contexts: Sequence[str] | None = None) -> list[Reading]:
        """Read each passage for the question; long ones in overlapping windows, the question up to 64 tokens.

        `contexts`, a line for each passage that says what it is part of (title, section, date), are read, but no answer
        is taken from them. Raises `ValueError` for a passage that holds nothing to read.
        """
        contexts = [""] * len(passages) if contexts is None else contexts
        masks = [answerless(text) for text in passages]
        inputs = self._network.windows(question, passages, contexts)
        blank = set(range(len(passages))) - {window.passage for window in inputs}
        if blank:
            raise ValueError(f"passage {min(blank)} holds nothing to read: {passages[min(blank)]!r:.40}")
        found: dict[int, Reading] = {}
        for number, starts, ends, answerable in self._network.logits(inputs, self.threads):
            passage = inputs[number].passage
            reading = self._reading(inputs[number], passages[passage], masks[passage], (starts, ends), answerable)
            other = found.get(passage)
            if other is None or reading.answer_probability > other.answer_probability:
                found[passage] = reading
        return [found[number] for number in range(len(passages))]

    def _reading(
        self,
        window: Window,
        passage: str,
        masked: Sequence[tuple[int, int]],
        spans: tuple[Floats, Floats],
        answerable: float,
    ) -> Reading:
        null, inside = float(spans[0][0] + spans[1][0]), slice(window.first, window.first + len(window.offsets))
        penalty = np.array([_penalty(place, masked) for place in window.offsets], np.float32)
        tokens = TokenScores(tuple(window.offsets), spans[0][inside] + penalty, spans[1][inside] + penalty)
        start, end, best = tokens.best(passage) or (0, 0, null)
        chance = self.calibration.probability(answerable, best - null)
        return Reading(start, end, chance, answerable, best - null, tokens)


def _penalty(span: tuple[int, int], masked: Sequence[tuple[int, int]]) -> float:
    """What a token loses by standing where no answer stands, or by having no characters of its own."""
    start, end = span
    return NOWHERE if start == end or any(a <= start < b for a, b in masked) else 0.0
