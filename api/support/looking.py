"""Looking for a search's terms in the texts of messages: work for the processor, so off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

from api.support.highlights import Range, Wanted

#: Texts that are handed over at once: a search that has ended, as its client has gone, still looks at so many.
PIECE = 10


class Looker:
    """A thread for the searches of a process. They take turns, so that all of them together cost what one does.

    One thread, as more would wait for the interpreter's lock, and the event loop for each of them.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="search")

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def look(self, wanted: Wanted, texts: Sequence[str], most: int, deadline: float) -> list[list[Range] | None]:
        """What ``Wanted.highlights`` says of each text, in order; after ``deadline`` (monotonic) of the first only."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, _look, wanted, texts, most, deadline)


def _look(wanted: Wanted, texts: Sequence[str], most: int, deadline: float) -> list[list[Range] | None]:
    found: list[list[Range] | None] = []
    for text in texts:
        if found and monotonic() > deadline:
            break
        found.append(wanted.highlights(text, most))
    return found
