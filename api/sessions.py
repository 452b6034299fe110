"""Sessions: logging in, renewing the token, the list of one's log-ins, logging out."""

from __future__ import annotations

from typing import Any

from api.core.calls import Call
from api.core.operation import NoParameters, NoPast, Operation, Request
from api.core.tokens import Identity, mint
from api.credentials import GivenPassword, holder
from api.support import pages
from api.support.pages import LAST_OFFSET, Cursor, Limit, Offset
from api.support.problems import Problem, either
from api.users import SERVICE_SECONDS, session_length
from events.core.clock import after, now
from events.handles import email_handle, username_handle
from events.sessions import Session, SessionOpened, SessionRenewed, session_key
from events.users import User, user_key
from infra.base.postgres import queries
from infra.base.rows import from_row
from producers.commands import Outcome
from producers.emails import Email, kept
from producers.limits import DeviceId, Id, Username
from producers.sessions import CloseSession, IssueSession, OpenSession, RenewSession
from projectors.views import self_view, session_view

#: Stands for the caller's own session in a path.
CURRENT = "current"


class LogIn(Request, frozen=True, kw_only=True):
    #: Either this or `email`; case does not matter.
    username: Username | None = None
    #: Either this or `username`; case does not matter.
    email: Email | None = None
    #: The one that the account has.
    password: GivenPassword
    #: What the device calls itself; `sessions.list` shows it.
    device_id: DeviceId | None = None


class Issue(Request, frozen=True, kw_only=True):
    #: Id of a person, as their registration gave it.
    user: Id
    #: What their device calls itself; `sessions.list` shows it.
    device_id: DeviceId | None = None


class ListSessions(Request, frozen=True, kw_only=True):
    limit: Limit = 50
    cursor: Cursor | None = None


class LogOut(Request, frozen=True, kw_only=True):
    #: Id of one of your sessions; `current` is that of the token in use.
    session: Id


async def log_in(call: Call, request: LogIn) -> dict[str, Any]:
    way, handle = _handle(call, request)
    # Each name counts by itself: a bound common to both would tell whose address it is.
    with call.services.login_throttle.log_in(call.address, handle) as guess:
        await call.see_all("users", "handles")
        row = await holder(call, handle)
        right = await call.services.passwords.verify(
            row["hash"] if row is not None else None, request.password, guess.lane
        )
        guess.settle(right)
    if row is None or not right:
        raise Problem("unauthenticated", f"wrong {way} or password")
    length = await session_length(call)
    command = OpenSession(
        user=row["id"], credential=row["credential"], expires=after(now(), length.seconds), sliding=length.sliding,
        device=request.device_id,
    )  # fmt: skip
    opened = _opened(call, await call.submit(command, actor=row["id"], shows=(user_key(row["id"]),)), row["id"])
    call.stream_token = opened["token"]
    return opened


async def issue(call: Call, request: Issue) -> dict[str, Any]:
    length = await session_length(call)
    command = IssueSession(
        user=request.user, expires=after(now(), length.seconds), sliding=length.sliding, device=request.device_id
    )
    return _opened(call, await call.submit(command, shows=(user_key(request.user),)), request.user)


def _opened(call: Call, outcome: Outcome, id: str) -> dict[str, Any]:
    """The user, and the token of the session that was opened: the same when the call is repeated."""
    record, user = outcome.record(SessionOpened), outcome.entity(User, user_key(id))
    token = mint(
        call.settings, user=id, session=record.data.session, role=user.role, issued=record.time,
        expires=record.data.expires, kind=user.account, app=call.app, sliding=record.data.sliding,
    )  # fmt: skip
    return {"user": self_view(user), "token": token, "expires": record.data.expires}


def _handle(call: Call, request: LogIn) -> tuple[str, str]:
    """What somebody logs in by, and its handle."""
    either(username=request.username, email=request.email)
    if request.email is not None:
        return "email", email_handle(kept(request.email), call.app)
    return "username", username_handle(request.username or "", call.app)


async def renew(call: Call, request: NoParameters) -> dict[str, Any]:
    identity = _identity(call)
    moment = now()
    seconds = SERVICE_SECONDS if identity.role == "service" else (await session_length(call)).seconds
    command = RenewSession(user=call.user, session=identity.session, expires=after(moment, seconds))
    outcome = await call.submit(command)
    session = outcome.entity(Session, session_key(call.user, identity.session))
    issued, expires = moment, session.expires
    for record in outcome.records:
        # Also where a key was used and nothing happened: the same token again.
        issued = record.time
        if isinstance(record.data, SessionRenewed):
            expires = record.data.expires
    call.stream_token = mint(
        call.settings, user=call.user, session=identity.session, role=identity.role, issued=issued, expires=expires,
        scopes=identity.scopes, kind=identity.kind, app=call.app, sliding=session.sliding,
    )  # fmt: skip
    return {"token": call.stream_token, "expires": expires}


async def list_(call: Call, request: ListSessions) -> dict[str, Any]:
    identity = _identity(call)
    (below,) = pages.decode(request.cursor, tuple[Offset], (LAST_OFFSET,))
    rows = await call.rows(queries("sessions")["open"], call.user, below, request.limit + 1)
    found = [from_row(Session, row) for row in rows[: request.limit]]
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
    Operation("sessions.issue", "POST", "/v1/users/{user}/sessions", "service", Issue, issue,
              "Open a session for a person who has logged in to your application",
              {"user": "Self", "token": "string", "expires": "time"}, 201, scope="sessions:issue"),
    Operation("sessions.list", "GET", "/v1/sessions", "user", ListSessions, list_,
              "Where you are logged in: your sessions that have not ended, the last opened first",
              {"sessions": "[OwnSession]", "next": "cursor"}, as_of=NoPast("sessions say where you are logged in now")),
    Operation("sessions.renew", "POST", "/v1/sessions/current/renewal", "user", NoParameters, renew,
              "Stay logged in: another token for this session, which ends later; the old one ends when it said",
              {"token": "string", "expires": "time"}, unattended=True),
    Operation("sessions.close", "DELETE", "/v1/sessions/{session}", "user", LogOut, log_out,
              "Log out, here or elsewhere: the session's tokens are void from then on", {}, 204),
]  # fmt: skip
