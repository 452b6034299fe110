"""Rooms as their members see them, and as operators do."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from events.rooms import UNSAID, Room, RoomSettings
from projectors.views.core import Component, View

#: What a deleted room looks like besides id, type, state and times: one in which nothing ever was.
GONE: View = {
    **UNSAID,
    "settings": msgspec.to_builtins(RoomSettings()),
    "seq": 0,
    "last": None,
    "members": 0,
    "pins": 0,
    "owner": None,
}
#: What a deleted room still shows.
LEFT = frozenset({"id", "slug", "team", "type", "state", "created", "updated", "version"})
#: What nobody sees of any room. A field is here, in ``LEFT`` or in ``GONE``.
UNSEEN = frozenset({"app", "rank"})
_SHOWN = tuple(name for name in Room.__struct_fields__ if name in LEFT or name in GONE)


def room_view(room: Room) -> View:
    """A room as its members see it. Of a deleted one only its type, state and times are left."""
    return whole_room_view(replace(room, **GONE) if room.state == "deleted" else room)


def whole_room_view(room: Room) -> View:
    """A room as operators see it: also what a deleted one holds, which they can bring back."""
    # Of maps copies: who takes a view may change it.
    return {name: dict(value) if type(value := getattr(room, name)) is dict else value for name in _SHOWN}


VIEWS = {"Room": Component(room_view, Room)}
