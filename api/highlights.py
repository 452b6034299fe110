"""A search text as words, runs and phrases: the query that finds messages, and where each of them stands. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from api.problems import Problem
from events.text import WORD, Token, fold, pairs, placed, tokens

_QUOTED = re.compile(r'"([^"]*)"?')

#: From and to, in code points of the original text.
Range = tuple[int, int]


class Term(NamedTuple):
    """Tokens that stand one after the other: one, or those of a phrase in quotes."""

    tokens: Sequence[Token]
    #: Whether the last word may go on: what is still being typed. A letter alone does not: too much begins with it.
    open: bool = False

    def lexemes(self) -> Iterator[str]:
        """Words of a tsquery that every text with the term has."""
        for token in self.tokens:
            if token.kind == "run":
                # A character alone is found as the first of a pair, or as the last of a run.
                found = pairs(token.text)
                yield from map(_quoted, found) if found else [f"{_quoted(token.text)}:*"]
            else:
                yield _quoted(token.text[:WORD]) + (":*" if self._goes_on(token) else "")

    def _goes_on(self, token: Token) -> bool:
        return self.open and token is self.tokens[-1] and token.kind == "word" and len(token.text) > 1

    def ranges(self, text: Sequence[Token]) -> Iterator[Range]:
        """Where the term stands, in the folded text that the tokens are of."""
        if len(self.tokens) == 1 and self.tokens[0].kind == "run":
            yield from self._within(text, self.tokens[0].text)
            return
        for i in range(len(text) - len(self.tokens) + 1):
            found = [self._match(n, text[i + n]) for n in range(len(self.tokens))]
            if all(found):
                yield found[0][0], found[-1][1]  # type: ignore[index]  # all() has seen each of them

    @staticmethod
    def _within(text: Sequence[Token], run: str) -> Iterator[Range]:
        for token in text:
            at = token.text.find(run) if token.kind == "run" else -1
            while at >= 0:
                yield token.start + at, token.start + at + len(run)
                at = token.text.find(run, at + 1)

    def _match(self, n: int, there: Token) -> Range | None:
        """Where the term's token ``n`` is in one of the text; None when it is not."""
        token, last = self.tokens[n], n == len(self.tokens) - 1
        if token.kind != there.kind:
            return None
        if token.kind == "run":
            # Within a phrase a run ends, or begins, where its neighbour is.
            if n == 0:
                fits, start = there.text.endswith(token.text), there.end - len(token.text)
            else:
                fits, start = there.text.startswith(token.text) if last else there.text == token.text, there.start
            return (start, start + len(token.text)) if fits else None
        if there.text == token.text or (self._goes_on(token) and there.text.startswith(token.text)):
            return there.start, there.end if there.text == token.text else there.start + len(token.text)
        return None


class Wanted:
    """What a search text asks for: all of its terms."""

    def __init__(self, text: str) -> None:
        """Raises Problem ``invalid`` for a text without a letter, number or sign."""
        self.terms = list(_terms(text))
        if not self.terms:
            raise Problem("invalid", f"text: expected a letter, a number or a sign to search for, got {text!r}")

    @property
    def tsquery(self) -> str:
        """The words of all terms, as Postgres takes them for a tsquery."""
        return " & ".join(dict.fromkeys(lexeme for term in self.terms for lexeme in term.lexemes()))

    def highlights(self, text: str) -> list[Range] | None:
        """Where the terms stand in a text, in order and without overlaps; None when one of them does not."""
        folded = placed(text)
        there = list(tokens(folded.text))
        found: list[Range] = []
        for term in self.terms:
            ranges = list(term.ranges(there))
            if not ranges:
                return None
            found += [(folded.starts[start], folded.ends[end - 1]) for start, end in ranges]
        return _merged(sorted(found))


def _terms(text: str) -> Iterator[Term]:
    at = 0
    for quoted in _QUOTED.finditer(text):
        yield from _single(text[at : quoted.start()], typed=False)
        phrase = list(tokens(fold(quoted[1])))
        if phrase:
            yield Term(phrase)
        at = quoted.end()
    rest = text[at:]
    # Who has typed a space, or anything else after a word, has ended it.
    yield from _single(rest, typed=True)


def _single(text: str, *, typed: bool) -> Iterator[Term]:
    folded = fold(text)
    for token in tokens(folded):
        yield Term([token], open=typed and token.end == len(folded))


def _quoted(lexeme: str) -> str:
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def tsquery_of_rooms(marks: Sequence[str]) -> str:
    """The part of a tsquery that keeps to some rooms."""
    return "(" + " | ".join(map(_quoted, marks)) + ")"


def _merged(ranges: Sequence[Range]) -> list[Range]:
    found: list[Range] = []
    for start, end in ranges:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found
