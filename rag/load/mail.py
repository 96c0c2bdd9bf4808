"""Mail: who wrote what to whom and when, the words of the message, and those of its attachments.

Replies quote earlier messages, each under a line or a few that say whose it is.
"""

from __future__ import annotations

import email
import email.policy
import hashlib
import re
from dataclasses import replace
from email.utils import getaddresses
from itertools import groupby, takewhile
from typing import TYPE_CHECKING, Any

from rag.errors import LoadError
from rag.language.blocks import lines, plain_blocks
from rag.language.dates import ENGLISH_MONTHS, any_of
from rag.language.published import parse_date
from rag.language.questions import is_question
from rag.language.speakers.statements import statements, statements_by_author
from rag.load import html
from rag.load.blocks import Block, assemble, counted, line
from rag.load.decode import decode, wide
from rag.records import Omission, Span, Statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from email.message import EmailMessage, Message

    from rag.records import Document

    Load = Callable[[bytes, str], Document]
    Written = tuple[Block, str | None]  # a block with its author
    Attached = tuple[Block, list[Statement]]  # a block of an attachment with what is said in it, as spans of its text

_NOBODY = ""  # the author of what only says whose the words after it are
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
_ARCHIVED = re.compile(r"(?P<address>[^()<>,\"]{3,200}?) \((?P<name>[^\W\d_][^()=?]{1,60})\)")
"""Who wrote, as archives of lists have it, with an address that no program reads: `ada at example.org (Ada Lund)`."""
_LONGEST_NAME = 60  # characters
_NO_NAME = re.compile(
    rf"\son behalf of\s|:|[^\W\d_]{{4}}\.\s|^(?:On|Am|Le|Den|Op|El|Il)\s|^(?i:{any_of(ENGLISH_MONTHS)})\b"
)
_NO_NAMES = frozenset("i you he she we they ich du er sie wir je tu il elle nous".split())
_LONGEST_HEADER = 20_000  # characters
_PEOPLE = ("From", "To", "Cc")


def parse(data: bytes, uri: str, load: Load) -> Document:
    """Read one message, its attachments by `load`. Its sender speaks in it, but for what is quoted."""
    text = wide(data)
    message = email.message_from_bytes(text.encode() if text else data, policy=email.policy.default)
    return document(message, data, uri, load)


def document(message: EmailMessage, data: bytes, uri: str, load: Load) -> Document:
    """Return the document of a message, of which `data` are the bytes of its file."""
    subject = _header(message, "Subject")
    headers = {name: value for name in (*_PEOPLE, "Date") if (value := _header(message, name))}
    head = [Block(subject, 1)] if subject else []
    head += [Block(f"{name}: {value}", None, "\n") for name, value in headers.items()]
    body = [block for block in _body(message, uri) if block.text]
    attached, lost = _attachments(message, uri, load)
    notes = counted((len(lost), f"attachment[s] not read: {', '.join(lost[:10])}"))
    aside = tuple(Omission("unreadable", name) for name in lost)
    named = {name: _people(headers.get(name, "")) for name in _PEOPLE}
    sender = next(iter(named["From"].values())) if len(named["From"]) == 1 else None
    known = {address: who for each in named.values() for address, who in each.items()}
    written = list(_authored(body, sender, known))
    body = [block for block, _ in written]
    blocks = [*head, *body, *(block for block, _ in attached)]
    made = assemble(
        blocks,
        data,
        uri,
        "message/rfc822",
        subject,
        date=parse_date(headers.get("Date", "")),
        notes=notes,
        set_aside=aside,
    )
    spans = made.blocks[len(head) :]
    said = [(span, who) for span, (_, who) in zip(spans, written, strict=False) if who != _NOBODY]
    own = statements_by_author(made.text, said) if sender else statements(made.text, spans[: len(body)])
    moved = (
        Statement(Span(place.start + said.span.start, place.start + said.span.end), said.speaker)
        for place, (_, statements_) in zip(spans[len(body) :], attached, strict=True)
        for said in statements_
    )
    return replace(made, speakers=(*own, *moved))


def parse_page(data: bytes, uri: str) -> Document:
    """Read a web page that a browser saved as one file (MHTML): a message with the page in it."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    page = message.get_body(("html",))
    if page is None:
        raise LoadError(f"{uri}: holds no web page; save it anew")
    return replace(html.parse(_payload(page), uri), digest=hashlib.sha256(data).hexdigest())


def _header(message: EmailMessage, name: str) -> str:
    raw = next((str(value) for key, value in message.raw_items() if key.lower() == name.lower()), "")
    if len(raw) > _LONGEST_HEADER:  # which the parser of addresses would take minutes to read
        return line(raw[:_LONGEST_HEADER])
    if name in _PEOPLE and _ARCHIVED.fullmatch(line(raw)):
        return line(raw)
    try:
        return line(str(message.get(name, "")))
    except (ValueError, IndexError, AttributeError, TypeError):  # the parser of addresses trips over some
        return ""


def _body(message: EmailMessage, uri: str) -> list[Block]:
    part = message.get_body(("plain", "html"))
    if part is None:
        return []
    data, charset = _payload(part), part.get_content_charset()
    if part.get_content_subtype() == "html":
        return html.visible(data, uri, charset)
    return list(_plain_message(decode(data, uri, charset)))


def _payload(part: Message) -> bytes:
    inner: Any = part.get_payload()
    if isinstance(inner, list):
        return b"".join(each.as_bytes() for each in inner[:1])
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _attachments(message: EmailMessage, uri: str, load: Load) -> tuple[list[Attached], list[str]]:
    found: list[Attached] = []
    lost: list[str] = []
    for part in message.iter_attachments():
        forwarded = part.get_content_type() == "message/rfc822"
        name = line(part.get_filename() or ("message.eml" if forwarded else part.get_content_type()))
        try:
            inside = list(_blocks_of(load(_payload(part), f"{uri}/{name}")))
        except (LoadError, LookupError, UnicodeError):  # of no kind that is read, damaged, or encoded as nothing known
            lost.append(name)
        else:
            found += [(Block(name, 2), []), *inside]
    return [each for each in found if each[0].text], lost


def _blocks_of(document: Document) -> Iterator[Attached]:
    text = document.text
    end = 0
    for span in document.blocks:
        page, place = document.page_at(span.start), document.place_at(span.start)
        mark = ", ".join(filter(None, (f"page {page}" if page else "", place)))
        gap = "\n" if text[end : span.start] == "\n" else "\n\n"
        said = [_shifted(text, span, each) for each in document.statements_in(span)]
        yield Block(line(span.of(text)), None, gap, mark or None), [each for each in said if len(each.span)]
        end = span.end


def _shifted(text: str, block: Span, statement: Statement) -> Statement:
    """Return a statement of a block, or the part of it there, at its place when the block is in one line."""
    start, end = max(statement.span.start, block.start), min(statement.span.end, block.end)
    before, words = line(text[block.start : start]), line(text[start:end])
    at = len(before) + (1 if before and text[start - 1].isspace() else 0)
    return Statement(Span(at, at + len(words)), statement.speaker)


def _plain_message(text: str) -> Iterator[Block]:
    """Yield the blocks of a plain message; of quoted lines only the first keeps the signs in front of it."""
    rows = [row.of(text) for row in lines(text)]
    for depth, group in groupby(rows, key=lambda row: marks[0].count(">") if (marks := _MARKS.match(row)) else 0):
        bare = "\n".join(_MARKS.sub("", row, count=1) for row in group)
        for block in plain_blocks(bare):
            yield Block(f"{'>' * depth} {line(block.of(bare))}".strip(), quoted=depth)


def _people(header: str) -> dict[str, str]:
    if archived := _ARCHIVED.fullmatch(header):
        return {archived["address"].lower(): archived["name"]}
    found = getaddresses([header[:5000]])
    return {address.lower(): _name_of(name) or address for name, address in found if name or "@" in address}


def _name_of(words: str) -> str | None:
    """Return a name without quotation marks and the list that passes the message on; None for what is no name."""
    name = line(words).strip("\"'*,;: ").partition(" via ")[0].strip("\"'")
    if len(name) > _LONGEST_NAME or name.lower() in _NO_NAMES or _NO_NAME.search(name):
        return None
    return name if any(map(str.isalpha, name)) and ("@" in name or not name[0].islower()) else None


def _authored(blocks: Sequence[Block], sender: str | None, known: Mapping[str, str]) -> Iterator[Written]:
    """Yield each block with its author, None where it is not clear; `sender` wrote what is not quoted.

    Lines that introduce a quotation are one block of nobody's: a heading, unless what is quoted is replied to below.
    """
    by_depth: dict[int, str | None] = {0: sender}
    end = max((n for n, block in enumerate(blocks, 1) if block.quoted), default=len(blocks))
    first = max((n for n, block in enumerate(blocks[:end], 1) if not block.quoted), default=0)
    asked, at = end < len(blocks) and is_question(blocks[end - 1].text), 0
    while at < len(blocks):
        taken, deeper, who = _introduced(blocks[at : at + _MOST_FIELDS], known)
        level = blocks[at].quoted + deeper
        if taken:
            words = "\n".join(block.text for block in blocks[at : at + taken])
            is_history = level == 0 or (at + taken >= first and not asked)
            yield blocks[at]._replace(text=words, level=2 + level if is_history else None), _NOBODY
            by_depth = {depth: name for depth, name in by_depth.items() if depth < level} | {level: who}
        else:
            yield blocks[at]._replace(ends=at == end and not asked and by_depth[0] == sender), by_depth.get(level)
        at += taken or 1


def _introduced(blocks: Sequence[Block], known: Mapping[str, str]) -> tuple[int, int, str | None]:
    """Return how many blocks say who wrote what comes next, how much deeper that is quoted, and who it is."""
    depth = blocks[0].quoted
    rows = [_MARKS.sub("", block.text, count=1) for block in blocks if block.quoted == depth]
    if _CUT.fullmatch(rows[0]):
        return 1, 0, None
    if found := _ONE_LINE.match(rows[0]):
        return 1, 0, _who(found["value"], known)
    header = rows if all(block.quoted == depth for block in blocks[: len(rows)]) else rows[:1]
    fields = [field for field in takewhile(bool, map(_FIELD.fullmatch, header)) if field]
    if fields and fields[0]["name"] in _FROM.split("|") and any(f["name"] in _SENT.split("|") for f in fields[1:]):
        return len(fields), 0, _who(fields[0]["value"], known)
    return _attributed(blocks, known)


def _attributed(blocks: Sequence[Block], known: Mapping[str, str]) -> tuple[int, int, str | None]:
    """Read `On 6 March, Elin Sandvik wrote:`, in one block or two, in front of what is quoted deeper.

    Without marks of quotation it is not clear where the quoted words end: they are nobody's that is known.
    """
    depth = blocks[0].quoted
    rows = [_MARKS.sub("", block.text, count=1) for block in blocks[:2] if block.quoted <= depth]
    dated = [any(map(str.isdecimal, _ADDRESS.sub("", row))) for row in rows]
    for taken in (1, 2) if dated == [True, False] else (1,):
        joined = " ".join(rows[:taken])
        match = _WROTE_BY.fullmatch(joined) or _WROTE.fullmatch(joined)
        if match and taken < len(blocks) and blocks[taken].quoted > depth:
            return taken, 1, _who(match["who"], known)
        if match and _ADDRESS.search(joined):
            return taken, 0, _who(match["who"], known) if depth else None
    return 0, 0, None


def _who(words: str, known: Mapping[str, str]) -> str | None:
    """Return whom the line above a quotation names: without the date in front, by name or else by address."""
    address = _ADDRESS.search(words)
    bare = _ADDRESS.sub("", _BRACKETED.sub("", words))
    rest = _WHEN.sub("", bare, count=1)
    name = _name_of(rest) if rest.strip() != "On" else None
    return name or (known.get(address[0].lower(), address[0]) if address else None)
