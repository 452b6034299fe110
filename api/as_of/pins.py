"""A room's pins as of a moment."""

from __future__ import annotations

from typing import Any

from api.as_of.messages import PastView
from api.as_of.rooms import inside
from api.core.calls import Call
from api.core.moments import AsOf
from api.core.operation import AnswerAsOf
from api.history import people
from api.pins import ListPinsRequest, listed
from events.messages import Message, message_key
from infra.base import rows
from projectors.as_of import rooms as past


async def list_(call: Call, request: ListPinsRequest, as_of: AsOf) -> dict[str, Any]:
    found = await inside(call, as_of, request.room)
    there = [one for one in await past.pins(as_of.connection, request.room, found.cut) if one.state == "pinned"]
    pins = sorted(there, key=lambda one: (one.pinned, one.message), reverse=True)
    loaded = await rows.load(as_of.connection, [message_key(one.message) for one in pins])
    view = PastView(call, as_of, found)
    messages = await view.messages([one for one in loaded.values() if isinstance(one, Message)])
    users = await view.users(sorted(people(messages) | {one.by for one in pins}))
    return listed(pins, messages, users)


#: By operation, for its row.
AS_OF: dict[str, AnswerAsOf] = {"rooms.pins": list_}
