"""Web pages and Word files as a person sees them: nothing lost, nothing hidden read, nothing torn."""

import io

import pytest
from docx import Document as WordDocument
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt, RGBColor
from lxml.html import fragments_fromstring

from rag.chunk import Chunker
from rag.load import load_bytes

SENTENCES = (
    "<p>The ferry of Tarn leaves the old pier each morning at seven and carries bread, letters and a few guests.</p>"
    "<p>It was built by the men of the village in one long winter, when the ice kept every other boat ashore.</p>"
)


def blocks(page, uri="/a.html"):
    """Return the blocks of a page as lines."""
    doc = load_bytes(page.encode(), uri)
    assert all(span.of(doc.text) for span in doc.blocks)
    return doc.text.split("\n\n")


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        (
            "<h2>The crew</h2><ul><li>Two sailors.</li><li>One cook.</li></ul>",
            ["The crew", "Two sailors.", "One cook."],
        ),
        ("<dl><dt>Fare</dt><dd>Four marks.</dd></dl>", ["Fare", "Four marks."]),
        ("<figure><img src='a.png'><figcaption>The pier in May.</figcaption></figure>", ["The pier in May."]),
        ("<div>Dogs travel free.</div>", ["Dogs travel free."]),
        ("<ol><li>Ring the bell.</li><li>Wait.</li></ol>", ["1. Ring the bell.", "2. Wait."]),
    ],
)
@pytest.mark.parametrize(
    "site",
    [
        "<script>x()</script>",
        "<nav><ul><li><a href='/a'>Home of ferries</a></li></ul></nav>",
        "<footer>Imprint</footer>",
    ],
)
def test_a_short_page_keeps_what_is_seen(inner, expected, site):
    """Whatever a site has around it."""
    found = blocks(f"<html><body>{site}<div>{SENTENCES}{inner}</div></body></html>")
    assert found[2:] == expected
    assert len(blocks(f"<html><body>{site}{inner}{SENTENCES}</body></html>")) == len(expected) + 2


def test_what_is_beside_a_short_text_stays_out():
    """Navigation, links to other pages, what is named after cookies."""
    beside = "<aside>Weather: rain</aside><div class='cookie-note'>We use cookies.</div>"
    beside += "<ul><li><a href='/1'>Another story of boats</a></li><li><a href='/2'>And one of trains</a></li></ul>"
    assert len(blocks(f"<html><body><header>Tarn News</header>{SENTENCES}{beside}</body></html>")) == 2


STATEMENT = """
<p>The dairy published its accounts.</p>
<table>
<tr><td></td><td></td><td></td><td colspan=7>Quarter ended</td></tr>
<tr><td></td><td></td><td></td><td colspan=3>June 30, 2024</td><td></td><td colspan=3>June 30, 2023</td></tr>
<tr><td colspan=3>Income:</td></tr>
<tr><td colspan=3>Milk</td><td>$</td><td>412</td><td></td><td></td><td>$</td><td>398</td><td></td></tr>
<tr><td colspan=3>Cheese, net</td><td colspan=2>(17</td><td>)</td><td></td><td colspan=2>(9</td><td>)</td></tr>
<tr><td colspan=3>Total income</td><td>$</td><td>395</td><td></td><td></td><td>$</td><td>389</td><td></td></tr>
<tr><td colspan=3>Cash</td><td colspan=2>88</td><td></td><td></td><td colspan=2>91</td><td></td></tr>
</table>
<table><tr><td>Name</td><td></td><td>Pay</td></tr><tr><td>Ada</td><td>$</td><td>10</td></tr>
<tr><td>Ben</td><td></td><td>12</td></tr></table>
<table><tr><td></td><td>•</td><td>no data at all</td></tr></table>
<table><tr><td>Clerk</td><td></td><td>Lund, of the council</td></tr></table>
"""


def test_a_message_and_a_book_name_the_columns_of_their_tables_too():
    """They are read whole, since nothing is beside their text; only tables with data are counted."""
    page = "<table><tr><td><p>One.</p></td></tr></table><table><tr><th>Boat</th><th>Seats</th></tr>"
    page += "<tr><td>Alba</td><td>12</td></tr></table>"
    mail = f"From: a@example.org\nContent-Type: text/html\n\n{page}"
    for found in (load_bytes(mail.encode(), "/a.eml"), load_bytes(page.encode(), "/a.html")):
        assert "Boat: Alba | Seats: 12" in found.text
        assert [mark.name for mark in found.marks] in ([], ["table 1, row 1", "table 1, row 2"])


def test_a_table_laid_out_for_print_has_names_and_whole_amounts():
    """As accounts and filings have it: columns of spaces, signs in cells of their own, names over several columns."""
    text = load_bytes(STATEMENT.encode(), "/accounts.html").text
    assert text.split("\n\n")[1:] == [
        "Quarter ended",
        "June 30, 2024 | June 30, 2023",
        "Income:",
        "Milk | Quarter ended June 30, 2024: $412 | Quarter ended June 30, 2023: $398",
        "Cheese, net | Quarter ended June 30, 2024: (17) | Quarter ended June 30, 2023: (9)",
        "Total income | Quarter ended June 30, 2024: $395 | Quarter ended June 30, 2023: $389",
        "Cash | Quarter ended June 30, 2024: 88 | Quarter ended June 30, 2023: 91",
        "Name | Pay",
        "Name: Ada | Pay: $10",
        "Name: Ben | Pay: 12",
        "• no data at all",
        "Clerk | Lund, of the council",
    ]


def test_tables_in_tables_are_read():
    """Each with its rows."""
    inner = "<table><tr><th>Boat</th><th>Seats</th></tr><tr><td>Alba</td><td>12</td></tr></table>"
    other = "<table><tr><td>Brio</td><td>30</td></tr></table>"
    page = f"<script>x()</script>{SENTENCES}<table><tr><td>{inner}</td><td>Note{other}</td></tr></table>"
    assert blocks(page)[2:] == ["Boat | Seats", "Boat: Alba | Seats: 12", "Note", "Brio | 30"]


@pytest.mark.parametrize("site", ["", "<script>x()</script>"])
def test_unknown_elements_are_inline(site):
    """Also inside of each other."""
    page = f"{site}<p>Sales "
    page += "<ix:nonFraction>4<x-unit><b>1</b>.2</x-unit></ix:nonFraction> million (<my-tag>2021</my-tag>).</p>"
    assert blocks(page) == ["Sales 41.2 million (2021)."]


@pytest.mark.parametrize(
    "style",
    [
        "font-size:0",
        "FONT-SIZE: 0px",
        "font-size:0.1em;margin:0",
        "font-size:1px",
        "color:white",
        "color: #FFF !important",
        "color:rgb(255, 255, 255)",
        "visibility:hidden",
        "opacity:0",
        "color:#ffffff;background-color:white",
        "display:none",
    ],
)
@pytest.mark.parametrize("site", ["", "<script>x()</script>"])
def test_hidden_text_of_a_page_is_left_out_and_named(style, site):
    """However it is hidden."""
    doc = load_bytes(f"{site}<p>Seen by all.</p><p style='{style}'>Never <b>seen</b>.</p>".encode(), "/a.html")
    assert doc.text == "Seen by all."
    assert doc.notes == ("1 piece of hidden text not read",)


@pytest.mark.parametrize(
    "page",
    [
        "<style>.x{background:navy}</style><p style='color:white'>Seen.</p>",
        "<div style='background-color:#000'><p style='color:#fff'>Seen.</p></div>",
        "<div style='font-size:0'><span style='font-size:14px'>Seen.</span></div>",
        "<p style='font-size:1em;opacity:0.5;line-height:0'>Seen.</p>",
        "<p style='font-size:10px;border-color:white'>Seen.</p>",
        "<p style='font-size:0.9em'>Seen.</p>",
    ],
)
def test_text_that_is_seen_is_read(page):
    """White on a dark ground, and small but not too small."""
    doc = load_bytes(page.encode(), "/a.html")
    assert (doc.text, doc.notes) == ("Seen.", ())


def test_a_line_that_led_to_links_is_not_a_heading():
    """Long pages are the main text without lists of links."""
    links = "<h4>More:</h4><ul>" + "<li><a href='/x'>Another story of the sea</a></li>" * 3 + "</ul>"
    page = f"<article>{SENTENCES * 4}{links}"
    page += f"<p>The captain of the ferry has served for forty years.</p>{SENTENCES}</article>"
    assert "More:" not in blocks(f"<html><body><script>x()</script>{page}</body></html>")


def word(*runs):
    """Return a Word file of paragraphs, each made by a function of its run."""
    document = WordDocument()
    document.add_paragraph("Seen by all.")
    for make in runs:
        make(document.add_paragraph().add_run("Not seen."))
    target = io.BytesIO()
    document.save(target)
    return load_bytes(target.getvalue(), "/a.docx")


def white(run):
    """Make the letters of a run white."""
    run.font.color.rgb = RGBColor(255, 255, 255)


def tiny(run):
    """Make the letters of a run one point high."""
    run.font.size = Pt(1)


def vanish(run):
    """Hide a run as Word does."""
    run.font.hidden = True


def marked(run):
    """Make white letters on black."""
    white(run)
    shade = OxmlElement("w:shd")
    shade.set(qn("w:fill"), "000000")
    run._r.get_or_add_rPr().append(shade)


def test_hidden_text_of_a_word_file_is_left_out_and_named():
    """White, tiny, hidden; not white on black."""
    doc = word(white, tiny, vanish)
    assert (doc.text, doc.notes) == ("Seen by all.", ("3 pieces of hidden text not read",))
    assert word(marked).text == "Seen by all.\n\nNot seen."


PROSE = "".join(
    f"<p>In the year {year} the ferry of Tarn carried {year * 3} guests and their goats over the cold grey sound.</p>"
    for year in range(1901, 1916)
)


def long_page(inner, beside="", head=""):
    """Return the blocks of an article on a site, without its prose, and the document."""
    page = f"<html><body><script>x()</script><nav><a href='/'>Start</a></nav>{head}<div id='main'>"
    page += f"{PROSE}{inner}{PROSE.replace('19', '18')}</div>{beside}</body></html>"
    doc = load_bytes(page.encode(), "/a.html")
    return [block for block in doc.text.split("\n\n") if not block.startswith("In the year")], doc


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("<h2>Winter</h2>", ["Winter"]),
        ("<ul><li>Bread</li><li>Salt</li></ul>", ["Bread", "Salt"]),
        ("<figure><img src='a.png'><figcaption>The pier in ice.</figcaption></figure>", ["The pier in ice."]),
        ("<dl><dt>Fare</dt><dd>Four marks</dd></dl>", ["Fare", "Four marks"]),
        (
            "<table><tr><th>Boat</th><th>Seats</th></tr><tr><td>Alba</td><td>12</td></tr></table>",
            ["Boat | Seats", "Boat: Alba | Seats: 12"],
        ),
        ("<blockquote>We never turned back.</blockquote>", ["We never turned back."]),
        (
            f"<div class='note'>Note: {'the ferry waits for no goat. ' * 5}</div>",
            [f"Note: {'the ferry waits for no goat. ' * 5}".strip()],
        ),
    ],
)
def test_a_long_article_keeps_what_stands_in_it(inner, expected):
    """Headings, lists, captions and tables, not paragraphs alone."""
    assert long_page(inner)[0] == expected


@pytest.mark.parametrize(
    "beside",
    [
        "<footer>All rights reserved by the Tarn News Company</footer>",
        "<div class='related'><h3>More</h3><p>Goats of the sound</p></div>",
        "<ul><li><a href='/2'>A story of trains</a></li><li><a href='/3'>A story of coal</a></li></ul>",
        "<ul><li><a href='#'>Share this</a></li><li><a href='#'>Copy the link</a></li></ul>",
        "<h3>Tell us what you think</h3><p>8 comments</p>",
    ],
)
def test_what_is_beside_a_long_article_is_set_aside(beside):
    """None of it is in the text, all of it is in the record of what is not."""
    found, doc = long_page("", beside)
    assert found == []
    furniture = [each.text for each in doc.set_aside if each.why == "furniture"]
    assert furniture[0] == "Start"
    assert furniture[1:] == [leaf.text for part in fragments_fromstring(beside) for leaf in leaves(part)]


def leaves(element):
    """Return the elements that hold words."""
    return [each for each in element.iter() if (each.text or "").strip()]


def test_every_word_of_a_page_is_read_or_set_aside():
    """Hidden words too, each for its reason; the note counts those beside what is read, and no others."""
    hidden = "<p>Seen.<span style='display:none'>Never seen</span></p>"
    _, doc = long_page(hidden, "<div class='popup'><div><b style='display:none'>Buy now</b></div></div>")
    assert "Never seen" not in doc.text
    assert [each.text for each in doc.set_aside if each.why == "invisible"] == ["Never seen", "Buy now"]
    assert doc.notes == ("1 piece of hidden text not read",)


def test_a_title_is_never_set_aside():
    """Where it stands apart from the article, the document still has it."""
    _, doc = long_page("", head="<div><h1>Forty years on the sound</h1></div>")
    assert doc.title == "Forty years on the sound"
    assert [each.text for each in doc.set_aside] == ["Start"]


def test_the_headline_is_read_first():
    """Also apart from the main text, in a header; once, as the highest heading; then the standfirst."""
    body = "".join(
        f"<p>{'The crane lifted the hull again that day, and the harbour was quiet. ' * 4}</p>" for _ in range(5)
    )
    page = (
        "<html><head><title>A crane returns - The Daily</title>"
        "<meta property='og:title' content='A crane returns'></head>"
        "<body><header><a href='/'>The Daily</a><div><h1>A crane returns</h1><span>Share</span></div></header>"
        f"<article>{body}</article></body></html>"
    )
    lead = "Why the harbour waited two winters."
    with_lead = page.replace("</head>", f"<meta name='description' content='{lead}'></head>").replace(
        "<article>", f"<section><h2>{lead}</h2></section><article>"
    )
    document = load_bytes(with_lead.encode(), "/a.html")
    assert document.text.startswith(f"A crane returns\n\n{lead}\n\nThe crane lifted")
    assert document.sections[0].heading.of(document.text) == f"A crane returns\n\n{lead}"
    assert document.sections[0].title == "A crane returns"
    first = Chunker(lambda texts: [len(text.split()) for text in texts]).passages(document)[0]
    assert first.text.startswith(f"A crane returns\n\n{lead}")
    assert first.quote(first.sentences[0]).startswith("The crane lifted"), "the standfirst is part of the heading"
    document = load_bytes(page.encode(), "/a.html")
    assert document.title == "A crane returns"
    assert document.text.startswith("A crane returns\n\nThe crane lifted")
    assert document.text.count("A crane returns") == 1
    assert document.sections[0].title == "A crane returns"


def test_hyphens_that_are_not_seen_part_no_words():
    page = "<p>The hydro\xadelectric works of the is\u00adland were <b>re&shy;opened</b>.</p>"
    assert load_bytes(page.encode(), "/a.html").text == "The hydroelectric works of the island were reopened."


def test_what_stands_between_the_title_and_the_text_is_text():
    """A paragraph set apart, as a first one often is; neither a short line nor the teaser of another page."""
    first = (
        "The old ferry of the island was sold on Monday to a firm from the mainland, which wants to make a hotel of it."
    )
    teaser = (
        "The harbour master of the island says that the new ferry will be faster than any other boat in the whole..."
    )
    body = "".join(f"<p>{'The hull was lifted again that day, and the harbour was quiet. ' * 4}</p>" for _ in range(5))
    head = f"<nav>Start</nav><header><h1>The ferry is sold</h1><p>{first}</p><p>{teaser}</p></header>"
    text = load_bytes(f"<body>{head}<article>{body}</article></body>".encode(), "/a.html").text
    assert first in text
    assert teaser not in text


def test_a_page_is_not_called_after_its_menu():
    body = "".join(f"<p>{'The hull was lifted again that day, and the harbour was quiet. ' * 4}</p>" for _ in range(5))
    page = (
        f"<title>The ferry of the island is sold | Tarn News</title><body><h1>Main menu</h1><main>{body}</main></body>"
    )
    assert load_bytes(page.encode(), "/a.html").title == "The ferry of the island is sold"
    page = page.replace("Main menu", "Island sells its ferry").replace("The ferry of the island is sold | ", "")
    assert load_bytes(page.encode(), "/a.html").title == "Island sells its ferry"


def test_lines_of_print_are_whole_paragraphs():
    """A program that made the page of a printed one broke each line; an address and a poem are meant to be broken."""
    page = (
        "<p>MR TUPA: Thank you for the time to<br>propose my question in this House. I "
        "have five, but I will<br>ask the first.<br>MR BROWN: The harbour is open on all days of the week, and "
        "the<br>ferry goes.</p><p>Harbour Board<br>Quay Road 4<br>lower gate</p>"
    )
    assert load_bytes(page.encode(), "/a.html").text.split("\n") == [
        "MR TUPA: Thank you for the time to propose my question in this House. I have five, but I will ask the first.",
        "MR BROWN: The harbour is open on all days of the week, and the ferry goes.",
        *["", "Harbour Board", "Quay Road 4", "lower gate"],
    ]


@pytest.mark.parametrize("title", ["Document", "trn-20240630", "ex99.htm", "HOME", "Untitled 1"])
def test_a_title_that_a_program_put_in_is_none(title):
    doc = load_bytes(
        f"<html><head><title>{title}</title></head><body><p>It rained.</p></body></html>".encode(), "/a.html"
    )
    assert doc.title is None
