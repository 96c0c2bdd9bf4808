"""Training examples for the reader: real questions, varied passages, and questions that their passage does not answer.

Everything is drawn from one seeded generator, so a stream of examples is the same on every machine. Only the training
row of ``shared/eval/README.md`` is read, and twelve of the eighteen articles of squad20_A: its questions that nothing
answers were written by people to mislead, which no rule here can do. The other six articles (HELD) train nothing.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING

from rag.models import bert
from rag.models.encoder import unit

if TYPE_CHECKING:
    from pathlib import Path

    from rag.models.encoder import Vectors

SETS = (
    "squad11_train_part",
    "squad11_train_part2",
    "squadshifts_new_wiki",
    "squadshifts_reddit",
    "squadshifts_amazon_reviews",
)
TITLED = {"squad11_train_part", "squadshifts_new_wiki", "squad20_A"}  # the titles of the other sets say nothing
HELD = frozenset(
    {
        "Computational complexity theory",
        "Economic inequality",
        "Immune system",
        "Packet switching",
        "Sky (United Kingdom)",
        "Yuan dynasty",
    }
)
"""Articles of squad20_A that train nothing: every third in the order of the alphabet. Tuning and figures are theirs."""
WORDS_PER_TOKEN = 0.72  # of these sets, to crop passages without tokenizing them


@dataclass(frozen=True, slots=True)
class Example:
    """A question, what is read, and the answer's place in it: code points of ``passage``.

    ``start == end`` means that the passage does not answer. ``loose`` means that the answer is somewhere between
    ``start`` and ``end``, not all of it.
    """

    question: str
    context: str
    passage: str
    start: int
    end: int
    kind: str
    loose: bool = False


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A passage of a training set; ``article`` groups those that belong together."""

    name: str
    source: str
    article: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question with the answer most annotators gave, and every answer anyone gave; "" and () where there is none."""

    text: str
    paragraph: int
    start: int
    answer: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Pool:
    """The paragraphs and questions to draw from.

    ``hard`` has, for each question, likely passages without an answer; ``loose`` questions with the sentence that
    answers; ``asked_of_web`` the sentences of an article for each question of a search engine's users: the question,
    the sentence, and whether it answers; ``judged`` questions of which half mislead: their paragraph has no answer.
    """

    paragraphs: list[Paragraph]
    questions: list[Question]
    judged: list[Question]
    hard: list[list[int]]
    loose: list[tuple[str, str]]
    asked_of_web: list[list[tuple[str, str, bool]]]

    @cached_property
    def of_article(self) -> dict[str, list[int]]:
        """The numbers of the paragraphs of each article, in order."""
        groups: dict[str, list[int]] = defaultdict(list)
        for number, paragraph in enumerate(self.paragraphs):
            groups[paragraph.article].append(number)
        return groups

    @cached_property
    def asked(self) -> dict[int, set[str]]:
        """The questions of each paragraph, in lower case."""
        groups: dict[int, set[str]] = defaultdict(set)
        for question in self.questions:
            groups[question.paragraph].add(question.text.lower())
        return groups


def lines(path: Path) -> Iterator[dict[str, object]]:
    """The objects of a JSON-lines file."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def majority(starts: Sequence[tuple[int, str]]) -> tuple[int, str]:
    """The answer that most annotators gave; the shorter one when they are even."""
    counts = Counter((start, text) for start, text in starts)
    return min(counts, key=lambda answer: (-counts[answer], len(answer[1]), answer[0]))


def article_of(source: str, name: str) -> str:
    """Paragraphs are named ARTICLE_NUMBER; Reddit comments have nothing to do with one another."""
    return name if "Reddit" in name else f"{source}/{name.rpartition('_')[0]}"


def load(folder: Path) -> tuple[list[Paragraph], list[Question]]:
    """The paragraphs and questions of the training sets under ``folder``."""
    paragraphs: list[Paragraph] = []
    questions: list[Question] = []
    for source in SETS:
        number = {}
        for row in lines(folder / source / "corpus.jsonl"):
            name, title = str(row["_id"]), str(row["title"]) if source in TITLED else ""
            number[name] = len(paragraphs)
            paragraphs.append(Paragraph(name, source, article_of(source, name), title, str(row["text"])))
        for row in lines(folder / source / "queries.jsonl"):
            start, answer = majority([(int(s), str(t)) for s, t in row["answer_starts"]])  # type: ignore[attr-defined]
            text = " ".join(str(row["text"]).split())
            every = tuple(str(a) for a in row["answers"])  # type: ignore[attr-defined]
            home = number[str(row["doc_id"])]
            if answer.strip() and paragraphs[home].text[start : start + len(answer)] == answer:
                questions.append(Question(text, home, start, answer, every))
    return paragraphs, questions


def judged(folder: Path, paragraphs: list[Paragraph]) -> list[Question]:
    """The questions of squad20_A outside HELD, with and without an answer; their paragraphs are added to the list."""
    number = {}
    for row in lines(folder / "corpus.jsonl"):
        if row["title"] not in HELD:
            number[str(row["_id"])] = len(paragraphs)
            title = str(row["title"])
            paragraphs.append(Paragraph(str(row["_id"]), "squad20_A", f"squad20_A/{title}", title, str(row["text"])))
    found = []
    for row in lines(folder / "queries.jsonl"):
        home = number.get(str(row["doc_id"]))
        if home is not None:
            places = [(int(s), str(t)) for s, t in row["answer_starts"]] if row["answerable"] else []  # type: ignore[attr-defined]
            start, answer = majority(places) if places else (0, "")
            every = tuple(str(a) for a in row["answers"]) if places else ()  # type: ignore[attr-defined]
            found.append(Question(" ".join(str(row["text"]).split()), home, start, answer, every))
    return found


def split(paragraphs: list[Paragraph], questions: list[Question]) -> tuple[list[Question], list[Question]]:
    """Training and held-out questions; whole articles are held out, one paragraph in 25."""
    held = {p.article for p in paragraphs if _held_out(p)}
    dev = [q for q in questions if paragraphs[q.paragraph].article in held]
    return [q for q in questions if paragraphs[q.paragraph].article not in held], dev


def _held_out(paragraph: Paragraph) -> bool:
    if paragraph.source == "squad11_train_part":
        return paragraph.article.endswith(("/Genome", "/Comprehensive_school", "/Antenna_(radio)", "/Boston", "/Pub"))
    return random.Random(paragraph.article).random() < 0.03


def retrieved(paragraphs: list[Paragraph], questions: list[Question], keep: int = 6) -> list[list[int]]:
    """For each question, the passages most like it (TF-IDF) that hold none of its answers."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    tfidf = TfidfVectorizer(sublinear_tf=True, min_df=2, stop_words="english")
    corpus = tfidf.fit_transform([p.text for p in paragraphs]).T.tocsr()
    lowered = [p.text.lower() for p in paragraphs]
    found = []
    for first in range(0, len(questions), 2000):
        chunk = questions[first : first + 2000]
        scores = (tfidf.transform([q.text for q in chunk]) @ corpus).toarray()
        best = np.argsort(-scores, axis=1)[:, : 4 * keep]
        for question, row in zip(chunk, best, strict=True):
            wrong = (int(n) for n in row if not holds(lowered[n], question) and n != question.paragraph)
            found.append([n for n, _ in zip(wrong, range(keep), strict=False)])
    return found


def holds(lowered: str, question: Question) -> bool:
    """Whether a lower-cased text contains any of the answers to a question."""
    return any(answer.lower().strip(" .") in lowered for answer in question.answers)


def pool(folder: Path) -> tuple[Pool, Pool]:
    """The training and the held-out pool."""
    paragraphs, questions = load(folder)
    train, dev = split(paragraphs, questions)
    real = judged(folder / "squad20_A", paragraphs)
    loose = [
        (str(row["question"]), str(row["sentence"])) for row in lines(folder / "squad_sentence_train10k" / "data.jsonl")
    ]
    web = asked_of_web(folder / "wikiqa_sentsel" / "data.jsonl")
    hard = retrieved(paragraphs, train + dev)
    kept = [group for number, group in enumerate(web) if number % 25]
    return (
        Pool(paragraphs, train, real, hard[: len(train)], loose, kept),
        Pool(paragraphs, dev, [], hard[len(train) :], loose, web[::25]),
    )


def asked_of_web(path: Path) -> list[list[tuple[str, str, bool]]]:
    """The judged sentences of each question of WikiQA, in the order of the article."""
    groups: dict[str, list[tuple[str, str, bool]]] = defaultdict(list)
    for row in lines(path):
        sentence = detokenized(str(row["sentence"]))
        groups[str(row["qid"])].append((detokenized(str(row["question"])), sentence, bool(row["label"])))
    return list(groups.values())


def detokenized(text: str) -> str:
    """Text as people write it, from tokens of the Penn Treebank."""
    text = text.replace("-lrb- ", "(").replace(" -rrb-", ")").replace("`` ", '"').replace(" ''", '"')
    return re.sub(r" (n't|'s|'re|'ve|'ll|'d|'m|[.,;:?!%])(?!\S)", r"\1", text)


# --- passages of many shapes -----------------------------------------------------------------------------------------

_SENTENCE = re.compile(r"(?<=[.!?])[\"'”’)]*\s+(?=[\"'“‘(]*[A-Z0-9])")


def sentences(text: str) -> list[tuple[int, int]]:
    """The spans of the sentences of a text, by a plain rule; together they cover it but for spaces between them."""
    spans, start = [], 0
    for match in _SENTENCE.finditer(text):
        end = match.end() - (len(match.group()) - len(match.group().rstrip()))
        if end - start > 25:
            spans.append((start, end))
            start = match.end()
    return [*spans, (start, len(text))] if start < len(text) else spans


def crop(text: str, start: int, end: int, words: int, rng: random.Random) -> tuple[str, int, int]:
    """About ``words`` words of whole sentences around ``text[start:end]``; the span moves with it."""
    spans = sentences(text)
    first = max(i for i, s in enumerate(spans) if s[0] <= start)
    last = max(first, min((i for i, s in enumerate(spans) if s[1] >= end), default=len(spans) - 1))
    count = len(text[spans[first][0] : spans[last][1]].split())
    while count < words and (first > 0 or last < len(spans) - 1):
        back = first > 0 and (last == len(spans) - 1 or rng.random() < 0.5)
        first, last = (first - 1, last) if back else (first, last + 1)
        added = spans[first] if back else spans[last]
        count += len(text[added[0] : added[1]].split())
    begin = spans[first][0]
    return text[begin : spans[last][1]], start - begin, end - begin


def context_line(paragraph: Paragraph, rng: random.Random) -> str:
    """A line such as the index puts in front of a passage: title, section, date; often nothing."""
    title = paragraph.title
    parts = [title] if title and rng.random() < 0.6 else []
    if rng.random() < 0.15:
        parts.append(rng.choice(("Introduction", "Background", "Overview", "Details", "Summary", "Part 2")))
    if rng.random() < 0.15:
        parts.append(f"{rng.randint(1990, 2025)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}")
    return rng.choice((" | ", " · ", " > ", ". ", " - ")).join(parts)


def reword(question: str, rng: random.Random) -> str:
    """A question as people type it: sometimes in lower case, sometimes without its question mark."""
    if rng.random() < 0.3:
        question = question.lower()
    return question.rstrip("? ") if rng.random() < 0.2 else question


def with_neighbour(pool: Pool, number: int, rng: random.Random) -> tuple[str, int]:
    """A paragraph's text, sometimes with the next or the previous one of its article, and where it begins in it."""
    text, group = pool.paragraphs[number].text, pool.of_article[pool.paragraphs[number].article]
    place = group.index(number) + rng.choice((-1, 1))
    if rng.random() > 0.25 or not 0 <= place < len(group):
        return text, 0
    other, gap = pool.paragraphs[group[place]].text, rng.choice((" ", "\n", "\n\n"))
    return (other + gap + text, len(other + gap)) if group[place] < number else (text + gap + other, 0)


# --- the kinds of example --------------------------------------------------------------------------------------------

Maker = Callable[[Pool, int, int, random.Random], "Example | None"]


def positive(pool: Pool, number: int, words: int, rng: random.Random) -> Example | None:
    """A question and its passage; now and then the question itself stands in the passage, too."""
    asked = pool.questions[number]
    text, shift = with_neighbour(pool, asked.paragraph, rng)
    start = asked.start + shift
    text, start, end = crop(text, start, start + len(asked.answer), words, rng)
    if rng.random() < 0.02:
        places = [s[0] for s in sentences(text) if not start <= s[0] < end]
        place, echo = (rng.choice(places) if places else 0), asked.text + " "
        moved = len(echo) if place <= start else 0
        text, start, end = text[:place] + echo + text[place:], start + moved, end + moved
    context = context_line(pool.paragraphs[asked.paragraph], rng)
    return Example(reword(asked.text, rng), context, text, start, end, "positive")


def unanswered(pool: Pool, question: str, number: int, words: int, kind: str, rng: random.Random) -> Example:
    """A question and a crop of a paragraph that does not answer it."""
    text = pool.paragraphs[number].text
    spans = sentences(text)
    start, end = rng.choice(spans) if spans else (0, len(text))
    text, _, _ = crop(text, start, end, words, rng)
    return Example(reword(question, rng), context_line(pool.paragraphs[number], rng), text, 0, 0, kind)


def hard_passage(pool: Pool, number: int, words: int, rng: random.Random) -> Example | None:
    """A passage much like the question that does not hold the answer; sometimes it holds the question."""
    if not pool.hard[number]:
        return None
    asked = pool.questions[number]
    example = unanswered(pool, asked.text, rng.choice(pool.hard[number]), words, "retrieved", rng)
    if rng.random() < 0.05:
        places = [s[0] for s in sentences(example.passage)] or [0]
        place = rng.choice(places)
        return replace(example, passage=f"{example.passage[:place]}{asked.text} {example.passage[place:]}")
    return example


def same_article(pool: Pool, number: int, words: int, rng: random.Random) -> Example | None:
    """Another paragraph of the same article, without the answer."""
    asked = pool.questions[number]
    group = pool.of_article[pool.paragraphs[asked.paragraph].article]
    other = rng.choice(group)
    if other == asked.paragraph or holds(pool.paragraphs[other].text.lower(), asked):
        return None
    return unanswered(pool, asked.text, other, words, "same article", rng)


def other_article(pool: Pool, number: int, words: int, rng: random.Random) -> Example | None:
    """A paragraph of another article."""
    asked = pool.questions[number]
    other = rng.randrange(len(pool.paragraphs))
    if pool.paragraphs[other].article == pool.paragraphs[asked.paragraph].article:
        return None
    if holds(pool.paragraphs[other].text.lower(), asked):
        return None
    return unanswered(pool, asked.text, other, words, "other article", rng)


def sentence_removed(pool: Pool, number: int, words: int, rng: random.Random) -> Example | None:
    """The question's own passage without the sentence that answers it."""
    asked = pool.questions[number]
    paragraph = pool.paragraphs[asked.paragraph]
    end = asked.start + len(asked.answer)
    kept = [s for s in sentences(paragraph.text) if s[1] <= asked.start or s[0] >= end]
    text = " ".join(paragraph.text[a:b] for a, b in kept)
    if not kept or holds(text.lower(), asked):
        return None
    place = rng.randrange(len(text))
    text, _, _ = crop(text, place, place, words, rng)
    return Example(reword(asked.text, rng), context_line(paragraph, rng), text, 0, 0, "sentence removed")


def loose_sentence(pool: Pool, number: int, words: int, rng: random.Random) -> Example | None:
    """A question whose answering sentence is known, not the words in it, between sentences of other articles."""
    question, gold = pool.loose[number % len(pool.loose)]
    before: list[str] = []
    after: list[str] = []
    total = len(gold.split())
    while total < words * 0.6:
        text = pool.paragraphs[rng.randrange(len(pool.paragraphs))].text
        start, end = rng.choice(sentences(text))
        (before if rng.random() < 0.5 else after).append(text[start:end])
        total += len(text[start:end].split())
    lead = " ".join([*before, ""])
    passage = lead + " ".join([gold, *after])
    return Example(reword(question, rng), "", passage, len(lead), len(lead) + len(gold), "sentence", loose=True)


def web_question(pool: Pool, number: int, words: int, rng: random.Random) -> Example | None:
    """A search engine's question and sentences of an article; in half of them, those that answer are left out."""
    rows = pool.asked_of_web[number % len(pool.asked_of_web)]
    answers = rng.random() < 0.5
    right = [i for i, row in enumerate(rows) if row[2]]
    kept = [i for i in range(len(rows)) if answers or i not in right]
    while len(kept) > 1 and sum(len(rows[i][1].split()) for i in kept) > words:
        ends = [i for i in (kept[0], kept[-1]) if not answers or i != right[0]]
        kept.remove(rng.choice(ends))
    question, texts = rows[0][0], [rows[i][1] for i in kept]
    if not texts:
        return None
    passage = " ".join(texts)
    if not answers:
        return Example(reword(question, rng), "", passage, 0, 0, "web")
    place = kept.index(right[0])
    start = sum(len(text) + 1 for text in texts[:place])
    return Example(reword(question, rng), "", passage, start, start + len(texts[place]), "web", loose=True)


def judged_question(pool: Pool, _number: int, words: int, rng: random.Random) -> Example | None:
    """A question of squad20_A with its paragraph, which people judged to answer it or not."""
    if not pool.judged:
        return None
    asked = pool.judged[rng.randrange(len(pool.judged))]
    paragraph = pool.paragraphs[asked.paragraph]
    if asked.answers:
        text, start, end = crop(paragraph.text, asked.start, asked.start + len(asked.answer), words, rng)
        return Example(reword(asked.text, rng), context_line(paragraph, rng), text, start, end, "judged")
    shared = set(_WORD.findall(asked.text))
    place = max(sentences(paragraph.text), key=lambda s: len(shared & set(_WORD.findall(paragraph.text[s[0] : s[1]]))))
    text, _, _ = crop(paragraph.text, *place, words, rng)
    return Example(reword(asked.text, rng), context_line(paragraph, rng), text, 0, 0, "misleading")


# --- questions with one thing changed --------------------------------------------------------------------------------

_NAME = re.compile(r"(?<=[a-z,] )(?:[A-Z][\w’'-]*\w)(?: (?:of |the |de |van )?[A-Z][\w’'-]*\w)*")
NEAR = 0.15
"""The least cosine of two words that may stand for one another in a question."""
_WORD = re.compile(
    r"\b(?!(?:with|from|that|what|which|when|where|were|have|been|this|they|their|many|much|does)\b)[a-z]{4,}\b"
)
_NUMBER = re.compile(r"\b\d[\d,.]*\d\b|\b\d\b")
_OPPOSITES = (
    "first last|largest smallest|most least|before after|highest lowest|oldest youngest|north south|east west|"
    "northern southern|eastern western|more fewer|more less|increase decrease|increased decreased|best worst|"
    "early late|earlier later|start stop|began ended|begin end|won lost|win lose|minimum maximum|always never|"
    "older younger|higher lower|larger smaller|longer shorter|male female|men women|father mother|son daughter|"
    "positive negative|with without|inside outside|above below|allowed forbidden|accepted rejected|supported opposed|"
    "like dislike|love hate|good bad|easy difficult|cheap expensive|new old|long short|big small|high low|"
    "biggest smallest|earliest latest|buy sell|bought sold|gain lose|strong weak|hot cold|support oppose|"
    "created destroyed|built destroyed|arrive leave|public private|major minor|modern ancient|include exclude"
)
OPPOSITE = {a: b for pair in _OPPOSITES.split("|") for a, b in (pair.split(), pair.split()[::-1])}
_AUXILIARY = re.compile(r"\b(did|does|do|is|was|are|were|can|could|has|have|had|will|would|should)\b", re.IGNORECASE)
_NEGATED = re.compile(r"\b(not|never|no|without|except)\b|n't\b", re.IGNORECASE)


def swapped(pool: Pool, number: int, words: int, rng: random.Random) -> Example | None:
    """The passage stays, and one thing in the question changes so that the passage no longer answers it."""
    asked = pool.questions[number]
    paragraph = pool.paragraphs[asked.paragraph]
    spans = sentences(paragraph.text)
    home = next((paragraph.text[a:b] for a, b in spans if a <= asked.start < b), paragraph.text)
    change = rng.choices((_swap_thing, _oppose, _negate, _swap_word), (0.46, 0.2, 0.1, 0.24))[0]
    question = change(pool, asked, home, rng) or _swap_thing(pool, asked, home, rng)
    if question is None or question.lower() in pool.asked[asked.paragraph]:
        return None
    text, _, _ = crop(paragraph.text, asked.start, asked.start + len(asked.answer), words, rng)
    return Example(reword(question, rng), context_line(paragraph, rng), text, 0, 0, "swapped")


def _swap_thing(pool: Pool, asked: Question, home: str, rng: random.Random) -> str | None:
    """Another name for a name, another number for a number: not one of the sentence that answers, nor the answer."""
    pattern = _NUMBER if _NUMBER.search(asked.text) and rng.random() < 0.6 else _NAME
    things = list(pattern.finditer(asked.text))
    if not things:
        return None
    old = rng.choice(things)
    near = pool.paragraphs[asked.paragraph].text
    group = pool.of_article[pool.paragraphs[asked.paragraph].article]
    far = pool.paragraphs[rng.choice(group) if rng.random() < 0.6 else rng.randrange(len(pool.paragraphs))].text
    found = [match.group() for match in pattern.finditer(near if rng.random() < 0.55 else far)]
    new = [thing for thing in found if usable(thing, old.group(), home, asked)]
    if not new:
        return None
    return asked.text[: old.start()] + rng.choice(new) + asked.text[old.end() :]


def usable(new: str, old: str, home: str, asked: Question) -> bool:
    """Whether ``new`` in place of ``old`` makes another question.

    It must share no word with what it replaces, be neither in the answering sentence nor in the answers nor in the
    question, and look of the same kind.
    """
    shared = set(new.lower().split()) & set(old.lower().split())
    alike = len(new.split()) <= len(old.split()) + 2 and (not old.isdigit() or len(new) == len(old))
    return alike and not shared and new not in home and new not in asked.text and not holds(new.lower(), asked)


def _swap_word(pool: Pool, asked: Question, home: str, rng: random.Random) -> str | None:
    """A word that the answering sentence shares replaced by a word of another sentence: said of something else there.

    It is one of the three words nearest to the old one, so that the question mostly still makes sense.
    """
    shared = set(_WORD.findall(home))
    places = [m for m in _WORD.finditer(asked.text) if m.start() and m.group() in shared]
    if not places:
        return None
    old = rng.choice(places)
    others = set(_WORD.findall(pool.paragraphs[asked.paragraph].text)) - shared
    new = [(nearness(old.group(), w), w) for w in sorted(others) if w not in asked.text and w[:4] != old.group()[:4]]
    near = [word for cosine, word in sorted(new, reverse=True)[:3] if cosine > NEAR]
    if not near:
        return None
    new_word: str = rng.choice(near)
    return asked.text[: old.start()] + new_word + asked.text[old.end() :]


def nearness(one: str, other: str) -> float:
    """The cosine of the encoder's vectors of two words, less what all words have in common; 0 for rare words."""
    vectors, numbers = word_vectors(), (bert.tokenizer().token_to_id(one), bert.tokenizer().token_to_id(other))
    return float(vectors[numbers[0]] @ vectors[numbers[1]]) if None not in numbers else 0.0


@cache
def word_vectors() -> Vectors:
    """The token embeddings around their mean, of unit length, (tokens, 384)."""
    vectors = bert.base_weights()["embeddings.word"]
    return unit(vectors - vectors.mean(0))


def _oppose(_pool: Pool, asked: Question, _home: str, rng: random.Random) -> str | None:
    """One word replaced by its opposite."""
    words = asked.text.split(" ")
    places = [i for i, word in enumerate(words) if i and word.strip("?,.") in OPPOSITE]
    if not places:
        return None
    place = rng.choice(places)
    bare = words[place].strip("?,.")
    words[place] = words[place].replace(bare, OPPOSITE[bare])
    return " ".join(words)


def _negate(_pool: Pool, asked: Question, _home: str, rng: random.Random) -> str | None:
    """A "not" or "never" after the verb that takes it."""
    match = _AUXILIARY.search(asked.text)
    if not match or _NEGATED.search(asked.text) or match.start() == 0:
        return None
    end = match.end()
    if rng.random() < 0.4:
        return f"{asked.text[:end]}n't{asked.text[end:]}" if match.group() not in {"can", "will"} else None
    word = rng.choice(("not", "never"))
    after = asked.text[end:].split(" ", 2)
    if match.group().lower() in {"did", "does", "do"} and len(after) > 2:
        return f"{asked.text[:end]} {after[1]} {word} {after[2]}" if after[1][:1].isupper() else None
    return f"{asked.text[:end]} {word}{asked.text[end:]}"


# --- statements: who said what ---------------------------------------------------------------------------------------

_FIRST = (
    "Amina Boris Chen Dalia Emeka Farid Greta Hana Igor Joana Kofi Leila Mateo Nadia Omar Priya Quentin Rosa Samir "
    "Tuyet Ulrike Viktor Wanjiru Xavier Yusuf Zofia Alice Brian Carla David Ellen Frank Helen James Laura Martin "
    "Paul Robert Sarah Thomas Ibrahim Ahmad Fatima Jake Rahul Mariam Sven Anders Lucia Pedro Keiko Hiroshi Min-jun"
).split()
_LAST = (
    "Abbott Bianchi Castillo Dube Eriksson Fontaine Goldberg Haddad Ivanova Jansen Kowalski Lindqvist Moreau Ndiaye "
    "Okafor Petrov Quiroga Rahman Schmidt Tanaka Underwood Vasquez Whitfield Xu Yamada Zhao al-Hassan al-Masri "
    "Sayed O'Brien McKenna Nguyen Patel Singh Kim Park Larsen Novak Horvat Popescu Rossi Silva Costa Hamid Khalil"
).split()
_ROLES = (
    "a senior fellow at the Institute for Policy Studies|a former ambassador to Jordan|an aid worker in the region|"
    "a professor of economics at the University of Leeds|the founder of the charity Open Doors|a shop owner|"
    "the mayor of the town|a spokesperson for the ministry|a resident of the old quarter|the Minister for Transport|"
    "a nurse at the hospital|a driver for the company|an analyst|the company's chief executive|a student|"
    "the head of the local council|the director of the Media Centre|a farmer from the south|"
    "a former police officer|the lead author of the report|a lawyer for the families|the team's coach"
).split("|")
_SAYS = "says said believes argued explained warned added noted claimed thinks stated insists".split()
_TOLD = "it is too early to say|much is at stake|there is more to come|few are surprised|it will take time".split("|")
_OUTLETS = "the BBC|Reuters|A-B-C|Radio France|the Daily Mail|the newspaper Le Monde|S-B-S News|local radio".split("|")


def person(rng: random.Random) -> str:
    """A made-up name."""
    return f"{rng.choice(_FIRST)} {rng.choice(('', '', '', 'Al-')) if rng.random() < 0.2 else ''}{rng.choice(_LAST)}"


def quotation(pool: Pool, rng: random.Random) -> str:
    """One to three sentences that somebody wrote in the first person or about a thing, to be put into a mouth."""
    while True:
        text = pool.paragraphs[rng.randrange(len(pool.paragraphs))].text
        spans = [s for s in sentences(text) if 40 < s[1] - s[0] < 220 and '"' not in text[s[0] : s[1]]]
        if spans:
            first = rng.randrange(len(spans))
            chosen = spans[first : first + rng.randint(1, 3)]
            return " ".join(" ".join(text[a:b].split()) for a, b in chosen)


def statement(name: str, quote: str, rng: random.Random) -> tuple[str, str]:
    """A news-like piece of text with a quotation, and the name that its reader should give for "who said"."""
    role, verb = rng.choice(_ROLES), rng.choice(_SAYS)
    left, right = rng.choice((('"', '"'), ("“", "”")))
    last = name.rsplit(maxsplit=1)[-1]
    told = f"has told {rng.choice(_OUTLETS)} that {rng.choice(_TOLD)}"
    forms = (
        f"{name} is {role}.\n{left}{quote}{right}",
        f"{name} is {role} and {rng.choice(('says', 'said'))} this matters.\n{left}{quote}{right}",
        f"{role[0].upper()}{role[1:]}, {name}, {told}.\n{left}{quote}{right}",
        f"{left}{quote}{right} said {name}, {role}.",
        f"{left}{quote}{right} {name}, {role}, {verb}.",
        f"{name}, {role}, {verb}: {left}{quote}{right}",
        f"For {name}, {role}, the matter is clear.\n{left}{quote}{right}",
        f"{name} is {role}. {last} {told}. {left}{quote}{right}",
        f"{name} {verb} that {quote[0].lower()}{quote[1:]}",
    )
    return rng.choice(forms), name


def clause(quote: str, rng: random.Random) -> str:
    """A part of a quotation, worded as an indirect question words it."""
    spans = sentences(quote)
    start, end = rng.choice(spans)
    words = quote[start:end].strip(' .!?"”').split()
    if len(words) > 8 and rng.random() < 0.7:
        first = rng.randrange(0, len(words) - 6)
        words = words[first : first + rng.randint(5, 12)]
    words = [w for w in words if rng.random() > 0.08]
    text = re.sub(r"\b(I|we|We)\b", "they", " ".join(words))
    text = re.sub(r"\b(my|My|our|Our)\b", "their", text)
    return text[:1].lower() + text[1:]


def who_said(pool: Pool, _number: int, words: int, rng: random.Random) -> Example | None:
    """Two to four people speak; whose words are asked for, or what one of them said. A quarter has no answer."""
    names: list[str] = []
    parts: list[str] = []
    quotes: list[str] = []
    while not parts or (sum(len(p.split()) for p in parts) < words * 0.7 and len(parts) < 4):
        names.append(person(rng))
        quotes.append(quotation(pool, rng))
        parts.append(statement(names[-1], quotes[-1], rng)[0])
    passage = rng.choice(("\n", "\n\n", " ")).join(parts)
    which = rng.randrange(len(names))
    if len(set(names)) < len(names):
        return None
    if rng.random() < 0.25:
        question = ask_who(clause(quotation(pool, rng), rng), rng) if rng.random() < 0.6 else ask_what(person(rng), rng)
        return Example(reword(question, rng), "", passage, 0, 0, "nobody said")
    if rng.random() < 0.75:
        start = passage.index(names[which])
        return Example(
            reword(ask_who(clause(quotes[which], rng), rng), rng), "", passage, start, start + len(names[which]), "who"
        )
    start = passage.index(quotes[which][1:]) - 1
    question = ask_what(names[which], rng)
    return Example(reword(question, rng), "", passage, start, start + len(quotes[which]), "what", loose=True)


def ask_who(said: str, rng: random.Random) -> str:
    """A question for the speaker of these words."""
    verb = rng.choice(("said", "said", "says", "argued", "believes", "stated", "claimed", "thinks", "described how"))
    return f"{rng.choice(('Who', 'Who', 'Which person'))} {verb} {rng.choice(('that ', 'that ', ''))}{said}?"


def ask_what(name: str, rng: random.Random) -> str:
    """A question for the words of this speaker."""
    forms = ("What did {} say?", "What does {} say about it?", "What does {} believe?", "What did {} tell reporters?")
    return rng.choice(forms).format(name)


# --- the stream ------------------------------------------------------------------------------------------------------

SHARES: tuple[tuple[Maker, float], ...] = (
    (positive, 0.44),
    (judged_question, 0.16),
    (swapped, 0.12),
    (hard_passage, 0.07),
    (same_article, 0.04),
    (other_article, 0.02),
    (sentence_removed, 0.05),
    (loose_sentence, 0.02),
    (web_question, 0.04),
    (who_said, 0.04),
)


def stream(pool: Pool, seed: int, length: Callable[[random.Random], int]) -> Iterator[Example]:
    """Examples without end: every question in turn, shuffled in each round; ``length`` draws a size in words.

    Questions of SQuAD come three times in two rounds: they are fewer, and nearer to what people ask of documents.
    """
    rng = random.Random(seed)
    makers, shares = zip(*SHARES, strict=True)
    squad = [n for n, q in enumerate(pool.questions) if pool.paragraphs[q.paragraph].source.startswith("squad11")]
    turn = 0
    while True:
        order = list(range(len(pool.questions))) + (squad if turn % 2 else [])
        rng.shuffle(order)
        turn += 1
        for number in order:
            maker = rng.choices(makers, shares)[0]
            example = maker(pool, number, length(rng), rng)
            if example is None:
                example = positive(pool, number, length(rng), rng)
            if example is not None and example.passage.strip():
                yield example


RIVALS: tuple[tuple[Maker, float], ...] = (
    (swapped, 1.0),
    (hard_passage, 1.0),
    (same_article, 0.6),
    (hard_passage, 0.6),
)
"""What stands beside a question and its passage in a group, and how often."""


def groups(pool: Pool, seed: int, length: Callable[[random.Random], int], share: float) -> Iterator[list[Example]]:
    """Groups without end: a question with its passage, first, and rivals that do not answer; others stand alone.

    A `share` of the questions come in groups, the others are single examples of `stream`.
    """
    rng = random.Random(seed)
    alone = stream(pool, seed, length)
    while True:
        order = list(range(len(pool.questions)))
        rng.shuffle(order)
        for number in order:
            if rng.random() >= share:
                yield [next(alone)]
                continue
            words = length(rng)
            first = positive(pool, number, words, rng)
            rivals = [maker(pool, number, words, rng) for maker, often in RIVALS if rng.random() < often]
            if first is not None:
                yield [first, *(rival for rival in rivals if rival is not None and rival.passage.strip())]
