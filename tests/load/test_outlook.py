"""Messages that Outlook saved are read as mail."""

import pytest

from rag.errors import LoadError
from rag.load import load_bytes
from tests.load.outlook_file import outlook_message

SUBJECT, SENDER, ADDRESS, BODY = 0x0037, 0x0C1A, 0x0C1F, 0x1000


def test_a_message_of_outlook_is_mail():
    texts = {SUBJECT: "The crane", SENDER: "Ada Holm", ADDRESS: "ada@example.org", BODY: "The crane fell.\r\n\r\nAda"}
    data = outlook_message(texts, [("Ben Sol", "ben@example.org")], {"note.txt": b"Four were there."})
    found = load_bytes(data, "/mail/crane.msg")
    assert found.text.split("\n\n")[0] == "The crane\nFrom: Ada Holm <ada@example.org>\nTo: Ben Sol <ben@example.org>"
    assert "The crane fell." in found.text
    assert "Four were there." in found.text
    assert found.title == "The crane"
    said = found.text.index("The crane fell.")
    assert [each.speaker for each in found.speakers if each.span.start <= said < each.span.end] == ["Ada Holm"]


def test_headers_of_the_way_tell_when_a_message_was_sent():
    sent = "From: Ada <ada@example.org>\r\nTo: Ben <ben@example.org>\r\nDate: Mon, 3 Jun 2024 10:00:00 +0200\r\n"
    found = load_bytes(outlook_message({SUBJECT: "Late", BODY: "We are late.", 0x007D: sent}), "/mail/late.msg")
    assert found.date == "2024-06-03"
    assert "From: Ada <ada@example.org>" in found.text


@pytest.mark.parametrize("keep", [0, 8, 600, 1500])
def test_a_damaged_message_is_said(keep):
    data = outlook_message({SUBJECT: "The crane", BODY: "It fell. " * 200})[:keep]
    with pytest.raises(LoadError, match=r"crane\.msg"):
        load_bytes(data or b"\0", "/mail/crane.msg")
