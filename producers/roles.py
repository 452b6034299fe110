"""Who may do what in a room: the one table, command x role, and the check of an order against it. Pure."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from events.invitations import pending
from events.members import Member, loaded_member
from events.records import State
from events.rooms import Room, loaded_room, settings_of
from events.saying import Message
from producers.commands import Order, Refused


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
    #: On oneself: leaving.
    SELF = "oneself"
    #: While the room's setting ``posting`` is ``members``.
    POSTING = "if `posting` is `members`"
    #: While the room's setting ``inviting`` is ``members``.
    INVITING = "if `inviting` is `members`"
    #: Oneself, into a public room or by an invitation. To others the room does not exist.
    JOIN = "oneself, if public or invited"


class Row(NamedTuple):
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


_YES, _NO, _OWN = Rule.YES, Rule.NO, Rule.OWN

#: By the name of the command. What is not here is not about the inside of a room.
PERMISSIONS: dict[str, Row] = {
    #                           owner  admin  member         direct
    "PostMessage":          Row(_YES,  _YES,  Rule.POSTING,  _YES),
    "EditMessage":          Row(_OWN,  _OWN,  Rule.OWN_POSTING, _OWN),
    "DeleteMessage":        Row(_YES,  _YES,  _OWN,          _OWN),
    "MarkRead":             Row(_YES,  _YES,  _YES,          _YES, archived=True),
    "SetNotifications":     Row(_YES,  _YES,  _YES,          _YES, archived=True),
    "AddMember":            Row(_YES,  _YES,  Rule.INVITING, _NO, outsider=Rule.JOIN),
    "RemoveMember":         Row(Rule.BELOW, Rule.BELOW, Rule.SELF, Rule.SELF, archived=True, deleted=True),
    "ChangeRole":           Row(_YES,  _NO,   _NO,           _NO),
    "TransferOwnership":    Row(_YES,  _NO,   _NO,           _NO),
    "ChangeRoom":           Row(_YES,  _YES,  _NO,           _YES),
    "ArchiveRoom":          Row(_YES,  _NO,   _NO,           _NO, archived=True),
    "UnarchiveRoom":        Row(_YES,  _NO,   _NO,           _NO, archived=True),
    "DeleteRoom":           Row(_YES,  _NO,   _NO,           _NO, archived=True),
}  # fmt: skip

_RANK = {"member": 0, "admin": 1, "owner": 2}


class Allowed(NamedTuple):
    """The room, and the member who asks; None for an outsider who may."""

    room: Room
    member: Member | None


def missing(room: str) -> Refused:
    """What everybody is told of a room that is not there, or not for them."""
    return Refused("not_found", f"expected a room that you are in, found none with id {room}")


def allow(order: Order, state: State, *, message: Message | None = None, user: str | None = None) -> Allowed:
    """The room and the acting member, if the table allows the order; ``message`` or ``user`` is what it is done to.

    Refuses with ``not_found`` who is not in the room, with ``archived`` what an archived room does not take, and with
    ``forbidden`` what the role does not allow.
    """
    name = type(order.command).__name__
    row, id = PERMISSIONS[name], order.command.room
    room = loaded_room(state, id)
    if room is None or (room.state == "deleted" and not (row.deleted and user == order.actor)):
        raise missing(id)
    member = loaded_member(state, id, order.actor)
    if member is None:
        if row.outsider is Rule.JOIN and user == order.actor and _may_come(state, room, user):
            _open(room, row)
            return Allowed(room, None)
        raise missing(id)
    role = "direct" if room.type == "direct" else member.role
    rule: Rule = getattr(row, role)
    if not _holds(rule, order, state, room, member, message, user):
        raise Refused("forbidden", _expected(row, role, rule, room))
    _open(room, row)
    return Allowed(room, member)


def _may_come(state: State, room: Room, user: str) -> bool:
    return room.type == "public" or pending(state, room.id, user) is not None


def _open(room: Room, row: Row) -> None:
    if room.state == "archived" and not row.archived:
        raise Refused("archived", f"expected a room in use; {room.id} is archived: it can be read and left")


def _holds(
    rule: Rule, order: Order, state: State, room: Room, member: Member, message: Message | None, user: str | None
) -> bool:
    match rule:
        case Rule.OWN:
            return message is None or message.author == order.actor
        case Rule.OWN_POSTING:
            own = message is None or message.author == order.actor
            return own and settings_of(room.settings).posting == "members"
        case Rule.SELF:
            return user == order.actor
        case Rule.BELOW:
            other = None if user is None else loaded_member(state, room.id, user)
            return user == order.actor or other is None or _RANK[other.role] < _RANK[member.role]
        case Rule.POSTING:
            return settings_of(room.settings).posting == "members"
        case Rule.INVITING:
            return settings_of(room.settings).inviting == "members"
    return rule is Rule.YES


def _expected(row: Row, role: str, rule: Rule, room: Room) -> str:
    """Who may, and who asks."""
    if role == "direct":
        return f"a direct room is for its two people alike; allowed here: {rule.value}"
    who = ", ".join(f"{name}: {getattr(row, name).value}" for name in ("owner", "admin", "member"))
    return f"expected a role that may ({who}); you are {role}"
