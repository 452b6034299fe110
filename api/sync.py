"""A client's snapshot: all that it holds at the start, as of a vector, with the feed's cursor to go on from."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from api.calls import Call
from api.problems import Problem
from api.rooms import entries
from api.surface import Operation, Request
from events.positions import Shard
from events.relationships import Relationship
from events.users import User
from infra.postgres import queries
from infra.progress import READ_MODELS
from infra.rows import from_row
from projectors.views import relationship_view, self_view, user_view

#: Rooms of one snapshot; the rest is read with ``GET /v1/rooms``, which the answer says.
ROOMS = 1000


class Sync(Request, frozen=True, kw_only=True):
    #: Rooms with the latest activity that the snapshot holds.
    rooms: Annotated[int, msgspec.Meta(ge=1, le=ROOMS)] = ROOMS


async def sync(call: Call, request: Sync) -> dict[str, Any]:
    """The cursor first, then the log's heads, then the read models at or above them.

    So everything that was fed below the cursor is in the snapshot, and everything else comes after the cursor: a delta
    may come that the snapshot has (its offset is below the vector), but none is missing.
    """
    cursor = await call.services.feed.cursor(call.user)
    await call.catch_up(await call.services.feed.heads())
    sql = queries("sync")
    async with (
        call.services.pool.acquire(timeout=5) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        positions = await connection.fetch(sql["positions"], READ_MODELS)
        me = await connection.fetchrow(sql["me"], call.user)
        if me is None:
            raise Problem("not_found", "expected your own user, found none")
        outgoing = await connection.fetch(sql["outgoing"], call.user)
        incoming = await connection.fetch(sql["incoming"], call.user)
        rows = await connection.fetch(sql["rooms"], call.user, request.rooms + 1)
        rooms = await entries(connection, rows[: request.rooms], call.user)
        users = await connection.fetch(sql["users"], call.user)
    return {
        "cursor": cursor,
        "epoch": call.services.feed.epoch,
        "vector": {str(Shard(row["topic"], row["partition"])): row["next_offset"] for row in positions},
        "me": self_view(_user(me)),
        "relationships": [_relationship(row) for row in outgoing],
        "friend_of": [_relationship(row) for row in incoming],
        "rooms": rooms,
        "more_rooms": len(rows) > request.rooms,
        "users": [user_view(_user(row)) for row in users],
    }


def _user(row: Any) -> User:
    user = from_row("user", row)
    assert isinstance(user, User)
    return user


def _relationship(row: Any) -> dict[str, Any]:
    relationship = from_row("relationship", row)
    assert isinstance(relationship, Relationship)
    return relationship_view(relationship)


OPERATIONS = [
    Operation("sync.get", "GET", "/v1/sync", "user", Sync, sync,
              "A snapshot of all that concerns you, with the cursor from which deltas go on",
              {"cursor": "integer", "epoch": "string", "vector": "vector", "me": "Self",
               "relationships": "[Relationship]", "friend_of": "[Relationship]", "rooms": "[Entry]",
               "more_rooms": "boolean", "users": "[User]"}),
]  # fmt: skip
