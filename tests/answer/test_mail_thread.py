"""Mail that quotes older mail: the newest words lead, the older ones follow, unless they are asked for."""

import pytest

from rag.library import Library

MAIL = """From: Ada Holm <ada@example.org>
To: Bo Lind <bo@example.org>
Date: Thu, 12 Oct 2023 09:00:00 +0000
Subject: Re: Rent of the boathouse

Hello Bo,

The rent of the boathouse will be 640 euros a month from January.

Ada

On Mon, 2 Oct 2023 at 17:40, Bo Lind <bo@example.org> wrote:
> Dear Ada,
> The rent of the boathouse is 520 euros a month, as it says in the contract.
> Bo
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("question", "speaker", "amount"),
    [
        ("How much is the rent of the boathouse?", "Ada Holm", "640"),
        ("What did Bo write about the rent?", "Bo Lind", "520"),
    ],
)
def test_the_newest_message_leads(tmp_path, question, speaker, amount):
    """With the models that are shipped."""
    path = tmp_path / "rent.eml"
    path.write_text(MAIL)
    with Library.open(tmp_path / "index") as library:
        library.index(path)
        first = library.ask(question).sentences[0]
    assert first.speaker == speaker
    assert amount in first.text
