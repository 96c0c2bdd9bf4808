"""PDF: reading order, whole sentences, pages, rectangles; a PDF with all that is hard, made here."""

import io

import pytest

from rag.chunk import Chunker
from rag.errors import InputError, LoadError
from rag.load import load_bytes
from rag.load.pdf.rectangles import rectangles
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


def test_a_table_row_is_one_block(doc):
    """Cells stand in one line."""
    assert [block.of(doc.text) for block in doc.blocks][-3:] == [" | ".join(row) for row in ROWS]


@pytest.mark.parametrize(
    ("quote", "pages", "count"),
    [
        ("The crane at the eastern quay fell into the river", [1, 1], 2),
        ("help and received an answer within a week.", [1, 1], 2),
        ("who then left it in a drawer.", [1, 2], 2),
        ("East | 2.1 million | 11", [2], 1),
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
        assert letters_in(data, rectangles(data, doc, span)) == letters(span.of(doc.text))


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
        found = library.rectangles(name, span)
        page = Image.open(io.BytesIO(library.page_picture(name, span, number)))
        assert page.size == (1191, 1684)
        yellow = np.argwhere((np.asarray(page) == (255, 233, 92)).all(axis=2))[:, ::-1]
        (_, *box) = next(each for each in found if each.page == number)
        x0, y0, x1, y1 = (2 * edge for edge in box)
        assert len(yellow) > 0.5 * (x1 - x0) * (y1 - y0)
        assert (yellow >= (x0 - 1, y0 - 1)).all()
        assert (yellow <= (x1 + 1, y1 + 1)).all()
    assert library.page_picture(str(path), span) == library.page_picture(str(path), span, 1)
    with pytest.raises(InputError, match="no page 9"):
        library.page_picture(str(path), span, 9)
    path.write_bytes(data + b"\n")
    with pytest.raises(LoadError, match="has changed since"):
        library.page_picture(str(path), span)
    (tmp_path / "a.txt").write_text("The crane fell.")
    library.index(tmp_path / "a.txt")
    assert library.rectangles("a.txt", Span(0, 3)) == []
    with pytest.raises(InputError, match="no PDF"):
        library.page_picture("a.txt", Span(0, 3))


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
    (box,) = library.rectangles("scan.pdf", Span(start, len(doc.text)))
    assert box.page == 2
    assert (box.x0, box.x1) == pytest.approx((48, 360), abs=25)
    assert library.page_picture("scan.pdf", Span(0, 9)).startswith(b"\x89PNG")


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
