"""``as_of(position n)`` of every view == the view of ``fold(events[:n])``, whatever people did and for any n.
Tests ``api/as_of/`` and ``projectors/as_of/``."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from api.core import calls
from api.rooms import entry
from events import channels
from events.channels import Channel, ChannelUser
from events.core import clock
from events.core.positions import Position, Shard, Vector, encode_vector
from events.core.records import Key, Record
from events.invitations import Invitation
from events.members import Member, member_key
from events.messages import Message, Revision, message_key
from events.pins import Pin
from events.relationships import Relationship
from events.rooms import Room, room_key
from events.users import User, user_key
from events.visuals import Visual
from infra.base import postgres, rows
from infra.base.settings import Settings
from producers.engine.router import partition_of
from projectors.as_of import people, rooms
from projectors.as_of.entities import entities
from projectors.as_of.moments import Moment
from projectors.views import (
    member_view,
    message_view,
    own_member_view,
    relationship_view,
    revision_view,
    self_view,
    visual_view,
)
from tests.client import Person, World
from tests.system import log
from tests.system.acting import cast, script
from tests.system.log import Entities

#: Random places in the log that are compared.
PLACES = 10


def cut_at(found: list[Record], random: Random) -> tuple[Vector, Entities]:
    """A place anywhere in the log, each shard by itself, and the fold of all below it."""
    ends: Vector = {}
    for record in found:
        shard = Shard(record.topic, record.partition)
        ends[shard] = max(record.offset + 1, ends.get(shard, 0))
    low = random.random()
    vector = {shard: random.randint(int(end * low), end) for shard, end in ends.items()}
    below = [record for record in found if record.offset < vector[Shard(record.topic, record.partition)]]
    return vector, log.folded(below)


@asynccontextmanager
async def reading(settings: Settings) -> AsyncIterator[Any]:
    connection = await postgres.connect(settings)
    try:
        yield connection
    finally:
        await connection.close()


def hidden(past: Message, now: Entities) -> Message:
    """The message as it was, unless it is deleted now."""
    present = now[past.key]
    assert isinstance(present, Message)
    return replace(past, deleted=present.deleted) if present.deleted and not past.deleted else past


@pytest.fixture
def unsteady(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """For every second seed, commands have times and ids up to a second before and after now."""
    random = Random(seed)
    if seed % 2:
        monkeypatch.setattr(calls, "now", lambda: clock.after(clock.now(), random.uniform(-1, 1)))
        monkeypatch.setattr(calls, "uuid7", lambda: clock.uuid7(int((time.time() + random.uniform(-1, 1)) * 1000)))


@pytest.mark.usefixtures("unsteady")
@pytest.mark.parametrize("seed", range(4))
async def test_the_past_equals_the_fold_of_what_was_before(
    world: World, installed: Settings, operator: str, seed: int
) -> None:
    actors = await cast(world, operator)
    await actors.act(script(200 + seed, 240))
    await actors.people[0].do("sync.get")  # The read models have all of it.
    found, _ = await log.records(installed)
    now, random = log.folded(found), Random(seed)
    async with reading(installed) as connection:
        for _ in range(PLACES):
            vector, then = cut_at(found, random)
            await entities_agree(connection, vector, then, now)
    for person in actors.people:
        vector, then = cut_at(found, random)
        await answers_agree(person, vector, then, now)


async def entities_agree(connection: postgres.Connection, vector: Vector, then: Entities, now: Entities) -> None:
    """All entities of the read models as of the place, whoever may see them."""
    moment, kept = Moment(vector=vector), rooms.Kept()
    await whole_streams_agree(connection, vector, then, now)
    users = [one.id for one in now.of(User)]
    want = {one.id: log.unless_erased(one, now) for one in then.of(User) if one.state == "registered"}
    assert await people.users(connection, moment, users) == want
    pairs = [(one.user, one.other) for one in now.of(Relationship)]
    have = await people.relationships(connection, moment, pairs)
    assert {one.key: one for one in have} == {one.key: one for one in then.of(Relationship) if one.type is not None}
    visuals = await people.visuals(connection, moment, [one.id for one in now.of(Visual)])
    assert {one.key: one for one in visuals} == {one.key: one for one in then.of(Visual)}
    # Whoever was ever in a room, registered or not.
    users = list({*users, *(one.user for one in now.of(Member))})
    for room in now.of(Room):
        cut = await moment.cut(connection, room.id)
        for _ in ("read", "kept"):
            assert await rooms.room(connection, room.id, cut, kept) == then[room_key(room.id)]
        there = [one for one in then.of(Member) if one.room == room.id and one.state == "joined"]
        assert await rooms.members(connection, {room.id: cut}, users) == {(room.id, one.user): one for one in there}
        pins = {one.key: one for one in await rooms.pins(connection, room.id, cut)}
        assert pins == {one.key: one for one in then.of(Pin) if one.room == room.id}
        said = [one for one in then.of(Message) if one.room == room.id]
        present = await rows.load(connection, [one.key for one in said])
        past = await rooms.messages(
            connection, {room.id: cut}, [one for one in present.values() if isinstance(one, Message)]
        )
        assert {one.id: one for one in past} == {one.id: hidden(one, now) for one in said}
    cuts = await moment.cuts(connection, [room.id for room in now.of(Room)])
    assert await rooms.rooms(connection, cuts, rooms.Kept()) == {id: then[room_key(id)] for id in cuts}
    inside = {(one.room, one.user): one for one in then.of(Member) if one.state == "joined"}
    assert await rooms.members(connection, cuts, users) == inside
    present = await rows.load(connection, [one.key for one in then.of(Message)])
    past = await rooms.messages(connection, cuts, [one for one in present.values() if isinstance(one, Message)])
    assert {one.id: one for one in past} == {one.id: hidden(one, now) for one in then.of(Message)}


#: Field of each kind of entity that names its stream; a revision is in that of its message.
STREAM = {
    "user": "id", "session": "user", "relationship": "user", "visual": "owner", "handle": "id", "room": "id",
    "app": "id", "plan": "id", "team": "app",
    "member": "room", "stay": "room", "message": "room", "invitation": "room", "pin": "room",
    "channel_counter": "stream", "listening": "user",
}  # fmt: skip


async def whole_streams_agree(connection: postgres.Connection, vector: Vector, then: Entities, now: Entities) -> None:
    """Entities of every kind that there ever were, as one answer to a repeated command takes them."""
    streams: dict[str, list[Key]] = defaultdict(list)
    for key, entity in now.items():
        if entity is not None:
            one = now[message_key(entity.message)] if isinstance(entity, Revision) else entity
            # All channels, and what users are to them, stand in one stream.
            own = isinstance(one, Channel | ChannelUser)
            streams[channels.STREAM if own else getattr(one, STREAM[one.kind])].append(key)  # type: ignore[union-attr]
    for stream, keys in streams.items():
        kinds = {key[0] for key in keys}
        of_all = {"room": "rooms", "handle": "handles", "app": "apps", "plan": "apps", "team": "apps"}
        topic = "rooms" if stream == channels.STREAM else next((of_all[k] for k in of_all if k in kinds), "users")
        shard = Shard(topic, partition_of(stream, 2))
        found = await entities(connection, stream, keys, Position(*shard, vector.get(shard, 0) - 1), rooms.Kept())
        assert found == {key: then[key] for key in keys}, stream


async def answers_agree(person: Person, vector: Vector, then: Entities, now: Entities) -> None:
    """What the API answers somebody: what they might see then, and may see now."""
    moment = encode_vector(vector)
    me = then[user_key(person.id)]
    if not isinstance(me, User):
        assert await person.refused("users.me", as_of=moment) == "not_found"
        return
    assert (await person.do("users.me", as_of=moment))["user"] == self_view(me)
    mine = [one for one in then.of(Relationship) if one.user == person.id and one.type is not None]
    for limit in (2, 100):
        outgoing = [one async for one in paged(person, "relationships.list", as_of=moment, limit=limit)]
        assert outgoing == [relationship_view(one) for one in sorted(mine, key=lambda one: one.other)]
        incoming = [one async for one in paged(person, "relationships.list", as_of=moment, limit=limit, direction="in")]
        assert incoming == [relationship_view(one) for one in befriending(person.id, then, now)]
        visuals = [one async for one in paged(person, "visuals.list", as_of=moment, limit=limit)]
        made = sorted((one for one in then.of(Visual) if one.owner == person.id), key=lambda one: one.id)
        assert visuals == [visual_view(one) for one in made]
    wanted = {room.id: room for room in then.of(Room) if inside(room.id, person, then) and inside(room.id, person, now)}
    listed = (await person.do("rooms.find", limit=200, as_of=moment))["rooms"]
    assert {one["room"]["id"]: one for one in listed} == {id: shown(id, person, then, now) for id in wanted}
    assert [one["room"]["id"] for one in listed] == sorted(wanted)
    pages = [one async for one in paged(person, "rooms.find", "rooms", as_of=moment, limit=1)]
    assert [one["room"]["id"] for one in pages] == sorted(wanted)
    for room in now.of(Room):
        if room.id in wanted:
            await room_agrees(person, room.id, moment, then, now)
        else:
            assert await person.refused("messages.read", room=room.id, as_of=moment) == "not_found"


async def paged(person: Person, name: str, member: str = "", **fields: Any) -> AsyncIterator[dict[str, Any]]:
    """What a list has on all of its pages."""
    onward: dict[str, Any] = {}
    while True:
        page = await person.do(name, **fields, **onward)
        found = page[member or name.partition(".")[0]]
        assert len(found) <= fields["limit"]
        for one in found:
            yield one
        if page["next"] is None:
            return
        onward = {"cursor": page["next"]}


def befriending(user: str, then: Entities, now: Entities) -> list[Relationship]:
    """Who held the user for a friend, without those whom the user blocked then or blocks now."""
    blocked = {
        one.other for state in (then, now) for one in state.of(Relationship) if (one.user, one.type) == (user, "block")
    }
    found = [one for one in then.of(Relationship) if (one.other, one.type) == (user, "friend")]
    return sorted((one for one in found if one.user not in blocked), key=lambda one: one.user)


def inside(id: str, person: Person, state: Entities) -> bool:
    room, member = state[room_key(id)], state[member_key(id, person.id)]
    return (
        isinstance(room, Room) and room.state != "deleted" and isinstance(member, Member) and member.state == "joined"
    )


def shown(id: str, person: Person, then: Entities, now: Entities) -> dict[str, Any]:
    room, member = then[room_key(id)], then[member_key(id, person.id)]
    assert isinstance(room, Room) and isinstance(member, Member)
    last = None if room.last is None else then[message_key(room.last)]
    assert last is None or isinstance(last, Message)
    # Who was there before, or may only be invited.
    pair = [*now.of(Member), *now.of(Invitation)]
    others = (one.user for one in pair if one.room == id and one.user != person.id)
    found = entry(room, member, None if last is None else hidden(last, now), None)
    return {**found, "peer": next(others, None) if room.type == "direct" else None}


async def room_agrees(person: Person, id: str, moment: str, then: Entities, now: Entities) -> None:
    assert await person.do("rooms.get", room=id, as_of=moment) == shown(id, person, then, now)
    members: dict[str, Any] = {}
    page: dict[str, Any] = {"next": None}
    while not members or page["next"]:
        onward = {"cursor": page["next"]} if page["next"] else {}
        page = await person.do("members.list", room=id, limit=2, as_of=moment, **onward)
        members.update({one["member"]["user"]: one for one in page["members"]})
    there = [one for one in then.of(Member) if one.room == id and one.state == "joined"]
    assert members == {
        one.user: {"member": member_view(one), "user": log.profile(then, now, person.id, one.user)}
        for one in there
        if isinstance(then[user_key(one.user)], User)
    }
    said = sorted((one for one in then.of(Message) if one.room == id), key=lambda one: one.seq)
    found: list[dict[str, Any]] = []
    before: dict[str, Any] = {}
    while True:
        page = await person.do("messages.read", room=id, limit=7, as_of=moment, **before)
        found = page["messages"] + found
        if page["older"] is None:
            break
        before = {"cursor": page["older"]}
    assert found == [message_view(hidden(one, now)) for one in said]
    for message in [one for one in said if one.revision][:3]:
        edits = await person.do("messages.edits", room=id, message=message.id, as_of=moment)
        revisions = [] if hidden(message, now).deleted else [
            revision_view(one) for one in then.of(Revision) if one.message == message.id
        ]  # fmt: skip
        assert edits["revisions"] == revisions


async def test_nobody_else_is_shown_a_members_wishes(world: World, operator: str) -> None:
    """What is private now was private then."""
    actors = await cast(world, operator, 2)
    ada, bob = actors.people
    room = await ada.group(bob)
    moment = encode_vector(world.position)
    listed = await bob.do("members.list", room=room, as_of=moment)
    assert all("notifications" not in one["member"] and "email" not in one["user"] for one in listed["members"])
    own = (await bob.do("rooms.get", room=room, as_of=moment))["member"]
    assert own.keys() == own_member_view(
        Member(room="", user="", role="member", state="joined", since=0, joined="", read=0, read_at="",
               notifications=True, willing=True, custom={}, version=0)
    ).keys()  # fmt: skip
    early = "users/0/0,users/1/0"
    assert await ada.refused("users.get", user=bob.id, as_of=early) == "not_found", "before they were registered"
