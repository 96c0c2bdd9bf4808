"""Words that a copied sentence has in the place of others of its source: a synonym, or something else altogether.

Small models copy a sentence and bend it towards the question: `The pump stopped at noon` becomes `The lift stopped at
noon`, where pump and lift are no names. Which of the two it is, the encoder tells: put the source's words back, and see
how far the sentence moves.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, NamedTuple

from rag.answer.check.faults import WORD, names, numbers
from rag.language.terms import terms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.models.encoder import Embedder

LEAST_COPIED = 0.6
"""The share of a sentence's words with a meaning that stand in its source in the same order: less is no copy."""
MOST_WORDS = 2
"""Words with a meaning that are swapped: what differs by more is written anew, which is not judged here."""
SAME = 0.9
"""Cosine with the source's words put back, below which a swap changes the meaning: benchmarks/verify.md."""


class Swap(NamedTuple):
    """Words of a sentence, those of its source in whose place they stand, and the sentence with these put back."""

    mine: str
    theirs: str
    undone: str


def swapped(claim: str, quotes: list[str], encoder: Embedder) -> str | None:
    """Say what a sentence has in the place of something else in one of the sentences it cites; None for nothing."""
    known = set(terms(" ".join(quotes)))
    for swap in (swap for quote in quotes for swap in swaps(claim, quote, known)):
        one, other = encoder.embed([claim, swap.undone])
        if float(one @ other) < SAME:
            return f"the source says {swap.theirs}, not {swap.mine}"
    return None


def swaps(claim: str, quote: str, known: set[str]) -> Iterator[Swap]:
    """Yield the swaps of a sentence that copies most of `quote`; those to a term that is `known` are none.

    Names and numbers are left out, which have rules of their own, and so are pronouns, which have no terms.
    """
    mine, theirs = (list(WORD.finditer(text)) for text in (claim, quote))
    match = SequenceMatcher(None, [w[0].lower() for w in mine], [w[0].lower() for w in theirs], autojunk=False)
    copied = sum(bool(terms(w[0])) for block in match.get_matching_blocks() for w in mine[block.a :][: block.size])
    if copied < LEAST_COPIED * sum(bool(terms(w[0])) for w in mine):
        return
    unknown_here = set(terms(quote)) - set(terms(claim))
    for kind, i, j, k, m in match.get_opcodes() if copied else ():
        came = [w[0] for w in mine[i:j] if _is_plain(w[0], claim) and not known.issuperset(terms(w[0]))]
        went = [w[0] for w in theirs[k:m] if unknown_here.intersection(terms(w[0]))]
        if kind == "replace" and 0 < len(came) <= MOST_WORDS and 0 < len(went) <= MOST_WORDS:
            undone = f"{claim[: mine[i].start()]}{quote[theirs[k].start() : theirs[m - 1].end()]}"
            yield Swap(" ".join(came), " ".join(went), f"{undone}{claim[mine[j - 1].end() :]}")


def _is_plain(word: str, text: str) -> bool:
    """Tell whether a word is neither a name nor a number, and has a meaning of its own."""
    own = terms(word)
    return bool(own) and not numbers(word) and set(names(text)).isdisjoint(own)
