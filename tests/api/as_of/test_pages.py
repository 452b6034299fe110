"""A page of the past costs a page: queries and rows do not grow with what its reader owns, and pages hold it all.
Tests ``api/as_of/people.py`` and ``api/as_of/rooms.py``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

import msgspec
import pytest

from api import relationships, visuals
from api import rooms as present
from api.as_of import people, rooms
from events.core.clock import now
from events.core.positions import encode_vector
from events.registry import REGISTRY
from events.relationships import RelationshipSet
from events.rooms import RoomDeleted, RoomRenamed
from events.visuals import VisualChanged, VisualCreated
from infra.base.settings import Settings
from projectors.read_models.projector import ReadModels
from tests.api.counting import Cost, Reader
from tests.client import Person, World
from tests.deadline import until
from tests.given import Fact, Given, given
from tests.projectors.scenes import created, joined, posted, registered
from tests.running import running

#: Rooms, friends and visuals of somebody who has many, and of somebody who has few.
MANY, FEW = 300, 40


def owned(user: str, count: int) -> list[Fact]:
    """Rooms in which each has said something, friends in both directions, visuals."""
    found = [registered(user)]
    for n in range(count):
        room, other = f"{user}-{n:03}", f"friend-{n:03}"
        found += [created(room, user), joined(room, user), joined(room, "friend"), posted(room, user, 1)]
        found += [Fact(user, RelationshipSet(other=other, type="friend", was=None), user),
                  Fact(other, RelationshipSet(other=user, type="friend", was=None), other)]  # fmt: skip
        found.append(Fact(user, VisualCreated(visual=f"{user}-v{n:03}", model_data={"n": n}, emotion_data={}), user))
    return found


def changes(user: str, count: int) -> list[Fact]:
    """Each room, visual and friendship afterwards is another one than before."""
    found: list[Fact] = []
    for n in range(count):
        room, other = f"{user}-{n:03}", f"friend-{n:03}"
        found += [Fact(room, RoomRenamed(name="Other"), user), posted(room, "friend", 2)]
        found += [Fact(user, RelationshipSet(other=other, type=None, was="friend"), user),
                  Fact(other, RelationshipSet(other=user, type=None, was="friend"), other)]  # fmt: skip
        found.append(Fact(user, VisualChanged(visual=f"{user}-v{n:03}", model_data={"n": -n}), user))
    return found


def _grouped(writer: Given, facts: list[Fact]) -> list[Fact]:
    """Shard by shard, so that they are appended in a few batches."""
    return sorted(facts, key=lambda fact: writer.shard(REGISTRY.of(fact.event).topics[0], fact.stream))


@asynccontextmanager
async def history(settings: Settings) -> AsyncIterator[tuple[Given, dict[Any, int], str]]:
    """Somebody with many things and somebody with few, all changed since a moment: next offsets, and a time."""
    async with given(settings) as writer:
        await writer.events(*_grouped(writer, [registered("friend"), *owned("many", MANY), *owned("few", FEW)]))
        moment, time = dict(writer.ends), now()
        until(lambda: now() > time)
        await writer.events(*_grouped(writer, [*changes("many", MANY), *changes("few", FEW)]))
        async with running(ReadModels(settings)):
            await writer.level()
        yield writer, moment, time


Page = Callable[[Reader, Any, int, str | None], Awaitable[tuple[list[dict[str, Any]], str | None]]]


async def _rooms(reader: Reader, then: Any, limit: int, cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
    answer = await rooms.find(reader.call, present.FindRoomsRequest(limit=limit, cursor=cursor), then)
    return answer["rooms"], answer["next"]


def _related(direction: Literal["out", "in"]) -> Page:
    async def page(reader: Reader, then: Any, limit: int, cursor: str | None) -> Any:
        request = relationships.ListRelationshipsRequest(direction=direction, limit=limit, cursor=cursor)
        answer = await people.relationships(reader.call, request, then)
        return answer["relationships"], answer["next"]

    return page


async def _visuals(reader: Reader, then: Any, limit: int, cursor: str | None) -> Any:
    answer = await people.visuals(reader.call, visuals.ListVisualsRequest(limit=limit, cursor=cursor), then)
    return answer["visuals"], answer["next"]


LISTS: dict[str, Page] = {
    "rooms": _rooms, "friends": _related("out"), "friend of": _related("in"), "visuals": _visuals,
}  # fmt: skip


async def walked(page: Page, reader: Reader, moment: Any, limit: int) -> list[dict[str, Any]]:
    """All pages of a list."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        some, cursor = await page(reader, reader.then(moment), limit, cursor)
        assert len(some) <= limit
        found += some
        if cursor is None:
            return found


async def test_a_page_costs_a_page_however_much_there_is(settings: Settings) -> None:
    async with history(settings) as (writer, offsets, time):
        for when in (offsets, time):
            for name, page in LISTS.items():
                costs: dict[tuple[str, int], Cost] = {}
                for user in ("many", "few"):
                    reader = Reader(settings, writer.connection, user)
                    for limit in (1, 20):
                        with reader.counting() as cost:
                            found, more = await page(reader, reader.then(when), limit, None)
                        assert more is not None and len(found) == limit, (when, name, user)
                        costs[user, limit] = cost[0]
                for limit in (1, 20):
                    assert costs["many", limit] == costs["few", limit], (when, name, costs)
                one, twenty = costs["many", 1], costs["many", 20]
                assert one.queries == twenty.queries <= 15 and one.rows <= 120, (when, name, costs)


async def test_all_pages_together_hold_what_was_there(settings: Settings) -> None:
    async with history(settings) as (writer, moment, _):
        reader = Reader(settings, writer.connection, "many")
        for limit in (7, 200):
            found = await walked(_rooms, reader, moment, limit)
            assert [(one["room"]["id"], one["room"]["name"], one["room"]["seq"]) for one in found] == [
                (f"many-{n:03}", f"many-{n:03}", 1) for n in range(MANY)
            ]
            assert {one["message"]["id"] for one in found} == {f"many-{n:03}-m1" for n in range(MANY)}
            friends = await walked(LISTS["friends"], reader, moment, limit)
            assert [one["other"] for one in friends] == [f"friend-{n:03}" for n in range(MANY)]
            assert [one["user"] for one in await walked(LISTS["friend of"], reader, moment, limit)] == [
                f"friend-{n:03}" for n in range(MANY)
            ]
            shapes = [one["model_data"] for one in await walked(_visuals, reader, moment, limit)]
            assert shapes == [{"n": n} for n in range(MANY)]


async def test_what_was_not_there_yet_makes_short_pages_that_go_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One room of the moment stands behind many later ones: each request looks at some of them, and says so."""
    monkeypatch.setattr(rooms, "SCAN", 20)
    monkeypatch.setattr(rooms, "STEP", 10)
    async with given(settings, registered("ada"), created("z", "ada"), joined("z", "ada")) as writer:
        moment = {
            shard: writer.ends.get(shard, 0)
            for n in range(2)
            for shard in [writer.shard("rooms", "z")._replace(partition=n)]
        }
        later = [fact for n in range(60) for fact in (created(f"a{n:02}", "ada"), joined(f"a{n:02}", "ada"))]
        await writer.events(*later, Fact("a00", RoomDeleted(), "ada"))
        async with running(ReadModels(settings)):
            await writer.level()
        reader = Reader(settings, writer.connection, "ada")
        sizes: list[list[str]] = []
        cursor = None
        while not sizes or cursor is not None:
            found, cursor = await _rooms(reader, reader.then(moment), 1, cursor)
            sizes.append([one["room"]["id"] for one in found])
        assert sizes == [[], [], [], ["z"]]


async def test_rooms_that_are_much_work_come_a_few_at_a_time(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "EVENTS", 10)
    names = [f"r{n}" for n in range(6)]
    crowd = [
        fact
        for room in names
        for fact in (created(room, "ada"), *(joined(room, f"u{n}") for n in range(4)), joined(room, "ada"))
    ]
    async with given(settings, registered("ada"), *crowd) as writer:
        moment = dict(writer.ends)
        await writer.events(*(Fact(room, RoomRenamed(name="Other"), "ada") for room in names))
        async with running(ReadModels(settings)):
            await writer.level()
        # Six events each: more than one of them is too much.
        fresh = Reader(settings, writer.connection, "ada")
        found, more = await _rooms(fresh, fresh.then(moment), 6, None)
        assert [one["room"]["name"] for one in found] == ["r0"] and more is not None
        assert [one["room"]["name"] for one in await walked(_rooms, fresh, moment, 6)] == names
        assert all(one["room"]["members"] == 5 for one in await walked(_rooms, fresh, moment, 6))
        # Rooms that are remembered are no work.
        assert len((await _rooms(fresh, fresh.then(moment), 6, None))[0]) == 6


async def test_a_cursor_of_another_list_is_refused(settings: Settings) -> None:
    async with given(settings, registered("ada")) as writer:
        reader = Reader(settings, writer.connection, "ada")
        with pytest.raises(Exception, match="cursor: expected"):
            await _rooms(reader, reader.then({}), 1, "W10")
        assert msgspec.json.encode(await walked(_rooms, reader, {}, 1)) == b"[]"


async def forward(person: Person, room: str, moment: str, page: dict[str, Any]) -> list[int]:
    """The numbers of a page of the past and of all pages after it."""
    found: list[int] = []
    while True:
        found += [message["seq"] for message in page["messages"]]
        if page["newer"] is None:
            return found
        page = await person.do("messages.read", room=room, cursor=page["newer"], as_of=moment)


async def test_pages_going_forward_end_where_the_room_ended_then(world: World, ada: Person, bob: Person) -> None:
    room = await ada.group(bob)
    moments = {0: encode_vector(world.position)}
    for seq in range(1, 4):
        await ada.say(room, f"number {seq}")
        moments[seq] = encode_vector(world.position)
    for last, moment in moments.items():
        for limit in (2, 50):
            for place in (0, 1, 2, 4):
                request: dict[str, Any] = {"room": room, "as_of": moment, "limit": limit}
                for more in ({}, {"type": "text"}):
                    page = await bob.do("messages.read", **request, **more, after=place)
                    found = await forward(bob, room, moment, page)
                    assert found == list(range(place + 1, last + 1)), (last, limit, place, more)
                page = await bob.do("messages.read", **request, around=place)
                found = await forward(bob, room, moment, page)
                assert found == list(range(found[0], last + 1)) if found else last == 0, (last, limit, place)
