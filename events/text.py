"""Text as people search for it: without case and accents, in n-grams."""

from __future__ import annotations

import unicodedata

#: Longest n-gram that is stored; a longer query is cut into these and checked again on the text.
SIZE = 3


def fold(text: str) -> str:
    """Without case, accents and differences of width: ``Ünïcode`` -> ``unicode`` (Unicode NFKD, marks dropped)."""
    # Twice, as letters like U+1D400 are capitals only once they are decomposed (Unicode 3.13, D146).
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text.casefold()).casefold())
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))


def grams(folded: str) -> list[str]:
    """All distinct n-grams of 1 to SIZE characters within the lines of ``folded``, in order."""
    found: set[str] = set()
    for line in folded.split("\n"):
        for size in range(1, SIZE + 1):
            found.update(line[i : i + size] for i in range(len(line) - size + 1))
    return sorted(found)


def query_grams(folded: str) -> list[str]:
    """The n-grams that every text containing ``folded`` has."""
    if len(folded) <= SIZE:
        return [folded]
    return sorted({folded[i : i + SIZE] for i in range(len(folded) - SIZE + 1)})
