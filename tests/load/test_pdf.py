"""PDF: reading order, whole sentences, pages, rectangles; a PDF with all that is hard, made here."""

import io
import re

import pytest

from rag.chunk import Chunker
from rag.errors import InputError, LoadError
from rag.load import load_bytes, places
from rag.load.pdf.rectangles import rectangles
from rag.load.places import page_picture
from rag.records import Span

pytest.importorskip("reportlab")

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen import canvas

LEFT = (
    "The harbour office of Orrelby published|"
    "its report on the winter floods on Mon-|"
    "day. It says that the water rose|"
    "by two metres in a single night, and that nobody was hurt.1 The|"
    "crane at the eastern quay fell into the river, and|"
    "the bridge had to be closed for eleven days. Traders lost|"
    "about three million in that time, ac-|"
    "cording to the well-known chamber of commerce,|"
    "which asked the council for help and re-|"
)
RIGHT = (
    "ceived an answer within a week. The council will|"
    "pay for half of the damage and build a wall of|"
    "four metres along the eastern quay. Work is to be-|"
    "gin in spring, as soon as the ground has dried, and|"
    "should end before the next winter. The opposition|"
    "called the plan too late and too small; its speaker|"
    "said that the wall was promised ten years ago and|"
    "that a well-known firm had drawn it for the mayor|"
    "of the time, who|"
)
SECOND = (
    "then left it in a drawer.|"
    "The speaker asked for an inquiry. The mayor of today|"
    "answered that she welcomes every question.|"
    "Nobody in the room contradicted her on that day.|"
)
ROWS = [("Quay", "Damage", "Days closed"), ("East", "2.1 million", "11"), ("West", "0.6 million", "4")]


def draw(page, text, x, y, size=10):
    for line in text.split("|"):
        page.setFont("Times-Roman", size)
        page.drawString(x, y, line.strip())
        y -= size * 1.2
    return y


def two_columns():
    """Two pages with running heads, page numbers, two columns, a footnote, a table and hyphens at line ends."""
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=A4)
    page.setTitle("Winter floods in Orrelby")
    for number in (1, 2):
        page.setFont("Helvetica", 8)
        page.drawString(60, 810, "Harbour office of Orrelby")
        page.drawRightString(535, 30, f"Page {number} of 2")
        if number == 1:
            page.setFont("Helvetica-Bold", 18)
            page.drawString(60, 770, "Winter floods in Orrelby")
            draw(page, LEFT, 60, 730)
            draw(page, "1 Figures of the fire brigade, which counted until| the end of January.", 60, 610, 7.5)
            draw(page, RIGHT, 320, 730)
        else:
            y = draw(page, SECOND, 60, 770)
            page.setFont("Helvetica-Bold", 13)
            page.drawString(60, y - 20, "Damage by quay")
            for index, row in enumerate(ROWS):
                for x, cell in zip((60, 180, 300), row, strict=True):
                    draw(page, cell, x, y - 45 - 14 * index)
        page.showPage()
    page.save()
    return out.getvalue()


@pytest.fixture(scope="module")
def data():
    return two_columns()


@pytest.fixture(scope="module")
def doc(data):
    return load_bytes(data, "/floods.pdf")


def test_sentences_are_whole_across_lines_columns_and_pages(doc):
    """Hyphens at line ends go, those of compounds stay; footnote, head and page number interrupt nothing."""
    assert "published its report on the winter floods on Monday. It says" in doc.text
    assert (
        "according to the well-known chamber of commerce, which asked the council for help and received an" in doc.text
    )
    assert "drawn it for the mayor of the time, who then left it in a drawer." in doc.text
    assert "Page 1" not in doc.text
    assert "Harbour office" not in doc.text
    assert doc.text.count("1 Figures of the fire brigade, which counted until the end of January.") == 1


def test_pages_sections_and_title_are_known(doc):
    """The second page starts inside a sentence."""
    assert doc.title == "Winter floods in Orrelby"
    assert [section.title for section in doc.sections] == ["Winter floods in Orrelby", "Damage by quay"]
    assert doc.text[doc.page_starts[1] :].startswith("then left it")
    assert doc.page_at(doc.text.index("fire brigade")) == 1
    assert doc.section_at(doc.text.index("2.1 million")) == "Damage by quay"


def test_a_table_row_is_one_block_and_names_its_cells(doc):
    """Cells stand in one line."""
    named = [" | ".join(f"{name}: {cell}" for name, cell in zip(ROWS[0], row, strict=True)) for row in ROWS[1:]]
    assert [block.of(doc.text) for block in doc.blocks][-3:] == [" | ".join(ROWS[0]), *named]
    assert doc.text.endswith("\n".join([" | ".join(ROWS[0]), *named]))


@pytest.mark.parametrize(
    ("quote", "pages", "count"),
    [
        ("The crane at the eastern quay fell into the river", [1, 1], 2),
        ("help and received an answer within a week.", [1, 1], 2),
        ("who then left it in a drawer.", [1, 2], 2),
        ("2.1 million", [2], 1),
        ("0.6 million", [2], 1),
        ("Monday", [1, 1], 2),
    ],
)
def test_rectangles_cover_the_words_and_nothing_else(data, doc, quote, pages, count):
    """What pdfium finds inside the rectangles is what was cited."""
    start = doc.text.index(quote)
    found = rectangles(data, doc, Span(start, start + len(quote)))
    assert [rectangle.page for rectangle in found] == pages
    assert len(found) == count
    assert letters_in(data, found) == letters(quote)


def without_names(text):
    """What stands in a row of the page itself: names of columns stand above."""
    return re.sub(r"(^| \| )[^|:]+: ", r"\1", text) if " | " in text else text


def letters(text):
    """What stays of a text without what a line end and a table change."""
    return "".join(char for char in text if char not in " \r\n|-\ufffe\x02")


def letters_in(data, found):
    """The letters whose middle is inside of rectangles, by pdfium's own places on the page as it is shown."""
    import ctypes

    import pypdfium2
    from pypdfium2 import raw

    pdf = pypdfium2.PdfDocument(data)
    inside = []
    for number, x0, y0, x1, y1 in found:
        page = pdf[number - 1]
        width, height = (round(edge) for edge in page.get_size())
        text = page.get_textpage()
        for index in range(text.count_chars()):
            left, bottom, right, top = text.get_charbox(index)
            x, y = ctypes.c_int(), ctypes.c_int()
            middle = (left + right) / 2, (bottom + top) / 2
            raw.FPDF_PageToDevice(page, 0, 0, width * 10, height * 10, 0, *middle, x, y)
            if x0 < x.value / 10 < x1 and y0 < y.value / 10 < y1:
                inside.append(chr(raw.FPDFText_GetUnicode(text, index)))
    return letters("".join(inside))


def test_every_citation_has_its_words_in_its_rectangles(data, doc):
    """Each sentence and each row, over lines, columns and pages: these letters, in this order, and no others."""
    passages = Chunker(lambda texts: [len(text.split()) for text in texts]).passages(doc)
    cited = [sentence for passage in passages for sentence in passage.sentences]
    assert len(cited) > 10
    for span in cited:
        assert letters_in(data, rectangles(data, doc, span)) == letters(without_names(span.of(doc.text)))


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_a_page_that_is_shown_turned(turned):
    """The text is read as it is seen, and the rectangles are where it is seen."""
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=(400, 300))
    page.setPageRotation(turned)
    page.translate(*{90: (400, 0), 180: (400, 300), 270: (0, 300)}[turned])
    page.rotate(turned)
    draw(page, "The crane at the quay fell|into the river. Nobody was|hurt on that day.", 30, 200)
    page.save()
    doc = load_bytes(out.getvalue(), "/turned.pdf")
    assert doc.text == "The crane at the quay fell into the river. Nobody was hurt on that day."
    start = doc.text.index("Nobody")
    found = rectangles(out.getvalue(), doc, Span(start, len(doc.text)))
    assert letters_in(out.getvalue(), found) == "Nobodywashurtonthatday."


@pytest.mark.slow
def test_the_picture_of_a_page_shows_the_span_marked(library, tmp_path, data):
    """Yellow inside of the rectangles and nowhere else; in an archive too; a changed file is no picture of its text."""
    import zipfile

    import numpy as np
    from PIL import Image

    path = tmp_path / "floods.pdf"
    path.write_bytes(data)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as made:
        made.writestr("in/floods.pdf", data)
    library.index(path, tmp_path / "all.zip")
    document = library.document(str(path))
    start = document.text.index("who then left it")
    span = Span(start, start + len("who then left it in a drawer."))
    for number, name in ((1, str(path)), (2, "all.zip/in/floods.pdf")):
        found = places.rectangles(library.document(name), span)
        picture, top = page_picture(library.document(name), span, number)
        page = Image.open(io.BytesIO(picture))
        assert page.size == (1191, 1684)
        yellow = np.argwhere((np.asarray(page) == (255, 233, 92)).all(axis=2))[:, ::-1]
        (_, *box) = next(each for each in found if each.page == number)
        x0, y0, x1, y1 = (2 * edge for edge in box)
        assert len(yellow) > 0.5 * (x1 - x0) * (y1 - y0)
        assert top == pytest.approx(yellow[:, 1].min() / page.height, abs=0.002)
        assert (yellow >= (x0 - 1, y0 - 1)).all()
        assert (yellow <= (x1 + 1, y1 + 1)).all()
    assert page_picture(library.document(str(path)), span) == page_picture(library.document(str(path)), span, 1)
    with pytest.raises(InputError, match="no page 9"):
        page_picture(library.document(str(path)), span, 9)
    path.write_bytes(data + b"\n")
    with pytest.raises(LoadError, match="has changed since"):
        page_picture(library.document(str(path)), span)
    (tmp_path / "a.txt").write_text("The crane fell.")
    library.index(tmp_path / "a.txt")
    assert places.rectangles(library.document("a.txt"), Span(0, 3)) == []
    with pytest.raises(InputError, match="no PDF"):
        page_picture(library.document("a.txt"), Span(0, 3))


def test_encrypted_scanned_and_broken_files_are_reported(monkeypatch):
    """Each with what to do."""
    from reportlab.lib.pdfencrypt import StandardEncryption

    monkeypatch.setenv("PATH", "/nowhere")
    out = io.BytesIO()
    page = canvas.Canvas(out, encrypt=StandardEncryption("secret"))
    page.drawString(60, 700, "words")
    page.save()
    with pytest.raises(LoadError, match="encrypted"):
        load_bytes(out.getvalue(), "/a.pdf")
    out = io.BytesIO()
    page = canvas.Canvas(out)
    page.rect(10, 10, 100, 100)
    page.save()
    with pytest.raises(LoadError, match="needs OCR"):
        load_bytes(out.getvalue(), "/a.pdf")
    with pytest.raises(LoadError, match="damaged"):
        load_bytes(b"%PDF-1.7 nothing", "/a.pdf")


def test_a_scan_with_a_stamp_on_it_is_a_scan(monkeypatch):
    """As courts stamp what is filed; a slide whose words stand on a picture is none."""
    from PIL import Image

    monkeypatch.setenv("PATH", "/nowhere")
    prose = "The crane fell into the river on the day before the audit."

    def filed(*pages):
        out = io.BytesIO()
        page = canvas.Canvas(out, pagesize=(600, 800))
        for number, words in enumerate(pages, 1):
            if words != prose:
                page.drawInlineImage(Image.new("L", (60, 80), "white"), 0, 0, 600, 800)
            page.drawString(60, 780, f"Case 4:08-cv-02214 Document 27 Page {number} of {len(pages)}")
            page.drawString(60, 400, words)
            page.showPage()
        page.save()
        return out.getvalue()

    doc = load_bytes(filed("", prose, "The harbour in 2009"), "/order.pdf")
    assert doc.notes[0] == "1 of 3 pages hold no text, only pictures or nothing (1), and need OCR"
    with pytest.raises(LoadError, match="needs OCR"):
        load_bytes(filed("", "XXXXXX 2/2/09"), "/stipulation.pdf")


def test_a_scanned_page_is_read_where_tesseract_is_installed(library, tmp_path):
    """From a picture of words, with a note that it was; its page is known, and shown."""
    import shutil

    from PIL import Image, ImageDraw, ImageFont

    if not shutil.which("tesseract"):
        pytest.skip("tesseract is not installed: apt-get install tesseract-ocr")
    sheets = []
    for words in ("The crane fell into the river.", "Nobody was hurt on that day."):
        sheet = Image.new("L", (1240, 600), "white")
        ImageDraw.Draw(sheet).text((100, 100), words, fill="black", font=ImageFont.load_default(48))
        sheets.append(sheet)
    path = tmp_path / "scan.pdf"
    sheets[0].save(path, save_all=True, append_images=sheets[1:], resolution=150)
    report = library.index(path)
    assert report.count("added") == 1
    assert "character recognition" in report.incomplete[0].reason
    doc = library.document("scan.pdf")
    assert doc.text == "The crane fell into the river.\n\nNobody was hurt on that day."
    assert doc.page_at(doc.text.index("Nobody")) == 2
    start = doc.text.index("Nobody")
    (box,) = places.rectangles(library.document("scan.pdf"), Span(start, len(doc.text)))
    assert box.page == 2
    assert (box.x0, box.x1) == pytest.approx((48, 360), abs=25)
    assert page_picture(library.document("scan.pdf"), Span(0, 9))[0].startswith(b"\x89PNG")


def test_a_scanned_page_among_others_is_read_too():
    """And said to be."""
    import shutil

    from PIL import Image, ImageDraw, ImageFont

    if not shutil.which("tesseract"):
        pytest.skip("tesseract is not installed: apt-get install tesseract-ocr")
    sheet = Image.new("L", (1240, 600), "white")
    ImageDraw.Draw(sheet).text(
        (100, 100), "Nobody was hurt on that day.", fill="black", font=ImageFont.load_default(48)
    )
    out = io.BytesIO()
    page = canvas.Canvas(out)
    page.drawString(60, 700, "The crane fell into the river.")
    page.showPage()
    page.drawInlineImage(sheet, 50, 300, 500, 242)
    page.showPage()
    page.save()
    doc = load_bytes(out.getvalue(), "/mixed.pdf")
    assert doc.text == "The crane fell into the river.\n\nNobody was hurt on that day."
    assert doc.notes == ("1 of 2 pages were read by character recognition (2), which makes mistakes",)


def test_scanned_pages_that_tesseract_does_not_read_are_named(tmp_path, monkeypatch):
    """The others are kept. It is asked for the languages that are named."""
    import shutil

    from PIL import Image, ImageDraw, ImageFont

    from rag.load.pdf import ocr

    real = shutil.which("tesseract")
    if not real:
        pytest.skip("tesseract is not installed: apt-get install tesseract-ocr")
    asked, program = tmp_path / "asked", tmp_path / "tesseract"
    program.write_text(f'#!/bin/sh\necho "$@" >> {asked}\n[ "$(wc -l < {asked})" = 2 ] && exit 1\nexec {real} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("RAG_OCR_LANGUAGES", "eng")
    ocr.languages.cache_clear()
    sheets = []
    for words in ("The crane fell.", "Lost.", "Nobody was hurt."):
        sheet = Image.new("L", (800, 300), "white")
        ImageDraw.Draw(sheet).text((100, 100), words, fill="black", font=ImageFont.load_default(48))
        sheets.append(sheet)
    out = io.BytesIO()
    sheets[0].save(out, "PDF", save_all=True, append_images=sheets[1:], resolution=150)
    doc = load_bytes(out.getvalue(), "/scan.pdf")
    assert doc.text == "The crane fell.\n\nNobody was hurt."
    assert doc.notes[0] == "1 of 3 pages were not read (2), since tesseract failed or took too long"
    assert asked.read_text().splitlines() == ["stdin stdout -l eng tsv"] * 3


def test_languages_of_scans_are_those_installed_unless_they_are_many(tmp_path, monkeypatch):
    """Without models of something else, and without any where a whole package of them was installed."""
    from rag.load.pdf import ocr

    monkeypatch.delenv("RAG_OCR_LANGUAGES", raising=False)
    for installed, options in (("eng osd chi_sim", ["-l", "eng+chi_sim"]), ("ara deu eng fra osd tur", [])):
        program = tmp_path / f"tesseract-{len(installed)}"
        program.write_text(f"#!/bin/sh\nprintf 'List of available languages (2):\\n%s\\n' {installed}\n")
        program.chmod(0o755)
        assert ocr.languages(str(program)) == options


def test_raised_figures_are_no_digits_of_the_number_before():
    """The sign of a footnote and a power; what stands lower or on the line stays a digit."""
    out = io.BytesIO()
    page = canvas.Canvas(out)
    line = page.beginText(60, 700)
    parts = (("It rose in 2019", 0), ("3", 4), (" by 10", 0), ("6", 4), (" tonnes of CO", 0), ("2", -2), (".", 0))
    for text, rise in parts:
        line.setFont("Times-Roman", 7 if rise else 11)
        line.setRise(rise)
        line.textOut(text)
    page.drawText(line)
    page.save()
    assert load_bytes(out.getvalue(), "/a.pdf").text == "It rose in 2019³ by 10⁶ tonnes of CO2."


SITES = [
    ("Site", "Manager", "Visitors in the year", "Income (£000)"),
    ("Scarby Lighthouse", "Nora Pell", "41,200", "312"),
    ("Old Customs House and Maritime Museum of the Estuary", "Imran Shah", "18,950", "140"),
    ("Dune Reserve", "", "63,000", "12"),
    ("Fort Elwick", "Joan Marrow", "27,410", "201"),
]
WIDTHS = (110, 60, 60, 60)


def with_table(rows, *style, widths=WIDTHS, **options):
    """Return a PDF with a sentence, a table whose cells wrap, and another sentence."""
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table

    out = io.BytesIO()
    sheet = getSampleStyleSheet()["BodyText"]
    plain = "The trust runs four sites on the coast, and says here what each of them took in the year."
    cells = [[Paragraph(cell, sheet) for cell in row] for row in rows]
    table = Table(cells, colWidths=widths, style=list(style), **options)
    after = Paragraph("Figures are those at the end of March.", sheet)
    SimpleDocTemplate(out, pagesize=A4).build([Paragraph(plain, sheet), Spacer(1, 12), table, Spacer(1, 12), after])
    return out.getvalue()


def named(rows):
    """Return the rows as they should be written."""
    pairs = ([(name, cell) for name, cell in zip(rows[0], row, strict=True) if cell] for row in rows[1:])
    return [" | ".join(rows[0]), *(" | ".join(f"{name}: {cell}" for name, cell in row) for row in pairs)]


GRID = ("GRID", (0, 0), (-1, -1), 0.5, "black")


def test_a_table_with_lines_keeps_wrapped_and_empty_cells_apart():
    """What wraps is one cell again; an empty one moves no other into its column."""
    doc = load_bytes(with_table(SITES, GRID), "/sites.pdf")
    assert "\n".join(named(SITES)) in doc.text
    assert doc.text.endswith("Figures are those at the end of March.")


@pytest.mark.parametrize("cell", [cell for row in SITES[1:] for cell in row if cell])
def test_each_cell_is_marked_where_it_stands(cell):
    """What pdfium finds in the rectangles of a cell holds the cell, and nothing of the columns beside it."""
    data = with_table(SITES, GRID)
    doc = load_bytes(data, "/sites.pdf")
    start = doc.text.index(f": {cell}") + 2
    found = rectangles(data, doc, Span(start, start + len(cell)))
    assert len(found) == 1
    assert letters_in(data, found) == letters(cell)


def test_a_cell_over_several_rows_or_columns():
    """The region is said in each of its rows; a name over two columns is no column's."""
    rows = [
        ("Region", "Site", "Visitors", "Income"),
        ("East", "Scarby", "41,200", "312"),
        ("", "Elwick", "27,410", "201"),
        ("West", "Dunes", "63,000", "12"),
    ]
    doc = load_bytes(with_table(rows, GRID, ("SPAN", (0, 1), (0, 2))), "/regions.pdf")
    assert "Region: East | Site: Elwick | Visitors: 27,410 | Income: 201" in doc.text
    assert "Region: West | Site: Dunes | Visitors: 63,000 | Income: 12" in doc.text


def test_a_table_over_two_pages_keeps_its_names():
    """The second page says none."""
    rows = [
        ("Site", "Manager", "Visitors"),
        *((f"Site {n} on the long coast", f"Manager {n}", f"{n},100") for n in range(1, 61)),
    ]
    doc = load_bytes(with_table(rows, GRID, widths=(150, 100, 80)), "/long.pdf")
    assert len(doc.page_starts) > 1
    assert "\n".join(named(rows)) in doc.text


def test_lines_around_text_are_no_table():
    """A page whose columns are framed is read column by column, as without the frame."""
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=A4)
    draw(page, LEFT, 60, 730)
    draw(page, RIGHT, 320, 730)
    page.rect(50, 600, 250, 150)
    page.rect(300, 600, 250, 150)
    page.save()
    text = load_bytes(out.getvalue(), "/framed.pdf").text
    assert "published its report on the winter floods on Monday. It says" in text
    assert " | " not in text


def test_cells_as_near_as_words_have_no_names_of_others():
    """What stands under two columns may be two cells."""
    rows = [
        ("Route", "Passengers", "Cars", "Income"),
        ("Aberley - Skarvoe", "214,300", "61,200", "48.2"),
        ("Velm - Ruhn", "58,020", "4,310", "9.6"),
        ("Ruhn - Oster", "7,400", "920", "1.1"),
    ]
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=A4)
    for index, row in enumerate(rows):
        for x, cell in zip((60, 145, 206, 245), row, strict=True):
            draw(page, cell, x, 700 - 14 * index)
    page.save()
    below = ["Aberley - Skarvoe 214,300 | 61,200 48.2", *named([rows[0], *rows[2:]])[1:]]
    assert load_bytes(out.getvalue(), "/routes.pdf").text == "\n".join([" | ".join(rows[0]), *below])


def test_two_rows_of_names():
    """A name over two columns, and one over both rows."""
    rows = [("Site", "2023", ""), ("", "Plan", "Done"), ("Scarby", "41", "39"), ("Elwick", "27", "31")]
    data = with_table(rows, GRID, ("SPAN", (0, 0), (0, 1)), ("SPAN", (1, 0), (2, 0)), widths=(110, 60, 60))
    text = load_bytes(data, "/plans.pdf").text
    assert "Site: Scarby | 2023 Plan: 41 | 2023 Done: 39\nSite: Elwick | 2023 Plan: 27 | 2023 Done: 31" in text


def drawn_rows(*rows, places=(60, 160, 230, 300, 370)):
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=A4)
    for index, row in enumerate(rows):
        for x, cell in zip(places, row, strict=False):
            draw(page, cell, x, 700 - 14 * index)
    page.save()
    return load_bytes(out.getvalue(), "/table.pdf").text


def test_the_shading_of_cells_makes_no_columns():
    """Word shades what is within a cell, a little beside its lines; what is empty there stays in its column."""
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=A4)
    rows = [("Measure", "Age 4", "K", "Year 1"), ("Naming", "0.25", "", "0.11"), ("Counting", "", "0.31", "")]
    xs = (60, 180, 250, 320, 390)
    for index, row in enumerate(rows):
        y = 700 - 16 * index
        for x0, x1, cell in zip(xs, xs[1:], row, strict=False):
            page.rect(x0, y - 4, x1 - x0, 16)
            if index % 2:
                page.setFillGray(0.9)
                page.rect(x0 + 5.4, y - 4, x1 - x0 - 10.8, 16, fill=1)
                page.setFillGray(0)
            draw(page, cell, x0 + 6, y, 8)
    page.save()
    assert load_bytes(out.getvalue(), "/table.pdf").text.splitlines()[1:] == [
        "Measure: Naming | Age 4: 0.25 | Year 1: 0.11",
        "Measure: Counting | K: 0.31",
    ]


def test_names_of_columns_in_several_rows_without_lines():
    """Long names go over the rows above the others; names of groups stand over those that come once for each."""
    text = drawn_rows(
        ("", "", "", "Asian or", "Two or"),
        ("", "", "", "Pacific", "more"),
        ("Year", "Total", "White", "Islander", "groups"),
        *(("2011", "4,561", "2,921", "173", "88"), ("2012", "4,612", "2,886", "175", "91")),
    )
    assert "Year: 2012 | Total: 4,612 | White: 2,886 | Asian or Pacific Islander: 175 | Two or more groups: 91" in text
    text = drawn_rows(
        ("", "   Public", "", "   Private", ""),
        ("Year", "Boys", "Girls", "Boys", "Girls"),
        *(("2011", "4,561", "2,921", "173", "88"), ("2012", "4,612", "2,886", "175", "91")),
    )
    assert "Year: 2011 | Public Boys: 4,561 | Public Girls: 2,921 | Private Boys: 173 | Private Girls: 88" in text


def test_neither_bold_words_nor_raised_figures_divide_a_paragraph():
    """The first line opens in bold; another has the sign of a note, which makes it no larger."""
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, SimpleDocTemplate

    money = (
        "The work was paid for by the Heddon Foundation (grant HF-2216), which had no part in the design of the study, "
        "in the choice of the hedgerows or in the writing of this paper."
    )
    hedges = (
        "Forty-eight hedgerows were chosen at random from a list of 310 on farms along the river whose owners{} had "
        "agreed to take part in the work for two years, and the rest of them was left alone."
    )
    out = io.BytesIO()
    body = getSampleStyleSheet()["BodyText"]
    texts = [f"<b>Funding.</b> {money}", hedges.format("<super>2</super>")]
    SimpleDocTemplate(out, pagesize=A4).build([Paragraph(text, body) for text in texts])
    assert load_bytes(out.getvalue(), "/bats.pdf").text.split("\n\n") == [f"Funding. {money}", hedges.format("²")]


def pdf_of(content, to_unicode=(), annotations="", form=""):
    """Return a PDF of one page, 400 points wide and 300 high, whose font says what its codes are."""
    pairs = "\n".join(f"<{ord(code):02x}> <{said.encode('utf-16-be').hex()}>" for code, said in to_unicode)
    cmap = f"1 begincodespacerange <00> <ff> endcodespacerange\n{len(to_unicode)} beginbfchar\n{pairs}\nendbfchar"
    font = "<</Type/Font/Subtype/Type1/BaseFont/Courier" + ("/ToUnicode 6 0 R>>" if to_unicode else ">>")
    objects = [
        f"<</Type/Catalog/Pages 2 0 R {form}>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 300]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>{annotations}>>",
        f"<</Length {len(content)}>>stream\n{content}\nendstream",
        font,
        f"<</Length {len(cmap)}>>stream\n{cmap}\nendstream",
    ]
    parts, offsets = "%PDF-1.7\n", []
    for number, each in enumerate(objects, 1):
        offsets.append(len(parts))
        parts += f"{number} 0 obj\n{each}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    end = f"xref\n0 7\n0000000000 65535 f \n{table}trailer<</Size 7/Root 1 0 R>>\nstartxref\n{len(parts)}\n%%EOF"
    return (parts + end).encode("latin-1")


def test_a_letter_that_is_double_in_one_sign_is_said_twice():
    """Fonts have signs for `ff` and `tt`: both letters stand in one place, as letters do that are printed twice."""
    signs = [(code, code) for code in "diernhps:/bu"] + [("1", "ff"), ("2", "tt"), ("3", "ffi")]
    data = pdf_of("BT /F 12 Tf 40 200 Td (di1eren2 bu2 sni3n) Tj ET", signs)
    assert load_bytes(data, "/a.pdf").text == "differentt butt sniffin"


def test_letters_that_utf16_writes_as_two():
    """Of formulas: `𝑉` is one letter, with one place."""
    data = pdf_of("BT /F 12 Tf 40 200 Td (a1b) Tj ET", [("a", "a"), ("1", "𝑉"), ("b", "b")])
    assert load_bytes(data, "/a.pdf").text == "a𝑉b"


def test_quotation_marks_by_the_code_of_another_system():
    """Old programs left fonts without a table: their marks come as letters, which no language has in these places."""
    signs = [(code, code) for code in "Theclrksaidout. "] + list(zip("1234567", "ìîíñóßë", strict=True))
    data = pdf_of("BT /F 12 Tf 40 200 Td (The clerk3s 51the 7late2 old 6 l4o is due.) Tj ET", signs)
    assert load_bytes(data, "/a.pdf").text == "The clerk’s —“the ‘late” old § l–o is due."


def test_letters_of_other_languages_are_no_quotation_marks():
    """Italian ends words in `ì`, French has `î` inside of them."""
    signs = [(code, code) for code in "lunedamtrsco. "] + list(zip("123", "ìîó", strict=True))
    for text, read in (("luned1 cant3.", "lunedì cantó."), ("la ma2tresse.", "la maîtresse.")):
        data = pdf_of(f"BT /F 12 Tf 40 200 Td ({text}) Tj ET", signs)
        assert load_bytes(data, "/a.pdf").text == read


@pytest.mark.parametrize(
    ("given", "title"), [("10811.exe", None), ("minutes_03.odt", None), ("Minutes of 3 May", "Minutes of 3 May")]
)
def test_the_name_of_a_file_is_no_title(given, title):
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=A4)
    page.setTitle(given)
    draw(page, "The council met on Monday.", 60, 700)
    page.save()
    assert load_bytes(out.getvalue(), "/a.pdf").title == title


def test_a_sign_of_a_fonts_own_is_a_bullet():
    signs = [(code, code) for code in "The owlis.kpr"] + [("1", "\uf0b7")]
    data = pdf_of("BT /F 12 Tf 40 200 Td (1 The owl is here.) Tj ET", signs)
    assert load_bytes(data, "/a.pdf").text.startswith("• The owl")


@pytest.mark.parametrize("words", ["שלום לכולם חברים.", "مرحبا بكم جميعا.", "ثلاثة كتب جديدة في 2031 هنا"])
@pytest.mark.parametrize("marked", [False, True])
def test_words_from_right_to_left_are_read_as_they_stand(words, marked):
    """Also where the file draws a line from the left and marks each letter with what it is, as browsers do."""
    codes = {letter: chr(ord("A") + index) for index, letter in enumerate(sorted({*words} - {" "}))}
    content = ""
    for at, letter in reversed([*enumerate(re.sub(r"\d+", lambda number: number[0][::-1], words))]):
        drawn = f"BT /F 10 Tf {300 - 6 * at} 200 Td ({codes.get(letter, ' ')}) Tj ET\n"
        content += f"/Span<</ActualText<FEFF{ord(letter):04X}>>>BDC {drawn}EMC\n" if marked else drawn
    data = pdf_of(content, [(code, letter) for letter, code in codes.items()])
    doc = load_bytes(data, "/rtl.pdf")
    assert doc.text == words
    second = re.search(r"(?<= )\w+", words)
    assert second is not None
    start, end = second.span()
    (box,) = rectangles(data, doc, Span(start, end))
    assert (box.x0, box.x1) == pytest.approx((306 - 6 * end, 306 - 6 * start), abs=1.1)


def test_a_row_from_right_to_left_begins_with_its_first_cell():
    """Label and value of a ruled table, as a person reads them; and a place in it is where it stands."""
    rows = [["שם", "דוד"], ["עיר", "חיפה"], ["רחוב", "הרצל"]]
    codes = {letter: chr(ord("A") + index) for index, letter in enumerate(sorted({*"".join(map("".join, rows))}))}
    content = ""
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            x, y = 200 - 100 * column, 200 - 20 * number
            content += f"{x} {y} 100 20 re S\n"
            drawn = "".join(codes[letter] for letter in reversed(cell))
            content += f"BT /F 10 Tf {x + 90 - 6 * len(cell)} {y + 6} Td ({drawn}) Tj ET\n"
    data = pdf_of(content, [(code, letter) for letter, code in codes.items()])
    doc = load_bytes(data, "/rtl.pdf")
    assert doc.text.split("\n") == [" | ".join(row) for row in rows]
    at = doc.text.index("חיפה")
    (box,) = rectangles(data, doc, Span(at, at + 4))
    assert 100 < box.x0 < box.x1 < 200


def test_bullets_of_another_size_or_of_no_letter_begin_items():
    """Each item is whole, and one of its own, though its bullet is larger and only its font knows what it is."""
    lines = ["B they take the cases of the county and of those who", "C live in it", "B they pay", "B they train all"]
    content = ""
    for number, line in enumerate(lines):
        y = 250 - 13 * number
        content += f"BT /F 14 Tf 20 {y} Td (A) Tj ET\n" if line[0] == "B" else ""
        content += f"BT /F 9 Tf 40 {y} Td ({line[2:]}) Tj ET\n"
    plain = [(letter, letter) for letter in sorted({*"".join(lines)})]
    doc = load_bytes(pdf_of(content, [("A", "\x84"), *plain]), "/list.pdf")
    items = ["they take the cases of the county and of those who live in it", "they pay", "they train all"]
    assert doc.text.split("\n\n") == [f"• {item}" for item in items]


def hall_form():
    """A form that is filled in: labels left and right of fields, boxes, a list, several lines, a table of fields."""
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=(500, 700))
    form = page.acroForm
    page.setFont("Helvetica-Bold", 16)
    page.drawString(40, 660, "Hire of the village hall")
    for x, y, label in (
        (40, 625, "Name of the hirer"),
        (40, 600, "Day:"),
        (200, 600, "Guests:"),
        (315, 600, "people"),
        (40, 575, "Kitchen needed:"),
        (166, 575, "Yes"),
        (236, 575, "No"),
        (40, 550, "Room"),
        (40, 500, "Remarks"),
        (40, 400, "Fees"),
        (150, 400, "2023"),
        (220, 400, "2024"),
        (40, 380, "Hall"),
        (40, 360, "Kitchen"),
        (40, 320, "Signed"),
    ):
        page.setFont("Helvetica", 10)
        page.drawString(x, y, label)
    options = {"height": 18, "fontSize": 9}
    form.textfield(name="hirer", x=200, y=620, width=200, value="Odile Marchetti", **options)
    form.textfield(name="day", x=80, y=595, width=80, value="14 March 2025", **options)
    form.textfield(name="guests", x=250, y=595, width=60, value="85", **options)
    form.checkbox(name="yes", x=150, y=572, size=12, checked=True)
    form.checkbox(name="no", x=220, y=572, size=12, checked=False)
    form.choice(name="room", x=200, y=545, width=120, value="Great hall", options=["Great hall", "Attic"], **options)
    remark = "The band brings its own amplifiers.\nPlease leave the stage free from noon on, and the side door open."
    form.textfield(name="remarks", x=200, y=430, width=220, height=80, value=remark, fieldFlags="multiline", fontSize=9)
    for name, x, y, value in (
        ("a", 150, 375, "120"),
        ("b", 220, 375, "140"),
        ("c", 150, 355, "35"),
        ("d", 220, 355, "40"),
    ):
        form.textfield(name=name, x=x, y=y, width=50, value=value, **options)
    form.textfield(name="signed", x=200, y=315, width=50, value="", **options)
    page.save()
    return out.getvalue()


@pytest.mark.parametrize("drawn", [True, False])
def test_what_is_filled_in_stands_behind_its_label(drawn):
    """Also where the file has no picture of the fields, and says that whoever shows it should draw them."""
    data = hall_form() if drawn else hall_form().replace(b"/AP", b"/XX")
    doc = load_bytes(data, "/hall.pdf")
    lines = [
        "Name of the hirer Odile Marchetti",
        "Day: 14 March 2025 | Guests: 85 people",
        "Kitchen needed: ☒ Yes ☐ No",
        "Room Great hall",
        "Remarks The band brings its own amplifiers. Please leave the stage free from noon on, and the side door open.",
        "Fees | 2023 | 2024",
        "Fees: Hall | 2023: 120 | 2024: 140",
        "Fees: Kitchen | 2023: 35 | 2024: 40",
    ]
    assert doc.text.split("\n\n") == ["Hire of the village hall", "\n".join(lines), "Signed"]
    for value, (x0, y0, x1, y1) in {
        "Odile Marchetti": (200, 62, 400, 80),
        "85": (250, 87, 310, 105),
        "☒": (150, 116, 162, 128),
        "Great hall": (200, 137, 320, 155),
        "amplifiers": (200, 190, 420, 270),
        "140": (220, 307, 270, 325),
    }.items():
        start = doc.text.index(value)
        (box,) = rectangles(data, doc, Span(start, start + len(value)))
        assert x0 <= box.x0 < box.x1 <= x1
        assert y0 - 2 <= box.y0 < box.y1 <= y1 + 2


def test_secret_and_hidden_fields_are_not_read():
    """Those that a person does not see; a form whose fields are empty is read as before."""
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=(400, 300))
    page.drawString(40, 250, "Door code:")
    page.acroForm.textfield(name="code", x=120, y=245, width=100, height=18, value="4711", fieldFlags="password")
    page.drawString(40, 220, "Name:")
    page.acroForm.textfield(name="name", x=120, y=215, width=100, height=18, value="Ines", annotationFlags="hidden")
    page.acroForm.textfield(name="more", x=120, y=185, width=100, height=18, value="")
    page.save()
    assert load_bytes(out.getvalue(), "/door.pdf").text == "Door code: Name:"


def test_a_page_without_words_is_what_is_filled_in():
    """It has no label, and no letters of its own."""
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=(400, 300))
    page.rect(20, 20, 360, 260)
    page.acroForm.textfield(name="name", x=120, y=215, width=100, height=18, value="Ines Falk")
    page.save()
    assert load_bytes(out.getvalue(), "/name.pdf").text == "Ines Falk"


CATCH = [
    ("", "Herring", "Cod", "Plaice"),
    ("North sea (tonnes)",),
    ("Skerry", "412", "96", "31"),
    ("Holm", "388", "102", "27"),
    ("Inner fjord (tonnes)",),
    ("Skerry", "57", "12", "9"),
    ("Holm", "61", "14", "8"),
    ("Vik", "44", "11", "6"),
]


@pytest.mark.parametrize(("right", "step"), [(330, 15.5), (330, 11.7), (40, 15.5)])
def test_labels_of_a_chart_are_no_cells_of_the_table_beside_it(right, step):
    """The chart is right or left of the table; the names of the columns hold below a line that names a group."""
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=A4)
    left = 60 if right > 200 else 230
    for index, row in enumerate(CATCH):
        for x, cell in zip((left, left + 90, left + 150, left + 210), row, strict=False):
            draw(page, cell, x, 700 - 13 * index)
    for index in range(9):
        draw(page, str(900 - 100 * index), right, 712 - step * index, 6)
        page.line(right + 25, 714 - step * index, right + 150, 714 - step * index)
    for index, month in enumerate("JFMAMJJASOND"):
        draw(page, month, right + 30 + 10 * index, 565, 6)
    page.save()
    data = out.getvalue()
    doc = load_bytes(data, "/catch.pdf")
    rows = [f"{row[0]} | Herring: {row[1]} | Cod: {row[2]} | Plaice: {row[3]}" for row in CATCH if row[0] and row[1:]]
    assert "\n\nNorth sea (tonnes)\n\n" + "\n".join(rows[:2]) in doc.text
    assert "\n\nInner fjord (tonnes)\n\n" + "\n".join(rows[2:]) in doc.text
    start = doc.text.index("102")
    assert letters_in(data, rectangles(data, doc, Span(start, start + 3))) == "102"


def test_text_that_is_much_alike_is_no_header():
    """Of a header the numbers are the page's or the same; lines of a list at the head of a page have others."""
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=A4)
    for number in range(4):
        draw(page, f"Flood inquiry, volume 2, page {number + 11} of 94", 60, 810, 9)
        claims = [7 + 30 * number + 7 * (number == 2) + row for row in range(30)]
        draw(
            page,
            "|".join(f"Claim {claim} was paid in full, to the sum of {claim * 37} crowns." for claim in claims),
            60,
            780,
        )
        draw(page, f"- {number + 11} -", 290, 30, 9)
        page.showPage()
    page.save()
    document = load_bytes(out.getvalue(), "/claims.pdf")
    assert [claim for claim in (7, 8, 37, 67, 74, 104, 126) if f"Claim {claim} was" not in document.text] == [67]
    assert "volume" not in document.text
    assert len([note for note in document.notes if "page 11 of 94" in note]) == 1


def test_what_comes_again_below_the_name_of_a_table_is_no_header():
    """The unit of each table stands in one place on its page; above it is the table's own name."""
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=A4)
    for number, what in enumerate(("Sheep on the islands", "Boats by harbour", "Pupils by school", "Wells by parish")):
        draw(page, "Almanac of Velm", 60, 815, 8)
        draw(page, f"Table {number + 1}. {what}|[in thousands]", 60, 780)
        draw(page, "Nothing was counted in the year of the storm.|" * 20, 60, 740)
        page.showPage()
    page.save()
    document = load_bytes(out.getvalue(), "/almanac.pdf")
    assert document.text.count("[in thousands]") == 4
    assert "Almanac" not in document.text


def test_a_stamp_of_a_court_has_the_date():
    """That of the last filing."""
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=A4)
    for number in (1, 2):
        draw(page, "|".join(["The keeper of the light wrote down each ship that passed, and which way."] * 20), 60, 700)
        draw(page, f"Case 4:08-cv-02214-SBA Document 26 Filed 01/29/2009 Page {number} of 2", 60, 820, 8)
        draw(page, f"Case 4:08-cv-02214-SBA Document 27 Filed 02/03/09 Page {number} of 2", 60, 805, 8)
        page.showPage()
    page.save()
    assert load_bytes(out.getvalue(), "/order.pdf").date == "2009-02-03"


def test_a_journal_has_its_date_in_its_footers():
    """Left and right pages have their numbers on other sides; a date that differs is of what a page tells."""
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=A4)
    for number in (62, 63, 64, 65):
        draw(page, "|".join(["The keeper of the light wrote down each ship that passed, and which way."] * 40), 60, 770)
        footer = "Almanac of Velm / January 14, 2011 / Vol. 60"
        draw(page, f"{number} {footer}" if number % 2 == 0 else footer, 60 if number % 2 == 0 else 330, 40, 8)
        if number % 2:
            draw(page, f"{number}", 530, 40, 8)
        page.showPage()
    page.save()
    document = load_bytes(out.getvalue(), "/almanac.pdf")
    assert document.date == "2011-01-14"
    assert "Almanac" not in document.text


def test_a_page_number_far_above_the_edge_is_no_word_of_a_sentence():
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=A4)
    for number in (1, 2, 3):
        draw(
            page,
            "|".join(["The ferry of the island went out on every day of the winter, and nobody was"] * 40),
            60,
            690,
        )
        draw(page, f"{number}", 290, 140)
        page.showPage()
    page.save()
    assert not re.search(r"\d", load_bytes(out.getvalue(), "/ferry.pdf").text)


def test_what_stands_beside_the_page_number_is_a_footer():
    """Also on the only page, where nothing is repeated: it would come between the columns."""
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=A4)
    draw(
        page,
        "|".join(["The council met on Monday, and nobody was late."] * 57) + "|Fourth, a bridge should be built for",
        50,
        780,
    )
    draw(
        page,
        "the town of Orrelby. Nothing else was decided." + "|Traders lost three million in that time." * 20,
        320,
        780,
    )
    draw(page, "Health Watch Orrelby", 50, 40, 8)
    draw(page, "Page 1", 500, 40, 8)
    page.save()
    document = load_bytes(out.getvalue(), "/council.pdf")
    assert "Fourth, a bridge should be built for the town of Orrelby." in document.text
    assert document.notes == ("headers and footers of 1 of 1 pages are left out: “Health Watch Orrelby”, “Page 1”",)
