"""The console's operations: figures of the whole installation, the tail, parked streams, a room in time, access."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import time
from typing import Any

import aiohttp
import msgspec
import pytest
from msgspec.structs import replace

from api.console import access, process_stats, processes
from api.console.follower import QUEUE, TailEvent, TailFilter, Watcher
from api.console.room_timeline import MESSAGES, RoomTimeline
from events.core.clock import after, now, uuid7
from events.core.positions import Position, Shard, parse_position
from events.messages import Message
from infra.base import postgres, reporting
from infra.base.kafka import EVENT_TOPICS
from infra.base.reporting import REPORT_PATH
from infra.base.settings import Settings
from infra.embedded.ports import free_port
from producers.engine.router import PROOF_HEADER, proof
from projectors.as_of import folding
from projectors.rebuild import fresh
from tests.api.conftest import minted
from tests.client import Refusal, World, visiting
from tests.running import until
from tests.servers import process


@asynccontextmanager
async def database(settings: Settings, **options: str) -> AsyncIterator[postgres.Connection]:
    connection = await postgres.connect(settings, **options)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def refusing_rooms(settings: Settings, name: str) -> AsyncIterator[None]:
    """Postgres refuses rooms of this name for the length of the block, as a bad migration would."""
    async with database(settings) as connection:
        await connection.execute(f"alter table rooms add constraint bad check (name <> '{name}') not valid")
        try:
            yield
        finally:
            await connection.execute("alter table rooms drop constraint bad")


async def figures(world: World, operator: str) -> Any:
    return await world.call("console.figures", {}, token=operator)


async def test_figures_show_the_whole_installation(world: World, installed: Settings, operator: str) -> None:
    ada = await world.person("ada")
    await ada.say(await ada.group())
    await ada.do("users.me")
    found = await until(lambda: _with(world, operator, ada.world.position), "the look is after the message")
    assert found["faults"] == {} and found["installation"] == installed.prefix
    assert {shard["owner"] for shard in found["shards"]} == {installed.address}
    assert len(found["shards"]) == len(EVENT_TOPICS) * installed.partitions
    assert all(shard["applied"] <= shard["end"] and shard["term"] >= 0 for shard in found["shards"] if shard["end"])
    (process,) = [one for one in found["processes"] if one["address"] == installed.address]
    assert process["roles"] == ["api", "feed", "project", "push"] and process["memory"] > 1 << 20
    assert {part: health["ok"] for part, health in process["parts"].items()} == dict.fromkeys(process["parts"], True)
    assert {"kafka", "postgres", "read_models", "feed", "push"} <= process["parts"].keys()
    assert process["counts"]["commands"] >= 3
    assert process["requests"]["counts"][-1] >= 2 and len(process["requests"]["bounds"]) > 5
    assert found["stores"]["sessions"] >= 1 and found["stores"]["bytes"] > 0
    assert found["rebuild"] is None


async def _with(world: World, operator: str, vector: Any) -> Any:
    found = await figures(world, operator)
    ends = {Shard(one["topic"], one["partition"]): one for one in found["shards"]}
    ready = all(ends[shard]["applied"] >= offset and ends[shard]["end"] >= offset for shard, offset in vector.items())
    return found if ready else None


async def test_many_who_look_cost_one_look(world: World, operator: str) -> None:
    found = await asyncio.gather(*(figures(world, operator) for _ in range(20)))
    assert len({one["at"] for one in found}) <= 2


async def test_a_process_that_does_not_answer_is_named(world: World, installed: Settings, operator: str) -> None:
    address = f"127.0.0.1:{free_port()}"

    async def named() -> Any:
        found = await figures(world, operator)
        return [one for one in found["processes"] if one["address"] == address]

    async with database(installed, application_name=postgres.process_name(installed, address)):
        (process,) = await until(named, "the process is listed")
        assert process["answering"] is False and process["error"]


async def test_only_processes_of_the_installation_are_told(world: World, installed: Settings, operator: str) -> None:
    for method, path in (
        ("GET", process_stats.FIGURES_PATH),
        ("GET", process_stats.HISTORY_PATH),
        ("POST", REPORT_PATH),
    ):
        for headers in ({}, {"Klatsch-Internal": "x"}, {"Authorization": f"Bearer {operator}"}):
            answer = await world.request(method, path, headers=headers)
            assert answer.refusal().code == "forbidden"


async def test_a_worker_tells_of_itself_and_is_missed(
    world: World, installed: Settings, operator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = reporting.ProcessReport(
        replace(installed, port=1, restarts=3, ended="ended with exit code 1"), ["analytics"], now()
    )
    parts = {"progress": {"ok": False, "state": "no progress for 61 s"}}
    telling = asyncio.create_task(
        reporting.report(world.url, {PROOF_HEADER: proof(installed)}, lambda: {**worker.figures(), "parts": parts})
    )

    async def seen() -> Any:
        found = (await figures(world, operator))["processes"]
        return next((one for one in found if one.get("roles") == ["analytics"]), None)

    try:
        shown = await until(seen, "the worker is listed")
        assert shown["answering"] and shown["parts"] == parts and shown["restarts"] == 3 and shown["memory"] > 1 << 20
    finally:
        telling.cancel()
    monkeypatch.setattr(processes, "QUIET_SECONDS", 0.1)

    async def missed() -> Any:
        found = await seen()
        return found if not found["answering"] else None

    shown = await until(missed, "the worker is missed")
    assert shown["silent"] > 0.1 and shown["error"] == "it no longer reports" and shown["parts"] == parts
    bad = await world.request("POST", REPORT_PATH, body=b"[]", headers={PROOF_HEADER: proof(installed)})
    assert bad.refusal().code == "malformed"


async def test_charts_begin_before_their_process_and_it_is_shown_when_it_went(
    world: World, installed: Settings, operator: str, tmp_path: Path
) -> None:
    """Each process has the points of the others: one that starts shows what led there, even if another that is looked
    at all the time makes every point before it can."""

    async def kept() -> Any:
        return (await world.call("console.history", {}, token=operator))["samples"]

    await until(kept, "a point is kept though nobody looks")
    settings = replace(installed, port=free_port())
    async with process(settings, frozenset({"api"}), tmp_path / "log") as other:
        began = int(time() * 1000)
        await other.ready()
        async with visiting(other.url) as there:

            async def before() -> Any:
                await figures(world, operator)
                found = await there.call("console.history", {}, token=operator)
                return [one for one in found["samples"] if one["at"] < began and "commands" in one["values"]]

            await until(before, "the other shows what was before it")

            async def listed() -> Any:
                found = {one["address"]: one for one in (await figures(world, operator))["processes"]}
                return found.get(settings.address, {}).get("roles")

            assert await until(listed, "the other is listed") == ["api"]
        await other.end()

    async def gone() -> Any:
        found = (await figures(world, operator))["processes"]
        return next((one for one in found if one["address"] == settings.address and not one["answering"]), None)

    shown = await until(gone, "it is missed")
    assert shown["roles"] == ["api"] and shown["silent"] > 0 and shown["error"]


async def test_a_rebuild_shows(world: World, installed: Settings, operator: str) -> None:
    schema = fresh.beside(installed, "next")
    builder = await fresh.connect(installed, schema)
    try:
        await fresh.make(builder, schema, await fresh.wanted(builder, "all", "folding"))
        await builder.execute(
            "insert into positions (consumer, topic, partition, next_offset) values ('read_models', 'rooms', 0, 7)"
        )

        async def shown() -> Any:
            return (await figures(world, operator))["rebuild"]

        found = await until(shown, "the rebuild shows")
        assert found == {"model": "all", "state": "folding", "places": {"rooms/0": 7}, "working": False}
    finally:
        await fresh.drop(builder, schema)
        await builder.close()


@asynccontextmanager
async def tail(world: World, token: str | None, **query: str) -> AsyncIterator[aiohttp.ClientResponse]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with world.http.get(f"{world.url}/v1/console/tail", params=query, headers=headers) as response:
        yield response


async def events(response: aiohttp.ClientResponse, number: int) -> list[Any]:
    """The next so many events of a tail."""
    found: list[Any] = []
    async with asyncio.timeout(20):
        while len(found) < number:
            line = await response.content.readline()
            assert line, "the stream has ended"
            if line.startswith(b"data: ") and "position" in (said := msgspec.json.decode(line[6:])):
                found.append(said)
    return found


async def test_the_tail_names_people_and_rooms(world: World, operator: str) -> None:
    ada, bob = await world.person("ada", name="Ada L"), await world.person("bob", name="Bob")
    tea, direct = await ada.group(bob, name="Tea"), await ada.direct(bob)
    called: dict[str, str] = {}
    async with tail(world, operator, type="message.*", actor=ada.id) as response, asyncio.timeout(20):
        for room in (tea, direct):
            await ada.say(room)
        while not {tea, direct} <= called.keys():
            line = await response.content.readline()
            assert line, "the stream has ended"
            if line.strip() == b"event: names":
                called |= msgspec.json.decode((await response.content.readline())[6:])
    assert called[ada.id] == f"Ada L ({ada.username})" and called[tea] == "#Tea"
    assert called[direct] == "Ada L and Bob"


async def test_the_tail_shows_events_as_they_stand_in_the_log(world: World, operator: str) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room, other = await ada.group(bob), await ada.group(bob)
    async with tail(world, operator, type="message.*", stream=room, actor=ada.id) as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        await bob.say(room, "of another")
        await ada.say(other, "elsewhere")
        said = [await ada.say(room, f"line\n{n}") for n in range(3)]
        found = await events(response, 3)
    assert [one["event"]["data"]["message"] for one in found] == [message["id"] for message in said]
    assert {one["event"]["type"] for one in found} == {"message.posted"}
    assert all(parse_position(one["position"]).topic == "rooms" for one in found)


async def test_the_tail_takes_names(world: World, operator: str) -> None:
    ada = await world.person("ada")
    name = f"Tea {ada.username}"
    room, other = await ada.group(name=name), await ada.group()

    async def listed(id: str) -> bool:
        return bool((await world.call("console.rooms", {"name": id}, token=operator))["rooms"])

    await until(lambda: listed(room), "the room is in the read models")
    async with tail(world, operator, type="message.*", stream=f"#{name}", actor=ada.username) as response:
        await ada.say(other, "elsewhere")
        said = await ada.say(room, "here")
        (found,) = await events(response, 1)
    assert found["event"]["data"]["message"] == said["id"]
    async with tail(world, operator, stream="nowhere", actor="nobody") as response, asyncio.timeout(20):
        lines = [await response.content.readline() for _ in range(2)]
        assert lines == [b"event: unknown\n", b'data: ["nowhere","nobody"]\n']
    # Two rooms that are shown alike.
    twin = await ada.group(name=f"#{name}")
    await until(lambda: listed(twin), "the other is too")
    async with tail(world, operator, stream=f"#{name}") as response:
        problem = await response.json()
    assert response.status == 422 and problem["errors"][0]["parameter"] == "stream"
    assert room in problem["detail"] and twin in problem["detail"]


async def test_the_tail_is_for_operators(world: World, operator: str) -> None:
    ada = await world.person("ada")
    for token, status in ((None, 401), ("garbage", 401), (ada.token, 403)):
        async with tail(world, token) as response:
            assert response.status == status
    for query in ({"colour": "red"}, {"stream": "x" * 300}):
        async with tail(world, operator, **query) as response:
            assert response.status == 422


async def test_the_tail_ends_with_its_token(world: World, installed: Settings) -> None:
    token = minted(installed, expires=after(now(), 2))
    async with asyncio.timeout(30), tail(world, token) as response:
        ada = await world.person("ada")
        room = await ada.group()
        while not response.content.at_eof():
            await ada.say(room)
            await response.content.readany()


def test_a_slow_watcher_loses_the_oldest_and_knows_it() -> None:
    watcher = Watcher(TailFilter(type="message.*"))
    for n in range(QUEUE + 7):
        watcher.offer(TailEvent(Position("rooms", 0, 2 * n), "message.posted", "r", "ada", "", b"{}"))
        watcher.offer(TailEvent(Position("rooms", 0, 2 * n + 1), "room.created", "r", "ada", "", b"{}"))
    found = watcher.take()
    assert (len(found), watcher.dropped) == (QUEUE, 7)
    assert [seen.position.offset for seen in (found[0], found[-1])] == [14, 2 * (QUEUE + 6)]
    assert watcher.take() == []


async def test_parked_streams_are_shown_and_retried(world: World, installed: Settings, operator: str) -> None:
    ada = await world.person("ada")
    name = f"bad {uuid7()}"
    free = await ada.group()
    async with refusing_rooms(installed, name):
        room = (await ada.do("rooms.create", type="public", name=name, members=[]))["room"]["id"]
        rows = await until(lambda: _parked(world, operator, room), "the stream is parked")
        (stream,) = rows
        assert "CheckViolation" in stream["error"] and stream["consumer"] == "read_models"
        shown = await world.call("console.parked_stream", {"stream": room}, token=operator)
        assert shown["events"][0]["event"]["type"] == "room.created"
        assert [part["streams"] for part in (await figures_with_parked(world, operator))] == [1]
        assert (await world.call("console.retry", {"stream": room}, token=operator))["applied"] == 0
    answer = await world.call("console.retry", {"stream": room}, token=operator)
    assert answer["applied"] >= 1 and answer["parked"] == 0
    assert await _parked(world, operator, room) == []
    assert (await ada.do("rooms.get", room=room))["room"]["name"] == name
    for stream_ in (room, free):
        with pytest.raises(Refusal, match="not_found"):
            await world.call("console.retry", {"stream": stream_}, token=operator)


async def _parked(world: World, operator: str, stream: str) -> list[Any]:
    found = await world.call("console.parked", {}, token=operator)
    return [one for one in found["streams"] if one["stream"] == stream]


async def figures_with_parked(world: World, operator: str) -> Any:
    async def look() -> Any:
        return (await figures(world, operator))["parked"]

    return await until(look, "the figures count what is parked")


async def past(world: World, operator: str, room: str, **query: Any) -> Any:
    return await world.call("console.room", {"room": room, **query}, token=operator)


async def test_a_room_as_it_was(world: World, operator: str) -> None:
    ada, bob = await world.person("ada", name="Ada"), await world.person("bob", name="Bob")
    room = await ada.group(bob, name="Before", type="private")
    first = await ada.say(room, "first")
    before = (await past(world, operator, room))["number"]
    await ada.do("rooms.change", room=room, name="After")
    await ada.do("messages.edit", room=room, message=first["id"], content={"text": "edited"})
    await ada.do("messages.delete", room=room, message=first["id"])
    await ada.do("members.set_role", room=room, user=bob.id, role="admin")
    await bob.do("members.remove", room=room, user="me")
    then, at_present = await past(world, operator, room, number=before), await past(world, operator, room)
    assert (then["room"]["name"], at_present["room"]["name"]) == ("Before", "After")
    assert [one["content"]["text"] for one in then["messages"] if one["type"] == "text"] == ["first"]
    assert [one["deleted"] is None for one in at_present["messages"] if one["type"] == "text"] == [False]
    assert [(then["names"][one["user"]], one["role"]) for one in then["members"]] == [
        ("Ada", "owner"),
        ("Bob", "member"),
    ]
    assert [one["user"] for one in at_present["members"]] == [ada.id]
    read = await ada.do("messages.read", room=room)
    assert at_present["messages"] == sorted(read["messages"], key=lambda one: one["seq"])
    # By the offset, and by the time, of that event; nobody is there before the room was.
    offset = parse_position(then["position"]).offset
    assert (await past(world, operator, room, at=offset))["number"] == before
    assert (await past(world, operator, room, at=at_present["last"]))["number"] == at_present["count"]
    assert (await past(world, operator, room, number=1))["members"] == []


async def test_places_that_a_room_does_not_have_are_refused(world: World, operator: str) -> None:
    ada = await world.person("ada")
    room = await ada.group()
    count = (await past(world, operator, room))["count"]
    bad: list[dict[str, Any]] = [
        {"at": "2020-01-01T00:00:00.000Z"}, {"at": "yesterday"}, {"at": 10**15}, {"at": -1}, {"number": 0},
        {"number": count + 1}, {"at": 1, "number": 1}, {"at": "2020-13-01T00:00:00.000Z"},
    ]  # fmt: skip
    for query in bad:
        with pytest.raises(Refusal, match=r"invalid.*[Ee]xpected"):
            await past(world, operator, room, **query)
    with pytest.raises(Refusal, match="not_found"):
        await past(world, operator, "no-such-room")


async def test_rooms_of_any_kind_are_found(world: World, operator: str) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    name = f"Stars {uuid7()[-8:]}"
    hidden, direct = await ada.group(name=name, type="private"), await ada.direct(bob)
    for wanted, expected in ((name, hidden), (name[2:], hidden), (hidden, hidden), (direct, direct)):
        found = await world.call("console.rooms", {"name": wanted}, token=operator)
        assert [one["id"] for one in found["rooms"]] == [expected]
    latest = await world.call("console.rooms", {}, token=operator)
    assert {hidden, direct} <= {one["id"] for one in latest["rooms"]}


async def test_the_course_of_a_long_room(
    world: World, installed: Settings, operator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folded on from a mark it is what it is folded from the beginning, but for messages that are no longer shown."""
    monkeypatch.setattr(folding, "CHUNK", 40)
    ada = await world.person("ada")
    room = await ada.group()
    said = [await ada.say(room, str(n)) for n in range(MESSAGES + 60)]
    for message in random.Random(5).sample(said, 30):
        await ada.do("messages.edit", room=room, message=message["id"], content={"text": "edited"})
    position = (await past(world, operator, room))["position"]
    course = RoomTimeline(parse_position(position).shard, room)
    async with database(installed) as connection:
        await course.follow(connection)
        for number in (1, 39, 40, 41, 120, 255, len(course.offsets)):
            state, event = await course.state(connection, number)
            whole = await folding.state_as_of(connection, course.shard, room, event.offset)
            messages = {key: one for key, one in whole.items() if isinstance(one, Message)}
            shown = dict(sorted(messages.items(), key=lambda item: item[1].seq)[-MESSAGES:])
            gone = messages.keys() - shown.keys()
            assert state == {key: one for key, one in whole.items() if key not in gone and key[0] != "revision"}


async def test_a_console_renews_its_token_for_a_day(world: World, installed: Settings, operator: str) -> None:
    first = await world.call("console.renew", {}, token=operator)
    assert first["seconds"] == access.TOKEN_SECONDS
    second = await world.call("console.renew", {}, token=first["token"])
    await world.call("console.figures", {}, token=second["token"])
    long_ago = int((time() - access.STAY_SECONDS) * 1000)
    almost = minted(installed, session=f"console:{uuid7(long_ago + 60_000)}")
    assert 0 < (await world.call("console.renew", {}, token=almost))["seconds"] <= 60
    over = minted(installed, session=f"console:{uuid7(long_ago - 1000)}")
    with pytest.raises(Refusal, match=r"forbidden.*klatsch console"):
        await world.call("console.renew", {}, token=over)


async def test_without_postgres_the_figures_say_so(world: World, installed: Settings, operator: str) -> None:
    """Who looks when a part is away is the one who is to mend it."""
    async with database(installed) as connection:
        await connection.execute("alter table positions rename to gone")
        try:

            async def faults() -> Any:
                return (await figures(world, operator))["faults"]

            found = await until(faults, "the fault shows")
        finally:
            await connection.execute("alter table gone rename to positions")
    assert "UndefinedTable" in found["postgres"]

    async def well() -> bool:
        return not (await figures(world, operator))["faults"]

    await until(well, "all is well again")
