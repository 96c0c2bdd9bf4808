"""What a question asks for: its kind, and what it names."""

from __future__ import annotations

import re

_WANTS_DATE = re.compile(
    r"\W*(?:since |until |till |by |from )?when\b|\W*(?:in |on )?(?:what|which) (?:year|date)\b", re.IGNORECASE
)
_WANTS_NUMBER = re.compile(
    r"\W*(?:about |by |for )?how (?:many|much|old|far|tall|high|heavy|deep|fast)\b", re.IGNORECASE
)
_WANTS_PERSON = re.compile(r"\W*(?:by |to |with |for |from )?who(?:m|se)?\b", re.IGNORECASE)
_WHERE = re.compile(r"\W*where\b", re.IGNORECASE)


def wants_date(question: str) -> bool:
    """Tell whether a question asks for a point in time."""
    return _WANTS_DATE.match(question) is not None


def wants_number(question: str) -> bool:
    """Tell whether a question asks how many or how much."""
    return _WANTS_NUMBER.match(question) is not None


def wants_person(question: str) -> bool:
    """Tell whether a question asks who."""
    return _WANTS_PERSON.match(question) is not None


def wants_place(question: str) -> bool:
    """Tell whether a question asks where."""
    return bool(_WHERE.match(question))
