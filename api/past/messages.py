"""Messages as of a moment. A page costs a page: what was there then is there now, but for what it held."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from api import profiles
from api.calls import Call
from api.history import Read, page_of, place_of, spans_of
from api.messages import REVISIONS, Get
from api.past.moments import Then
from api.past.rooms import Inside, inside
from api.problems import Problem
from events.messages import Message, Revision
from infra.rows import from_row
from projectors.past import people, rooms
from projectors.views import View, message_view, revision_view


class _Past(NamedTuple):
    """Implements api.history.Shown."""

    viewer: str
    then: Then
    found: Inside

    async def messages(self, now: list[Message]) -> list[Message]:
        return await rooms.messages(self.then.connection, {self.found.room.id: self.found.cut}, now)

    async def users(self, ids: Collection[str]) -> list[View]:
        connection, moment = self.then.connection, self.then.moment
        users = await people.users(connection, moment, ids)
        return await profiles.of_users_then(connection, moment, self.viewer, [users[id] for id in ids if id in users])


async def read(call: Call, request: Read, then: Then) -> dict[str, Any]:
    place = place_of(call, request)
    found = await inside(call, then, request.room)
    spans = [
        span._replace(last=min(span.last, found.room.seq))
        for span in await spans_of(then.connection, request.room)
        if span.first <= found.room.seq
    ]
    page, _ = await page_of(
        then.connection, request.room, spans, place, request.limit, _Past(call.user, then, found)
    )  # fmt: skip
    return page


async def get(call: Call, request: Get, then: Then) -> dict[str, Any]:
    message, _ = await _one(call, request, then)
    return {"message": message_view(message)}


async def _one(call: Call, request: Get, then: Then) -> tuple[Message, Inside]:
    found = await inside(call, then, request.room)
    row = await then.row("messages", "one", request.message, request.room)
    now = None if row is None else from_row("message", row)
    if not isinstance(now, Message) or now.seq > found.room.seq:
        raise Problem(
            "not_found",
            f"expected a message of the room, found none with id {request.message} as of {then.moment}",
        )
    (message,) = await rooms.messages(then.connection, {request.room: found.cut}, [now])
    return message, found


async def edits(call: Call, request: Get, then: Then) -> dict[str, Any]:
    message, found = await _one(call, request, then)
    listed: list[Revision] = []
    if not message.deleted:
        # A revision never changes: its version is the offset of the edit that made it.
        revisions = [
            from_row("revision", row) for row in await then.rows("past", "revisions", message.id, found.cut, REVISIONS)
        ]
        listed = [one for one in revisions if isinstance(one, Revision)]
    return {"message": message_view(message), "revisions": [revision_view(one) for one in listed]}
