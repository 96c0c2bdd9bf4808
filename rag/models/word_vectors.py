"""The words of a text, each with the vector of its place there: what late interaction compares.

The vector of a passage blurs what single words say. The encoder's own states of the tokens, from the same pass, keep
it: each word of a question is matched with the word of a passage that is nearest to it (Khattab, Zaharia 2020,
"ColBERT"). Here the states are those of an encoder that was not trained for it, a word has the mean of its tokens', and
words without terms (`rag.language.terms`: stop words, punctuation) are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.language.terms import terms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import torch
    from numpy.typing import NDArray
    from tokenizers import Encoding


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """Words in order, as they are written, with their float32 unit vectors, shape (words, dimension)."""

    texts: tuple[str, ...]
    vectors: NDArray[np.float32]


def words_of(text: str, encoding: Encoding, states: torch.Tensor) -> Words:
    """Return the words of a text.

    Args:
        text: what was encoded.
        encoding: its tokens without special ones; those after the last state are left out.
        states: of these tokens, shape (tokens, dimension).
    """
    import torch

    tokens: dict[int | None, list[int]] = {}  # of each word, by its number
    for token, number in enumerate(encoding.word_ids[: len(states)]):
        tokens.setdefault(number, []).append(token)
    written = ((text[encoding.offsets[own[0]][0] : encoding.offsets[own[-1]][1]], own) for own in tokens.values())
    kept = [(word, own) for word, own in written if terms(word)]
    rows = torch.tensor([row for row, (_, own) in enumerate(kept) for _ in own], dtype=torch.long)
    columns = torch.tensor([token for _, own in kept for token in own], dtype=torch.long)
    sums = torch.zeros(len(kept), states.shape[1]).index_add_(0, rows, states[columns].float())
    return Words(tuple(word for word, _ in kept), torch.nn.functional.normalize(sums, dim=1).numpy())


def weights_of(words: Sequence[str], rarity: Mapping[str, float]) -> NDArray[np.float32]:
    """Return the weights of a question's words, shape (words,): the rarity of the rarest term, adding up to 1."""
    import numpy as np

    weights = np.array([max(rarity[term] for term in terms(word)) for word in words], np.float32)
    return np.asarray(weights / weights.sum() if len(weights) else weights, np.float32)
