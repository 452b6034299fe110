"""Live channels over HTTP and RPC: who may, what is shown, and the way to a server. Tests ``api/channels.py``."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from time import time
from typing import Any

import pytest

from api.grpc.relays import Relays
from api.support.channel_servers import Server
from api.support.problems import Problem
from events.channels import STREAM
from infra.base import postgres
from infra.base.settings import Settings
from push.relay.tokens import read_channel_token
from tests.api.conftest import minted
from tests.client import Person, Refusal, Via, World, visiting
from tests.parts import Parts
from tests.running import until
from tests.servers import installation, serving

#: What servers were told to serve; a channel of the name `refused` they refuse.
added: list[tuple[str, int, str, int]] = []
#: Servers that take no channel, and all that were asked, in order.
refusing: set[str] = set()
tried: list[str] = []
ADDRESS = "127.0.0.1:8420"


async def _add(server: Server, channel: int, name: str, limit: int) -> None:
    tried.append(server.name)
    if name == "refused" or server.name in refusing:
        raise Problem("unavailable", "expected the server to answer, it did not", retry_after=3)
    added.append((server.name, channel, name, limit))


@pytest.fixture(scope="module")
async def installed(parts: Parts) -> AsyncIterator[Settings]:
    """An installation of its own: no other test's servers live in it."""
    async with installation(parts) as settings:
        yield settings


@pytest.fixture(scope="module")
async def world(installed: Settings) -> AsyncIterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Relays, "add", staticmethod(_add))
        async with serving(installed) as url, visiting(url) as world:
            yield world


@pytest.fixture(scope="module")
def operator(installed: Settings) -> str:
    return minted(installed)


@pytest.fixture
async def connection(installed: Settings) -> AsyncIterator[postgres.Connection]:
    """With no server of an earlier test."""
    async with postgres.connected(installed) as connection:
        await connection.execute("delete from channel_servers; delete from channel_places")
        yield connection


async def server(world: World, operator: str, via: Via = "http") -> Person:
    """A server of channels that has not reported yet."""
    fields = {"username": f"relay-{secrets.token_hex(5)}", "scopes": ["channels:serve"]}
    return Person(world, await world.call("services.register", fields, token=operator), via)


async def reports(relay: Person, *channels: int, **users: int) -> None:
    """It reports that it serves channels, with users (each in one of them) by their usernames."""
    served = [
        {"id": id, "users": [{"id": name} for name, where in users.items() if where == id]} for id in channels
    ]  # fmt: skip
    await relay.do("channels.report", metric={"addr": ADDRESS, "name": relay.username}, channels=served)


async def dead(connection: postgres.Connection, relay: Person) -> None:
    """It has not reported for a minute."""
    await connection.execute(
        "update channel_servers set reported = reported - interval '1 minute' where id = $1", relay.id
    )


async def made(person: Person, name: str = "Raid", limit: int = 5) -> int:
    return int((await person.do("channels.create", name=name, limit=limit))["channel"]["id"])


async def refusal(person: Person, name: str, /, **fields: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await person.do(name, **fields)
    return caught.value


async def test_what_a_server_of_others_reports_is_told_to_who_watches(
    world: World, operator: str, ada: Person, bob: Person
) -> None:
    channel, relay = await made(ada), await server(world, operator)
    socket = await world.socket(ada.token)
    await socket.rpc("channels.watch", {"channels": [channel]})

    async def told(*people: Person) -> None:
        want = [{"id": one.username, "user": one.id, "number": None} for one in people]

        async def last() -> bool:
            found = [one for one in socket.signals if one["signal"] == "channel"]
            return bool(found) and found[-1] == {"signal": "channel", "channel": channel, "users": want}

        await until(last, f"told of {[one.username for one in people]}")

    await told()
    await reports(relay, channel, **{bob.username: channel})
    await told(bob)
    await reports(relay, channel)
    await told()
    for wrong in ([-1], ["a"], list(range(101)), None):
        with pytest.raises(Refusal, match="invalid"):
            await socket.rpc("channels.watch", {"channels": wrong})
    with pytest.raises(Refusal, match="method_not_allowed"):
        await world.call("channels.watch", {"channels": []}, token=ada.token)


async def test_what_was_made_is_listed_until_it_is_deleted(ada: Person, bob: Person) -> None:
    first, second = await made(ada), await made(bob, "Tea", 25)
    assert second == first + 1
    found = (await bob.do("channels.get", channel=first))["channel"]
    assert (found["id"], found["name"], found["limit"], found["owner"]) == (first, "Raid", 5, ada.id)
    assert found["users"] == []
    await ada.do("channels.delete", channel=first)
    assert [one["id"] for one in await listed(bob)][-1] == second
    for name in ("channels.get", "channels.delete", "channels.listen"):
        assert await ada.refused(name, channel=first) == "not_found"
    assert await made(ada) == second + 1, "an id is not used again"


async def listed(person: Person, limit: int = 2) -> list[dict[str, Any]]:
    """All pages."""
    found: list[dict[str, Any]] = []
    page = await person.do("channels.list", limit=limit)
    while True:
        found += page["channels"]
        if page["next"] is None:
            return found
        page = await person.do("channels.list", limit=limit, cursor=page["next"])


async def test_the_list_is_in_pages(ada: Person) -> None:
    ids = [await made(ada, f"Channel {n}") for n in range(5)]
    found = [one["id"] for one in await listed(ada)]
    assert found[-5:] == ids and found == sorted(set(found))
    assert await ada.refused("channels.list", cursor="nonsense") == "invalid"


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"name": "x" * 65, "limit": 5}, "/name"), ({"name": "", "limit": 5}, "/name"), ({"name": "x"}, "/limit"),
        ({"name": "\u200b", "limit": 5}, "/name"), ({"name": "x", "limit": 0}, "/limit"),
        ({"name": "x", "limit": 26}, "/limit"), ({"name": "x", "limit": "5"}, "/limit"),
    ],
)  # fmt: skip
async def test_what_is_no_channel(ada: Person, fields: dict[str, Any], pointer: str) -> None:
    refused = await refusal(ada, "channels.create", **fields)
    assert refused.code == "invalid" and [one["pointer"] for one in refused.problem["errors"]] == [pointer]


@pytest.mark.parametrize("id", ["0", "4294967296", "-1", "x", "1.5", "٣"])
async def test_what_is_no_id(world: World, ada: Person, id: str) -> None:
    for name in ("channels.get", "channels.listen", "channels.delete"):
        with pytest.raises(Refusal) as caught:
            await world.call(name, {"channel": id}, token=ada.token)
        assert caught.value.code == "invalid", (name, caught.value.problem)


async def test_the_owner_or_an_operator_deletes(world: World, operator: str, ada: Person, bob: Person) -> None:
    first, second = await made(ada), await made(ada)
    assert await bob.refused("channels.delete", channel=first) == "forbidden"
    await ada.do("channels.delete", channel=first)
    await world.call("channels.delete", {"channel": second}, token=operator)
    assert await bob.refused("channels.get", channel=second) == "not_found"


async def test_a_listen_leads_to_the_server(
    world: World, operator: str, installed: Settings, connection: postgres.Connection, ada: Person, bob: Person
) -> None:
    relay, channel = await server(world, operator, ada.via), await made(ada)
    await reports(relay, channel)
    told = await ada.do("channels.listen", channel=channel)
    assert told["server"] == {"id": relay.id, "address": ADDRESS, "name": relay.username}
    token = read_channel_token(installed.secret, told["token"], server=relay.id, now=time(), seconds=60)
    assert (token.user, token.username, token.channel, token.before) == (ada.id, ada.username, channel, None)
    assert token.number == told["number"] >= 1
    again = await refusal(ada, "channels.listen", channel=channel)
    assert again.code == "rate_limited" and 0 < again.problem["retry_after"] <= 2
    assert (await bob.do("channels.listen", channel=channel))["number"] == told["number"] + 1


async def test_where_a_browser_connects_is_what_the_server_has_told(
    world: World, operator: str, connection: postgres.Connection, ada: Person, bob: Person
) -> None:
    relay, channel = await server(world, operator), await made(ada)
    await reports(relay, channel)
    assert (await ada.do("channels.listen", channel=channel))["url"] is None
    metric = {"addr": ADDRESS, "name": relay.username}
    await relay.do(
        "channels.report", metric=metric | {"url": "wss://voice.example.org/s1/"}, channels=[{"id": channel}]
    )
    told = await bob.do("channels.listen", channel=channel)
    assert told["url"] == f"wss://voice.example.org/s1/v1/channels/{channel}/connect"
    for url in (
        "",
        "https://voice.example.org",
        "wss://",
        "wss://a.example/?x=1",
        "wss://user@a.example",
        "javascript:x",
    ):
        refused = await refusal(relay, "channels.report", metric=metric | {"url": url}, channels=[])
        assert [one["pointer"] for one in refused.problem["errors"]] == ["/metric/url"], url


async def test_a_repeated_listen_is_the_same_token(
    world: World, operator: str, connection: postgres.Connection, ada: Person
) -> None:
    relay, channel = await server(world, operator), await made(ada)
    await reports(relay, channel)
    first = await ada.do("channels.listen", channel=channel, key="k")
    await dead(connection, relay)
    await ada.do("channels.delete", channel=channel)
    assert await ada.do("channels.listen", channel=channel, key="k") == first and world.repeated
    assert await ada.refused("channels.listen", channel=channel + 1, key="k") == "key_reused"


async def test_who_is_inside_is_shown_but_not_across_a_block(
    world: World, operator: str, connection: postgres.Connection, ada: Person, bob: Person, eve: Person
) -> None:
    relay, channel = await server(world, operator), await made(ada)
    await reports(relay, channel)
    number = (await bob.do("channels.listen", channel=channel))["number"]
    await reports(relay, channel, **{bob.username: channel, eve.username: channel})
    users = (await ada.do("channels.get", channel=channel))["channel"]["users"]
    assert users == [
        {"id": bob.username, "name": "Bob", "number": number}, {"id": eve.username, "name": "Eve", "number": None},
    ]  # fmt: skip
    await eve.do("relationships.set", user=ada.id, type="block")
    assert (await listed(ada))[-1]["users"] == users[:1]
    await dead(connection, relay)
    assert (await listed(ada))[-1]["users"] == []


@pytest.mark.parametrize("who", ["ada", "eve"])
async def test_a_blocked_pair_never_shares_a_channel(
    world: World, operator: str, connection: postgres.Connection, ada: Person, eve: Person, who: str
) -> None:
    relay, channel = await server(world, operator), await made(ada)
    await reports(relay, channel, **{eve.username: channel})
    blocker, other = (ada, eve) if who == "ada" else (eve, ada)
    await blocker.do("relationships.set", user=other.id, type="block")
    assert await ada.refused("channels.listen", channel=channel) == "forbidden"
    await reports(relay, channel)
    await ada.do("channels.listen", channel=channel)


async def test_a_full_channel(
    world: World, operator: str, connection: postgres.Connection, ada: Person, bob: Person, eve: Person
) -> None:
    relay, channel = await server(world, operator), await made(ada, limit=1)
    await reports(relay, channel, **{bob.username: channel})
    assert await eve.refused("channels.listen", channel=channel) == "too_many"
    await bob.do("channels.listen", channel=channel)
    await reports(relay, channel)
    await eve.do("channels.listen", channel=channel)


async def test_without_a_living_server_nobody_listens(
    world: World, operator: str, connection: postgres.Connection, ada: Person
) -> None:
    relay, channel = await server(world, operator), await made(ada)
    refused = await refusal(ada, "channels.listen", channel=channel)
    assert (refused.code, refused.problem["retry_after"]) == ("unavailable", 5)
    await reports(relay, channel)
    await dead(connection, relay)
    assert await ada.refused("channels.listen", channel=channel) == "unavailable"
    # Nothing of it counts as a listen.
    await reports(relay, channel)
    await ada.do("channels.listen", channel=channel)


async def test_channels_of_a_dead_server_are_given_to_another(
    world: World, operator: str, connection: postgres.Connection, ada: Person, bob: Person
) -> None:
    first, second = [await server(world, operator) for _ in range(2)]
    channel = await made(ada)
    await reports(first, channel)
    assert (await ada.do("channels.listen", channel=channel))["server"]["id"] == first.id
    await dead(connection, first)
    await reports(second)
    added.clear()
    assert (await bob.do("channels.listen", channel=channel))["server"]["id"] == second.id
    assert added == [(second.username, channel, "Raid", 5)]


async def test_a_server_that_takes_nothing_stops_no_channel(
    world: World, operator: str, connection: postgres.Connection, ada: Person, bob: Person
) -> None:
    first, second, third = [await server(world, operator) for _ in range(3)]
    # It has the fewest users, and keeps them.
    await reports(first)
    for other in (second, third):
        elsewhere = await made(ada)
        await reports(other, elsewhere, **{ada.username: elsewhere})
    refusing.add(first.username)
    try:
        channel, another = await made(ada), await made(ada)
        told = await ada.do("channels.listen", channel=channel)
        assert told["server"]["id"] in (second.id, third.id)
        assert (await bob.do("channels.listen", channel=channel))["server"]["id"] == told["server"]["id"]
        # It is asked no more while there are others.
        before = list(tried)
        eve = await world.person("eve")
        await eve.do("channels.listen", channel=another)
        assert first.username not in tried[len(before) :]
        refusing.update((second.username, third.username))
        dee, lone = await world.person("dee"), await made(ada)
        assert await dee.refused("channels.listen", channel=lone) == "unavailable"
    finally:
        refusing.clear()
    # The first one takes channels again: it is not forgotten.
    await dead(connection, second)
    await dead(connection, third)
    await reports(first)
    gus = await world.person("gus")
    assert (await gus.do("channels.listen", channel=lone))["server"]["id"] == first.id


async def test_a_server_is_told_before_somebody_is_sent_to_it(
    world: World, operator: str, connection: postgres.Connection, ada: Person, bob: Person
) -> None:
    relay = await server(world, operator)
    served, other = await made(ada), await made(ada, "refused")
    await reports(relay)
    added.clear()
    await ada.do("channels.listen", channel=served)
    assert added == [(relay.username, served, "Raid", 5)]
    refused = await refusal(bob, "channels.listen", channel=other)
    assert (refused.code, refused.problem["retry_after"]) == ("unavailable", 3)
    sql = 'select count(*) from listenings where "user" = $1'
    assert await connection.fetchval(sql, bob.id) == 0
    assert await connection.fetchval(sql, ada.id) == 1


async def test_reports_are_of_servers_only(ada: Person, service: Person) -> None:
    fields: dict[str, Any] = {"metric": {"addr": ADDRESS, "name": "x"}, "channels": []}
    assert await ada.refused("channels.report", **fields) == "forbidden"
    assert await service.refused("channels.report", **fields) == "forbidden"


METRIC = {"addr": ADDRESS, "name": "Chat"}


@pytest.mark.parametrize(
    ("metric", "channels", "pointer"),
    [
        ({"name": "Chat"}, [], "/metric/addr"), ({"addr": ADDRESS}, [], "/metric/name"),
        ({**METRIC, "addr": "a b"}, [], "/metric/addr"), ({**METRIC, "name": "\u200b"}, [], "/metric/name"),
        ({**METRIC, "x": "y" * 257}, [], "/metric/x"), ({**METRIC, "k" * 65: ""}, [], "/metric"),
        ({**METRIC, **{f"k{n}": "" for n in range(63)}}, [], "/metric"),
        (METRIC, [{"id": 1}, {"id": 1}], "/channels/1/id"), (METRIC, [{"id": 0}], "/channels/0/id"),
        (METRIC, [{"id": 1, "users": [{"id": "x"}]}], "/channels/0/users/0/id"),
        (METRIC, [{"id": 1, "users": [{"id": f"u-{n}"} for n in range(26)]}], "/channels/0/users"),
    ],
)  # fmt: skip
async def test_what_is_no_report(
    world: World, operator: str, via: Via, metric: dict[str, str], channels: list[Any], pointer: str
) -> None:
    relay = await server(world, operator, via)
    refused = await refusal(relay, "channels.report", metric=metric, channels=channels)
    places = [one["pointer"] for one in refused.problem["errors"]]
    assert refused.code == "invalid" and [place[: len(pointer)] for place in places] == [pointer], places


async def test_what_happens_to_channels_stands_in_one_stream(
    world: World, connection: postgres.Connection, ada: Person
) -> None:
    channel = await made(ada)
    await ada.do("channels.delete", channel=channel)
    await ada.do("channels.list")
    rows = await connection.fetch(
        "select type from changes where stream = $1 and (data->>'channel')::bigint = $2 order by \"offset\"",
        STREAM, channel,
    )  # fmt: skip
    assert [row["type"] for row in rows] == ["channel.created", "channel.deleted"]
