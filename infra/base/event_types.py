"""Sets of event types by what they do to entities, from the registry's rows: which of them a query has to look at.

As of a past moment, few of a room's events are folded (projectors/as_of/rooms.py). A new type is among them by what it
names; only one whose row says that it does less is left out.
"""

from __future__ import annotations

from collections.abc import Container

from events.core.records import EventType, Record
from events.registry import REGISTRY

Types = tuple[str, ...]


def kinds(row: EventType) -> frozenset[str]:
    """The kinds of entities that an event of the type names: its sample names all that one may."""
    record = Record(
        topic=row.topics[0], partition=0, offset=0, id="", type=row.name, stream="", time="", actor="", command="",
        app="", data=row.sample,
    )  # fmt: skip
    return frozenset(key[0] for key in row.keys(record))


_KINDS = {name: kinds(row) for name, row in REGISTRY.events.items()}


def naming(kind: str) -> Types:
    """Types whose events name an entity of a kind."""
    return tuple(name for name, named in _KINDS.items() if kind in named)


def changing(kind: str) -> Types:
    """Those of them whose fold may change it."""
    return tuple(name for name in naming(kind) if kind not in REGISTRY.events[name].reads)


def making(kind: str) -> Types:
    """Types whose events make an entity of a kind, or may."""
    return tuple(name for name, row in REGISTRY.events.items() if kind in row.makes)


def renewing(kind: str) -> Types:
    """Types of which the last event tells what all of them did to an entity of a kind."""
    return tuple(name for name, row in REGISTRY.events.items() if kind in row.renews)


def _without(types: Types, others: Container[str]) -> Types:
    return tuple(name for name in types if name not in others)


def _of_rooms() -> Types:
    return tuple(name for name, row in REGISTRY.events.items() if "rooms" in row.topics)


def _structure() -> Types:
    """What made rooms and their members what they are, but for what their last events tell."""
    needed = {*_without(changing("room"), renewing("room")), *_without(changing("member"), renewing("member"))}
    return tuple(name for name in _of_rooms() if name in needed)


#: Sets by the names that SQL calls them by: ``{types inviting}``.
SETS: dict[str, Types] = {
    "besides_structure": _without(_of_rooms(), _structure()),
    #: Of the structure, what is not about a member.
    "of_room_only": _without(_structure(), naming("member")),
    #: What is folded of a room's invitations beside the structure.
    "inviting": _without(changing("invitation"), _structure()),
    #: What is not about a message that was there before.
    "besides_became": _without(_of_rooms(), _without(changing("message"), making("message"))),
    "making_message": making("message"),
    "renewing_member": renewing("member"),
    #: What is no news of anything.
    "naming_nothing": tuple(name for name, named in _KINDS.items() if not named),
}
