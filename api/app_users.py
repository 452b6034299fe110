"""Users of applications: registered and changed by their application's own server, by its ids for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec

from api import claims
from api.core.calls import Call
from api.core.operation import NoPast, Operation, Request
from api.core.plan_limits import take
from api.moving import end_what_is_left
from api.support import pages, problems
from api.support.containing import part_of
from api.support.ids import CHARS, ids_of
from api.support.pages import Cursor, Limit
from api.support.problems import Problem, either, gather
from api.teams import known, put_back, still
from events.core.clock import uuid7
from events.core.derived_ids import derived_id
from events.core.faults import Fault, wrong
from events.core.free_json import same
from events.handles import email_handle, username_handle
from events.users import Account, User, user_key
from infra.base.postgres import queries
from infra.base.rows import from_row
from producers.commands import Outcome, Refused
from producers.emails import Email, kept
from producers.limits import (
    Avatar,
    Bio,
    Custom,
    Data,
    ExternalId,
    Id,
    ShownName,
    Username,
    merged,
)
from producers.names import check_name, check_text, check_username
from producers.teams import SetTeam, missing_team
from producers.users import RESERVED, ChangeProfile, EmailChange, RegisterUser, unreserved
from projectors.views import View, self_view

#: Users of one request.
USERS = 100
#: Bytes of one: USERS with a full ``custom`` and much of a full ``data`` each.
BODY_BYTES = 2 << 20
#: Of them, those that are registered or changed at the same time.
_TOGETHER = 50
#: Other registrations or changes of a user that may overtake one before it is put off.
_ATTEMPTS = 3

T = TypeVar("T")

#: What a query has room for.
ExternalIds = Annotated[str, msgspec.Meta(max_length=CHARS)]
CustomText = Annotated[str, msgspec.Meta(max_length=CHARS)]


class GivenUser(Request, frozen=True, kw_only=True):
    """A user as their application knows them."""

    #: What the application calls them; the user's id follows from it.
    external_id: ExternalId
    #: What people see, as `users.register` takes it.
    name: ShownName
    #: None is needed. It is for good: who has one, or has none, keeps it so.
    username: Username | None = None
    #: Unique in the application; null: none any more.
    email: Email | msgspec.UnsetType | None = msgspec.UNSET
    #: null: none any more.
    avatar: Avatar | msgspec.UnsetType | None = msgspec.UNSET
    #: null: none any more.
    bio: Bio | msgspec.UnsetType | None = msgspec.UNSET
    #: The whole object.
    custom: Custom | msgspec.UnsetType = msgspec.UNSET
    #: Id of their team, which `teams.create` has told; null: none. They leave the rooms of the team before.
    team: Id | msgspec.UnsetType | None = msgspec.UNSET
    #: `guest` and `anonymous` may do less than others. It is for good; `regular` where it is not given.
    kind: Account | msgspec.UnsetType = msgspec.UNSET
    #: The whole map.
    data: Data | msgspec.UnsetType = msgspec.UNSET


class UpsertUsers(Request, frozen=True, kw_only=True):
    #: Each external id once.
    users: Annotated[list[GivenUser], msgspec.Meta(min_length=1, max_length=USERS)]


class QueryUsers(Request, frozen=True, kw_only=True):
    #: Comma-separated ids of yours, at most 100 different ones.
    external_ids: ExternalIds | None = None
    #: A JSON object as text: users are found whose `custom` has all that is in it, in whatever it has besides.
    custom: CustomText | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class _Claim(NamedTuple):
    """A name that was claimed for a registration."""

    handle: str
    version: int


async def query(call: Call, request: QueryUsers) -> dict[str, Any]:
    either(external_ids=request.external_ids, custom=request.custom)
    if request.custom is not None:
        return await _holding(call, request, request.custom)
    ids = [_id(call.app, one) for one in ids_of("external_ids", request.external_ids or "")]
    found = await _present(call, ids)
    users = [found[id] for id in ids if id in found and found[id].state == "registered"]
    return {"users": [self_view(user) for user in users], "next": None}


async def _holding(call: Call, request: QueryUsers, custom: str) -> dict[str, Any]:
    """Those of the caller's application whose object holds what is asked for."""
    after, text = pages.decode_id(request.cursor), msgspec.json.encode(part_of(custom)).decode()
    rows = await call.rows(queries("users")["holding"], text, after, request.limit + 1, call.app)
    found, more = pages.by_id(rows, request.limit)
    return {"users": [self_view(from_row(User, row)) for row in found], "next": more}


def _id(app: str, external: str) -> str:
    return derived_id(app, "user", external)


async def upsert(call: Call, request: UpsertUsers) -> dict[str, Any]:
    _check(request.users)
    ids = [_id(call.app, one.external_id) for one in request.users]
    # What was written before is not to be taken for what is there.
    await call.see_own()
    before = await _present(call, ids)
    teams = await known(call, {one.team for one in request.users if isinstance(one.team, str)})
    slots = asyncio.Semaphore(_TOGETHER)

    async def one(id: str, given: GivenUser) -> View:
        async with slots:
            return await _told(call, id, given, before.get(id), teams)

    told = await asyncio.gather(*(one(*pair) for pair in zip(ids, request.users, strict=True)))
    if any(one.team is not msgspec.UNSET for one in request.users):
        # Also what an earlier call has left undone.
        await call.catch_up(call.position)
        gone = teams - await still(call, teams)
        for n, (id, given) in enumerate(zip(ids, request.users, strict=True)):
            if given.team in gone and told[n]["problem"] is None:
                await put_back(call, id, before[id].team if id in before else None)
                told[n] = _refused(given, missing_team(str(given.team)))
        await end_what_is_left(call, ids)
    return {"users": told}


def _check(users: list[GivenUser]) -> None:
    """Refuses the whole request for what is wrong in any of them, whatever is there already. Raises Problem."""
    first: dict[str, int] = {}
    faults: list[Fault] = []
    for n, given in enumerate(users):
        if (other := first.setdefault(given.external_id, n)) != n:
            faults.append(wrong(f"/users/{n}/external_id", "each external id once", f"that of /users/{other} too"))
        faults += _faults(n, given)
    if faults:
        raise Problem("invalid", errors=faults)


def _faults(n: int, given: GivenUser) -> list[Fault]:
    checks: tuple[Callable[[], object], ...] = (
        lambda: check_name("name", given.name),
        lambda: check_username(given.username) if given.username is not None else None,
        lambda: kept(given.email) if isinstance(given.email, str) else None,
        lambda: check_text("bio", given.bio) if isinstance(given.bio, str) else None,
        lambda: unreserved(_given(given.data, {})),
        lambda: merged({}, _given(given.custom, {})),
    )
    try:
        gather(*checks)
    except (Problem, Refused) as refusal:
        return [Fault(**{**fault, "pointer": f"/users/{n}{fault['pointer']}"}) for fault in refusal.errors]
    return []


async def _present(call: Call, ids: list[str]) -> dict[str, User]:
    """Those of the ids that there are, also of registrations that were given up."""
    rows = await call.rows(queries("users")["any_by_id"], ids)
    return {row["id"]: from_row(User, row) for row in rows}


async def _told(call: Call, id: str, given: GivenUser, before: User | None, teams: Collection[str]) -> View:
    """What came of one of them: the user, or why not."""
    try:
        if isinstance(given.team, str) and given.team not in teams:
            raise missing_team(given.team)
        user = self_view(await _stored(call, id, given, before))
        return {"external_id": given.external_id, "user": user, "problem": None}
    except Exception as error:
        return _refused(given, error)


def _refused(given: GivenUser, error: Exception) -> View:
    return {"external_id": given.external_id, "user": None, "problem": problems.document(problems.of(error))}


async def _stored(call: Call, id: str, given: GivenUser, before: User | None) -> User:
    for _ in range(_ATTEMPTS):
        claimed: list[_Claim] = []
        try:
            if before is None or before.state != "registered":
                return await _registered(call, id, given, before, claimed)
            return await _changed(call, given, before)
        except Refused as refusal:
            if refusal.code != "outrun":
                raise
        await call.see_all("users")
        before = (await _present(call, [id])).get(id)
        for claim in claimed:
            if before is not None and before.state == "registered" and claim.handle not in _handles(before):
                await claims.release(call, claim.handle, id, claim.version)
    raise Problem("overloaded", "expected no other change of the user meanwhile; try again", retry_after=1)


async def _registered(call: Call, id: str, given: GivenUser, before: User | None, claimed: list[_Claim]) -> User:
    """Registers somebody, after their names are claimed: ``claimed`` gets the claims. Raises Refused."""
    email = kept(given.email) if isinstance(given.email, str) else None
    handles = [] if given.username is None else [username_handle(given.username, call.app)]
    handles += [] if email is None else [email_handle(email, call.app)]
    command = RegisterUser(
        user=id, username=given.username, name=given.name, email=email, external=given.external_id,
        kind=_given(given.kind, "regular"), avatar=_given(given.avatar, None), bio=_given(given.bio, None),
        custom=_given(given.custom, {}), data=_given(given.data, {}),
        team=_given(given.team, None), since=-1 if before is None else before.version,
    )  # fmt: skip
    with await take(call, "users") as taking:
        if taking.problem is not None:
            # Before the first claim: it is not written down who finds no room.
            raise taking.problem
        try:
            for handle in handles:
                claimed.append(_Claim(handle, await claims.claim(call, handle, id, key=uuid7(), anew=True)))
            outcome = await call.step(command, key=uuid7())
        except Refused as refusal:
            if refusal.code != "outrun":
                for claim in claimed:
                    # A later call begins again from there.
                    await claims.give_up_registration(call, claim.handle, id, claim.version)
            raise
        taking.made(outcome)
    for handle in handles:
        await claims.confirm(call, handle, id, key=uuid7())
    return _user(outcome, id)


async def _changed(call: Call, given: GivenUser, before: User) -> User:
    """Changes where something differs, and asks nobody where nothing does. Raises Refused, Problem."""
    if before.erased is not None:
        raise Refused("erased", f"expected an account, got one that was erased at {before.erased}, for good")
    _for_good("username", given.username, before.username or None)
    _for_good("kind", None if given.kind is msgspec.UNSET else given.kind, before.account)
    if given.team is not msgspec.UNSET and given.team != before.team:
        moved = SetTeam(user=before.id, team=given.team, app=call.app)
        before = _user(await call.step(moved, key=uuid7()), before.id)
    command = ChangeProfile(
        user=before.id, name=given.name, avatar=given.avatar, bio=given.bio, whole=True,
        data=None if given.data is msgspec.UNSET else dict(given.data),
        custom=None if given.custom is msgspec.UNSET else given.custom,
    )  # fmt: skip
    email = kept(given.email) if isinstance(given.email, str) else given.email
    if email is not msgspec.UNSET and email != before.email:
        return await _with_email(call, command, email)
    if _unchanged(given, before):
        return before
    return _user(await call.step(command, key=uuid7()), before.id)


def _for_good(name: str, given: str | None, there: str | None) -> None:
    if given is not None and given != there:
        raise Refused("invalid", errors=[wrong(f"/{name}", f"{there or 'none'}, as it is for good", given)])


def _unchanged(given: GivenUser, user: User) -> bool:
    data = {name: value for name, value in user.data.items() if name not in RESERVED}
    pairs = (
        (given.name, user.name), (given.avatar, user.avatar), (given.bio, user.bio), (given.data, data),
    )  # fmt: skip
    unchanged = all(one is msgspec.UNSET or same(one, there) for one, there in pairs)
    return unchanged and (given.custom is msgspec.UNSET or same(merged({}, given.custom), user.custom))


async def _with_email(call: Call, command: ChangeProfile, email: str | None) -> User:
    """Claims the address, makes the whole change, and settles the claims. Raises Refused."""
    around = await claims.begin_email(call, email, user=command.user)
    change = EmailChange(address=email, since=around.user.email_settled, credential=around.user.credential)
    try:
        outcome = await call.step(msgspec.structs.replace(command, email=change), key=uuid7())
    except Refused:
        await claims.end_email(call, around, changed=False)
        raise
    await claims.end_email(call, around, changed=True)
    return _user(outcome, command.user)


def _user(outcome: Outcome, id: str) -> User:
    return outcome.entity(User, user_key(id))


def _handles(user: User) -> set[str]:
    """The names that are a registered user's."""
    found = {username_handle(user.username, user.app)} if user.username else set()
    return found if user.email is None else found | {email_handle(user.email, user.app)}


def _given(value: T | msgspec.UnsetType, otherwise: T) -> T:
    return otherwise if isinstance(value, msgspec.UnsetType) else value


OPERATIONS = [
    Operation("users.upsert", "POST", "/v1/users/upsert", "server", UpsertUsers, upsert,
              "Register users of your application, and change those who are there", {"users": "[UpsertedUser]"},
              body_bytes=BODY_BYTES),
    Operation("users.query", "GET", "/v1/app/users", "server", QueryUsers, query,
              "Users of your application, by the ids that you have for them, or by what their `custom` has",
              {"users": "[Self]", "next": "cursor"}, heavy=True, as_of=NoPast("it tells users as they are now")),
]  # fmt: skip
