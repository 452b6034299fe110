"""Erasing accounts: nothing of the person is shown any more, their name is free, and what they said stays or goes."""

from __future__ import annotations

from typing import Any, Literal

from api.core.calls import Call
from api.core.operation import NoPast, Operation, Request
from api.ending import closed, ended_once
from events.user_erasure import erasure_of
from events.users import User, user_key
from infra.base.postgres import queries
from infra.base.rows import from_row
from producers.commands import Refused
from producers.limits import Id
from producers.user_erasure import EraseUser
from projectors.views import View, user_view


class EraseRequest(Request, frozen=True, kw_only=True):
    user: Id
    #: Whether what they have said stays, or is deleted, message by message.
    messages: Literal["keep", "hide"]


class GetErasureRequest(Request, frozen=True, kw_only=True):
    user: Id


async def erase(call: Call, request: EraseRequest) -> dict[str, Any]:
    command = EraseUser(user=request.user, messages=request.messages, since=-1, close=[])
    outcome = await ended_once(call, command)
    # Once this is answered, nobody finds or adds them; the rest is done after.
    await call.meet_own("users")
    call.services.erase_soon()
    user = outcome.entity(User, user_key(request.user))
    return {"user": user_view(user), "closed": closed(outcome), "erasure": _view(user)}


async def get(call: Call, request: GetErasureRequest) -> dict[str, Any]:
    rows = await call.rows(queries("users")["any_by_id"], [request.user])
    user = from_row(User, rows[0]) if rows else None
    if user is None or not call.reaches(user.app) or erasure_of(user) is None:
        raise Refused("not_found", f"expected an erased user, found none with id {request.user}")
    return {"erasure": _view(user)}


def _view(user: User) -> View:
    found = erasure_of(user)
    assert found is not None
    return {
        "user": user.id, "since": user.erased, "messages": found.messages, "rooms": found.rooms,
        "hidden": found.hidden, "done": found.done,
    }  # fmt: skip


OPERATIONS = [
    Operation("users.erase", "POST", "/v1/users/{user}/erasure", "app", EraseRequest, erase,
              "Erase an account for good: nothing of the person is shown any more, what they said stays or goes",
              {"user": "User", "closed": "integer", "erasure": "Erasure"}, 202),
    Operation("users.erasure", "GET", "/v1/users/{user}/erasure", "app", GetErasureRequest, get,
              "How far the erasure of an account has come", {"erasure": "Erasure"},
              as_of=NoPast("it tells what is left to do now")),
]  # fmt: skip
