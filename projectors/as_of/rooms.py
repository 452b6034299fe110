"""Rooms, their members and messages as of cuts, folded from few of the rooms' events.

An event may be left out where a later one that is folded sets again all that it set of what is asked for. So a room
needs what made its structure and the last message; a member besides the last event by which they had read; a message
its own events. Where a join was not announced, the new member has read what the room had then: what was said before the
join counts too. A test compares every view with the fold of all events.

What is asked of several rooms is asked of all at once: the number of queries does not grow with them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from events.core.records import Record, existing
from events.invitations import invitation_key
from events.members import Member, MemberJoined, member_key
from events.messages import Message, MessagePosted, message_key
from events.pins import Pin
from events.rooms import Room, loaded_room, room_key
from infra.base.postgres import Connection, queries
from infra.base.rows import load
from projectors.as_of import folding
from projectors.as_of.folding import Past

#: Types of messages that events of members made.
ANNOUNCED = frozenset({"join", "leave", "system"})
#: Rooms that are remembered as they were at some cuts, those used last; a page of history needs its room each time.
KEPT = 500

#: Next offset by room: the room's events below it count.
Cuts = Mapping[str, int]


class Kept(OrderedDict[tuple[str, int], Room | None]):
    """Rooms by id and cut. They never change: where an event above a cut was applied, all below it have been."""

    def known(self, place: tuple[str, int]) -> Room | None:
        """What is kept of a place."""
        self.move_to_end(place)
        return self[place]

    def keep(self, place: tuple[str, int], found: Room | None) -> None:
        self[place] = found
        while len(self) > KEPT:
            self.popitem(last=False)


class Work:
    """How many events rooms may still be made of: a large room is made of many, and many rooms of more."""

    def __init__(self, events: int) -> None:
        self.left = events

    async def take(self, connection: Connection, cuts: dict[str, int]) -> dict[str, int]:
        """The first of the rooms, and those after it that are made of no more events together than are left."""
        columns = list(cuts), list(cuts.values())
        listed = await connection.fetch(queries("past")["structure_sizes"], *columns, max(1, self.left + 1))
        sizes = {row["stream"]: row["size"] for row in listed}
        taken: dict[str, int] = {}
        for id, cut in cuts.items():
            if taken and sizes[id] > self.left:
                break
            taken[id] = cut
            self.left -= sizes[id]
        return taken


async def room(connection: Connection, id: str, cut: int, kept: Kept) -> Room | None:
    """The room; None where there was none. ``kept`` belongs to the installation."""
    return (await rooms(connection, {id: cut}, kept))[id]


async def rooms(connection: Connection, cuts: Cuts, kept: Kept, work: Work | None = None) -> dict[str, Room | None]:
    """Rooms by id, None where there was none.

    With ``work``, those are left out that would take more of it than there is, but for the first; it becomes less.
    """
    # Taken before anything is waited for: others may make the kept ones go.
    remembered = {id: kept.known((id, cut)) for id, cut in cuts.items() if (id, cut) in kept}
    now = await load(connection, [room_key(id) for id in cuts if id not in remembered])
    found: dict[str, Room | None] = {}
    changed: dict[str, int] = {}
    for id, cut in cuts.items():
        one = remembered[id] if id in remembered else loaded_room(now, id)
        if id in remembered or one is None or folding.unchanged(one, cut):
            found[id] = one
        else:
            changed[id] = cut
    if work is not None and changed:
        changed = await work.take(connection, changed)
    if changed:
        records = await _structure(connection, changed)
        records += await _records(connection, "said_before", list(changed), list(changed.values()))
        state = _folded(records)
        past = [past for past in map(state.get, map(room_key, changed)) if isinstance(past, Room)]
        found.update(dict.fromkeys(changed))
        found.update({one.id: one for one in await _ranked(connection, past)})
        for id, cut in changed.items():
            kept.keep((id, cut), found[id])
    return found


async def _ranked(connection: Connection, rooms: list[Room]) -> list[Room]:
    """The rooms with the rank of their last message, which all earlier ones decided and none changes afterwards."""
    last = await load(connection, [message_key(one.last) for one in rooms if one.last is not None])
    ranks = {one.id: one.rank or one.id for one in last.values() if isinstance(one, Message)}
    return [replace(one, rank=ranks.get(one.last or "", one.rank)) for one in rooms]


async def members(connection: Connection, cuts: Cuts, users: Iterable[str]) -> dict[tuple[str, str], Member]:
    """Those of the users who were in the rooms, by room and user."""
    found = await memberships(connection, cuts, users)
    return {pair: member for pair, member in found.items() if member.state == "joined"}


async def memberships(connection: Connection, cuts: Cuts, users: Iterable[str]) -> dict[tuple[str, str], Member]:
    """The same with those who had left again."""
    wanted = [(room, user) for room in cuts for user in dict.fromkeys(users)]
    now = await load(connection, [member_key(*pair) for pair in wanted])
    found = {
        (one.room, one.user): one
        for one in now.values()
        if isinstance(one, Member) and folding.unchanged(one, cuts[one.room])
    }
    changed = [pair for pair in wanted if pair not in found and now[member_key(*pair)] is not None]
    if changed:
        places = {room: cuts[room] for room, _ in changed}
        records = await _structure(connection, places, {user for _, user in changed})
        rooms, people = [room for room, _ in changed], [user for _, user in changed]
        records += await _records(connection, "read_before", rooms, [cuts[room] for room in rooms], people)
        state = _folded(records)
        past = (state.get(member_key(*pair)) for pair in changed)
        found.update({(one.room, one.user): one for one in past if isinstance(one, Member)})
    return {pair: found[pair] for pair in wanted if pair in found}


async def invitations(connection: Connection, room: str, cut: int, users: Collection[str]) -> Past:
    """Invitations of the users into a room, of which each has one now."""
    records = await _structure(connection, {room: cut}, users)
    records += await _records(connection, "invited", room, cut, list(users))
    state = _folded(records)
    return {key: state[key] for user in users if (key := invitation_key(room, user)) in state}


async def pins(connection: Connection, room: str, cut: int) -> list[Pin]:
    """The room's pins, those too that had been taken down again."""
    # Nobody's membership is needed: a pin needs the room.
    state = _folded(await _structure(connection, {room: cut}, ()))
    return [one for one in state.values() if isinstance(one, Pin)]


async def messages(connection: Connection, cuts: Cuts, now: Collection[Message]) -> list[Message]:
    """Messages as they were, from how they are now; all of them were there. What was deleted since is not shown."""
    changed = [one for one in now if not folding.unchanged(one, cuts[one.room])]
    if not changed:
        return list(now)
    state = await as_made(connection, cuts, changed)
    found = []
    for one in now:
        past = one if folding.unchanged(one, cuts[one.room]) else existing(state, Message, message_key(one.id))
        found.append(replace(past, deleted=one.deleted) if one.deleted and not past.deleted else past)
    return found


async def as_made(connection: Connection, cuts: Cuts, messages: Collection[Message]) -> Past:
    """Messages as they were below the cuts, also what was deleted since; without those that were not there yet."""
    records = await _made(connection, cuts, messages)
    records += await _records(
        connection, "became", [one.room for one in messages], [cuts[one.room] for one in messages],
        [one.id for one in messages],
    )  # fmt: skip
    state = _folded(record for record in records if record.offset < cuts[record.stream])
    # All that was said in a room before decides a rank, and nothing changes it afterwards.
    ranks = {one.key: one.rank for one in messages}
    return {
        key: replace(one, rank=ranks[key]) if isinstance(one, Message) and key in ranks else one
        for key, one in state.items()
    }


async def _made(connection: Connection, cuts: Cuts, messages: Collection[Message]) -> list[Record]:
    """The events that made messages, and those without which they would not have."""
    whole = {one.room: cuts[one.room] for one in messages if one.type in ANNOUNCED}
    # A message is made in a room that exists; who was in it is another matter.
    others = {one.room: cuts[one.room] for one in messages if one.room not in whole}
    records = await _structure(connection, whole) if whole else []
    records += await _structure(connection, others, ()) if others else []
    written = [one for one in messages if one.type not in ANNOUNCED]
    if not written:
        return records
    found = await _records(
        connection, "posted", [one.room for one in written], [one.author for one in written],
        [one.token for one in written],
    )  # fmt: skip
    known = {record.data.message for record in found if isinstance(record.data, MessagePosted)}
    if missing := [one for one in written if one.id not in known]:
        found += await _records(
            connection, "posted_otherwise", [one.room for one in missing], [one.author for one in missing],
            [one.id for one in missing],
        )  # fmt: skip
    return records + found


async def _structure(connection: Connection, cuts: Cuts, users: Collection[str] | None = None) -> list[Record]:
    """What made rooms and their membership, or those of some users; with what unannounced joins had read."""
    some = None if users is None else list(users)
    records = await _records(connection, "structure", list(cuts), list(cuts.values()), some)
    if some is not None:
        # What somebody did to another counts as read by them; it folds only if the other came and left as they did.
        others = {
            (one.stream, other)
            for one in records
            if one.actor in some and (other := getattr(one.data, "user", one.actor)) not in some
        }
        if others:
            rooms, people = [room for room, _ in others], [user for _, user in others]
            records += await _records(connection, "membership", rooms, [cuts[room] for room in rooms], people)
    joins = [
        one
        for one in records
        if isinstance(one.data, MemberJoined) and one.data.message is None and (some is None or one.data.user in some)
    ]
    if joins:
        said = await _records(
            connection, "said_before", [one.stream for one in joins], [one.offset for one in joins]
        )  # fmt: skip
        # What made messages of another kind is about others, and folds only with all that they did before.
        whole = {one.stream for one in said if some is not None and not isinstance(one.data, MessagePosted)}
        if whole:
            records = [one for one in records if one.stream not in whole]
            records += await _structure(connection, {room: cuts[room] for room in whole})
        records += [one for one in said if one.stream not in whole]
    return records


async def _records(connection: Connection, name: str, *arguments: Any) -> list[Record]:
    return [folding.record(row) for row in await connection.fetch(queries("past")[name], *arguments)]


def _folded(records: Iterable[Record]) -> Past:
    """The fold of some events, each once, room by room in their order."""
    state: Past = {}
    folding.fold(state, [one for _, one in sorted({(one.stream, one.offset): one for one in records}.items())])
    return state
