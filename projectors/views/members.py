"""Members as the others in the room see them, and as they see themselves."""

from __future__ import annotations

from events.core.records import Entity
from events.members import Member, Stay
from projectors.views.core import Component, View


def member_view(member: Member) -> View:
    """A member as the others see them, with how far they have read."""
    return {
        "room": member.room,
        "user": member.user,
        "role": member.role,
        "joined": member.joined,
        "read": member.read,
        "read_at": member.read_at,
        "custom": dict(member.custom),
        "version": member.version,
    }


def own_member_view(member: Member) -> View:
    """A member as they see themselves: whether they want to be notified is their own."""
    return {**member_view(member), "notifications": member.notifications}


VIEWS = {"Member": Component(own_member_view, Member), "RoomMember": Component(member_view, Member)}
#: No view shows these; and why.
HIDDEN: dict[type[Entity], str] = {Stay: "it says which past of a room its user may read"}
