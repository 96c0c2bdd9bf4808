"""Words by which speech and speakers are known: verbs of saying, titles, roles, bodies."""

from __future__ import annotations

import re


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Reporting verbs. With the first group a clause may follow at once ("says the war goes on"); the second needs `that`
# for reported speech; the third reports only together with quotation marks.
SAY = _set("say says said")
_THAT = _set(
    """tell tells told adds added warns warned explains explained insists insisted claims claimed argues argued reports
    reported announces announced notes noted states stated declares declared confirms confirmed replies replied
    stresses stressed emphasises emphasised emphasizes emphasized acknowledges acknowledged admits admitted concedes
    conceded alleges alleged asserts asserted testifies testified predicts predicted recalls recalled complains
    complained estimates estimated reiterates reiterated jokes joked agrees agreed responds responded suggests
    suggested tweets tweeted writes wrote remarks remarked maintains maintained concludes concluded"""
)
QUOTE = _set(
    """asks asked answers answered continues continued calls called describes described shouts shouted cries cried
    whispers whispered comments commented observes observed chants chanted wonders wondered exclaims exclaimed urges
    urged quips quipped begins began boasts boasted pleads pleaded demanded"""
)
VERB = re.compile(rf"\b(?:point(?:s|ed) out|{'|'.join(sorted(SAY | _THAT | QUOTE, key=len, reverse=True))})\b")

AUXILIARY = _set(
    "has have had also later then since now still once again often reportedly recently earlier previously repeatedly "
    "even just already further finally simply anonymously quietly bluntly"
)
"""What may stand between a subject and its verb."""

DENIES = _set(
    "not never to is was are were be been being would could may might should will shall can did do does don't didn't "
    "doesn't won't wouldn't cannot can't n't nobody nothing none if what as which whether when"
)
"""In front of the verb: nothing is asserted, or by nobody."""

PRONOUNS = {"he": "m", "she": "f", "they": "", "it": ""}
TITLES = {
    **dict.fromkeys("mr mr. sir lord father brother prince king".split(), "m"),
    **dict.fromkeys("mrs mrs. ms ms. miss sister lady madam dame princess queen".split(), "f"),
    **dict.fromkeys(
        "dr dr. prof prof. gen gen. col col. lt lt. maj maj. sgt sgt. capt capt. sen sen. rep rep. gov gov. rev rev. "
        "judge".split(),
        "",
    ),
}

ROLES = _set(
    """adviser advisor aide alderman ambassador analyst anchor archbishop architect artist attorney author banker baker
    bishop boss captain ceo cfo chair chairman chairwoman chairperson chancellor chief citizen cleric coach
    co-founder colonel columnist commander commissioner companion congressman congresswoman consultant coroner
    correspondent counsel counsellor councillor critic customer daughter delegate deputy detective developer
    diplomat director doctor driver economist editor employee engineer envoy executive expert farmer father fellow
    fighter firefighter fisherman founder general governor guard head historian host inspector investigator investor
    journalist judge juror king lawmaker lawyer leader lecturer lieutenant major man manager mayor mechanic medic
    member midwife minister monitor mother musician neighbour neighbor nurse observer officer official operator
    organiser organizer owner parent partner passenger pastor patient physician physicist pilot player poet police
    policeman politician premier president priest principal producer professor prosecutor publisher queen rebel
    refugee reporter representative resident researcher retiree sailor scholar scientist secretary settler protester
    senator sergeant shopkeeper singer sister son soldier source speaker specialist spokesman spokesperson
    spokeswoman staffer strategist student superintendent supporter surgeon survivor teacher technician tenant
    trader trainer treasurer veteran victim villager volunteer warden wife woman witness worker writer husband
    brother colleague friend person people representatives lawmakers experts authorities relatives families activist
    campaigner contractor"""
)
"""Nouns for people who speak, in the singular (their plurals count as well)."""

BODIES = _set(
    """administration agency alliance army assembly association authority bank board broadcaster bureau centre center
    chamber charity church club coalition commission committee company congress corporation council court department
    embassy federation firm force forces foundation front fund government group hospital institute institution
    journal kremlin league media ministry monitor movement nations network newspaper observatory office organisation
    organization parliament party pentagon police programme program regime senate service society states team trust
    union university watchdog house authorities militia military taliban brokerage airline inc corp ltd plc un ocha
    nasa nato"""
)
"""Nouns for organisations that speak, in the singular (their plurals count as well)."""

NOT_NAMES = _set(
    """a about after all although an and another any as at because before both but by despite during each even every
    few first following for four from he her here his how however if in indeed inside instead it its last later like
    many meanwhile more moreover most my next no none not now of on once one only or other others our out over
    several she since so some still such than that the their then there these they this those though three through
    thus to today tomorrow two under until upon we what when where whether which while who why with without yes
    yesterday yet you your earlier i asked speaking reports report rumours rumors figures statistics january
    february march july september october november december monday tuesday wednesday thursday friday saturday sunday"""
)
"""Capitalised at the start of sentences, and yet no names."""

LABELS = _set(
    """transcript present note notes title headline subject author by from to cc date published updated source sources
    location place contact contents summary abstract background introduction conclusion warning tip tips example
    examples pros cons price ingredients method question answer questions answers photo caption credit image video
    audio related tags category topic agenda attendees participants actions action decision decisions time venue url
    address phone email description chapter part section figure table step result results status name names key
    facts correction update breaking live exclusive analysis opinion watch listen read important remember disclaimer
    sponsor objective total available release platform developer genre rating verdict recorded aired broadcast
    released issued filed posted modified dated transcribed edited produced duration length runtime running case
    reference ref amount number id format channel station programme program show episode series against abstained
    abstaining abstention abstentions ayes noes nays apologies absent excused vote votes voting motion resolution
    proposal item office dafür dagegen enthaltung enthaltungen pour contre"""
) | {"in favour", "in favor", "votes for", "votes against", "voted for", "voted against", "moved by", "seconded by"}
"""What stands before a colon and is nobody's name."""


def is_label(words: str) -> bool:
    """Tell whether what stands before a colon is no speaker: a label, also with a number, or a headline."""
    label = words.strip().lower()
    return not LABELS.isdisjoint({label, label.rstrip(" 0123456789.")}) or _is_headline(words.split())


def _is_headline(words: list[str]) -> bool:
    """Tell `Smith's Inner Circle Eyed` from `Smith's lawyer Ahmed`: a possessive, and a participle at the end."""
    if len(words) < 3 or not words[-1].endswith(("ed", "ing")) or is_role(words[-2]):
        return False
    return any(word.endswith(("'s", "’s", "s'", "s’")) for word in words[:-2])


_ROLE_ENDING = re.compile(r"[a-z-]{2,20}(?:ologist|onomist|tician|iator|itician|woman|spokesman|ographer)")


def singular(word: str) -> str:
    """Return a noun without the s of plurals and possessives, in lower case."""
    word = word.lower().strip(".,;:").removesuffix("'s").removesuffix("’s").rstrip("'’")
    if word in ROLES or word in BODIES:
        return word
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith("men"):
        return f"{word[:-3]}man"
    return word.removesuffix("s")


def is_role(word: str) -> bool:
    """Tell whether a word is a noun for somebody who speaks."""
    word = singular(word)
    return word in ROLES or word.rpartition("-")[2] in ROLES or bool(_ROLE_ENDING.fullmatch(word))


def is_body(word: str) -> bool:
    """Tell whether a word is a noun for an organisation."""
    return singular(word) in BODIES
