"""Messages that Outlook saved (MSG): read as the mail that they were sent as."""

from __future__ import annotations

import struct
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING

from rag.errors import LoadError
from rag.load import mail

if TYPE_CHECKING:
    from collections.abc import Callable

    from oxmsg import Message

    from rag.records import Document

    Load = Callable[[bytes, str], Document]

_NO_YEAR = 1601  # a time of zero
_DAMAGED = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError, struct.error)


def parse(data: bytes, uri: str, load: Load) -> Document:
    """Read one message, its attachments by `load`; raises `LoadError` for a damaged one."""
    from oxmsg import Message

    try:
        message = _as_sent(Message.load(data))
    except _DAMAGED as error:
        raise LoadError(f"{uri}: is a damaged message ({error}); open it in Outlook and save it anew") from error
    return mail.document(message, data, uri, load)


def _as_sent(found: Message) -> EmailMessage:
    message = EmailMessage()
    sent = {name.title(): " ".join(value.split()) for name, value in found.message_headers.items()}
    people = ", ".join(f'"{each.name}" <{each.email_address}>' for each in found.recipients)
    date = format_datetime(found.sent_date) if found.sent_date and found.sent_date.year > _NO_YEAR else ""
    headers = {"Subject": found.subject, "From": found.sender or "", "To": people, "Date": date}
    for name, kept in headers.items():
        if value := sent.get(name) or " ".join(kept.split()):
            message[name] = value
    if "Cc" in sent:
        message["Cc"] = sent["Cc"]
    message.set_content((found.body or "").replace("\r\n", "\n"))
    if not found.body and found.html_body:
        message.set_content(found.html_body, subtype="html")
    for number, attached in enumerate(found.attachments, 1):
        name = attached.file_name or f"attachment {number}"
        message.add_attachment(attached.file_bytes or b"", "application", "octet-stream", filename=name)
    return message
