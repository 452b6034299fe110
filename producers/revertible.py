"""Setting fields of an entity back: the two commands, and what a domain says of its kind of entity. Pure.

Each domain has its row, ``REVERTIBLE``; ``revert.py`` decides by them. A field that is added to a row can be taken
back from then on, and the ``revert`` of an event's row may name it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from events.core.records import Entity, Event, Key, State
from producers.limits import Id, Object
from producers.streams import RoomCommand, UserCommand


class RevertInRoom(RoomCommand, frozen=True, kw_only=True):
    """Set the room itself, a member or an invitation (``id``: the user), or a message or its pin (``id``) back."""

    kind: Literal["room", "member", "invitation", "message", "pin"]
    id: Id
    #: What the fields are to be again, and what they must still be.
    was: Object
    became: Object


class RevertOfUser(UserCommand, frozen=True, kw_only=True):
    """Set the profile, a relationship (``id``: the other) or a visual (``id``) of a user back."""

    kind: Literal["user", "relationship", "visual"]
    id: Id
    was: Object
    became: Object


Revert = RevertInRoom | RevertOfUser


class Revertible(NamedTuple):
    """A kind of entity of which some fields can be set back."""

    kind: str
    #: The fields, as commands name them: the keys of ``was`` and ``became``.
    fields: frozenset[str]
    #: The entity, then what else the events' folds name.
    keys: Callable[[Any], Sequence[Key]]
    #: The events that set the fields back. Raises Refused.
    revert: Callable[[Any, State], list[Event]]
    #: What the fields are of an entity that is not there.
    absent: Mapping[str, Any] = {}
    #: Whether what is not there can be set back, by coming to be.
    makes: bool = False
    #: Fields of the entity whose values commands say in another way than the entity holds them.
    shown: Callable[[Any], dict[str, Any]] = lambda entity: {}

    def of(self, entity: Entity | None) -> dict[str, Any]:
        """The fields of an entity, as commands say them."""
        if entity is None:
            return dict(self.absent)
        return {name: getattr(entity, name) for name in self.fields} | self.shown(entity)
