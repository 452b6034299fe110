"""Decisions about rooms: making, changing, archiving, deleting."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any

import msgspec

from events.invitations import invitation_key
from events.members import MemberJoined, Role, loaded_member, member_key
from events.records import Event, Key, State
from events.rooms import (
    Room,
    RoomArchived,
    RoomCreated,
    RoomDataChanged,
    RoomDeleted,
    RoomDescribed,
    RoomRenamed,
    RoomRestored,
    RoomSettings,
    RoomSettingsChanged,
    RoomType,
    RoomUnarchived,
    Who,
    loaded_room,
    room_key,
)
from producers import names
from producers.commands import Command, CommandType, Order, Refused
from producers.invitations import invite, withdraw
from producers.limits import Data, DataPatch, Description, Id, patched
from producers.roles import allow

#: Members that a room can be made with; more are added one by one.
INITIAL_MEMBERS = 200

#: Signs in a room's name beside letters, marks and digits; joiners are part of words in Persian and Indic scripts.
_SIGNS = frozenset(" -_.'&#\u200c\u200d")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class SettingsPatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Settings that change; what is not named stays."""

    notifications: bool | None = None
    announcements: bool | None = None
    posting: Who | None = None
    inviting: Who | None = None


class CreateRoom(Command, frozen=True, kw_only=True):
    """Make a room with its first members. ``room`` is a slug, derived for a direct one, else an id of ours.

    That the members exist and do not block one another, and who may be added at once, is found out before, on the read
    model.
    """

    room: Id
    type: RoomType
    name: Annotated[str, msgspec.Meta(max_length=100)]
    description: Description | None = None
    settings: SettingsPatch = SettingsPatch()
    data: Data
    #: The actor first, then the others, each once.
    members: Annotated[list[Id], msgspec.Meta(max_length=INITIAL_MEMBERS)]
    #: Those of the members who are not added by their own will.
    unwilling: list[Id] = []
    #: Others, who do not let the actor add them.
    invited: Annotated[list[Id], msgspec.Meta(max_length=INITIAL_MEMBERS)] = []


class ChangeRoom(Command, frozen=True, kw_only=True):
    room: Id
    name: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    #: None: none from here on.
    description: Description | msgspec.UnsetType | None = msgspec.UNSET
    settings: SettingsPatch | None = None
    data: DataPatch | None = None


class ArchiveRoom(Command, frozen=True, kw_only=True):
    room: Id


class UnarchiveRoom(Command, frozen=True, kw_only=True):
    room: Id


class DeleteRoom(Command, frozen=True, kw_only=True):
    """Make a room cease to exist to its members."""

    room: Id
    #: Who is invited, as the read model knows it: an invitation goes with its room.
    invited: list[Id] = []


class RestoreRoom(Command, frozen=True, kw_only=True):
    """Bring a deleted or archived room back. For operators: it asks for no role in the room."""

    room: Id


def _created(order: Order) -> Sequence[Key]:
    command: CreateRoom = order.command
    users = (*command.members, *command.invited)
    return (room_key(command.room), *_keys(command.room, users))


def _keys(room: str, users: Iterable[str]) -> Iterator[Key]:
    for user in users:
        yield member_key(room, user)
        yield invitation_key(room, user)


def _deleted(order: Order) -> Sequence[Key]:
    command: DeleteRoom = order.command
    return (*_own(order), *(invitation_key(command.room, user) for user in command.invited))


def _own(order: Order) -> Sequence[Key]:
    return (room_key(order.command.room), member_key(order.command.room, order.actor))


def _room(order: Order) -> Sequence[Key]:
    return (room_key(order.command.room),)


def check_name(name: str) -> None:
    """Refuses a room's name that S2 does not allow: 1-100 characters, no special ones, in any script."""
    strange = [c for c in name if c not in _SIGNS and unicodedata.category(c)[0] not in "LMN"]
    if strange:
        raise Refused(
            "invalid",
            f"name: expected letters, digits, spaces and - _ . ' & #, got {strange[0]!r} (U+{ord(strange[0]):04X})",
        )
    if not 1 <= len(name) <= 100 or name != name.strip() or not any(unicodedata.category(c)[0] in "LN" for c in name):
        raise Refused("invalid", "name: expected 1-100 characters, a letter or digit among them, no space at the ends")
    # Some letters are blank, and marks pile up.
    names.check_name("name", name)


def _check_description(description: str | None) -> None:
    if description is not None:
        names.check_text("description", description)


def check_slug(slug: str) -> None:
    """Refuses an id that could be one of ours: the id of a direct room is known to whoever knows its two people.

    And one that an import would give its room, which nobody else takes before it.
    """
    if _UUID.fullmatch(slug):
        raise Refused("invalid", "id: expected a slug that is no UUID; ids of that form are made by the server")
    names.check_slug(slug)


def changed_settings(settings: dict[str, Any], patch: SettingsPatch) -> dict[str, Any]:
    """All settings after a patch."""
    changes = {name: value for name, value in msgspec.to_builtins(patch).items() if value is not None}
    return {**msgspec.to_builtins(RoomSettings()), **settings, **changes}


def create(order: Order, state: State) -> list[Event]:
    command: CreateRoom = order.command
    if loaded_room(state, command.room) is not None:
        if command.type == "direct":
            return _return_to_direct(command, state)
        raise Refused("taken", f"expected an unused room id, {command.room} exists")
    if command.type == "direct":
        made = RoomCreated(type="direct", visibility="private", name=command.name, data=command.data)
    else:
        check_name(command.name)
        _check_description(command.description)
        made = RoomCreated(
            type="group", visibility=command.type, name=command.name, data=command.data,
            description=command.description, settings=changed_settings({}, command.settings),
        )  # fmt: skip
    events: list[Event] = [made]
    for user in command.members:
        owns = command.type != "direct" and user == order.actor
        events.append(_join(command, user, "owner" if owns else "member"))
    return events + invite(state, command.room, command.invited)


def _join(command: CreateRoom, user: str, role: Role) -> MemberJoined:
    return MemberJoined(user=user, role=role, willing=user not in command.unwilling)


def _return_to_direct(command: CreateRoom, state: State) -> list[Event]:
    """The same two always get the same room; who left it is let in again, or invited. Who is invited accepts by it."""
    joined: list[Event] = [
        _join(command, user, "member") for user in command.members if loaded_member(state, command.room, user) is None
    ]
    return joined + invite(state, command.room, command.invited)


def change(order: Order, state: State) -> list[Event]:
    command: ChangeRoom = order.command
    room, _ = allow(order, state)
    events: list[Event] = []
    if room.type == "direct" and _more_than_data(command, room):
        raise Refused("invalid", "a direct room has a data map only; expected no name, description and settings")
    if command.name is not None and command.name != room.name:
        check_name(command.name)
        events.append(RoomRenamed(name=command.name))
    if command.description is not msgspec.UNSET and command.description != room.description:
        _check_description(command.description)
        events.append(RoomDescribed(description=command.description))
    if command.settings is not None:
        settings = changed_settings(room.settings, command.settings)
        # An early room has none: what is meant by that is no change.
        if settings != changed_settings(room.settings, SettingsPatch()):
            events.append(RoomSettingsChanged(settings=settings))
    if command.data is not None and (data := patched(room.data, command.data)) != room.data:
        events.append(RoomDataChanged(data=data))
    return events


def _more_than_data(command: ChangeRoom, room: Room) -> bool:
    """Whether it names more than the data map, other than what is there."""
    settings = command.settings or SettingsPatch()
    return (
        command.name not in (None, room.name)
        or command.description not in (msgspec.UNSET, room.description)
        or changed_settings(room.settings, settings) != changed_settings(room.settings, SettingsPatch())
    )


def archive(order: Order, state: State) -> list[Event]:
    room, _ = allow(order, state)
    return [RoomArchived()] if room.state == "active" else []


def unarchive(order: Order, state: State) -> list[Event]:
    room, _ = allow(order, state)
    return [RoomUnarchived()] if room.state == "archived" else []


def delete(order: Order, state: State) -> list[Event]:
    allow(order, state)
    return [*withdraw(state, order.command.room, order.command.invited), RoomDeleted()]


def restore(order: Order, state: State) -> list[Event]:
    room: Room | None = loaded_room(state, order.command.room)
    if room is None:
        raise Refused("not_found", f"expected a room, found none with id {order.command.room}")
    return [] if room.state == "active" else [RoomRestored()]


COMMANDS = (
    CommandType(CreateRoom, "rooms", lambda c: c.room, _created, create),
    CommandType(ChangeRoom, "rooms", lambda c: c.room, _own, change),
    CommandType(ArchiveRoom, "rooms", lambda c: c.room, _own, archive),
    CommandType(UnarchiveRoom, "rooms", lambda c: c.room, _own, unarchive),
    CommandType(DeleteRoom, "rooms", lambda c: c.room, _deleted, delete),
    CommandType(RestoreRoom, "rooms", lambda c: c.room, _room, restore),
)
