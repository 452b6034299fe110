"""Sessions: logging in, renewing the token, the list of one's log-ins, logging out."""

from __future__ import annotations

from typing import Any

from api import pages
from api.calls import Call
from api.credentials import GivenPassword, holder
from api.pages import LAST_OFFSET, Cursor, Limit, Offset
from api.problems import Problem
from api.surface import Nothing, Operation, Request
from api.tokens import Identity, mint
from api.users import SERVICE_SECONDS
from events.clock import after, now
from events.handles import email_handle, username_handle
from events.sessions import Session, SessionOpened, SessionRenewed, session_key
from events.users import User, user_key
from infra.postgres import queries
from infra.rows import from_row
from producers.emails import Email, kept
from producers.limits import Id, Username
from producers.sessions import CloseSession, OpenSession, RenewSession
from projectors.views import self_view, session_view

#: Stands for the caller's own session in a path.
CURRENT = "current"


class LogIn(Request, frozen=True, kw_only=True):
    #: Either this or `email`; case does not matter.
    username: Username | None = None
    #: Either this or `username`; case does not matter.
    email: Email | None = None
    password: GivenPassword


class ListSessions(Request, frozen=True, kw_only=True):
    limit: Limit = 50
    cursor: Cursor | None = None


class LogOut(Request, frozen=True, kw_only=True):
    #: Id of one of your sessions; `current` is that of the token in use.
    session: Id


async def log_in(call: Call, request: LogIn) -> dict[str, Any]:
    way, handle = _handle(request)
    # Each name counts by itself: a bound common to both would tell whose address it is.
    with call.services.guesses.log_in(call.address, handle) as guess:
        await call.see_all("users", "handles")
        row = await holder(call, handle)
        right = await call.services.passwords.verify(
            row["hash"] if row is not None else None, request.password, guess.lane
        )
        guess.settle(right)
    if not right:
        raise Problem("unauthenticated", f"wrong {way} or password")
    expires = after(now(), call.settings.session_seconds)
    command = OpenSession(user=row["id"], credential=row["credential"], expires=expires)
    outcome = await call.submit(command, actor=row["id"], shows=(user_key(row["id"]),))
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


def _handle(request: LogIn) -> tuple[str, str]:
    """What somebody logs in by, and its handle."""
    if request.username is not None and request.email is None:
        return "username", username_handle(request.username)
    if request.email is not None and request.username is None:
        return "email", email_handle(kept(request.email))
    raise Problem("invalid", f"expected either username or email, got {'neither' if request.email is None else 'both'}")


async def renew(call: Call, request: Nothing) -> dict[str, Any]:
    identity = _identity(call)
    moment = now()
    seconds = SERVICE_SECONDS if identity.role == "service" else call.settings.session_seconds
    command = RenewSession(user=call.user, session=identity.session, expires=after(moment, seconds))
    outcome = await call.submit(command)
    session = outcome.state[session_key(call.user, identity.session)]
    assert isinstance(session, Session)
    issued, expires = moment, session.expires
    for record in outcome.records:
        # Also where a key was used and nothing happened: the same token again.
        issued = record.time
        if isinstance(record.data, SessionRenewed):
            expires = record.data.expires
    call.stream_token = mint(
        call.settings, user=call.user, session=identity.session, role=identity.role, issued=issued, expires=expires,
        scopes=identity.scopes,
    )  # fmt: skip
    return {"token": call.stream_token, "expires": expires}


async def list_(call: Call, request: ListSessions) -> dict[str, Any]:
    identity = _identity(call)
    (below,) = pages.decode(request.cursor, tuple[Offset], (LAST_OFFSET,))
    rows = await call.rows(queries("sessions")["open"], call.user, below, request.limit + 1)
    found = [one for row in rows[: request.limit] if isinstance(one := from_row("session", row), Session)]
    views = [session_view(one) for one in found]
    more = pages.encode(found[-1].since) if len(rows) > request.limit else None
    return {"sessions": [{**view, "current": view["id"] == identity.session} for view in views], "next": more}


async def log_out(call: Call, request: LogOut) -> None:
    session = _identity(call).session if request.session == CURRENT else request.session
    await call.submit(CloseSession(user=call.user, session=session), shows=())


def _identity(call: Call) -> Identity:
    assert call.identity is not None
    return call.identity


OPERATIONS = [
    Operation("sessions.open", "POST", "/v1/sessions", "anyone", LogIn, log_in,
              "Log in by username or e-mail address, and password",
              {"user": "Self", "token": "string", "expires": "time"}, 201, limit="log_in"),
    Operation("sessions.list", "GET", "/v1/sessions", "user", ListSessions, list_,
              "Where you are logged in: your sessions that have not ended, the last opened first",
              {"sessions": "[OwnSession]", "next": "cursor"}),
    Operation("sessions.renew", "POST", "/v1/sessions/current/renewal", "user", Nothing, renew,
              "Stay logged in: another token for this session, which ends later; the old one ends when it said",
              {"token": "string", "expires": "time"}),
    Operation("sessions.close", "DELETE", "/v1/sessions/{session}", "user", LogOut, log_out,
              "Log out, here or elsewhere: the session's tokens are void from here on", {}, 204),
]  # fmt: skip
