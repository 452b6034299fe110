"""Search in the messages of one's rooms, the newest first, with the places at which the text stands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Annotated, Any

import msgspec

from api import pages, profiles
from api.calls import Call
from api.highlights import Range, Wanted, tsquery_of_rooms
from api.history import Filters, ShownType, authors, dated
from api.looking import PIECE, Looker
from api.pages import LAST_ID, Cursor, Limit, Text
from api.problems import Problem
from api.rooms import inside
from api.surface import Operation, Request
from events.clock import Time
from events.messages import Message
from infra.months import bounds
from infra.postgres import queries
from infra.rows import from_row, room_mark, searched
from infra.settings import Settings
from producers.limits import Id
from projectors.views import message_view

#: Seconds that Postgres gets to look words up in a month: a common one of a million messages takes a second.
QUERY_SECONDS = 5.0
#: Messages of one query, where those before had the words but not the phrase: up to 24 KiB each.
STEP = 100
#: Rooms that a query names to the index of words: few enough that looking them up costs less than the messages of
#: others would. Measured over 24 months: 90 rooms cost 100 ms, and without them the same search 15.
MARKED = 10


class Search(Request, frozen=True, kw_only=True):
    #: All of its words, in any order; the last one may be the beginning of a word. In double quotes: a phrase. How many
    #: different ones there may be, the operator says: `KLATSCH_SEARCH_TERMS`.
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    #: Only in this room.
    room: Id | None = None
    #: Only messages of this user; ``me``: your own.
    author: Id | None = None
    #: Only messages of this type.
    type: ShownType | None = None
    #: Only messages of this time or later.
    since: Time | None = None
    #: Only messages before this time.
    until: Time | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


#: A message, and where in its text the words stand.
_Hit = tuple[Message, list[Range]]

#: Gives the rows of a query.
Fetch = Callable[..., Awaitable[list[Any]]]


async def search(call: Call, request: Search) -> dict[str, Any]:
    wanted = Wanted(request.text, call.settings.search_terms)
    author = call.user if request.author == "me" else request.author
    filters = dated(Filters(author, request.type, request.since, request.until))
    (below,) = pages.decode(request.cursor, tuple[Text], (LAST_ID,))
    if request.room is not None:
        await inside(call, request.room)
    rooms = [row["room"] for row in await call.rows(queries("messages")["rooms"], call.user, request.room)]
    months = Months(_fetch(call), call.services.looker, wanted, filters, call.settings)
    found, more = await months.through(rooms, below, request.limit)
    async with call.reading() as connection:
        known = await authors(connection, [message for message, _ in found])
        users = await profiles.of_users(connection, call.user, [user for user in known.values() if user is not None])
    return {
        "found": [{"message": message_view(message), "highlights": places} for message, places in found],
        "next": None if more is None else pages.encode(more),
        "users": users,
    }


def _fetch(call: Call) -> Fetch:
    """Queries of a search: none of them holds a connection while texts are looked at."""

    async def fetch(sql: str, *arguments: Any) -> list[Any]:
        async with call.reading() as connection:
            try:
                found: list[Any] = await connection.fetch(sql, *arguments, timeout=QUERY_SECONDS)
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

    async def through(self, rooms: list[str], below: str, limit: int) -> tuple[list[_Hit], str | None]:
        """What is found below an id, and the id below which to go on; None when that was all."""
        self._deadline = monotonic() + self._seconds
        spans = await self._fetch(queries("messages")["months"], rooms, self._filters.since, self._filters.until)
        found: list[_Hit] = []
        for row in spans:
            low, high = bounds(row["month"])
            if low >= below:
                continue
            # One more than the page holds tells whether there is another page.
            reached = await self._month(row["rooms"], low, min(high, below), limit + 1, found)
            if len(found) > limit:
                return found[:limit], found[limit - 1][0].id
            if self._spent:
                return found, reached
        return found, None

    @property
    def _spent(self) -> bool:
        return self._left <= 0 or monotonic() > self._deadline

    async def _month(self, rooms: list[str], low: str, high: str, limit: int, found: list[_Hit]) -> str:
        """Adds a month's messages to ``found``, up to ``limit``; the id above which it was searched."""
        query, size = self._wanted.tsquery, limit - len(found)
        if len(rooms) <= MARKED:
            query = f"{query} & {tsquery_of_rooms([room_mark(room) for room in rooms])}"
        while True:
            size = min(size, self._left)
            rows = await self._fetch(queries("messages")["search"], query, rooms, low, high, *self._filters, size)
            high = await self._look(rows, high, limit, found)
            if len(found) == limit:
                return high
            if len(rows) < size and (not rows or high == rows[-1]["id"]):
                return low
            if self._spent:
                return high
            # Many have the words, and not as they are asked for.
            size = STEP

    async def _look(self, rows: list[Any], high: str, limit: int, found: list[_Hit]) -> str:
        """Adds those of the rows that have the terms, while there is time; the last id that was looked at."""
        for start in range(0, len(rows), PIECE):
            messages = [from_row("message", row) for row in rows[start : start + PIECE]]
            # The index knows pairs and words, not their order.
            texts = [searched(message) for message in messages if isinstance(message, Message)]
            looked = await self._looker.look(self._wanted, texts, self._highlights, self._deadline)
            self._left -= len(looked)
            for message, places in zip(messages, looked, strict=False):
                assert isinstance(message, Message)
                high = message.id
                if places is not None:
                    found.append((message, places))
                if len(found) == limit:
                    return high
            if self._spent or len(looked) < len(messages):
                break
        return high


OPERATIONS = [
    Operation("messages.search", "GET", "/v1/messages", "user", Search, search,
              "Search in the messages of your rooms, the newest first",
              {"found": "[FoundMessage]", "next": "cursor", "users": "[User]"}, conditional=True, heavy=True),
]  # fmt: skip
