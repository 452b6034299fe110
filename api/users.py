"""Users: registration, search, profiles."""

from __future__ import annotations

import hashlib
import hmac
import logging
from typing import Annotated, Any
from uuid import UUID, uuid4

import msgspec

from api import pages
from api.calls import Call
from api.pages import Cursor, Limit, Query, Rank, Search, Text
from api.problems import Problem
from api.surface import Nothing, Operation, Request
from api.tokens import Role, mint
from events.clock import after, now, to_datetime
from events.handles import username_handle
from events.sessions import SessionOpened
from events.users import User, UserRegistered, user_key
from infra.postgres import queries
from infra.rows import from_row
from producers.commands import Outcome, Refused, Unavailable
from producers.handles import ClaimHandle, ConfirmHandle
from producers.limits import Data, DataPatch, Id, ShownName, Username
from producers.users import AbandonRegistration, ChangeProfile, RegisterUser
from projectors.views import self_view, user_view

log = logging.getLogger(__name__)

#: Long passwords cost the same to hash; the bound is for the request. RFC 9106 sets none; NIST asks for at least 64.
Password = Annotated[str, msgspec.Meta(min_length=8, max_length=512)]
#: Lifetime of a service account's token, in seconds: ten years, revocable at once.
_SERVICE_SECONDS = 10 * 365 * 86400.0


class Register(Request, frozen=True, kw_only=True):
    username: Username
    password: Password | None = None
    name: ShownName | None = None
    data: Data = {}


class RegisterService(Request, frozen=True, kw_only=True):
    username: Username
    name: ShownName | None = None


class FindUsers(Request, frozen=True, kw_only=True):
    name: Query | None = None
    #: Comma-separated user ids, at most 100.
    ids: Annotated[str, msgspec.Meta(max_length=4000)] | None = None
    limit: Limit = 20
    cursor: Cursor | None = None


class GetUser(Request, frozen=True, kw_only=True):
    user: Id


class ChangeMe(Request, frozen=True, kw_only=True):
    name: ShownName | None = None
    data: DataPatch | None = None


async def register(call: Call, request: Register) -> dict[str, Any]:
    credential = None
    if request.password is not None:
        credential = await call.services.vault.put(await call.services.passwords.hash(request.password))
    expires = after(now(), call.settings.session_seconds)
    outcome, user = await _register(call, request.username, request.password, RegisterUser(
        user="-", username=request.username, name=request.name or request.username, role="person",
        credential=credential, data=request.data, expires=expires,
    ))  # fmt: skip
    return _welcome(call, outcome, user, "person")


async def register_service(call: Call, request: RegisterService) -> dict[str, Any]:
    expires = after(now(), _SERVICE_SECONDS)
    outcome, user = await _register(call, request.username, None, RegisterUser(
        user="-", username=request.username, name=request.name or request.username, role="service", expires=expires,
    ))  # fmt: skip
    return _welcome(call, outcome, user, "service")


async def _register(call: Call, username: str, secret: str | None, command: RegisterUser) -> tuple[Outcome, str]:
    """Claim the name, make the user, confirm the claim: each step can be repeated, whatever came between."""
    user = _user_id(call, username, secret)
    handle = username_handle(username)
    await _claim(call, handle, user)
    try:
        outcome = await call.submit(msgspec.structs.replace(command, user=user), actor=user, key=call.key or user)
    except Refused as refusal:
        # Somebody took the claim over meanwhile and made sure that this registration never happens.
        raise Refused("taken", f"expected a free username, {username} is taken") from refusal
    try:
        await call.submit(ConfirmHandle(handle=handle, user=user), actor=user, key=f"{user}:confirm")
    except (Refused, Unavailable) as error:
        # The next who wants the name confirms it: the user is registered, and that decides.
        log.info("%s is not confirmed yet: %s", handle, error)
    return outcome, user


def _user_id(call: Call, username: str, secret: str | None) -> str:
    """A UUIDv4. With an idempotency key always the same one, so that a repeated registration finds its own claim.

    It depends on the password too: who knows the key alone does not get the first one's token.
    """
    if call.key is None:
        return str(uuid4())
    text = "\x00".join((call.key, username.lower(), secret or ""))
    digest = hmac.new(bytes.fromhex(call.settings.secret), text.encode(), hashlib.sha256).digest()
    return str(UUID(bytes=digest[:16], version=4))


async def _claim(call: Call, handle: str, user: str) -> None:
    try:
        await call.submit(ClaimHandle(handle=handle, user=user), actor=user, key=f"{user}:claim")
        return
    except Refused as refusal:
        if refusal.code != "taken" or refusal.more["state"] == "confirmed":
            raise
        taken, holder, claimed = refusal, refusal.more["holder"], refusal.more["claimed"]
    if to_datetime(now()).timestamp() - to_datetime(claimed).timestamp() < call.settings.claim_seconds:
        raise taken
    # The claimant's own stream decides: registered, or never to be.
    try:
        await call.submit(AbandonRegistration(user=holder), actor="system", key=f"{user}:abandon")
    except Refused:
        await call.submit(ConfirmHandle(handle=handle, user=holder), actor="system", key=f"{holder}:confirm")
        raise taken from None
    takeover = ClaimHandle(handle=handle, user=user, instead_of=holder)
    await call.submit(takeover, actor=user, key=f"{user}:takeover")


def _welcome(call: Call, outcome: Outcome, user: str, role: Role) -> dict[str, Any]:
    """The user and the token, made from the events: the same when the registration is repeated."""
    opened = next(record for record in outcome.records if isinstance(record.data, SessionOpened))
    assert isinstance(opened.data, SessionOpened)
    token = mint(
        call.settings, user=user, session=opened.data.session, role=role, issued=opened.time,
        expires=opened.data.expires,
    )  # fmt: skip
    found = outcome.state.get(user_key(user))
    assert isinstance(found, User) and any(isinstance(record.data, UserRegistered) for record in outcome.records)
    call.stream_token = token
    return {"user": self_view(found), "token": token, "expires": opened.data.expires}


async def find(call: Call, request: FindUsers) -> dict[str, Any]:
    if (request.name is None) == (request.ids is None):
        raise Problem("invalid", "expected either name or ids")
    if request.ids is not None:
        ids = [part for part in request.ids.split(",") if part]
        if len(ids) > 100:
            raise Problem("invalid", f"ids: expected at most 100, got {len(ids)}")
        rows = await call.rows(queries("users")["by_id"], ids, call.user)
        return {"users": [_view(row) for row in rows], "next": None}
    search = Search(request.name or "")
    rank, folded, id = pages.decode(request.cursor, tuple[Rank, Text, Text], (-1, "", ""))
    rows = await call.rows(
        queries("users")["search"], search.grams, search.anywhere, search.first, search.second, call.user,
        rank, folded, id, request.limit + 1,
    )  # fmt: skip
    page = rows[: request.limit]
    more = len(rows) > request.limit
    last = page[-1] if page else None
    return {
        "users": [_view(row) for row in page],
        "next": pages.encode(last["rank"], last["folded"], last["id"]) if more and last is not None else None,
    }


def _view(row: Any) -> dict[str, Any]:
    user = from_row("user", row)
    assert isinstance(user, User)
    return user_view(user)


async def me(call: Call, request: Nothing) -> dict[str, Any]:
    row = await call.row(queries("sync")["me"], call.user)
    if row is None:
        # Only right after registering: the read models are a moment behind.
        await call.catch_up(dict(call.services.seen))
        row = await call.row(queries("sync")["me"], call.user)
    if row is None:
        raise Problem("not_found", "expected your own user, found none yet; try again")
    user = from_row("user", row)
    assert isinstance(user, User)
    return {"user": self_view(user)}


async def get(call: Call, request: GetUser) -> dict[str, Any]:
    if request.user == call.user:
        return await me(call, Nothing())
    row = await call.row(queries("users")["by_id"], [request.user], call.user)
    if row is None:
        raise Problem("not_found", f"expected a user, found none with id {request.user}")
    return {"user": _view(row)}


async def change_me(call: Call, request: ChangeMe) -> dict[str, Any]:
    outcome = await call.submit(ChangeProfile(user=call.user, name=request.name, data=request.data))
    user = outcome.state[user_key(call.user)]
    assert isinstance(user, User)
    return {"user": self_view(user)}


async def registered(call: Call, users: list[str]) -> dict[str, bool]:
    """Those of ``users`` who are registered, and whether a block stands between them and the caller.

    A check on the read model: a moment late, except for what this process itself has just done.
    """
    if not users:
        return {}
    rows = await call.rows(queries("users")["registered"], users, call.user)
    if len(rows) < len(set(users)) and await call.services.progress.wait(dict(call.services.seen), seconds=1.0):
        rows = await call.rows(queries("users")["registered"], users, call.user)
    return {row["id"]: row["blocked"] for row in rows}


async def reachable(call: Call, users: list[str]) -> None:
    """Refuses users who are not registered (``not_found``), or whom a block stands between (``forbidden``)."""
    found = await registered(call, users)
    if missing := [user for user in users if user not in found]:
        raise Problem("not_found", f"expected registered users, found none with id {', '.join(missing[:5])}")
    if any(found.values()):
        raise Problem("forbidden", "expected people who may talk with each other; one of them may not")


OPERATIONS = [
    Operation("users.register", "POST", "/v1/users", "anyone", Register, register,
              "Register a user and log in", {"user": "Self", "token": "string", "expires": "time"}, 201),
    Operation("users.find", "GET", "/v1/users", "user", FindUsers, find,
              "Search users by name or username, or get several by id", {"users": "[User]", "next": "cursor"}),
    Operation("users.me", "GET", "/v1/users/me", "user", Nothing, me, "Your own user", {"user": "Self"}),
    Operation("users.change", "PATCH", "/v1/users/me", "user", ChangeMe, change_me,
              "Change your name or data map", {"user": "Self"}),
    Operation("users.get", "GET", "/v1/users/{user}", "user", GetUser, get, "A user's profile", {"user": "User"}),
    Operation("services.register", "POST", "/v1/services", "operator", RegisterService, register_service,
              "Make a service account", {"user": "Self", "token": "string", "expires": "time"}, 201),
]  # fmt: skip
