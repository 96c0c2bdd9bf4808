"""Questions about invented tables: how many get the right row and the right cell, and how many without an answer one.

python benchmarks/tables.py [--seed N] [--wrong]

Four tables that the rules of `rag/answer/tables` were not written with; names and numbers are new with each seed.
"""

from __future__ import annotations

import argparse
import csv
import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rag.library import Library

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Draw = Callable[[random.Random], str]

SYLLABLES = "ka lo mi ren tor vas bel dun gar hil jor ness pol qua sor ul wick yar zen fel".split()
FIRST = "Ada Bruno Carla Dmitri Elsa Faisal Greta Hugo Ines Jakub Kirsten Lamin Mona Nils Olga Petra".split()


def name(draw: random.Random) -> str:
    """Return the name of a place."""
    return "".join(draw.choice(SYLLABLES) for _ in range(3)).title()


def person(draw: random.Random) -> str:
    """Return a first and a last name."""
    return f"{draw.choice(FIRST)} {name(draw)}"


def number(low: int, high: int) -> Draw:
    """Return what draws a whole number."""
    return lambda draw: str(draw.randint(low, high))


def one_of(values: str) -> Draw:
    """Return what draws one of these values, written with commas between."""
    return lambda draw: draw.choice(values.split(","))


def day(draw: random.Random) -> str:
    """Return a date."""
    return f"{draw.randint(2012, 2024)}-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}"


TABLES: dict[str, tuple[dict[str, Draw], list[tuple[str, str | None]]]] = {
    "hospitals.csv": (
        {
            "Hospital": name,
            "City": one_of("Brennick,Oldmere,Saltash,Torrance"),
            "Beds": number(40, 1400),
            "Doctors": number(20, 400),
            "Medical director": person,
            "Founded": number(1820, 1990),
            "Waiting time (days)": number(3, 200),
        },
        [
            ("How many beds does {Hospital} have?", "Beds"),
            ("How many physicians work at {Hospital}?", "Doctors"),
            ("Who is the medical director of {Hospital}?", "Medical director"),
            ("When was {Hospital} founded?", "Founded"),
            ("In which city is {Hospital}?", "City"),
            ("How long is the waiting time at {Hospital}?", "Waiting time (days)"),
            ("How many nurses work at {Hospital}?", None),
            ("Who built {Hospital}?", None),
            ("How many patients died at {Hospital}?", None),
            ("Why was {Hospital} founded?", None),
        ],
    ),
    "election.csv": (
        {
            "constituency": name,
            "winner": person,
            "winning_party": one_of("Greens,Liberals,Labour,Unionists"),
            "turnout_percent": number(31, 88),
            "votes_2019": number(4000, 60000),
            "votes_2024": number(4000, 60000),
        },
        [
            ("Who won in {constituency}?", "winner"),
            ("Which party won {constituency}?", "winning_party"),
            ("What was the turnout in {constituency}?", "turnout_percent"),
            ("How many votes were cast in {constituency} in 2024?", "votes_2024"),
            ("How many votes did {constituency} have in 2019?", "votes_2019"),
            ("How many votes were cast in {constituency} in 2015?", None),
            ("Who lost in {constituency}?", None),
            ("Who is the mayor of {constituency}?", None),
            ("Which constituency had the lowest turnout?", None),
        ],
    ),
    "films.csv": (
        {
            "Title": lambda draw: f"The {draw.choice('Silent Broken Golden Last Hidden'.split())} {name(draw)}",
            "Director": person,
            "Released": day,
            "Budget (USD)": number(100_000, 90_000_000),
            "Running time (min)": number(62, 210),
            "Country": one_of("France,Italy,Japan,Brazil,Norway"),
        },
        [
            ("Who directed {Title}?", "Director"),
            ("When was {Title} released?", "Released"),
            ("What was the budget of {Title}?", "Budget (USD)"),
            ("How much did {Title} cost?", "Budget (USD)"),
            ("What is the running time of {Title}?", "Running time (min)"),
            ("What country is {Title} from?", "Country"),
            ("Who stars in {Title}?", None),
            ("What is {Title} about?", None),
            ("Which prize did {Title} win?", None),
        ],
    ),
    "incidents.csv": (
        {
            "Case number": lambda draw: f"IN-{draw.randint(1000, 9999)}",
            "Reported": day,
            "Location": name,
            "Category": one_of("fire,theft,flooding,power cut,gas leak"),
            "Injured": number(0, 40),
            "Officer": person,
        },
        [
            ("Who was the officer in case {Case number}?", "Officer"),
            ("When was {Case number} reported?", "Reported"),
            ("Where was incident {Case number}?", "Location"),
            ("How many people were injured in case {Case number}?", "Injured"),
            ("What category is {Case number}?", "Category"),
            ("Who reported {Case number}?", None),
            ("How many people were killed in case {Case number}?", None),
            ("What was the damage in case {Case number}?", None),
        ],
    ),
}


def write(folder: Path, draw: random.Random) -> Iterator[tuple[str, str | None]]:
    """Write the tables of forty rows, and yield questions with the value that answers each; None where none does."""
    for file, (columns, questions) in TABLES.items():
        rows = [{column: of(draw) for column, of in columns.items()} for _ in range(40)]
        with (folder / file).open("w", newline="") as out:
            writer = csv.DictWriter(out, list(columns))
            writer.writeheader()
            writer.writerows(rows)
        for question, answer in questions:
            for row in draw.sample(rows, 2):
                yield question.format(**row), row[answer] if answer else None


def main() -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wrong", action="store_true", help="list what was not answered right")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Library.open(f"{folder}/index") as library:
        documents = Path(folder, "documents")
        documents.mkdir()
        asked = list(write(documents, random.Random(options.seed)))
        library.index(documents)
        right = row = refused = 0
        for question, value in asked:
            answer = library.ask(question)
            short = answer.short_answer.text if answer.short_answer else None
            right += value is not None and short == value
            row += value is not None and bool(answer.sentences) and value in answer.sentences[0].text
            refused += value is None and not answer.is_plain
            if options.wrong and (short != value or (value is None and answer.is_plain)):
                shown = answer.sentences[0].text if answer.sentences else answer.reason
                print(f"{question}\n  wanted {value}, got {short}: {shown}")
    answerable = sum(value is not None for _, value in asked)
    print(f"of {answerable} with an answer: short answer right {right}, it is in the first row shown {row}")
    print(f"of {len(asked) - answerable} without: not answered {refused}")


if __name__ == "__main__":
    main()
