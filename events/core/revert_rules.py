"""What takes an event back, as its row says: the fields that it sets, or why nothing does. Pure."""

from __future__ import annotations

from typing import NamedTuple


class RevertRule(NamedTuple):
    """An event whose effect is on some fields of one entity: they can be set to what they were."""

    #: Kind of the entity.
    kind: str
    fields: tuple[str, ...]
    #: Field of the event's data that names the entity; empty: the stream does.
    id: str = ""


class NotRevertible(NamedTuple):
    """An event that is not taken back."""

    because: str


OnRevert = RevertRule | NotRevertible
