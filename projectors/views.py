"""What a client may see of an entity: one function a kind, the same for the feed's includes and the API's answers.

A view is a new dict of plain JSON values. Fields are named one by one, so that a field that is added to an entity
stays hidden until somebody decides otherwise. ``version`` lets a client keep the newer of two views.
"""

from __future__ import annotations

from typing import Any

from events.members import Member
from events.messages import Message
from events.relationships import Relationship
from events.rooms import Room
from events.users import User
from events.visuals import Visual

View = dict[str, Any]

#: Keys of a user's data that only the user sees.
PRIVATE_DATA = frozenset({"last_login"})


def public_data(data: dict[str, str]) -> dict[str, str]:
    """A user's data map as others see it."""
    return {name: value for name, value in data.items() if name not in PRIVATE_DATA}


def user_view(user: User) -> View:
    """The public profile. Without ``updated``: a log-in moves it, so it would tell when the user was last here."""
    return {
        "id": user.id,
        "username": user.username,
        "name": user.name,
        "role": user.role,
        "visual": user.visual,
        "data": public_data(user.data),
        "created": user.created,
        "version": user.version,
    }


def self_view(user: User) -> View:
    """The profile as the user sees it. The credential is shown to nobody."""
    return {**user_view(user), "data": dict(user.data), "updated": user.updated}


def room_view(room: Room) -> View:
    """A room as its members see it."""
    return {
        "id": room.id,
        "type": room.type,
        "visibility": room.visibility,
        "name": room.name,
        "data": dict(room.data),
        "seq": room.seq,
        "last": room.last,
        "members": room.members,
        "owner": room.owner,
        "created": room.created,
        "updated": room.updated,
        "version": room.version,
    }


def member_view(member: Member) -> View:
    """A member as the others see them: how far they have read is their own."""
    return {
        "room": member.room,
        "user": member.user,
        "role": member.role,
        "joined": member.joined,
        "version": member.version,
    }


def own_member_view(member: Member) -> View:
    """A member as they see themselves: with ``read``, from which they have their unread count."""
    return {**member_view(member), "read": member.read}


def message_view(message: Message) -> View:
    """A message as the room's members see it."""
    return {
        "id": message.id,
        "room": message.room,
        "seq": message.seq,
        "author": message.author,
        "token": message.token,
        "type": message.type,
        "content": message.content,
        "data": dict(message.data),
        "created": message.created,
        "updated": message.updated,
        "version": message.version,
    }


def relationship_view(relationship: Relationship) -> View:
    """What ``user`` is to ``other``, as ``user`` sees it."""
    return {
        "user": relationship.user,
        "other": relationship.other,
        "type": relationship.type,
        "created": relationship.created,
        "updated": relationship.updated,
        "version": relationship.version,
    }


def incoming_relationship_view(relationship: Relationship) -> View | None:
    """The same as ``other`` sees it: friend, or None; a block looks like nothing."""
    return relationship_view(relationship) if relationship.type == "friend" else None


def visual_view(visual: Visual) -> View:
    """A visual character; anyone may see and link it."""
    return {
        "id": visual.id,
        "owner": visual.owner,
        "model_data": visual.model_data,
        "emotion_data": visual.emotion_data,
        "created": visual.created,
        "updated": visual.updated,
        "version": visual.version,
    }
