"""Decisions about users: registration, profile, e-mail address, last seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import msgspec

from events.core.clock import Time, after
from events.core.faults import found, wrong
from events.core.free_json import same
from events.core.records import Event, Key, State
from events.handles import email_handle, handle_parts
from events.sessions import SessionOpened, session_key
from events.users import (
    Account,
    AddedBy,
    Kind,
    User,
    UserAddedByChosen,
    UserEmailAbandoned,
    UserEmailChanged,
    UserProfileChanged,
    UserRegistered,
    UserRegistrationAbandoned,
    UserSeen,
    UserVisualChosen,
    loaded_user,
    user_key,
)
from producers.commands import CommandEnvelope, CommandType, Refused
from producers.emails import Email, kept
from producers.limits import (
    Avatar,
    Bio,
    Custom,
    CustomPatch,
    Data,
    DataPatch,
    ExternalId,
    Id,
    ShownName,
    Username,
    merged,
    patched,
)
from producers.names import check_name, check_text, check_username
from producers.revertible import Revertible, RevertOfUser
from producers.streams import UserCommand

#: What a service account may do beside what users may: named by the rows of operations that only services use.
Scope = Literal["emotions:write", "sessions:issue", "channels:serve"]


class RegisterUser(UserCommand, frozen=True, kw_only=True):
    """Make a user, whose name and e-mail address have been claimed before, and log them in."""

    #: None: they have none.
    username: Username | None
    name: ShownName
    role: Kind = "person"
    credential: Id | None = None
    data: Data = {}
    email: Email | None = None
    #: Who may add the user to rooms; None: not chosen.
    added_by: AddedBy | None = None
    #: Of a service account.
    scopes: list[Scope] = []
    #: What their application calls them; None: they registered themselves.
    external: ExternalId | None = None
    kind: Account = "regular"
    avatar: Avatar | None = None
    bio: Bio | None = None
    custom: Custom = {}
    #: Id of their team; None: in none.
    team: Id | None = None
    #: Version of the registration under this id that was given up before the claims of this one; -1: there was none.
    since: int = -1
    #: When the first session ends; None opens none (imported and service users).
    expires: Time | None = None
    #: Whether it ends only after a time without use.
    sliding: bool = False


class AbandonRegistration(UserCommand, frozen=True, kw_only=True):
    """Make sure that a registration which never finished never will."""


class EmailChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another e-mail address, which has been claimed before, or none."""

    address: Email | None
    #: The user's ``email_settled`` before the claim: whoever settles the address meanwhile makes this change void.
    since: int
    #: The credential whose password has been verified.
    credential: Id | None


class ChangeProfile(UserCommand, frozen=True, kw_only=True):
    name: ShownName | None = None
    data: DataPatch | None = None
    #: None: none any more.
    avatar: Avatar | msgspec.UnsetType | None = msgspec.UNSET
    #: None: none any more.
    bio: Bio | msgspec.UnsetType | None = msgspec.UNSET
    custom: CustomPatch | None = None
    #: Whether ``data`` and ``custom`` are the whole new ones, and not patches.
    whole: bool = False
    #: None: the address stays.
    email: EmailChange | None = None
    #: Who may add the user to rooms; None: as the installation has it.
    added_by: AddedBy | msgspec.UnsetType | None = msgspec.UNSET


class AbandonEmail(UserCommand, frozen=True, kw_only=True):
    """Make sure that a change to this address which did not happen yet never will, so that its claim can go."""

    handle: str


class NoteSeen(UserCommand, frozen=True, kw_only=True):
    """Note the end of a visit: the user's last connection ended at ``seen``. Given by the system, once a visit."""

    seen: Time


class ChooseVisual(UserCommand, frozen=True, kw_only=True):
    visual: Id | None


#: A visit that ends within this many seconds of what is noted makes no event: somebody reloads a page, or flaps.
SEEN_SECONDS = 60.0
#: Entries of the data map that only events of ours write.
RESERVED = frozenset({"last_login"})


def unreserved(data: Mapping[str, str | None], there: Mapping[str, str] = MappingProxyType({})) -> None:
    """Refuses entries that are ours, unless they say what is there: who writes back what was read changes nothing."""
    for name in sorted(RESERVED.intersection(data)):
        if name not in there or data[name] != there[name]:
            what = "none, or what is there: it is written by the system"
            raise Refused("invalid", errors=[wrong(f"/data/{name}", what, found(data[name]))])


def present(state: State, user: str) -> User:
    """The registered user in ``state``. Refuses with ``not_found``."""
    found = loaded_user(state, user)
    if found is None or found.state != "registered":
        raise Refused("not_found", f"expected a registered user, found none with id {user}")
    return found


def active(state: State, user: str) -> User:
    """The same, who is not deactivated. Refuses with ``forbidden``."""
    found = present(state, user)
    if found.deactivated is not None:
        raise Refused("forbidden", f"expected an account in use, got one that is deactivated since {found.deactivated}")
    return found


def unerased(state: State, user: str) -> User:
    """The registered user, who is not erased. Refuses with ``erased``."""
    found = present(state, user)
    if found.erased is not None:
        raise Refused("erased", f"expected an account, got one that was erased at {found.erased}, for good")
    return found


def _own(envelope: CommandEnvelope[UserCommand]) -> Sequence[Key]:
    return (user_key(envelope.command.user),)


def _registration(envelope: CommandEnvelope[RegisterUser]) -> Sequence[Key]:
    return (user_key(envelope.command.user), session_key(envelope.command.user, envelope.id))


def register(envelope: CommandEnvelope[RegisterUser], state: State) -> list[Event]:
    command = envelope.command
    found = loaded_user(state, command.user)
    if command.external is not None and command.since != (-1 if found is None else found.version):
        raise Refused("outrun", "expected no other registration of the user since this one began; there was one")
    if found is not None and (command.external is None or found.state == "registered"):
        raise Refused("taken", f"expected an unused user id, got one that is {found.state}; register again")
    if command.username is not None:
        check_username(command.username, by_operator=True)
    check_name("name", command.name)
    if command.bio is not None:
        check_text("bio", command.bio)
    unreserved(command.data)
    if command.scopes and command.role != "service":
        raise Refused("invalid", errors=[wrong("/scopes", f"none of a {command.role}", ", ".join(command.scopes))])
    events: list[Event] = [
        UserRegistered(
            username=command.username or "", name=command.name, role=command.role, credential=command.credential,
            data=command.data, email=None if command.email is None else kept(command.email),
            scopes=sorted(set(command.scopes)) if command.role == "service" else None,
            external=command.external, kind=command.kind, avatar=command.avatar, bio=command.bio,
            custom=merged({}, command.custom), team=command.team,
        )
    ]  # fmt: skip
    if command.added_by is not None:
        events.append(UserAddedByChosen(added_by=command.added_by))
    if command.expires is not None:
        events.append(SessionOpened(session=envelope.id, expires=command.expires, sliding=command.sliding))
    return events


def abandon(envelope: CommandEnvelope[AbandonRegistration], state: State) -> list[Event]:
    found = loaded_user(state, envelope.command.user)
    if found is None:
        return [UserRegistrationAbandoned()]
    if found.state == "registered":
        raise Refused("registered", f"expected a registration that never finished; {found.id} is registered")
    return []


def change_profile(envelope: CommandEnvelope[ChangeProfile], state: State) -> list[Event]:
    command = envelope.command
    user = present(state, command.user)
    name = command.name if command.name != user.name else None
    if name is not None:
        check_name("name", name)
    unreserved(command.data or {}, user.data)
    data = None if command.data is None else patched({} if command.whole else user.data, command.data)
    if data is not None and command.whole:
        data |= {name: value for name, value in user.data.items() if name in RESERVED}
    custom = None if command.custom is None else merged({} if command.whole else user.custom, command.custom)
    if isinstance(command.bio, str):
        check_text("bio", command.bio)
    events: list[Event] = profile_events(user, name, data, command.avatar, command.bio, custom)
    # A command that changes nothing asks what there is.
    if events or command.email is not None or command.added_by is not msgspec.UNSET:
        unerased(state, command.user)
    if command.added_by is not msgspec.UNSET and command.added_by != user.added_by:
        events.append(UserAddedByChosen(added_by=command.added_by))
    return events if command.email is None else events + _email_changed(user, command.email)


def profile_events(
    user: User, name: str | None, data: dict[str, str] | None, avatar: str | msgspec.UnsetType | None,
    bio: str | msgspec.UnsetType | None, custom: dict[str, Any] | None,
) -> list[Event]:  # fmt: skip
    """What changes of a profile: the whole of each part as it is to be; none where nothing does."""
    event = UserProfileChanged(
        name=None if name == user.name else name,
        data=None if data == user.data else data,
        avatar=None if avatar is msgspec.UNSET or avatar == user.avatar else avatar or "",
        bio=None if bio is msgspec.UNSET or bio == user.bio else bio or "",
        custom=None if custom is None or same(custom, user.custom) else custom,
    )
    return [] if event == UserProfileChanged() else [event]


def _email_changed(user: User, change: EmailChange) -> list[Event]:
    if user.credential != change.credential:
        # The password was changed between its verification and this decision.
        errors = [wrong("/password", "the account's current password", "another")]
        raise Refused("forbidden", "expected the account's current password, got another", errors=errors)
    if user.email_settled != change.since:
        raise Refused("outrun", "expected no other change of the e-mail address since this one began; there was one")
    address = None if change.address is None else kept(change.address)
    return [] if address == user.email else [UserEmailChanged(email=address)]


def abandon_email(envelope: CommandEnvelope[AbandonEmail], state: State) -> list[Event]:
    command = envelope.command
    user = loaded_user(state, command.user)
    if user is None or (user.email is not None and email_handle(user.email, user.app) == command.handle):
        raise Refused("held", f"expected an address that is not the user's; {command.handle} is, or may become so")
    if user.state == "abandoned":
        return []
    return [UserEmailAbandoned(email=handle_parts(command.handle).name)]


def note_seen(envelope: CommandEnvelope[NoteSeen], state: State) -> list[Event]:
    command = envelope.command
    user = present(state, command.user)
    if command.seen > envelope.time:
        raise Refused("invalid", errors=[wrong("/seen", f"a moment until {envelope.time}", command.seen)])
    if user.erased is not None:
        # The end of the visit in which they went.
        return []
    if user.seen is not None and command.seen < after(user.seen, SEEN_SECONDS):
        return []
    return [UserSeen(seen=command.seen)]


def choose_visual(envelope: CommandEnvelope[ChooseVisual], state: State) -> list[Event]:
    user = unerased(state, envelope.command.user)
    return [] if user.visual == envelope.command.visual else [UserVisualChosen(visual=envelope.command.visual)]


def _own_data(user: User) -> dict[str, str]:
    """The data map without what the system keeps there."""
    return {name: value for name, value in user.data.items() if name not in RESERVED}


#: What ``user.profile_changed`` sets.
_PROFILE = frozenset({"name", "data", "avatar", "bio", "custom"})


def _revert(command: RevertOfUser, state: State) -> list[Event]:
    user = state[user_key(command.user)]
    if not isinstance(user, User) or user.state != "registered":
        raise Refused("not_found", f"expected a registered user, found none with id {command.user}")
    if user.erased is not None:
        raise Refused("conflict", f"expected an account, got one that was erased at {user.erased}, for good")
    profile = {name: value for name, value in command.was.items() if name in _PROFILE}
    # Of an event's texts None is what stays.
    profile |= {name: "" for name in ("avatar", "bio") if name in profile and profile[name] is None}
    if "data" in profile:
        profile["data"] |= {name: value for name, value in user.data.items() if name in RESERVED}
    found: list[Event] = [UserProfileChanged(**profile)] if profile else []
    found += [UserVisualChosen(visual=command.was["visual"])] if "visual" in command.was else []
    return [*found, UserAddedByChosen(added_by=command.was["added_by"])] if "added_by" in command.was else found


REVERTIBLE = Revertible(
    "user",
    _PROFILE | {"visual", "added_by"},
    lambda c: (user_key(c.id),),
    _revert,
    shown=lambda user: {"data": _own_data(user)},
)


COMMANDS = (
    CommandType(RegisterUser, "users", lambda c: c.user, _registration, register),
    CommandType(AbandonRegistration, "users", lambda c: c.user, _own, abandon),
    CommandType(ChangeProfile, "users", lambda c: c.user, _own, change_profile),
    CommandType(AbandonEmail, "users", lambda c: c.user, _own, abandon_email),
    CommandType(NoteSeen, "users", lambda c: c.user, _own, note_seen),
    CommandType(ChooseVisual, "users", lambda c: c.user, _own, choose_visual),
)
