"""What a client may see of an entity: one function a kind, the same for the feed's includes and the API's answers.

A view is a new dict of plain JSON values. Fields are named one by one, so that a field that is added to an entity
stays hidden until somebody decides otherwise. ``version`` lets a client keep the newer of two views.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from events.invitations import Invitation
from events.members import Member
from events.messages import Message, Revision
from events.relationships import Relationship
from events.rooms import Room, RoomSettings
from events.sessions import Session
from events.users import User
from events.visuals import Visual

View = dict[str, Any]

#: Keys of a user's data that only the user sees.
PRIVATE_DATA = frozenset({"last_login"})


def public_data(data: dict[str, str]) -> dict[str, str]:
    """A user's data map as others see it."""
    return {name: value for name, value in data.items() if name not in PRIVATE_DATA}


def user_view(user: User) -> View:
    """The public profile. Without ``updated`` and ``seen``, which tell when the user was last here (see presence)."""
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


def masked(view: View) -> View:
    """A public profile as those see it who block the user: no word or picture of theirs reaches them."""
    return {**view, "name": view["username"], "visual": None, "data": {}}


def self_view(user: User) -> View:
    """The profile as the user sees it. The credential is shown to nobody."""
    more = {"data": dict(user.data), "email": user.email, "seen": user.seen, "updated": user.updated}
    return {**user_view(user), **more, "added_by": user.added_by}


def session_view(session: Session) -> View:
    """A log-in as its user sees it."""
    return {
        "id": session.id,
        "opened": session.opened,
        "expires": session.expires,
        "version": session.version,
    }


#: What a deleted room looks like besides id, type, state and times: one in which nothing ever was.
_GONE: View = {
    "name": "",
    "description": None,
    "settings": msgspec.to_builtins(RoomSettings()),
    "data": {},
    "seq": 0,
    "last": None,
    "members": 0,
    "owner": None,
}


def room_view(room: Room) -> View:
    """A room as its members see it. Of a deleted one only its type, state and times are left."""
    return whole_room_view(replace(room, **_GONE) if room.state == "deleted" else room)


def whole_room_view(room: Room) -> View:
    """A room as operators see it: also what a deleted one holds, which they can bring back."""
    return {
        "id": room.id,
        "type": room.type,
        "name": room.name,
        "description": room.description,
        "settings": dict(room.settings),
        "state": room.state,
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
    """A member as the others see them, with how far they have read."""
    return {
        "room": member.room,
        "user": member.user,
        "role": member.role,
        "joined": member.joined,
        "read": member.read,
        "read_at": member.read_at,
        "version": member.version,
    }


def own_member_view(member: Member) -> View:
    """A member as they see themselves: whether they want to be notified is their own."""
    return {**member_view(member), "notifications": member.notifications}


def invitation_view(invitation: Invitation) -> View:
    """An invitation as who is invited sees it, and who invites: nothing of the room but what stands here."""
    return {
        "room": invitation.room,
        "user": invitation.user,
        "by": invitation.by,
        "type": invitation.type,
        "name": invitation.name,
        "created": invitation.created,
        "version": invitation.version,
    }


def message_view(message: Message) -> View:
    """A message as the room's members see it. Of a deleted one only its place and author are left."""
    return {
        "id": message.id,
        "room": message.room,
        "seq": message.seq,
        "author": message.author,
        "token": message.token,
        "type": message.type,
        "content": {} if message.deleted else message.content,
        "data": {} if message.deleted else dict(message.data),
        "created": message.created,
        "updated": message.updated,
        "edited": message.edited,
        "deleted": message.deleted,
        "revision": message.revision,
        "version": message.version,
    }


def revision_view(revision: Revision) -> View:
    """What a message held before an edit."""
    return {
        "number": revision.number,
        "content": revision.content,
        "data": dict(revision.data),
        "created": revision.created,
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
