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


def made(*draw):
    """Return a PDF with a page for each function, which draws on a canvas."""
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=(400, 400))
    for each in draw:
        each(page)
        page.showPage()
    page.save()
    return out.getvalue()


def recognised(page):
    """A picture of three words, and the words that were recognised in it, one beside its place."""
    from PIL import Image, ImageDraw, ImageFont

    scan = Image.new("L", (1000, 200), "white")
    ImageDraw.Draw(scan).text((50, 50), "Bring warm clothes.", fill=0, font=ImageFont.load_default(60))
    page.drawInlineImage(scan, 30, 100, 300, 60)
    for word, x in (("Bring", 45), ("warm", 95), ("clothes.", 260)):
        text = page.beginText(x, 122)
        text.setFont("Helvetica", 14)
        text.setTextRenderMode(3)
        text.textOut(word)
        page.drawText(text)


def test_recognised_text_is_kept_where_it_lies_beside_its_picture():
    """Programs place what they recognise by guess."""
    doc = load_bytes(made(recognised), "/scan.pdf")
    assert doc.text.split() == ["Bring", "warm", "clothes."]
    assert not doc.notes


@pytest.mark.parametrize("shift", [0, 0.3, 0.8])
@pytest.mark.parametrize("by_letter", [False, True])
def test_letters_that_are_drawn_over_themselves_are_said_once(shift, by_letter):
    """As programs do that have no bold font; double letters of words stay."""
    words = "The willow bookkeeper bills 1100 All"

    def draw(page):
        page.setFont("Helvetica", 12)
        x = 50
        for part in words if by_letter else [words]:
            page.drawString(x, 300, part)
            page.drawString(x + shift, 300, part)
            x += page.stringWidth(part, "Helvetica", 12)

    assert load_bytes(made(draw), "/a.pdf").text == words


def test_text_that_was_typed_onto_a_page_is_read():
    """A free text annotation is seen as the print below it is."""

    def draw(page):
        page.drawString(50, 300, "Name of the ferry:")
        page.freeTextAnnotation("Gannet of Velm", DA="0 g /Helv 12 Tf", Rect=[160, 296, 300, 312], relative=1)

    assert load_bytes(made(draw), "/a.pdf").text == "Name of the ferry: Gannet of Velm"


def test_headers_are_named_and_the_names_of_columns_are_kept():
    """What stands on top of each page is left out; of a table that goes on, its first row is said once."""

    def page_of(number):
        def draw(page):
            page.drawString(40, 385, f"Harbour office of Velm, page {number}")
            for index, row in enumerate([("Quay", "Days", "Storms"), *((f"Pier {number}{i}", i, 2) for i in range(5))]):
                for x, cell in zip((40, 160, 280), row, strict=True):
                    page.drawString(x, 360 - 16 * index, str(cell))

        return draw

    doc = load_bytes(made(*map(page_of, range(1, 5))), "/a.pdf")
    assert "Harbour" not in doc.text
    assert doc.text.count("Quay | Days | Storms") == 1
    assert "Quay: Pier 43 | Days: 3 | Storms: 2" in doc.text
    assert doc.notes == (
        "headers and footers of 4 of 4 pages are left out: “Harbour office of Velm, page 1”, “Quay | Days | Storms”",
    )
