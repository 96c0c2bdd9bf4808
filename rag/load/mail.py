"""Mail: who wrote what to whom and when, then the words of the message; attachments are named as not read."""

from __future__ import annotations

import email
import email.policy
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from rag.blocks import plain_blocks
from rag.load import html
from rag.load.decode import decode
from rag.load.pieces import Piece, assemble, line

if TYPE_CHECKING:
    from email.message import EmailMessage

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
    files = [line(part.get_filename() or part.get_content_type()) for part in message.iter_attachments()]
    notes = (f"{len(files)} attachments were not read: {', '.join(files[:10])}",) if files else ()
    return assemble(pieces, data, uri, "message/rfc822", title=subject, date=_date(message), notes=notes)


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
    content = part.get_payload(decode=True)
    data = content if isinstance(content, bytes) else b""
    charset = part.get_content_charset()
    if part.get_content_subtype() == "html":
        page = html.parse(data, uri)
        return [Piece(block.of(page.text)) for block in page.blocks]
    text = decode(data, uri, charset)
    return [Piece(line(block.of(text))) for block in plain_blocks(text)]
