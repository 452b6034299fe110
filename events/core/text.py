"""Text as people search for it: without case and accents, in n-grams and in words, and where each of them stands."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import AnyStr, Literal, NamedTuple

from events.core.characters import JOINT, TAGS, Kind, binds, joins, kind, plain

#: Longest n-gram that is stored; a longer query is cut into these and checked again on the text.
SIZE = 3
#: Characters of a word that are stored: Postgres takes 2046 bytes, and longer ones are no words.
WORD = 64

#: ASCII as words have it: letters small, and a space for whatever is neither letter nor digit.
_ASCII = bytes(code if chr(code).isalnum() else 32 for code in range(128)).lower() + bytes(128)
#: Of ASCII all but its marks.
_UNMARKED = bytes(code for code in range(256) if code > 127 or kind(chr(code)) != "mark")

#: Texts of one character, by its code.
_CHARS = [bytes((code,)) for code in range(128)]

#: What binds signs; elsewhere nobody sees it.
_BINDING = frozenset(JOINT) | frozenset(map(chr, TAGS))
_BOUND = re.compile(f"[{JOINT}{chr(TAGS[0])}-{chr(TAGS[-1])}]")


def fold(text: str) -> str:
    """Without case, accents, widths, tones of skin and what nobody sees: ``Ünïcode`` -> ``unicode``."""
    if text.isascii():
        return text.lower()
    found = "".join(map(plain, text))
    if found.isascii():
        return found
    if _BOUND.search(found):
        found = "".join(_bound(found))
    return unicodedata.normalize("NFC", found)


def _bound(text: str) -> Iterator[str]:
    """The characters without those that could bind signs, and do not stand after one."""
    before = ""
    for char in text:
        if char not in _BINDING or binds(before):
            yield char
            before = char


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


TokenKind = Literal["word", "run", "sign", "mark"]
#: What a piece has begun as. Half a flag is a sign too.
_Begun = Literal["word", "run", "sign", "mark", "half"]


class Token(NamedTuple):
    """A piece of a folded text.

    A ``word``, a ``run`` of a script without spaces, a ``sign`` such as an emoji or a flag, or a ``mark``: one of
    mathematics, a currency, an arrow. A sign stands between words, a mark only beside them: no phrase ends at it.
    """

    kind: TokenKind
    text: str
    #: Where it stands in the folded text.
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


#: By what is before it: what goes on with it.
_ONWARD: dict[_Begun, tuple[Kind, ...]] = {
    "word": ("vowel",),
    "run": ("vowel",),
    "sign": ("tag",),
    "half": ("flag",),
}
_BEGUN: dict[Kind, _Begun] = {"word": "word", "run": "run", "sign": "sign", "mark": "mark", "flag": "half"}


def tokens(folded: str) -> Iterator[Token]:
    """The words, runs, signs and marks of a folded text, in order."""
    start = 0
    before: _Begun | None = None
    for i, char in enumerate(folded):
        found = kind(char)
        if found == (before or ""):
            # Signs and marks are one character each.
            if found in ("word", "run", ""):
                continue
        elif before and found in _ONWARD.get(before, ()):
            if before == "half":
                before = "sign"
            continue
        if before:
            yield _token(before, folded, start, i)
        start, before = i, _BEGUN.get(found)
    if before:
        yield _token(before, folded, start, len(folded))


def _token(begun: _Begun, folded: str, start: int, end: int) -> Token:
    return Token("sign" if begun == "half" else begun, folded[start:end], start)


def words(text: str) -> set[str]:
    """Under which words a text is found: words, signs and marks; of a run each two neighbours, and its last character.

    So every text with the single character ``c`` in a run has a word that begins with ``c``.
    """
    if text.isascii():
        # What tokens() would give, in a sixth of the time: the projector asks for every message.
        encoded = text.encode()
        found = _cut(set(encoded.translate(_ASCII).decode().split()), len(text))
        found.update(encoded.translate(None, _UNMARKED).decode())
        return found
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
        encoded = text.encode()
        found = _cut(set(encoded.translate(_ASCII).split()), len(text))
        if marks := encoded.translate(None, _UNMARKED):
            found.update(map(_CHARS.__getitem__, marks))
        return found
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
        for char in plain(original):
            if joins(char):
                _join(chars, starts, char, i)
            elif char not in _BINDING or (chars and binds(chars[-1])):
                chars.append(char)
                starts.append(i)
    ends = [len(text)] * len(starts)
    for i in range(len(starts) - 2, -1, -1):
        ends[i] = ends[i + 1] if starts[i] == starts[i + 1] else starts[i + 1]
    return Placed("".join(chars), starts, ends)


def _join(chars: list[str], starts: list[int], char: str, place: int) -> None:
    """Adds a character that goes with those before it, as NFC does: in canonical order, and what composes as one."""
    order, at = unicodedata.combining(char), len(chars)
    while order and at and unicodedata.combining(chars[at - 1]) > order:
        at -= 1
    joined = unicodedata.normalize("NFC", chars[at - 1] + char) if at else ""
    if len(joined) == 1:
        chars[at - 1] = joined
    else:
        chars.insert(at, char)
        starts.append(place)
        # Those that changed places look the same.
        starts[at:] = [starts[at]] * (len(starts) - at)
