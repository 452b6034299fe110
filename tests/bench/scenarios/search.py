"""What the worst searches cost by the size of the text: as many processor seconds for each character of any text."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count, cycle, islice
from time import process_time

from api.support.highlights import Wanted
from tests.bench.figures import Figure
from tests.bench.scenarios import Options
from tests.bench.sheet import Sheet
from tests.bench.system import System

NAME = "search"
ABOUT = "the worst search texts in the worst messages of 500, 1,000 and 2,000 characters, in this process alone"
SYSTEMS = ("ours",)

#: Characters of a message; the last is the most that one has.
SIZES = (500, 1_000, 2_000)
#: Characters of a search text at most, and its different terms.
_ASKED, _TERMS = 200, 50
_LETTERS = [chr(code) for first, last in ((0x61, 0x7A), (0x430, 0x44F)) for code in range(first, last + 1)][:_TERMS]


def _alike(text: str) -> Callable[[int], str]:
    return lambda size: (text * size)[:size].strip()


def _growing(unit: str, between: str, around: str = "") -> str:
    """One unit, two, three ..., as many as a search text holds."""
    found = ""
    for many in count(1):
        more = f"{found} {around}{between.join([unit] * many)}{around}".strip()
        if len(more) > _ASKED:
            break
        found = more
    return found


#: What is asked for, and the message for a number of characters.
WORST: dict[str, tuple[str, Callable[[int], str]]] = {
    "a hundred times one word": (" ".join("a" * 100), _alike("a ")),
    "fifty different words": (" ".join(_LETTERS), lambda size: " ".join(islice(cycle(_LETTERS), size // 2))),
    "a phrase that is everywhere": (f'"{" ".join("a" * 98)}"', _alike("a ")),
    "a phrase that is almost everywhere": (f'"{" ".join("a" * 97)} b"', _alike("a ")),
    "phrases within phrases": (_growing("a", " ", '"'), _alike("a ")),
    "a run within a run": ("東" * _ASKED, _alike("東")),
    "runs within runs": (_growing("東", ""), _alike("東")),
    "a word without an end": ("ab", _alike("ab" * 1_000)),
    "words that begin alike": ("ab", _alike("abc ")),
    "signs": ("👍", _alike("👍")),
    "letters that are many": ("ﷺ", _alike("ﷺ")),
    "accents": ("é", _alike("e\u0301\u0302")),
}


async def run(system: System, options: Options) -> list[Figure]:
    """Milliseconds of processor time for one message."""
    sheet = Sheet(NAME, system.name)
    times = 3 if options.quick else 20
    for title, (asked, text) in WORST.items():
        wanted = Wanted(asked, _TERMS)
        for size in SIZES:
            message, began = text(size), process_time()
            for _ in range(times):
                wanted.highlights(message)
            sheet.add(f"{title}, {size:,} characters", "ms", 1000 * (process_time() - began) / times)
    return sheet.figures
