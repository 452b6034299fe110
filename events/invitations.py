"""Invitations: who was asked into a room, by whom, and what became of it. Part of the room's stream.

Acceptance is ``member.joined`` (events/members.py). An invitation shows the room's type and name as they were then,
and nothing else of the room.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from msgspec.structs import replace

from events.core.clock import Time
from events.core.records import Changes, Entity, Event, EventType, Key, Record, State
from events.core.revert_rules import NotRevertible, RevertRule
from events.rooms import RoomType, loaded_room, room_key


class Invitation(Entity, frozen=True, kw_only=True):
    """A user who was asked into a room: one for each room and user, the latest."""

    kind: ClassVar = "invitation"
    key_fields: ClassVar = ("room", "user")

    room: str
    user: str
    #: Who invited.
    by: str
    #: ``accepted`` also when the user came in another way.
    state: Literal["pending", "accepted", "declined", "withdrawn"]
    #: Type and name of the room, as of the invitation.
    type: RoomType
    name: str
    created: Time
    updated: Time
    version: int

    @property
    def key(self) -> Key:
        return invitation_key(self.room, self.user)


def invitation_key(room: str, user: str) -> Key:
    return ("invitation", room, user)


def pending(state: State, room: str, user: str) -> Invitation | None:
    """The invitation in ``state`` that waits for an answer. KeyError when it was not loaded."""
    entity = state[invitation_key(room, user)]
    return entity if isinstance(entity, Invitation) and entity.state == "pending" else None


class MemberInvited(Event, frozen=True, kw_only=True):
    user: str


class InvitationDeclined(Event, frozen=True, kw_only=True):
    user: str
    #: Who had invited.
    by: str


class InvitationWithdrawn(Event, frozen=True, kw_only=True):
    user: str
    #: Who had invited.
    by: str


def keys(record: Record[MemberInvited | InvitationDeclined | InvitationWithdrawn]) -> tuple[Key, ...]:
    event = record.data
    key = invitation_key(record.stream, event.user)
    return (room_key(record.stream), key) if isinstance(event, MemberInvited) else (key,)


def invited(record: Record[MemberInvited], state: State) -> Changes:
    event = record.data
    room = loaded_room(state, record.stream)
    if room is None:
        return {}
    invitation = Invitation(
        room=room.id, user=event.user, by=record.actor, state="pending", type=room.type, name=room.name,
        created=record.time, updated=record.time, version=record.offset,
    )  # fmt: skip
    return {invitation.key: invitation}


def ended(record: Record, state: State, user: str, how: Literal["accepted", "declined", "withdrawn"]) -> Changes:
    """What becomes of the user's invitation into the stream's room, if one waits for an answer."""
    invitation = pending(state, record.stream, user)
    if invitation is None:
        return {}
    return {invitation.key: replace(invitation, state=how, updated=record.time, version=record.offset)}


def declined(record: Record[InvitationDeclined], state: State) -> Changes:
    return ended(record, state, record.data.user, "declined")


def withdrawn(record: Record[InvitationWithdrawn], state: State) -> Changes:
    return ended(record, state, record.data.user, "withdrawn")


_SAMPLE = "7d9f3c1e-2f7b-4a62-9c5e-0d3b1a2c4e5f"
_BY = "0c5e8f6a-61f2-4d0e-8a0e-3a1f7c9b2d44"

#: Why it is not taken back.
_ASKED = "whoever may can invite again"

ROWS = (
    EventType(
        name="member.invited", struct=MemberInvited, topics=("rooms",), keys=keys, fold=invited, reads=("room",),
        about="A user was asked into the room by the actor; who accepts joins (`member.joined`).",
        sample=MemberInvited(user=_SAMPLE),
        revert=RevertRule("invitation", ("state",), "user"),
    ),
    EventType(
        name="invitation.declined", struct=InvitationDeclined, topics=("rooms",), keys=keys, fold=declined,
        about="A user does not want to come into the room.", sample=InvitationDeclined(user=_SAMPLE, by=_BY),
        revert=NotRevertible(_ASKED),
    ),
    EventType(
        name="invitation.withdrawn", struct=InvitationWithdrawn, topics=("rooms",), keys=keys, fold=withdrawn,
        about="Who invited, or an admin, took the invitation back, or the room was deleted.",
        sample=InvitationWithdrawn(user=_SAMPLE, by=_BY),
        revert=NotRevertible(_ASKED),
    ),
)  # fmt: skip
