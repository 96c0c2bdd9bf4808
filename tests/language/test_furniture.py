"""What one expects to be able to quote from files as people have them, and what must not stand in a quotation."""

import io
from email.message import EmailMessage

import openpyxl

from rag.chunk import Chunker
from rag.load import load_bytes
from rag.models.encoder import HashEmbedder
from tests.conftest import speaker_at
from tests.load.test_formats import ODF
from tests.load.test_office import P, files, texts


def sentences(document):
    chunker = Chunker(HashEmbedder().count_tokens)
    return [span.of(document.text) for passage in chunker.passages(document) for span in passage.sentences]


def test_raised_figures_of_a_page_do_not_become_digits_of_a_number():
    """The sign of a footnote stays with the sentence before it; words stay as they are."""
    page = '<p>It rose in 2019<sup><a href="#3">3</a></sup> by 10<sup>6</sup>.<sup>4</sup> The 1<sup>st</sup> fell.</p>'
    doc = load_bytes(page.encode(), "/a.html")
    assert sentences(doc) == ["It rose in 2019³ by 10⁶.⁴", "The 1st fell."]


def test_a_cell_of_a_page_that_stands_alone_in_its_row_is_in_those_that_it_covers():
    rows = (
        "<th>Year</th><th>Month</th><th>Cost</th>",
        '<td rowspan="3">2025</td>',
        "<td>May</td><td>$7</td>",
        "<td>June</td><td>$9</td>",
    )
    doc = load_bytes(f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>".encode(), "/a.html")
    assert texts(doc)[1:] == ["2025", "Year: 2025 | Month: May | Cost: $7", "Year: 2025 | Month: June | Cost: $9"]


def test_items_of_a_page_have_their_numbers():
    page = "<ol start=4><li><p>First.</p><p>More.</p><li><img><li>Third.<ul><li>Point.</ul></ol><p>After.</p>"
    assert texts(load_bytes(page.encode(), "/a.html")) == ["4. First.", "More.", "6. Third.", "Point.", "After."]


def test_who_speaks_in_a_subtitle_opens_a_paragraph():
    cues = ("OWEN TARRANT: They left.", "RUTH PENHALLOW: Nobody told us.", "Nobody at all.", "OWEN TARRANT: I see.")
    source = "".join(f"{n}\n00:00:{n:02},000 --> 00:00:{n:02},900\n{text}\n\n" for n, text in enumerate(cues, 1))
    doc = load_bytes(source.encode(), "/a.srt")
    assert texts(doc) == [cues[0], " ".join(cues[1:3]), cues[3]]
    assert speaker_at(doc, doc.text.index("at all")) == "RUTH PENHALLOW"


def test_rich_text_gives_footnotes_and_no_deleted_words():
    """Its title and day too; the sentence around a footnote stays whole."""
    source = (
        rb"{\rtf1\ansi\ansicpg1252{\info{\title K\'f6ln report}{\creatim\yr2024\mo2\dy3}}"
        rb"{\pard The wall{\super\chftn{\footnote\pard {\b See} K\'f6ln, p. 4.\par}} fell{\b\deleted  never} on Friday"
        rb"{\v  secret}.\par}}"
    )
    doc = load_bytes(source, "/a.rtf")
    assert (doc.title, doc.date) == ("Köln report", "2024-02-03")
    assert texts(doc) == ["The wall fell on Friday.", "See Köln, p. 4."]
    assert doc.place_at(doc.text.index("See")) == "footnote"


def test_opendocument_gives_comments_and_no_contents():
    """A cell that spans rows is in each of them, what describes a picture in no sentence."""
    body = (
        "<text:table-of-content><text:p>Wall ... 1</text:p></text:table-of-content><text:p>The wall fell"
        "<office:annotation><creator>Bob</creator><text:p>Check.</text:p></office:annotation> at nine"
        "<frame><image/><title>A photo</title><desc>The wall</desc></frame>.</text:p><table:table>"
        '<table:table-row><table:table-cell table:number-rows-spanned="2"><text:p>North</text:p></table:table-cell>'
        "<table:table-cell><text:p>5</text:p></table:table-cell></table:table-row><table:table-row>"
        "<table:covered-table-cell/><table:table-cell><text:p>7</text:p></table:table-cell></table:table-row>"
        '<table:table-row><table:table-cell table:number-columns-spanned="2"><text:p>All</text:p></table:table-cell>'
        "<table:covered-table-cell/></table:table-row></table:table>"
    )
    doc = load_bytes(files({"content.xml": f"<c {ODF}><office:body>{body}</office:body></c>"}), "/a.odt")
    assert texts(doc) == ["The wall fell at nine.", "Check.", "North | 5", "North | 7", "All |"]
    assert doc.place_at(doc.text.index("Check")) == "comment by Bob"


def workbook(*rows, merged=(), formats=()):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Aid"
    for row in rows:
        sheet.append(row)
    for place in merged:
        sheet.merge_cells(place)
    for place, form in formats:
        sheet[place].number_format = form
    out = io.BytesIO()
    book.save(out)
    return load_bytes(out.getvalue(), "/a.xlsx")


def test_a_row_of_a_workbook_has_the_names_above_it_and_the_cells_that_cover_it():
    """Two rows of names, years among them, a region over two rows; each row still names its own cells."""
    doc = workbook(
        [],
        ["Aid by region"],
        ["Region", "2023", None, "2024"],
        [None, "Plan", "Spent", "Plan"],
        ["North", 5, 6, 7],
        [None, 8, 9, 10],
        ["South", 1, 2, 3],
        merged=("A3:A4", "B3:C3", "A5:A6"),
    )
    assert texts(doc) == [
        *("Aid", "Aid by region", "Region | 2023 | 2024", "Region | Plan | Spent | Plan"),
        "Region: North | 2023 Plan: 5 | 2023 Spent: 6 | 2024 Plan: 7",
        "Region: North | 2023 Plan: 8 | 2023 Spent: 9 | 2024 Plan: 10",
        "Region: South | 2023 Plan: 1 | 2023 Spent: 2 | 2024 Plan: 3",
    ]
    assert doc.place_at(doc.text.index("2023 Plan: 8")) == "Aid by region, Aid!A6:D6"


def test_years_name_columns_and_numbers_have_their_units():
    """A formula that nobody has computed is told, not passed over."""
    doc = workbook(
        ["Country", 2022, 2023],
        ["Syria", 1200.5, 7],
        ["Sum", "=SUM(B2:B2)", 3_000_000],
        formats=(("B2", "#,##0.00 [$€-407]"), ("C2", '"US$ "0'), ("C3", '0.0,, "million"')),
    )
    assert texts(doc)[1:] == [
        "Country | 2022 | 2023",
        "Country: Syria | 2022: 1,200.50 € | 2023: US$ 7",
        "Country: Sum | 2023: 3.0 million",
    ]
    assert doc.notes == ("1 formulas of the sheet Aid have no result; open it in a spreadsheet and save it",)


def test_a_message_is_quoted_with_what_it_carries():
    """A table, a forwarded message with its own sender, and the name of what is not read; each in its place."""
    inner = EmailMessage()
    inner["From"], inner["Subject"] = "carl@example.org", "Gate"
    inner.set_content("<p>Tor drei war schlie\u00dflich offen.</p>", subtype="html", charset="latin-1")
    outer = EmailMessage()
    outer["Subject"] = "Fwd: Gate"
    outer.set_content("See below.")
    outer.add_attachment(b"Day;Litres\nMon;1,5\n", "text", "csv", filename="figures.csv")
    outer.add_attachment(b"\x89PNG\r\n", "image", "png", filename="map.png")
    outer.add_attachment(inner)
    doc = load_bytes(outer.as_bytes(), "/a.eml")
    assert texts(doc) == [
        *("Fwd: Gate", "See below.", "figures.csv", "Day | Litres", "Day: Mon | Litres: 1,5"),
        *("message.eml", "Gate", "From: carl@example.org", "Tor drei war schließlich offen."),
    ]
    places = {text: doc.place_at(doc.text.index(text)) for text in ("See", "Day: Mon", "Tor")}
    assert places == {"See": "Fwd: Gate", "Day: Mon": "figures.csv, A2:B2", "Tor": "message.eml, Gate"}
    assert doc.notes == ("1 attachment not read: map.png",)


def test_a_page_saved_as_one_file_is_that_page():
    part = "Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    page = "<meta charset=3Dutf-8><title>Gate</title><p>Das Tor war gr=C3=BCn.</p>"
    head = 'MIME-Version: 1.0\r\nContent-Type: multipart/related; type="text/html"; boundary="x"\r\n\r\n'
    doc = load_bytes(f"{head}--x\r\n{part}{page}\r\n--x--\r\n".encode(), "/a.mhtml")
    assert (doc.title, texts(doc)) == ("Gate", ["Das Tor war grün."])


def test_a_comma_in_numbers_parts_no_cells():
    """Without names in the first row, where commas are as regular; and where the file says what parts its cells."""
    doc = load_bytes(b"1,5;2,5\n3,5;4,5\n", "/a.csv")
    assert texts(doc) == ["1,5 | 2,5", "3,5 | 4,5"]
    doc = load_bytes("sep=;\r\nOrt;Preis, €\r\nKöln;1,50\r\n".encode("cp1252"), "/a.csv")
    assert texts(doc) == ["Ort | Preis, €", "Ort: Köln | Preis, €: 1,50"]
    assert doc.place_at(doc.text.index("Köln")) == "A3:B3"


def test_a_slide_has_shapes_in_groups_and_no_copies_of_them():
    """Steps have numbers, a cell over two rows is in both, a diagram has its words, and notes are the speaker's."""

    def shape(*texts, looks=""):
        body = "".join(f"<a:p>{looks}<a:r><a:t>{text}</a:t></a:r></a:p>" for text in texts)
        return f"<p:sp><p:txBody>{body}</p:txBody></p:sp>"

    def cell(text, looks=""):
        return f"<a:tc {looks}><a:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></a:txBody></a:tc>"

    rows = (cell("North", 'rowSpan="2"') + cell("5"), cell("", 'vMerge="1"') + cell("7"))
    table = f"<p:graphicFrame><a:tbl>{''.join(f'<a:tr>{row}</a:tr>' for row in rows)}</a:tbl></p:graphicFrame>"
    steps = shape("Ask.", "Quote.", looks='<a:pPr><a:buAutoNum type="alphaUcParenR" startAt="3"/></a:pPr>')
    group = f"<p:grpSp><p:grpSp>{steps}</p:grpSp></p:grpSp>"
    twice = f"<p:Choice>{shape('New.')}</p:Choice><p:Fallback>{shape('Old.')}</p:Fallback>"
    relations = '<R><x Id="r1" Target="../notesSlides/notesSlide1.xml"/><x Id="r2" Target="../diagrams/data1.xml"/></R>'
    doc = load_bytes(
        files(
            {
                "ppt/presentation.xml": f'<p:p {P}><p:sldId r:id="r1"/></p:p>',
                "ppt/_rels/presentation.xml.rels": '<R><x Id="r1" Target="slides/s1.xml"/></R>',
                "ppt/slides/s1.xml": f"<p:sld {P}>{group}{twice}{table}</p:sld>",
                "ppt/slides/_rels/s1.xml.rels": relations,
                "ppt/notesSlides/notesSlide1.xml": f"<p:notes {P}>{shape('Say this.')}</p:notes>",
                "ppt/diagrams/data1.xml": f"<p:d {P}><p:pt><a:t>First</a:t></p:pt><p:pt><a:t>Then</a:t></p:pt></p:d>",
            }
        ),
        "/a.pptx",
    )
    assert texts(doc) == ["C) Ask.", "D) Quote.", "New.", "North | 5", "North | 7", "First", "Then", "Say this."]
    assert doc.place_at(doc.text.index("Say")) == "notes of slide 1"


def test_a_number_in_front_and_the_sign_of_a_footnote_stay_with_their_sentence():
    for text in ("1.2. The wall fell.", "IV. The wall fell.", "The wall fell.¹²"):
        doc = load_bytes(f"{text} Nobody was hurt.".encode(), "/a.txt")
        assert sentences(doc) == [text, "Nobody was hurt."]


def test_who_only_greets_or_signs_says_nothing():
    """In a mail, whose names are known; a word that may be an answer is a sentence."""
    message = (
        "From: Ann Hill <a@b.c>\n\nTom,\n\nthe dam will hold.\n\nAnn\n\nOn 3 May 2023, Tom Bell <t@b.c> wrote:\n"
        "> Dear Ann,\n>\n> Agreed?\n>\n> Tom Bell"
    )
    document = load_bytes(message.encode(), "/a.eml")
    passages = Chunker(lambda texts: [len(text.split()) for text in texts]).passages(document)
    found = [sentence.of(document.text) for passage in passages for sentence in passage.sentences]
    assert [found[1], found[-1]] == ["the dam will hold.", "Agreed?"]
    assert not {"Tom,", "Ann", "Dear Ann,", "Tom Bell"} & set(found)


def test_a_line_of_contents_is_no_sentence():
    """Nor is one with its leaders pressed together; a sentence that trails off before a number is one."""
    lines = ("2.1 The harbour " + ". " * 60 + "9", "Preface........ xi", "He counted ... 9 boats came.", "It rained.")
    doc = load_bytes("\n\n".join(lines).encode(), "/a.txt")
    assert sentences(doc) == list(lines[2:])
