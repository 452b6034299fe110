"""Snapshots come in pages: bounded in bytes, whole together, one's own, at the cost of a page each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import pytest
from msgspec.structs import replace

from api.support.feed import FeedEnds
from api.sync import SyncRequest, sync
from events.relationships import RelationshipSet
from infra.base.postgres import Connection
from infra.base.progress import Progress
from infra.base.settings import Settings
from projectors.read_models.projector import ReadModels
from tests.api.counting import Cost, Reader
from tests.client import Person, Via, World, visiting
from tests.given import Fact, given
from tests.parts import Parts
from tests.projectors.scenes import created, joined, posted, registered
from tests.running import running
from tests.servers import installation, serving

PAGE = 256 * 1024
#: What one room may hold at most: some 60 kB.
LARGE = {f"key-{n:02}": "x" * 900 for n in range(64)}


async def pages(person: Person) -> list[dict[str, Any]]:
    """All pages of a snapshot."""
    found = [await person.do("sync.get")]
    while found[-1]["next"] is not None:
        found.append(await person.do("sync.get", cursor=found[-1]["next"]))
    return found


def rooms_of(found: list[dict[str, Any]]) -> list[str]:
    return [entry["room"]["id"] for page in found for entry in page["rooms"]]


async def filled(ada: Person, bob: Person, count: int) -> list[str]:
    """Rooms with large data into which bob was put."""
    return [await ada.group(bob, name=f"Room {n}", type="private", data=LARGE) for n in range(count)]


async def test_no_page_is_larger_than_its_bound(ada: Person, bob: Person) -> None:
    rooms = await filled(ada, bob, 12)
    found = await pages(bob)
    assert sorted(rooms_of(found)) == sorted(rooms) and 3 <= len(found) <= 6
    assert [page.keys() & {"cursor", "epoch", "me"} for page in found[1:]] == [set()] * (len(found) - 1)
    assert found[0].keys() >= {"cursor", "epoch", "me", "vector"} and all("vector" in page for page in found)
    sizes = [len(msgspec.json.encode(page)) for page in found]
    assert max(sizes) <= PAGE and min(sizes[:-1]) > PAGE // 2, sizes


async def test_a_lost_place_gets_the_first_page_in_a_frame_and_asks_for_the_rest(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    rooms = await filled(ada, bob, 12)
    whole = await bob.snapshot()
    async with world.http.ws_connect(f"{world.url}/v1/connection", max_msg_size=1 << 24) as ws:
        await ws.send_json({"id": 1, "connect": {"token": bob.token, "data": {"since": {"offset": 1, "epoch": "x.2"}}}})
        state: dict[str, Any] = {}
        sizes: list[int] = []
        while not state or state["next"] is not None:
            async with asyncio.timeout(20):
                message = await ws.receive()
            assert message.type is aiohttp.WSMsgType.TEXT, message
            sizes.append(len(message.data.encode()))
            for line in map(msgspec.json.decode, message.data.splitlines()):
                if not line:
                    await ws.send_str("{}")
                    continue
                publication = line.get("push", {}).get("pub", {}).get("data", {})
                if publication.get("type") == "snapshot":
                    state = publication["data"]
                elif "rpc" in line:
                    page = line["rpc"]["data"]
                    state = {**state, "rooms": state["rooms"] + page["rooms"], "next": page["next"]}
                else:
                    continue
                if state["next"] is not None:
                    onward = {"method": "sync.get", "data": {"cursor": state["next"]}}
                    await ws.send_json({"id": len(sizes) + 1, "rpc": onward})
    assert max(sizes) <= PAGE and sum(sizes) > 2 * PAGE, sizes
    assert sorted(rooms_of([state])) == sorted(rooms)
    assert {entry["room"]["id"]: entry for entry in state["rooms"]} == {
        entry["room"]["id"]: entry for entry in whole["rooms"]
    }
    assert (state["me"], state["epoch"]) == (whole["me"], whole["epoch"])


async def test_a_pull_that_is_reset_gets_the_first_page(ada: Person, bob: Person) -> None:
    rooms = await filled(ada, bob, 6)
    answer = await bob.do("changes.pull", since="x.2:1")
    assert answer["reset"] and len(msgspec.json.encode(answer)) <= PAGE + 1024
    found = [answer["snapshot"]]
    while found[-1]["next"] is not None:
        found.append(await bob.do("sync.get", cursor=found[-1]["next"]))
    assert len(found) > 1 and sorted(rooms_of(found)) == sorted(rooms)


async def test_a_page_is_ones_own(ada: Person, bob: Person, eve: Person) -> None:
    await filled(ada, bob, 6)
    onward = (await bob.do("sync.get"))["next"]
    assert onward is not None and await eve.refused("sync.get", cursor=onward) == "invalid"
    for cursor in ("x", onward[:-3], "WyJhIiwiYiIsImMiXQ"):
        assert await bob.refused("sync.get", cursor=cursor) == "invalid"


async def test_all_in_one_page_has_the_latest_activity_first(ada: Person, bob: Person) -> None:
    rooms = [await ada.group(bob) for _ in range(4)]
    for room in (rooms[2], rooms[0], rooms[3], rooms[1]):
        await bob.say(room)
    (only,) = await pages(bob)
    assert rooms_of([only]) == [rooms[1], rooms[3], rooms[0], rooms[2]]


@pytest.fixture
async def small(parts: Parts, via: Via) -> AsyncIterator[World]:
    """A client of a server whose pages hold a few entries at most."""
    async with (
        installation(parts) as settings,
        serving(replace(settings, snapshot_bytes=4000)) as url,
        visiting(url) as world,
    ):
        yield world


async def test_an_entry_larger_than_a_page_comes_alone(small: World, via: Via) -> None:
    ada, bob = await small.person("ada", via=via), await small.person("bob", via=via, data=LARGE)
    large = await filled(ada, bob, 2)
    plain = [await ada.group(bob, name=f"Room {n}") for n in range(9)]
    found = await pages(bob)
    # The own profile is larger than a page by itself: nothing else is beside it.
    assert found[0]["me"]["data"]["key-00"] == LARGE["key-00"] and rooms_of(found[:1]) == []
    assert sorted(rooms_of(found)) == sorted([*large, *plain]), "each once"
    for page in found[1:]:
        assert len(msgspec.json.encode(page)) <= 4000 or (rooms_of([page])[0] in large and len(page["rooms"]) == 1)


async def test_everything_is_on_some_page_with_the_profiles_that_it_shows(small: World, via: Via) -> None:
    bob = await small.person("bob", via=via)
    people = [await small.person(f"p{n}", via=via) for n in range(12)]
    for n, one in enumerate(people):
        if n % 4 == 1:
            await one.direct(bob)
        if n % 2:
            await one.do("relationships.set", user=bob.id, type="friend")
        if n % 3 != 1:
            await bob.do("relationships.set", user=one.id, type=["friend", "", "block"][n % 3])
    found = await pages(bob)
    assert len(found) > 2 and all(len(msgspec.json.encode(page)) <= 4000 for page in found)

    def all_of(part: str, far: str) -> list[str]:
        return [one[far] for page in found for one in page[part]]

    assert sorted(all_of("relationships", "other")) == sorted(one.id for n, one in enumerate(people) if n % 3 != 1)
    befriended = [one.id for n, one in enumerate(people) if n % 2 and n % 3 != 2]
    assert sorted(all_of("friend_of", "user")) == sorted(befriended)
    # Not of those who only hold bob for a friend: anybody may.
    own = {one.id for n, one in enumerate(people) if n % 3 != 1}
    directs = {one.id for n, one in enumerate(people) if n % 4 == 1}
    assert {user["id"] for page in found for user in page["users"]} == own | directs
    for page in found:
        shown = {one["id"] for one in page["users"]}
        assert {entry["peer"] for entry in page["rooms"] if entry["room"]["type"] == "direct"} <= shown
        assert {one["other"] for one in page["relationships"]} <= shown


@asynccontextmanager
async def reader(settings: Settings, connection: Connection, user: str) -> AsyncIterator[Reader]:
    """Somebody whose snapshots are counted."""
    found = Reader(settings, connection, user)
    found.feed, found.progress = FeedEnds(settings), Progress(settings)
    await found.feed.start()
    await found.progress.start()
    try:
        yield found
    finally:
        await found.feed.stop()
        await found.progress.stop()


async def test_a_page_costs_a_page_however_much_there_is(settings: Settings) -> None:
    facts: list[Fact] = []
    for user, count in (("many", 300), ("few", 40)):
        facts.append(registered(user))
        for n in range(count):
            room = f"{user}-{n:03}"
            facts += [created(room, user), joined(room, user), posted(room, user, 1)]
            facts.append(Fact(user, RelationshipSet(other=f"friend-{n:03}", type="friend", was=None), user))
    async with given(settings, *facts) as writer:
        async with running(ReadModels(settings)):
            await writer.level()
        costs: dict[str, list[Cost]] = {}
        for user in ("many", "few"):
            async with reader(replace(settings, snapshot_bytes=16_000), writer.connection, user) as person:
                costs[user] = []
                found: list[Any] = []
                cursor: str | None = None
                while not found or cursor is not None:
                    with person.counting() as cost:
                        page = await sync(person.call, SyncRequest(cursor=cursor))
                    costs[user] += cost
                    cursor = page["next"]
                    found += [msgspec.json.decode(entry)["room"]["id"] for entry in page["rooms"]]
                    assert len(msgspec.json.encode(page)) <= 16_000
                assert sorted(found) == sorted(f"{user}-{n:03}" for n in range({"many": 300, "few": 40}[user]))
        assert costs["many"][0] == costs["few"][0] and len(costs["many"]) > 10
        assert max(cost.queries for cost in costs["many"]) <= 14, costs["many"]
        assert max(cost.rows for cost in costs["many"]) <= 250, costs["many"]
