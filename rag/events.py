"""What happened to those whom a question counts: `How many were injured?` is not answered by how many were killed."""

from __future__ import annotations

import re

_EVENTS = {
    r"kill(?:ed)?|die[ds]?|dead|deaths?|fatalit\w+|murdered|executed|drowned|lost their lives": (
        r"kill\w*|dead\w*|death\w*|die[sd]?|dying|fatal\w*|lives|life|toll|casualt\w*|victims?|perish\w*|murder\w*"
        r"|massacre\w*|slain|slaughter\w*|execut\w*|drown\w*|bod(?:y|ies)|mortal\w*|suicides?|shot|corpses?|martyr\w*"
        r"|burial|buried|graves?|funerals?|lost|losses|surviv\w*|wiped out|behead\w*|starv\w*|assassinat\w*|hanged"
        r"|extermina\w*|genocide"
    ),
    r"injur(?:ed|ies)|wounded|hurt": (
        r"injur\w*|wound\w*|hurt\w*|harm\w*|casualt\w*|maim\w*|hospital\w*|burn\w*|victims?|treated"
    ),
    r"arrest(?:ed|s)|detained|jailed|imprisoned": (
        r"arrest\w*|detain\w*|detention\w*|custody|jail\w*|imprison\w*|prison\w*|held|captur\w*|charged|seiz\w*"
        r"|rounded up|behind bars"
    ),
    r"fled|flee|displaced|evacuated|homeless": (
        r"fle[de]\w*|fleeing|displac\w*|evacuat\w*|homeless\w*|refuge\w*|exodus|exile\w*|emigrat\w*|left|leav\w+|moved"
        r"|driven|escap\w*|expel\w*|uproot\w*|taken out|asylum|deport\w*|housing"
    ),
    r"returned|gone back|c[ao]me back": r"return\w*|back|repatriat\w*|resettl\w*|c[ao]me home|go(?:ing|ne)? home",
}
"""What a question asks of people, with the words of texts that tell of it. Of 142 such questions of squad20_A,
xquad_en_A and the training sets, none has an answer in a passage without any of these words, and one in a sentence
that has only those of another event; three more count something else after a death, which `_ASKED` leaves out."""

_BETWEEN = r"(?:(?!\b(?:after|before|when|while|since|until|times)\b)[^?.;]){1,60}?"
_ASKED = {event: re.compile(rf"\b(?:how many|number of)\b{_BETWEEN}\b({event})\b", re.IGNORECASE) for event in _EVENTS}
_TOLD = {event: re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for event, words in _EVENTS.items()}


def asked_event(question: str) -> str | None:
    """Return the event that a question counts people of, as it has it; None where it counts no such."""
    event = _asked(question)
    match = _ASKED[event].search(question) if event else None
    return match[1] if match else None


def missing_event(question: str, passage: str) -> str | None:
    """Return the event that a question counts people of where a passage tells nothing of such."""
    asked = _asked(question)
    return asked_event(question) if asked and not _TOLD[asked].search(passage) else None


def is_of_another_event(question: str, sentence: str) -> bool:
    """Tell whether a sentence tells of another such event, and not of the one that a question counts people of."""
    asked = _asked(question)
    told = {event for event, words in _TOLD.items() if words.search(sentence)} if asked else set()
    return bool(told) and asked not in told


def _asked(question: str) -> str | None:
    return next((event for event, pattern in _ASKED.items() if pattern.search(question)), None)
