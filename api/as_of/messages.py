"""Messages as of a moment. A page costs a page: what was there then is there now, but for what it held."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from api import profiles
from api.as_of.rooms import Inside, inside
from api.core.calls import Call
from api.core.moments import AsOf
from api.core.operation import AnswerAsOf
from api.history import ReadHistoryRequest, page_of, place_of, spans_of
from api.messages import REVISIONS, GetMessageRequest
from api.support.problems import Problem
from events.messages import Message, Revision
from infra.base.rows import from_row
from projectors.as_of import people, rooms
from projectors.views import View, message_view, revision_view


class PastView(NamedTuple):
    """Implements api.history.HistoryView."""

    call: Call
    as_of: AsOf
    found: Inside

    async def messages(self, now: list[Message]) -> list[Message]:
        return await rooms.messages(self.as_of.connection, {self.found.room.id: self.found.cut}, now)

    async def users(self, ids: Collection[str]) -> list[View]:
        connection, moment = self.as_of.connection, self.as_of.moment
        users = await people.users(connection, moment, ids)
        found = await profiles.of_team_then(self.call, connection, [users[id] for id in ids if id in users])
        return await profiles.of_users_then(connection, moment, self.call.user, found)


async def read(call: Call, request: ReadHistoryRequest, as_of: AsOf) -> dict[str, Any]:
    place = place_of(call, request)
    found = await inside(call, as_of, request.room)
    spans = [
        span._replace(last=min(span.last, found.room.seq))
        for span in await spans_of(as_of.connection, request.room)
        if span.first <= found.room.seq
    ]
    page, _ = await page_of(
        as_of.connection, request.room, spans, place, request.limit, PastView(call, as_of, found)
    )  # fmt: skip
    return page


async def get(call: Call, request: GetMessageRequest, as_of: AsOf) -> dict[str, Any]:
    message, _ = await _one(call, request, as_of)
    return {"message": message_view(message)}


async def _one(call: Call, request: GetMessageRequest, as_of: AsOf) -> tuple[Message, Inside]:
    found = await inside(call, as_of, request.room)
    row = await as_of.row("messages", "one", request.message, request.room)
    now = None if row is None else from_row(Message, row)
    if now is None or now.seq > found.room.seq:
        raise Problem(
            "not_found",
            f"expected a message of the room, found none with id {request.message} as of {as_of.moment}",
        )
    (message,) = await rooms.messages(as_of.connection, {request.room: found.cut}, [now])
    return message, found


async def edits(call: Call, request: GetMessageRequest, as_of: AsOf) -> dict[str, Any]:
    message, found = await _one(call, request, as_of)
    listed: list[Revision] = []
    if not message.deleted:
        # A revision never changes: its version is the offset of the edit that made it.
        rows = await as_of.rows("past", "revisions", message.id, found.cut, REVISIONS)
        listed = [from_row(Revision, row) for row in rows]
    return {"message": message_view(message), "revisions": [revision_view(one) for one in listed]}


#: By operation, for its row.
AS_OF: dict[str, AnswerAsOf] = {"messages.read": read, "messages.get": get, "messages.edits": edits}
