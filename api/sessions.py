"""Logging in and out."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from api.calls import Call
from api.problems import Problem
from api.surface import Nothing, Operation, Request
from api.tokens import mint
from events.clock import after, now
from events.handles import username_handle
from events.sessions import SessionOpened
from events.users import User, user_key
from infra.postgres import queries
from producers.limits import Username
from producers.sessions import CloseSession, OpenSession
from projectors.views import self_view


class LogIn(Request, frozen=True, kw_only=True):
    username: Username
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=512)]


async def log_in(call: Call, request: LogIn) -> dict[str, Any]:
    handle = username_handle(request.username)
    call.services.failures.check(handle)
    # Whoever registered at this process a moment ago must be found.
    await call.services.progress.wait(dict(call.services.seen), seconds=1.0)
    row = await call.row(queries("users")["holder"], handle)
    if not await call.services.passwords.verify(row["hash"] if row is not None else None, request.password):
        call.services.failures.add(handle)
        raise Problem("unauthenticated", "wrong username or password")
    expires = after(now(), call.settings.session_seconds)
    command = OpenSession(user=row["id"], credential=row["credential"], expires=expires)
    outcome = await call.submit(command, actor=row["id"])
    opened = outcome.records[0]
    assert isinstance(opened.data, SessionOpened)
    token = mint(
        call.settings, user=row["id"], session=opened.data.session, role=row["role"], issued=opened.time,
        expires=opened.data.expires,
    )  # fmt: skip
    user = outcome.state[user_key(row["id"])]
    assert isinstance(user, User)
    call.stream_token = token
    return {"user": self_view(user), "token": token, "expires": opened.data.expires}


async def log_out(call: Call, request: Nothing) -> None:
    assert call.identity is not None
    await call.submit(CloseSession(user=call.user, session=call.identity.session))


OPERATIONS = [
    Operation("sessions.open", "POST", "/v1/sessions", "anyone", LogIn, log_in,
              "Log in by password", {"user": "Self", "token": "string", "expires": "time"}, 201),
    Operation("sessions.close", "DELETE", "/v1/sessions/current", "user", Nothing, log_out,
              "Log out: the token is void from here on", {}, 204),
]  # fmt: skip
