"""Search in the messages of one's rooms, the newest first, with the places at which the text stands."""

from __future__ import annotations

from time import monotonic
from typing import Annotated, Any

import msgspec

from api import pages
from api.calls import Call
from api.highlights import Range, Wanted, tsquery_of_rooms
from api.history import Filters, ShownType, dated, profiles
from api.pages import LAST_ID, Cursor, Limit, Text
from api.rooms import inside
from api.surface import Operation, Request
from events.clock import Time
from events.messages import Message
from infra.months import bounds
from infra.postgres import queries
from infra.rows import from_row, room_mark, searched
from producers.limits import Id
from projectors.views import message_view, user_view

#: Seconds after which a search stops at a month's end; the page is short then, and its cursor goes on.
SECONDS = 1.0
#: Rooms that a query names to the index of words: few enough that looking them up costs less than the messages of
#: others would. Measured over 24 months: 90 rooms cost 100 ms, and without them the same search 15.
MARKED = 10


class Search(Request, frozen=True, kw_only=True):
    #: All of its words, in any order; the last one may be the beginning of a word. In double quotes: a phrase.
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


async def search(call: Call, request: Search) -> dict[str, Any]:
    wanted = Wanted(request.text)
    author = call.user if request.author == "me" else request.author
    filters = dated(Filters(author, request.type, request.since, request.until))
    (below,) = pages.decode(request.cursor, tuple[Text], (LAST_ID,))
    if request.room is not None:
        await inside(call, request.room)
    async with call.reading() as connection:
        rooms = [row["room"] for row in await connection.fetch(queries("messages")["rooms"], call.user, request.room)]
        found, more = await Months(connection, wanted, filters).through(rooms, below, request.limit)
        users = await profiles(connection, [message for message, _ in found])
    return {
        "found": [{"message": message_view(message), "highlights": places} for message, places in found],
        "next": None if more is None else pages.encode(more),
        "users": [user_view(user) for user in users.values() if user is not None],
    }


class Months:
    """Goes through the months of some rooms, the latest first, until a page is full."""

    def __init__(self, connection: Any, wanted: Wanted, filters: Filters) -> None:
        self._connection = connection
        self._wanted = wanted
        self._filters = filters
        self._deadline = 0.0

    async def through(self, rooms: list[str], below: str, limit: int) -> tuple[list[_Hit], str | None]:
        """What is found below an id, and the id below which to go on; None when that was all."""
        self._deadline = monotonic() + SECONDS
        spans = await self._connection.fetch(
            queries("messages")["months"], rooms, self._filters.since, self._filters.until
        )
        found: list[_Hit] = []
        for row in spans:
            low, high = bounds(row["month"])
            if low >= below:
                continue
            # One more than the page holds tells whether there is another page.
            reached = await self._month(row["rooms"], low, min(high, below), limit + 1, found)
            if len(found) > limit:
                return found[:limit], found[limit - 1][0].id
            if monotonic() > self._deadline:
                return found, reached
        return found, None

    async def _month(self, rooms: list[str], low: str, high: str, limit: int, found: list[_Hit]) -> str:
        """Adds a month's messages to ``found``, up to ``limit``; the id above which it was searched."""
        query = self._wanted.tsquery
        if len(rooms) <= MARKED:
            query = f"{query} & {tsquery_of_rooms([room_mark(room) for room in rooms])}"
        while len(found) < limit and monotonic() <= self._deadline:
            size = limit - len(found)
            rows = await self._connection.fetch(
                queries("messages")["search"], query, rooms, low, high, *self._filters, size
            )
            for row in rows:
                message = from_row("message", row)
                assert isinstance(message, Message)
                # The index knows pairs and words, not their order.
                places = self._wanted.highlights(searched(message))
                if places is not None:
                    found.append((message, places))
            if len(rows) < size:
                return low
            high = rows[-1]["id"]
        return high


OPERATIONS = [
    Operation("messages.search", "GET", "/v1/messages", "user", Search, search,
              "Search in the messages of your rooms, the newest first",
              {"found": "[FoundMessage]", "next": "cursor", "users": "[User]"}, conditional=True, heavy=True),
]  # fmt: skip
