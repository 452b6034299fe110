"""Users: who takes part, under what name, with what profile. Stream: the user's id (topic ``users``)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from msgspec.structs import replace

from events.core.clock import Time
from events.core.records import Changes, Entity, Event, EventType, Key, Record, State
from events.core.revert_rules import NotRevertible, RevertRule

Kind = Literal["person", "service"]
#: Who may add a user to a room at once, without an invitation.
AddedBy = Literal["everyone", "contacts", "nobody"]
#: What a person's account is: ``guest`` and ``anonymous`` may do less than others.
Account = Literal["regular", "guest", "anonymous"]


class User(Entity, frozen=True, kw_only=True):
    """A user (S0 User, S2 User)."""

    kind: ClassVar = "user"
    key_fields: ClassVar = ("id",)

    id: str
    #: Id of the application of which the user is.
    app: str
    #: Unique in it, as registered; compared without case. Empty: none, as an application may leave it out.
    username: str
    #: Shown name.
    name: str
    #: ``person``, or ``service`` for a program that acts by itself.
    role: Kind
    #: ``abandoned``: the registration was given up before it was finished, and this id can never be used.
    state: Literal["registered", "abandoned"]
    #: Names the password hash in the vault; None: cannot log in by password.
    credential: str | None
    #: Where mail reaches the user, as it is sent: the domain in lower case and ASCII (RFC 5890). Only the user sees it.
    email: str | None
    #: Offset of the event that last settled what the address is, or is not to be: a change begun before it is void.
    email_settled: int
    #: When the user was last known to be here: the latest log-in, or the end of a visit. None: never logged in (S2).
    seen: Time | None
    #: The linked visual character.
    visual: str | None
    #: Who may add the user to rooms at once; others invite. None: not chosen, so the installation's default holds.
    #: ``contacts``: whom the user holds for a friend, and who shares a room with them in which they are by their own
    #: will.
    added_by: AddedBy | None
    #: What their application calls them, in whose words the id is derived; None: registered themselves.
    external: str | None
    account: Account
    #: Id of the team in which they are; None: in none. They see rooms and people of the same team only.
    team: str | None
    #: Address of a picture.
    avatar: str | None
    #: What they say of themselves.
    bio: str | None
    data: dict[str, str]
    custom: dict[str, Any]
    #: Since when they can do nothing; None: they can.
    deactivated: Time | None
    #: Tokens that were issued before are not good any more; None: none was revoked so.
    tokens_before: Time | None = None
    #: Since when the account is erased, for good; None: it is not.
    erased: Time | None = None
    #: ``user_erasure.Erasure`` of one that is: how far it has come.
    erasure: dict[str, Any] = {}
    created: Time
    updated: Time
    version: int


def user_key(user: str) -> Key:
    return ("user", user)


class UserRegistered(Event, frozen=True, kw_only=True):
    #: Empty: none.
    username: str
    name: str
    role: Kind
    #: Id of the password hash in the vault, never the hash.
    credential: str | None
    data: dict[str, str]
    #: Where mail reaches the user; None: not told.
    email: str | None = None
    #: What a service account may do beside what users may; None: a person, or an account of before there were scopes.
    scopes: list[str] | None = None
    #: What the application calls the user that registered them; None: they registered themselves.
    external: str | None = None
    kind: Account = "regular"
    avatar: str | None = None
    bio: str | None = None
    custom: dict[str, Any] = {}
    #: Id of their team; None: in none.
    team: str | None = None


class UserRegistrationAbandoned(Event, frozen=True, kw_only=True):
    """The registration under this id never finished and never will: its name is free again."""


class UserProfileChanged(Event, frozen=True, kw_only=True):
    #: The new shown name; None: unchanged.
    name: str | None = None
    #: The whole new data map; None: unchanged.
    data: dict[str, str] | None = None
    #: The new address of a picture; empty: none any more; None: unchanged.
    avatar: str | None = None
    #: The new text; empty: none any more; None: unchanged.
    bio: str | None = None
    #: The whole new object; None: unchanged.
    custom: dict[str, Any] | None = None


class UserEmailChanged(Event, frozen=True, kw_only=True):
    #: The new e-mail address; None: none any more.
    email: str | None


class UserEmailAbandoned(Event, frozen=True, kw_only=True):
    """A change of the e-mail address that began before never happens: the address is somebody else's, or free."""

    #: The address in folded form, as in its handle.
    email: str


class UserPasswordChanged(Event, frozen=True, kw_only=True):
    #: Id of the new password hash in the vault, never the hash.
    credential: str
    #: Id of the one before, which the vault has no longer; None: there was none.
    was: str | None


class UserSeen(Event, frozen=True, kw_only=True):
    #: When the user's last connection ended.
    seen: Time


class UserVisualChosen(Event, frozen=True, kw_only=True):
    #: The visual that is linked from now on; None: none.
    visual: str | None


class UserAddedByChosen(Event, frozen=True, kw_only=True):
    #: Who may add the user to rooms at once; None: as the installation has it.
    added_by: AddedBy | None


class UserDeactivated(Event, frozen=True, kw_only=True):
    #: As whoever did it put it; only operators and the application's server are told.
    reason: str | None = None


class UserReactivated(Event, frozen=True, kw_only=True):
    """The user can do again what they could."""


class UserTokensRevoked(Event, frozen=True, kw_only=True):
    #: Tokens that were issued before are not good any more.
    before: Time


class UserTeamSet(Event, frozen=True, kw_only=True):
    #: Id of the team in which the user is from here on; None: in none.
    team: str | None


def keys(record: Record) -> tuple[Key, ...]:
    return (user_key(record.stream),)


def loaded_user(state: State, user: str) -> User | None:
    """The user in ``state``. Raises KeyError when the key was not loaded."""
    entity = state[user_key(user)]
    assert entity is None or isinstance(entity, User)
    return entity


def registered(record: Record[UserRegistered], state: State) -> Changes:
    event = record.data
    user = User(
        id=record.stream, app=record.app, username=event.username, name=event.name, role=event.role, state="registered",
        credential=event.credential, email=event.email, email_settled=record.offset, seen=None, visual=None,
        added_by=None, external=event.external, account=event.kind, team=event.team, avatar=event.avatar,
        bio=event.bio, data=event.data, custom=event.custom, deactivated=None, created=record.time, updated=record.time,
        version=record.offset,
    )  # fmt: skip
    return {user.key: user}


def abandoned(record: Record, state: State) -> Changes:
    user = User(
        id=record.stream, app=record.app, username="", name="", role="person", state="abandoned", credential=None,
        email=None, email_settled=record.offset, seen=None, visual=None, added_by=None, external=None,
        account="regular", team=None, avatar=None, bio=None, data={}, custom={}, deactivated=None,
        created=record.time, updated=record.time, version=record.offset,
    )  # fmt: skip
    return {user.key: user}


def changed(record: Record, state: State, **changes: object) -> Changes:
    """The stream's user with ``changes``, stamped with the record."""
    user = loaded_user(state, record.stream)
    if user is None:
        return {}
    return {user.key: replace(user, updated=record.time, version=record.offset, **changes)}


def noted(record: Record, state: State, **changes: object) -> Changes:
    """The same, where it is no change of the profile: ``updated`` stays."""
    user = loaded_user(state, record.stream)
    return {} if user is None else {user.key: replace(user, version=record.offset, **changes)}


def profile_changed(record: Record[UserProfileChanged], state: State) -> Changes:
    event = record.data
    changes: dict[str, object] = {}
    if event.name is not None:
        changes["name"] = event.name
    if event.data is not None:
        changes["data"] = event.data
    if event.avatar is not None:
        changes["avatar"] = event.avatar or None
    if event.bio is not None:
        changes["bio"] = event.bio or None
    if event.custom is not None:
        changes["custom"] = event.custom
    return changed(record, state, **changes)


def email_changed(record: Record[UserEmailChanged], state: State) -> Changes:
    event = record.data
    return changed(record, state, email=event.email, email_settled=record.offset)


def email_abandoned(record: Record, state: State) -> Changes:
    return noted(record, state, email_settled=record.offset)


def password_changed(record: Record[UserPasswordChanged], state: State) -> Changes:
    return noted(record, state, credential=record.data.credential)


def seen(record: Record[UserSeen], state: State) -> Changes:
    user = loaded_user(state, record.stream)
    if user is not None and user.seen is not None and user.seen >= record.data.seen:
        return {}
    return noted(record, state, seen=record.data.seen)


def visual_chosen(record: Record[UserVisualChosen], state: State) -> Changes:
    event = record.data
    return changed(record, state, visual=event.visual)


def added_by_chosen(record: Record[UserAddedByChosen], state: State) -> Changes:
    event = record.data
    return changed(record, state, added_by=event.added_by)


def deactivated(record: Record[UserDeactivated], state: State) -> Changes:
    return changed(record, state, deactivated=record.time)


def reactivated(record: Record[UserReactivated], state: State) -> Changes:
    return changed(record, state, deactivated=None)


def tokens_revoked(record: Record[UserTokensRevoked], state: State) -> Changes:
    return noted(record, state, tokens_before=record.data.before)


def team_set(record: Record[UserTeamSet], state: State) -> Changes:
    return changed(record, state, team=record.data.team)


#: Why it is not taken back.
_CLAIM = "the name or address may be another's by now"

ROWS = (
    EventType(
        name="user.registered", struct=UserRegistered, topics=("users",), keys=keys, fold=registered,
        about="A user exists from here on.", version=5,
        sample=UserRegistered(
            username="ada", name="Ada Lovelace", role="person",
            credential="019aa000-0000-7000-8000-000000000001", data={"city": "London"}, email="ada@example.org",
            external="u-17", avatar="https://example.org/ada.png", bio="Notes on an engine", custom={"plan": "gold"},
            team="019aa000-0000-7000-8000-000000000031",
        ),
        revert=NotRevertible("users stay; what they did is taken back"),
    ),
    EventType(
        name="user.registration_abandoned", struct=UserRegistrationAbandoned, topics=("users",), keys=keys,
        fold=abandoned, about="A registration that never finished was given up; its name is free again.",
        sample=UserRegistrationAbandoned(),
        revert=NotRevertible(_CLAIM),
    ),
    EventType(
        name="user.profile_changed", struct=UserProfileChanged, topics=("users",), keys=keys,
        fold=profile_changed, about="The shown name, the picture, the text, the data map or the object changed.",
        version=2,
        sample=UserProfileChanged(
            name="Countess Lovelace", data={"city": "Ockham"}, avatar="https://example.org/countess.png",
            bio="Poetical science", custom={"plan": "gold", "seats": 2},
        ),
        revert=RevertRule("user", ("name", "data", "avatar", "bio", "custom")),
    ),
    EventType(
        name="user.email_changed", struct=UserEmailChanged, topics=("users",), keys=keys, fold=email_changed,
        about="The user has another e-mail address, or none.", sample=UserEmailChanged(email="ada@example.net"),
        revert=NotRevertible(_CLAIM),
    ),
    EventType(
        name="user.email_abandoned", struct=UserEmailAbandoned, topics=("users",), keys=keys,
        fold=email_abandoned, about="A change of the e-mail address that never finished was given up.",
        sample=UserEmailAbandoned(email="ada@example.com"),
        revert=NotRevertible(_CLAIM),
    ),
    EventType(
        name="user.password_changed", struct=UserPasswordChanged, topics=("users",), keys=keys,
        fold=password_changed,
        about="The user has another password, set by themselves or (actor `operator`) for them. "
        "Sessions that end with it follow as `session.closed`.",
        sample=UserPasswordChanged(
            credential="019aa000-0000-7000-8000-000000000009", was="019aa000-0000-7000-8000-000000000001"
        ),
        revert=NotRevertible("it proves who somebody is"),
    ),
    EventType(
        name="user.seen", struct=UserSeen, topics=("users",), keys=keys, fold=seen,
        about="A visit ended: the user's last connection has gone.", sample=UserSeen(seen="2026-11-21T08:00:00.000Z"),
        revert=NotRevertible("it only says how far somebody has read, or been here"),
    ),
    EventType(
        name="user.visual_chosen", struct=UserVisualChosen, topics=("users",), keys=keys, fold=visual_chosen,
        about="The user linked a visual character, or none.",
        sample=UserVisualChosen(visual="019aa000-0000-7000-8000-000000000002"),
        revert=RevertRule("user", ("visual",)),
    ),
    EventType(
        name="user.added_by_chosen", struct=UserAddedByChosen, topics=("users",), keys=keys, fold=added_by_chosen,
        about="The user chose who may add them to rooms.", sample=UserAddedByChosen(added_by="contacts"),
        revert=RevertRule("user", ("added_by",)),
    ),
    EventType(
        name="user.deactivated", struct=UserDeactivated, topics=("users",), keys=keys, fold=deactivated,
        about="The user can do nothing from here on, and nobody can add them to rooms; what they have said stays. "
        "Their sessions end: they follow as `session.closed`.", sample=UserDeactivated(reason="Left the company"),
        revert=NotRevertible("`users.reactivate` does it"),
    ),
    EventType(
        name="user.reactivated", struct=UserReactivated, topics=("users",), keys=keys, fold=reactivated,
        about="The user can do again what they could before they were deactivated.", sample=UserReactivated(),
        revert=NotRevertible("`users.deactivate` does it"),
    ),
    EventType(
        name="user.tokens_revoked", struct=UserTokensRevoked, topics=("users",), keys=keys, fold=tokens_revoked,
        about="Tokens of the user that were issued before a time are not good any more. Sessions that were opened "
        "before it end: they follow as `session.closed`.",
        sample=UserTokensRevoked(before="2026-11-22T08:15:30.123Z"),
        revert=NotRevertible("who held such a token has been told"),
    ),
    EventType(
        name="user.team_set", struct=UserTeamSet, topics=("users",), keys=keys, fold=team_set,
        about="The user is in another team, or in none: they see rooms and people of that only. They leave the rooms "
        "of the one before: `member.left`.", sample=UserTeamSet(team="019aa000-0000-7000-8000-000000000031"),
        revert=NotRevertible("`users.set_team` does it"),
    ),
)  # fmt: skip
