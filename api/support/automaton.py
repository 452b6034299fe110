"""Finds many sequences of symbols in one pass over a text (Aho and Corasick, CACM 18 (6), 1975). Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

#: State before anything was read.
_START = 0


class Matches(NamedTuple):
    """What a text has of the patterns."""

    #: At which symbol patterns end, and how many symbols the longest of them has; in order.
    places: list[tuple[int, int]]
    #: Whether every pattern stands there.
    all: bool


class Automaton:
    """Made once for some patterns: it takes as many steps as they and the text have symbols, however many match."""

    def __init__(self, patterns: Collection[Sequence[str]]) -> None:
        """``patterns``: different ones, none of them empty."""
        self._count = len(patterns)
        #: By state: where each symbol leads.
        self._onward: list[dict[str, int]] = [{}]
        #: The state of the longest end of what was read that begins a pattern too.
        self._back: list[int] = [_START]
        #: Length of the longest pattern that ends in the state; 0: none does.
        self._longest: list[int] = [0]
        #: The nearest state on the way back, itself included, in which a whole pattern has been read.
        self._whole: list[int] = [_START]
        for pattern in patterns:
            self._add(pattern)
        self._link()

    def _add(self, pattern: Sequence[str]) -> None:
        state = _START
        for symbol in pattern:
            following = self._onward[state].get(symbol)
            if following is None:
                following = self._onward[state][symbol] = len(self._onward)
                self._onward.append({})
                self._back.append(_START)
                self._longest.append(0)
                self._whole.append(_START)
            state = following
        self._longest[state] = len(pattern)
        self._whole[state] = state

    def _link(self) -> None:
        """Ways back, the shortest beginnings first: each rests on a shorter one."""
        waiting = list(self._onward[_START].values())
        for state in waiting:
            for symbol, following in self._onward[state].items():
                waiting.append(following)
                back = self._step(self._back[state], symbol)
                self._back[following] = back
                if not self._longest[following]:
                    self._longest[following], self._whole[following] = self._longest[back], self._whole[back]

    def _step(self, state: int, symbol: str) -> int:
        onward, back = self._onward, self._back
        while state and symbol not in onward[state]:
            state = back[state]
        return onward[state].get(symbol, _START)

    def read(self, text: Sequence[str]) -> Matches:
        """Which of the patterns stand in a text, and where."""
        places: list[tuple[int, int]] = []
        seen: set[int] = set()
        state = _START
        for place, symbol in enumerate(text):
            state = self._step(state, symbol)
            if length := self._longest[state]:
                places.append((place, length))
                whole = self._whole[state]
                # What was seen before was seen with all shorter ones at its end: so each is counted once.
                while whole and whole not in seen:
                    seen.add(whole)
                    whole = self._whole[self._back[whole]]
        return Matches(places, len(seen) == self._count)
