"""Text as people search for it: without case and accents, in n-grams and in words, and where each of them stands."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import AnyStr, Literal, NamedTuple

#: Longest n-gram that is stored; a longer query is cut into these and checked again on the text.
SIZE = 3
#: Characters of a word that are stored: Postgres takes 2046 bytes, and longer ones are no words.
WORD = 64

#: ASCII as words have it: letters small, and a space for whatever is neither letter nor digit.
_ASCII = bytes(code if chr(code).isalnum() else 32 for code in range(128)).lower() + bytes(128)

#: Marks of kana that are no accents: they make another sound of it.
_KEPT = "\u3099\u309a"

#: Blocks of scripts that put no spaces between words, or none between a word and its endings. Unicode 16, Blocks.txt.
_SPACELESS = (
    (0x0E00, 0x0EFF), (0x0F00, 0x109F), (0x1100, 0x11FF), (0x1780, 0x17FF), (0x1950, 0x19DF), (0x1A20, 0x1AAF),
    (0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3040, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA000, 0xA4CF),
    (0xA960, 0xA97F), (0xAC00, 0xD7FF), (0xF900, 0xFAFF), (0x1B000, 0x1B2FF), (0x20000, 0x3FFFF),
)  # fmt: skip


def fold(text: str) -> str:
    """Without case, accents, widths and tones of skin: ``Ünïcode`` -> ``unicode`` (Unicode NFKD, marks dropped)."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", "".join(map(_folded, text)))


def _dropped(code: int) -> bool:
    """Whether it says only how the character before it looks: variation selectors, and tones of skin (UTS 51)."""
    return 0xFE00 <= code <= 0xFE0F or 0x1F3FB <= code <= 0x1F3FF or 0xE0100 <= code <= 0xE01EF


@lru_cache(maxsize=20_000)
def _folded(char: str) -> str:
    if _dropped(ord(char)):
        return ""
    # Twice, as letters like U+1D400 are capitals only once they are decomposed (Unicode 3.13, D146).
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char.casefold()).casefold())
    return "".join(c for c in decomposed if c in _KEPT or not unicodedata.combining(c))


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


class Token(NamedTuple):
    """A piece of a folded text: a ``word``, a ``run`` of a script without spaces, or a ``sign`` such as an emoji."""

    kind: Literal["word", "run", "sign"]
    text: str
    #: Where it stands in the folded text.
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@lru_cache(maxsize=20_000)
def _kind(char: str) -> Literal["word", "run", "sign", "mark", ""]:
    """What a character belongs to. ``mark``: whatever is before it."""
    code, category = ord(char), unicodedata.category(char)
    if category == "So":
        return "sign"
    if category[0] not in "LMN":
        return ""
    if any(first <= code <= last for first, last in _SPACELESS):
        return "run"
    return "mark" if category[0] == "M" else "word"


def tokens(folded: str) -> Iterator[Token]:
    """The words, runs and signs of a folded text, in order."""
    start, kind = 0, ""
    for i, char in enumerate(folded):
        found = _kind(char)
        if found == "mark" and kind in ("word", "run"):
            continue
        if found != kind or kind == "sign":
            if kind in ("word", "run", "sign"):
                yield Token(kind, folded[start:i], start)  # type: ignore[arg-type]
            start, kind = i, found
    if kind in ("word", "run", "sign"):
        yield Token(kind, folded[start:], start)  # type: ignore[arg-type]


def words(text: str) -> set[str]:
    """Under which words a text is found: words and signs; of a run each two neighbours, and the last character alone.

    So every text with the single character ``c`` in a run has a word that begins with ``c``.
    """
    if text.isascii():
        # What tokens() would give, in a sixth of the time: the projector asks for every message.
        return _cut(set(text.encode().translate(_ASCII).decode().split()), len(text))
    found = set()
    for token in tokens(fold(text)):
        if token.kind == "run":
            found.update(pairs(token.text))
            found.add(token.text[-1])
        else:
            found.add(token.text[:WORD])
    return found


def utf8_words(text: str) -> set[bytes]:
    """``words(text)`` in UTF-8: sooner, as words of ASCII are never made texts."""
    if text.isascii():
        return _cut(set(text.encode().translate(_ASCII).split()), len(text))
    return {one.encode() for one in words(text)}


def _cut(words: set[AnyStr], length: int) -> set[AnyStr]:
    """The words of a text of that length, each at most WORD long."""
    # Each of the others takes a character and what parts it: so few are left for the longest that none is measured.
    if length - 2 * (len(words) - 1) <= WORD or max(map(len, words), default=0) <= WORD:
        return words
    return {one[:WORD] for one in words}


def pairs(run: str) -> list[str]:
    """The overlapping bigrams of a run."""
    return [run[i : i + 2] for i in range(len(run) - 1)]


class Placed(NamedTuple):
    """A folded text, and for each of its characters where the characters of the original begin and end."""

    text: str
    starts: list[int]
    ends: list[int]


def placed(text: str) -> Placed:
    """``fold(text)`` with places. What folding drops, such as an accent, belongs to the character before it."""
    if text.isascii():
        return Placed(text.lower(), list(range(len(text))), list(range(1, len(text) + 1)))
    chars: list[str] = []
    starts: list[int] = []
    for i, original in enumerate(text):
        for char in _folded(original):
            # NFC, step by step: what is left has no marks that could be out of order, but neighbours may compose.
            joined = unicodedata.normalize("NFC", chars[-1] + char) if chars else ""
            if len(joined) == 1:
                chars[-1] = joined
            else:
                chars.append(char)
                starts.append(i)
    ends = [len(text)] * len(starts)
    for i in range(len(starts) - 2, -1, -1):
        ends[i] = ends[i + 1] if starts[i] == starts[i + 1] else starts[i + 1]
    return Placed("".join(chars), starts, ends)
