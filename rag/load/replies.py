"""Who wrote which part of a mail: replies quote earlier messages, each under a line or a few that say whose it is."""

from __future__ import annotations

import re
from email.utils import getaddresses
from itertools import groupby, takewhile
from typing import TYPE_CHECKING

from rag.language.blocks import lines, plain_blocks
from rag.language.dates import ENGLISH_MONTHS, any_of
from rag.load.blocks import Block, line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

NOBODY = ""
"""The author of what only says whose the words after it are."""

_MARKS = re.compile(r"^[ \t]{0,3}(?:>[ \t]?)+")
_FROM, _SENT = "From|Von|De|Från|Fra|Da", "Sent|Date|Gesendet|Datum|Envoyé|Skickat|Sendt|Inviato|Enviado"
_FIELD = re.compile(
    rf"\*?(?P<name>{_FROM}|{_SENT}|To|Cc|Bcc|Subject|Reply-To|Importance|Attachments?|An|Betreff|À|Objet|Till|Ämne|Til"
    r"|Emne|A|Oggetto|Para|Asunto)\s?:\*?\s*(?P<value>.*)"
)
_ONE_LINE = re.compile(rf"\*?(?:{_FROM})\s?:\*?\s(?P<value>.{{2,200}}?)\s\*?(?:{_SENT})\s?:\*?\s", re.IGNORECASE)
_MOST_FIELDS = 8
_WROTE = re.compile(
    r"(?P<who>.{2,250}?)\s(?:wrote|schrieb|a écrit|skrev|ha scritto|escribió)\s?:", re.IGNORECASE
)  # On Mon, 6 Mar 2023 at 17:40, Elin Sandvik <elin@example.org> wrote:
_WROTE_BY = re.compile(r"(?:(?:Am|Den|Op)\s|\d).{4,80}?\s(?:schrieb|skrev|schreef)\s(?P<who>.{2,200}?)\s?:")
_WHEN = re.compile(
    r"(?:.*\d(?:\s?[ap]\.?m\.?)?(?:\s(?:Uhr|GMT|UTC|BST|MES?Z|CES?T|[ECMP][DS]T|[+-]\d{4}))*)?[\s,;-]*", re.IGNORECASE
)
_ADDRESS = re.compile(r"[\w.+%-]+@[\w.-]*\w")
_BRACKETED = re.compile(r"<[^<>]*>|\[[^\[\]]*\]|\((?:mailto:)?[^()\s]*@[^()]*\)")
_CUT = re.compile(
    r"[-_ ]*\b(?:Original Message|Forwarded message|Ursprüngliche Nachricht|Message d['’]origine)\b[-_ ]*",
    re.IGNORECASE,
)
_LONGEST_NAME = 60  # characters
_NO_NAME = re.compile(
    rf"\son behalf of\s|:|[^\W\d_]{{4}}\.\s|^(?:On|Am|Le|Den|Op|El|Il)\s|^(?i:{any_of(ENGLISH_MONTHS)})\b"
)
_NO_NAMES = frozenset("i you he she we they ich du er sie wir je tu il elle nous".split())


def plain_message(text: str) -> Iterator[Block]:
    """Yield the blocks of a plain message; of quoted lines only the first keeps the signs in front of it."""
    rows = [row.of(text) for row in lines(text)]
    for depth, group in groupby(rows, key=_depth):
        bare = "\n".join(_MARKS.sub("", row, count=1) if depth else row for row in group)
        for block in plain_blocks(bare):
            words = line(block.of(bare))
            yield Block(f"{'>' * depth} {words}" if depth else words, quoted=depth)


def _depth(row: str) -> int:
    marks = _MARKS.match(row)
    return marks[0].count(">") if marks else 0


def people(header: str) -> dict[str, str]:
    """Return the names in a header by their addresses; who has only an address goes by it."""
    found = getaddresses([header[:5000]])
    return {address.lower(): name_of(name) or address for name, address in found if name or "@" in address}


def name_of(words: str) -> str | None:
    """Return a name without quotation marks and the list that passes the message on; None for what is no name."""
    name = line(words).strip("\"'*,;: ").partition(" via ")[0].strip("\"'")
    if not name or len(name) > _LONGEST_NAME or name.lower() in _NO_NAMES or _NO_NAME.search(name):
        return None
    return name if any(map(str.isalpha, name)) and not (name[0].islower() and "@" not in name) else None


def authors(blocks: Sequence[Block], sender: str | None, known: Mapping[str, str]) -> list[str | None]:
    """Return who wrote each block of a message: `NOBODY` for what introduces a quotation, None where it is not clear.

    Args:
        blocks: of the message, with how deep each is quoted.
        sender: wrote what is not quoted.
        known: names by addresses.
    """
    by_depth: dict[int, str | None] = {0: sender}
    found: list[str | None] = []
    while len(found) < len(blocks):
        at = len(found)
        depth = blocks[at].quoted
        taken, deeper, who = _introduced(blocks[at : at + _MOST_FIELDS], known)
        if not taken:
            found.append(by_depth.get(depth))
            continue
        found += [NOBODY] * taken
        by_depth = {level: name for level, name in by_depth.items() if level < depth + deeper}
        by_depth[depth + deeper] = who
    return found


def _introduced(blocks: Sequence[Block], known: Mapping[str, str]) -> tuple[int, int, str | None]:
    """Return how many blocks say who wrote what comes next, how much deeper that is quoted, and who it is."""
    depth = blocks[0].quoted
    rows = [_MARKS.sub("", block.text, count=1) for block in blocks if block.quoted == depth]
    if _CUT.fullmatch(rows[0]):
        return 1, 0, None
    if found := _ONE_LINE.match(rows[0]):
        return 1, 0, _who(found["value"], known)
    fields = _fields(rows if all(block.quoted == depth for block in blocks[: len(rows)]) else rows[:1])
    if fields and fields[0][0] in _FROM.split("|") and any(name in _SENT.split("|") for name, _ in fields[1:]):
        return len(fields), 0, _who(fields[0][1], known)
    return _attributed(blocks, rows, known)


def _fields(rows: Iterable[str]) -> list[tuple[str, str]]:
    """Return the fields of a header, name and value, at the start of some blocks."""
    matches = takewhile(bool, map(_FIELD.fullmatch, rows))
    return [(match["name"], match["value"]) for match in matches if match]


def _attributed(blocks: Sequence[Block], rows: Sequence[str], known: Mapping[str, str]) -> tuple[int, int, str | None]:
    """Read `On 6 March, Elin Sandvik wrote:`, in one block or two, in front of what is quoted deeper.

    Without marks of quotation it is not clear where the quoted words end: they are nobody's that is known.
    """
    for taken in (1, 2):
        joined = " ".join(rows[:taken])
        match = _WROTE_BY.fullmatch(joined) or _WROTE.fullmatch(joined)
        if not match or len(rows) < taken or (taken > 1 and not any(map(str.isdecimal, rows[0]))):
            continue
        if taken < len(blocks) and blocks[taken].quoted > blocks[0].quoted:
            return taken, 1, _who(match["who"], known)
        if _ADDRESS.search(joined):
            return taken, 0, None
    return 0, 0, None


def _who(words: str, known: Mapping[str, str]) -> str | None:
    """Return whom the line above a quotation names: without the date in front, by name or else by address."""
    address = _ADDRESS.search(words)
    bare = _ADDRESS.sub("", _BRACKETED.sub("", words))
    when = _WHEN.match(bare)
    rest = bare[when.end() :] if when else bare
    name = name_of(rest) if rest.strip() != "On" else None
    return name or (known.get(address[0].lower(), address[0]) if address else None)
