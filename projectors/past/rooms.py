"""A room, its members and messages as of a cut, folded from few of the room's events.

An event may be left out where a later one that is folded sets anew all that it set of what is asked for. So a room
needs what made its structure and the last message; a member besides the last event by which they had read; a message
its own events. Where a join was not announced, the new member has read what the room had then: what was said before the
join counts too. A test compares every view with the fold of all events.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable
from typing import Any

from msgspec.structs import replace

from events.members import Member, MemberJoined, member_key
from events.messages import Message, MessagePosted, message_key
from events.records import Entity, Record
from events.rooms import Room, room_key
from infra import rows
from infra.postgres import queries
from projectors import asof
from projectors.asof import Past

#: Types of messages that events of members made.
ANNOUNCED = frozenset({"join", "leave", "system"})


#: Rooms that are remembered as they were at some cuts, those used last; a page of history needs its room each time.
KEPT = 500


class Kept(OrderedDict[tuple[str, int], Entity | None]):
    """Rooms by id and cut. They never change: where an event above a cut was applied, all below it have been."""

    def keep(self, place: tuple[str, int], found: Entity | None) -> None:
        self[place] = found
        while len(self) > KEPT:
            self.popitem(last=False)


async def room(connection: Any, id: str, cut: int, kept: Kept) -> Room | None:
    """The room; None where there was none. ``kept`` belongs to the installation."""
    key, place = room_key(id), (id, cut)
    if place in kept:
        kept.move_to_end(place)
        found = kept[place]
    elif (now := (await rows.load(connection, [key]))[key]) is None or asof.unchanged(now, cut):
        found = now
    else:
        records = await _structure(connection, id, cut)
        records += await _records(connection, "said_before", id, [cut])
        found = _folded(records).get(key)
        kept.keep(place, found)
    assert found is None or isinstance(found, Room)
    return found


async def members(connection: Any, room: str, cut: int, users: Iterable[str]) -> dict[str, Member]:
    """Those of the users who were in the room, by id."""
    wanted = list(dict.fromkeys(users))
    now = await rows.load(connection, [member_key(room, user) for user in wanted])
    found = {key[2]: one for key, one in now.items() if isinstance(one, Member) and one.version < cut}
    changed = [user for user in wanted if user not in found and now[member_key(room, user)] is not None]
    if changed:
        records = await _structure(connection, room, cut, changed)
        records += await _records(connection, "read_before", room, cut, changed)
        state = _folded(records)
        past = (state.get(member_key(room, user)) for user in changed)
        found.update({one.user: one for one in past if isinstance(one, Member)})
    return {user: found[user] for user in wanted if user in found and found[user].state == "joined"}


async def messages(connection: Any, room: str, cut: int, now: Collection[Message]) -> list[Message]:
    """Messages as they were, from how they are now; all of them were there. What was deleted since is not shown."""
    changed = [one for one in now if one.version >= cut]
    if not changed:
        return list(now)
    ids = [one.id for one in changed]
    records = await _made(connection, room, cut, changed)
    records += await _records(connection, "became", room, cut, ids)
    state = _folded(records)
    found = []
    for one in now:
        past = one if one.version < cut else state[message_key(one.id)]
        assert isinstance(past, Message)
        found.append(replace(past, deleted=one.deleted) if one.deleted and not past.deleted else past)
    return found


async def _made(connection: Any, room: str, cut: int, messages: Collection[Message]) -> list[Record]:
    """The events that made messages, and those without which they would not have."""
    if any(one.type in ANNOUNCED for one in messages):
        records = await _structure(connection, room, cut)
    else:
        # A message is made in a room that exists; who was in it is another matter.
        records = await _structure(connection, room, cut, ())
    written = [one for one in messages if one.type not in ANNOUNCED]
    found = await _records(
        connection, "posted", room, [one.author for one in written], [one.token for one in written]
    )  # fmt: skip
    known = {record.data.message for record in found if isinstance(record.data, MessagePosted)}
    if missing := [one for one in written if one.id not in known]:
        found += await _records(
            connection, "posted_otherwise", room, [one.author for one in missing], [one.id for one in missing]
        )  # fmt: skip
    return records + found


async def _structure(connection: Any, room: str, cut: int, users: Collection[str] | None = None) -> list[Record]:
    """What made the room and its membership, or those of some users; with what unannounced joins had read."""
    records = await _records(connection, "structure", room, cut, None if users is None else list(users))
    if users is not None:
        # What somebody did to another counts as read by them; it folds only if the other came and left as they did.
        others = {getattr(one.data, "user", one.actor) for one in records if one.actor in users}.difference(users)
        if others:
            records += await _records(connection, "membership", room, cut, list(others))
    joins = [
        one.offset
        for one in records
        if isinstance(one.data, MemberJoined) and one.data.message is None and (users is None or one.data.user in users)
    ]
    if joins:
        said = await _records(connection, "said_before", room, joins)
        if users is not None and any(not isinstance(one.data, MessagePosted) for one in said):
            # What made those messages is about others, and folds only with all that they did before.
            return await _structure(connection, room, cut)
        records += said
    return records


async def _records(connection: Any, name: str, *arguments: Any) -> list[Record]:
    return [asof.record(row) for row in await connection.fetch(queries("past")[name], *arguments)]


def _folded(records: Iterable[Record]) -> Past:
    """The fold of some events, each once, in their order."""
    state: Past = {}
    asof.fold(state, [record for _, record in sorted({record.offset: record for record in records}.items())])
    return state
