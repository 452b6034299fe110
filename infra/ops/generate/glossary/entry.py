"""What a row of the glossary says."""

from __future__ import annotations

from typing import NamedTuple


class GlossaryEntry(NamedTuple):
    """One inner word."""

    word: str
    #: What one would call it who has never read the code.
    plain: str
    sentence: str
    #: Where it lives: ``module:name``, a name of the module or of its text.
    lives: str
    #: What the literature, or a well-known system, calls it, and the source.
    literature: str
