"""Users: registration, search, profiles."""

from __future__ import annotations

import hashlib
import hmac
from contextlib import nullcontext
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import msgspec

from api import claims, profiles
from api.core.calls import Call
from api.core.operation import NoParameters, Operation, Request
from api.core.plan_limits import take
from api.core.tokens import UNSCOPED, Role, mint
from api.credentials import GivenPassword, Password, check_new, holder, prove
from api.support import pages
from api.support.ids import Ids, ids_of
from api.support.pages import Cursor, Limit, Query, Rank, SearchText, Text
from api.support.problems import Problem, either, gather
from api.support.sessions_in_use import whole_seconds
from events.apps import settings_of
from events.core.clock import after, now
from events.core.derived_ids import DEFAULT_APP
from events.core.faults import wrong
from events.handles import email_handle, handle_parts, username_handle
from events.sessions import SessionOpened
from events.users import AddedBy, User, UserRegistered, user_key
from infra.base.postgres import Row, queries
from infra.base.rows import from_row
from producers.commands import Outcome, Refused
from producers.emails import Email, kept
from producers.handles import taken
from producers.limits import Avatar, Bio, Custom, CustomPatch, Data, DataPatch, Id, ShownName, Username, merged
from producers.names import check_name, check_text, check_username
from producers.users import ChangeProfile, EmailChange, RegisterUser, Scope, unreserved
from projectors.views import self_view, user_view

#: Lifetime of a service account's token, in seconds: ten years, revocable at once.
SERVICE_SECONDS = 10 * 365 * 86400.0
#: Changes of one user's e-mail address that may overtake this one before it is put off.
_ATTEMPTS = 3


class Register(Request, frozen=True, kw_only=True):
    #: 3-50 of A-Z a-z 0-9 _ -, a letter or digit among them. Some are reserved, such as `system` and `everyone`, and
    #: those that begin with `irc-`, which are an import's.
    username: Username
    #: To log in with: at least 8 characters, or more where the installation asks for it. Without one the account has
    #: only the session that this opens.
    password: Password | None = None
    #: What people see: one line, without control, direction and other hidden characters; no space at its ends, and at
    #: most 4 marks on a letter. Without it, the username.
    name: ShownName | None = None
    #: Additional information: texts by name, which everybody sees.
    data: Data = {}
    #: Address of a picture, which others' clients open.
    avatar: Avatar | None = None
    #: What you say of yourself.
    bio: Bio | None = None
    #: A JSON object, which everybody sees.
    custom: Custom = {}
    #: Unique in the installation: who registers an address that is taken learns that it is. Only you see it.
    email: Email | None = None
    #: Who may add you to rooms at once; all others invite you. null: as the installation has it.
    added_by: AddedBy | None = None


class RegisterService(Request, frozen=True, kw_only=True):
    #: As a person's; also one that is the installation's own, such as `emotions`.
    username: Username
    #: As a person's.
    name: ShownName | None = None
    #: What it may do beside what users may; its tokens say so in the claim `scope`. `emotions:write`: say what
    #: emotions messages show, in any room. `sessions:issue`: sign in any person, whom your own log-in has proved.
    #: `channels:serve`: report as a server of live channels.
    scopes: list[Scope] = []


class FindUsers(Request, frozen=True, kw_only=True):
    name: Query | None = None
    #: Comma-separated user ids, at most 100 different ones.
    ids: Ids | None = None
    limit: Limit = 20
    cursor: Cursor | None = None


class GetUser(Request, frozen=True, kw_only=True):
    user: Id


class ChangeMe(Request, frozen=True, kw_only=True):
    #: As `users.register` takes it.
    name: ShownName | None = None
    #: What is not named stays; null removes an entry.
    data: DataPatch | None = None
    #: Address of a picture, which others' clients open; null: none any more.
    avatar: Avatar | msgspec.UnsetType | None = msgspec.UNSET
    #: What you say of yourself; null: nothing any more.
    bio: Bio | msgspec.UnsetType | None = msgspec.UNSET
    #: A JSON object, changed by a merge patch: null removes a name, an object is merged, all else takes its place.
    custom: CustomPatch | None = None
    #: Another e-mail address; null: none any more.
    email: Email | msgspec.UnsetType | None = msgspec.UNSET
    #: Your current password, where you have one: needed to change the e-mail address, which one logs in by.
    password: GivenPassword | None = None
    #: Who may add you to rooms at once; all others invite you. null: as the installation has it. ``contacts`` are whom
    #: you hold for friends, and who shares a room with you in which you are by your own will.
    added_by: AddedBy | msgspec.UnsetType | None = msgspec.UNSET


class SessionLength(NamedTuple):
    """How long a new log-in lasts."""

    seconds: float
    #: Whether that counts from its last use.
    sliding: bool


async def session_length(call: Call) -> SessionLength:
    """As the caller's application has it, or else the installation."""
    hours = await call.services.apps.session_hours(call.app)
    return SessionLength(whole_seconds(hours), True) if hours else SessionLength(call.settings.session_seconds, False)


async def register(call: Call, request: Register) -> dict[str, Any]:
    app = await call.services.apps.get(call.app)
    if app is None or not settings_of(app.settings).registration:
        text = "expected an application in which anybody may register, got one whose own server makes its users"
        raise Problem("forbidden", text)
    gather(
        lambda: check_username(request.username),
        lambda: check_new(call, request.password),
        lambda: check_name("name", request.name or request.username),
        lambda: request.email is None or kept(request.email),
        lambda: unreserved(request.data),
        lambda: check_text("bio", request.bio) if request.bio is not None else None,
    )
    email = None if request.email is None else kept(request.email)
    length = await session_length(call)
    expires = after(now(), length.seconds)
    outcome, user = await _register(call, request.username, request.password, RegisterUser(
        user="-", username=request.username, name=request.name or request.username, role="person",
        data=request.data, avatar=request.avatar, bio=request.bio, custom=merged({}, request.custom), email=email,
        expires=expires, sliding=length.sliding, added_by=request.added_by,
    ))  # fmt: skip
    return _welcome(call, outcome, user, "person")


async def register_service(call: Call, request: RegisterService) -> dict[str, Any]:
    expires = after(now(), SERVICE_SECONDS)
    outcome, user = await _register(call, request.username, None, RegisterUser(
        user="-", username=request.username, name=request.name or request.username, role="service", expires=expires,
        scopes=request.scopes,
    ))  # fmt: skip
    return _welcome(call, outcome, user, "service")


async def _register(call: Call, username: str, secret: str | None, command: RegisterUser) -> tuple[Outcome, str]:
    """Claim the names, make the user, confirm the claims: each step can be repeated, whatever came between."""
    # Before the first claim: of a user who cannot be made no name stays claimed.
    check_username(username, by_operator=command.role == "service")
    check_name("name", command.name)
    unreserved(command.data)
    email = command.email
    handles = [username_handle(username, call.app), *([] if email is None else [email_handle(email, call.app)])]
    command = msgspec.structs.replace(command, user=_user_id(call, username, secret, email))
    with await take(call, "users") as taking:
        if taking.problem is None:
            outcome = await _made(call, handles, secret, command)
        else:
            # Only who was registered by this call before.
            outcome = await _submitted(call, command, unless=taking.problem)
        taking.made(outcome)
    for handle in handles:
        call.services.login_throttle.registered(call.address, handle)
        await claims.confirm(call, handle, command.user, key=f"{command.user}:confirm")
    return outcome, command.user


async def _made(call: Call, handles: list[str], secret: str | None, command: RegisterUser) -> Outcome:
    """Claims the names, and makes the user."""
    user, hash = command.user, None
    if secret is not None:
        # A hash is worth 50 ms of a core: not for names that are seen to be taken. The claims below decide it.
        await _free(call, handles, user)
        hash = await call.services.passwords.hash(secret, call.address)
    version = await claims.claim(call, handles[0], user, key=f"{user}:claim")
    if command.email is not None:
        try:
            await claims.claim(call, handles[1], user, key=f"{user}:claim")
        except Refused:
            # The username is free again at once: its owner-to-be is about to try another address.
            await claims.give_up_registration(call, handles[0], user, version)
            raise
    store = call.services.credential_store
    try:
        async with nullcontext() if hash is None else store.keeping(hash) as credential:
            outcome = await _submitted(call, msgspec.structs.replace(command, credential=credential))
    except Refused as refusal:
        if refusal.code == "key_reused":
            raise
        # Somebody took the claim over meanwhile and made sure that this registration never happens.
        raise taken("username", command.username or "") from refusal
    if outcome.repeated and credential is not None:
        # The first time it was another.
        await store.remove(credential)
    return outcome


async def _submitted(call: Call, command: RegisterUser, *, unless: Refused | None = None) -> Outcome:
    user = command.user
    return await call.submit(command, unless=unless, shows=(user_key(user),), actor=user, key=call.key or user)


async def _free(call: Call, handles: list[str], user: str) -> None:
    """Refuses names that somebody else has, as the read models know it."""
    for handle in handles:
        row = await holder(call, handle)
        if row is not None and row["id"] != user:
            raise taken(*handle_parts(handle)[1:])


def _user_id(call: Call, username: str, secret: str | None, email: str | None) -> str:
    """A UUIDv4. With an idempotency key always the same one, so that a repeated registration finds its own claim.

    It depends on the password and the address too: who knows the key alone does not get the first one's token.
    """
    if call.key is None:
        return str(uuid4())
    text = "\x00".join((call.key, username.lower(), secret or "", *([] if email is None else [email])))
    if call.app != DEFAULT_APP:
        text = f"{call.app}\x00{text}"
    digest = hmac.new(bytes.fromhex(call.settings.secret), text.encode(), hashlib.sha256).digest()
    return str(UUID(bytes=digest[:16], version=4))


def _welcome(call: Call, outcome: Outcome, user: str, role: Role) -> dict[str, Any]:
    """The user and the token, made from the events: the same when the registration is repeated."""
    opened, made = outcome.record(SessionOpened), outcome.record(UserRegistered).data
    present = outcome.now.get(user_key(user)) if outcome.repeated else None
    if isinstance(present, User) and present.credential != made.credential:
        raise Problem(
            "unauthenticated", "expected the account's current password, got the first one; log in with the new one"
        )
    token = mint(
        call.settings, user=user, session=opened.data.session, role=role, issued=opened.time,
        expires=opened.data.expires, scopes=UNSCOPED if made.scopes is None else made.scopes, app=call.app,
        kind=made.kind, sliding=opened.data.sliding,
    )  # fmt: skip
    call.stream_token = token
    return {"user": self_view(outcome.entity(User, user_key(user))), "token": token, "expires": opened.data.expires}


async def find(call: Call, request: FindUsers) -> dict[str, Any]:
    if request.name is None or request.ids is not None:
        rows = await call.rows(queries("users")["by_id"], asked(request), call.user, call.app, await call.team())
        return {"users": await _views(call, rows), "next": None}
    search = SearchText(request.name or "")
    rank, folded, id = pages.decode(request.cursor, tuple[Rank, Text, Text], (-3, "", ""))
    rows = await call.rows(
        queries("users")["search"], search.grams, search.anywhere, search.first, search.second, call.user,
        rank, folded, id, request.limit + 1, search.all_second, search.all_first, call.app, await call.team(),
    )  # fmt: skip
    page = rows[: request.limit]
    more = len(rows) > request.limit
    last = page[-1] if page else None
    # Pairs with a block between them do not find each other.
    return {
        "users": [user_view(from_row(User, row)) for row in page],
        "next": pages.encode(last["rank"], last["folded"], last["id"]) if more and last is not None else None,
    }


def asked(request: FindUsers) -> list[str]:
    """The ids that are asked for. Raises Problem ``invalid`` for neither or both of name and ids, or too many."""
    either(name=request.name, ids=request.ids)
    return ids_of("ids", request.ids or "")


async def _views(call: Call, rows: list[Row]) -> list[dict[str, Any]]:
    users = [from_row(User, row) for row in rows]
    if not users:
        return []
    async with call.reading() as connection:
        return await profiles.of_users(connection, call.user, users)


async def me(call: Call, request: NoParameters) -> dict[str, Any]:
    row = await call.row(queries("sync")["me"], call.user)
    if row is None:
        raise Problem("not_found", "expected your own user, found none yet; try again")
    return {"user": self_view(from_row(User, row))}


async def get(call: Call, request: GetUser) -> dict[str, Any]:
    if request.user == call.user:
        return await me(call, NoParameters())
    team = await call.team()
    found = await _views(call, await call.rows(queries("users")["by_id"], [request.user], call.user, call.app, team))
    if not found:
        raise Problem("not_found", f"expected a user, found none with id {request.user}")
    return {"user": found[0]}


async def change_me(call: Call, request: ChangeMe) -> dict[str, Any]:
    command = ChangeProfile(
        user=call.user, name=request.name, data=request.data, avatar=request.avatar, bio=request.bio,
        custom=request.custom, added_by=request.added_by,
    )  # fmt: skip
    shows = (user_key(call.user),)
    if request.email is msgspec.UNSET:
        if request.password is not None:
            what = "none without an email, as nothing else needs it"
            raise Problem("invalid", errors=[wrong("/password", what, "one")])
        outcome = await call.submit(command, shows=shows)
        if request.added_by is not None:
            # Who adds them is checked against the tables: once this is answered, it holds there.
            await call.meet_own("users")
        return _own(call, outcome)
    email = None if request.email is None else kept(request.email)
    if request.password is None and (await claims.present(call)).email == email:
        # Written back as it was read.
        return _own(call, await call.submit(command, shows=shows))
    try:
        credential = await prove(call, request.password, "password", "change the e-mail address")
    except Problem as problem:
        # Since the key was used the password may have been changed, or an address given that needs it.
        if problem.code not in ("forbidden", "invalid") or (first := await call.used(command, shows=shows)) is None:
            raise
        return _own(call, first)
    # Before any claim: the address may be another's by now.
    if (first := await call.used(command, shows=shows)) is not None:
        return _own(call, first)
    for _ in range(_ATTEMPTS):
        user = await _change_with_email(call, command, email, credential)
        if user is not None:
            return {"user": self_view(user)}
    raise Problem("overloaded", "expected no other change of the e-mail address meanwhile; try again", retry_after=1)


async def _change_with_email(
    call: Call, command: ChangeProfile, email: str | None, credential: str | None
) -> User | None:
    """The user afterwards; None when another change of the address came first."""
    around = await claims.begin_email(call, email)
    change = EmailChange(address=email, since=around.user.email_settled, credential=credential)
    try:
        changing = msgspec.structs.replace(command, email=change)
        outcome = await call.submit(changing, shows=(user_key(call.user),))
        user = _user(call, outcome)
    except Refused as refusal:
        await claims.end_email(call, around, changed=False)
        if refusal.code == "outrun":
            return None
        raise
    # Where the key was used meanwhile, the address may have been changed again since.
    present = outcome.now.get(user_key(call.user), user)
    await claims.end_email(call, around, changed=isinstance(present, User) and present.email == email)
    return user


def _own(call: Call, outcome: Outcome) -> dict[str, Any]:
    return {"user": self_view(_user(call, outcome))}


def _user(call: Call, outcome: Outcome) -> User:
    return outcome.entity(User, user_key(call.user))


OPERATIONS = [
    Operation("users.register", "POST", "/v1/users", "anyone", Register, register,
              "Register a user and log in", {"user": "Self", "token": "string", "expires": "time"}, 201,
              limit="register"),
    Operation("users.find", "GET", "/v1/users", "user", FindUsers, find,
              "Search users by name or username, or get several by id", {"users": "[User]", "next": "cursor"}),
    Operation("users.me", "GET", "/v1/users/me", "user", NoParameters, me, "Your own user", {"user": "Self"}),
    Operation("users.change", "PATCH", "/v1/users/me", "user", ChangeMe, change_me,
              "Change your name, picture, text, data map, e-mail address, or who may add you to rooms",
              {"user": "Self"}),
    Operation("users.get", "GET", "/v1/users/{user}", "user", GetUser, get, "A user's profile", {"user": "User"}),
    Operation("services.register", "POST", "/v1/services", "operator", RegisterService, register_service,
              "Make a service account", {"user": "Self", "token": "string", "expires": "time"}, 201),
]  # fmt: skip
