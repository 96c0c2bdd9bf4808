"""What a file's name tells stands for the title that its text does not have."""

from __future__ import annotations

import pytest

from rag.library import Library
from rag.records.documents import words_of_name


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("address-2014-marlow.txt", "address 2014 marlow"),
        ("/home/me/northwold-parish-council-2017-07.md", "northwold parish council 2017"),
        ("mails.zip!/inbox/Re_contract.eml", "Re contract"),
        ("report_final_v2.docx", "report"),
        ("Rechnung_März.pdf", "Rechnung März"),
        ("https://example.org/news/fire-in-harbour", "fire in harbour"),
        ("IMG_2034.pdf", ""),
        ("scan-of-01.pdf", ""),
        ("d123.txt", ""),
        ("2014.txt", ""),
        ("3f9ab27c.txt", ""),
        ("3f9ab27c-11ee-4b2a-9abc-33aa8812ffed.pdf", ""),
        ("", ""),
    ],
)
def test_words_of_name(name, told):
    assert words_of_name(name) == told


def test_speaker_and_year_may_stand_in_the_name_alone(tmp_path):
    """Of two speeches that say who speaks in their names alone, the one that is asked for is quoted."""
    docs = tmp_path / "docs"
    docs.mkdir()
    text = "Fellow members, the year was hard. I ask you to lift the harbour levy to {} crowns a ton. {}\n"
    (docs / "address-2014-marlow.txt").write_text(text.format(14, "The piers need stone, and the crews need rest."))
    (docs / "address-2019-tolliver.txt").write_text(text.format(19, "The cranes need oil, and the crews need pay."))
    with Library.open(tmp_path / "index") as library:
        library.index(docs)
        for speaker, year, levy in (("Marlow", 2014, "14"), ("Tolliver", 2019, "19")):
            answer = library.ask(f"How many crowns a ton did {speaker} ask for in {year}?")
            assert answer.is_plain
            assert f"{levy} crowns a ton" in answer.sentences[0].text
            assert f"{year}-{speaker.lower()}" in answer.citations[0].uri
            assert library.document(answer.citations[0].uri).title is None  # the name is shown, and is no title
        assert not library.ask("How many crowns a ton did Marlow ask for in 2019?").is_plain
