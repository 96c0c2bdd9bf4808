"""Names, roles and pronouns: who a noun phrase in front of `said` means."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from rag.language.names import LINKS, PARTICLES
from rag.language.speakers.quotations import HIDDEN
from rag.language.speakers.vocabulary import (
    AUXILIARY,
    DENIES,
    NOT_NAMES,
    PRONOUNS,
    TITLES,
    is_body,
    is_role,
)

Kind = Literal["name", "role", "body", "pronoun"]

_LONGEST_PHRASE = 12  # words
_LONGEST_ROLE = 160  # characters
_PART = re.compile(r"[,;:()]|\s[-–—]\s|—|\s(?:that|because|whether)\s")
_BRACKETS = re.compile(r"\s?\([^()]{0,60}\)")
_TIME_FIRST = re.compile(r"(?:On|In|At|By|Late|Earlier)\b[^,]{0,60}?\bthe\s")
_ROLE_END = re.compile(r"\s(?:[-–—]|and (?:says|said|has|had|was|is|tells|told|now)|who|which|where|when|but)(?=\s|$)")
_JOINING = frozenset(
    """and but while as because since though although so yet or that whereas later then meanwhile earlier still now
    today yesterday""".split()
)


_DETERMINERS = frozenset("the a an one another his her its their some many several".split())


@dataclass(frozen=True, slots=True)
class Speaker:
    """Somebody who speaks: `name` as the text gives it; kind `role` has no name ("one aid worker")."""

    name: str
    kind: Kind
    role: str | None = None
    gender: str = ""

    def __str__(self) -> str:
        """Return name and role, as in `Robert Ford, former US ambassador to Syria`."""
        return f"{self.name}, {self.role}" if self.role else self.name


def named_speaker(left: str) -> Speaker | None:
    """Return whom the words in front of a verb name as its subject; None when that is not clear.

    `left` is the sentence up to the verb, without auxiliaries. Appositions stand between commas, the role after
    the name (`Ruth Hill, a nurse,`) or in front of it (`The mayor of Hull, Ruth Hill,`).
    """
    if HIDDEN in left[-1:]:
        return None
    parts = [part.strip() for part in _PART.split(_BRACKETS.sub("", left))]
    if parts[-1]:
        # `Robert Ford is the former ambassador and`: the verb shares the subject at the start of the sentence.
        shares = parts[-1].endswith((" and", " but")) and len(left) <= 200
        return _phrase(parts[-1]) or (sentence_subject(left) if shares else None)
    return _apposed(parts[:-1][-4:])


def _apposed(parts: list[str]) -> Speaker | None:
    """Find the one name among parts between commas; its neighbour may be the role."""
    heads = [(at, head) for at, part in enumerate(parts) if (head := _phrase(part)) and head.kind != "pronoun"]
    full = [(at, head) for at, head in heads if head.kind != "role" and _is_full(head)]
    named = [(at, head) for at, head in full if head.kind == "name"] or full
    if not named:
        return heads[0][1] if heads and heads[0][0] == 0 and len(parts) > 1 else None
    at, found = named[-1]
    if len(named) > 1 and not _is_role_phrase(parts[at]):
        at, found = named[0]
        if not all(map(_is_role_phrase, parts[at + 1 :])):
            return None
    after = ", ".join(part for part in parts[at + 1 :] if part and not part.isdigit())
    before = parts[at - 1] if at and not after else ""
    return replace(found, role=found.role or role_of(after) or role_of(before))


def _is_full(head: Speaker) -> bool:
    return " " in head.name or head.kind == "body" or head.gender != ""


def role_of(words: str) -> str | None:
    """Return the role that words beside a name give, without its article; None when they give none."""
    words = _ROLE_END.split(words, maxsplit=1)[0].strip(" ,.;:-–—")
    words = re.sub(r"^(?:the|a|an|one(?! of))\s+", "", _TIME_FIRST.sub("", words, count=1), flags=re.IGNORECASE)
    return words if words and len(words) <= _LONGEST_ROLE and _is_role_phrase(words) else None


def _is_role_phrase(words: str) -> bool:
    """Tell whether a phrase is about what somebody does: a role among the words before the first preposition."""
    head = re.split(r"\s(?:of|at|for|in|from|with|on|to)\s", words, maxsplit=1)[0].split()
    if any(word.lower() in {"his", "her", "their", "my"} for word in head[1:]):  # `Ann lost her husband`
        return False
    return 0 < len(head) <= _LONGEST_PHRASE and any(is_role(word) for word in head[-4:]) and HIDDEN not in words


def _phrase(words: str) -> Speaker | None:
    """Read one noun phrase."""
    tokens = words.split()
    while tokens and tokens[0].lower() in _JOINING:
        tokens = tokens[1:]
    if not tokens or len(tokens) > _LONGEST_PHRASE or any(HIDDEN in token or token.endswith(",") for token in tokens):
        return None
    if len(tokens) == 1 and tokens[0].lower() in PRONOUNS:
        return Speaker(tokens[0].lower(), "pronoun", gender=PRONOUNS[tokens[0].lower()])
    return _name(tokens) or _name_of_body(tokens) or _role_and_name(tokens) or _described(tokens)


def _capital(token: str) -> bool:
    bare = token.lstrip("'’‘(").removeprefix("al-").removeprefix("el-").removeprefix("d’").removeprefix("d'")
    return bare[:1].isupper() or (bare[:2].isalpha() and bare[1:2].isupper())


def _name(tokens: list[str]) -> Speaker | None:
    """Read tokens that are all a name: of a person, or of an organisation by its nouns."""
    bare = tokens[1:] if tokens[0].lower() == "the" else tokens
    if not _like_a_name(bare):
        return None
    if "of" in bare[2:] and not any(map(is_body, bare[: bare.index("of")])) and bare is tokens:
        return None
    if bare is not tokens or any(map(is_body, bare)) or _like_a_body(bare):
        return Speaker(" ".join(bare), "body") if _one(bare) else None
    if bare[0].lower() in TITLES:
        return Speaker(" ".join(bare), "name", gender=TITLES[bare[0].lower()]) if len(bare) > 1 else None
    return _titled(bare) or Speaker(" ".join(bare), "name")


def _like_a_name(tokens: list[str]) -> bool:
    """Tell whether tokens are capitalised, but for particles inside, and not just because they open a sentence."""
    if not tokens or not all(_capital(token) or token.lower() in PARTICLES | LINKS for token in tokens):
        return False
    return all(_capital(end) and end.lower() not in NOT_NAMES for end in (tokens[0], tokens[-1]))


def _name_of_body(tokens: list[str]) -> Speaker | None:
    """Read `Ibrahim Al-Assil of the Middle East Institute`."""
    at = next((i for i, token in enumerate(tokens) if token in {"of", "from", "at"}), 0)
    found = _name(tokens[:at]) if at >= 2 and _capital(tokens[-1]) else None
    return replace(found, role=" ".join(tokens[at:])) if found and found.kind == "name" and not found.role else None


def _like_a_body(tokens: list[str]) -> bool:
    """Tell an abbreviation or a name with prepositions from a person's name."""
    if len(tokens) == 1 and tokens[0].replace("-", "").replace(".", "").isupper() and len(tokens[0]) > 1:
        return True
    return any(token.lower() in LINKS for token in tokens)


def _one(tokens: list[str]) -> bool:
    """Tell one organisation from two names joined by `and`."""
    return "and" not in tokens or any(is_body(token) for token in tokens[: tokens.index("and")])


def _titled(tokens: list[str]) -> Speaker | None:
    """Split `National Security Adviser Jake Sullivan` after its last role."""
    at = next((i for i in range(len(tokens) - 1, 0, -1) if is_role(tokens[i - 1])), 0)
    rest = tokens[at:]
    if not at or is_role(tokens[-1]) or rest[0].lower() in LINKS:
        return Speaker(" ".join(tokens), "role") if is_role(tokens[-1]) else None
    return Speaker(" ".join(rest), "name", " ".join(tokens[:at]))


def _role_and_name(tokens: list[str]) -> Speaker | None:
    """Read `Middle East analyst Rahul Pathak`: a name after a role in lower case."""
    start = len(tokens)
    while start and (_capital(tokens[start - 1]) or tokens[start - 1].lower() in PARTICLES):
        start -= 1
    name, before = tokens[start:], tokens[:start]
    if not name or not before or not is_role(before[-1]) or not _capital(name[0]):
        return None
    if any(word.lower() in DENIES | AUXILIARY for word in before) or before[-1].endswith(("'s", "’s")):
        return None
    found = _name(name)
    return replace(found, role=role_of(" ".join(before))) if found and found.kind == "name" else None


def _described(tokens: list[str]) -> Speaker | None:
    """Read somebody without a name: `one aid worker`, `a spokesman for the ministry`, `the town council`."""
    cut = next((i for i, token in enumerate(tokens) if i and token in {"of", "for", "at", "in", "from", "with"}), None)
    head = tokens[:cut]
    if len(head) > 6 or not head[-1].replace("-", "").replace("’", "").replace("'", "").isalpha():
        return None
    first = head[0].lower()
    if first in NOT_NAMES - _DETERMINERS:
        return None
    if any(token.lower() in (DENIES | AUXILIARY | {"who", "and", "or"}) for token in tokens):
        return None
    if any(token.endswith(("ing", "ed")) for token in (tokens[cut:] if cut else [])):
        return None
    name = " ".join(tokens)
    if first in NOT_NAMES:
        name = f"{first}{name[len(first) :]}"
    if is_role(head[-1]):
        return Speaker(name, "role")
    return Speaker(name, "body") if is_body(head[-1]) else None


_BE = re.compile(r"\s(?:is|was|has been|remains|became)\s(?P<role>[^,.;:]{3,160})")
_PRONOUN_FIRST = re.compile(
    r"(He|She)\b|(?:On|After|At|In|Before|During|When asked)\s[^,.;:]{2,80}?,?\s(he|she)\s(?:was|had|[a-z]+ed)\b"
)
_VERB_AFTER = re.compile(
    r"\s(?:'s|’s|is|was|has|had|would|will|could|may|can|does|[a-z]+ed|[a-z]{3,}s(?=\s(?:an?|the|his|her|in|at|for|to|with|that|it)\s)|says|keeps|wants|works|lives|heads|runs"
    r"|represents|understands|thinks|believes|leads|chairs|teaches|owns|plays|lost|held|kept|read|heard|stood|came|did|spoke|saw)\b"
)


def sentence_subject(sentence: str) -> Speaker | None:
    """Return whom a sentence is about, by its first words: `Ann Hill is a nurse`, `For Ann Hill, ...`, `She had`."""
    words = sentence[:300].removeprefix("For ")
    pronoun = _PRONOUN_FIRST.match(words)
    if pronoun:
        who = (pronoun[1] or pronoun[2]).lower()
        return Speaker(who, "pronoun", gender=PRONOUNS[who])
    return _before_comma(words) or _before_verb(words)


def _before_comma(words: str) -> Speaker | None:
    """Read `Ann Hill, a nurse, ...` and `The mayor of Hull, Ann Hill, ...`."""
    head, *after = words.split(",", 2)
    if not after or not 3 <= len(head) <= 80 or any(sign in head for sign in ";:()"):
        return None
    found = _phrase(head)
    if found and found.kind == "name":
        return replace(found, role=found.role or role_of(after[0]))
    named, role = _phrase(after[0]) if len(after) > 1 else None, role_of(head)
    return replace(named, role=role) if role and named and named.kind == "name" else None


def _before_verb(words: str) -> Speaker | None:
    verb = _VERB_AFTER.search(words)
    before = words[: verb.start()].split() if verb and verb.start() <= 80 else []
    while before and before[-1].endswith("ly") and before[-1].islower():
        before.pop()
    found = _phrase(" ".join(before))
    if found is None or found.kind not in {"name", "body"}:
        return None
    being = _BE.match(words, len(found.name)) if words.startswith(found.name) else None
    return replace(found, role=found.role or (role_of(being["role"]) if being else None))
