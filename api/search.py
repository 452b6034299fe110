"""Search in the messages of one's rooms, the newest first, with the places at which the text stands.

In a room the newest is the one with the highest ``seq``; between rooms, that of the latest time (``windows.py``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Annotated, Any

import msgspec

from api import profiles
from api.core.calls import Call
from api.core.operation import NoPast, Operation, Request
from api.history import Filters, ShownType, authors, dated
from api.rooms import inside
from api.support import pages
from api.support.highlights import Range, Wanted, tsquery_of_rooms
from api.support.looking import PIECE, Looker
from api.support.pages import Cursor, Limit
from api.support.problems import Problem
from api.support.windows import TOP, MessageRank, MonthPart, RankWindow, place_of, windows
from events.core.clock import AnyTime
from events.messages import Message
from infra.base.postgres import Row, queries
from infra.base.rows import from_row, room_mark, searched
from infra.base.settings import Settings
from producers.limits import Id
from projectors.views import message_view

#: Seconds that Postgres gets to look words up in a month: a common one of a million messages takes a second.
QUERY_SECONDS = 5.0
#: Messages of one query, where those before had the words but not the phrase: up to 24 KiB each.
STEP = 100
#: Rooms that a query names to the index of words: few enough that looking them up costs less than the messages of
#: others would. Measured over 24 months: 90 rooms cost 100 ms, and without them the same search 15.
MARKED = 10


class SearchRequest(Request, frozen=True, kw_only=True):
    #: All of its words and signs, in any order; the last one may be the beginning of a word. In double quotes: a
    #: phrase. How many different ones there may be, the operator says: `KLATSCH_SEARCH_TERMS`.
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    #: Only in this room.
    room: Id | None = None
    #: Only messages of this user; ``me``: your own.
    author: Id | None = None
    #: Only messages of this type.
    type: ShownType | None = None
    #: Only messages of this time or later.
    since: AnyTime | None = None
    #: Only messages before this time.
    until: AnyTime | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


#: A message, and where in its text the words stand.
_Hit = tuple[Message, list[Range]]

#: Gives the rows of a query.
Fetch = Callable[..., Awaitable[list[Row]]]


async def search(call: Call, request: SearchRequest) -> dict[str, Any]:
    wanted = Wanted(request.text, call.settings.search_terms)
    author = call.user if request.author == "me" else request.author
    filters = dated(Filters(author, request.type, request.since, request.until))
    below = pages.decode(request.cursor, MessageRank, TOP)
    if request.room is not None:
        await inside(call, request.room)
    rooms = [row["room"] for row in await call.rows(queries("messages")["rooms"], call.user, request.room)]
    months = Months(_fetch(call), call.services.looker, wanted, filters, call.settings)
    found, more = await months.through(rooms, below, request.limit)
    team = await call.team()
    async with call.reading() as connection:
        known = await authors(connection, [message for message, _ in found], team)
        users = await profiles.of_users(connection, call.user, [user for user in known.values() if user is not None])
    return {
        "found": [{"message": message_view(message), "highlights": places} for message, places in found],
        "next": None if more is None else pages.encode(*more),
        "users": users,
    }


def _fetch(call: Call) -> Fetch:
    """Queries of a search: none of them holds a connection while texts are looked at."""

    async def fetch(sql: str, *arguments: Any) -> list[Row]:
        async with call.reading() as connection:
            try:
                found = await connection.fetch(sql, *arguments, timeout=QUERY_SECONDS)
            except TimeoutError as error:
                raise Problem(
                    "overloaded",
                    f"expected to look words up within {QUERY_SECONDS:.0f} s; search for rarer ones, or in one room",
                    retry_after=QUERY_SECONDS,
                ) from error
        return found

    return fetch


class Months:
    """Goes through the months of some rooms, the latest first, until a page is full or enough was looked at."""

    def __init__(self, fetch: Fetch, looker: Looker, wanted: Wanted, filters: Filters, settings: Settings) -> None:
        self._fetch = fetch
        self._looker = looker
        self._wanted = wanted
        self._filters = filters
        self._highlights = settings.search_highlights
        #: Messages that may still be looked at.
        self._left = settings.search_messages
        self._seconds = settings.search_seconds
        self._deadline = 0.0

    async def through(self, rooms: list[str], below: MessageRank, limit: int) -> tuple[list[_Hit], MessageRank | None]:
        """What is found below a place, and the place below which to go on; None when that was all."""
        self._deadline = monotonic() + self._seconds
        spans = await self._fetch(queries("messages")["months"], rooms, self._filters.since, self._filters.until)
        found: list[_Hit] = []
        for window in windows(spans):
            if window.low >= below:
                continue
            # One more than the page holds tells whether there is another page.
            reached = await self._window(window, min(window.high, below), limit + 1, found)
            if len(found) > limit:
                return found[:limit], place_of(found[limit - 1][0])
            if self._spent:
                return found, reached
        return found, None

    @property
    def _spent(self) -> bool:
        return self._left <= 0 or monotonic() > self._deadline

    async def _window(self, window: RankWindow, below: MessageRank, limit: int, found: list[_Hit]) -> MessageRank:
        """Adds a window's messages to ``found``, up to ``limit``; the place above which it was searched."""
        size = limit - len(found)
        while True:
            size = min(size, self._left)
            messages = await self._messages(window, below, size)
            below = await self._look(messages, below, limit, found)
            if len(found) == limit:
                return below
            if len(messages) < size and (not messages or below == place_of(messages[-1])):
                return window.low
            if self._spent:
                return below
            # Many have the words, and not as they are asked for.
            size = STEP

    async def _messages(self, window: RankWindow, below: MessageRank, size: int) -> list[Message]:
        """The next so many messages below a place that have the words."""
        found: list[Message] = []
        if window.month is not None:
            found += await self._having("search", window.month, below, size)
        if window.ranked is not None:
            found += await self._having("search_ranked", window.ranked, below, size, window.low.rank)
        return sorted(found, key=place_of, reverse=True)[:size]

    async def _having(self, name: str, part: MonthPart, below: MessageRank, size: int, *more: str) -> list[Message]:
        """Those that one of the two queries finds in its part; ``more``: what only that query takes."""
        words = self._wanted.tsquery
        if len(part.rooms) <= MARKED:
            words = f"{words} & {tsquery_of_rooms([room_mark(room) for room in part.rooms])}"
        rows = await self._fetch(queries("messages")[name], words, *part, *below, *self._filters, size, *more)
        return [from_row(Message, row) for row in rows]

    async def _look(self, messages: list[Message], below: MessageRank, limit: int, found: list[_Hit]) -> MessageRank:
        """Adds those of the messages that have the terms, while there is time; the last place that was looked at."""
        for start in range(0, len(messages), PIECE):
            piece = messages[start : start + PIECE]
            # The index knows pairs and words, not their order.
            texts = [searched(message) for message in piece]
            looked = await self._looker.look(self._wanted, texts, self._highlights, self._deadline)
            self._left -= len(looked)
            for message, places in zip(piece, looked, strict=False):
                below = place_of(message)
                if places is not None:
                    found.append((message, places))
                if len(found) == limit:
                    return below
            if self._spent or len(looked) < len(piece):
                break
        return below


OPERATIONS = [
    Operation("messages.search", "GET", "/v1/messages", "user", SearchRequest, search,
              "Search in the messages of your rooms, the newest first: within a room by `seq`, between rooms by time",
              {"found": "[FoundMessage]", "next": "cursor", "users": "[User]"}, conditional=True, heavy=True,
              as_of=NoPast("searches cover only the present; read a room with as_of instead")),
]  # fmt: skip
