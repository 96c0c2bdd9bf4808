"""How good the answers are: with the reader and with the encoder alone, on the same questions in the same run.

Run: python benchmarks/reader/answers.py ../shared/eval [--weights FILE] [--sample N] [--sets NAME ...]. Each line of a
set's corpus.jsonl is a document, all of them one index, made by the product and kept in its cache. A sample takes N
answerable questions and half as many of each other kind, the same ones each time.

Given the passage (its document alone), the best short answer counts, and for the encoder the sentence that it prefers;
nothing is refused.
Over the corpus, it is what `rag ask` says: short answer (for the encoder: its first sentence), first cited sentence,
refusals. Questions about something else are those of nq_open_oracle, asked of squad20_A.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING

from rag.answer import Question, answers
from rag.answer.extractive import ExtractiveAnswerer
from rag.answer.scorer import scorer
from rag.evaluate import opened, read_folder, read_questions
from rag.evaluate.dataset import Dataset, LabelledQuestion
from rag.evaluate.measures import abstention, answer_scores, f1, normal
from rag.library import Library
from rag.models.encoder import embedder
from rag.models.reader import Reader, load_network
from rag.records import Filter, ShortAnswer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.records import Answer, Hit

SETS = ("squad20_A", "xquad_en_A", "nq_open_oracle")
MEASURES = ("exact_match", "f1", "sentence_hit@1")
PASSAGES = 12  # as `rag ask`


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the answers to it over the corpus, its milliseconds, and the scores given its passage."""

    question: LabelledQuestion
    kind: str
    answers: dict[str, Answer]
    milliseconds: float
    given: dict[str, tuple[float, float]]


# --- asking ----------------------------------------------------------------------------------------------------------


class Asker:
    """One set's index, with both answerers."""

    def __init__(self, library: Library, reader: Reader) -> None:
        self._library = library
        self._scorers = {"reader": scorer(library.retriever, reader), "encoder": scorer(library.retriever, "none")}

    def ask(self, question: LabelledQuestion, kind: str) -> Asked:
        """Ask over the corpus, and, where the passage is known, of it alone."""
        began = time.perf_counter()
        answers = {"reader": self._answer(question.text, "reader")}
        milliseconds = 1000 * (time.perf_counter() - began)
        answers["encoder"] = _with_sentence(self._answer(question.text, "encoder"))
        uri = next(iter(question.relevant), None)
        return Asked(question, kind, answers, milliseconds, self._given(question, uri) if uri else {})

    def _answer(self, question: str, who: str) -> Answer:
        """Answer as `rag ask` does, other words before a refusal included."""

        def search(asked: str) -> list[Hit]:
            return self._library.retriever.fused(asked, PASSAGES)

        given = answers(search, ExtractiveAnswerer(self._scorers[who]), [Question.parse(question)])
        return deque(given, maxlen=1)[0]

    def _given(self, question: LabelledQuestion, uri: str) -> dict[str, tuple[float, float]]:
        hits = self._library.retriever.fused(question.text, PASSAGES, Filter(document=(uri,)))
        found = {}
        for name, judge in self._scorers.items():
            candidates = judge.score(Question.parse(question.text), hits)
            best = max(candidates, key=lambda c: c.score) if candidates else None
            short = best.hit.passage.quote(best.short) if best and best.short else ""
            found[name] = short if name == "reader" else best.text if best else ""
        return {name: _overlap(text, question.answers) for name, text in found.items() if question.answers}


def _with_sentence(answer: Answer) -> Answer:
    """The answer with its best sentence as the short answer, for an answerer that gives none."""
    if not answer.citations:
        return answer
    best = max(answer.citations, key=lambda citation: citation.score)
    return replace(answer, short_answer=ShortAnswer(best.quote, best.number, best.span))


def _overlap(text: str, answers: Sequence[str]) -> tuple[float, float]:
    """Exact match and F1, as SQuAD measures them."""
    return max(float(normal(text) == normal(a)) for a in answers), max(f1(text, a) for a in answers)


def sampled(dataset: Dataset, count: int) -> list[tuple[str, LabelledQuestion]]:
    """(kind, question): `count` answerable ones and half as many misleading ones, evenly spread."""
    kinds: dict[str, list[LabelledQuestion]] = {"answerable": [], "misleading": []}
    for question in dataset.questions:
        kinds["misleading" if question.answerable is False else "answerable"].append(question)
    most = {"answerable": count, "misleading": count // 2}
    chosen = {kind: Dataset(kind, tuple(some)).limited(most[kind]).questions for kind, some in kinds.items()}
    return [(kind, question) for kind, some in chosen.items() for question in some]


def ask_all(folder: Path, reader: Reader, count: int) -> list[Asked]:
    """Ask a sample of a set's questions; of squad20_A, those about something else as well."""
    dataset = read_folder(folder)
    questions = sampled(dataset, count)
    if folder.name == "squad20_A":
        others = read_folder(folder.parent / "nq_open_oracle").limited(count // 2).questions
        questions += [("elsewhere", replace(q, relevant={}, answers=(), answerable=False)) for q in others]
    with opened(dataset, embedder()) as library:
        asker = Asker(library, reader)
        return [asker.ask(question, kind) for kind, question in questions]


# --- reporting -------------------------------------------------------------------------------------------------------


def report_answers(name: str, asked: Sequence[Asked]) -> None:
    """Print exact match, F1 and sentence_hit@1 of the answerable questions."""
    some = [a for a in asked if a.kind == "answerable"]
    for who in ("reader", "encoder"):
        given = [a.given[who] for a in some if a.given]
        scores = [answer_scores(a.question, a.answers[who]) for a in some]
        cells = [fmean(em for em, _ in given), fmean(f for _, f in given)]
        cells += [fmean(score[measure] for score in scores) for measure in MEASURES]
        print(f"{name:15} {who:8} {len(some):5} " + " ".join(f"{cell:10.3f}" for cell in cells))


def report_refusals(asked: Sequence[Asked]) -> None:
    """Print how well answerable questions are told from others, and what the shipped threshold refuses."""
    of = {kind: [a for a in asked if a.kind == kind] for kind in ("answerable", "misleading", "elsewhere")}
    print()
    for who in ("reader", "encoder"):
        for kind in ("misleading", "elsewhere"):
            found = _abstention([*of["answerable"], *of[kind]], who)
            print(f"over the corpus, {who:8} {kind:10} AUROC {found.get('auroc', float('nan')):.3f}")
        shares = ", ".join(
            f"{kind} {fmean(not a.answers[who].is_plain for a in some):.3f}" for kind, some in of.items()
        )
        found = _abstention(asked, who)
        rates = f"precision {found.get('precision', 0):.3f}, recall {found.get('recall', 0):.3f}"
        print(f"over the corpus, {who:8} refusing at the shipped threshold: {rates}; refused: {shares}")


def _abstention(asked: Sequence[Asked], who: str) -> dict[str, float]:
    answers = [a.answers[who] for a in asked]
    can = [a.kind == "answerable" for a in asked]
    return abstention([not answer.is_plain for answer in answers], can, [answer.confidence for answer in answers])


def report_seeds(folder: Path, reader: Reader) -> None:
    """Ask the questions about the two news pieces; right is a cited piece of evidence and a fitting short answer."""
    right = refused = 0
    with tempfile.TemporaryDirectory() as name, Library.open(name, embedder=embedder(), reader=reader) as library:
        library.index(*sorted(folder.glob("*.txt")))
        print()
        for question in read_questions(folder / "questions.jsonl", library).questions:
            answer = library.ask(question.text)
            short = answer.short_answer.text if answer.short_answer else ""
            quoted = any(piece in citation.quote for piece in question.evidence for citation in answer.citations)
            fits = max((f1(short, gold) for gold in question.answers), default=0.0)
            fine = (
                quoted and (fits >= 0.5 or _wants_yes_or_no(question)) if question.answerable else not answer.is_plain
            )
            right, refused = right + (fine and bool(question.answerable)), refused + (fine and not question.answerable)
            print(f"{'ok' if fine else '--'} {answer.confidence or 0:.3f} f1 {fits:.2f} | {question.text} | {short!r}")
    print(f"seeds: {right} answered (evidence cited; F1 of at least 0.5 but for yes and no), {refused} refused")


def _wants_yes_or_no(question: LabelledQuestion) -> bool:
    return bool({"yes", "no"} & {answer.lower() for answer in question.answers})


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the folder of the evaluation sets")
    parser.add_argument("--weights", type=Path, help="trained weights (default: the shipped ones)")
    parser.add_argument("--sample", type=int, default=100, help="answerable questions of each set (default: 100)")
    parser.add_argument("--sets", nargs="*", default=SETS, choices=SETS, help="which sets (default: all)")
    options = parser.parse_args()
    reader = Reader(*load_network(options.weights)) if options.weights else Reader.shipped()
    print(f"{'':30} given the passage     over the corpus\n{'set':15} {'':8} {'n':>5} ", end="")
    print(" ".join(f"{name:>10}" for name in ("EM", "F1", "EM", "F1", "hit@1")))
    asked = {}
    for name in options.sets:
        asked[name] = ask_all(options.data / name, reader, options.sample)
        report_answers(name, asked[name])
    if "squad20_A" in asked:
        report_refusals(asked["squad20_A"])
    report_seeds(options.data.parent / "seeds", reader)
    times = [a.milliseconds for some in asked.values() for a in some]
    if times:
        print(f"\n{PASSAGES} passages read: median {median(times):.0f} ms a question, retrieval included")


if __name__ == "__main__":
    main()
