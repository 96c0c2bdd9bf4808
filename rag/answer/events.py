"""What a question says happened to people: `How many were injured?` is not answered by how many were killed.

`When did he die?` is not answered from a passage that tells of no death.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SUBORDINATE = "after|before|when|while|since|until|times"
_FURTHER = f"{_SUBORDINATE}|that|which|who|if|because|of|to|by"


@dataclass(frozen=True, slots=True)
class Event:
    """What happens to people.

    Attributes:
        counted: finds it in questions for how many; group 1 is its word.
        happened: finds it in questions for when, where, how or why.
        told: finds the words of texts that tell of it.
    """

    counted: re.Pattern[str]
    happened: re.Pattern[str]
    told: re.Pattern[str]


def _event(asked: str, told: str) -> Event:
    counted = rf"\b(?:how many|number of)\b{_between(_SUBORDINATE)}\b({asked})\b"
    since = r"when|where|why|how|(?:in |on )?(?:what|which) (?:year|month|day|date|place|city|town)"
    happened = rf"\W*(?:{since})\b{_between(_FURTHER)}\b({asked})\b"
    patterns = (counted, rf"\A{happened}", rf"\b(?:{told})\b|\b(?:{asked})\b")
    return Event(*(re.compile(pattern, re.IGNORECASE) for pattern in patterns))


def _between(barred: str) -> str:
    return rf"(?:(?!\b(?:{barred})\b)[^?.;,]){{1,60}}?"


_OF_MANY = (
    _event(
        r"kill(?:ed)?|die[ds]?|dead|deaths?|fatalit\w+|murdered|executed|drowned|lost their lives",
        r"kill\w*|dead\w*|death\w*|dying|fatal\w*|lives|life|toll|casualt\w*|victims?|perish\w*|murder\w*|massacre\w*"
        r"|slain|slaughter\w*|execut\w*|drown\w*|bod(?:y|ies) (?:of|were|was|had|have|found|recovered)|mortal\w*"
        r"|suicides?|shot|corpses?|martyr\w*|burial|buried|graves?|funerals?|lost|losses|surviv\w*|wiped out|behead\w*"
        r"|starv\w*|assassinat\w*|hanged|extermina\w*"
        r"|genocide|d\.|\d{3,4}\??\s?[–—-]\s?(?:c\. ?)?(?:\d\d? \w+ )?\d{3,4}",  # (1249–1314)
    ),
    _event(
        r"injur(?:ed|ies)|wounded|hurt",
        r"injur\w*|wound\w*|harm\w*|casualt\w*|maim\w*|hospital\w*|burn\w*|victims?|treated",
    ),
    _event(
        r"arrest(?:ed|s)|detained|jailed|imprisoned",
        r"arrest\w*|detain\w*|detention\w*|custody|jail\w*|imprison\w*|prison\w*|held|captur\w*|charged|seiz\w*"
        r"|rounded up|behind bars",
    ),
    _event(
        r"fled|flee|displaced|evacuated|homeless",
        r"fle[de]\w*|fleeing|displac\w*|evacuat\w*|homeless\w*|refuge\w*|exodus|exile\w*|emigrat\w*|left|leav\w+|moved"
        r"|driven|escap\w*|expel\w*|uproot\w*|taken out|asylum|deport\w*|housing",
    ),
    _event(r"returned|gone back", r"return\w*|back|repatriat\w*|resettl\w*|c[ao]me home|go(?:ing|ne)? home"),
)
_EVENTS = (
    *_OF_MANY,
    _event(
        r"resign(?:ed)?|step(?:ped)? down",
        r"resign\w*|quit\w*|step\w*|stood|left|leav\w+|depart\w*|dismiss\w*|sack\w*|fir(?:ed|ing)|oust\w*|remov\w*"
        r"|forced|abdicat\w*|relinquish\w*|g[ai]v\w+ up|retir\w*|replac\w*|succe\w+|end\w*|exit\w*|out|went|go|bow\w*",
    ),
    _event(r"marry|married", r"marri\w*|wed\w*|wife|wives|husbands?|spouses?|bride\w*|groom|couples?|union|divorc\w*"),
)
"""Of 130 questions of squad20_A, xquad_en_A and the training sets that count people, none has its answer in a passage
without a word of the event. Of 109 that ask when, where, how or why one came about, two have; of 20 that mislead,
`missing_event` finds out 5."""


def asked_event(question: str) -> str | None:
    """Return the event that a question asks of, in its own word; None where it asks of no such."""
    found = _asked(question)
    return found[0] if found else None


def missing_event(question: str, passage: str) -> str | None:
    """Return the event that a question asks of where a passage tells nothing of such."""
    found = _asked(question)
    return found[0] if found and not found[1].told.search(passage) else None


def is_of_another_event(question: str, sentence: str) -> bool:
    """Tell whether a sentence tells of another such event, and not of the one that a question counts people of."""
    counted = next((event for event in _EVENTS if event.counted.search(question)), None)
    told = [event for event in _OF_MANY if event.told.search(sentence)] if counted else []
    return bool(told) and counted not in told


def _asked(question: str) -> tuple[str, Event] | None:
    found = ((event.counted.search(question) or event.happened.search(question), event) for event in _EVENTS)
    return next(((match[1], event) for match, event in found if match), None)
