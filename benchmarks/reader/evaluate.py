"""Measure, calibrate and ship the reader.

``python benchmarks/reader/evaluate.py --data ../shared/eval`` prints the scores of the shipped reader;
``--weights RUN/average.safetensors --ship`` calibrates a trained one, writes it into the package and prints its hash.

Platt scaling is fitted on half of the articles of squad20_A, and everything about it is reported on the other half.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import string
import time
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from data import HELD
from rag.models.reader import Calibration, Reader, Reading, load_network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SHIPPED = Path(__file__).resolve().parents[2] / "rag" / "models" / "weights" / "weights.safetensors"
RAW = Calibration(answerable=1.0, margin=0.0, bias=0.0)
THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)


@dataclass(frozen=True, slots=True)
class Case:
    """A question and a passage to read; ``answers`` is empty when the passage does not answer."""

    question: str
    context: str
    passage: str
    answers: tuple[str, ...]
    kind: str
    article: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a case: the raw scores, and how well the span fits."""

    case: Case
    answer: str
    answerable: float
    margin: float
    exact: float
    f1: float


# --- SQuAD's scores (Rajpurkar et al. 2016, evaluate-v1.1.py) --------------------------------------------------------


def normalise(text: str) -> str:
    """Lower case without punctuation, articles and extra spaces."""
    kept = "".join(c for c in text.lower() if c not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", kept).split())


def f1(found: str, truth: str) -> float:
    """The harmonic mean of precision and recall over words."""
    one, two = normalise(found).split(), normalise(truth).split()
    shared = sum((Counter(one) & Counter(two)).values())
    return 2 * shared / (len(one) + len(two)) if shared else float(one == two)


def best(score: Callable[[str, str], float], found: str, answers: Sequence[str]) -> float:
    """The best score against any of the answers; 0 when there is none."""
    return max((score(found, answer) for answer in answers), default=0.0)


def exact(found: str, truth: str) -> float:
    """1 when they are equal after normalising."""
    return float(normalise(found) == normalise(truth))


def auroc(positives: Sequence[float], negatives: Sequence[float]) -> float:
    """The chance that a positive scores above a negative, a tie counting half."""
    both = torch.tensor([*positives, *negatives], dtype=torch.float64)
    here = both[: len(positives), None]
    there = both[None, len(positives) :]
    return float(((here > there).double() + (here == there).double() / 2).mean())


# --- the sets --------------------------------------------------------------------------------------------------------


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON-lines file."""
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def cases(folder: Path, every: int) -> list[Case]:
    """Every n-th question of a set, each with its own passage."""
    passages = {row["_id"]: row for row in rows(folder / "corpus.jsonl")}
    gold = {}
    for line in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, name, _ = line.split("\t")
        gold[query] = name
    found = []
    for row in list(rows(folder / "queries.jsonl"))[::every]:
        passage = passages[row.get("doc_id") or gold[row["_id"]]]
        kind = "answerable" if row["answerable"] else "misleading"
        answers = tuple(row["answers"]) if row["answerable"] else ()
        found.append(Case(row["text"], passage["title"], passage["text"], answers, kind, passage["title"]))
    return found


def elsewhere(given: Sequence[Case], seed: int = 5) -> list[Case]:
    """Each answerable question with a passage of another article."""
    rng = random.Random(seed)
    moved = []
    for case in given:
        if case.kind == "answerable":
            other = rng.choice([c for c in given if c.article != case.article])
            moved.append(Case(case.question, other.context, other.passage, (), "elsewhere", case.article))
    return moved


def run(reader: Reader, given: Sequence[Case], label: str) -> list[Outcome]:
    """Read every case."""
    began, outcomes = time.perf_counter(), []
    for case in given:
        reading = reader.read(case.question, [case.passage], [case.context])[0]
        answer = case.passage[reading.start : reading.end]
        scores = best(exact, answer, case.answers), best(f1, answer, case.answers)
        outcomes.append(Outcome(case, answer, reading.answer_logit, reading.span_score, *scores))
    seconds = time.perf_counter() - began
    print(f"{label}: {len(given)} read, {1000 * seconds / max(1, len(given)):.1f} ms each")
    return outcomes


# --- calibration -----------------------------------------------------------------------------------------------------


def fit(outcomes: Sequence[Outcome]) -> Calibration:
    """Platt scaling of the two scores, by logistic regression."""
    from sklearn.linear_model import LogisticRegression

    features = [(o.answerable, o.margin) for o in outcomes]
    model = LogisticRegression(C=10.0).fit(features, [o.case.kind == "answerable" for o in outcomes])
    (answerable, margin), bias = model.coef_[0], model.intercept_[0]
    return Calibration(round(float(answerable), 4), round(float(margin), 4), round(float(bias), 4))


def probabilities(outcomes: Sequence[Outcome], calibration: Calibration) -> list[float]:
    """The calibrated probabilities of outcomes."""
    return [calibration.probability(o.answerable, o.margin) for o in outcomes]


def refusal(outcomes: Sequence[Outcome], calibration: Calibration) -> dict[str, float]:
    """AUROC of telling answerable from misleading questions, and from other articles' passages."""
    chance = probabilities(outcomes, calibration)
    of = {kind: [p for p, o in zip(chance, outcomes, strict=True) if o.case.kind == kind] for kind in KINDS}
    return {kind: auroc(of["answerable"], of[kind]) for kind in KINDS[1:] if of[kind]}


KINDS = ("answerable", "misleading", "elsewhere")


def at_thresholds(outcomes: Sequence[Outcome], calibration: Calibration) -> None:
    """Print what each threshold answers of each kind, and precision and recall of refusing."""
    chance = probabilities(outcomes, calibration)
    print("threshold  answered: answerable misleading elsewhere | refusal: precision recall | answering: precision")
    for threshold in (*THRESHOLDS, calibration.threshold):
        shares = []
        for kind in KINDS:
            of = [p >= threshold for p, o in zip(chance, outcomes, strict=True) if o.case.kind == kind]
            shares.append(sum(of) / max(1, len(of)))
        refused = [o.case.kind != "answerable" for p, o in zip(chance, outcomes, strict=True) if p < threshold]
        given = [o.case.kind == "answerable" for p, o in zip(chance, outcomes, strict=True) if p >= threshold]
        unanswerable = sum(o.case.kind != "answerable" for o in outcomes)
        precision, recall = sum(refused) / max(1, len(refused)), sum(refused) / max(1, unanswerable)
        line = f"{threshold:9.2f}            {shares[0]:10.3f} {shares[1]:10.3f} {shares[2]:9.3f} |"
        print(f"{line} {precision:18.3f} {recall:6.3f} | {sum(given) / max(1, len(given)):18.3f}")


def bins(outcomes: Sequence[Outcome], calibration: Calibration) -> list[tuple[float, float, int]]:
    """(mean probability, share answerable, count) in ten bins."""
    found = []
    pairs = [
        (p, o.case.kind == "answerable") for p, o in zip(probabilities(outcomes, calibration), outcomes, strict=True)
    ]
    for tenth in range(10):
        inside = [pair for pair in pairs if min(9, int(pair[0] * 10)) == tenth]
        if inside:
            count = len(inside)
            found.append((sum(p for p, _ in inside) / count, sum(yes for _, yes in inside) / count, count))
    return found


def draw(points: Sequence[tuple[float, float, int]], path: Path) -> None:
    """The reliability diagram."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(4.5, 4.5), layout="constrained")
    axes.plot((0, 1), (0, 1), color="0.7", linewidth=1)
    axes.plot([p for p, _, _ in points], [s for _, s, _ in points], marker="o", color="C0")
    for place, share, count in points:
        axes.annotate(str(count), (place, share), textcoords="offset points", xytext=(6, -10), fontsize=8)
    axes.set(
        xlabel="calibrated probability", ylabel="share that the passage answers", title="Reliability, held-out articles"
    )
    figure.savefig(path, dpi=130)


# --- the seeds, time, shipping ---------------------------------------------------------------------------------------


def passages_of(text: str, words: int = 110) -> list[str]:
    """Whole lines of a document, about ``words`` words together."""
    found: list[str] = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        if found and len(found[-1].split()) + len(line.split()) <= words:
            found[-1] += "\n" + line
        else:
            found.append(line)
    return found


def seeds(reader: Reader, folder: Path) -> None:
    """The best answer to each question over all passages of all documents.

    Right is a span with F1 of at least 0.5, or, for a question of yes or no, one in the line that holds the evidence.
    """
    texts = [passage for path in sorted(folder.glob("*.txt")) for passage in passages_of(path.read_text("utf-8"))]
    right = refused = 0
    for row in rows(folder / "questions.jsonl"):
        readings = reader.read(row["question"], texts)
        number = max(range(len(texts)), key=lambda n: readings[n].answer_probability)
        top, answer = readings[number], texts[number][readings[number].start : readings[number].end]
        around = sentence_at(texts[number], top)
        shown = row["kind"] == "yesno" and any(e.lower() in around.lower() for e in row["evidence"])
        fits = shown or best(f1, answer, row["answers"]) >= 0.5
        answered = top.answer_probability >= reader.calibration.threshold
        right += bool(row["answerable"] and fits and answered)
        refused += bool(not row["answerable"] and not answered)
        mark = "ok" if answered == row["answerable"] and (fits or not row["answerable"]) else "--"
        overlap = best(f1, answer, row["answers"])
        print(f"{mark} {top.answer_probability:.3f} f1 {overlap:.2f} | {row['question']} | {answer!r}")
    print(f"seeds: {right} answered (F1 of at least 0.5; yes or no: the evidence), {refused} refused")


def sentence_at(text: str, reading: Reading) -> str:
    """The line around a reading's span."""
    return text[text.rfind("\n", 0, reading.start) + 1 : (text + "\n").find("\n", reading.end)]


def timing(reader: Reader, given: Sequence[Case]) -> None:
    """Ten passages of about 180 tokens for one question."""
    long = [c for c in given if 125 <= len(c.passage.split()) <= 150][:10]
    texts = [c.passage for c in long]
    for threads in (1, 2):
        reader.threads = threads
        taken = []
        for case in long[:6]:
            began = time.perf_counter()
            reader.read(case.question, texts)
            taken.append(1000 * (time.perf_counter() - began))
        print(f"{len(texts)} passages, {threads} thread(s): median {sorted(taken)[len(taken) // 2]:.0f} ms")


def ship(source: Path, calibration: Calibration) -> None:
    """Write the weights with their calibration into the package, and print their hash."""
    with safe_open(source, framework="pt") as file:
        weights = {name: file.get_tensor(name).half().contiguous() for name in sorted(file.keys())}
    SHIPPED.parent.mkdir(exist_ok=True)
    save_file(weights, SHIPPED, metadata={"calibration": json.dumps(asdict(calibration))})
    SHIPPED.chmod(0o644)
    print(f"{SHIPPED}: {SHIPPED.stat().st_size} bytes, SHA-256 {hashlib.sha256(SHIPPED.read_bytes()).hexdigest()}")


def mean(values: Sequence[float]) -> float:
    """The mean; 0 of nothing."""
    return sum(values) / max(1, len(values))


def spans(outcomes: Sequence[Outcome], label: str) -> None:
    """Print exact match and F1 of the answerable cases."""
    asked = [o for o in outcomes if o.case.answers]
    scores = mean([o.exact for o in asked]), mean([o.f1 for o in asked])
    print(f"{label}: exact match {scores[0]:.3f}, F1 {scores[1]:.3f} ({len(asked)} questions)")


def abstention(reader: Reader, outcomes: Sequence[Outcome], picture: Path | None, *, refit: bool) -> Calibration:
    """Fit on half of the articles if asked to, report on the other half; returns the calibration."""
    titles = sorted({o.case.article for o in outcomes})
    calibration = reader.calibration
    if refit:
        fitted = fit([o for o in outcomes if titles.index(o.case.article) % 2 == 0])
        calibration = replace(fitted, threshold=calibration.threshold)
    held = [o for o in outcomes if titles.index(o.case.article) % 2]
    print(calibration)
    alone = {"[CLS] head": RAW, "span margin": Calibration(0.0, 1.0, 0.0), "both": calibration}
    for label, scaling in alone.items():
        print(f"AUROC, {label}:", {k: round(v, 4) for k, v in refusal(held, scaling).items()})
    points = bins(held, calibration)
    error = sum(abs(p - share) * count for p, share, count in points) / len(held)
    print(f"expected calibration error {error:.3f}:", [(round(p, 2), round(s, 2), n) for p, s, n in points])
    at_thresholds(held, calibration)
    if picture:
        draw(points, picture)
    return calibration


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the evaluation sets")
    parser.add_argument("--seeds", type=Path, help="the folder of the two news pieces (default: beside --data)")
    parser.add_argument("--weights", type=Path, help="trained weights (default: the shipped ones)")
    parser.add_argument("--every", type=int, default=1, help="take every n-th question")
    parser.add_argument("--held", action="store_true", help="only the articles of squad20_A that train nothing")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--threshold", type=float, help="the threshold to ship")
    parser.add_argument("--picture", type=Path, help="where to draw the reliability diagram")
    parser.add_argument("--ship", action="store_true", help="write the weights and their calibration into the package")
    given = parser.parse_args()
    reader = Reader(*load_network(given.weights)) if given.weights else Reader.shipped()
    reader.threads = given.threads
    squad = cases(given.data / "squad20_A", given.every)
    squad = [case for case in squad if case.article in HELD or not given.held]
    outcomes = run(reader, squad, "squad20_A")
    spans(outcomes, "squad20_A given the passage")
    outcomes += run(reader, elsewhere(squad), "squad20_A with another article")
    if given.threshold:
        reader.calibration = replace(reader.calibration, threshold=given.threshold)
    reader.calibration = abstention(reader, outcomes, given.picture, refit=bool(given.weights))
    for name, step in (("xquad_en_A", 1), ("nq_open_oracle", given.every)):
        spans(run(reader, cases(given.data / name, step), name), f"{name} given the passage")
    seeds(reader, given.seeds or given.data.parent / "seeds")
    timing(reader, squad)
    if given.ship and given.weights:
        ship(given.weights, reader.calibration)


if __name__ == "__main__":
    main()
