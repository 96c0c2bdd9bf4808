"""Transcripts: turns of speech that open with the speaker's name and a colon."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from rag.language.blocks import CLOCK, OFFICIAL, is_turn, strip
from rag.language.speakers.vocabulary import is_label, is_role
from rag.records import Span, Statement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LABEL = re.compile(
    rf"[*_]{{0,2}}(?:\[?{CLOCK}\]?\s+)?(?P<name>[^\W\d_][\w.'’ -]{{0,48}}?)"
    rf"\s?(?:[(\[](?:{CLOCK}|(?P<role>[^()\[\]:\n]{{2,60}}))[)\]])?[*_]{{0,2}}:[*_]{{0,2}}(?:\s+|$)"
)
_WITHIN = re.compile(rf"(?<=[.?!:\])”][ \n]){OFFICIAL.pattern}(?<=[-–—:]\s)")
_BEHIND_A_GAP = re.compile(r"(?<=[.?!\])”])\s{2,6}(?P<name>[A-Z][\w.-]{1,20}(?: [A-Z][\w.-]{1,20}){0,3}):\s")
_TIME = re.compile(rf"[(\[]{CLOCK}[)\]]:?\s+")  # in front of a further paragraph of a turn
_SIDE = re.compile(r"[QA]\.?\s+")  # of an examination: question and answer, without a colon
_NAMED = r"([A-Z][\w.'’-]*(?: [A-Z][\w.'’-]*){0,4})"
_WITNESS = re.compile(
    rf"{_NAMED}[\s,(](?:.|\n(?!\n)){{0,120}}?\b(?i:sworn|affirmed|recalled)\b"
)  # `ADA QUILL, called and duly sworn`
_EXAMINER = re.compile(
    rf"(?:(?i:[^\n]{{0,40}}examin[^\n]{{0,40}}\sby)|BY)\s+{_NAMED}"
)  # `Cross-examination by MS BELL`
_CAST = re.compile(r"(?P<label>[^\W\d_][\w.'’ -]{1,40}?)\s+[-–—]\s+(?P<who>[^\W\d_][^\n]{3,150})")
_UNKNOWN = frozenset({"q", "a", "q.", "a.", "speaker", "unidentified", "unknown", "interviewer", "interviewee"})
_ANSWERS, _ANSWERING = "A.", frozenset({"a.", "the witness", "witness"})
_LONGEST_HEADING = 80  # characters of `CROSS-EXAMINATION`
_SHARE = 0.3  # of the blocks, at least, open with a label in a transcript; of a record with titles,
_FEWEST = 5  # turns are enough: speeches are long there
_GOING_ON = 0.5  # blocks without a label for each turn, where turns have several paragraphs
_SHORTEST = 60  # characters of a paragraph that goes on; a shorter one may say what happened: `The House divided.`
_RUNNING = 3  # times that the head of a page stands in a text
_COMMON = re.compile(r"\b[^\W\d_A-Z]+\b")
_FEW_WORDS = 3
_CLOSERS, _STOPS = "\"'”’»)]*_ ", tuple(".?!…。？！")
_LONGEST_LIST = 200  # blocks among which the list of those present stands


class _Turn(NamedTuple):
    name: str
    role: str | None
    words: Span
    is_official: bool = False


def transcript(text: str, blocks: Sequence[Span]) -> tuple[Statement, ...] | None:
    """Return the statements of a transcript; None for any other text."""
    captions = _captions_from(text)
    blocks = [part for block in _with_words(text, blocks) for part in _parts(text, block, captions)]
    turns = [_turn(text, block) for block in blocks]
    # Who never says as much as a sentence is no speaker: `Duration: 24 minutes`, `Officer: Maria Lund` of a form.
    speak = {turn.name for turn in turns if turn and _is_speech(turn.words.of(text))}
    speak -= set() if speak >= {"Q.", "A."} else {"Q.", "A."}  # `A` alone is an article
    turns = [turn if turn and turn.name in speak else None for turn in turns]
    counts = Counter(turn.name for turn in turns if turn)
    is_record = sum(turn.is_official for turn in turns if turn) >= _FEWEST
    if len(counts) < 2 or counts.total() < max(3, 0 if is_record else _SHARE * len(blocks)):
        return None
    if max(counts.values()) == 1 and not all(name.isupper() or " " in name for name in counts):
        return None
    return tuple(_statements(text, blocks, turns, _full_names(text, blocks, turns), is_record=is_record))


def _captions_from(text: str) -> int:
    """Return where turns begin that follow each other in one paragraph, parted by gaps; the end of any other text."""
    labels = list(_BEHIND_A_GAP.finditer(text))
    counts = Counter(label["name"] for label in labels)
    repeated = [label.start() for label in labels if counts[label["name"]] > 2]
    several = sum(count > 2 for count in counts.values()) > 1
    return repeated[0] if several and len(repeated) >= 2 * _FEWEST else len(text)


def _with_words(text: str, blocks: Sequence[Span]) -> Iterator[Span]:
    """Yield the blocks; one that is but a name with the time, `Ada Quill (00:01:12):`, together with the next."""
    start: int | None = None
    for block in blocks:
        begin = block.start if start is None else start
        is_alone = start is None and text.endswith(("):", "]:"), block.start, block.end)
        start = begin if is_alone and _TIME.search(f"{block.of(text)} ") else None
        if start is None:
            yield Span(begin, block.end)


def _parts(text: str, block: Span, captions: int) -> Iterator[Span]:
    """Yield a block in parts that begin with a label, where the turns of a page stand in one paragraph."""
    starts = [label.start("name") for label in _WITHIN.finditer(text, block.start + 1, block.end)]
    begin = max(block.start, captions)
    starts += [label.start("name") for label in _BEHIND_A_GAP.finditer(text, begin, max(begin, block.end))]
    for start, end in pairwise([block.start, *sorted({*starts}), block.end]):
        yield strip(text, Span(start, end))


def _is_speech(words: str) -> bool:
    """Tell whether words end as sentences do, or are some of those that no name or number has: chats end nothing."""
    return words.rstrip(_CLOSERS).endswith((*_STOPS, "–", "—", "-")) or len(_COMMON.findall(words)) >= _FEW_WORDS


def _turn(text: str, block: Span) -> _Turn | None:
    if side := _SIDE.match(text, block.start, block.end):
        return _Turn(f"{text[block.start]}.", None, strip(text, Span(side.end(), block.end)))
    official = OFFICIAL.match(text, block.start, block.end)
    if official and _has_title(official["name"]):
        words = strip(text, Span(official.end(), block.end))
        return _Turn(official["name"].replace(" .", "."), None, words, is_official=True)
    if not is_turn(text[block.start : min(block.end, block.start + 120)]):
        return None
    match = _LABEL.match(text, block.start, block.end)
    if not match or is_label(match["name"]):
        return None
    return _Turn(match["name"].strip(), match["role"], strip(text, Span(match.end(), block.end)))


def _has_title(name: str) -> bool:
    """Tell whether a label names somebody with a title, or an office: `The RENT.` opens a clause of a lease."""
    first, *others = name.split()
    return first.lower() != "the" or any(map(is_role, others))


def _full_names(text: str, blocks: Sequence[Span], turns: Sequence[_Turn | None]) -> dict[str, str | None]:
    """Return each label's speaker: from the list of those present, else with the role from its first turn."""
    names: dict[str, str | None] = {}
    for turn in turns:
        if turn and turn.name.lower().rstrip(" 0123456789") in _UNKNOWN:
            names[turn.name] = None
        elif turn and (turn.name not in names or (turn.role and names[turn.name] == turn.name)):
            names[turn.name] = f"{turn.name}, {turn.role}" if turn.role else turn.name
    for block in blocks[:_LONGEST_LIST]:
        listed = _CAST.fullmatch(text, block.start, min(block.end, block.start + 220))
        if listed and names.get(listed["label"]) == listed["label"]:
            names[listed["label"]] = listed["who"].strip()
    return {label: names[_fuller(label, names)] for label in names}


def _fuller(label: str, names: dict[str, str | None]) -> str:
    """Return the longer label that ends with this one (`FORD` after `ROBERT FORD`), when there is just one."""
    longer = [name for name in names if name.endswith(f" {label}")] if names[label] == label and len(names) < 50 else []
    return longer[0] if len(longer) == 1 else label


def _after(words: str, block: Span, sides: dict[str, str]) -> dict[str, str]:
    """Return who asks and answers behind a line; who asks is not known under another witness or an unnamed heading."""
    if witness := _WITNESS.match(words):
        return {_ANSWERS: witness[1]}
    if examiner := _EXAMINER.match(words):
        return sides | {"Q.": examiner[1]}
    is_heading = "examin" in words[: len(block)].lower() and len(block) <= _LONGEST_HEADING
    return {side: who for side, who in sides.items() if side == _ANSWERS or not is_heading}


def _statements(
    text: str, blocks: Sequence[Span], turns: Sequence[_Turn | None], names: dict[str, str | None], *, is_record: bool
) -> Iterator[Statement]:
    current: str | None = None
    further = _further_paragraphs(text, blocks, turns, is_record=is_record)
    times = Counter(block.of(text) for block in blocks)
    sides: dict[str, str] = {}  # who asks and who answers in an examination, as the lines above it say
    for block, turn in zip(blocks, turns, strict=True):
        if turn:
            current = sides.get(_ANSWERS if turn.name.lower() in _ANSWERING else turn.name, names[turn.name])
            if len(turn.words):
                yield Statement(turn.words, current)
        elif current and (time := _TIME.match(text, block.start, block.end)):
            yield Statement(Span(time.end(), block.end), current)
        elif current and (text[block.start] in '“"' or block in further):
            yield Statement(block, current)
        else:
            sides = _after(text[block.start : block.start + 200], block, sides)
            passing = text[block.start] in "([" or times[block.of(text)] >= _RUNNING
            passing |= bool(further) and _ends(block.of(text)) and (is_record or text[block.end - 1] != "?")
            current = current if passing else None


def _further_paragraphs(
    text: str, blocks: Sequence[Span], turns: Sequence[_Turn | None], *, is_record: bool
) -> set[Span]:
    """Return the blocks without a label that are prose of the turn above, in a text where turns have several.

    But for records (`is_record`), none does behind the last turn, and a question may be that of somebody else.
    """
    places = [at for at, turn in enumerate(turns) if turn]
    end = len(blocks) if is_record else places[-1]
    found = {block for block, turn in zip(blocks[:end], turns, strict=False) if not turn and _goes_on(block.of(text))}
    found = found if is_record else {block for block in found if text[block.end - 1] != "?"}
    enough = len(places) >= _FEWEST and len(found) >= _GOING_ON * len(places)
    return (found if enough else set()) | (_directly_below(text, blocks, turns) if is_record else set())


def _directly_below(text: str, blocks: Sequence[Span], turns: Sequence[_Turn | None]) -> set[Span]:
    """Return the sentences without a label that begin a line, and no empty line parts from what is above."""
    near = (block for above, block in pairwise(blocks) if text.count("\n", above.end, block.start) == 1)
    free = {block for block, turn in zip(blocks, turns, strict=True) if not turn and text[block.start].isalnum()}
    return {block for block in near if block in free and _ends(block.of(text))}


def _goes_on(words: str) -> bool:
    """Tell whether a block may be one more paragraph: prose, or the rest of a sentence."""
    return words[0] not in "([" and ((len(words) >= _SHORTEST and _ends(words)) or words[0].islower())


def _ends(words: str) -> bool:
    return words.rstrip(_CLOSERS).endswith(_STOPS)
