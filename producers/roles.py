"""Who may do what in a room: the one table, command x role, and the check of an order against it. Pure."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from events.core.records import Key, State
from events.invitations import pending
from events.members import Member, loaded_member, member_key
from events.message_entity import Message
from events.rooms import Room, loaded_room, room_key, settings_of
from producers.commands import CommandEnvelope, Refused
from producers.streams import RoomCommand


class Rule(Enum):
    """One cell of the table; the value is how the reference shows it."""

    YES = "yes"
    NO = "no"
    #: On one's own messages.
    OWN = "own messages"
    #: The same, while ``posting`` is ``members``: who may not post does not say something new by an old message either.
    OWN_POSTING = "own messages, if `posting` is `members`"
    #: On oneself, and on members of a lower role.
    BELOW = "lower roles"
    #: On oneself: leaving, one's own custom object.
    SELF = "oneself"
    #: While the room's setting ``posting`` is ``members``.
    POSTING = "if `posting` is `members`"
    #: While the room's setting ``inviting`` is ``members``.
    INVITING = "if `inviting` is `members`"
    #: Oneself, into a public room or by an invitation. To others the room does not exist.
    JOIN = "oneself, if public or invited"


class PermissionRow(NamedTuple):
    """One command: the rule for each role, for the two of a direct room, and for those who are not in the room."""

    owner: Rule
    admin: Rule
    member: Rule
    direct: Rule
    outsider: Rule = Rule.NO
    #: Whether it may be done while the room is archived.
    archived: bool = False
    #: Whether one may do it to oneself after the room was deleted.
    deleted: bool = False
    #: Whether an application's own server may do it for anybody, whatever their role, in the room or not; else it may
    #: do what they may.
    server: bool = False


_YES, _NO, _OWN = Rule.YES, Rule.NO, Rule.OWN

#: By the name of the command. What is not here is not about the inside of a room.
PERMISSIONS: dict[str, PermissionRow] = {
    #                           owner  admin  member         direct
    "PostMessage":          PermissionRow(_YES,  _YES,  Rule.POSTING,  _YES, server=True),
    "EditMessage":          PermissionRow(_OWN,  _OWN,  Rule.OWN_POSTING, _OWN, server=True),
    "DeleteMessage":        PermissionRow(_YES,  _YES,  _OWN,          _OWN, server=True),
    "PinMessage":           PermissionRow(_YES,  _YES,  _NO,           _YES, server=True),
    "UnpinMessage":         PermissionRow(_YES,  _YES,  _NO,           _YES, server=True),
    "MarkRead":             PermissionRow(_YES,  _YES,  _YES,          _YES, archived=True),
    "SetNotifications":     PermissionRow(_YES,  _YES,  _YES,          _YES, archived=True),
    "ChangeMember":         PermissionRow(_YES,  _YES,  Rule.SELF,     Rule.SELF, server=True),
    "AddMember":            PermissionRow(_YES,  _YES,  Rule.INVITING, _NO, outsider=Rule.JOIN, server=True),
    "RemoveMember":         PermissionRow(
        Rule.BELOW, Rule.BELOW, Rule.SELF, Rule.SELF, archived=True, deleted=True, server=True),
    "ChangeRole":           PermissionRow(_YES,  _NO,   _NO,           _NO, server=True),
    "TransferOwnership":    PermissionRow(_YES,  _NO,   _NO,           _NO),
    "ChangeRoom":           PermissionRow(_YES,  _YES,  _NO,           _YES, server=True),
    "ArchiveRoom":          PermissionRow(_YES,  _NO,   _NO,           _NO, archived=True, server=True),
    "UnarchiveRoom":        PermissionRow(_YES,  _NO,   _NO,           _NO, archived=True, server=True),
    "DeleteRoom":           PermissionRow(_YES,  _NO,   _NO,           _NO, archived=True, server=True),
}  # fmt: skip

_RANK = {"member": 0, "admin": 1, "owner": 2}


class Allowed(NamedTuple):
    """The room, and the member who asks; None for an outsider who may."""

    room: Room
    member: Member | None


def room_and_member(envelope: CommandEnvelope[RoomCommand]) -> tuple[Key, Key]:
    """What ``allow`` reads: the keys of the room and of the member who asks."""
    return (room_key(envelope.command.room), member_key(envelope.command.room, envelope.actor))


def missing(room: str) -> Refused:
    """What everybody is told of a room that is not there, or not for them."""
    return Refused("not_found", f"expected a room that you are in, found none with id {room}")


def missing_message(id: str) -> Refused:
    """The same of a message that is not in the room."""
    return Refused("not_found", f"expected a message of the room, found none with id {id}")


def allow(
    envelope: CommandEnvelope[RoomCommand], state: State, *, message: Message | None = None, user: str | None = None
) -> Allowed:
    """The room and the acting member, if the table allows the order; ``message`` or ``user`` is what it is done to.

    Refuses with ``not_found`` who is not in the room, with ``archived`` what an archived room does not take, and with
    ``forbidden`` what the role does not allow.
    """
    name = type(envelope.command).__name__
    row, id = PERMISSIONS[name], envelope.command.room
    room = loaded_room(state, id)
    if room is None or (room.state == "deleted" and not (row.deleted and user == envelope.actor)):
        raise missing(id)
    member = loaded_member(state, id, envelope.actor)
    if envelope.via == "app" and row.server:
        if room.type == "direct" and row.direct is Rule.NO:
            raise Refused("forbidden", _expected(row, "direct", row.direct, room))
        _open(room, row)
        return Allowed(room, member)
    if member is None:
        if row.outsider is Rule.JOIN and user == envelope.actor and _may_come(state, room, user):
            _open(room, row)
            return Allowed(room, None)
        raise missing(id)
    role = "direct" if room.type == "direct" else member.role
    rule: Rule = getattr(row, role)
    if not _holds(rule, envelope, state, room, member, message, user):
        raise Refused("forbidden", _expected(row, role, rule, room))
    _open(room, row)
    return Allowed(room, member)


def _may_come(state: State, room: Room, user: str) -> bool:
    return room.type == "public" or pending(state, room.id, user) is not None


def _open(room: Room, row: PermissionRow) -> None:
    if room.state == "archived" and not row.archived:
        raise Refused("archived", f"expected a room in use; {room.id} is archived: it can be read and left")


def _holds(
    rule: Rule,
    envelope: CommandEnvelope,
    state: State,
    room: Room,
    member: Member,
    message: Message | None,
    user: str | None,
) -> bool:
    match rule:
        case Rule.OWN:
            return message is None or message.author == envelope.actor
        case Rule.OWN_POSTING:
            own = message is None or message.author == envelope.actor
            return own and settings_of(room.settings).posting == "members"
        case Rule.SELF:
            return user == envelope.actor
        case Rule.BELOW:
            other = None if user is None else loaded_member(state, room.id, user)
            return user == envelope.actor or other is None or _RANK[other.role] < _RANK[member.role]
        case Rule.POSTING:
            return settings_of(room.settings).posting == "members"
        case Rule.INVITING:
            return settings_of(room.settings).inviting == "members"
    return rule is Rule.YES


def _expected(row: PermissionRow, role: str, rule: Rule, room: Room) -> str:
    """Who may, and who asks."""
    if role == "direct":
        if rule is Rule.NO:
            return "expected a room of several people; in a direct one neither of the two may do this"
        return f"expected {rule.value}; in a direct room each of the two may do this to no other"
    who = ", ".join(f"{name}: {getattr(row, name).value}" for name in ("owner", "admin", "member"))
    return f"expected a role that may ({who}); you are {role}"
