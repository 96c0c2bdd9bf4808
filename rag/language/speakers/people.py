"""Who a noun phrase in front of `said` means, and who is who in a document: full names, roles, pronouns."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from rag.language.names import CAPITALISED, LINKS, PARTICLES
from rag.language.speakers.vocabulary import (
    AUXILIARY,
    BODIES,
    DENIES,
    NOT_NAMES,
    PRONOUNS,
    TITLES,
    is_body,
    is_role,
    singular,
)

HIDDEN = "\ue000"
"""Stands for each character of a quotation in masked text: no letter, no space, no punctuation."""

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
_NO_NOUNS = DENIES | AUXILIARY | {"who", "and", "or"}


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
    full = [(at, h) for at, h in heads if h.kind == "body" or (h.kind == "name" and (" " in h.name or h.gender))]
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
    bare = tokens[1:] if tokens[0].lower() == "the" else tokens
    if not _like_a_name(bare):
        return None
    if "of" in bare[2:] and not any(map(is_body, bare[: bare.index("of")])) and bare is tokens:
        return None
    if bare is not tokens or any(map(is_body, bare)) or _like_a_body(bare):
        one = "and" not in bare or any(map(is_body, bare[: bare.index("and")]))  # no two names
        return Speaker(" ".join(bare), "body") if one else None
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
    if not (DENIES | AUXILIARY).isdisjoint(map(str.lower, before)) or before[-1].endswith(("'s", "’s")):
        return None
    found = _name(name)
    return replace(found, role=role_of(" ".join(before))) if found and found.kind == "name" else None


def _described(tokens: list[str]) -> Speaker | None:
    """Read somebody without a name: `one aid worker`, `a spokesman for the ministry`, `the town council`."""
    cut = next((i for i, token in enumerate(tokens) if i and token in {"of", "for", "at", "in", "from", "with"}), None)
    head = tokens[:cut]
    first = head[0].lower()
    if len(head) > 6 or first in NOT_NAMES - _DETERMINERS or not _NO_NOUNS.isdisjoint(map(str.lower, tokens)):
        return None
    if any(token.endswith(("ing", "ed")) for token in tokens[cut or len(tokens) :]):
        return None
    name = " ".join([first if first in NOT_NAMES else tokens[0], *tokens[1:]])
    return Speaker(name, "role") if is_role(head[-1]) else Speaker(name, "body") if is_body(head[-1]) else None


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


_FULL = re.compile(rf"\b(?=({CAPITALISED})\s(?:[A-Z]\.\s)?({CAPITALISED}))")
_FEMALE = re.compile(r"\b(?:\w*woman|women|mother|daughter|wife|sister|widow|midwife|queen|actress)\b")
_MALE = re.compile(r"\b(?:(?:\w{3,})?man|men|father|son|husband|brother|king|actor)\b")
_CAPITAL = re.compile(r"(?<=[a-z,]\s)[A-Z][a-z]+")
_PLACES = frozenset(
    """new york north south east west saudi arabia united hong kong san los sri korea zealand africa washington city
    county street road river valley island islands lake bay""".split()
)
_ONE = ("a ", "an ", "one ", "another ")
_SUFFIXES = frozenset({"jr", "jr.", "sr", "sr.", "ii", "iii", "iv"})

_REMEMBERED = 2  # blocks without the person after which `he` is no longer clear


class People:
    """The people met so far, in reading order, and the one whom the text is about."""

    def __init__(self) -> None:
        self._by_last: dict[str, list[Speaker]] = {}
        self._first: dict[str, set[str]] = {}  # full names read, by their last word
        self._capitals: set[str] = set()  # words with a capital inside a sentence
        self._focus: Speaker | None = None
        self._body: Speaker | None = None
        self._age = 0
        self._body_age = 0

    def next_block(self, words: str) -> None:
        """Grow older by a block, and note the full names in it."""
        self._capitals |= {word.lower() for word in _CAPITAL.findall(words)}
        for name in _FULL.finditer(words):
            first, last = (part.removesuffix("’s").removesuffix("'s") for part in name.groups())
            if not (is_role(first) or is_body(last) or is_role(last) or first.lower() in NOT_NAMES | TITLES.keys()):
                self._first.setdefault(last.lower(), set()).add(f"{first} {last}")
        self._age += 1
        self._body_age += 1

    @property
    def focus(self) -> Speaker | None:
        """The person whom the text is about; None when that is not clear."""
        return self._focus if self._age <= _REMEMBERED else None

    def knows(self, who: Speaker) -> bool:
        """Tell whether a name is surely a name: it has two words or a title, or was met or read in full before."""
        last = who.name.split()[-1].lower()
        return " " in who.name or last in self._by_last or last in self._first or last in self._capitals

    def _unsure(self, who: Speaker) -> bool:
        """Tell whether a name may be that of a place or a thing."""
        words = who.name.lower().split()
        if who.role or who.gender or words[-1] in self._by_last:
            return False
        return not _PLACES.isdisjoint(words) or (len(words) == 1 and words[0] not in self._first)

    def meet(self, who: Speaker) -> Speaker:
        """Return the person with the name and role that the text gives in full; remember them."""
        if who.kind != "name":
            return who
        words = _bare(who.name)
        last = words[-1].lower()
        if len(words) == 1 and last not in self._by_last and len(self._first.get(last, ())) == 1:
            who = replace(who, name=next(iter(self._first[last])))
            words = who.name.split()
        known = self._by_last.setdefault(last, [])
        same = [other for other in known if _same(_bare(other.name), words)]
        if len(same) > 1:
            return who
        if not same:
            who = replace(who, gender=who.gender or _gender(who.role))
            known.append(who)
            return who
        old = same[0]
        name = max(old.name, who.name, key=lambda n: (len(_bare(n)), n == old.name))
        role = old.role or who.role
        known[known.index(old)] = merged = Speaker(name, "name", role, old.gender or who.gender or _gender(role))
        return merged

    def about(self, who: Speaker, *, spoke: bool = False) -> None:
        """Note whom a sentence is about; one who `spoke` is no place."""
        if who.kind == "pronoun":
            self._age = 0 if self._focus else self._age
            return
        if who.kind == "body":
            who = self._named_body(who)
            self._body, self._body_age = who, 0
            return
        last = who.name.split()[-1]
        name = who.name.lower()
        if who.kind == "role" and (not name.startswith((*_ONE, "the ")) or singular(last) != last):
            return  # several people: a later `he` is none of them
        if who.kind == "name" and not spoke and self._unsure(who):
            self._focus = None
            return
        definite = who.kind == "role" and not name.startswith(_ONE)
        self._focus = None if definite and self.focus else self.meet(who)
        self._age = 0

    def resolve(self, who: Speaker) -> Speaker | None:
        """Return the speaker: pronouns become the person in focus, last names the full one; None when unclear."""
        if who.kind == "body":
            return self._named_body(who)
        if who.kind != "pronoun":
            return self.meet(who)
        if who.name == "it":
            return self._body if self._body_age <= 1 else None
        if who.name == "they" or self.focus is None:
            return None
        if self.focus.gender and who.gender and self.focus.gender != who.gender:
            return None
        found = self.focus
        if found.kind == "name" and who.gender and not found.gender:
            found = self.meet(Speaker(found.name, "name", found.role, who.gender))
            self._focus = found
        return found

    def _named_body(self, who: Speaker) -> Speaker:
        article, _, noun = who.name.partition(" ")
        if article == "the" and noun in BODIES and self._body and noun in self._body.name.lower().split():
            return self._body
        return who


def _bare(name: str) -> list[str]:
    words = [word.removesuffix("’s").removesuffix("'s") for word in name.split()]
    while len(words) > 1 and words[0].lower() in TITLES:
        words = words[1:]
    while len(words) > 1 and words[-1].lower() in _SUFFIXES:
        words = words[:-1]
    return words


def _gender(role: str | None) -> str:
    words = (role or "").lower()
    return "f" if _FEMALE.search(words) else "m" if _MALE.search(words) else ""


def _same(known: list[str], named: list[str]) -> bool:
    """Tell whether two names that end alike can be one person's: one of them is the last name, or the first agree."""
    return len(known) == 1 or len(named) == 1 or known[0] == named[0]
