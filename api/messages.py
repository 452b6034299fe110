"""Messages: sending, editing, deleting."""

from __future__ import annotations

from typing import Any

import msgspec

from api.blocks import Facing, barred, facing
from api.core.calls import Asked, Call
from api.core.operation import Operation, Request
from api.core.plan_limits import take, too_long
from api.core.repeating import hidden
from api.invitations import guests
from api.rooms import inside
from api.support.problems import Problem
from events.core.faults import wrong
from events.messages import Message, MessagePosted, Revision, as_posted, message_key
from infra.base.postgres import queries
from infra.base.rows import from_row
from producers.commands import Outcome, Refused
from producers.limits import Id, Object, Token
from producers.messages import DeleteMessage, EditMessage, MessageType, PostMessage
from projectors.views import message_view, revision_view

#: Times that a message is decided, when the other of a direct room leaves it or comes back meanwhile.
_ATTEMPTS = 3
#: Earlier versions of a message that are shown at most; the log has them all.
REVISIONS = 200


class SendMessageRequest(Request, frozen=True, kw_only=True):
    room: Id
    #: The older name of `client_id`, which is taken as well; one of the two or `Idempotency-Key` is required.
    token: Token | None = None
    #: What `content` holds.
    type: MessageType = "text"
    #: As its type has it: `TextContent` (also of `action`), `ImageContent`, `FileContent` or `CustomContent`. A text
    #: shows something: it is not only white space and hidden characters.
    content: Object
    #: Additional information: any JSON object.
    data: Object = {}
    #: Required, unless the header `Idempotency-Key` (or `token`) is there. Made by you, unique for ever: the same one
    #: gives the first message again.
    client_id: Token | None = None


class GetMessageRequest(Request, frozen=True, kw_only=True):
    room: Id
    message: Id


class EditMessageRequest(Request, frozen=True, kw_only=True):
    room: Id
    message: Id
    #: The whole new content, as for the message's type, which stays.
    content: Object
    #: The whole new additional information; without it, it stays.
    data: Object | None = None


async def send(call: Call, request: SendMessageRequest) -> dict[str, Any]:
    key = _key(call, request)
    # Whichever way the key came, it is the same request.
    request = msgspec.structs.replace(request, token=key, client_id=None)
    call.asked = Asked("messages.send", request)
    with await take(call, "messages_day") as taking:
        full = taking.problem or await too_long(call, request.content.get("text"))
        outcome = await _said(call, request, key, full)
        taking.made(outcome)
    # In a direct room somebody may have been brought back before.
    return {"message": message_view(hidden(as_posted(outcome.record(MessagePosted)), outcome.now))}


def _key(call: Call, request: SendMessageRequest) -> str:
    """The message's one key, by whichever name it is given; the header counts where the message has none."""
    if request.client_id is not None and request.token is not None and request.client_id != request.token:
        what = "it without `token`, its older name"
        raise Problem("invalid", errors=[wrong("/client_id", what, "two that differ")])
    key = request.client_id or request.token or call.key
    if key is None:
        raise Problem("invalid", errors=[wrong("/client_id", "one, or the header Idempotency-Key", "nothing")])
    return key


async def _said(call: Call, request: SendMessageRequest, key: str, full: Refused | None) -> Outcome:
    command = PostMessage(room=request.room, token=key, type=request.type, content=request.content, data=request.data)
    for _ in range(_ATTEMPTS):
        problem, command = await _addressed(call, command, await facing(call, request.room, "write"))
        try:
            return await call.submit(command, unless=problem or full, shows=(), key=key)
        except Refused as refusal:
            if refusal.code != "outrun":
                raise
        # The read models did not have it yet that the other has left.
        await call.catch_up(await call.services.feed.heads())
    raise Problem("lagging", "expected the other not to leave and come back meanwhile; try again", retry_after=1)


async def _addressed(call: Call, command: PostMessage, to: Facing) -> tuple[Problem | None, PostMessage]:
    """What keeps the caller from it, and the command with what becomes of the other where they have left."""
    if to.other is None or to.problem is not None:
        return to.problem, command
    if to.there:
        return None, msgspec.structs.replace(command, other=to.other, back=None)
    asked = await guests(call, command.room, [to.other], await call.team())
    if to.other in asked.strangers:
        # Of another team by now: nobody is brought back, and who writes does so by themselves.
        return None, msgspec.structs.replace(command, other=None, back=None)
    back = "invited" if asked.invited else "unwilling" if asked.unwilling else "willing"
    return asked.refusal, msgspec.structs.replace(command, other=to.other, back=back)


async def get(call: Call, request: GetMessageRequest) -> dict[str, Any]:
    return {"message": message_view(await _one(call, request))}


async def _one(call: Call, request: GetMessageRequest) -> Message:
    await inside(call, request.room)
    row = await call.row(queries("messages")["one"], request.message, request.room)
    if row is None:
        raise Problem("not_found", f"expected a message of the room, found none with id {request.message}")
    return from_row(Message, row)


async def edit(call: Call, request: EditMessageRequest) -> dict[str, Any]:
    problem = await barred(call, request.room, "edit what you wrote") or await too_long(
        call, request.content.get("text")
    )
    command = EditMessage(room=request.room, message=request.message, content=request.content, data=request.data)
    outcome = await call.submit(command, unless=problem, shows=(message_key(request.message),))
    return {"message": left(outcome, request.message)}


async def delete(call: Call, request: GetMessageRequest) -> None:
    await call.submit(DeleteMessage(room=request.room, message=request.message), shows=())


def left(outcome: Outcome, id: str) -> dict[str, Any]:
    """The message as a command has left it."""
    return message_view(outcome.entity(Message, message_key(id)))


async def edits(call: Call, request: GetMessageRequest) -> dict[str, Any]:
    message = await _one(call, request)
    if message.deleted:
        return {"message": message_view(message), "revisions": []}
    rows = await call.rows(queries("messages")["revisions"], message.id, REVISIONS)
    return {
        "message": message_view(message),
        "revisions": [revision_view(from_row(Revision, row)) for row in rows],
    }


OPERATIONS = [
    Operation("messages.send", "POST", "/v1/rooms/{room}/messages", "user", SendMessageRequest, send,
              "Send a message to a room you are in", {"message": "Message"}, 201, limit="send"),
    Operation("messages.get", "GET", "/v1/rooms/{room}/messages/{message}", "user", GetMessageRequest, get,
              "One message", {"message": "Message"}),
    Operation("messages.edit", "PATCH", "/v1/rooms/{room}/messages/{message}", "user", EditMessageRequest, edit,
              "Edit a message of yours", {"message": "Message"}),
    Operation("messages.delete", "DELETE", "/v1/rooms/{room}/messages/{message}", "user", GetMessageRequest, delete,
              "Delete a message: its place and number stay", {}, 204),
    Operation("messages.edits", "GET", "/v1/rooms/{room}/messages/{message}/edits", "user", GetMessageRequest, edits,
              "The earlier versions of an edited message, the oldest first",
              {"message": "Message", "revisions": "[Revision]"}),
]  # fmt: skip
