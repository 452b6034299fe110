"""Snapshot + deltas == fresh snapshot == a fold of the topics, whatever people do and on whichever way deltas come.
Tests ``projectors/views/``, ``projectors/audience/`` and ``tests/fold.py``."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from events.core.positions import parse_position
from infra.base.settings import Settings
from projectors.audience import AUDIENCES, NOBODY
from tests.client import Hasty, World
from tests.fold import FOLD, State, fold, snapshot_state
from tests.running import until
from tests.system import log
from tests.system.acting import Cast, cast, script
from tests.system.clients import Listener, compared, differences, pulled, pulling, pushed, returned

#: Seconds after the last deed until every delta must have come.
SECONDS = 20.0


def test_the_fold_has_a_row_for_each_type_that_somebody_hears_of() -> None:
    assert FOLD.keys() == {name for name, audience in AUDIENCES.items() if audience is not NOBODY}


@asynccontextmanager
async def following(listeners: list[Listener]) -> AsyncIterator[None]:
    """They take deltas all the while, in steps of different lengths."""

    async def follow(listener: Listener, pause: float) -> None:
        while True:
            if not await listener.take():
                await asyncio.sleep(pause)

    tasks = [asyncio.create_task(follow(listener, 0.02 * (n + 1))) for n, listener in enumerate(listeners)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


async def agree(listener: Listener, actors: Cast) -> None:
    """Until the folded state equals a fresh snapshot; fails with the differences and the deeds."""
    deadline = asyncio.get_running_loop().time() + SECONDS
    while True:
        while await listener.take():
            assert asyncio.get_running_loop().time() < deadline, "deltas come without end"
        have, want = compared(listener.state, await listener.person.snapshot(), actors.quarrels)
        if have == want:
            return
        if asyncio.get_running_loop().time() > deadline:
            found = "\n".join(differences(have, want))
            deeds = "\n".join(actors.done)
            pytest.fail(f"{listener.way} state of {listener.person.username} differs:\n{found}\nafter\n{deeds}")
        await asyncio.sleep(0.1)


#: Of a user's events those that only the user receives.
_OWN = {"user.registered", "user.added_by_chosen", "user.email_changed", "user.email_abandoned", "user.seen"}


def decent(listener: Listener) -> None:
    """Fails for a delta that was not for this client, or told too much."""
    me = listener.person.id
    for delta in listener.heard:
        data, own = delta["data"], delta["stream"] == me
        text = msgspec.json.encode(delta).decode()
        assert "credential" not in text, delta
        match delta["type"].partition(".")[0]:
            case "session":
                assert own, delta
            case "user":
                assert own or (delta["type"] not in _OWN and "last_login" not in text and "@" not in text), delta
            case "relationship":
                assert own or (data["other"] == me and "block" not in (data["type"], data["was"])), delta
        if delta["type"] == "member.notifications_set":
            assert data["user"] == me, delta
        if delta["type"] == "message.emotion_detected":
            assert (data["emotion"] is None) != data["shown"], delta
        for user in (delta.get("include") or {}).get("users", []):
            assert "updated" not in user, "when others were last here is theirs"


async def exact(
    listener: Listener, vector: dict[str, int], heard: dict[str, list[str]], offsets: dict[str, int]
) -> None:
    """Of the rooms' events the client got just those that it was to receive: each once, in order.

    The last ones may still be on their way: not everything that is received changes a client's state.
    """
    expected = {shard: [id for id in ids if offsets[id] >= vector.get(shard, 0)] for shard, ids in heard.items()}
    expected = {shard: ids for shard, ids in expected.items() if ids}
    deadline = asyncio.get_running_loop().time() + SECONDS
    while (came := _of_rooms(listener, vector)) != expected and asyncio.get_running_loop().time() < deadline:
        if not await listener.take():
            await asyncio.sleep(0.1)
    assert came == expected


def _of_rooms(listener: Listener, vector: dict[str, int]) -> dict[str, list[str]]:
    """Ids of the rooms' events that came and are not in the snapshot, by shard."""
    came: dict[str, list[str]] = defaultdict(list)
    for delta in listener.heard:
        place = parse_position(delta["position"])
        if place.topic == "rooms" and place.offset >= vector.get(str(place.shard), 0):
            came[str(place.shard)].append(delta["id"])
    return came


@pytest.mark.parametrize("seed", range(6))
async def test_snapshot_and_deltas_equal_a_fresh_snapshot(
    world: World, installed: Settings, operator: str, seed: int
) -> None:
    deeds = script(seed, 240)
    # Every other seed with clients that wait for what was done before, so that more of the deeds succeed.
    actors = await cast(world if seed % 2 else Hasty(world.url, world.http), operator)
    await actors.act(deeds[:80])
    listeners = [await (pushed if n % 2 else pulled)(person) for n, person in enumerate(actors.people)]
    async with following(listeners):
        await actors.act(deeds[80:160])
        # Who comes in the middle of it all.
        late = [await (pulled if n % 2 else pushed)(person) for n, person in enumerate(actors.people)]
        vectors = [dict(listener.state.vector) for listener in listeners + late]
        async with following(late):
            await actors.act(deeds[160:])
    for listener in listeners + late:
        await agree(listener, actors)
        assert len(set(listener.news)) == len(listener.news)
        decent(listener)
    found, _ = await log.records(installed)
    heard, offsets = log.heard_in_rooms(found), {record.id: record.offset for record in found}
    for listener, vector in zip(listeners + late, vectors, strict=True):
        await exact(listener, vector, heard[listener.person.id], offsets)


@pytest.mark.parametrize("seed", [100, 101])
async def test_an_older_cursor_gives_the_same(world: World, operator: str, seed: int) -> None:
    """Deltas that the snapshot has change nothing: on a connection, by pulling, and all of them once more."""
    deeds = script(seed, 100)
    actors = await cast(world, operator, 3)
    early = [await person.do("sync.get") for person in actors.people]
    await actors.act(deeds[:60])
    snapshots = [await person.do("sync.get") for person in actors.people]
    await actors.act(deeds[60:])
    for person, old, new in zip(actors.people, early, snapshots, strict=True):
        listeners = [
            Listener(person, "older cursor", new, pulling(person, old["epoch"], old["cursor"])),
            Listener(person, "own cursor", new, pulling(person, new["epoch"], new["cursor"])),
            Listener(person, "both old", old, pulling(person, old["epoch"], old["cursor"])),
            await returned(person, new, old),
            await returned(person, new, new),
            await returned(person, old, old),
        ]
        for listener in listeners:
            await agree(listener, actors)
        once_more(listeners[0])


async def test_what_happens_between_two_pages_is_in_one_of_them_or_a_delta(world: World, operator: str) -> None:
    """Rooms change their order, are made, joined, left, deleted and brought back; people befriend and block."""
    ada, bob, eve = [await world.person(name) for name in ("ada", "bob", "eve")]
    rooms = sorted([await ada.group(bob, name=f"Room {n}") for n in range(12)])
    others = [await world.person(f"p{n}") for n in range(6)]
    for n, one in enumerate(others):
        await (bob if n % 2 else one).do("relationships.set", user=(one if n % 2 else bob).id, type="friend")
    low, high = rooms[:6], rooms[6:]

    async def deeds() -> None:
        for room in (low[0], high[0], low[0]):
            await ada.say(room, "to the top")
        for room in (low[1], high[1]):
            await bob.do("members.remove", room=room, user="me")
        for room in (low[2], high[2]):
            await ada.do("rooms.delete", room=room)
        for room in (low[3], high[3]):
            await ada.do("rooms.delete", room=room)
            await world.call("rooms.restore", {"room": room}, token=operator)
        for room in (low[4], high[4]):
            await bob.do("members.remove", room=room, user="me")
            await bob.do("members.add", room=room, user="me")
            await bob.say(room, "back")
        await eve.group(bob, name="New", id=f"{low[0]}-0"), await eve.direct(bob)
        await bob.do("relationships.set", user=others[0].id, type="block")
        await bob.do("relationships.remove", user=others[1].id)
        await others[2].do("relationships.remove", user=bob.id)
        await bob.do("relationships.set", user=others[4].id, type="block")
        await bob.do("relationships.remove", user=others[4].id)
        await eve.do("relationships.set", user=bob.id, type="friend")
        await others[3].do("users.change", name="Renamed")

    actors = Cast([ada, bob, eve, *others], eve, operator)
    actors.quarrels |= {frozenset((bob.id, others[n].id)) for n in (0, 4)}
    before = [await pushed(bob), await pulled(bob)]
    onward = [await pushed(bob), await pulled(bob)]
    for listener in onward:
        assert await listener.take() and listener.state.next is not None
    await deeds()
    for listener in (*before, *onward):
        assert listener.state.next is not None, "there is more than a page"
        await agree(listener, actors)


async def test_a_room_that_was_left_before_the_snapshot_does_not_come_back(world: World, operator: str) -> None:
    """Old deltas come while its second page is on its way: of a room the join, and only later that it was left."""
    ada, bob = await world.person("ada"), await world.person("bob")
    for n in range(12):
        await bob.do("relationships.set", user=(await world.person(f"p{n}")).id, type="friend")
        await ada.group(bob, name=f"Room {n}")
    old = await bob.do("sync.get")
    room = await ada.group(bob, name="For a moment")
    found, pull = list[dict[str, Any]](), pulling(bob, old["epoch"], old["cursor"])

    async def comes(type: str) -> list[int]:
        """Its places among those that have come."""
        found.extend(await pull())
        return [n for n, one in enumerate(found) if (one["type"], one["stream"]) == (type, room)]

    # The delta was made while bob was in, so the room comes along with it.
    joined = await until(lambda: comes("member.joined"), "the room is joined")
    assert any("room" in found[n]["include"] for n in joined)
    await bob.do("members.remove", room=room, user="me")
    (left,) = await until(lambda: comes("member.left"), "the room is left")
    new = await bob.do("sync.get")
    assert new["next"] is not None, "there is more than a page"
    parts = [found[:left], found[left:]]

    async def take() -> list[dict[str, Any]]:
        return parts.pop(0) if len(parts) == 2 or (parts and listener.state.next is None) else []

    listener = Listener(bob, "in parts", new, take)
    await agree(listener, Cast([ada, bob], bob, operator))
    assert len(listener.heard) == len(found) and not parts


def once_more(listener: Listener) -> None:
    """A second time the same deltas, in any order, are no news."""
    before = msgspec.json.encode(listener.state)
    assert not any(fold(listener.state, delta) for delta in reversed(listener.heard))
    assert msgspec.json.encode(listener.state) == before


async def test_a_snapshot_of_any_moment_and_what_comes_after_it(world: World, operator: str) -> None:
    """Snapshots taken all the while, each folded to the end from its own cursor, agree with each other."""
    deeds = script(7, 120)
    actors = await cast(Hasty(world.url, world.http), operator, 4)
    ada = actors.people[0]
    snapshots: list[dict[str, Any]] = []
    acting = asyncio.create_task(actors.act(deeds))
    while not acting.done():
        snapshots.append(await ada.do("sync.get"))
    await acting
    for snapshot in snapshots:
        await agree(
            Listener(ada, "any moment", snapshot, pulling(ada, snapshot["epoch"], snapshot["cursor"], 100)), actors
        )


async def test_a_snapshot_equals_a_fold_of_the_topics(world: World, installed: Settings, operator: str) -> None:
    actors = await cast(world, operator)
    await actors.act(script(42, 200))
    fresh = [await person.snapshot() for person in actors.people]
    found, ends = await log.records(installed)
    entities = log.folded(found)
    for person, answer in zip(actors.people, fresh, strict=True):
        want = log.snapshot(entities, person.id)
        state: State = snapshot_state(answer)
        have = {
            "me": state.me, "relationships": state.relationships, "friend_of": state.friend_of,
            "invitations": state.invitations,
            "rooms": {entry["room"]["id"]: entry for entry in answer["rooms"]}, "users": state.users,
        }  # fmt: skip
        assert have == want, "\n".join(differences(want, have))
        assert answer["vector"] == ends
