"""What the feed holds for users of one application has nothing of another: each record of the topic, and what cursors
of others find. Tests ``events/core/feed.py`` and ``projectors/feed/projector.py``."""

from __future__ import annotations

import re
from functools import partial
from typing import NamedTuple

import pytest

from events.core.feed import ROOM_MARK, FeedItem, decode_record, partition_of
from events.core.log import OPENED_HEADER, TermFilter
from infra.base import kafka, postgres
from infra.base.settings import Settings
from producers.engine.log import read_tail
from tests.api.applications import everything, made, person
from tests.client import Person, World
from tests.running import until

#: Ids as they stand in deltas, with what may be a room's or a channel's own name left out.
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: Tables whose ids deltas name, each with where its application stands.
_NAMED = (
    "select id, app from users", "select id, app from rooms", "select id, app from visuals", "select id, id from apps",
    "select m.id, r.app from messages m join rooms r on r.id = m.room",
    "select s.id, u.app from sessions s join users u on u.id = s.user",
)  # fmt: skip


class Scene(NamedTuple):
    """Three people of each of two applications, and cursors of before they did anything."""

    people: list[list[Person]]
    cursors: list[list[str]]


@pytest.fixture
async def scene(world: World, operator: str) -> Scene:
    apps = [await made(world, operator), await made(world, operator)]
    people = [[await person(world, app, name, "http") for name in ("ada", "bob", "eve")] for app in apps]
    cursors = [[str((await one.do("changes.pull"))["cursor"]) for one in group] for group in people]
    for group in people:
        await everything(*group)
    for group in people:
        for one, cursor in zip(group, cursors[people.index(group)], strict=True):
            await until(partial(_has_heard, one, cursor), "they have heard of it")
    return Scene(people, cursors)


async def _has_heard(one: Person, cursor: str) -> bool:
    return bool((await one.do("changes.pull", since=cursor))["changes"])


async def apps_by_id(settings: Settings) -> dict[str, str]:
    """Of which application each id is that is known."""
    async with postgres.connected(settings) as connection:
        return {id: app for query in _NAMED for id, app in await connection.fetch(query)}


async def recorded(settings: Settings) -> list[tuple[int, FeedItem]]:
    """All valid items of the feed, with their partitions."""
    found, topic = [], settings.topic("feed")
    ends = await kafka.end_offsets(settings, topic, settings.feed_partitions)
    for partition, end in ends.items():
        admitted = TermFilter()
        async for records in read_tail(settings, topic, partition, 0, end - 1):
            for raw in records:
                if admitted.admits(raw.offset, raw.headers) and raw.headers[0][0] != OPENED_HEADER:
                    found += [(partition, item) for item in decode_record(raw.value).items]
    return found


async def test_each_record_names_things_of_its_recipients_application(installed: Settings, scene: Scene) -> None:
    homes = await apps_by_id(installed)
    ours = {one.id: homes[one.id] for group in scene.people for one in group}
    heard: dict[str, set[str]] = {app: set() for app in ours.values()}
    for partition, item in await recorded(installed):
        # Of an application that another test has erased nobody is known any more.
        to = {homes[id] for one in item.recipients if (id := one.removeprefix(ROOM_MARK)) in homes}
        if not to:
            continue
        assert len(to) == 1, f"recipients of several applications: {item.recipients}"
        text = bytes(item.delta).decode()
        named = {id: homes[id] for id in _ID.findall(text) if id in homes}
        assert set(named.values()) <= to, f"for {to}: {text}"
        for one in item.recipients:
            assert one.startswith(ROOM_MARK) or partition_of(one, installed.feed_partitions) == partition
        for app in to & heard.keys():
            heard[app] |= named.keys()
    first, second = heard.values()
    assert len(first) > 6 and len(second) > 6 and not first & second


async def test_a_cursor_of_another_application_finds_ones_own_only(installed: Settings, scene: Scene) -> None:
    homes = await apps_by_id(installed)
    (ones, others), (cursors, _) = scene.people, scene.cursors
    for other in others:
        app = homes[other.id]
        for one, cursor in zip(ones, cursors, strict=True):
            answer = await other.do("changes.pull", since=cursor, limit=1000)
            named = {id: homes[id] for id in _ID.findall(repr(answer)) if id in homes}
            assert set(named.values()) <= {app}, (one.id, answer)


async def test_nobody_subscribes_to_the_channel_of_another(world: World, scene: Scene) -> None:
    (one, *_), (other, *_) = scene.people
    socket = await world.socket(other.token)
    epoch, _, offset = scene.cursors[0][0].rpartition(":")
    for body in (
        {"channel": f"user:{one.id}"},
        {"channel": f"user:{one.id}", "recover": True, "epoch": epoch, "offset": int(offset or 0)},
    ):
        reply = await socket.command("subscribe", body)
        assert "error" in reply, reply
    assert one.id not in repr(socket.pushed)
