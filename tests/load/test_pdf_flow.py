"""PDF: how text flows: columns, small print, turned text, words over line ends, letters that are spaced out."""

import io
from itertools import groupby

import pytest

from rag.load import load_bytes
from rag.load.pdf.rectangles import rectangles
from rag.records import Span

pytest.importorskip("reportlab")

from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen import canvas

FERRY = (
    "The ferry leaves the island at six and comes back at noon with the mail and the bread. In winter it stays at the "
    "quay when the wind is stronger than force eight, which was the case on 31 days of the last year. The harbour "
    "master keeps a list of them and sends it to the county in March. Nobody has asked what the county does with it, "
    "but the list is complete since 1952 and fills two shelves. A student from the mainland counted the days by hand "
    "and found that storms come later in the year than they did before."
)
STORMS = (
    "Her paper was printed in the almanac, and the islanders read it aloud in the church hall. The captain of the "
    "ferry said that he had known it all along, and that his father had told him so. Since then the school has kept "
    "an instrument on its roof, and the children write down what it shows. They have missed no day in eleven years."
)


def write(page, text, x, y, size=10, font="Times-Roman"):
    """Write lines, which bars part, under each other; return where the next would stand."""
    for line in text.split("|"):
        page.setFont(font, size)
        page.drawString(x, y, line)
        y -= 1.2 * size
    return y


def made(*pages):
    """Return a PDF; each page is a function that draws on a canvas."""
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=A4)
    for each in pages:
        each(page)
        page.showPage()
    page.save()
    return out.getvalue()


def read(*pages):
    return load_bytes(made(*pages), "/a.pdf")


@pytest.mark.parametrize("count", [2, 3, 4, 5])
@pytest.mark.parametrize("in_rows", [False, True])
@pytest.mark.parametrize("title", ["", "The ferry and its storms, told by those who were there"])
def test_columns_are_read_one_after_the_other(count, in_rows, title):
    """However many there are, under a title across them or not, in whatever order the file draws them."""
    text, width = f"{FERRY} {STORMS} " * (count - 1), (500 - 16 * (count - 1)) / count
    lines = simpleSplit(text, "Times-Roman", 9, width)
    rows = -(-len(lines) // count)
    placed = [(48 + index // rows * (width + 16), 740 - index % rows * 11, line) for index, line in enumerate(lines)]

    def draw(page):
        write(page, title, 48, 780, 16)
        for x, y, line in sorted(placed, key=lambda place: -place[1] if in_rows else 0):
            write(page, line, x, y, 9)

    assert " ".join(read(draw).text.split()) == f"{title} {text}".strip()


def test_three_columns_of_a_table_stay_rows():
    """Texts of a table are short, or of very different lengths."""
    rows = [
        ("Ministry of the Islands", "12 Harbour Street, Velm", "islands@velm.example"),
        ("Office of Lighthouses and Buoys", "4 Quay", "buoys@velm.example"),
        ("Board of Ferries", "The Old Customs House, 9 Long Pier, Ruhn", "ask@ferries.example"),
        ("School Council", "77 Upper Town, Ruhn", "the.school.council@ruhn.example"),
    ]

    def draw(page):
        for number, row in enumerate(rows):
            for x, cell in zip((50, 210, 400), row, strict=True):
                write(page, cell, x, 700 - 14 * number, 9)

    assert read(draw).text.split("\n") == [" | ".join(row) for row in rows]


@pytest.mark.parametrize(
    ("title", "spacing"),
    [("HARBOUR NEWS", 4), ("Harbour News 2024", 6), ("A TALE OF IT", 5), ("CONTENTS", 2), ("PART 3: TIDES", 7)],
)
@pytest.mark.parametrize("by_hand", [False, True])
def test_letters_that_are_spaced_out_are_words(title, spacing, by_hand):
    """Whether the font or blanks set them apart; the place of each is kept."""

    def draw(page):
        line = page.beginText(60, 760)
        line.setFont("Helvetica-Bold", 16)
        line.setCharSpace(0 if by_hand else spacing)
        line.textOut("   ".join(" ".join(word) for word in title.split()) if by_hand else title)
        line.setCharSpace(0)
        page.drawText(line)
        write(page, "|".join(simpleSplit(FERRY, "Times-Roman", 11, 470)), 60, 720, 11)

    data = made(draw)
    doc = load_bytes(data, "/a.pdf")
    assert doc.text == f"{title}\n\n{FERRY}"
    assert [section.title for section in doc.sections] == [title]
    boxes = [rectangles(data, doc, Span(at, at + 1))[0] for at in range(len(title)) if title[at] != " "]
    assert [key for key, _ in groupby(boxes, lambda box: box.x0)] == sorted({box.x0 for box in boxes})


@pytest.mark.parametrize(
    "line", ["vitamins A B C D and E are in it", "1 2 3 4 5 6", "x = a + b", "J F M A M J J A S O N D"]
)
def test_single_letters_and_figures_stay_apart(line):
    """In a sentence, on a scale, in a formula, under the columns of a chart."""

    def draw(page):
        for number, letter in enumerate(line.split()) if line.startswith("J") else [(0, line)]:
            page.setFont("Helvetica", 9)
            (page.drawCentredString if line.startswith("J") else page.drawString)(100 + 13 * number, 700, letter)

    assert read(draw).text == line
