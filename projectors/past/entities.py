"""Entities of any kind as they were just after an event of their stream."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Coroutine
from typing import Any

from events.messages import Message
from events.positions import Position
from events.records import Entity, Key
from events.rooms import room_key
from infra import rows
from projectors.asof import unchanged
from projectors.past import people, rooms
from projectors.past.moments import Moment
from projectors.past.rooms import Kept

Found = dict[Key, Entity | None]

#: Types of events by which entities of the streams of topics ``users`` and ``handles`` are folded.
_TYPES = {
    "user": people.USER, "session": people.SESSION, "relationship": people.RELATIONSHIP, "visual": people.VISUAL,
    "handle": people.HANDLE,
}  # fmt: skip
#: Kinds that are made once and never change.
_ONCE = frozenset({"stay", "revision"})


async def entities(connection: Any, stream: str, keys: Collection[Key], position: Position, kept: Kept) -> Found:
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
        else:
            moment = Moment(vector={position.shard: position.offset + 1})
            found.update(await people.entities(connection, moment, dict.fromkeys(some, stream), _TYPES[kind]))
    return found


async def _room(connection: Any, stream: str, keys: list[Key], cut: int, kept: Kept) -> Found:
    return {room_key(stream): await rooms.room(connection, stream, cut, kept)}


async def _members(connection: Any, stream: str, keys: list[Key], cut: int, kept: Kept) -> Found:
    found = await rooms.memberships(connection, {stream: cut}, [user for _, _, user in keys])
    return {member.key: member for member in found.values()}


async def _messages(connection: Any, stream: str, keys: list[Key], cut: int, kept: Kept) -> Found:
    found, changed = await _present(connection, keys, cut)
    messages = [one for one in changed if isinstance(one, Message)]
    past = await rooms.as_made(connection, {stream: cut}, messages) if messages else {}
    return found | {one.key: past.get(one.key) for one in messages}


async def _invitations(connection: Any, stream: str, keys: list[Key], cut: int, kept: Kept) -> Found:
    found, changed = await _present(connection, keys, cut)
    users = [one.key[2] for one in changed]
    return {**found, **await rooms.invitations(connection, stream, cut, users)} if users else found


async def _once(connection: Any, stream: str, keys: list[Key], cut: int, kept: Kept) -> Found:
    return (await _present(connection, keys, cut))[0]


async def _present(connection: Any, keys: list[Key], cut: int) -> tuple[Found, list[Entity]]:
    """The entities that are as they were, and those that have changed since, as they are."""
    there = [one for one in (await rows.load(connection, keys)).values() if one is not None]
    found: Found = {one.key: one for one in there if unchanged(one, cut)}
    return found, [one for one in there if one.key not in found]


_IN_ROOM: dict[str, Callable[[Any, str, list[Key], int, Kept], Coroutine[Any, Any, Found]]] = {
    "room": _room,
    "member": _members,
    "message": _messages,
    "invitation": _invitations,
    **dict.fromkeys(_ONCE, _once),
}
