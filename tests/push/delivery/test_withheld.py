"""What is left out of older deltas: each type that holds something, and only what is deleted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from typing import Any

import pytest

from events.core.positions import Vector
from events.registry import REGISTRY
from infra.base.settings import Settings
from projectors.views.rooms import GONE
from push.delivery import pull
from push.delivery.hub import Hub
from push.delivery.withheld import Deleted, named, without
from push.protocol import codes
from push.protocol.items import HOLDING, FeedDelta
from tests.push.conftest import until
from tests.push.delivery.test_hub import Sink, now
from tests.push.feeding import Feed

WHEN = "2026-11-21T08:15:30.123Z"
NONE = Deleted({}, ())
FOLLOWING = ("seq", "last", "members", "pins", "owner")
MESSAGE, ROOM = Deleted({"m": WHEN}, ()), Deleted({}, {"r"})
#: Types of rooms' events that hold nothing of what was said or written there. A new type has its place here, or in
#: HOLDING with a row in push/delivery/withheld.py.
PLAIN = {
    "room.archived", "room.unarchived", "room.deleted", "member.left", "member.role_changed", "member.read",
    "member.notifications_set", "message.deleted", "message.pinned", "message.unpinned",
    "invitation.declined", "invitation.withdrawn", "key.used", "channel.created", "channel.deleted",
    "channel.user_numbered",
}  # fmt: skip


def item(type: str, data: Any, include: Any = None) -> FeedDelta:
    delta = {"id": "e", "type": type, "position": "rooms/0/7", "stream": "r", "actor": "ada", "data": data}
    if include is not None:
        delta["include"] = include
    return FeedDelta(4096, json.dumps(delta).encode(), 7, None, type in HOLDING)


def message(id: str = "m", deleted: str | None = None) -> dict[str, Any]:
    return {"id": id, "seq": 3, "content": {"text": "secret"}, "data": {"a": "secret"}, "deleted": deleted}


def left(one: FeedDelta, deleted: Deleted) -> Any:
    (found,) = without([one], deleted)
    assert (found.cursor, found.at) == (one.cursor, one.at)
    return json.loads(found.delta)


def test_every_type_of_a_room_s_events_is_known_to_hold_something_or_not() -> None:
    types = {row.name for row in REGISTRY.events.values() if "rooms" in row.topics} - {"log.opened"}
    assert types == HOLDING | PLAIN and not HOLDING & PLAIN


@pytest.mark.parametrize("type", sorted(HOLDING))
def test_nothing_of_a_sample_is_left_of_what_is_deleted(type: str) -> None:
    sample = REGISTRY.events[type].sample
    data = {name: getattr(sample, name) for name in sample.__struct_fields__}
    kept = {"message", "seq", "token", "type", "visibility", "user", "role", "willing"}
    # Of a room whatever a deleted one does not show, but for what follows from messages and members.
    room = {name: "secret" for name in GONE if name not in FOLLOWING} | {"id": "r"}
    one = item(type, {name: value if name in kept else "secret" for name, value in data.items()},
               {"message": message(), "restored": message(), "room": room,
                "joined": {"user": "ada", "custom": "secret"},
                "invitation": {"room": "r", "user": "ada", "name": "secret"}})  # fmt: skip
    assert "secret" in str(left(one, NONE))
    found = left(one, Deleted({"m": WHEN}, {"r"}))
    assert "secret" not in str(found) and found["deleted"] is True
    assert {name: value for name, value in found["data"].items() if name in kept} == {
        name: value for name, value in data.items() if name in kept
    }


def test_a_field_of_a_newer_producer_goes_with_the_message() -> None:
    posted = {"message": "m", "seq": 3, "token": "t", "type": "text", "content": {"text": "secret"}, "data": {}}
    found = left(item("message.posted", {**posted, "quote": "secret"}), MESSAGE)
    assert found["data"] == {**posted, "content": {}}


def test_of_a_deleted_room_the_messages_go_too_and_of_a_deleted_message_not_the_room() -> None:
    posted = item("message.posted", {"message": "m", "content": {"text": "a"}, "data": {}})
    assert left(posted, ROOM)["data"] == {"message": "m", "content": {}, "data": {}}
    renamed = item("room.renamed", {"name": "x"})
    assert without([renamed], MESSAGE) == [renamed] and left(renamed, ROOM)["data"] == {"name": ""}
    other = item("message.posted", {"message": "n", "content": {"text": "a"}, "data": {}})
    assert without([other], MESSAGE) == [other], "the very bytes"


def test_what_was_deleted_when_it_was_told_of_is_as_it_was() -> None:
    told = {**message(deleted=WHEN), "content": {}, "data": {}}
    one = item("message.restored", {"message": "m"}, {"restored": told})
    assert without([one], MESSAGE) == [one]
    (again,) = without([item("message.restored", {"message": "m"}, {"restored": message()})], MESSAGE)
    assert json.loads(again.delta)["include"]["restored"] == told


def test_what_is_asked_for_is_what_is_held() -> None:
    joined = item("member.joined", {"user": "u", "message": None}, {"message": message("last"), "room": {"id": "r"}})
    assert named([joined]) == ({"last"}, {"r"})
    assert named([item("member.read", {"user": "u", "seq": 3})]) == (set(), set())
    assert named([item("member.joined", {"user": "u"}, {"message": None})]) == (set(), {"r"})


class Asked:
    """Answers when the test says so."""

    def __init__(self) -> None:
        self.questions: list[tuple[Collection[str], Collection[str], Vector]] = []
        self.answer: asyncio.Future[Deleted] = asyncio.get_running_loop().create_future()

    async def __call__(self, messages: Collection[str], rooms: Collection[str], vector: Vector) -> Deleted:
        self.questions.append((messages, rooms, vector))
        return await asyncio.shield(self.answer)


@pytest.fixture(params=[4096, 1])
async def asking(settings: Settings, request: pytest.FixtureRequest) -> Any:
    """A hub that has the older deltas in memory, or must read them from Kafka."""
    asked = Asked()
    hub = Hub(settings, None, asked, ring_records=request.param)
    await hub.start()
    yield hub, asked
    asked.answer.cancel()
    await hub.stop()


async def test_what_comes_while_the_question_is_open_comes_after(asking: tuple[Hub, Asked], feed: Feed) -> None:
    hub, asked = asking
    place, live = await now(hub, "ann"), Sink(hub, "ann").follow(await now(hub, "ann"))
    await feed.send("ann", "1", "2")
    await until(lambda: live.texts == ["1", "2"])
    sink = Sink(hub, "ann").follow(place)
    await until(lambda: asked.questions)
    await feed.send("ann", "3")
    await until(lambda: live.texts == ["1", "2", "3"])
    assert sink.texts == [] and sink.disconnect is None
    asked.answer.set_result(NONE)
    await until(lambda: len(sink.texts) == 3)
    await feed.send("ann", "4")
    await until(lambda: len(sink.texts) == 4)
    assert sink.texts == ["1", "2", "3", "4"] and sink.cursors == sorted(set(sink.cursors))
    assert asked.questions[-1][2], "as of what the node has read"


async def test_one_who_goes_meanwhile_gets_nothing(asking: tuple[Hub, Asked], feed: Feed) -> None:
    hub, asked = asking
    place, live = await now(hub, "ann"), Sink(hub, "ann").follow(await now(hub, "ann"))
    await feed.send("ann", "1", "2")
    await until(lambda: live.texts == ["1", "2"])
    sink = Sink(hub, "ann").follow(place)
    await until(lambda: asked.questions)
    sink.cut(codes.SHUTDOWN)
    asked.answer.set_result(NONE)
    page, _ = await pull.read(hub, "ann", place, 2)
    assert len(page) == 2 and sink.texts == []


async def test_nothing_is_given_out_while_nobody_can_tell(settings: Settings, feed: Feed) -> None:
    asked = Asked()
    asked.answer.set_exception(ConnectionError("Postgres is away"))
    hub = Hub(settings, None, asked)
    await hub.start()
    try:
        place, live = await now(hub, "ann"), Sink(hub, "ann").follow(await now(hub, "ann"))
        await feed.send("ann", "1")
        await until(lambda: live.texts == ["1"])
        sink = Sink(hub, "ann").follow(place)
        await until(lambda: sink.disconnect)
        assert (sink.disconnect, sink.texts) == (codes.SERVER_ERROR, [])
    finally:
        await hub.stop()
