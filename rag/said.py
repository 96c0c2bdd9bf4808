"""Questions for somebody's words ("What did Robert Ford say about a ceasefire?"): whose words they ask for."""

from __future__ import annotations

import re

from rag.speakers.words import TITLES
from rag.terms import terms

_VERBS = (
    "say said think thought believe believed tell told describe described warn warned argue argued claim claimed call "
    "called respond responded react reacted explain explained predict predicted expect expected comment commented "
    "insist insisted suggest suggested promise promised announce announced admit admitted deny denied ask asked stress "
    "stressed add added write wrote conclude concluded recommend recommended demand demanded"
).replace(" ", "|")

_ASKED = re.compile(
    rf"\s*(?:and |but )?(?:what|how|why|when|where)\b.{{0,40}}?\b(?:do|does|did|has|have|had)\s+"
    rf"(?P<who>[^?!.,;:]{{2,60}}?|[^?!,;:]{{2,60}}?\.[^?!,;:]{{2,60}}?)\s+(?:{_VERBS})\b",
    re.IGNORECASE,
)
SAYING = frozenset(terms(_VERBS.replace("|", " ")))
"""Terms that say that somebody says something."""

_ACCORDING = re.compile(r"\baccording to (?P<who>[^?!,;:]{2,60}?)\s*(?:[?!,;:]|$)", re.IGNORECASE)
_NOBODY = frozenset("it they he she we you i one people anyone anybody someone somebody this that there".split())


def asked_speaker(question: str) -> frozenset[str]:
    """Return the terms of the name whose words a question asks for; none where it asks for nobody's.

    Titles are left out: `Mr Ford` is introduced as `Robert Ford`. So are pronouns, which name nobody.
    """
    found = _ASKED.match(question) or _ACCORDING.search(question)
    words = found["who"].split() if found else []
    kept = [word for word in words if word.lower() not in TITLES]
    if not kept or (len(kept) == 1 and kept[0].lower() in _NOBODY):
        return frozenset()
    return frozenset(terms(" ".join(kept)))
