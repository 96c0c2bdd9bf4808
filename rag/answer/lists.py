"""A list is one answer: the sentence that introduces it with a colon, and what stands under it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from rag.answer.settings import Quoting
from rag.answer.values import is_of_kind
from rag.language.blocks import is_item, is_row
from rag.language.terms import terms
from rag.records import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rag.answer.question import Question
    from rag.records import Candidate, Hit

_GAP = 4  # characters of white space between two passages that follow one another
_WANTS_ONE = re.compile(
    r"\W*(?:what|which) (?:(?:is|was) the (?:\w+ )?\w*[^\Ws]\b|(?!do|did|does)\w*[^\Ws] (?:is|was|has|had|did|does)\b)",
    re.IGNORECASE,
)


class _Line(NamedTuple):
    """A sentence after an introduction, with what stands between it and the sentence before."""

    hit: Hit
    span: Span
    between: str


def with_items(
    question: Question, chosen: Sequence[Candidate], leading: Candidate, hits: Sequence[Hit]
) -> list[Candidate]:
    """Put behind each chosen introduction what it introduces: the items of its list, or the one sentence that follows.

    A question that asks for one thing is answered by one item, unless the introduction is `leading`: what answers best,
    and not with somebody whom it names itself. A list may go on in the next passage of the hits.
    """
    if question.kind in {"number", "date"}:
        return list(chosen)
    one = question.kind in {"person", "place"} or _WANTS_ONE.match(question.text)
    known = {_place(candidate): candidate for candidate in chosen}
    found: dict[tuple[str, Span], Candidate] = {}
    for candidate in chosen:
        alone = one and (candidate is not leading or _names_somebody(question, candidate))
        items = [] if alone else introduced(candidate, hits)
        listed = _under_heading(question, candidate, hits) if candidate is leading else []
        for each in listed or (candidate, *items):
            found.setdefault(_place(each), each if listed else known.get(_place(each), each))
    return list(found.values())


def _names_somebody(question: Question, candidate: Candidate) -> bool:
    short = candidate.short
    return short is not None and question.kind == "person" and is_of_kind(question, candidate.hit.passage.quote(short))


def introduced(candidate: Candidate, hits: Sequence[Hit]) -> list[Candidate]:
    """Return what a sentence that ends in a colon introduces, as far as it was found; nothing for all others."""
    if not candidate.text.rstrip().endswith(":"):
        return []
    lines = _listed(_after(candidate, hits))
    plain = replace(candidate, support=0.0, short=None)
    return [replace(plain, hit=hit, span=span, text=hit.passage.quote(span)) for hit, span, _ in lines]


def _under_heading(question: Question, item: Candidate, hits: Sequence[Hit]) -> list[Candidate]:
    """Return the list under a heading that an item is part of, where the heading has what is asked and the item not.

    So `Who was present?` is answered by all names under `Present`, the heading in front of the first; and `Who is the
    chair of the panel?` by the only name under `The panel` with that word.
    """
    passage = item.hit.passage
    section = passage.heading(item.span)
    own, above_it = question.terms & {*terms(item.text)}, question.terms & {*terms(section)}
    if above_it <= own:
        return []
    first = passage.sentences[0].start - passage.span.start
    start = passage.span.start + max(0, passage.text.rfind("\n", 0, first))
    above = replace(item, span=Span(start, start), support=0.0, short=None)
    lines = _listed(_after(above, hits))
    if item.span not in [line.span for line in lines] or len(lines) == 1:
        return []
    found = [replace(above, hit=hit, span=span, text=hit.passage.quote(span)) for hit, span, _ in lines]
    others = {term for each in found if each.span != item.span for term in terms(each.text)}
    if own - above_it - others:
        return []
    return [replace(found[0], heading=section), *found[1:]]


def _listed(lines: Iterator[_Line]) -> list[_Line]:
    """Return the first sentence of each item, up to where the list ends; without one the sentence that is next."""
    found: list[_Line] = []
    for line in lines:
        inside, _, marker = line.between.rpartition("\n")
        text = line.hit.passage.quote(line.span)
        if not inside.strip() and "\n" in line.between and is_item(f"{marker.lstrip()}{text}"):
            found.append(line)
        elif line.between.strip() or (found and re.search(r"\n\s*\n|\n(?=\S|$)", line.between)):
            break  # no further sentence of an item, on its line or indented under it
        elif not found:
            return [] if is_row(text) else [line]
    return found[: Quoting().items]


def _after(candidate: Candidate, hits: Sequence[Hit]) -> Iterator[_Line]:
    starts = {hit.passage.span.start: hit for hit in hits if hit.passage.uri == candidate.hit.passage.uri}
    hit, end, between = candidate.hit, candidate.span.end, ""
    while True:
        passage = hit.passage
        for span in (span for span in passage.sentences if span.start >= candidate.span.end):
            between += passage.text[max(0, end - passage.span.start) : span.start - passage.span.start]
            yield _Line(hit, span, between)
            end, between = span.end, ""
        between += passage.text[max(0, end - passage.span.start) :] + "\n"
        following = range(passage.span.end, passage.span.end + _GAP + 1)
        after = next((starts[place] for place in following if place in starts), None)
        if after is None or after is hit:
            return
        hit = after


def _place(candidate: Candidate) -> tuple[str, Span]:
    return candidate.hit.passage.uri, candidate.span
