"""Entities of any kind as they were just after an event of their stream."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Coroutine
from typing import Any

from events.core.positions import Position
from events.core.records import Entity, Key
from events.messages import Message
from events.rooms import room_key
from infra.base import rows
from infra.base.event_types import naming
from infra.base.postgres import Connection
from projectors.as_of import people, rooms
from projectors.as_of.folding import state_as_of, unchanged
from projectors.as_of.moments import Moment
from projectors.as_of.rooms import Kept

Found = dict[Key, Entity | None]

#: Kinds of which each entity is folded from the events that name it, and takes no other to be.
_ALONE = frozenset({"user", "session", "relationship", "visual", "handle", "app"})
#: Kinds that are made once and never change.
_ONCE = frozenset({"stay", "revision"})


async def entities(connection: Connection, stream: str, keys: Collection[Key], position: Position, kept: Kept) -> Found:
    """The entities of one stream after its event at ``position``; None for one that was not there.

    The read models have that event. ``kept`` belongs to the installation.
    """
    kinds: dict[str, list[Key]] = defaultdict(list)
    for key in keys:
        kinds[key[0]].append(key)
    found: Found = dict.fromkeys(keys)
    for kind, some in kinds.items():
        read = _IN_ROOM.get(kind)
        if read is not None:
            found.update(await read(connection, stream, some, position.offset + 1, kept))
        elif kind in _ALONE:
            moment = Moment(vector={position.shard: position.offset + 1})
            found.update(await people.entities(connection, moment, dict.fromkeys(some, stream), naming(kind)))
        else:
            # Nothing is known that would be less to fold.
            whole = await state_as_of(connection, position.shard, stream, position.offset)
            found.update({key: whole.get(key) for key in some})
    return found


async def _room(connection: Connection, stream: str, keys: list[Key], cut: int, kept: Kept) -> Found:
    return {room_key(stream): await rooms.room(connection, stream, cut, kept)}


async def _members(connection: Connection, stream: str, keys: list[Key], cut: int, kept: Kept) -> Found:
    found = await rooms.memberships(connection, {stream: cut}, [user for _, _, user in keys])
    return {member.key: member for member in found.values()}


async def _messages(connection: Connection, stream: str, keys: list[Key], cut: int, kept: Kept) -> Found:
    found, changed = await _present(connection, keys, cut)
    messages = [one for one in changed if isinstance(one, Message)]
    past = await rooms.as_made(connection, {stream: cut}, messages) if messages else {}
    return found | {one.key: past.get(one.key) for one in messages}


async def _invitations(connection: Connection, stream: str, keys: list[Key], cut: int, kept: Kept) -> Found:
    found, changed = await _present(connection, keys, cut)
    users = [one.key[2] for one in changed]
    return {**found, **await rooms.invitations(connection, stream, cut, users)} if users else found


async def _pins(connection: Connection, stream: str, keys: list[Key], cut: int, kept: Kept) -> Found:
    found, changed = await _present(connection, keys, cut)
    past = {one.key: one for one in await rooms.pins(connection, stream, cut)} if changed else {}
    return found | {one.key: past.get(one.key) for one in changed}


async def _once(connection: Connection, stream: str, keys: list[Key], cut: int, kept: Kept) -> Found:
    return (await _present(connection, keys, cut))[0]


async def _present(connection: Connection, keys: list[Key], cut: int) -> tuple[Found, list[Entity]]:
    """The entities that are as they were, and those that have changed since, as they are."""
    there = [one for one in (await rows.load(connection, keys)).values() if one is not None]
    found: Found = {one.key: one for one in there if unchanged(one, cut)}
    return found, [one for one in there if one.key not in found]


_IN_ROOM: dict[str, Callable[[Any, str, list[Key], int, Kept], Coroutine[Any, Any, Found]]] = {
    "room": _room,
    "member": _members,
    "message": _messages,
    "invitation": _invitations,
    "pin": _pins,
    **dict.fromkeys(_ONCE, _once),
}
