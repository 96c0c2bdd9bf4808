"""What an LLM is given to read, the forms it answers in, its own searches, follow-ups and summaries."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from rag.answer.check import OTHER_LANGUAGE
from rag.answer.write.context import read_together, source_sentences, tokens
from rag.answer.write.forms import Form
from rag.answer.write.parse import Draft, NotFound, Search, replies
from rag.answer.write.prompt import messages, schema, with_days
from rag.library import Library
from rag.records import Document, Filter, Hit, Span, Statement
from tests.answer.test_write import HITS, answerer, check, hit, steps, wrote
from tests.scripted_llm import answers, says, serving

TODAY = dt.date(2026, 11, 30)


@pytest.mark.parametrize(
    ("question", "kind", "most"),
    [
        ("How many boats were lost?", "sentences", 4),
        ("Describe the storm briefly", "sentences", 2),
        ("Explain the storm in two sentences.", "sentences", 2),
        ("What happened, in about 100 words?", "sentences", 5),
        ("Give me a timeline of the storm", "timeline", 12),
        ("List the harbours that closed", "list", 10),
        ("Give me a list of 3 items on the storm", "list", 3),
        ("Who says what about the dredging?", "table", 12),
        ("Summarise storm.txt in three points", "summary", 3),
        ("a detailed summary of the letters", "summary", 12),
    ],
)
def test_forms_and_lengths_are_read_from_the_question(question, kind, most):
    assert Form.of(question) == Form(kind, most)
    assert str(most) in Form.of(question).told


def test_whole_passages_and_neighbours_fill_the_room():
    """The best passages come first while they fit, then those beside them; a document's stand in its own order."""
    text = "".join(f"Report {n} of the quay has words. " for n in range(6))
    size = len(text) // 6
    document = Document("/quay.txt", text, "Quay", "0" * 64)
    spans = [Span(n * size, n * size + size - 1) for n in range(6)]
    passages = [document.passage(span, [span]) for span in spans]
    other = hit("/storm.txt", "The storm sank twelve boats.").passage
    hits = [Hit(passages[3], 1.0), Hit(other, 0.5)]

    def beside(passage):
        place = next((n for n, each in enumerate(passages) if each.span == passage.span), None)
        return [] if place is None else [passages[place - 1], passages[place + 1]]

    assert read_together(hits, 1000, beside) == [passages[2], passages[3], passages[4], other]
    assert read_together(hits, tokens(text) // 6 + 8, beside) == [passages[3]]
    assert read_together(hits, 1) == [passages[3]], "the best one is read even if it does not fit"
    numbered = messages("Q?", source_sentences(read_together(hits, 1000)), Form(), TODAY)[1]["content"]
    assert "[1] Report 3 of the quay has words." in numbered
    assert "[2] The storm sank" in numbered
    assert "Today is 30 November 2026." in numbered


def test_days_are_told_as_the_documents_date_has_them():
    assert with_days("It sank on Tuesday.", "2024-12-05") == "It sank on Tuesday (= 3 December 2024)."
    assert with_days("It sank on Tuesday.", None) == "It sank on Tuesday."


def test_what_replies_can_say():
    """No answer counts only in front of all sentences; a search is read wherever it stands."""
    one = '{"sentences": [{"text": "One sank.", "sources": [1]}], "search": "%s"}'
    assert list(replies([one % ""])) == [Draft("One sank.", (1,))]
    assert list(replies(list(one % 'boats \\"lost\\"'))) == [Draft("One sank.", (1,)), Search('boats "lost"')]
    assert list(replies(['{"sentences": [], "search": ""}'])) == [NotFound()]
    assert list(replies(["NOT IN THE DOCUMENTS\n[1] One sank."])) == [NotFound()]
    assert list(replies(["[1] One sank.\nSEARCH AGAIN: lost boats"])) == [
        Draft("One sank.", (1,)),
        Search("lost boats"),
    ]
    none = '{"sentences": [{"text": "NOT IN THE DOCUMENTS", "sources": [1]}, {"text": "One sank.", "sources": [1]}]%s}'
    assert list(replies([none % ', "search": "lost boats"'], again=True)) == [Search("lost boats"), NotFound()]
    assert list(replies([none % ', "search": ""'], again=True)) == [NotFound()]
    assert list(replies([none % ""])) == [NotFound()]
    row = '{"sentences": [{"who": "Ada Quill", "says": "We lost a boat.", "sources": [3]}]}'
    assert list(replies([row])) == [Draft("We lost a boat.", (3,), "Ada Quill")]
    assert list(replies(["{" * 100_000])) == []
    assert list(replies(["[1] It sank on Tuesday (= 3 December 2024)."])) == [Draft("It sank on Tuesday.", (1,))]


def test_the_schema_has_only_numbers_that_exist():
    form = schema(3, Form("timeline", 2), again=True)
    item = form["properties"]["sentences"]["items"]
    assert item["properties"]["sources"]["items"]["enum"] == [1, 2, 3]
    assert list(item["properties"]) == ["date", "text", "sources"]
    assert list(form["properties"]) == ["sentences", "search"]
    sentences = form["properties"]["sentences"]
    assert (sentences["minItems"], sentences["maxItems"]) == (1, 2), "that nothing is found has to be said in words"


@pytest.mark.parametrize(
    ("score", "text", "is_refused"),
    [
        (0.9, "Nobody was hurt, the harbour master said.", False),
        (0.01, "Nobody was hurt, the harbour master said.", True),
        (0.01, "The harbour master said that nobody was hurt.", False),
    ],
)
def test_a_copy_answers_only_what_the_reader_answers(score, text, is_refused):
    """Small models copy something where they find no answer; what they copied is then the nearest."""
    with serving(says(wrote((text, [2])))) as script:
        answer = steps(answerer(script.url, score), HITS)[-1]
    assert answer.abstained == is_refused
    if is_refused:
        hit = answer.nearest[0]
        assert hit.sentence is not None
        assert hit.passage.quote(hit.sentence) == text
    else:
        assert [sentence.text for sentence in answer.sentences] == [text]
        assert (answer.reason or "").startswith("Only ") == (score < 0.5), "the reader finds no answer"


def test_a_copy_of_what_comes_closest_stays_that():
    with serving(says(wrote(("Nobody was hurt, the harbour master said.", [2])))) as script:
        quoted, *_, answer = steps(answerer(script.url, 0.2), HITS)
    assert quoted.closest
    assert (answer.closest, answer.sentences) == (True, quoted.sentences)
    assert (answer.reason or "").startswith("Scripted only copied: this answer is quoted from the documents instead.")


def test_a_sentence_that_leaves_out_the_other_year_of_its_source_is_flagged():
    """It would be read as an answer about the year that was asked for."""
    found = [hit("/times.txt", "On 18 December 2015 the council of Hartle Bay adopted a plan for the harbour.")]
    told = wrote(
        ("The council of Hartle Bay adopted a plan for the harbour.", [1]),
        ("On 18 December 2015 the council adopted a plan for the harbour of Hartle Bay.", [1]),
    )
    with serving(says(told)) as script:
        answer = steps(answerer(script.url), found, "What did the council of Hartle Bay adopt in December 2024?")[-1]
    faults = [sentence.fault for sentence in answer.sentences]
    assert faults[0] == "its source is not of December 2024"
    assert faults[1] is None


def test_a_copy_in_a_language_that_the_reader_does_not_read_may_answer():
    found = [
        hit("/hafen.txt", "Der Sturm hat in der Bucht von Hartle zwölf Boote versenkt, und es gab keine Verletzten.")
    ]
    with serving(says(wrote((found[0].passage.text, [1])))) as script:
        answer = steps(answerer(script.url, 0.01), found, "Wie viele Boote hat der Sturm versenkt?")[-1]
    assert not answer.abstained
    assert answer.sentences[0].support == "verbatim"


@pytest.mark.parametrize("numbers", [[1, 2, 3], [1], [3, 9]])
def test_the_sentence_that_says_it_is_cited(numbers):
    """Whatever numbers a model writes, a copied sentence cites itself alone, and a reworded one what has its words."""
    reply = wrote(("Nobody was hurt, the harbour master said.", numbers), ("Ada Quill lost three nets.", [1]))
    with serving(says(reply)) as script:
        answer = steps(answerer(script.url), HITS)[-1]
    check(answer)
    assert [c.quote for c in answer.citations] == [
        "Nobody was hurt, the harbour master said.",
        "“We lost three nets and a good boat,” Ada Quill wrote.",
    ]
    assert [s.citations for s in answer.sentences] == [(1,), (2,)]


def test_one_source_that_has_all_of_a_sentence_stands_for_several():
    with serving(says(wrote(("Twelve boats were sunk in Hartle Bay by the storm of 4 March.", [1, 2, 3])))) as script:
        answer = steps(answerer(script.url), HITS)[-1]
    assert [c.quote for c in answer.citations] == ["The storm of 4 March sank twelve boats in Hartle Bay."]
    assert [(s.support, s.citations) for s in answer.sentences] == [("supported", (1,))]


@pytest.mark.parametrize("label", ["The Harbour's Office", "Ada Quill"])
def test_the_label_of_who_speaks_goes_whosever_it_is(label):
    source = hit("/a.txt", "“We lost a boat,” the office said.", speaker="The Harbour’s Office")
    reply = {"text": f'{label}: "We lost a boat," the office said.', "sources": [1]}
    with serving(says(json.dumps({"sentences": [reply]}))) as script:
        answer = steps(answerer(script.url), [source])[-1]
    assert [(s.text, s.speaker) for s in answer.sentences] == [(source.passage.text.strip(), "The Harbour’s Office")]


def test_a_table_of_who_says_what():
    """The speaker of a row has to be the one that the source knows."""
    text = json.dumps(
        {
            "sentences": [
                {"who": "Ada Quill", "says": "“We lost three nets and a good boat,” Ada Quill wrote.", "sources": [3]},
                {"who": "Ben Marr", "says": "“We lost three nets and a good boat,” Ada Quill wrote.", "sources": [3]},
            ]
        }
    )
    with serving(says(text)) as script:
        answer = steps(answerer(script.url), HITS, "Who says what about the boats?")[-1]
    check(answer)
    good, bad = answer.sentences
    assert answer.form == "table"
    assert [value.of(good.text) for _, value in good.cells][:1] == ["Ada Quill"]
    assert (good.support, bad.support) == ("verbatim", "unsupported")
    assert bad.fault == "Ada Quill says it, not Ben Marr"


def test_a_timeline_has_the_dates_of_its_sources():
    """A day that only the document's date tells is right; another day is flagged."""
    text = "The ferry stopped on Tuesday. The quay was closed."
    document = Document("/log.txt", text, "Log", "0" * 64, date="2024-12-05")
    found = [Hit(document.passage(Span(0, len(text)), [Span(0, 29), Span(30, len(text))]), 1.0)]
    events = [("2024-12-03", "The ferry stopped on Tuesday."), ("2024-12-09", "The ferry stopped on Tuesday.")]
    reply = {"sentences": [{"date": date, "text": words, "sources": [1]} for date, words in events]}
    with serving(says(json.dumps(reply))) as script:
        answer = steps(answerer(script.url), found, "Give me a timeline of the ferry")[-1]
    assert [(s.text, s.support) for s in answer.sentences] == [
        ("When: 3 December 2024; What: The ferry stopped on Tuesday.", "verbatim"),
        ("When: 9 December 2024; What: The ferry stopped on Tuesday.", "unsupported"),
    ]
    assert "9 December 2024" in (answer.sentences[1].fault or "")


def test_swapped_speakers_are_flagged():
    """Words of one person in the mouth of another, who stands in the same passage, are not supported."""
    text = "Ben Marr was there. “We lost three nets.”"
    said = (Statement(Span(20, len(text)), "Ada Quill"),)
    document = Document("/letter.txt", text, "Letter", "0" * 64, speakers=said)
    found = [Hit(document.passage(Span(0, len(text)), [Span(0, 19), Span(20, len(text))]), 1.0)]
    reply = wrote(("Ada Quill said they lost three nets.", [2]), ("Ben Marr said they lost three nets.", [2]))
    with serving(says(reply)) as script:
        answer = steps(answerer(script.url), found)[-1]
    assert "Ada Quill says it, not Ben Marr" in [s.fault for s in answer.sentences]


def test_without_passages_nobody_is_asked():
    """Where nothing at all was found, there is nothing to write from."""
    with serving(says(wrote(("Twelve.", [1])))) as script:
        (answer,) = steps(answerer(script.url), [])
    assert answer.abstained
    assert not script.requests


def test_two_more_searches_may_be_asked_for():
    """Each is made and shown, its passages stand beside the first ones, and a third is not made."""
    asked: list[str] = []

    def search(query: str):
        asked.append(query)
        return [hit(f"/{len(asked)}.txt", f"Report {len(asked)} says that ten boats came back.")]

    def act(handler) -> None:
        wanted = f"boats that came back {len(script.requests)}"
        says(json.dumps({"sentences": [{"text": "Twelve sank.", "sources": [1]}], "search": wanted}))(handler)

    with serving(act) as script:
        *growing, answer = steps(answerer(script.url), HITS, search=search)
    assert asked == ["boats that came back 1", "boats that came back 2"]
    assert answer.searches == tuple(asked)
    assert len(script.requests) == 3
    assert "Report 1 says" in script.requests[1]["messages"][1]["content"]
    assert "SEARCH AGAIN" not in script.requests[2]["messages"][1]["content"]
    assert any(step.searches == (asked[0],) for step in growing)


@pytest.mark.parametrize("copied", ["and a few words to look up", "A few words to look up.", "words to look up"])
def test_the_prompts_own_words_are_not_searched(copied):
    reply = {"sentences": [{"text": HITS[0].passage.text, "sources": [1]}], "search": copied}
    with serving(says(json.dumps(reply))) as script:
        answer = steps(answerer(script.url), HITS, search=lambda query: [hit("/no.txt", query)])[-1]
    assert "SEARCH AGAIN: and a few words to look up" in script.requests[0]["messages"][1]["content"]
    assert (answer.searches, len(script.requests)) == ((), 1)


def test_the_llm_rewrites_a_question_that_leans_on_another():
    """Its standalone question is searched and answered; where it fails to give one, the rules' reading stands."""

    def act(handler) -> None:
        rewriting = "Last question" in script.requests[-1]["messages"][1]["content"]
        said = '{"question": "How many nets did Ada Quill lose?"}' if rewriting else wrote(("She lost nets.", [1]))
        says(said)(handler)

    def search(query: str):
        assert query == "How many nets did Ada Quill lose?"
        return [HITS[1]]

    with serving(act) as script:
        answer = steps(answerer(script.url), HITS, "And how many nets?", history=["Who wrote?"], search=search)[-1]
    assert answer.question == "How many nets did Ada Quill lose?"
    assert "Who wrote?" in script.requests[0]["messages"][1]["content"]
    with serving(says("x" * 5000)) as script:
        assert steps(answerer(script.url), HITS, history=["Who wrote?"])[-1].question == "How many boats were lost?"


def test_a_prompt_that_is_too_long_is_shortened():
    """A server that takes less than it tells is asked again with fewer passages."""
    many = [hit(f"/{n}.txt", *(f"Sentence {i} of the long report number {n}." for i in range(20))) for n in range(8)]

    def act(handler) -> None:
        if len(script.requests[-1]["messages"][1]["content"]) > 4000:
            answers(400, '{"error": {"message": "exceeds the context size"}}', "application/json")(handler)
        else:
            says(wrote(("Sentence 0 of the long report number 0.", [1])))(handler)

    with serving(act) as script:
        answer = steps(answerer(script.url, context=9000), [*HITS, *many])[-1]
    assert answer.writer == "scripted"
    assert len(script.requests) > 1


def test_sentences_in_another_language_are_shown_and_flagged():
    """The checks know one language at a time: they say so, and a wrong number is found all the same."""
    german = "Der Sturm hat in der Bucht zwölf Boote versenkt und ist nach Norden gezogen, mit dem Regen."
    wrong = "Der Sturm hat in der Bucht 40 Boote versenkt und ist nach Norden gezogen, mit dem Regen."
    found = [hit("/storm.txt", "The storm sank twelve boats in the bay and it was moving to the north with the rain.")]
    with serving(says(wrote((german, [1]), (wrong, [1])))) as script:
        answer = steps(answerer(script.url), found)[-1]
    assert [s.fault for s in answer.sentences] == [OTHER_LANGUAGE, "40 is not in the source"]


@pytest.fixture
def reports(tmp_path, hasher):
    """A library of two documents, the first of several passages."""
    for name, thing in (("harbour-report.txt", "crane"), ("mill-report.txt", "wheel")):
        lines = [f"In year {1900 + n} the {thing} number {n} was mended by the guild of smiths." for n in range(60)]
        (tmp_path / name).write_text("\n\n".join(" ".join(lines[n : n + 4]) for n in range(0, 60, 4)))
    with Library.open(tmp_path / "index", embedder=hasher, reader="none") as library:
        library.index(tmp_path / "harbour-report.txt", tmp_path / "mill-report.txt")
        yield library


@pytest.mark.parametrize(
    ("question", "where"),
    [
        ("Summarise harbour-report.txt in two sentences", None),
        ("Summarise this in two sentences", Filter(document=("harbour-report.txt",))),
    ],
)
def test_a_summary_reads_all_of_a_document(reports, question, where):
    """Every part is read, then one summary is made of the points; each line is cited and checked."""
    prompts: list[str] = []

    def act(handler) -> None:
        prompts.append(script.requests[-1]["messages"][1]["content"])
        first = next(line for line in prompts[-1].splitlines() if line.startswith("[1] "))
        says(wrote((first[4:], [1]), ("The guild also flew to the moon.", [1])))(handler)

    with serving(act) as script:
        who = answerer(script.url, context=1500)
        reports.answerer = type(who)(who.llm, who.quoting, who.checker, reports.retriever)
        answer = reports.ask(question, where=where)
    read = "\n".join(prompts[:-1])
    assert all(f"the crane number {n} was" in read for n in range(60))
    assert "wheel" not in read
    assert len(prompts) > 2
    assert answer.form == "summary"
    assert [s.support for s in answer.sentences] == ["verbatim", "unsupported"]
    for citation in answer.citations:
        assert reports.document(citation.uri).text[citation.span.start : citation.span.end] == citation.quote
