"""Who is who in a document: full names and roles of people named before, and whom a pronoun means."""

from __future__ import annotations

import re
from dataclasses import replace

from rag.language.names import CAPITALISED
from rag.language.speakers.noun_phrases import Speaker
from rag.language.speakers.vocabulary import BODIES, NOT_NAMES, TITLES, is_body, is_role, singular

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
            who = replace(who, gender=who.gender or _gender(who.role or ""))
            known.append(who)
            return who
        old = same[0]
        name = max(old.name, who.name, key=lambda n: (len(_bare(n)), n == old.name))
        role = old.role or who.role
        merged = Speaker(name, "name", role, old.gender or who.gender or _gender(role or ""))
        known[known.index(old)] = merged
        return merged

    def about(self, who: Speaker | None, *, spoke: bool = False) -> None:
        """Note whom a sentence is about; one who `spoke` is no place."""
        if who is None or who.kind == "pronoun":
            if who is not None and self._focus:
                self._age = 0
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
        """Return the organisation that `the council` means when one of that noun was named before."""
        article, _, noun = who.name.partition(" ")
        if article == "the" and noun in BODIES and self._body and noun in self._body.name.lower().split():
            return self._body
        return who


def _bare(name: str) -> list[str]:
    """Return a name's words without titles and suffixes."""
    words = [word.removesuffix("’s").removesuffix("'s") for word in name.split()]
    while len(words) > 1 and words[0].lower() in TITLES:
        words = words[1:]
    while len(words) > 1 and words[-1].lower() in _SUFFIXES:
        words = words[:-1]
    return words


def _gender(role: str) -> str:
    """Return the gender that a role tells, if any."""
    return "f" if _FEMALE.search(role.lower()) else "m" if _MALE.search(role.lower()) else ""


def _same(known: list[str], named: list[str]) -> bool:
    """Tell whether two names that end alike can be one person's: one of them is the last name, or the first agree."""
    return len(known) == 1 or len(named) == 1 or known[0] == named[0]
