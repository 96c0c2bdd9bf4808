"""The records that flow through the system: documents, answers, runs and filters. Standard library only, all frozen."""

from rag.records.answers import (
    Answer,
    AnswerSentence,
    Candidate,
    Citation,
    Conflict,
    Hit,
    ShortAnswer,
    Support,
    title_and_section,
)
from rag.records.documents import (
    Document,
    Mark,
    Omission,
    Passage,
    Place,
    Section,
    Span,
    Statement,
    Why,
    speaker_of,
    unnamed,
)
from rag.records.filters import Filter
from rag.records.runs import Outcome, Progress, State, SyncReport, never, silent

__all__ = [
    "Answer",
    "AnswerSentence",
    "Candidate",
    "Citation",
    "Conflict",
    "Document",
    "Filter",
    "Hit",
    "Mark",
    "Omission",
    "Outcome",
    "Passage",
    "Place",
    "Progress",
    "Section",
    "ShortAnswer",
    "Span",
    "State",
    "Statement",
    "Support",
    "SyncReport",
    "Why",
    "never",
    "silent",
    "speaker_of",
    "title_and_section",
    "unnamed",
]
