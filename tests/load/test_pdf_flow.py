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


def write_cell(page, text, x, y, width, height):
    page.rect(x, y, width, height)
    write(page, text, x + 4, y + height - 12)


def write_turned(page, text, x, y, angle, size=10):
    page.saveState()
    page.translate(x, y)
    page.rotate(angle)
    write(page, text, 0, 0, size)
    page.restoreState()


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


SMALL = (
    "The fare is paid on board. Children below the age of|12 pay half, and dogs go for nothing at all times of|"
    "a year. Nobody may board with an open fire or with|more than two bags. Groups that are larger than some|"
    "15 persons must book a day before, since there are|80 seats in all, of which the islanders keep eight."
)


def test_small_print_is_whole_wherever_its_lines_begin():
    """A number or a letter at which a sentence is wrapped is no sign of a note."""

    def draw(page):
        y = write(page, SMALL, 60, 780, 8)
        write(page, "|".join(simpleSplit(FERRY, "Times-Roman", 11, 470)), 60, y - 8, 11)
        write(page, SMALL.replace("fare", "fee"), 60, 120, 8)

    whole = SMALL.replace("|", " ")
    assert read(draw).text.split("\n\n") == [whole, FERRY, whole.replace("fare", "fee")]


def test_notes_at_the_foot_do_not_interrupt_a_sentence():
    """A note may have a line that begins with a number; the paragraph goes on over the page."""
    first, second = FERRY[: FERRY.index("which was")].strip(), FERRY[FERRY.index("which was") :]

    def draw(page):
        write(page, "|".join(simpleSplit(f"{STORMS} {STORMS}", "Times-Roman", 11, 470)), 60, 780, 11)
        write(page, "|".join(simpleSplit(first, "Times-Roman", 11, 470)), 60, 640, 11)
        write(
            page, "1 Told to the author on the quay of the island on the morning of|12 May, and again later.", 60, 90, 8
        )
        write(page, "* By the list.", 60, 60, 8)

    def go_on(page):
        write(page, "|".join(simpleSplit(second, "Times-Roman", 11, 470)), 60, 780, 11)

    blocks = read(draw, go_on).text.split("\n\n")
    assert blocks[1:3] == [
        "1 Told to the author on the quay of the island on the morning of 12 May, and again later.",
        "* By the list.",
    ]
    assert blocks[-1] == FERRY


@pytest.mark.parametrize("angle", [90, 270, 180, 45, 30, -60])
def test_turned_text_is_read_as_lines(angle):
    """After the text around it, which stays whole; and the rectangles are where it stands."""
    stamp = "Archive of the Isles, copy 12 of 40"

    def draw(page):
        write(page, "|".join(simpleSplit(FERRY, "Times-Roman", 11, 470)), 80, 780, 11)
        write_turned(page, stamp, 300, 350, angle, 14)

    data = made(draw)
    doc = load_bytes(data, "/a.pdf")
    assert doc.text == f"{FERRY}\n\n{stamp}"
    start = len(FERRY) + 2
    (whole,) = rectangles(data, doc, Span(start, len(doc.text)))
    (part,) = rectangles(data, doc, Span(start, start + len("Archive")))
    assert whole.x0 - 1 < part.x0 < part.x1 < whole.x1 + 1
    assert whole.y0 - 1 < part.y0 < part.y1 < whole.y1 + 1
    assert (part.x1 - part.x0) * (part.y1 - part.y0) < 0.5 * (whole.x1 - whole.x0) * (whole.y1 - whole.y0)


def test_a_stamp_in_the_margin_of_each_page_interrupts_nothing():
    """It is left out as a header is; what is turned on one page alone is kept."""
    first, second = FERRY.index("last year"), STORMS.index("his father")
    parts = FERRY[:first], f"{FERRY[first:]}|{STORMS[:second]}", STORMS[second:]

    def page_of(number):
        def draw(page):
            y = 780 - 60 * number
            for part in parts[number].split("|"):
                y = write(page, "|".join(simpleSplit(part.strip(), "Times-Roman", 11, 470)), 80, y, 11) - 10
            write_turned(page, "Printed for the county, not for sale", 30, 250, 90, 9)
            if number == 1:
                write_turned(page, "seen by the mayor", 560, 400, 270, 9)

        return draw

    assert read(*map(page_of, range(3))).text.split("\n\n") == [FERRY, "seen by the mayor", STORMS]


@pytest.mark.parametrize("angle", [90, 270])
def test_a_table_that_is_set_sideways_is_read_as_one(angle):
    """All of a page may be turned."""
    rows = [("Year", "Days", "Storms"), ("1998", "31", "4"), ("1999", "28", "2"), ("2000", "40", "9")]

    def draw(page):
        page.translate(*{90: (500, 60), 270: (100, 760)}[angle])
        page.rotate(angle)
        write(page, "Storms by year", 0, 300, 14, "Helvetica-Bold")
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                write(page, cell, 150 * column, 250 - 16 * number, 10, "Helvetica" if number else "Helvetica-Bold")

    doc = read(draw)
    assert doc.text.split("\n\n") == [
        "Storms by year",
        "Year | Days | Storms\n"
        + "\n".join(f"Year: {year} | Days: {days} | Storms: {storms}" for year, days, storms in rows[1:]),
    ]
    assert [section.title for section in doc.sections] == ["Storms by year"]


@pytest.mark.parametrize(
    ("lines", "whole"),
    [
        ("The file AB-2019-|0044 is open.", "AB-2019-0044"),
        ("The file X–77–|12 is open.", "X–77–12"),
        ("It holds the years 1998–|2003 alone.", "1998–2003"),
        ("It is on pages 7-|9 of the list.", "pages 7-9 of"),
        ("It is in Room K–|140. It concerns all.", "Room K–140. It concerns"),
        ("They had a 10-|year lease.", "10-year lease"),
        ("Under the COVID-|19 rules.", "COVID-19 rules"),
        ("The mother-in-|law of the mayor.", "mother-in-law of"),
        ("All non-|EU states.", "non-EU states"),
        ("The route Oslo–|Bergen is closed.", "Oslo–Bergen is"),
        ("The UN-|led talks.", "UN-led talks"),
        ("She sent an e-|mail to all.", "e-mail"),
        ("It was late—|but it came.", "late—but"),
        ("The inter-|national law.", "international law"),
        ("European law and the non-Euro-|pean one.", "non-European one"),
        ("The word INTERIOR in IN-|TERIOR is one.", "in INTERIOR is"),
        ("A long-term plan, a long-|term plan of high-|est rank.", "a long-term plan of highest rank"),
        ("The talks – as it was –|went on – so it|is said.", "as it was – went on – so it is"),
    ],
)
def test_hyphens_and_dashes_over_line_ends(lines, whole):
    """One that stands within a word or a number stays; one that is there for the line's end goes."""
    text = read(lambda page: write(page, f"{lines}|{STORMS[:60]}", 60, 760)).text
    assert whole in text
    assert text.startswith(lines[:6])


def test_words_and_years_in_narrow_cells_are_whole():
    """As in a text; a cell has no other words that tell how the document writes one."""
    cells = [
        ["Work", "Years", "Of"],
        ["Recon-|struction", "2019–|2021", "Osk"],
        ["Care of wells", "12–|14 May", "Rill"],
    ]

    def draw(page):
        for number, row in enumerate(cells):
            for column, cell in enumerate(row):
                write_cell(page, cell, 60 + 90 * column, 700 - 30 * number, 90, 30)

    text = read(draw).text
    assert "Reconstruction | 2019–2021 | Osk" in text
    assert "Care of wells | 12–14 May | Rill" in text


@pytest.mark.parametrize("ruled", [False, True])
@pytest.mark.parametrize("angle", [90, 270])
def test_turned_names_name_their_columns(ruled, angle):
    """Over narrow columns, in one line or two; what is turned in the margin stays a line of its own."""
    heads = ["Pupils in 2022", "Pupils in|the year 2023", "Teachers"]
    rows = [["Ulmgate", "12", "9", "1"], ["Sorrel", "3", "2", "4"], ["Wick", "8", "1", "2"]]
    xs = [60, 160, 210, 260]

    def draw(page):
        write(page, "School", 64, 664)
        for x, head in zip(xs[1:], heads, strict=True):
            at = (x + 16, 662) if angle == 90 else (x + 16 + 12 * head.count("|"), 722)
            write_turned(page, head, *at, angle)
        for number, row in enumerate(rows):
            write(page, "|".join(row[:1]), 64, 645 - 16 * number)
            for x, cell in zip(xs[1:], row[1:], strict=True):
                write(page, cell, x + 12, 645 - 16 * number)
        if ruled:
            page.grid([*xs, 310], [608, 624, 640, 656, 730])
        write(page, "The table shows what the schools of the county have.", 60, 560)
        write_turned(page, "Seen and stamped in Velm", 30, 300, angle)

    doc = read(draw)
    assert doc.text.split("\n\n")[0].split("\n")[1:] == [
        f"School: {name} | Pupils in 2022: {before} | Pupils in the year 2023: {after} | Teachers: {teachers}"
        for name, before, after, teachers in rows
    ]
    assert doc.text.endswith("Seen and stamped in Velm")
    at = doc.text.index("Teachers")
    (box,) = rectangles(made(draw), doc, Span(at, at + 8))
    assert 270 < (box.x0 + box.x1) / 2 < 282


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


def test_a_paragraph_that_opens_in_bold_letters_is_whole():
    """Most of its first line may be bold; a heading, which is so as a whole, stays apart."""

    def draw(page):
        write(page, "The ferry and the storms", 60, 770, 10, "Times-Bold")
        for y, head in ((740, "Winter timetable of the ferry company (from October):"), (690, "Summer timetable:")):
            write(page, head, 60, y, 10, "Times-Bold")
            after = 66 + page.stringWidth(head, "Times-Bold", 10)
            first = simpleSplit(STORMS, "Times-Roman", 10, 400 - after)[0]
            write(page, first, after, y)
            rest = STORMS[len(first) : STORMS.index("The captain")]
            write(page, "|".join(simpleSplit(rest, "Times-Roman", 10, 340)), 60, y - 12)

    said = STORMS[: STORMS.index("The captain")].strip()
    assert read(draw).text.split("\n\n") == [
        "The ferry and the storms",
        f"Winter timetable of the ferry company (from October): {said}",
        f"Summer timetable: {said}",
    ]


def test_signs_of_another_font_divide_no_paragraph():
    """Boxes around letters of one size differ from font to font, and most of a line may be of the other one."""
    lines = simpleSplit(STORMS, "Helvetica", 10, 340)

    def draw(page):
        for number, line in enumerate(lines):
            write(page, line, 60, 740 - 12 * number, 10, "Courier" if number in {1, 3} else "Helvetica")

    assert read(draw).text == " ".join(lines)


def test_a_short_line_in_italics_stands_apart_from_what_is_set_below_it():
    """As a heading over its paragraph, in letters of the same size; a line that is full goes on in the next."""
    lines = simpleSplit(STORMS, "Times-Roman", 10, 340)

    def draw(page):
        write(page, "The two storms", 60, 740, 10, "Times-Italic")
        write(page, "|".join(lines), 60, 728)
        write(page, lines[0], 60, 500, 10, "Times-Italic")
        write(page, "|".join(lines[1:]), 60, 488)

    whole = " ".join(lines)
    assert [each.replace("\n", " ") for each in read(draw).text.split("\n\n")] == ["The two storms", whole, whole]


def test_what_is_decided_below_an_item_is_no_heading_of_the_next():
    """Bold words above a drawn line end what stands above them, where another heading follows."""

    def draw(page):
        y = 770
        for name, decided in (("1. Bell in Hand", "No violation"), ("2. Empire, Inc.", "Granted")):
            y = write(page, name, 60, y, 11, "Times-Bold") - 8
            y = write(page, "Doing business as the oldest tavern of the town, at Union Street.", 60, y) - 8
            y = write(page, decided, 60, y, 11, "Times-Bold") - 4
            y = write(page, "_" * 60, 60, y) - 8
        write(page, "3. Old Colonial", 60, y, 11, "Times-Bold")
        write(page, "Doing business as a tavern, too.", 60, y - 20)

    assert [section.title for section in read(draw).sections] == ["1. Bell in Hand", "3. Old Colonial"]
