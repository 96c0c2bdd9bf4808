"""Word, PowerPoint, Excel and CSV: made here, read back, each loss named."""

import datetime as dt
import io
import zipfile

import pytest

from rag.errors import LoadError, Skipped
from rag.load import load_bytes
from rag.load.tables import heading_row
from rag.records import Citation
from tests.load.test_load import check

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
P = (
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
CORE = (
    '<x xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:t="http://purl.org/dc/terms/">'
    "<dc:title>Floods</dc:title><t:created>2024-02-03T10:00:00Z</t:created></x>"
)


def package(**members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in members.items():
            made.writestr(name.replace("__", "/"), text)
    return out.getvalue()


def files(members):
    return package(**{name.replace("/", "__"): text for name, text in members.items()})


def word(body, **more):
    styles = f'<w:styles {W}><w:style w:styleId="H1"><w:name w:val="heading 1"/></w:style></w:styles>'
    document = f"<w:document {W}><w:body>{body}</w:body></w:document>"
    return files({"word/document.xml": document, "word/styles.xml": styles, "docProps/core.xml": CORE, **more})


def para(text, style=""):
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{properties}<w:r><w:t>{text}</w:t></w:r></w:p>"


def texts(doc):
    check(doc)
    return [block.of(doc.text) for block in doc.blocks]


def test_word_gives_headings_paragraphs_and_table_rows():
    """Deleted words are left out, a row is one block with a name of its own."""
    rows = "".join(
        f"<w:tr>{''.join(f'<w:tc>{para(cell)}</w:tc>' for cell in row)}</w:tr>"
        for row in (("Quay", "Loss"), ("East", "2"))
    )
    deleted = "<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:r><w:t>kept</w:t></w:r></w:p>"
    doc = load_bytes(
        word(para("Damage", "H1") + para("Türkiye 😀 قال.") + deleted + f"<w:tbl>{rows}</w:tbl>"), "/a.docx"
    )
    assert texts(doc) == ["Damage", "Türkiye 😀 قال.", "kept", "Quay | Loss", "East | 2"]
    assert (doc.title, doc.date) == ("Floods", "2024-02-03")
    assert doc.section_at(doc.text.index("kept")) == "Damage"
    assert doc.place_at(doc.text.index("East")) == "Damage, table 1, row 2"


def test_word_footnotes_and_pictures_are_told():
    """Footnotes are read, pictures named as lost."""
    notes = f"<w:footnotes {W}><w:footnote>{para('A note.')}</w:footnote></w:footnotes>"
    doc = load_bytes(word(para("Text.") + "<w:blip/>", **{"word/footnotes.xml": notes}), "/a.docx")
    assert texts(doc) == ["Text.", "A note."]
    assert doc.notes == ("1 picture not read",)


def test_slides_are_pages():
    """Titles are headings, notes are read, slide numbers are not."""

    def shape(text, kind):
        body = f"<p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody>"
        return f'<p:sp><p:nvPr><p:ph type="{kind}"/></p:nvPr>{body}</p:sp>'

    def slide(*shapes):
        return f"<p:sld {P}>{''.join(shapes)}</p:sld>"

    doc = load_bytes(
        files(
            {
                "ppt/presentation.xml": f'<p:p {P}><p:sldId r:id="r1"/><p:sldId r:id="r2"/></p:p>',
                "ppt/_rels/presentation.xml.rels": (
                    '<R><x Id="r1" Target="slides/s1.xml"/><x Id="r2" Target="slides/s2.xml"/></R>'
                ),
                "ppt/slides/s1.xml": slide(shape("Points.", "body"), shape("Floods", "title"), shape("7", "sldNum")),
                "ppt/slides/s2.xml": slide(shape("More.", "body")),
            }
        ),
        "/a.pptx",
    )
    assert texts(doc) == ["Floods", "Points.", "More."]
    assert doc.page_at(doc.text.index("More")) == 2
    assert doc.title == "Floods"


def test_charts_and_comments_of_slides_are_read():
    """The numbers of a chart with category and series, a comment with its author; each on its slide."""

    def points(*values):
        return "".join(f'<c:pt idx="{index}"><c:v>{value}</c:v></c:pt>' for index, value in enumerate(values))

    def series(name, *values):
        years = f"<c:cat>{points(2019, 2020)}</c:cat>"
        return f"<c:ser><c:tx>{points(name)}</c:tx>{years}<c:val>{points(*values)}</c:val></c:ser>"

    doc = load_bytes(
        files(
            {
                "ppt/presentation.xml": f'<p:p {P}><p:sldId r:id="r1"/></p:p>',
                "ppt/_rels/presentation.xml.rels": '<R><x Id="r1" Target="slides/s1.xml"/></R>',
                "ppt/slides/s1.xml": (
                    f"<p:sld {P}><p:sp><p:txBody><a:p><a:t>Floods.</a:t></a:p></p:txBody></p:sp></p:sld>"
                ),
                "ppt/slides/_rels/s1.xml.rels": (
                    '<R><x Id="a" Target="../charts/chart1.xml"/><x Id="b" Target="../comments/comment1.xml"/></R>'
                ),
                "ppt/charts/chart1.xml": (
                    '<c:s xmlns:c="c" xmlns:a="a"><c:chart><c:title><a:t>Loss by year</a:t></c:title>'
                    f"{series('East', 1, '4.4000000000000004')}{series('West', 3)}</c:chart></c:s>"
                ),
                "ppt/comments/comment1.xml": f'<p:l {P}><p:cm authorId="0"><p:text>Check this.</p:text></p:cm></p:l>',
                "ppt/commentAuthors.xml": f'<p:l {P}><p:cmAuthor id="0" name="Ada"/></p:l>',
            }
        ),
        "/a.pptx",
    )
    rows = ["East | West", "2019 | East: 1 | West: 3", "2020 | East: 4.4"]
    assert texts(doc) == ["Floods.", "Loss by year", *rows, "Check this."]
    assert doc.place_at(doc.text.index("2020")) == "chart 1, row 2"
    assert doc.place_at(doc.text.index("Check")) == "slide 1, comment by Ada"
    assert doc.page_at(doc.text.index("Check")) == 1


def test_comments_of_a_workbook_name_their_cell():
    """And who wrote them; a row far below is read too."""
    import openpyxl
    from openpyxl.comments import Comment

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Costs"
    sheet["B2"] = "East"
    sheet["B2"].comment = Comment("Why so much?", "Ada")
    sheet["A5000"] = "the end"
    out = io.BytesIO()
    book.save(out)
    doc = load_bytes(out.getvalue(), "/a.xlsx")
    assert texts(doc) == ["Costs", "East", "the end", "Why so much?"]
    assert doc.place_at(doc.text.index("Why")) == "Costs!B2, comment by Ada"
    assert doc.place_at(doc.text.index("the end")) == "Costs!A5000"


def test_a_row_of_a_workbook_keeps_its_header_and_names_its_cells():
    """Dates, shares and hidden sheets; a citation names the cells of its own row."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Costs"
    for cells in (("Quay", "Loss", "Day"), ("East", 0.25, dt.datetime(2024, 2, 3)), ("West", 2, None)):  # noqa: DTZ001
        sheet.append(cells)
    sheet["B2"].number_format = "0%"
    book.create_sheet("Secret").sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    doc = load_bytes(out.getvalue(), "/a.xlsx")
    assert texts(doc)[:4] == [
        "Costs",
        "Quay | Loss | Day",
        "Quay: East | Loss: 25% | Day: 2024-02-03",
        "Quay: West | Loss: 2",
    ]
    assert doc.notes == ("the sheet Secret is hidden and was read as well",)
    rows = doc.blocks[1:4]
    cite = Citation.of(doc.passage(doc.blocks[1], rows[:1]), rows[0])
    assert cite.section == "Costs!A1:C1"
    whole = type(rows[0])(rows[0].start, rows[2].end)
    passage = doc.passage(whole, rows)
    assert Citation.of(passage, rows[2]).section == "Costs!A3:B3"
    assert Citation.of(passage, whole).section == "Costs!A1:C1 – Costs!A3:B3"


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_csv_rows_keep_their_header(mark):
    """Whatever parts the cells; a cell with line ends stays one row."""
    rows = [["Name", "Note"], ["Ada", f'"a{mark} b\nc"'], ["李", "9"]]
    doc = load_bytes("\n".join(mark.join(row) for row in rows).encode(), "/a.csv")
    assert texts(doc)[1:] == [
        f"Name: Ada | Note: a{chr(32) if mark == chr(9) else mark} b c".replace("  ", " "),
        "Name: 李 | Note: 9",
    ]
    assert doc.place_at(doc.text.index("李")) == "A3:B3"


def test_csv_may_have_long_cells_and_no_header():
    """More than the 131,072 characters of the standard library."""
    doc = load_bytes(b"1,2\n3," + b"x" * 200_000, "/a.csv")
    assert len(doc.text) > 200_000
    check(doc)


def test_bad_packages_are_reported():
    """Damaged, encrypted, too many members, too tightly packed, entities that would explode."""
    with pytest.raises(LoadError, match="damaged"):
        load_bytes(b"PK\x03\x04 nothing", "/a.docx")
    with pytest.raises(LoadError, match="encrypted"):
        load_bytes(b"\xd0\xcf\x11\xe0" + bytes(600), "/a.docx")
    with pytest.raises(Skipped, match="2001 files"):
        load_bytes(files({f"m{number}": "" for number in range(2001)}), "/a.docx")
    with pytest.raises(Skipped, match="-fold"):
        load_bytes(word(" " * 50_000_000), "/a.docx")
    with pytest.raises(LoadError, match="missing"):
        load_bytes(files({"a": "b"}), "/a.docx")
    laughs = (
        '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
        f"<w:document {W}><w:p><w:r><w:t>&b;</w:t></w:r></w:p></w:document>"
    )
    with pytest.raises(Skipped, match="no text"):
        load_bytes(files({"word/document.xml": laughs}), "/a.docx")


def test_word_lists_and_headings_have_their_numbers():
    """As Word counts them: by level, over what stands between, in the letters of the list, also by a style."""
    levels = (("decimal", "%1."), ("decimal", "%1.%2"), ("lowerRoman", "(%3)"), ("bullet", "o"))
    defined = "".join(
        f'<w:lvl w:ilvl="{index}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:lvlText w:val="{text}"/></w:lvl>'
        for index, (kind, text) in enumerate(levels)
    )
    lists = (
        f'<w:numbering {W}><w:abstractNum w:abstractNumId="7">{defined}</w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="7"/>'
        '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="9"/></w:lvlOverride></w:num></w:numbering>'
    )
    numbers = '<w:numPr><w:ilvl w:val="{}"/><w:numId w:val="{}"/></w:numPr>'
    styles = (
        f'<w:styles {W}><w:style w:styleId="H1"><w:name w:val="heading 1"/>'
        f"<w:pPr>{numbers.format(0, 1)}</w:pPr></w:style>"
        '<w:style w:styleId="T1"><w:name w:val="toc 1"/></w:style></w:styles>'
    )

    def item(text, level, key=1):
        return f"<w:p><w:pPr>{numbers.format(level, key)}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"

    body = (
        *(para("Duty ... 1", "T1"), para("Duty", "H1"), item("Of care.", 1), para("Text."), item("To report.", 1)),
        *(item("At once.", 2), item("In writing.", 2), item("A point.", 3), para("Right", "H1"), item("To know.", 1)),
        item("Restarted.", 0, 2),
    )
    doc = load_bytes(word("".join(body), **{"word/numbering.xml": lists, "word/styles.xml": styles}), "/a.docx")
    assert texts(doc) == [
        *("1. Duty", "1.1 Of care.", "Text.", "1.2 To report.", "(i) At once.", "(ii) In writing.", "- A point."),
        *("2. Right", "2.1 To know.", "9. Restarted."),
    ]
    assert doc.section_at(doc.text.index("To know")) == "2. Right"


def test_word_keeps_figures_apart_and_hidden_words_out():
    """Raised figures do not become digits of the number before; formulas stand as they are typed."""

    def run(text, look=""):
        return f'<w:r><w:rPr>{look}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'

    def maths(name, **parts):
        return f"<w:{name}>" + "".join(f"<w:{key}>{value}</w:{key}>" for key, value in parts.items()) + f"</w:{name}>"

    up, shown = '<w:vertAlign w:val="superscript"/>', '<w:vanish w:val="0"/>'
    square = maths("sSup", e=maths("d", e="<w:t>a+b</w:t>"), sup="<w:t>2</w:t>")
    body = (
        f"<w:p>{run('In 2019')}{run('3', up)}{run(' 10')}{run('-6', up)}{run(' of the 1')}{run('st', up)}"
        f"{run(' secret', '<w:vanish/>')}{run(' kind.', shown)}</w:p>"
        f"<w:p><w:oMath>{maths('f', num=square, den='<w:t>2</w:t>')}</w:oMath></w:p>"
    )
    doc = load_bytes(word(body), "/a.docx")
    assert texts(doc) == ["In 2019³ 10⁻⁶ of the 1st kind.", "((a+b)^2)/2"]
    assert doc.notes == ("1 piece of hidden text not read",)


def test_word_tables_margins_and_comments_say_what_belongs_where():
    """A cell that spans rows is in each; a row that repeats names columns; a letterhead is read once."""

    def cell(text, looks=""):
        return f"<w:tc><w:tcPr>{looks}</w:tcPr>{para(text)}</w:tc>"

    rows = (
        cell("2024", '<w:gridSpan w:val="2"/>') + cell("Note"),
        cell("North", '<w:vMerge w:val="restart"/>') + cell("5") + cell("late"),
        cell("", "<w:vMerge/>") + cell("7") + cell(""),
    )
    named = ("<w:trPr><w:tblHeader/></w:trPr>" + cell("Day") + cell("Rain"), cell("Monday") + cell("30 mm"))
    header = f"<w:hdr {W}>{para('Ministry of Works')}{para('Page 2 of 3')}</w:hdr>"
    remark = f'<w:comments {W}><w:comment w:author="Bob">{para("Is it true?")}</w:comment></w:comments>'
    parts = {"word/header1.xml": header, "word/header2.xml": header, "word/comments.xml": remark}
    tables = (f"<w:tbl>{''.join(f'<w:tr>{each}</w:tr>' for each in table)}</w:tbl>" for table in (rows, named))
    doc = load_bytes(word("".join(tables), **parts), "/a.docx")
    assert texts(doc) == [
        *("2024 | Note", "North | 5 | late", "North | 7 |", "Day | Rain", "Day: Monday | Rain: 30 mm"),
        *("Is it true?", "Ministry of Works"),
    ]
    assert [doc.place_at(doc.text.index(each)) for each in ("Is it", "Minis")] == ["comment by Bob", "header"]


def test_a_table_that_does_not_say_so_may_have_names_of_columns():
    """Three columns, numbers or few different values below names are a table of data; a form of two columns is none."""
    data = ["Site|Beds|Staff", "Pelham|118|1,105", "Abbey Row|0|61"]
    votes = ["Member|Vote", "Roode|For", "Ebbs|Against", "Lasky|For", "Sadiq|For"]
    form = ["Name|Ada Hill", "Town|York", "Trade|Baker"]
    named = [
        *("Site | Beds | Staff", "Site: Pelham | Beds: 118 | Staff: 1,105", "Site: Abbey Row | Beds: 0 | Staff: 61"),
        *("Member | Vote", "Member: Roode | Vote: For", "Member: Ebbs | Vote: Against", "Member: Lasky | Vote: For"),
        *("Member: Sadiq | Vote: For", "Name | Ada Hill", "Town | York", "Trade | Baker"),
    ]
    tables = [[line.split("|") for line in table] for table in (data, votes, form)]
    word_rows = (
        "".join(f"<w:tr>{''.join(f'<w:tc>{para(cell)}</w:tc>' for cell in line)}</w:tr>" for line in table)
        for table in tables
    )
    doc = load_bytes(word("".join(f"<w:tbl>{rows}</w:tbl>" for rows in word_rows)), "/a.docx")
    assert texts(doc) == named
    assert [heading_row(table) for table in tables] == [data[0].split("|"), votes[0].split("|"), []]
    assert heading_row([]) == []


def stamped(date, modified=None):
    """Core properties with these dates."""
    later = f"<t:modified>{modified}</t:modified>" if modified else ""
    return f'<x xmlns:t="http://purl.org/dc/terms/"><t:created>{date}</t:created>{later}</x>'


def test_the_date_of_a_template_is_no_date():
    """Of python-docx and python-pptx. When a file was changed counts before when it was begun, maybe as another one."""
    data = word(para("Words."), **{"docProps/core.xml": stamped("2019-02-02T10:00:00Z", "2020-02-02T10:00:00Z")})
    assert load_bytes(data, "/a.docx").date == "2020-02-02"
    for stamp in ("2013-12-23T23:15:00Z", "2013-01-27T09:14:16Z"):
        data = word(para("Words."), **{"docProps/core.xml": stamped(stamp, stamp)})
        assert load_bytes(data, "/a.docx").date is None
        data = word(para("Words."), **{"docProps/core.xml": stamped(stamp, "2020-02-02T10:00:00Z")})
        assert load_bytes(data, "/a.docx").date == "2020-02-02"


def test_a_date_in_the_first_lines_is_better_than_a_stamp():
    """In all formats of office programs; the dates in a table's rows are of what the rows tell."""
    core = stamped("2024-01-01T10:00:00Z")
    data = word(para("Recorded on 9 May 2023 at the Café. Present: all."), **{"docProps/core.xml": core})
    assert load_bytes(data, "/a.docx").date == "2023-05-09"

    def workbook(*rows):
        import openpyxl

        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        out = io.BytesIO()
        book.save(out)
        return load_bytes(out.getvalue(), "/a.xlsx")

    table = [["Date", "Place"], ["2022-01-17", "Harbour"], ["2022-02-17", "School"]]
    assert workbook(*table).date > "2026"  # now: openpyxl stamps what it saves
    assert workbook(["As of 3 June 2023"], [], *table).date == "2023-06-03"


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        (
            "Wardens of the hall,,|||Hall,County,Warden|||Kelby,Lowland,Carl Ellis|Otter,East,Ben Drew",
            "Warden: Ben Drew",
        ),
        ("In crowns,May 2023,,|,Sales,Costs,Profit|||North,5,6,7", "May 2023 Costs: 6"),
        ("In crowns,,,May 2023|,Sales,Costs,Profit|||North,5,6,7", "May 2023 Costs: 6"),  # names to the left of it
        (",2023,|Ward,Plan,Done|East,5,7", "Ward: East | 2023 Plan: 5 | 2023 Done: 7"),
        ("Ward,2022,,2023,|,Plan,Done,Plan,Done|East,5,6,7,8", "2022 Done: 6 | 2023 Plan: 7"),
        ("Ward,Plan,Done|||East,5,6|||Total,9,9", "Ward: Total | Plan: 9 | Done: 9"),
        ("Ward,Plan,Done|||Inland|East,5,6|||Coast|Mill,8,9", "Ward: Mill | Plan: 8 | Done: 9"),
        ("Firm,Ostra AG|||Item,Price|Tea,3|||Rate,5", "\n\nRate | 5"),  # other tables
        ("Town,County,Mayor|||Kelby,Low,Carl|||Otter,East,Ben", "\n\nOtter | East | Ben"),  # in doubt
        ("Tenant,Petra Lund,Flat,Third|Deposit,1450,Heat,Gas|Phone,555,Keys,3|Area,60,Door,Blue", "Phone | 555 | Keys"),
        ("Name,Ada|Born,1815|Town,York|Rooms,3", "Born | 1815\nTown | York"),
        ("Name:,Ada|Trade:,Smith|Town:,York", "Trade: | Smith"),
    ],
)
def test_names_of_columns_are_found_as_a_person_finds_them(rows, named):
    """After a title, before an empty row, in two rows; labels of a form name no columns."""
    doc = load_bytes(rows.replace("|", "\n").encode(), "/a.csv")
    assert named in doc.text


def test_names_that_are_said_again_are_no_row():
    doc = load_bytes(b"Ward,2022,,2023,\n,Plan,Done,Plan,Done\nEast,5,6,7,8\n" * 2, "/a.csv")
    assert doc.text.count("Ward | 2022 | 2023\nPlan | Done | Plan | Done") == 2
    assert doc.text.count("Ward: East | 2022 Plan: 5") == 2


def test_merged_names_above_an_empty_row():
    import openpyxl

    book = openpyxl.Workbook()
    for cells in (["Wards"], [], [None, 2023], ["Ward", "Plan", "Done"], [], ["East", 5, 6]):
        book.active.append(cells)
    book.active.merge_cells("B3:C3")
    book.save(out := io.BytesIO())
    assert load_bytes(out.getvalue(), "/a.xlsx").text.endswith("Ward: East | 2023 Plan: 5 | 2023 Done: 6")
