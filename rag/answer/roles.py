"""Questions for somebody's deed, asked for their role instead: `Who chairs the board?`, `Who is the chairman of ...?`.

News names people by what they are (`BT chief executive Ben Verwaayen`), and questions ask what they do. The reader,
trained on questions made of their passages, seldom sees that one is the other: benchmarks/reader/README.md.
"""

from __future__ import annotations

import re

_ROLES = {
    "chief executive": "run runs ran running",
    "head": "head heads headed heading",
    "leader": "lead leads led leading",
    "chairman": "chair chairs chaired chairing",
    "founder": "found founds founded co-founded",
    "editor": "edit edits edited editing",
    "coach": "coach coaches coached coaching",
    "manager": "manage manages managed managing",
    "director": "direct directs directed directing",
    "owner": "own owns owned",
    "producer": "produce produces produced producing",
    "author": "write writes wrote",
    "inventor": "invent invents invented",
    "creator": "create creates created",
    "designer": "design designs designed designing",
    "architect": "built",
    "captain": "captain captains captained",
    "presenter": "present presents presented presenting",
    "host": "host hosts hosted hosting",
    "composer": "compose composes composed",
    "publisher": "publish publishes published",
}
_ROLE = {form: role for role, forms in _ROLES.items() for form in forms.split()}
_PAST = frozenset({"ran", "led", "wrote", "built"})
_NO_OBJECT = "in|on|for|to|from|with|at|against|away|into|out|through|over|off|after|by|that|about|as|and|or|down"
_IN_CHARGE = re.compile(r"\bis (?:in charge|the boss) of\b", re.IGNORECASE)
_ASKED = re.compile(
    r"\s*(?P<who>who|which \w+|what \w+)(?: (?:currently|now|is|was|first|originally|really))?"
    rf" (?P<verb>{'|'.join(sorted(_ROLE, key=len, reverse=True))})(?: up)? (?!(?:{_NO_OBJECT})\b)(?P<what>.+)",
    re.IGNORECASE,
)


def asked_by_role(question: str) -> str | None:
    """Return the question with the role of whoever does what it asks about; None where it is of another form."""
    match = _ASKED.fullmatch(_IN_CHARGE.sub("runs", question))
    if not match:
        return None
    verb = match["verb"].lower()
    return (
        f"{match['who']} {'was' if verb in _PAST or verb.endswith('ed') else 'is'} the {_ROLE[verb]} of {match['what']}"
    )
