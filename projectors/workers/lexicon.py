"""What emotion a text shows, by the words in it: pure, but for reading the word list once.

The word list is the NRC Emotion Lexicon (Mohammad and Turney 2013) as the package NRCLex brings it; its terms of use
are in ``docs/howto/emotions.md``. Only the list is used: the package would have to download data to read a text itself.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

#: Plutchik's eight, those first that say most about a face. Where two are as strong, the first is shown.
EMOTIONS = ("joy", "anger", "sadness", "fear", "surprise", "disgust", "trust", "anticipation")
#: Emotions that everyday words go with (``install``, ``system``, ``morning``): one such word shows nothing.
_FAINT = frozenset({"trust", "anticipation"})

_TOKEN = re.compile(r"[:;=]['-]?[()DPpoO/|\[\]](?!\w)|<3|\w+(?:'\w+)?|[^\w\s]")
_FACES = {
    ":)": "joy", ":-)": "joy", ":D": "joy", ":-D": "joy", "=)": "joy", ";)": "joy", ";-)": "joy", ":]": "joy",
    "<3": "joy", "😀": "joy", "😂": "joy", "😊": "joy", "❤": "joy", "🎉": "joy",
    ":(": "sadness", ":-(": "sadness", ":'(": "sadness", "=(": "sadness", ":[": "sadness", "😢": "sadness",
    "😭": "sadness", "😠": "anger", "😡": "anger", "😱": "fear", "😨": "fear", ":o": "surprise", ":O": "surprise",
    ":-O": "surprise", "😮": "surprise", "🤢": "disgust",
}  # fmt: skip
_NEGATIONS = frozenset({"not", "no", "never", "without", "cannot", "hardly"})
#: Words that a negation reaches: ``not very happy``.
_REACH = 2


@cache
def _words() -> dict[str, tuple[str, ...]]:
    """Word -> its emotions, without the lexicon's two moods, positive and negative."""
    from nrclex import NRCLex

    list_: dict[str, list[str]] = NRCLex().__lexicon__
    known = frozenset(EMOTIONS)
    found = {word: tuple(emotion for emotion in emotions if emotion in known) for word, emotions in list_.items()}
    return {word: emotions for word, emotions in found.items() if emotions}


def dominant(text: str) -> str | None:
    """The emotion that most words and faces of the text go with; None when there is none, as in most messages."""
    counts: Counter[str] = Counter()
    negated = 0
    for token in _TOKEN.findall(text):
        if (face := _FACES.get(token)) is not None:
            counts[face] += 1
            continue
        word = token.casefold()
        if word in _NEGATIONS or word.endswith("n't"):
            negated = _REACH
        elif not word[0].isalnum():
            negated = 0
        elif negated:
            negated -= 1
        else:
            counts.update(_emotions(word))
    strong = [emotion for emotion, count in counts.items() if count > 1 or emotion not in _FAINT]
    return max(strong, key=lambda emotion: (counts[emotion], -EMOTIONS.index(emotion)), default=None)


def _emotions(word: str) -> tuple[str, ...]:
    """Those of a word, or of the word that it is a plain form of."""
    words = _words()
    for form in (word, word.removesuffix("s"), word.removesuffix("ed"), word.removesuffix("ing")):
        if form in words:
            return words[form]
    return ()
