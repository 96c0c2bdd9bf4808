"""Question -> cited passages: dense and lexical search, fused, the best of them read once more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rag.errors import InputError, ModelMismatch
from rag.language.terms import ANALYSIS, terms
from rag.models.encoder import embed_with_words
from rag.models.encoder import embedder as embedder_named
from rag.models.reranker import reranker as reranker_named
from rag.retrieve.fusion import Fusion, copies_apart, normalised, ranking, reranked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Self

    from rag.models.encoder import Embedder
    from rag.models.reranker import Reranker
    from rag.records import Filter, Hit, Passage
    from rag.store.protocol import Store, StoreSnapshot

MAX_QUESTION = 4_000  # characters; what is longer is a pasted document


class Retriever:
    """Finds passages for questions in one index.

    Args:
        store: the index.
        embedder: the encoder that made the index; without it, the one that the index names.
        reranker: reads the best passages once more, together with the question: None for the package's own reader in a
            search (who answers reads the passages anyway), the name of a cross-encoder, or `none`.
    """

    def __init__(self, store: Store, embedder: Embedder | None = None, reranker: Reranker | str | None = None) -> None:
        self.store = store
        self.reranker = reranker if callable(reranker) else reranker_named(reranker)
        self._reranker_was_chosen = reranker is not None
        self.fusion = Fusion()
        self._embedder = embedder

    @classmethod
    def open(
        cls, store: str | Path = "index", *, embedder: Embedder | None = None, reranker: Reranker | str | None = None
    ) -> Self:
        """Open the index at a path; raises `StoreError` when the first question finds it missing."""
        from rag.store import open_store

        return cls(open_store(store), embedder, reranker)

    def close(self) -> None:
        """Let go of the index."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def retrieve(self, question: str, k: int = 10, where: Filter | None = None) -> list[Hit]:
        """Return the `k` best of the passages that `where` admits, best first: `k` of them are found if there are.

        Raises `InputError` when the question is empty or too long, `k` is not positive, or `where` names no document,
        `IndexMissing`, `ModelMismatch` when the index was made with another encoder, `ModelError`.
        """
        return self._retrieve(question, k, where, self.reranker)

    def to_read(self, question: str, k: int = 10, where: Filter | None = None) -> list[Hit]:
        """Return passages for an answer: reranked only by a reranker that was chosen; raises as `retrieve` does."""
        return self._retrieve(question, k, where, self.reranker if self._reranker_was_chosen else None)

    def fused(self, question: str, k: int = 10, where: Filter | None = None) -> list[Hit]:
        """Return passages as `retrieve` does, but without the reranker."""
        return self._retrieve(question, k, where, None)

    def _retrieve(self, question: str, k: int, where: Filter | None, reranker: Reranker | None) -> list[Hit]:
        check_question(question)
        if k < 1:
            raise InputError(f"cannot return {k} passages; ask for at least one")
        with self.store.snapshot() as snapshot:
            if where and (where.document or where.folder):
                where.check_names(snapshot.uris())
            return self._ranked(snapshot, question, min(k, max(1, snapshot.passage_count())), where, reranker)

    def _ranked(
        self, snapshot: StoreSnapshot, question: str, k: int, where: Filter | None, reranker: Reranker | None
    ) -> list[Hit]:
        fusion = replace(self.fusion, candidates=max(self.fusion.candidates, k))
        vectors, words = embed_with_words(self.embedder(snapshot), [question])
        found = ranking(snapshot, question, vectors[0], words[0], fusion, where)
        scores, judged = found.scores, dict[str, float]()
        if reranker and scores:
            read = fusion.to_rerank(scores, all_of_them=not reranker.calibrated)
            head = list(snapshot.passages(read).values())
            judged = dict(zip((passage.id for passage in head), reranker(question, head), strict=True))
            judged = judged if reranker.calibrated else normalised(judged)
            scores = reranked(scores, judged, fusion.reader if reranker.calibrated else fusion.reranker)
        return found.hits(_best(snapshot, list(scores), k, fusion), scores, judged)

    def embedder(self, snapshot: StoreSnapshot) -> Embedder:
        """Return the encoder that made this index; raises `ModelMismatch`."""
        recipe = snapshot.recipe
        if self._embedder is None:
            self._embedder = embedder_named(recipe.model)
        mine = replace(recipe, model=self._embedder.name, fingerprint=self._embedder.fingerprint, lexical=ANALYSIS)
        if mine != recipe:
            raise ModelMismatch(recipe.difference(mine))
        return self._embedder

    def warm(self) -> None:
        """Load the encoder and open the search indexes; raises what `retrieve` raises."""
        with self.store.snapshot() as snapshot:
            snapshot.dense(self.embedder(snapshot).embed_query("warm"), 1)
            snapshot.lexical("warm", 1)

    def similarity(self, question: str, texts: Sequence[str]) -> list[float]:
        """Return the cosine between the question and each text."""
        with self.store.snapshot() as snapshot:
            encoder = self.embedder(snapshot)
        return [float(cosine) for cosine in encoder.embed(texts) @ encoder.embed_query(question)]

    def text(self, uri: str) -> str:
        """Return the text of a document of the index."""
        with self.store.snapshot() as snapshot:
            return snapshot.document(uri).text

    def beside(self, passage: Passage) -> list[Passage]:
        """Return the passages in front of and behind one, as its document has them."""
        with self.store.snapshot() as snapshot:
            found = snapshot.passages_of(passage.uri)
        place = next((n for n, each in enumerate(found) if each.span == passage.span), None)
        return [] if place is None else [*found[max(0, place - 1) : place], *found[place + 1 : place + 2]]

    def admitted(self, where: Filter) -> list[Passage]:
        """Return all passages that a filter admits, document by document, in the order of their text."""
        with self.store.snapshot() as snapshot:
            uris = [info.uri for info in snapshot.documents() if where.has_document(info.uri, info.date)]
            return [
                passage
                for uri in uris
                for passage in snapshot.passages_of(uri)
                if where.has_section(passage.section)
                and (not where.speaker or any(where.has_speaker(said.speaker) for said in passage.statements))
            ]

    def rarity(self, question: str) -> dict[str, float]:
        """Return each term of the question with its rarity in this index (`Snapshot.rarity`).

        A term that the index does not have at all weighs half as much as the rarest: it may be another word for one.
        """
        wanted = set(terms(question))
        with self.store.snapshot() as snapshot:
            found, rarity = snapshot.frequencies(wanted), snapshot.rarity(wanted)
        return {term: weight if found[term] else weight / 2 for term, weight in rarity.items()}


def _best(snapshot: StoreSnapshot, ranked: Sequence[str], k: int, fusion: Fusion) -> list[Passage]:
    """Return the `k` best passages, copies of better ones last; more than `k` are read only where there are copies."""
    best = [*snapshot.passages(ranked[:k]).values()]
    apart, copies = copies_apart(best, fusion.alike)
    if copies:
        best += snapshot.passages(ranked[k : fusion.copies * k]).values()
        apart, copies = copies_apart(best, fusion.alike)
    return [*apart, *copies][:k]


def check_question(question: str) -> None:
    """Refuse what is no question; raises `InputError`."""
    if not question.strip():
        raise InputError("the question is empty; ask something, as in: rag ask 'How many people live in Idlib?'")
    if any("\ud800" <= char <= "\udfff" for char in question):
        raise InputError("the question is not valid text; type it again, in UTF-8")
    if len(question) > MAX_QUESTION:
        raise InputError(f"the question has {len(question)} characters, at most {MAX_QUESTION} are read; shorten it")
