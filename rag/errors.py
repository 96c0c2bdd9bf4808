"""Every error that the library raises on purpose.

RagError                 one line: what, which, and what to do next
├── InputError           the caller's input: a path, a question, an option
│   ├── LoadError        one file could not become a Document
│   │   └── Skipped      not a document of a kind that is read: passed over, not failed
│   └── DocumentUnknown  no document of that name in the index
├── LlmError             the LLM's server cannot be reached, refuses, hangs or sends no answer
│   └── ContextExceeded  a prompt is longer than the LLM takes
├── ModelError           the encoder or the reader cannot be loaded, or its files are not the published ones
└── StoreError           the index
    ├── IndexMissing     nothing there yet
    ├── IndexLocked      another process is writing
    ├── IndexCorrupt     a file is damaged
    ├── FormatMismatch   made by another version of this program
    └── ModelMismatch    made with another encoder or other settings
"""


class RagError(Exception):
    """Base of all errors of this library; its text is one line for a person."""


class InputError(RagError):
    """The input cannot be used as it is."""


class LoadError(InputError):
    """A file could not be turned into a document."""


class Skipped(LoadError):  # noqa: N818 - not an error to a person: the file is reported as skipped
    """A file holds no document of a kind that is read (binary data, empty, unknown type)."""


class DocumentUnknown(InputError):  # noqa: N818 - reads as a sentence where it is caught
    """The index has no such document, or more than one of that name."""


class ModelError(RagError):
    """A model cannot be loaded, or its files are not the ones they should be."""


class LlmError(RagError):
    """An LLM gave no answer; never holds what its server wrote."""


class ContextExceeded(LlmError):  # noqa: N818
    """A prompt is longer than the LLM takes."""


class StoreError(RagError):
    """The index cannot be used."""


class IndexMissing(StoreError):  # noqa: N818
    """There is no index at that place."""


class IndexLocked(StoreError):  # noqa: N818
    """Another process is writing to the index."""


class IndexCorrupt(StoreError):  # noqa: N818
    """A file of the index is damaged."""


class FormatMismatch(StoreError):  # noqa: N818
    """The index was written by an incompatible version of this program."""


class ModelMismatch(StoreError):  # noqa: N818
    """The index was made with another encoder or other chunker settings."""
