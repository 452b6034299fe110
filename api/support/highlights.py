"""A search text as words, runs and phrases: the query that finds messages, and where each of them stands. Pure.

The work is bounded by the lengths of the two texts, not by what stands in them: all terms are looked for in one pass.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, zip_longest
from typing import NamedTuple

from api.support.automaton import Automaton
from api.support.problems import Problem
from events.core.characters import JOINT
from events.core.faults import quoted, wrong
from events.core.text import WORD, Placed, Token, fold, pairs, placed, tokens

_QUOTED = re.compile(r'"([^"]*)"?')
#: Stands at both ends of a run among symbols: so none is found across two of them.
_EDGE = ""
#: Words that the index is asked for at most, and of these the beginnings of words: each costs Postgres a look at all
#: of its messages, those of a beginning before any others can narrow them. What they let pass, the text decides.
LEXEMES, BEGINNINGS = 32, 4

#: From and to, in code points of the original text.
Range = tuple[int, int]


class SearchTerm(NamedTuple):
    """Tokens that stand one after the other: one, or those of a phrase in quotes."""

    #: Kind and text of each.
    tokens: tuple[tuple[str, str], ...]
    #: Whether its one word may go on: what is still being typed. A letter alone does not: too much begins with it.
    open: bool = False

    @property
    def mark(self) -> bool:
        """Whether it is a mark: these are no part of phrases."""
        return self.tokens[0][0] == "mark"

    def lexemes(self) -> Iterator[str]:
        """Words of a tsquery that every text with the term has."""
        for kind, text in self.tokens:
            if kind == "run":
                # A character alone is found as the first of a pair, or as the last of a run.
                found = pairs(text)
                yield from map(_quoted, found) if found else [f"{_quoted(text)}:*"]
            else:
                yield _quoted(text[:WORD]) + (":*" if self.open else "")

    def symbols(self) -> list[str]:
        """The term as a sequence of symbols. At the ends of a phrase, a run may be part of a longer one."""
        found = [symbol for kind, text in self.tokens for symbol in _symbols(kind, text)]
        first, last = self.tokens[0][0] == "run", self.tokens[-1][0] == "run"
        return found[first : len(found) - last]


class Wanted:
    """What a search text asks for: all of its terms, which are words, signs, phrases and marks."""

    def __init__(self, text: str, most: int = 50) -> None:
        """Raises Problem ``invalid`` for a text without a letter, number or sign, or with more than ``most`` terms."""
        self.terms = list(dict.fromkeys(_terms(text)))
        if not self.terms:
            raise Problem(
                "invalid", errors=[wrong("/text", "a letter, a number or a sign to search for", quoted(text))]
            )
        if len(self.terms) > most:
            what = f"at most {most} different words and phrases"
            raise Problem("invalid", errors=[wrong("/text", what, f"{len(self.terms)}: search for fewer")])
        #: Words that every text with all terms has, as Postgres takes them for a tsquery.
        self.tsquery = _tsquery(self.terms)
        self._beginning = next((term.tokens[0][1] for term in self.terms if term.open), None)
        self._marks = {term.tokens[0][1] for term in self.terms if term.mark}
        self._automaton = Automaton([term.symbols() for term in self.terms if not term.open and not term.mark])

    def highlights(self, text: str, most: int | None = None) -> list[Range] | None:
        """Where the terms stand in a text, in order and without overlaps; None when one of them does not.

        Of more than ``most`` places the first.
        """
        folded = placed(text)
        there = list(tokens(folded.text))
        ranges = [] if self._beginning is None else _beginnings(there, self._beginning)
        if self._beginning is not None and not ranges:
            return None
        marks = [token for token in there if token.kind == "mark" and token.text in self._marks]
        if len({token.text for token in marks}) < len(self._marks):
            return None
        symbols, starts, ends = _text(token for token in there if token.kind != "mark")
        found = self._automaton.read(symbols)
        if not found.all:
            return None
        ranges += [(token.start, token.end) for token in marks]
        ranges += [(starts[place - length + 1], ends[place]) for place, length in found.places]
        return list(islice(_merged(ranges, folded), most))


def _tsquery(terms: Iterable[SearchTerm]) -> str:
    # Of each term some, before there are more of any.
    rounds = zip_longest(*(term.lexemes() for term in terms))
    found = dict.fromkeys(lexeme for some in rounds for lexeme in some if lexeme is not None)
    exact = [lexeme for lexeme in found if not lexeme.endswith(":*")]
    beginnings = [lexeme for lexeme in found if lexeme.endswith(":*")]
    return " & ".join(exact[: LEXEMES - BEGINNINGS] + beginnings[:BEGINNINGS])


def _beginnings(text: Iterable[Token], beginning: str) -> list[Range]:
    """Where words begin so, in the folded text."""
    size = len(beginning)
    return [
        (token.start, token.start + size) for token in text if token.kind == "word" and token.text.startswith(beginning)
    ]


def _symbols(kind: str, text: str) -> Sequence[str]:
    """A word or sign as one symbol, a run as its characters between two edges."""
    return [_EDGE, *text, _EDGE] if kind == "run" else (text,)


def _text(text: Iterable[Token]) -> tuple[list[str], list[int], list[int]]:
    """The symbols of a text, and where each of them begins and ends in the folded text."""
    symbols: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for token in text:
        found = _symbols(token.kind, token.text)
        symbols += found
        if token.kind == "run":
            # Nothing that is found begins or ends with an edge.
            starts += range(token.start - 1, token.end + 1)
            ends += range(token.start, token.end + 2)
        else:
            starts.append(token.start)
            ends.append(token.end)
    return symbols, starts, ends


def _terms(text: str) -> Iterator[SearchTerm]:
    at = 0
    for part in _QUOTED.finditer(text):
        yield from _single(text[at : part.start()], typed=False)
        yield from _phrase(part[1])
        at = part.end()
    rest = text[at:]
    # Who has typed a space, or anything else after a word, has ended it.
    yield from _single(rest, typed=True)


def _phrase(text: str) -> Iterator[SearchTerm]:
    folded = fold(text)
    there = list(tokens(folded))
    phrase = tuple((token.kind, token.text) for token in there if token.kind != "mark")
    if phrase:
        yield SearchTerm(phrase)
    yield from (
        SearchTerm(((token.kind, token.text),)) for token in there if _counts(token, folded) and token.kind == "mark"
    )


def _single(text: str, *, typed: bool) -> Iterator[SearchTerm]:
    folded = fold(text)
    bound: list[Token] = []
    for token in tokens(folded):
        if not _counts(token, folded):
            continue
        # Signs that are bound to one are a phrase.
        if bound and (token.kind == "mark" or folded[bound[-1].end : token.start] != JOINT):
            yield _term(bound, folded, typed=typed)
            bound = []
        bound.append(token)
    if bound:
        yield _term(bound, folded, typed=typed)


def _term(there: list[Token], folded: str, *, typed: bool) -> SearchTerm:
    last = there[-1]
    still = typed and last.end == len(folded) and last.kind == "word" and len(last.text) > 1
    return SearchTerm(tuple((token.kind, token.text) for token in there), open=still)


def _counts(token: Token, folded: str) -> bool:
    """Whether it has to be there: an accent without a letter, ` or ´ or ^, only where it is asked for by itself.

    Else it is an apostrophe or a quotation mark.
    """
    if token.kind != "mark" or unicodedata.category(token.text) != "Sk":
        return True
    return not folded[max(token.start - 1, 0) : token.start].strip() and not folded[token.end : token.end + 1].strip()


def _quoted(lexeme: str) -> str:
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def tsquery_of_rooms(marks: Sequence[str]) -> str:
    """The part of a tsquery that keeps to some rooms."""
    return "(" + " | ".join(map(_quoted, marks)) + ")"


def _merged(ranges: list[Range], folded: Placed) -> list[Range]:
    """Ranges of a folded text as places of the original, in order; those that meet as one."""
    found: list[Range] = []
    # They come from three lists that are in this order, which a sort finds out in one pass.
    for first, last in sorted(ranges, key=lambda range: range[1]):
        start, end = folded.starts[first], folded.ends[last - 1]
        while found and start <= found[-1][1]:
            start, end = min(start, found[-1][0]), max(end, found[-1][1])
            found.pop()
        found.append((start, end))
    return found
