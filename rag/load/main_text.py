"""The main text of a web page: which of all that can be seen is no navigation, advertising and the like.

trafilatura finds the main text but loses much of its structure: headings, lists, tables and captions. It tells where
the main text is; what stands there and can be seen is read.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from rag.language.terms import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rag.load.blocks import Block
    from rag.load.container import Element

_BESIDE = "//nav|//footer|//aside|//form|//dialog|//menu|//header[not(.//h1)]"
_SHORT_PAGE = 850  # characters of what is not beside the text
_MOST = 0.8  # of the characters of the main text are in the element around it
_PROSE = 100  # characters of a paragraph that is more than a label or a credit
_LONE_PROSE = 200  # the same, far from the others
_LABEL = 40
_LOOSE = frozenset({"div", "section", "figure", "center"})  # on long pages they hold credits, dates and buttons
_PARAGRAPHS = frozenset({"p", "li", "blockquote"})
_SENTENCE = re.compile(r"[.!?。\"”]$")

# A page without main text is no news to a person: keep the extractor from writing to standard error.
for _name in ("trafilatura", "htmldate"):
    logging.getLogger(_name).addHandler(logging.NullHandler())


class PlacedBlock(NamedTuple):
    """A block of a page and where it is."""

    block: Block
    element: Element  # the nearest around it
    linked: int  # characters of it that lead to other pages
    named: str = ""  # a row of a table with the names of its columns, which stand only once on the page

    @property
    def as_read(self) -> Block:
        """The block as it stands in the document."""
        return self.block._replace(text=self.named) if self.named else self.block

    @property
    def group(self) -> Element:
        """What links are counted in: the whole list of an item."""
        return self.element.getparent() if self.element.tag == "li" else self.element

    @property
    def is_label(self) -> bool:
        """Whether it is no sentence, and neither of a list nor of a table: `8 comments`, `Skip to content`."""
        text = self.block.text
        return self.element.tag in _LOOSE | {"p", "body"} and len(text) < _LABEL and not _SENTENCE.search(text)


def main_text(body: Element, places: Sequence[PlacedBlock]) -> list[bool]:
    """Tell of each place whether it belongs to the main text; where nothing does, all of them do.

    Of a short page all counts but what is beside the text: navigation, footers, lists of links.
    """
    main = _found(body, places)
    size: Counter[Element] = Counter()  # characters of main text
    links: Counter[Element] = Counter()  # of a group, more than nothing where most of it leads to other pages
    for place, is_main in zip(places, main, strict=True):
        size.update(dict.fromkeys(_upward(place.element), len(place.block.text) * is_main))
        links[place.group] += 2 * place.linked - len(place.block.text)
    beside = _beside(body, size)
    plain = [links[place.group] <= 0 and beside.isdisjoint(_upward(place.element)) for place in places]
    if (
        any(main)
        and sum(len(p.block.text) for p, is_plain in zip(places, plain, strict=True) if is_plain) > _SHORT_PAGE
    ):
        kept = list(_kept(_around(body, size), places, main, plain))
    else:
        kept = [is_plain or is_main for is_plain, is_main in zip(plain, main, strict=True)]
    _trim(places, main, kept, links)
    return kept if any(kept) else [True] * len(places)


def _upward(element: Element) -> list[Element]:
    """Return an element and all around it."""
    return [element, *element.iterancestors()]


def _around(body: Element, size: Counter[Element]) -> Element:
    """Return the smallest element that holds most of the main text."""
    whole = size[body]
    while (inner := next((each for each in body if size[each] > _MOST * whole), None)) is not None:
        body = inner
    return body


def _kept(
    around: Element, places: Sequence[PlacedBlock], main: Sequence[bool], plain: Sequence[bool]
) -> Iterator[bool]:
    """Tell of each place of a long page whether it is main text, or belongs to it by standing among it."""
    inside = [around in _upward(place.element) for place in places]
    elsewhere = {place.block.text for place, is_in in zip(places, inside, strict=True) if not is_in}
    first, last = main.index(True), len(main) - main[::-1].index(True)
    title = max((at for at, place in enumerate(places[:first]) if place.block.level == 1), default=first)
    for index, place in enumerate(places):
        text, tag = place.block.text, place.element.tag
        if main[index]:
            lone = tag in _PARAGRAPHS and len(text) > _LONE_PROSE and not place.linked
            yield inside[index] or lone or (index == first and place.block.level == 1)
        else:
            among = first < index < last and tag not in _LOOSE
            heads = index < first and place.block.level
            prose = len(text) > _PROSE and (tag in _PARAGRAPHS or (first < index < last and _SENTENCE.search(text)))
            fits = inside[index] and (among or heads or prose) and text not in elsewhere
            is_cut = text.endswith(("...", "…"))  # a teaser of what comes
            opens = title < index < first and tag in _PARAGRAPHS and len(text) > _PROSE and not is_cut
            yield bool(plain[index] and (fits or opens))
            elsewhere.add(text)  # once


def _trim(places: Sequence[PlacedBlock], main: Sequence[bool], kept: list[bool], links: Counter[Element]) -> None:
    """Leave out what only leads on: links, headings and labels at the end, labels above, lines over nothing."""
    shown = [index for index, keep in enumerate(kept) if keep]
    for index in reversed(shown):
        if not (links[places[index].group] > 0 or places[index].block.level or places[index].is_label):
            break
        kept[index] = False
    for index in shown:
        if main[index] or places[index].block.level or not places[index].is_label:
            break
        kept[index] = False
    for index in shown:
        text = places[index].block.text
        if text[-1] in ":：" and len(_triples(text)) == 1 and not any(kept[index + 1 : index + 2]):
            kept[index] = False


def _found(body: Element, places: Sequence[PlacedBlock]) -> list[bool]:
    """Tell of each block whether trafilatura takes half of it for main text."""
    from trafilatura import bare_extraction

    found: Any = bare_extraction(body, include_comments=False, include_tables=True)
    known = {triple for line in ((found and found.text) or "").splitlines() for triple in _triples(line)}
    triples = (_triples(place.block.text) for place in places)
    return [2 * sum(triple in known for triple in each) >= len(each) for each in triples]


def _beside(body: Element, size: Counter[Element]) -> set[Element]:
    """Return the elements that are named like what is beside a text, and hold nothing of it."""
    from trafilatura.xpaths import OVERALL_DISCARD_XPATH, REMOVE_COMMENTS_XPATH, TEASER_DISCARD_XPATH

    named = (path(body) for path in (*OVERALL_DISCARD_XPATH, *REMOVE_COMMENTS_XPATH, *TEASER_DISCARD_XPATH))
    return {element for group in (body.xpath(_BESIDE), *named) for element in group if not size[element]}


def _triples(text: str) -> list[tuple[str, ...]]:
    """Return all three words in a row; of fewer, all."""
    found = words(text)
    return [tuple(found[at : at + 3]) for at in range(max(1, len(found) - 2))]
