"""Servers of live channels on a real Postgres: reports, who lives, who is inside, and which server a channel is given
to. Tests ``api/support/channel_servers.py``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.support import channel_servers
from api.support.channel_servers import FORGET_SECONDS, Member, Report, Server
from events.channels import STREAM, ChannelCreated, ChannelDeleted, ChannelUserNumbered
from events.handles import HandleClaimed, username_handle
from events.relationships import RelationshipSet
from infra.base import postgres
from infra.base.postgres import Connection
from infra.base.settings import Settings
from tests.given import Fact, given
from tests.parts import Parts
from tests.projectors.scenes import registered
from tests.servers import installation

#: Long enough for any machine: who is dead here was made so.
SECONDS = 600.0


@pytest.fixture(scope="module")
async def installed(parts: Parts) -> AsyncIterator[Settings]:
    async with installation(parts) as settings:
        yield settings


@pytest.fixture
async def connection(installed: Settings) -> AsyncIterator[Connection]:
    async with postgres.connected(installed) as connection:
        await connection.execute("delete from channel_servers; delete from channel_places")
        yield connection


async def report(connection: Connection, id: str, users: dict[int, dict[str, int]]) -> None:
    told = Report(
        id,
        f"{id}.example.org:8420",
        None if id == "c" else f"wss://{id}.example.org",
        id.title(),
        {"load": "0.5"},
        users,
    )
    await channel_servers.record(connection, told, SECONDS)


async def silent(connection: Connection, id: str, seconds: float = SECONDS) -> None:
    """The server has not reported for so long."""
    sql = "update channel_servers set reported = reported - make_interval(secs => $2) where id = $1"
    await connection.execute(sql, id, seconds)


async def chosen(connection: Connection, channel: int) -> str | None:
    place = await channel_servers.choose(connection, channel, SECONDS)
    return None if place is None else place.server.id


async def placed(connection: Connection) -> dict[int, str]:
    return {row["channel"]: row["server"] for row in await connection.fetch("select * from channel_places")}


async def serving(connection: Connection, channel: int) -> list[str]:
    return [one.id for one in await channel_servers.serving(connection, channel, SECONDS)]


async def test_a_report_takes_the_place_of_the_one_before(connection: Connection) -> None:
    await report(connection, "a", {1: {"ada": 4, "bob": 0}})
    await report(connection, "a", {2: {}})
    row = await connection.fetchrow("select * from channel_servers")
    assert row is not None and (row["users"], row["busy"], row["metric"]) == ({"2": {}}, 0, {"load": "0.5"})
    assert await serving(connection, 1) == [] and await serving(connection, 2) == ["a"]


async def test_who_is_silent_is_dead_and_lives_again_with_a_report(connection: Connection) -> None:
    for id in ("b", "a"):
        await report(connection, id, {1: {}})
    assert await serving(connection, 1) == ["a", "b"]
    await silent(connection, "a")
    assert await serving(connection, 1) == ["b"]
    assert await channel_servers.server(connection, "a") == Server(
        "a", "a.example.org:8420", "wss://a.example.org", "A"
    )
    await report(connection, "a", {1: {}})
    assert await serving(connection, 1) == ["a", "b"]


async def test_long_dead_servers_are_forgotten(connection: Connection) -> None:
    await report(connection, "a", {})
    await silent(connection, "a", FORGET_SECONDS + 1)
    await report(connection, "b", {})
    assert await channel_servers.server(connection, "a") is None


async def test_the_one_with_the_fewest_users_is_chosen_and_noted(connection: Connection) -> None:
    assert await chosen(connection, 1) is None and await placed(connection) == {}
    await report(connection, "c", {9: {"ada": 1}})
    await report(connection, "b", {})
    await report(connection, "a", {})
    assert await chosen(connection, 1) == "a", "ties go by the id"
    await report(connection, "a", {8: {"eve": 1, "bob": 1}})
    assert await chosen(connection, 1) == "a", "it stays where it was given to"
    assert await chosen(connection, 2) == "b"
    assert await placed(connection) == {1: "a", 2: "b"}


async def test_who_serves_a_channel_is_asked_for(connection: Connection) -> None:
    await report(connection, "a", {})
    first = await channel_servers.choose(connection, 1, SECONDS)
    assert first is not None and not first.serves
    await report(connection, "b", {1: {"ada": 1, "bob": 2}})
    second = await channel_servers.choose(connection, 1, SECONDS)
    assert second is not None and second.serves and second.server.id == "b", "whoever was given it does not serve it"
    await report(connection, "a", {1: {}})
    assert await chosen(connection, 1) == "b", "of two that serve it, the one that it was given to"


async def test_who_may_have_members_serves_it_by_its_report_or_was_given_it(connection: Connection) -> None:
    await report(connection, "a", {})
    assert await chosen(connection, 1) == "a"
    await report(connection, "b", {1: {"ada": 1}, 2: {}})
    await report(connection, "c", {2: {}})
    assert await serving(connection, 1) == ["a", "b"] and await serving(connection, 2) == ["b", "c"]
    await silent(connection, "a")
    assert await serving(connection, 1) == ["b"] and await serving(connection, 3) == []


async def test_channels_of_the_dead_go_to_others(connection: Connection) -> None:
    await report(connection, "a", {1: {"ada": 1}})
    assert await chosen(connection, 1) == "a"
    await report(connection, "b", {2: {"bob": 1, "eve": 1}})
    await silent(connection, "a")
    assert await chosen(connection, 1) == "b"
    await silent(connection, "b")
    assert await chosen(connection, 1) is None
    await channel_servers.forget_places(connection, SECONDS)
    assert await placed(connection) == {}


async def test_a_report_forgets_what_the_dead_had(connection: Connection) -> None:
    await report(connection, "a", {})
    assert await chosen(connection, 1) == "a"
    await silent(connection, "a")
    await report(connection, "b", {})
    assert await placed(connection) == {}


async def test_all_who_ask_at_once_are_told_the_same(connection: Connection, installed: Settings) -> None:
    for id in ("a", "b", "c"):
        await report(connection, id, {})
    pool = await postgres.pool(installed, size=8)

    async def ask(channel: int) -> str | None:
        async with pool.acquire() as own:
            return await chosen(own, channel)

    try:
        for channel in range(1, 21):
            found = await asyncio.gather(*(ask(channel) for _ in range(8)))
            assert set(found) == {(await placed(connection))[channel]}
    finally:
        await pool.close()


async def test_who_is_reported_elsewhere_by_a_later_listen(connection: Connection) -> None:
    await report(connection, "a", {1: {"ada": 5, "Bob": 7}, 2: {"eve": 3}})
    await report(connection, "b", {3: {"Ada": 6, "bob": 6}, 4: {"eve": 3}})
    assert await channel_servers.elsewhere(connection, "a", SECONDS) == [(1, "ada")]
    assert await channel_servers.elsewhere(connection, "b", SECONDS) == [(3, "bob")]
    await silent(connection, "b")
    assert await channel_servers.elsewhere(connection, "a", SECONDS) == [], "the dead have nobody"


def _claimed(user: str) -> Fact:
    return Fact(username_handle(user), HandleClaimed(user=user), user)


def _facts() -> list[Fact]:
    people = ("ada", "bob", "eve")
    block: Any = RelationshipSet(other="ada", type="block", was=None)
    return [
        *(registered(user) for user in people), *map(_claimed, people),
        Fact("eve", block, "eve"),
        Fact(STREAM, ChannelUserNumbered(user="bob", number=1), "bob"),
        Fact(STREAM, ChannelCreated(channel=1, name="Raid", limit=5, owner="ada"), "ada"),
        Fact(STREAM, ChannelDeleted(channel=1, owner="ada"), "ada"),
    ]  # fmt: skip


async def test_who_is_inside_and_what_stands_before(parts: Parts) -> None:
    async with installation(parts) as settings, given(settings, *_facts()) as writer:
        await writer.then({})
        connection = writer.connection
        await report(connection, "a", {1: {"Bob": 4, "ada": 2, "unknown": 1}, 2: {"eve": 9}})
        await report(connection, "b", {1: {"bob": 3}, 2: {}})
        inside = await channel_servers.inside(connection, [1, 2, 3], "ada", SECONDS)
        assert {channel: [tuple(one) for one in users] for channel, users in inside.items()} == {
            1: [("bob", "Bob", 1), ("ada", "Ada", None)], 2: [], 3: [],
        }  # fmt: skip
        assert [one.username for one in (await channel_servers.inside(connection, [2], "bob", SECONDS))[2]] == ["eve"]
        # Bob is reported twice, and is one; ada herself is none of the others; whom nobody knows takes a place too.
        assert await channel_servers.before(connection, 1, "ada", SECONDS) == ("ada", None, 2, False)
        assert await channel_servers.before(connection, 2, "ada", SECONDS) == ("ada", None, 1, True)
        assert await channel_servers.before(connection, 2, "bob", SECONDS) == ("bob", 1, 1, False)
        assert await channel_servers.before(connection, 1, "eve", SECONDS) == ("eve", None, 3, True)
        assert await channel_servers.before(connection, 3, "nobody", SECONDS) is None
        await silent(connection, "a")
        assert await channel_servers.before(connection, 1, "ada", SECONDS) == ("ada", None, 1, False)


async def test_places_of_deleted_channels_are_forgotten(parts: Parts) -> None:
    async with installation(parts) as settings, given(settings, *_facts()) as writer:
        await writer.then({})
        await report(writer.connection, "a", {1: {}})
        assert await chosen(writer.connection, 1) == "a" and await chosen(writer.connection, 2) == "a"
        await channel_servers.forget_places(writer.connection, SECONDS)
        assert await placed(writer.connection) == {2: "a"}


async def test_what_was_given_to_another_while_a_server_was_silent(connection: Connection) -> None:
    await report(connection, "a", {1: {}, 2: {}})
    assert await chosen(connection, 1) == "a"
    await silent(connection, "a")
    await report(connection, "b", {})
    assert await chosen(connection, 1) == "b"
    await report(connection, "a", {1: {}, 2: {}})
    assert await channel_servers.given_away(connection, "a", [1, 2], SECONDS) == [1]
    assert await channel_servers.given_away(connection, "b", [1, 2], SECONDS) == []
    await silent(connection, "b")
    assert await channel_servers.given_away(connection, "a", [1, 2], SECONDS) == [], "the other one is dead"


async def test_of_two_with_a_block_who_came_later_must_go(parts: Parts) -> None:
    # eve blocks ada.
    async with installation(parts) as settings, given(settings, *_facts()) as writer:
        await writer.then({})

        async def going(*members: tuple[str, int, float]) -> list[tuple[str, int]]:
            return await channel_servers.apart(writer.connection, [Member(*one) for one in members])

        assert await going() == []
        assert await going(("ada", 1, 10.0), ("eve", 1, 11.0), ("bob", 1, 9.0)) == [("eve", 1)]
        assert await going(("ada", 1, 12.0), ("eve", 1, 11.0)) == [("ada", 1)]
        assert await going(("ada", 1, 11.0), ("eve", 1, 11.0)) == [("eve", 1)], "the same for all who ask"
        assert await going(("ada", 1, 12.0), ("eve", 2, 11.0), ("bob", 1, 9.0)) == []


async def test_who_does_not_take_a_channel_is_asked_last(connection: Connection) -> None:
    for id in ("a", "b"):
        await report(connection, id, {})
    assert await chosen(connection, 1) == "a"
    await channel_servers.set_aside(connection, "a")
    assert await chosen(connection, 1) == "b" and await chosen(connection, 2) == "b"
    await channel_servers.set_aside(connection, "b")
    assert await chosen(connection, 3) in ("a", "b"), "there is no other"
    await report(connection, "a", {4: {}})
    assert await chosen(connection, 4) == "a", "it serves it"
    await connection.execute("update channel_servers set aside = aside - interval '1 minute' where id = 'a'")
    assert await chosen(connection, 5) == "a"
