"""The extractive reader: where in a passage the answer stands, and how likely the passage answers at all.

A reader is a network that scores each token as the answer's beginning and end; the one that comes with the package is
a small BERT (six layers, 384 wide, 10.8M trained parameters) started from all-MiniLM-L6-v2 and trained for the project:
``benchmarks/reader/`` has the script, ``weights/card.md`` the data, the scores and the limits. Its token embeddings
were frozen in training, so they come from the encoder's own package and are not stored a second time.

Span head: Devlin et al. 2019, section 4.2; the null answer at [CLS]: section 4.3 (SQuAD 2.0).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rag.errors import ModelError
from rag.language.questions import answerless
from rag.models import bert
from rag.models.runtime import fast_dtype, use_threads
from rag.models.spans import TokenScores

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from tokenizers import Encoding

    Logits = tuple[torch.Tensor, torch.Tensor, torch.Tensor]

MAX_TOKENS = 384  # of one input: question, context line and a window of the passage
MAX_QUESTION_TOKENS = 64
MAX_CONTEXT_TOKENS = 64
WINDOW_OVERLAP = 96  # tokens shared by neighbouring windows of a long passage: longer than any answer

WEIGHTS_SHA256 = "0839022ec152852453b933a1c2256762a7a800a139cc0eab7eec424e0537fb03"
"""SHA-256 of the weights in the package."""


# --- what a reader finds ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reader found in one passage.

    Attributes:
        start, end: the best answer, in code points of the passage's text; never empty, never cutting a word.
        answer_probability: how likely the passage answers the question, 0 to 1; calibrated (``weights/card.md``),
            and comparable between passages.
        answer_logit: the raw score of the answerable head.
        span_score: how far the span's logits stand above those of "no answer"; not calibrated.
        tokens: the scores of each token of the passage, or of the best window of a long one.
    """

    start: int
    end: int
    answer_probability: float
    answer_logit: float
    span_score: float
    tokens: TokenScores

    def shares(self, spans: Sequence[tuple[int, int]]) -> list[float]:
        """How much of the answer's beginning falls into each of these spans (code points), 0 to 1.

        The weight of a sentence as evidence, given that the passage answers at all.
        """
        likely = list(zip(self.tokens.places, self.tokens.beginnings().tolist(), strict=True))
        return [sum(p for (place, _), p in likely if start <= place < end) for start, end in spans]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Platt scaling of the two raw scores, and the threshold that was chosen with it.

    P(answers) = sigmoid(answerable * logit of [CLS] + margin * span score + bias). Platt 1999, "Probabilistic outputs
    for support vector machines"; fitted and measured by ``benchmarks/reader/evaluate.py``.
    """

    answerable: float = 1.0
    margin: float = 0.0
    bias: float = 0.0
    threshold: float = 0.5

    def probability(self, answerable: float, margin: float) -> float:
        """The calibrated probability of two raw scores."""
        logit = self.answerable * answerable + self.margin * margin + self.bias
        return 1 / (1 + math.exp(-max(-50.0, min(50.0, logit))))


# --- the network -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Window:
    """One input of a network: a question, a context line and a stretch of one passage.

    ``offsets[i]`` are the code points, in the passage, of the token at position ``first + i``.
    """

    passage: int
    ids: list[int]
    types: list[int]
    first: int
    offsets: list[tuple[int, int]]


class Network(Protocol):
    """What a reader needs of a model."""

    def windows(self, question: str, passages: Sequence[str], contexts: Sequence[str]) -> list[Window]:
        """The inputs for a question: each passage in one or more windows, one that holds no token in none."""

    def logits(self, batch: Sequence[Window]) -> Logits:
        """Start and end of each token, (batch, length), no answer at position 0; whether it answers, (batch,)."""


class SpanBert:
    """The reader's own network: the BERT of ``bert`` with a head for spans and one for whether there is an answer.

    ``benchmarks/reader/train.py`` trains with the same functions.
    """

    def __init__(self, weights: bert.Weights) -> None:
        self._weights = weights

    def windows(self, question: str, passages: Sequence[str], contexts: Sequence[str]) -> list[Window]:
        """[CLS] question [SEP] context [SEP] passage [SEP], a long passage in overlapping windows.

        The passage alone is segment 1, and the only place where an answer can stand. An empty context line takes its
        [SEP] with it.
        """
        tokenizer = bert.tokenizer()
        asked = tokenizer.encode(question, add_special_tokens=False).ids
        told = tokenizer.encode_batch(list(contexts), add_special_tokens=False)
        texts = tokenizer.encode_batch(list(passages), add_special_tokens=False)
        found: list[Window] = []
        for number, (context, text) in enumerate(zip(told, texts, strict=True)):
            found.extend(windows_of(number, asked, context.ids, text) if text.ids else [])
        return found

    def logits(self, batch: Sequence[Window]) -> Logits:
        """Start, end and answerable logits."""
        return heads(self._weights, self._hidden(batch))

    def state(self, question: str, passage: str) -> list[float]:
        """The hidden state at [CLS] of a question read with a passage, 384 numbers; read to the end of one window."""
        import torch

        with torch.inference_mode():
            state: list[float] = self._hidden(self.windows(question, [passage], [""])[:1])[0, 0].float().tolist()
        return state

    def _hidden(self, batch: Sequence[Window]) -> torch.Tensor:
        return bert.encode(self._weights, *collate(batch))


def windows_of(
    number: int, asked: list[int], context: list[int], text: Encoding, limit: int = MAX_TOKENS
) -> list[Window]:
    """The windows of one passage; ``asked`` and ``context`` are token numbers, cut to their limits here."""
    begin, separator = bert.special_ids(bert.tokenizer())
    asked, context = asked[:MAX_QUESTION_TOKENS], context[:MAX_CONTEXT_TOKENS]
    head = [begin, *asked, separator, *([*context, separator] if context else [])]
    room = limit - len(head) - 1
    found = []
    for first in range(0, max(1, len(text.ids) - WINDOW_OVERLAP), room - WINDOW_OVERLAP):
        body = text.ids[first : first + room]
        types = [0] * len(head) + [1] * (len(body) + 1)
        found.append(Window(number, [*head, *body, separator], types, len(head), text.offsets[first : first + room]))
    return found


def collate(batch: Sequence[Window]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """ids, types and mask of a batch, padded to its longest input: (batch, length) each."""
    ids, mask = bert.padded([window.ids for window in batch])
    types, _ = bert.padded([window.types for window in batch])
    return ids, types, mask


def heads(weights: bert.Weights, hidden: torch.Tensor) -> Logits:
    """The heads, in float32: start and end logits (batch, length), and the answerable logit of [CLS] (batch,)."""
    from torch.nn import functional as F

    spans = F.linear(hidden.float(), weights["head.span.weight"].float(), weights["head.span.bias"].float())
    answerable = F.linear(
        hidden[:, 0].float(), weights["head.answerable.weight"].float(), weights["head.answerable.bias"].float()
    )
    return spans[..., 0], spans[..., 1], answerable[:, 0]


# --- files -----------------------------------------------------------------------------------------------------------


@cache
def shipped_network() -> tuple[SpanBert, Calibration]:
    """The network that comes with the package, loaded once.

    Raises:
        ModelError: its files are missing, or are not the published ones.
    """
    path = Path(__file__).parent / "weights" / "weights.safetensors"
    if not path.exists():
        raise ModelError(f"the reader's weights are missing: {path}; install the package again")
    bert.check_sha256(path, WEIGHTS_SHA256, "install the package again")
    return load_network(path)


def load_network(path: Path) -> tuple[SpanBert, Calibration]:
    """A network from weights such as ``benchmarks/reader/train.py`` writes.

    Raises:
        ModelError: the encoder's package is missing, or a file cannot be read.
    """
    from safetensors import SafetensorError, safe_open

    dtype = fast_dtype()
    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
            weights = {name: file.get_tensor(name).to(dtype) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (OSError, SafetensorError) as error:
        raise ModelError(f"the reader cannot be loaded from {path}: {error}") from error
    weights["embeddings.word"] = bert.base_weights()["embeddings.word"].to(dtype)
    return SpanBert(weights), Calibration(**json.loads(about.get("calibration", "{}")))


# --- the reader ------------------------------------------------------------------------------------------------------


class Reader:
    """Reads passages for a question. Safe to use from several threads: nothing changes after loading.

    `threads` processors read at once: with two, eight passages took two thirds of the time also on a busy machine, and
    no more processor time (829 and 860 ms; waiting threads must not spin, see `runtime.quiet_libraries`).
    """

    threads = 2

    def __init__(self, network: Network, calibration: Calibration) -> None:
        self.calibration = calibration
        self._network = network

    @classmethod
    def shipped(cls) -> Reader:
        """The reader that comes with the package; raises `ModelError` as `shipped_network` does."""
        return cls(*shipped_network())

    @classmethod
    def load(cls, path: Path) -> Reader:
        """A reader from weights of the same shape; raises `ModelError` as `load_network` does."""
        return cls(*load_network(path))

    @property
    def threshold(self) -> float:
        """Below this ``answer_probability``, a passage is taken not to answer."""
        return self.calibration.threshold

    def read(self, question: str, passages: Sequence[str], contexts: Sequence[str] | None = None) -> list[Reading]:
        """Read each passage for the question.

        Args:
            question: in any wording; cut at 64 tokens.
            passages: their texts; long ones are read in overlapping windows.
            contexts: one line for each passage that says what it is part of (title, section, date); read, but no
                answer is taken from it.

        Returns:
            One reading for each passage, in the same order.

        Raises:
            ValueError: a passage holds nothing to read, or there are not as many contexts as passages.
        """
        contexts = [""] * len(passages) if contexts is None else contexts
        masks = [answerless(text) for text in passages]
        inputs = self._network.windows(question, passages, contexts)
        blank = set(range(len(passages))) - {window.passage for window in inputs}
        if blank:
            raise ValueError(f"passage {min(blank)} holds nothing to read: {passages[min(blank)]!r:.40}")
        found: dict[int, Reading] = {}
        for numbers in bert.batches([len(window.ids) for window in inputs]):
            batch = [inputs[number] for number in numbers]
            for window, reading in zip(batch, self._read_batch(batch, passages, masks), strict=True):
                other = found.get(window.passage)
                if other is None or reading.answer_probability > other.answer_probability:
                    found[window.passage] = reading
        return [found[number] for number in range(len(passages))]

    def _read_batch(
        self, batch: Sequence[Window], passages: Sequence[str], masks: Sequence[list[tuple[int, int]]]
    ) -> list[Reading]:
        """The readings of windows that go through the network together."""
        import torch

        use_threads(self.threads)
        with torch.inference_mode():
            starts, ends, answerable = self._network.logits(batch)
            nulls = (starts[:, 0] + ends[:, 0]).tolist()
            readings = []
            for row, window in enumerate(batch):
                stop = window.first + len(window.offsets)
                penalty = torch.tensor([_penalty(span, masks[window.passage]) for span in window.offsets])
                here, there = starts[row, window.first : stop] + penalty, ends[row, window.first : stop] + penalty
                tokens = TokenScores(tuple(window.offsets), here.numpy(), there.numpy())
                start, end, best = tokens.best(passages[window.passage]) or (0, 0, nulls[row])
                answers, margin = float(answerable[row]), best - nulls[row]
                chance = self.calibration.probability(answers, margin)
                readings.append(Reading(start, end, chance, answers, margin, tokens))
        return readings


def _penalty(span: tuple[int, int], masked: Sequence[tuple[int, int]]) -> float:
    """What a token loses by standing where no answer stands, or by having no characters of its own."""
    start, end = span
    return bert.MASKED if start == end or any(a <= start < b for a, b in masked) else 0.0
