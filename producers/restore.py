"""Decisions about taking back: fields of an entity set to what they were, unless somebody has changed them since.

For operators: these commands ask for no role in the room. What they make are ordinary events beside those that are
taken back; nothing is announced. The keys of ``was`` and ``became`` are the fields of ``FIELDS``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from events.free import same
from events.invitations import Invitation, InvitationWithdrawn, invitation_key
from events.members import (
    Member,
    MemberJoined,
    MemberLeft,
    MemberNotificationsSet,
    MemberRoleChanged,
    loaded_member,
    member_key,
)
from events.messages import Message, MessageDeleted, MessageEdited, MessageRestored, loaded_message, message_key
from events.records import Entity, Event, Key, State
from events.relationships import Relationship, RelationshipSet, relationship_key
from events.rooms import (
    Room,
    RoomArchived,
    RoomDataChanged,
    RoomDeleted,
    RoomDescribed,
    RoomRenamed,
    RoomRestored,
    RoomSettingsChanged,
    RoomUnarchived,
    loaded_room,
    room_key,
)
from events.users import User, UserAddedByChosen, UserProfileChanged, UserVisualChosen, user_key
from events.visuals import Visual, VisualChanged, visual_key
from producers.commands import Command, CommandType, Order, Refused
from producers.limits import Id, Object
from producers.users import RESERVED

#: Fields of each kind of entity that can be set back.
FIELDS: dict[str, frozenset[str]] = {
    "room": frozenset({"name", "description", "settings", "data", "state"}),
    "member": frozenset({"state", "role", "notifications"}),
    "invitation": frozenset({"state"}),
    "message": frozenset({"content", "data", "deleted"}),
    "user": frozenset({"name", "data", "visual", "added_by"}),
    "relationship": frozenset({"type"}),
    "visual": frozenset({"model_data", "emotion_data"}),
}


class SetBackInRoom(Command, frozen=True, kw_only=True):
    """Set the room itself, a member or an invitation (``id``: the user) or a message (``id``) back."""

    room: Id
    kind: Literal["room", "member", "invitation", "message"]
    id: Id
    #: What the fields are to be again, and what they must still be.
    was: Object
    became: Object


class SetBackOfUser(Command, frozen=True, kw_only=True):
    """Set the profile, a relationship (``id``: the other) or a visual (``id``) of a user back."""

    user: Id
    kind: Literal["user", "relationship", "visual"]
    id: Id
    was: Object
    became: Object


SetBack = SetBackInRoom | SetBackOfUser


def key_of(command: SetBack) -> Key:
    """The entity that is set back."""
    match command.kind:
        case "room":
            return room_key(command.id)
        case "member":
            return member_key(command.room, command.id)
        case "invitation":
            return invitation_key(command.room, command.id)
        case "message":
            return message_key(command.id)
        case "user":
            return user_key(command.id)
        case "relationship":
            return relationship_key(command.user, command.id)
        case "visual":
            return visual_key(command.id)


def fields_of(entity: Entity | None, kind: str) -> dict[str, Any]:
    """What can be set back of an entity, as commands say it."""
    match entity:
        case None if kind == "member":
            return {"state": "left", "role": "member", "notifications": True}
        case None if kind == "invitation":
            return {"state": "withdrawn"}
        case None if kind == "relationship":
            return {"type": None}
        case None if kind == "message":
            return {"content": {}, "data": {}, "deleted": True}
        case None if kind == "room":
            return {"state": "deleted"}
        case Message():
            return {"content": entity.content, "data": _written(entity.data), "deleted": entity.deleted is not None}
        case User():
            data = {name: value for name, value in entity.data.items() if name not in RESERVED}
            return {"name": entity.name, "data": data, "visual": entity.visual, "added_by": entity.added_by}
        case Room() | Member() | Invitation() | Relationship() | Visual():
            return {name: getattr(entity, name) for name in FIELDS[entity.kind]}
        case _:
            return {}


def _written(data: dict[str, Any]) -> dict[str, Any]:
    """Additional information without what a service found out."""
    return {name: value for name, value in data.items() if name != "emotion"}


def set_back(order: Order, state: State) -> list[Event]:
    """The events that set the fields back. Refuses with ``conflict`` where they are no longer what they became."""
    command: SetBack = order.command
    unknown = (command.was.keys() | command.became.keys()) - FIELDS[command.kind]
    if unknown or command.was.keys() != command.became.keys():
        raise Refused(
            "invalid",
            f"was, became: expected the same fields, of {sorted(FIELDS[command.kind])}; got {sorted(unknown)}",
        )
    present = state[key_of(command)]
    now = fields_of(present, command.kind)
    if present is None and command.kind not in ("member", "relationship"):
        raise Refused("not_found", f"expected a {command.kind}, found none with id {command.id}")
    if all(same(now[name], value) for name, value in command.was.items()):
        return []
    for name, value in command.became.items():
        if not same(now[name], value):
            raise Refused("conflict", f"{name}: expected what it was changed to; somebody has changed it since")
    return _SETTERS[command.kind](command, state)


def _room(command: SetBackInRoom, state: State) -> list[Event]:
    was = command.was
    found: list[Event] = []
    if "name" in was:
        found.append(RoomRenamed(name=was["name"]))
    if "description" in was:
        found.append(RoomDescribed(description=was["description"]))
    if "settings" in was:
        found.append(RoomSettingsChanged(settings=was["settings"]))
    if "data" in was:
        found.append(RoomDataChanged(data=was["data"]))
    if "state" in was:
        room = loaded_room(state, command.room)
        if room is not None and room.type == "direct" and was["state"] == "deleted":
            raise Refused("conflict", "expected no direct room: the same two always get the same one")
        back = RoomUnarchived() if room is not None and room.state == "archived" else RoomRestored()
        found.append({"archived": RoomArchived(), "deleted": RoomDeleted()}.get(was["state"], back))
    return found


def _member(command: SetBackInRoom, state: State) -> list[Event]:
    was, user = command.was, command.id
    room, member = loaded_room(state, command.room), loaded_member(state, command.room, user)
    if room is None:
        raise Refused("not_found", f"expected a room, found none with id {command.room}")
    if "state" in was and was["state"] == "left":
        if room.owner == user and room.members > 1:
            raise Refused("conflict", "expected another owner; the room is passed on first")
        return [MemberLeft(user=user)]
    if "state" in was:
        role = was.get("role", "member")
        # At most one owner, at every position of the log.
        return [MemberJoined(user=user, role="admin" if role == "owner" and room.owner is not None else role)]
    if member is None:
        raise Refused("conflict", "expected a member of the room; they have left since")
    found: list[Event] = []
    if "role" in was:
        if was["role"] == "owner" and room.owner is not None:
            raise Refused("conflict", f"role: expected a room without an owner; {room.owner} owns it")
        found.append(MemberRoleChanged(user=user, role=was["role"]))
    if "notifications" in was:
        found.append(MemberNotificationsSet(user=user, notifications=was["notifications"]))
    return found


def _invitation(command: SetBackInRoom, state: State) -> list[Event]:
    found = state[invitation_key(command.room, command.id)]
    if not isinstance(found, Invitation) or command.was["state"] == "pending":
        raise Refused("conflict", "expected an invitation that waits for an answer; who is gone may be invited again")
    return [InvitationWithdrawn(user=found.user, by=found.by)]


def _message(command: SetBackInRoom, state: State) -> list[Event]:
    message = loaded_message(state, command.id)
    assert message is not None
    if message.room != command.room:
        raise Refused("not_found", f"expected a message of the room, found none with id {command.id}")
    if "deleted" in command.was:
        return [MessageDeleted(message=message.id) if command.was["deleted"] else MessageRestored(message=message.id)]
    if message.deleted:
        raise Refused("conflict", "expected a message that is shown; it was deleted since")
    found = {name: value for name, value in message.data.items() if name == "emotion"}
    data = {**command.was["data"], **found} if "data" in command.was else message.data
    return [MessageEdited(message=message.id, content=command.was.get("content", message.content), data=data)]


def _user(command: SetBackOfUser, state: State) -> list[Event]:
    user = state[user_key(command.user)]
    if not isinstance(user, User) or user.state != "registered":
        raise Refused("not_found", f"expected a registered user, found none with id {command.user}")
    profile = {name: value for name, value in command.was.items() if name in ("name", "data")}
    if "data" in profile:
        profile["data"] |= {name: value for name, value in user.data.items() if name in RESERVED}
    found: list[Event] = [UserProfileChanged(**profile)] if profile else []
    found += [UserVisualChosen(visual=command.was["visual"])] if "visual" in command.was else []
    return [*found, UserAddedByChosen(added_by=command.was["added_by"])] if "added_by" in command.was else found


def _relationship(command: SetBackOfUser, state: State) -> list[Event]:
    return [RelationshipSet(other=command.id, type=command.was["type"], was=command.became["type"])]


def _visual(command: SetBackOfUser, state: State) -> list[Event]:
    visual = state[visual_key(command.id)]
    if not isinstance(visual, Visual) or visual.owner != command.user:
        raise Refused("not_found", f"expected a visual of the user, found none with id {command.id}")
    return [VisualChanged(visual=visual.id, **command.was)]


_SETTERS: dict[str, Callable[[Any, State], list[Event]]] = {
    "room": _room,
    "member": _member,
    "invitation": _invitation,
    "message": _message,
    "user": _user,
    "relationship": _relationship,
    "visual": _visual,
}


def _in_room(order: Order) -> Sequence[Key]:
    command: SetBackInRoom = order.command
    keys = [room_key(command.room), member_key(command.room, order.actor), key_of(command)]
    if command.kind == "member":
        keys.append(invitation_key(command.room, command.id))
    return tuple(dict.fromkeys(keys))


def _of_user(order: Order) -> Sequence[Key]:
    command: SetBackOfUser = order.command
    return tuple(dict.fromkeys((user_key(command.user), key_of(command))))


COMMANDS = (
    CommandType(SetBackInRoom, "rooms", lambda c: c.room, _in_room, set_back),
    CommandType(SetBackOfUser, "users", lambda c: c.user, _of_user, set_back),
)
