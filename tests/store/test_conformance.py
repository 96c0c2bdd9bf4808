"""Every engine gives the same values: one suite over a folder and over a Milvus server that runs beside it.

Where an engine is known to differ, the test says so: Milvus weighs pieces of words among the candidates only, and puts
each document in place by itself.
"""

from __future__ import annotations

import random
import threading
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from rag.chunk import Chunker
from rag.errors import DocumentUnknown, IndexLocked, IndexMissing, InputError, ModelMismatch
from rag.language.terms import ANALYSIS, grams, terms
from rag.library import Library
from rag.load import load_bytes
from rag.models.encoder import HashEmbedder, embed_with_words
from rag.records import Filter, SyncReport
from rag.records.index import Changes, Recipe
from rag.records.runs import Outcome
from rag.store import copy as copying
from rag.store import open_store
from rag.store.copy import copied
from rag.store.encoding import pack_words, word_similarities
from tests.conftest import all_passages
from tests.store.oracles import HALF, bm25_oracle, dense_oracle

HALVES = np.array([0.5, 0.5], np.float32)
ENCODER = HashEmbedder()
RECIPE = Recipe(ENCODER.name, ENCODER.fingerprint, ENCODER.dimension, "any", ANALYSIS)

TEXTS = {
    "/news/2024-03-05 ferry.md": "# Ferry timetable\n\nThe ferry to Hjelm leaves at 7:45 from pier 3.5.\n\n"
    "## Winter\n\n“No boat sails in a storm,” said Ingrid Sæther, the harbour master. “We wait.”\n\n"
    "“The pier is safe,” said Omar Haddad, an engineer.\n",
    "/news/2023-11-20 mill.txt": "The old mill burnt down. At least 12 people watched.\n\nThe mill was built in 1893.",
    "/news/old/2019-07-01 100%_sure.txt": "A census counted 4,250 sheep on Hjelm.\n",
    "/notes/crane.txt": "The crane lifted 17 tons. " * 3 + "\n\n" + "Its cable was new and its driver was not. " * 40,
    "/notes/naïve.txt": "Zürich, 東京 and Łódź have trams. A lone ferry waits. \U0001f6a2 The tram to Łódź is blue.\n",
    "/notes/rows.csv": "town,ferries\nHjelm,3\nKirkevik,12\n",
}
QUESTIONS = ("Which ferry leaves pier 3.5 at 7:45?", "How many tons did the crane lift?", "tram in Łódź or 東京")
FILTERS = (
    ["date=2023..2024-03"],
    ["date>=2024"],
    ["document=crane.txt", "document=100%_sure.txt"],
    ["folder=news"],
    ["folder=/news/old"],
    ["section=winter"],
    ["section=Win"],
    ["speaker=haddad"],
    ["speaker=Sæther", "folder=news"],
    ["speaker=Had"],
    ["document=100__sure.txt"],
)


def cut(texts):
    """Return documents with their passages."""
    documents = [load_bytes(text.encode(), uri) for uri, text in texts.items()]
    return [(document, Chunker(ENCODER.count_tokens).passages(document)) for document in documents]


def publish(store, texts, removals=(), recipe=RECIPE, *, fresh=False):
    """Write documents as a run does: vectors first."""
    with store.writer() as writer:
        documents = cut(texts)
        missing = writer.missing([p for _, passages in documents for p in passages], recipe.fingerprint)
        encoder = HashEmbedder(recipe.model, recipe.dimension)
        if missing:
            found = embed_with_words(encoder, [p.retrieval_text for p in missing])
            writer.add_vectors(missing, *found, recipe.fingerprint)
        writer.apply(Changes(documents, removals), recipe, fresh=fresh)
        return len(missing)


@pytest.fixture(scope="module", params=["folder", "milvus"])
def engine(request):
    """Return a function that names a place where nothing is yet."""
    if request.param == "milvus":
        return request.getfixturevalue("milvus").place
    factory = request.getfixturevalue("tmp_path_factory")
    return lambda: str(factory.mktemp("store") / "index")


@pytest.fixture(scope="module")
def filled(engine):
    """A library with all texts, only to be read."""
    place = engine()
    with closing(open_store(place)) as store:
        publish(store, TEXTS)
    with Library.open(place, embedder=ENCODER, reranker="none") as library:
        yield library


@pytest.fixture
def store(engine):
    with closing(open_store(engine())) as opened:
        yield opened


def test_documents_come_back_whole(filled):
    """Texts, layout and passages are what was written; each span cuts its passage out of the document."""
    with filled.store.snapshot() as snapshot:
        assert snapshot.uris() == sorted(TEXTS)
        for document, passages in cut(TEXTS):
            assert snapshot.document(document.uri) == document
            assert snapshot.passages_of(document.uri) == passages
            assert all(p.span.of(document.text) == p.text for p in passages)
            ids = [p.id for p in reversed(passages)]
            assert list(snapshot.passages([*ids, "no such"]).values()) == passages[::-1]
        with pytest.raises(DocumentUnknown, match=r"no document /no\.txt"):
            snapshot.document("/no.txt")
        counts = {info.uri: (info.passages, info.characters, info.date) for info in snapshot.documents()}
    assert counts == {d.uri: (len(p), len(d.text), d.date) for d, p in cut(TEXTS)}


def test_status_counts_what_is_there(filled):
    status, passages = filled.status(), len(all_passages(filled))
    assert (status.documents, status.passages, status.waiting, status.generation) == (len(TEXTS), passages, 0, 1)
    assert (status.model, status.dimension) == (ENCODER.name, ENCODER.dimension)
    assert filled.verify() == []


@pytest.mark.parametrize("question", QUESTIONS)
def test_both_halves_are_as_counted_plainly(filled, question):
    """Cosines of all passages, and BM25 of those that share a term, each against an oracle."""
    near, literal = dict(dense_oracle(filled, question)), bm25_oracle(filled, question)
    with filled.store.snapshot() as snapshot:
        dense = snapshot.dense(ENCODER.embed_query(question), 100)
        lexical = snapshot.lexical(question, 100)
        others = snapshot.term_scores(dict.fromkeys(terms(question), 1.0), list(near))
        counted = snapshot.frequencies(set(terms(question)))
    assert {hit.id: hit.score for hit in dense} == pytest.approx(near, abs=HALF)
    assert [hit.score for hit in dense] == sorted((hit.score for hit in dense), reverse=True)
    assert {hit.id: hit.score for hit in lexical} == pytest.approx(literal, rel=0.02)  # folders keep lengths roughly
    assert others == pytest.approx(literal, rel=0.02)
    bags = [set(terms(p.retrieval_text)) for p in all_passages(filled)]
    assert counted == {term: sum(term in bag for bag in bags) for term in terms(question)}


@pytest.mark.parametrize("conditions", FILTERS, ids=str)
def test_filters_admit_what_they_say(filled, conditions):
    """Both halves find just the passages that the filter admits one by one."""
    where = Filter.parse(conditions)
    passages = all_passages(filled)
    admitted = {
        p.id
        for p in passages
        if where.has_document(p.uri, p.date)
        and where.has_section(p.section)
        and (not where.speaker or any(where.has_speaker(said.speaker) for said in p.statements))
    }
    assert (conditions[-1] in {"speaker=Had", "document=100__sure.txt"}) == (not admitted)
    words = " ".join(p.text for p in passages)
    with filled.store.snapshot() as snapshot:
        assert {hit.id for hit in snapshot.dense(ENCODER.embed_query("ferry"), 100, where)} == admitted
        assert {hit.id for hit in snapshot.lexical(words[:2_000], 100, where)} <= admitted
        assert len(snapshot.dense(ENCODER.embed_query("ferry"), 1, where)) == min(1, len(admitted))


def test_as_of_keeps_what_has_no_date(filled):
    where = Filter.parse([], as_of="2023-12")
    with filled.store.snapshot() as snapshot:
        found = snapshot.passages(hit.id for hit in snapshot.dense(ENCODER.embed_query("ferry"), 100, where))
    assert {p.uri for p in found.values()} == set(TEXTS) - {"/news/2024-03-05 ferry.md"}


def test_signals_over_candidates(filled):
    """Documents' directions and late interaction are those of the stored vectors; pieces find other spellings."""
    query = ENCODER.embed_query(QUESTIONS[1])
    passages = all_passages(filled)
    vectors = ENCODER.embed([p.retrieval_text for p in passages]).astype(np.float16).astype(np.float32)
    sums = {uri: sum(v for p, v in zip(passages, vectors, strict=True) if p.uri == uri) for uri in TEXTS}
    means = {uri: float(total @ query / np.linalg.norm(total)) for uri, total in sums.items()}
    (words,) = embed_with_words(ENCODER, ["driver cable"])[1]
    packed = zip(passages, embed_with_words(ENCODER, [p.retrieval_text for p in passages])[1], strict=True)
    matched = word_similarities(words.vectors, HALVES, {p.id: pack_words(each.vectors) for p, each in packed})
    ids = [p.id for p in passages]
    with filled.store.snapshot() as snapshot:
        assert snapshot.document_similarities(query, ids) == pytest.approx(
            {p.id: means[p.uri] for p in passages}, abs=2 * HALF
        )
        late = snapshot.word_similarities(words.vectors, HALVES, ids)
        pieces = snapshot.gram_scores("ferryboats", ids)
        few = snapshot.gram_scores("ferryboats", sorted(pieces)[:1])
    assert few == pytest.approx({id_: pieces[id_] for id_ in sorted(pieces)[:1]})  # whatever others are asked for
    assert late == pytest.approx(matched, abs=HALF)
    asked = set(grams("ferryboats"))
    assert pieces.keys() == {p.id for p in passages if asked & set(grams(p.retrieval_text))}
    best = max(pieces, key=lambda id_: pieces[id_])
    assert "ferr" in next(p for p in passages if p.id == best).retrieval_text.lower()


def test_search_and_answer(filled):
    """A library works over every engine."""
    hit = filled.search("Which crane lifted 17 tons?", 3)[0]
    assert hit.passage.uri == "/notes/crane.txt"
    document = filled.document("crane.txt")
    assert hit.passage.span.of(document.text) == hit.passage.text
    answer = filled.ask("When was the mill built?")
    for cite in answer.citations:
        assert filled.document(cite.uri).text[cite.span.start : cite.span.end] == cite.quote


def test_changes_are_seen_at_once(store):
    """Added, replaced and removed documents; texts that are known already are not embedded again."""
    first, second = list(TEXTS)[:2]
    with pytest.raises(IndexMissing), store.snapshot():
        pass
    assert store.recipe is None
    assert publish(store, {uri: TEXTS[uri] for uri in (first, second)}) > 2
    assert publish(store, {first: TEXTS[first]}) == 0
    with store.snapshot() as snapshot:
        before = snapshot.passages_of(first)
    assert publish(store, {first: TEXTS[first] + "\nA new line.\n"}, [second]) >= 1
    with store.snapshot() as snapshot:
        assert snapshot.uris() == [first]
        after = snapshot.passages_of(first)
        assert "A new line." in snapshot.document(first).text
        assert snapshot.passage_count() == len(after)
        assert {hit.id for hit in snapshot.dense(ENCODER.embed_query("line"), 100)} == {p.id for p in after}
        assert not snapshot.lexical("mill", 10)
        assert snapshot.frequencies(["mill"]) == {"mill": 0}
        gone = [p.id for p in before if p.id not in {q.id for q in after}]
        assert not snapshot.passages(gone)
    assert store.verify() == []
    assert store.status().generation == 3


def test_texts_come_before_their_vectors(store, engine):
    """Words find them; then vectors, some documents at a time: at last all is as if it had been one step."""
    documents = cut(TEXTS)
    with store.writer() as writer:
        writer.apply(Changes(documents[:4]), RECIPE)
        writer.apply(Changes(documents[4:]), RECIPE)
        waiting = writer.waiting()
        assert waiting == {document.uri: len(passages) for document, passages in documents}
        assert set(list(waiting)[:2]) == {document.uri for document, _ in documents[4:]}  # the newest first
        assert [writer.passages_of(uri) for uri in TEXTS] == [passages for _, passages in documents]
    query, total = ENCODER.embed_query("ferry"), sum(waiting.values())
    with store.snapshot() as snapshot:
        assert (snapshot.waiting(), snapshot.passage_count()) == (total, total)
        assert not snapshot.dense(query, 10)
        assert snapshot.lexical("ferry", 10)
    assert store.status().waiting == total
    publish(store, {uri: TEXTS[uri] for uri in list(TEXTS)[:2]})
    left = total - sum(len(passages) for _, passages in documents[:2])
    with store.snapshot() as snapshot:
        assert snapshot.waiting() == left
        assert len(snapshot.dense(query, total)) == total - left
        where = Filter.parse(["document=" + documents[0][0].uri])
        assert len(snapshot.dense(query, total, where)) == len(documents[0][1])
    with store.writer() as writer:
        assert writer.waiting() == {document.uri: len(passages) for document, passages in documents[2:]}
    assert store.verify() == []
    publish(store, TEXTS)
    assert (store.status().waiting, store.verify()) == (0, [])
    with closing(open_store(engine())) as whole:
        publish(whole, TEXTS)
        assert held(store, with_times=False) == held(whole, with_times=False)
        with store.snapshot() as one, whole.snapshot() as other:
            assert one.dense(query, total) == other.dense(query, total)
            assert one.lexical("ferry", total) == other.lexical("ferry", total)


def added(store):
    """Return when each document came."""
    with store.snapshot() as snapshot:
        return {info.uri: info.added for info in snapshot.documents()}


def test_it_is_noted_when_documents_came(store):
    """A later version and a rebuild leave it as it was; one that was removed and comes again comes anew."""
    first, second = list(TEXTS)[:2]
    began = datetime.now(UTC).replace(microsecond=0)
    publish(store, {first: TEXTS[first]})
    came = datetime.fromisoformat(added(store)[first])
    assert began <= came <= datetime.now(UTC)
    time.sleep(1.1)  # it is noted to the second
    publish(store, {first: TEXTS[first] + "\nA new line.\n", second: TEXTS[second]})
    later = datetime.fromisoformat(added(store)[second])
    assert later > came
    publish(store, {uri: TEXTS[uri] for uri in (first, second)}, fresh=True)
    assert added(store) == {first: came.isoformat(), second: later.isoformat()}
    publish(store, {}, removals=[first])
    publish(store, {first: TEXTS[first]})
    assert added(store)[first] >= later.isoformat()


def test_another_recipe_is_refused_and_a_rebuild_takes_it(store):
    other = HashEmbedder("other", 32)
    recipe = Recipe(other.name, other.fingerprint, other.dimension, "any", "any")
    texts = dict(list(TEXTS.items())[:2])
    publish(store, texts)
    with pytest.raises(ModelMismatch, match="made with the encoder hash, not other"):
        publish(store, texts, recipe=recipe)
    with store.snapshot() as snapshot:
        assert snapshot.recipe == RECIPE
    publish(store, dict(list(TEXTS.items())[1:2]), recipe=recipe, fresh=True)
    with store.snapshot() as snapshot:
        assert (snapshot.recipe, snapshot.uris()) == (recipe, list(texts)[1:])
        assert len(snapshot.dense(other.embed_query("mill"), 10)) == snapshot.passage_count()
    assert store.verify() == []


def test_readers_see_a_document_whole_while_it_is_replaced(engine):
    """Text and passages are of one version each, and of one that was written, whenever they are read."""
    place, uri = engine(), "/ledger.txt"
    texts = [f"Entry {number} was signed by clerk {number}. " * 60 for number in range(4)]
    failures: list[BaseException] = []
    done = threading.Event()

    def read():
        with closing(open_store(place)) as own:
            try:
                while not done.is_set():
                    with own.snapshot() as snapshot:
                        found = snapshot.passages_of(uri)
                        text = snapshot.document(uri).text
                    assert text.strip() in {each.strip() for each in texts}
                    assert len({p.text.split()[1] for p in found}) == 1
                    assert {p.text.split()[1] for p in found} <= set("0123")
            except BaseException as error:  # noqa: BLE001 - whatever it is, the test is to say it
                failures.append(error)

    with closing(open_store(place)) as store:
        publish(store, {uri: texts[0]})
        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        for text in texts[1:]:
            publish(store, {uri: text})
        done.set()
        for reader in readers:
            reader.join()
        assert store.verify() == []
    assert not failures


def test_names_with_signs_that_mean_something(store):
    """Quotes, backslashes, wildcards, ends of lines: documents are found, filtered by and removed under such names."""
    names = ['/odd/say "hi" \\ there.txt', "/odd/it's.txt", "/odd/new\nline\ttab.txt", "/a\\b/c%.txt", "/odd/end\\.txt"]
    texts = {name: f"The ferry numbered {number} waits." for number, name in enumerate(names)}
    publish(store, texts)
    query = ENCODER.embed_query("ferry")
    with store.snapshot() as snapshot:
        for name, text in texts.items():
            folder, _, own = name.rpartition("/")
            assert snapshot.document(name).text.strip() == text
            for asked in (f"document={name}", f"document={own}"):
                found = snapshot.passages(hit.id for hit in snapshot.dense(query, 10, Filter.parse([asked])))
                assert [passage.uri for passage in found.values()] == [name]
            inside = [other for other in names if other.startswith(f"{folder}/")]
            assert len(snapshot.dense(query, 10, Filter.parse([f"folder={folder}"]))) == len(inside)
    publish(store, {}, names[:3])
    with store.snapshot() as snapshot:
        assert snapshot.uris() == sorted(names[3:])
    assert store.verify() == []


def test_a_sentence_longer_than_a_field(store):
    """A server's fields hold 65,535 bytes: what is longer comes back as it was, and is found."""
    chance = random.Random(1)
    heading = "".join(chr(chance.randrange(0x4E00, 0x9FFF)) for _ in range(40_000))
    page = f"<html><body><h1>{heading}</h1><p>The ferry sank.</p></body></html>".encode()
    document = load_bytes(page, "/long.html")
    passages = Chunker(ENCODER.count_tokens).passages(document)
    assert max(len(passage.text.encode()) for passage in passages) > 65_535
    with store.writer() as writer:
        found = embed_with_words(ENCODER, [passage.retrieval_text for passage in passages])
        writer.add_vectors(passages, *found, RECIPE.fingerprint)
        writer.apply(Changes([(document, passages)]), RECIPE)
    with store.snapshot() as snapshot:
        assert snapshot.document("/long.html") == document
        assert snapshot.passages_of("/long.html") == passages
        hits = snapshot.dense(ENCODER.embed_query("ferry"), 10)
        assert {hit.id for hit in hits} == {passage.id for passage in passages}
    assert store.verify() == []


def test_one_writer_at_a_time(store):
    with store.writer(), pytest.raises(IndexLocked), store.writer():
        pass


def test_the_journal_keeps_what_runs_did(store):
    """Also one that is longer than a field of a server holds."""
    names = [f"/{'long name ' * 40}{n}.txt" for n in range(40)]
    outcomes = tuple(Outcome(name, "failed", f"{hash(name)} {name[::-1]}") for name in names)
    publish(store, {"/a.txt": "One line."})
    for roots in (["/notes"], ["/notes/deep", "/news"]):
        with store.writer() as writer:
            writer.note(SyncReport(outcomes), roots)
    kept = store.journal()
    assert kept.roots == ("/news", "/notes")
    assert [run.outcomes for run in kept.runs] == [outcomes]


@pytest.fixture(scope="module")
def round_trip(milvus, tmp_path_factory):
    """A folder, what was copied from it to the server, and from there to another folder."""
    folder = tmp_path_factory.mktemp("trip")
    stores = [open_store(each) for each in (folder / "one", milvus.place(), folder / "two")]
    publish(stores[0], TEXTS)
    with stores[0].writer() as writer:
        writer.note(SyncReport(), ["/notes"])
    yield stores
    for store in stores:
        store.close()


def held(store, *, with_times=True):
    """Return all that a store holds."""
    with store.snapshot() as snapshot:
        infos = [info if with_times else replace(info, added=None) for info in snapshot.documents()]
        documents = [
            (snapshot.document(uri), snapshot.passages_of(uri), snapshot.vectors_of(uri)) for uri in snapshot.uris()
        ]
        return snapshot.recipe, infos, documents, store.journal().roots


def test_a_round_trip_changes_nothing(round_trip, monkeypatch):
    """Also one that is stopped in between: it goes on where it was."""
    one, there, two = round_trip
    monkeypatch.setattr(copying, "_BATCH", 1)

    def stop(_stage, done, _total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copied(one, there, stop)
    report = copied(one, there)
    assert (report.copied, report.unchanged) == (len(TEXTS) - 3, 3)
    assert copied(there, two).copied == len(TEXTS)
    assert held(one) == held(there) == held(two)
    assert copied(there, one) == copying.CopyReport(0, len(TEXTS), len(TEXTS), report.passages)
    assert one.verify() == there.verify() == two.verify() == []


def test_a_copy_takes_nothing_away(round_trip, tmp_path):
    """A store that has other documents, or was made with another encoder, is left alone."""
    source = round_trip[0]
    with closing(open_store(tmp_path / "other")) as other:
        publish(other, {"/mine.txt": "Mine alone."})
        with pytest.raises(InputError, match=r"1 documents that the source has not, such as /mine\.txt"):
            copied(source, other)
        recipe = Recipe("other", "other", 32, "any", "any")
        publish(other, {}, recipe=recipe, fresh=True)
        with pytest.raises(ModelMismatch):
            copied(source, other)
    with closing(open_store(tmp_path / "none")) as none, pytest.raises(IndexMissing):
        copied(none, source)
