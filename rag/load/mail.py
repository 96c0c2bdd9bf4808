"""Mail: who wrote what to whom and when, the words of the message, and those of its attachments."""

from __future__ import annotations

import email
import email.policy
import hashlib
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from rag.blocks import plain_blocks
from rag.errors import LoadError
from rag.load import html
from rag.load.decode import decode
from rag.load.pieces import Piece, assemble, line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage, Message

    from rag.records import Document

_LONGEST_HEADER = 20_000  # characters
_SHOWN = ("From", "To", "Cc", "Date")


def parse(data: bytes, uri: str) -> Document:
    """Read one message."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    subject = _header(message, "Subject")
    pieces = [Piece(subject, 1)] if subject else []
    headers = ((name, _header(message, name)) for name in _SHOWN)
    pieces += [Piece(f"{name}: {value}", None, "\n") for name, value in headers if value]
    pieces += _body(message, uri)
    attached, lost = _attachments(message, uri)
    notes = (f"{len(lost)} attachments were not read: {', '.join(lost[:10])}",) if lost else ()
    return assemble([*pieces, *attached], data, uri, "message/rfc822", title=subject, date=_date(message), notes=notes)


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


def _body(message: EmailMessage, uri: str) -> list[Piece]:
    """Return the message's words, from its plain form where it has one."""
    part = message.get_body(("plain", "html"))
    if part is None:
        return []
    data, charset = _payload(part), part.get_content_charset()
    if part.get_content_subtype() == "html":
        return html.visible(data, uri, charset)
    text = decode(data, uri, charset)
    return [Piece(line(block.of(text))) for block in plain_blocks(text)]


def _payload(part: Message) -> bytes:
    """Return the bytes of a part; of a forwarded message, all of it."""
    inner: Any = part.get_payload()
    if isinstance(inner, list):
        return b"".join(each.as_bytes() for each in inner[:1])
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _attachments(message: EmailMessage, uri: str) -> tuple[list[Piece], list[str]]:
    """Return the words of the attachments, each under its name, and the names of those that are not read."""
    pieces: list[Piece] = []
    lost: list[str] = []
    for part in message.iter_attachments():
        forwarded = part.get_content_type() == "message/rfc822"
        name = line(part.get_filename() or ("message.eml" if forwarded else part.get_content_type()))
        try:
            pieces += [Piece(name, 2), *_quoted(_payload(part), f"{uri}/{name}")]
        except (LoadError, LookupError, UnicodeError):  # of no kind that is read, damaged, or encoded as nothing known
            lost.append(name)
    return pieces, lost


def _quoted(data: bytes, uri: str) -> Iterator[Piece]:
    """Yield the blocks of an attachment, marked with their places in it."""
    from rag.load import load_bytes

    document = load_bytes(data, uri)
    end = 0
    for block in document.blocks:
        page, place = document.page_at(block.start), document.place_at(block.start)
        mark = ", ".join(filter(None, (f"page {page}" if page else "", place)))
        gap = "\n" if document.text[end : block.start] == "\n" else "\n\n"
        yield Piece(line(block.of(document.text)), None, gap, mark or None)
        end = block.end
