"""The messages of a room, page by page in both directions, and search in all of one's rooms."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Literal, NamedTuple, Protocol

import msgspec

from api import profiles
from api.blocks import gone
from api.core.calls import Call
from api.core.operation import Operation, Request
from api.rooms import inside
from api.support import pages
from api.support.metrics import PAGES
from api.support.pagecache import Ticket
from api.support.pages import Cursor, Limit
from api.support.problems import Problem
from api.support.spans import SeqWindow, Span, Spans
from api.support.times import as_kept
from events.core.clock import AnyTime, Time
from events.core.faults import wrong
from events.messages import Message
from events.users import User, user_key
from infra.base import rows
from infra.base.postgres import Connection, queries
from producers.limits import Id
from projectors.views import View, message_view, user_view

#: Messages that one request looks at, where it asks for some authors', types' or times' only: about 20 ms. The page is
#: short then, and its cursor goes on. Looked at by steps, each of which is worth an index.
SCAN, STEP = 20_000, 5_000

Seq = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
ShownType = Literal["text", "action", "image", "file", "custom", "system", "join", "leave"]


class ReadHistoryRequest(Request, frozen=True, kw_only=True):
    room: Id
    #: Messages below this sequence number, the nearest; without before, after and around: the last ones.
    before: Seq | None = None
    #: Messages above this sequence number, the nearest.
    after: Seq | None = None
    #: Messages on both sides of this sequence number, and itself.
    around: Seq | None = None
    #: Only messages of this user; ``me``: your own.
    author: Id | None = None
    #: Only messages of this type.
    type: ShownType | None = None
    #: Only messages of this time or later.
    since: AnyTime | None = None
    #: Only messages before this time.
    until: AnyTime | None = None
    limit: Limit = 50
    #: `older` or `newer` of a page: goes on from there, with its filters.
    cursor: Cursor | None = None


class Filters(NamedTuple):
    """What is asked for; None: all."""

    author: Id | None = None
    type: ShownType | None = None
    since: Time | None = None
    until: Time | None = None

    @property
    def sparse(self) -> bool:
        """Whether messages between two that are found may be none."""
        return any(one is not None for one in self)


class PageStart(NamedTuple):
    """Where a page is."""

    way: Literal["older", "newer", "around"]
    seq: int
    filters: Filters


class Onward(NamedTuple):
    """What a cursor holds."""

    way: Literal["older", "newer"]
    seq: Seq
    filters: Filters


class _Found(NamedTuple):
    """Part of a page in ascending order; all numbers from ``first`` to ``last`` were looked at."""

    messages: list[Message]
    first: int
    last: int


#: Above all sequence numbers.
_TOP = 2**53


async def read(call: Call, request: ReadHistoryRequest) -> dict[str, Any]:
    place, room, team = place_of(call, request), request.room, await call.team()
    with call.services.pages.reading(room) as ticket:
        known, key = ("inside", call.user), ("page", place, request.limit, team)
        blocks: profiles.Apart | None = ticket.get(("apart", call.user))
        page: dict[str, Any] | None = ticket.get(key)
        PAGES.labels("miss" if page is None else "hit").inc()
        if page is not None:
            if not ticket.get(known):
                await inside(call, room)
                ticket.put(known, True)
            if blocks is None:
                async with call.reading() as connection:
                    blocks = await _apart(connection, ticket, call.user)
            return await _seen(call, page, blocks)
        async with call.reading() as connection:
            spans: list[Span] | None = ticket.get("spans")
            if spans is None or not ticket.get(known):
                spans = await _entered(connection, room, call.user)
                ticket.put(known, True)
                ticket.put("spans", spans, 200 * len(spans), end=True)
            page, users = await page_of(connection, room, spans, place, request.limit, team=team)
            blocks = blocks if blocks is not None else await _apart(connection, ticket, call.user)
        size = sum(len(bytes(value)) for value in page.values() if isinstance(value, msgspec.Raw))
        ticket.put(key, page, size, end=page["newer"] is None, users=users)
    return await _seen(call, page, blocks)


async def _seen(call: Call, page: dict[str, Any], blocks: profiles.Apart) -> dict[str, Any]:
    """The page, which is kept for all who may read it, with its people as the caller sees them."""
    if not blocks:
        return page
    users: list[View] = msgspec.json.decode(page["users"])
    if not any(user["id"] in blocks.own or user["id"] in blocks.by for user in users):
        return page
    async with call.reading() as connection:
        return {**page, "users": await profiles.seen(connection, blocks, users)}


async def _apart(connection: Connection, ticket: Ticket, user: str) -> profiles.Apart:
    """The blocks of a user. News of a block touch both of its people, and so what is kept of either."""
    found = await profiles.apart(connection, user)
    ticket.put(("apart", user), found, 100 * (len(found.own) + len(found.by)), users=(user,))
    return found


async def _entered(connection: Connection, room: str, user: str) -> list[Span]:
    """The months of a room's messages, as ``spans_of``. Refuses a room that the user is not in, as ``inside``."""
    rows = await connection.fetch(queries("messages")["entered"], room, user)
    if not rows[0]["inside"]:
        raise gone(room)
    return [Span(*found) for _, *found in rows if found[0] is not None]


def place_of(call: Call, request: ReadHistoryRequest) -> PageStart:
    """Where the page is that is asked for. Raises Problem ``invalid``."""
    places = [request.before, request.after, request.around]
    author = call.user if request.author == "me" else request.author
    filters = Filters(author, request.type, request.since, request.until)
    if request.cursor is not None:
        if filters.sparse or any(place is not None for place in places):
            what = "it without a place and filters, as it has those of its page"
            raise Problem("invalid", errors=[wrong("/cursor", what, "it with one")])
        found = pages.decode(request.cursor, Onward, Onward("older", _TOP, Filters()))
        return PageStart(found.way, found.seq, dated(found.filters))
    if sum(place is not None for place in places) > 1:
        raise Problem("invalid", "expected one of before, after and around, got more", errors=[
            wrong(f"/{name}", "one of before, after and around", "another beside it")
            for name in ("before", "after", "around") if getattr(request, name) is not None
        ])  # fmt: skip
    if request.after is not None:
        return PageStart("newer", request.after, dated(filters))
    if request.around is not None:
        return PageStart("around", request.around, dated(filters))
    return PageStart("older", _TOP if request.before is None else request.before, dated(filters))


def dated(filters: Filters) -> Filters:
    """The same with times as we write them, if they are of the calendar. Raises Problem ``invalid``."""
    # Messages have whole milliseconds: what is not before a part of one is not before the next.
    since, until = (
        None if moment is None else as_kept(moment, f"/{name}", up=True)
        for name, moment in (("since", filters.since), ("until", filters.until))
    )
    return filters._replace(since=since, until=until)


async def spans_of(connection: Connection, room: str) -> list[Span]:
    """The months of a room's messages."""
    return [Span(*row) for row in await connection.fetch(queries("messages")["spans"], room)]


class HistoryView(Protocol):
    """How messages and profiles are shown, where not as they are now."""

    async def messages(self, now: list[Message]) -> list[Message]: ...

    async def users(self, ids: Collection[str]) -> list[View]: ...


async def page_of(
    connection: Connection, room: str, spans: list[Span], place: PageStart, limit: int,
    shown: HistoryView | None = None, *, team: str | None = None,
) -> tuple[dict[str, Any], set[str]]:  # fmt: skip
    """The page, and the users whose profiles are in it, if they are of the reader's ``team``."""
    within = Spans(spans, place.filters.since, place.filters.until)
    # Nobody asks for what is not there yet: a page below a number that is to come is the last one.
    top = max((span.last for span in spans), default=0) + 1
    walk = _PageWalk(connection, room, within, place.filters)
    match place.way:
        case "older":
            found = await walk.below(min(place.seq, top), limit)
        case "newer":
            found = await walk.above(place.seq, limit)
        case "around":
            # Itself counts among the older ones.
            below = await walk.below(min(place.seq + 1, top), limit - limit // 2)
            above = await walk.above(below.last, limit // 2)
            found = _Found(below.messages + above.messages, below.first, above.last)
    order: Literal["deterministic"] | None = None
    if shown is None:
        messages, known = found.messages, await authors(connection, found.messages, team)
        named, users = set(known), [user_view(user) for user in known.values() if user is not None]
    else:
        messages, order = await shown.messages(found.messages), "deterministic"
        named = people(messages)
        users = await shown.users(sorted(named))
    onward = {
        "older": pages.encode("older", found.first, place.filters) if within.below(found.first) else None,
        "newer": pages.encode("newer", found.last, place.filters) if within.above(found.last) else None,
    }
    page = {
        "messages": _raw([message_view(message) for message in messages], order),
        "more": any(onward.values()) if place.way == "around" else onward[place.way] is not None,
        **onward,
        "archived": within.archived(
            1 if onward["older"] is None else found.first - 1, _TOP if onward["newer"] is None else found.last + 1
        ),
        "users": _raw(users, order),
    }
    return page, named


class _PageWalk:
    """Reads a room's messages from a place on, window by window, until there are enough."""

    def __init__(self, connection: Connection, room: str, spans: Spans, filters: Filters) -> None:
        self._connection = connection
        self._room = room
        self._spans = spans
        self._filters = filters

    async def below(self, place: int, limit: int) -> _Found:
        """The nearest messages below a number."""
        found: list[Message] = []
        first, left = place, SCAN
        while len(found) < limit and left > 0:
            window = self._spans.window_below(first, self._size(left, limit - len(found)))
            if window is None:
                break
            found += await self._rows("below", window, limit - len(found))
            first = found[-1].seq if len(found) == limit else window.first
            left -= window.last - window.first + 1
        return _Found(found[::-1], first, place - 1)

    async def above(self, place: int, limit: int) -> _Found:
        """The nearest messages above a number."""
        found: list[Message] = []
        last, left = place, SCAN
        while len(found) < limit and left > 0:
            window = self._spans.window_above(last, self._size(left, limit - len(found)))
            if window is None:
                break
            found += await self._rows("above", window, limit - len(found))
            last = found[-1].seq if len(found) == limit else window.last
            left -= window.last - window.first + 1
        return _Found(found, place + 1, last)

    def _size(self, left: int, wanted: int) -> int:
        return min(left, STEP) if self._filters.sparse else wanted

    async def _rows(self, query: str, window: SeqWindow, limit: int) -> list[Message]:
        found = await self._connection.fetch(queries("messages")[query], self._room, *window, *self._filters, limit)
        return [rows.from_row(Message, row) for row in found]


def people(messages: list[Message]) -> set[str]:
    """Who wrote messages, and whom they are about."""
    ids = {message.author for message in messages}
    return ids | {message.content["user"] for message in messages if message.type in ("join", "leave", "system")}


async def authors(
    connection: Connection, messages: list[Message], team: str | None, others: Collection[str] = ()
) -> dict[str, User | None]:
    """Who wrote messages, whom they are about, and others, by id; None for who is no registered user of the team."""
    ids = people(messages).union(others)
    found = await rows.load(connection, [user_key(id) for id in sorted(ids)])
    users = {
        key[1]: user
        for key, user in found.items()
        if isinstance(user, User) and user.state == "registered" and user.team == team
    }
    # In one order whatever the process: pages have ETags.
    return {id: users.get(id) for id in sorted(ids)}


def _raw(value: Any, order: Literal["deterministic"] | None) -> msgspec.Raw:
    """Encoded once, however often the page is sent."""
    return msgspec.Raw(msgspec.json.encode(value, order=order))


OPERATIONS = [
    Operation("messages.read", "GET", "/v1/rooms/{room}/messages", "user", ReadHistoryRequest, read,
              "Messages of a room you are in, in order, with their authors",
              {"messages": "[Message]", "more": "boolean", "older": "onward", "newer": "onward",
               "archived": "archived", "users": "[User]"}, conditional=True),
]  # fmt: skip
