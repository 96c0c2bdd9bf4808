"""Mail: who wrote what to whom and when, the words of the message, and those of its attachments."""

from __future__ import annotations

import email
import email.policy
import hashlib
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from rag.errors import LoadError
from rag.language.speakers import statements, statements_by_author
from rag.load import html
from rag.load.blocks import Block, assemble, line
from rag.load.decode import decode
from rag.load.replies import NOBODY, authors, people, plain_message
from rag.records import Span, Statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from email.message import EmailMessage, Message

    from rag.records import Document

    Load = Callable[[bytes, str], Document]

_LONGEST_HEADER = 20_000  # characters
_PEOPLE = ("From", "To", "Cc")
_HEADERS = (*_PEOPLE, "Date")


class _Attached(NamedTuple):
    """A block of an attachment, and what is said in it by whom: spans of its own text."""

    block: Block
    statements: tuple[tuple[Span, str | None], ...] = ()


def parse(data: bytes, uri: str, load: Load) -> Document:
    """Read one message, its attachments by `load`. Its sender speaks in it, but for what is quoted."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    subject = _header(message, "Subject")
    headers = {name: value for name in _HEADERS if (value := _header(message, name))}
    head = [Block(subject, 1)] if subject else []
    head += [Block(f"{name}: {value}", None, "\n") for name, value in headers.items()]
    body = [block for block in _body(message, uri) if block.text]
    attached, lost = _attachments(message, uri, load)
    notes = (f"{len(lost)} attachments were not read: {', '.join(lost[:10])}",) if lost else ()
    blocks = [*head, *body, *(each.block for each in attached)]
    document = assemble(blocks, data, uri, "message/rfc822", subject, date=_date(message), notes=notes)
    spans = document.blocks[len(head) :]
    own = _statements(document.text, list(zip(spans, body, strict=False)), headers)
    moved = (
        Statement(Span(block.start + span.start, block.start + span.end), speaker)
        for block, each in zip(spans[len(body) :], attached, strict=True)
        for span, speaker in each.statements
    )
    return replace(document, speakers=(*own, *moved))


def _statements(text: str, body: Sequence[tuple[Span, Block]], headers: dict[str, str]) -> Iterator[Statement]:
    """Yield what is said in the body: the sender's words, and those of the messages that are quoted."""
    senders = list(people(headers.get("From", "")).values())
    known = {address: name for name_ in _PEOPLE for address, name in people(headers.get(name_, "")).items()}
    if len(senders) != 1:
        yield from statements(text, [span for span, _ in body])
        return
    found = authors([block for _, block in body], senders[0], known)
    yield from statements_by_author(
        text, [(span, who) for (span, _), who in zip(body, found, strict=True) if who != NOBODY]
    )


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
    try:
        return line(str(message.get(name, "")))
    except (ValueError, IndexError, AttributeError, TypeError):  # the parser of addresses trips over some
        return ""


def _date(message: EmailMessage) -> str | None:
    try:
        return parsedate_to_datetime(_header(message, "Date")).date().isoformat()
    except (ValueError, TypeError, IndexError):
        return None


def _body(message: EmailMessage, uri: str) -> list[Block]:
    """Return the message's words, from its plain form where it has one."""
    part = message.get_body(("plain", "html"))
    if part is None:
        return []
    data, charset = _payload(part), part.get_content_charset()
    if part.get_content_subtype() == "html":
        return html.visible(data, uri, charset)
    return list(plain_message(decode(data, uri, charset)))


def _payload(part: Message) -> bytes:
    """Return the bytes of a part; of a forwarded message, all of it."""
    inner: Any = part.get_payload()
    if isinstance(inner, list):
        return b"".join(each.as_bytes() for each in inner[:1])
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _attachments(message: EmailMessage, uri: str, load: Load) -> tuple[list[_Attached], list[str]]:
    """Return the words of the attachments, each under its name, and the names of those that are not read."""
    blocks: list[_Attached] = []
    lost: list[str] = []
    for part in message.iter_attachments():
        forwarded = part.get_content_type() == "message/rfc822"
        name = line(part.get_filename() or ("message.eml" if forwarded else part.get_content_type()))
        try:
            found = list(_blocks_of(load(_payload(part), f"{uri}/{name}")))
        except (LoadError, LookupError, UnicodeError):  # of no kind that is read, damaged, or encoded as nothing known
            lost.append(name)
        else:
            blocks += [_Attached(Block(name, 2)), *found]
    return [each for each in blocks if each.block.text], lost


def _blocks_of(document: Document) -> Iterator[_Attached]:
    """Yield the blocks of an attachment, marked with their places in it."""
    end = 0
    for span in document.blocks:
        page, place = document.page_at(span.start), document.place_at(span.start)
        mark = ", ".join(filter(None, (f"page {page}" if page else "", place)))
        gap = "\n" if document.text[end : span.start] == "\n" else "\n\n"
        block = Block(line(span.of(document.text)), None, gap, mark or None)
        yield _Attached(block, tuple(_statements_in(document, span)))
        end = span.end


def _statements_in(document: Document, block: Span) -> Iterator[tuple[Span, str | None]]:
    """Yield the statements in a block, as spans of its text in one line, with their speakers."""
    text = document.text
    for statement in document.statements_in(block):
        start, end = max(statement.span.start, block.start), min(statement.span.end, block.end)
        before, words = line(text[block.start : start]), line(text[start:end])
        at = len(before) + (1 if before and text[start - 1].isspace() else 0)
        if words:
            yield Span(at, at + len(words)), statement.speaker
