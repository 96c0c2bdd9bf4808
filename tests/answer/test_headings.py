"""Headings that answer: the dates above minutes and diaries stand in front of what is told under them."""

from __future__ import annotations

import pytest

from rag import Library

MINUTES = """# 6 March 2023

- The board met [Ana Velic (auditor)](https://example.org/velic) and spoke about the crane fund.
- The next meeting is on 4 May 2023.

# 20 March 2023

- The board discussed and rejected the plan for a
  [second ferry (the Osk line)](https://example.org/ferry).
- It agreed to sell the crane.

# 3 April 2023

- The crane was sold to the town of Velm for 4,000 crowns.
"""


@pytest.fixture(scope="module")
def minutes(tmp_path_factory, encoder):
    folder = tmp_path_factory.mktemp("minutes")
    (folder / "minutes.md").write_text(MINUTES)
    with Library.open(folder / "index", embedder=encoder) as library:
        library.index(folder / "minutes.md")
        yield library


@pytest.mark.parametrize(
    ("question", "shown", "marked"),
    [
        (
            "When did the board reject the plan for a second ferry?",
            "20 March 2023: The board discussed and rejected the plan for a second ferry (the Osk line).",
            "20 March 2023",
        ),
        (
            "When was the crane sold?",
            "3 April 2023: The crane was sold to the town of Velm for 4,000 crowns.",
            "3 April 2023",
        ),
        ("When is the next meeting?", "The next meeting is on 4 May 2023.", "4 May 2023"),
    ],
)
def test_when(minutes, question, shown, marked):
    answer = minutes.ask(question)
    first = answer.sentences[0]
    assert (first.text, [mark.of(first.text) for mark in first.marks]) == (shown, [marked])
    assert answer.is_plain
    assert all(MINUTES[c.span.start : c.span.end] == c.quote for c in answer.citations)


def test_a_timeline_has_its_dates(minutes):
    """In order of time, each date once."""
    shown = [sentence.text for sentence in minutes.ask("Timeline of the crane").sentences]
    dates = [text.partition(": ")[0] for text in shown if text[0].isdigit()]
    assert dates == [date for date in ("6 March 2023", "20 March 2023", "3 April 2023") if date in dates]
    assert "3 April 2023: The crane was sold to the town of Velm for 4,000 crowns." in shown
