"""Any extractive question-answering model of transformers, by name or path, in place of the reader of the package."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from rag.errors import ModelError
from rag.models import reader
from rag.models.runtime import device, loading, use_threads

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rag.models.numpy_bert import Floats


def hub_reader(name: str) -> reader.Reader:
    """Return a reader that runs a model of transformers for question answering; raises `ModelError` on first use."""
    return reader.Reader(HubNetwork(name), reader.Calibration())


class HubNetwork:
    """The model and its tokenizer, loaded when first needed.

    Whether a passage answers is told by how far the best span stands above the first token, where models that were
    trained with unanswerable questions (SQuAD 2.0) put "no answer". Others answer nearly always.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def windows(self, question: str, passages: Sequence[str], contexts: Sequence[str]) -> list[reader.Window]:
        """The question and, as its second text, context line and passage; no answer stands in the context line."""
        asked = self._cut(question, reader.MAX_QUESTION_TOKENS)
        pairs = enumerate(zip(passages, contexts, strict=True))
        return [window for number, (text, context) in pairs for window in self._windows(number, asked, context, text)]

    def _windows(self, number: int, asked: str, context: str, text: str) -> Iterator[reader.Window]:
        tokenizer = self._loaded[0]
        lead = f"{self._cut(context, reader.MAX_CONTEXT_TOKENS)}\n" if context else ""
        encoded = tokenizer(
            asked,
            lead + text,
            truncation="only_second",
            max_length=min(reader.MAX_TOKENS, tokenizer.model_max_length),
            stride=reader.WINDOW_OVERLAP,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            return_token_type_ids=True,
        )
        for row, places in enumerate(encoded["offset_mapping"]):
            parts = encoded.sequence_ids(row)
            inside = [at for at, place in enumerate(places) if parts[at] == 1 and place[0] >= len(lead)]
            if inside:
                offsets = [_trimmed(text, places[at][0] - len(lead), places[at][1] - len(lead)) for at in inside]
                ids, types = encoded["input_ids"][row], encoded["token_type_ids"][row]
                yield reader.Window(number, ids, types, inside[0], offsets)

    def logits(self, windows: Sequence[reader.Window], threads: int) -> Iterator[tuple[int, Floats, Floats, float]]:
        """Yield each window's start and end logits, and how far their best stand above those of the first token."""
        import torch

        from rag.models.torch_bert import batches

        use_threads(threads)
        with torch.inference_mode():
            for numbers in batches([len(window.ids) for window in windows]):
                output = self._output([windows[number] for number in numbers])
                starts, ends = output.start_logits.float().cpu().numpy(), output.end_logits.float().cpu().numpy()
                for row, number in enumerate(numbers):
                    window, start, end = windows[number], starts[row], ends[row]
                    inside = slice(window.first, window.first + len(window.offsets))
                    yield number, start, end, float(start[inside].max() + end[inside].max() - start[0] - end[0])

    def _output(self, batch: Sequence[reader.Window]) -> Any:  # noqa: ANN401 - transformers' types differ with the model
        from rag.models.torch_bert import padded

        tokenizer, model = self._loaded
        ids, mask = padded([window.ids for window in batch])
        inputs = {"input_ids": ids, "attention_mask": mask.long()}
        if "token_type_ids" in tokenizer.model_input_names:
            inputs["token_type_ids"] = padded([window.types for window in batch])[0]
        return model(**{name: tensor.to(model.device) for name, tensor in inputs.items()})

    def _cut(self, text: str, most: int) -> str:
        tokenizer = self._loaded[0]
        places = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)["offset_mapping"]
        return text[: places[most - 1][1]] if len(places) > most else text

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        """The tokenizer and the model; transformers' own types differ with the model."""
        with loading("reader", self.name) as local:
            from transformers import AutoModelForQuestionAnswering, AutoTokenizer

            tokenizer = AutoTokenizer.from_pretrained(self.name, local_files_only=local, use_fast=True)
            model, report = AutoModelForQuestionAnswering.from_pretrained(
                self.name, local_files_only=local, output_loading_info=True
            )
        if report["missing_keys"]:
            raise ModelError(f"{self.name} is no model for question answering: it lacks {min(report['missing_keys'])}")
        return tokenizer, model.to(device()).eval()


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    return start, start + len(piece.strip())
