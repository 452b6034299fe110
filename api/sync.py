"""A client's snapshot: all that it holds at the start, page by page, with the feed's cursor to go on from."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import msgspec

from api import profiles
from api.core.calls import Call
from api.core.operation import NoPast, Operation, Request
from api.rooms import entries
from api.support import pages
from api.support.pages import Cursor, Text
from api.support.problems import Problem
from events.core.faults import wrong
from events.core.positions import Shard
from events.invitations import Invitation
from events.relationships import Relationship
from events.users import User
from infra.base.postgres import Connection, Row, queries
from infra.base.progress import READ_MODELS
from infra.base.rows import from_row
from projectors.views import invitation_view, relationship_view, self_view

#: Rows of the first query of a part, which may be large ones, and of any: then as many as are thought to fit.
FIRST, MOST = 16, 200
#: Bytes of a page that are no views: names of members, the next cursor, the frame around it.
AROUND = 1024

Part = Literal["rooms", "invitations", "relationships", "friend_of"]
#: The parts of a snapshot in their order; each is read by ids, which stay what they are while pages are read.
PARTS: tuple[Part, ...] = ("rooms", "invitations", "relationships", "friend_of")

_encode = msgspec.json.Encoder().encode


class SyncRequest(Request, frozen=True, kw_only=True):
    #: Without it: the first page, with the place from which deltas go on.
    cursor: Cursor | None = None


class _SyncCursor(NamedTuple):
    """Where a page begins, and whose snapshot it is."""

    user: Text
    part: Part
    #: The id above which to go on.
    above: Text


async def sync(call: Call, request: SyncRequest) -> dict[str, Any]:
    """The cursor first, then the log's heads, then the read models at or above them.

    So everything that was fed below the cursor is in the snapshot, and everything else comes after the cursor: a delta
    may come that the snapshot has (its offset is below the vector), but none is missing. The same holds for each
    further page and the deltas after the first one.
    """
    place = _place(call, request)
    first: dict[str, Any] = {} if request.cursor else {"cursor": await call.services.feed.cursor(call.user)}
    await call.catch_up(await call.services.feed.heads())
    team = await call.team()
    sql = queries("sync")
    async with (
        call.reading() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        positions = await connection.fetch(sql["positions"], READ_MODELS)
        if request.cursor is None:
            me = await connection.fetchrow(sql["me"], call.user)
            if me is None:
                raise Problem("not_found", "expected your own user, found none")
            first |= {"epoch": call.services.feed.epoch, "me": self_view(from_row(User, me))}
        vector = {str(Shard(row["topic"], row["partition"])): row["next_offset"] for row in positions}
        begun = {**first, "vector": vector}
        page = _Page(
            team, call.settings.snapshot_bytes - AROUND - len(_encode(begun)), least=0 if request.cursor is None else 1
        )
        more = await page.fill(connection, place)
    return {**begun, **page.parts(), "next": None if more is None else pages.encode(*more)}


def _place(call: Call, request: SyncRequest) -> _SyncCursor:
    place = pages.decode(request.cursor, _SyncCursor, _SyncCursor(call.user, PARTS[0], ""))
    if place.user != call.user:
        raise Problem("invalid", errors=[wrong("/cursor", "`next` of your own snapshot", "one of another user's")])
    return place


class _One(NamedTuple):
    """One entry of a part: its id, itself as JSON, and who is to be shown along with it."""

    id: str
    view: Any
    people: tuple[str, ...]
    #: Order within a page.
    rank: tuple[str, str]


class _Page:
    """Takes entries, each with the profiles of those in it, until they are as many bytes as a page may have."""

    def __init__(self, team: str | None, left: int, *, least: int) -> None:
        """``least``: entries that it takes whatever their size, so that there is an end. ``team``: the user's; nobody
        of another is shown."""
        self._team = team
        self._left = left
        self._least = least
        self._taken: dict[Part, list[tuple[tuple[str, str], bytes]]] = {part: [] for part in PARTS}
        self._users: dict[str, bytes] = {}

    async def fill(self, connection: Connection, place: _SyncCursor) -> _SyncCursor | None:
        """Reads from a place on. Returns where the next page begins; None when this is the last one."""
        for part in PARTS[PARTS.index(place.part) :]:
            place = place._replace(part=part, above=place.above if part == place.part else "")
            size = FIRST
            while True:
                found = await _READ[part](connection, place.user, place.above, size)
                shown = await self._profiles(connection, place.user, found)
                left = self._left
                for one in found:
                    if not self._take(part, one, shown):
                        return place
                    place = place._replace(above=one.id)
                if len(found) < size:
                    break
                # As many as fit, if they are as large as those before.
                size = max(1, min(MOST, self._left * size // max(1, left - self._left) + 1))
        return None

    async def _profiles(self, connection: Connection, user: str, found: list[_One]) -> dict[str, bytes]:
        ids = {id for one in found for id in one.people} - self._users.keys()
        if not ids:
            return {}
        rows = await connection.fetch(queries("sync")["profiles"], user, list(ids))
        people = [from_row(User, row) for row in rows if row["team"] == self._team]
        seen = await profiles.of_users(connection, user, people)
        return {view["id"]: _encode(view) for view in seen}

    def _take(self, part: Part, one: _One, shown: dict[str, bytes]) -> bool:
        view = _encode(one.view)
        people = {id: shown[id] for id in one.people if id in shown and id not in self._users}
        size = len(view) + 1 + sum(len(profile) + 1 for profile in people.values())
        if size > self._left and self._least == 0:
            return False
        self._least = 0
        self._left -= size
        self._taken[part].append((one.rank, view))
        self._users |= people
        return True

    def parts(self) -> dict[str, Any]:
        """The parts, rooms by the latest activity, and the profiles."""
        found: dict[str, Any] = {
            part: [msgspec.Raw(view) for _, view in sorted(self._taken[part], reverse=part == "rooms")]
            for part in PARTS
        }
        return {**found, "users": [msgspec.Raw(profile) for _, profile in sorted(self._users.items())]}


async def _rooms(connection: Connection, user: str, above: str, size: int) -> list[_One]:
    rows = await connection.fetch(queries("sync")["rooms"], user, above, size)
    found = await entries(connection, rows)
    return [
        _One(row["id"], one, () if row["met"] is None else (row["met"],), (row["updated"], row["id"]))
        for row, one in zip(rows, found, strict=True)
    ]


async def _relationships(connection: Connection, user: str, above: str, size: int) -> list[_One]:
    rows = await connection.fetch(queries("sync")["relationships"], user, above, size)
    return [_One(row["other"], _relationship(row), (row["other"],), ("", row["other"])) for row in rows]


async def _friend_of(connection: Connection, user: str, above: str, size: int) -> list[_One]:
    # Without their profiles: anybody may hold the user for a friend.
    rows = await connection.fetch(queries("sync")["friend_of"], user, above, size)
    return [_One(row["user"], _relationship(row), (), ("", row["user"])) for row in rows]


async def _invitations(connection: Connection, user: str, above: str, size: int) -> list[_One]:
    rows = await connection.fetch(queries("sync")["invitations"], user, above, size)
    return [_One(row["room"], _invitation(row), (), ("", row["room"])) for row in rows]


_READ = {"rooms": _rooms, "invitations": _invitations, "relationships": _relationships, "friend_of": _friend_of}


def _invitation(row: Row) -> dict[str, Any]:
    return invitation_view(from_row(Invitation, row))


def _relationship(row: Row) -> dict[str, Any]:
    return relationship_view(from_row(Relationship, row))


OPERATIONS = [
    Operation("sync.get", "GET", "/v1/sync", "user", SyncRequest, sync,
              "A snapshot of all that concerns you, page by page; the first has the cursor from which deltas continue",
              {"cursor": "integer", "epoch": "string", "vector": "vector", "me": "Self", "rooms": "[Entry]",
               "invitations": "[Invitation]", "relationships": "[Relationship]", "friend_of": "[Relationship]",
               "users": "[User]", "next": "cursor"},
              heavy=True,
              as_of=NoPast("deltas continue from a snapshot; read rooms and users with as_of instead")),
]  # fmt: skip
