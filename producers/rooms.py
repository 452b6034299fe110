"""Decisions about rooms: making, changing, archiving, deleting."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any

import msgspec

from events.core.faults import Fault, wrong
from events.core.free_json import same
from events.core.records import Event, Key, State
from events.invitations import invitation_key
from events.members import MemberJoined, Role, loaded_member, member_key
from events.rooms import (
    SETTERS,
    UNSAID,
    Room,
    RoomArchived,
    RoomCreated,
    RoomCustomChanged,
    RoomDataChanged,
    RoomDeleted,
    RoomDescribed,
    RoomRenamed,
    RoomRestored,
    RoomSettings,
    RoomSettingsChanged,
    RoomTopicLineSet,
    RoomType,
    RoomUnarchived,
    Who,
    loaded_room,
    room_key,
)
from producers import names
from producers.commands import CommandEnvelope, CommandType, Refused
from producers.invitations import invite, withdraw
from producers.limits import (
    Custom,
    CustomPatch,
    Data,
    DataPatch,
    Description,
    Id,
    Slug,
    TopicLine,
    composed,
    merged,
    patched,
)
from producers.plan_limits import FullLimit, beyond, reached
from producers.revertible import Revertible, RevertInRoom
from producers.roles import allow, room_and_member
from producers.streams import RoomCommand

#: Members that a room can be made with; more are added one by one.
INITIAL_MEMBERS = 200

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class SettingsPatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Settings that change; what is not named stays."""

    notifications: bool | None = None
    announcements: bool | None = None
    posting: Who | None = None
    inviting: Who | None = None


class CreateRoom(RoomCommand, frozen=True, kw_only=True):
    """Make a room with its first members. ``room`` is a slug, derived for a direct one, else an id of ours.

    That the members exist and do not block one another, and who may be added at once, is found out before, on the read
    model.
    """

    type: RoomType
    #: The name that ``room`` follows from; None: none was given.
    slug: Slug | None = None
    name: str
    description: Description | None = None
    topic_line: TopicLine | None = None
    settings: SettingsPatch = SettingsPatch()
    data: Data
    custom: Custom = {}
    #: The actor first, then the others, each once.
    members: Annotated[list[Id], msgspec.Meta(max_length=INITIAL_MEMBERS)]
    #: Team of the actor and of all others, as the read model knows it; None: they are in none.
    team: Id | None = None
    #: Those of the members who are not added by their own choice.
    unwilling: list[Id] = []
    #: Others, who do not let the actor add them.
    invited: Annotated[list[Id], msgspec.Meta(max_length=INITIAL_MEMBERS)] = []
    #: The limit of rooms, where the plan of the application allows no more; a direct room that is there may be opened.
    full: FullLimit | None = None
    #: Members that a room may have by the plan; None: as many as come.
    most: int | None = None


class ChangeRoom(RoomCommand, frozen=True, kw_only=True):
    name: str | None = None
    #: None: none from here on.
    description: Description | msgspec.UnsetType | None = msgspec.UNSET
    #: None: none from here on.
    topic_line: TopicLine | msgspec.UnsetType | None = msgspec.UNSET
    settings: SettingsPatch | None = None
    data: DataPatch | None = None
    custom: CustomPatch | None = None


class ArchiveRoom(RoomCommand, frozen=True, kw_only=True):
    """Let nobody write in a room any more."""


class UnarchiveRoom(RoomCommand, frozen=True, kw_only=True):
    """Take an archived room into use again."""


class DeleteRoom(RoomCommand, frozen=True, kw_only=True):
    """Make a room cease to exist to its members."""

    #: Who is invited, as the read model knows it: an invitation goes with its room.
    invited: list[Id] = []


class RestoreRoom(RoomCommand, frozen=True, kw_only=True):
    """Restore a deleted or archived room. For operators: it asks for no role in the room."""


def _created(envelope: CommandEnvelope[CreateRoom]) -> Sequence[Key]:
    command = envelope.command
    users = (*command.members, *command.invited)
    return (room_key(command.room), *_keys(command.room, users))


def _keys(room: str, users: Iterable[str]) -> Iterator[Key]:
    for user in users:
        yield member_key(room, user)
        yield invitation_key(room, user)


def _deleted(envelope: CommandEnvelope[DeleteRoom]) -> Sequence[Key]:
    command = envelope.command
    return (*room_and_member(envelope), *(invitation_key(command.room, user) for user in command.invited))


def _room(envelope: CommandEnvelope[RestoreRoom]) -> Sequence[Key]:
    return (room_key(envelope.command.room),)


def named(name: str) -> str:
    """A room's name as it is kept: in NFC, so that who types it finds it, whatever their keyboard composes.

    Raises Refused for what is no name (``names.check_name``), and for what has more than 100 characters once composed.
    """
    kept = composed(name)
    names.check_name("name", name)
    return kept


def _check_description(description: str | None) -> None:
    if description is not None:
        names.check_text("description", description)


def _check_topic_line(topic_line: str | None) -> None:
    if topic_line is not None:
        names.check_line("topic_line", topic_line)


def check_slug(slug: str) -> None:
    """Refuses an id that could be one of ours: the id of a direct room is known to whoever knows its two people.

    And one that an import would give its room, which nobody else takes before it.
    """
    if _UUID.fullmatch(slug):
        what = "one that is no UUID, as ids of that form are made by the server"
        raise Refused("invalid", errors=[wrong("/id", what, slug)])
    names.check_slug(slug)


def taken(id: str) -> Refused:
    """What is said of a room's id that is another's, by the name that was sent."""
    errors = [wrong("/id", "an unused room id", f"{id}, which exists")]
    return Refused("taken", f"expected an unused room id, {id} exists", errors=errors)


def changed_settings(settings: dict[str, Any], patch: SettingsPatch) -> dict[str, Any]:
    """All settings after a patch."""
    changes = {name: value for name, value in msgspec.to_builtins(patch).items() if value is not None}
    return {**msgspec.to_builtins(RoomSettings()), **settings, **changes}


def create(envelope: CommandEnvelope[CreateRoom], state: State) -> list[Event]:
    command = envelope.command
    if loaded_room(state, command.room) is not None:
        if command.type == "direct":
            return _return_to_direct(command, state)
        raise taken(command.slug or command.room)
    if command.full is not None:
        raise reached("rooms", command.full.most, command.full.used)
    if command.most is not None and len(command.members) > command.most:
        raise beyond("room_members", command.most, len(command.members))
    custom = merged({}, command.custom)
    if command.type == "direct":
        made = RoomCreated(
            type="direct", visibility="private", name=command.name, data=command.data, custom=custom,
            team=command.team,
        )  # fmt: skip
    else:
        name = named(command.name)
        _check_description(command.description)
        _check_topic_line(command.topic_line)
        made = RoomCreated(
            type="group", visibility=command.type, name=name, data=command.data,
            description=command.description, settings=changed_settings({}, command.settings), custom=custom,
            slug=command.slug, team=command.team,
        )  # fmt: skip
    events: list[Event] = [made]
    if command.topic_line is not None and command.type != "direct":
        events.append(RoomTopicLineSet(topic_line=command.topic_line))
    for user in command.members:
        owns = command.type != "direct" and user == envelope.actor
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


def change(envelope: CommandEnvelope[ChangeRoom], state: State) -> list[Event]:
    command = envelope.command
    room, _ = allow(envelope, state)
    events: list[Event] = []
    if room.type == "direct" and (faults := _more_than_data(command, room)):
        raise Refused("invalid", errors=faults)
    # As it stands there it is written back, also where today's rule would refuse it.
    if command.name is not None and command.name != room.name and (name := named(command.name)) != room.name:
        events.append(RoomRenamed(name=name))
    if command.description is not msgspec.UNSET and command.description != room.description:
        _check_description(command.description)
        events.append(RoomDescribed(description=command.description))
    if command.topic_line is not msgspec.UNSET and command.topic_line != room.topic_line:
        _check_topic_line(command.topic_line)
        events.append(RoomTopicLineSet(topic_line=command.topic_line))
    if command.settings is not None:
        settings = changed_settings(room.settings, command.settings)
        # An early room has none: what is meant by that is no change.
        if settings != changed_settings(room.settings, SettingsPatch()):
            events.append(RoomSettingsChanged(settings=settings))
    if command.data is not None and (data := patched(room.data, command.data)) != room.data:
        events.append(RoomDataChanged(data=data))
    if command.custom is not None and not same(custom := merged(room.custom, command.custom), room.custom):
        events.append(RoomCustomChanged(custom=custom))
    return events


def _more_than_data(command: ChangeRoom, room: Room) -> list[Fault]:
    """What it names beside what apps keep there, other than what is there."""
    settings = changed_settings(room.settings, command.settings or SettingsPatch())
    named = {
        "name": command.name not in (None, room.name),
        "description": command.description not in (msgspec.UNSET, room.description),
        "topic_line": command.topic_line not in (msgspec.UNSET, room.topic_line),
        "settings": settings != changed_settings(room.settings, SettingsPatch()),
    }
    what = "none, as a direct room has data and custom only"
    return [wrong(f"/{field}", what, "one that differs") for field, differs in named.items() if differs]


def archive(envelope: CommandEnvelope[ArchiveRoom], state: State) -> list[Event]:
    room, _ = allow(envelope, state)
    return [RoomArchived()] if room.state == "active" else []


def unarchive(envelope: CommandEnvelope[UnarchiveRoom], state: State) -> list[Event]:
    room, _ = allow(envelope, state)
    return [RoomUnarchived()] if room.state == "archived" else []


def delete(envelope: CommandEnvelope[DeleteRoom], state: State) -> list[Event]:
    allow(envelope, state)
    return [*withdraw(state, envelope.command.room, envelope.command.invited), RoomDeleted()]


def restore(envelope: CommandEnvelope[RestoreRoom], state: State) -> list[Event]:
    room = loaded_room(state, envelope.command.room)
    if room is None:
        raise Refused("not_found", f"expected a room, found none with id {envelope.command.room}")
    return [] if room.state == "active" else [RoomRestored()]


def _revert(command: RevertInRoom, state: State) -> list[Event]:
    was, room = command.was, loaded_room(state, command.room)
    found: list[Event] = [
        row.struct(**{field: was[field] if field in was else getattr(room, field) for field in row.sets})
        for row in SETTERS if was.keys() & set(row.sets)
    ]  # fmt: skip
    if "state" in was:
        if room is not None and room.type == "direct" and was["state"] == "deleted":
            raise Refused("conflict", "expected no direct room: the same two always get the same one")
        back = RoomUnarchived() if room is not None and room.state == "archived" else RoomRestored()
        found.append({"archived": RoomArchived(), "deleted": RoomDeleted()}.get(was["state"], back))
    return found


REVERTIBLE = Revertible(
    "room",
    frozenset({*UNSAID, "state"}),
    lambda c: (room_key(c.id),),
    _revert,
    absent={"state": "deleted"},
)


COMMANDS = (
    CommandType(CreateRoom, "rooms", lambda c: c.room, _created, create),
    CommandType(ChangeRoom, "rooms", lambda c: c.room, room_and_member, change),
    CommandType(ArchiveRoom, "rooms", lambda c: c.room, room_and_member, archive),
    CommandType(UnarchiveRoom, "rooms", lambda c: c.room, room_and_member, unarchive),
    CommandType(DeleteRoom, "rooms", lambda c: c.room, _deleted, delete),
    CommandType(RestoreRoom, "rooms", lambda c: c.room, _room, restore),
)
