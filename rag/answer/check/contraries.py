"""The words that turn a sentence into its contrary, and those that stand for a name."""

from __future__ import annotations

import re

from rag.language.terms import terms

NEGATOR = re.compile(
    r"\b(?:not|never|no|none|nobody|nothing|neither|nor|without|cannot|hardly|\w+n['’]t)\b", re.IGNORECASE
)
DENIAL = re.compile(
    r"\b(?:den(?:y|ies|ied|ying)|refus\w+|reject\w*|fail(?:s|ed|ing|ure)?\b|lack\w*|unable|prevent\w*|avoid\w*|stopp?ed"
    r"|absen(?:t|ce)|miss(?:ed|ing)|declin(?:e|es|ed)|impossible|unknown|unaware|instead of|rather than|un\w{4,}ed"
    r"|remain\w*|still|only|all but|short of|out of|far from|no longer|empt(?:y|ied)|disput\w+|contradict\w*"
    r"|(?:under|less than|fewer than|below) \d|nowhere|free of|end(?:s|ed|ing)?)\b",
    re.IGNORECASE,
)
"""Words that say a no without a negator: a negation that comes or goes beside one of them proves nothing."""

PRONOUN = re.compile(
    r"\b(?:he|she|it|they|him|her|hers|them|his|its|their|theirs|these|those|we|our|us|I|my|me)\b", re.IGNORECASE
)

_CONTRARIES = """
rise/fall rose/fell rising/falling increase/decrease increased/decreased increase/reduce increase/cut grow/shrink
grew/shrank gain/lose won/lost win/lose opened/closed open/shut open/closed opened/shut raised/lowered raise/lower
before/after more/less more/fewer most/least above/below over/under up/down early/late earlier/later first/last
best/worst better/worse high/low higher/lower highest/lowest large/small larger/smaller largest/smallest big/small
long/short longer/shorter strong/weak stronger/weaker fast/slow faster/slower north/south east/west northern/southern
eastern/western left/right inside/outside start/end started/ended begin/end began/ended began/stopped
accepted/rejected accept/reject allow/ban allowed/banned allow/forbid support/oppose supported/opposed agree/disagree
agreed/refused approved/rejected confirmed/denied confirm/deny admitted/denied entered/left enter/leave
arrived/departed bought/sold buy/sell attack/defend attacked/defended advance/retreat advanced/retreated
captured/lost friend/enemy ally/enemy alive/dead born/died survived/died live/die always/never often/rarely
all/none many/few everyone/nobody everything/nothing man/woman men/women male/female boy/girl father/mother
son/daughter brother/sister husband/wife king/queen positive/negative success/failure succeeded/failed
guilty/innocent legal/illegal lawful/unlawful safe/unsafe safe/dangerous true/false right/wrong correct/incorrect
possible/impossible likely/unlikely able/unable public/private old/young old/new older/younger rich/poor
easy/hard easy/difficult full/empty hot/cold warm/cold day/night morning/evening summer/winter spring/autumn
lifted/imposed lift/impose wrote/read hired/fired employed/unemployed present/absent including/excluding
upstairs/downstairs with/without minimum/maximum least/most backed/opposed present/absent import/export imports/exports
"""


def _contraries() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for pair in _CONTRARIES.split():
        one, other = pair.split("/")
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return {word: frozenset(others) for word, others in found.items()}


CONTRARIES = _contraries()
"""Each word with those that say its contrary."""

COMMON_FIRST = frozenset(terms("people men women children officials soldiers residents troops police"))
HEDGE = re.compile(
    r"(?:about|around|some|roughly|approximately|nearly|almost|over|up to|close to|more than|less than|fewer than"
    r"|at least|at most|under|just|an estimated)\s+$",
    re.IGNORECASE,
)
"""In front of a number: it may be rounded."""
