"""PDF: what is left out of the text, and that the notes name it."""

import io

import pytest

from rag.load import load_bytes

pytest.importorskip("reportlab")

from reportlab.pdfgen import canvas


def test_text_that_nobody_sees_is_left_out_and_named():
    """White on white, in dust, with no colour, outside of the page; white on black and recognised text is seen."""
    from PIL import Image, ImageDraw, ImageFont

    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=(400, 400))
    page.rect(30, 240, 200, 30, fill=1)
    scan = Image.new("L", (400, 80), "white")
    ImageDraw.Draw(scan).text((10, 10), "Bring warm clothes.", fill=0, font=ImageFont.load_default(30))
    page.drawInlineImage(scan, 30, 100, 200, 40)
    for words, x, y, size, grey, mode in (
        ("The ferry leaves at nine.", 30, 350, 10, 0, 0),
        ("Unseen: white.", 30, 330, 10, 1, 0),
        ("Unseen: nearly white.", 30, 315, 10, 0.99, 0),
        ("Unseen: dust.", 30, 300, 1, 0, 0),
        ("Unseen: no colour.", 30, 285, 10, 0, 3),
        ("Unseen: outside.", 500, 285, 10, 0, 0),
        ("White on black.", 40, 250, 10, 1, 0),
        ("Bring warm clothes.", 35, 122, 14, 0, 3),
    ):
        text = page.beginText(x, y)
        text.setFont("Helvetica", size)
        text.setFillGray(grey)
        text.setTextRenderMode(mode)
        text.textOut(words)
        text.setTextRenderMode(0)
        page.drawText(text)
    page.save()
    doc = load_bytes(out.getvalue(), "/ferry.pdf")
    assert "Unseen" not in doc.text
    assert doc.text.split() == "The ferry leaves at nine. White on black. Bring warm clothes.".split()
    assert doc.notes == ("1 of 1 pages hold text that nobody sees (1), which is left out",)
