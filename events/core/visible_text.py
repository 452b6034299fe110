"""What people see of a text: whether it shows anything, and what keeps it from being a name.

For decisions and requests only: what stands in the log was taken, and folds whatever it shows. Characters that this
Python's Unicode does not know yet count as shown, so that a new emoji is never refused.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from events.core.ranges import IGNORABLE, Ranges, within

#: A blank between words, which Unicode calls a sign: the braille cell without dots.
_CELL = "\u2800"
#: Letters, signs and marks by their category that are blank all the same: that cell, the note without a head, what
#: stands for an object that a text cannot hold, fillers of Khitan and of hieroglyphs.
_BLANK = frozenset(f"{_CELL}\U0001d159\ufffc\U00016fe4\U00013441\U00013442")
#: Format characters that are seen, for numbers and verses in Arabic. Unicode 16, Prepended_Concatenation_Mark.
_SEEN = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")

#: They part or join the letters beside them: ZWNJ, ZWJ and the Mongolian vowel separator.
_JOINERS = frozenset("\u200c\u200d\u180e")
#: They say how the character before them looks. Unicode 16, Variation_Selector in PropList.txt.
_SELECTORS: Ranges = ((0x180B, 0x180D), (0x180F, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
#: The flag of a part of a country: a black flag and its name in tags (UTS 51, ED-14a).
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{1,30}\U000e007f")
#: Marks above and below one letter that a name may have. Hebrew, Burmese and Tibetan words have four.
MARKS = 4


def shows(text: str) -> bool:
    """Whether people see anything of a text.

    Not of white space, control and format characters, other ignorable ones and blanks; nor of marks, which need
    something to stand on.
    """
    return any(map(_shown, text))


@lru_cache(maxsize=20_000)
def _shown(char: str) -> bool:
    category = unicodedata.category(char)
    if category[0] in "MZ" or category in ("Cc", "Cs") or char in _BLANK:
        return False
    if category == "Cf":
        return char in _SEEN
    code = ord(char)
    # The last two of each plane, and 32 more, are no characters at all (Unicode 23.7).
    return not (within(code, IGNORABLE) or code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF)


def unlike_a_name(text: str) -> str | None:
    """What keeps a text from being a name, in words that complete "expected ..., got"; None when nothing does.

    A name is one line that shows something, from end to end, and nothing in it is unseen, turns the direction of what
    follows or piles up. Joiners stand between letters of scripts that join, and in emoji.
    """
    name = _FLAG.sub("\U0001f3f4", text)
    if not shows(name):
        return "a name of which nothing is seen"
    for char in (name[0], name[-1]):
        if _space(char):
            return f"{called(char)} at an end"
    marks = 0
    # A space before the first makes a mark there one that stands on nothing.
    for before, char, after in zip(" " + name, name, name[1:] + " ", strict=False):
        if not _fits(before, char, after):
            return called(char)
        category = unicodedata.category(char)
        marks = marks + 1 if category in ("Mn", "Me") else marks if category == "Mc" else 0
        if marks > MARKS:
            return f"more than {MARKS} marks on one letter"
    return None


def called(char: str) -> str:
    """A character for an error: its number and its name, and itself where it is seen by itself."""
    sign = f"{char!r} " if _shown(char) else ""
    return " ".join(part for part in (f"{sign}U+{ord(char):04X}", unicodedata.name(char, "")) if part)


def _space(char: str) -> bool:
    return unicodedata.category(char) == "Zs" or char == _CELL


def _fits(before: str, char: str, after: str) -> bool:
    """Whether a character may stand in a name between two others; a space stands for the ends."""
    if char in _JOINERS:
        # After a virama also at the end of a word, as in Malayalam (RFC 5892, A.1 and A.2).
        return unicodedata.combining(before) == 9 or (_joins(before) and _joins(after))
    if within(ord(char), _SELECTORS):
        return _varies(before)
    if unicodedata.category(char)[0] == "M":
        return not (within(ord(char), IGNORABLE) or char in _BLANK or _space(before))
    return _shown(char) or _space(char)


def _joins(char: str) -> bool:
    """Whether joiners mean something beside it: emoji, and letters and marks of scripts without case."""
    category = unicodedata.category(char)
    return category in ("Lo", "Lm", "So", "Sk", "Sm") or category[0] == "M"


def _varies(char: str) -> bool:
    """Whether there are variations of it: of emoji, digits, and letters of scripts without case."""
    uncased = unicodedata.category(char) == "Ll" and char.lower() == char.upper()
    return uncased or (_shown(char) and unicodedata.category(char) in ("Lo", "So", "Sm", "Nd", "Po"))
