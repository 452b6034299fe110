"""Who owns what: the decision alone, then two and three members on a real broker."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.core.positions import Shard
from infra.base.kafka import EVENT_TOPICS, ensure_topics
from infra.base.settings import Settings, load
from infra.embedded.kafka import EmbeddedKafka
from infra.embedded.ports import free_port
from producers.engine.assignor import Claim, Owner, OwnerTable, by_topic, make_table
from producers.engine.owners import Owners
from tests.producers.proxy import proxied

SHARDS = [Shard(topic, partition) for topic in EVENT_TOPICS for partition in range(6)]


def newcomer(member: str) -> Claim:
    return Claim(Owner(member, f"{member}:1"))


def test_who_takes_none_is_told_who_has_them() -> None:
    onlooker = Claim(Owner("relay", "relay:1"), takes=False)
    table = make_table(SHARDS, [onlooker, newcomer("a"), newcomer("b")])
    assert {member: len(shards) for member, shards in holdings(table).items()} == {"relay": 0, "a": 12, "b": 12}
    # Not where it is alone, either: it could not decide.
    assert make_table(SHARDS, [onlooker]).addresses() == {}


def claims_of(table: OwnerTable, *members: str) -> list[Claim]:
    """The claims of members that have seen a table."""
    return [Claim(owner, table.generation) for owner in table.owners if owner.member in members]


def holdings(table: OwnerTable) -> dict[str, set[Shard]]:
    return {owner.member: set(owner.shards) for owner in table.owners}


def test_one_member_owns_all() -> None:
    table = make_table(SHARDS, [newcomer("a")])
    assert table.addresses() == dict.fromkeys(SHARDS, "a:1")
    assert table.generation == 1


def test_each_topic_is_spread() -> None:
    table = make_table(SHARDS, [newcomer("a"), newcomer("b")])
    for shards in holdings(table).values():
        assert Counter(shard.topic for shard in shards) == dict.fromkeys(EVENT_TOPICS, 3)


def test_who_joins_gets_its_part_and_nothing_else_moves() -> None:
    before = make_table(SHARDS, [newcomer("a"), newcomer("b")])
    after = make_table(SHARDS, [*claims_of(before, "a", "b"), newcomer("c")])
    was, now = holdings(before), holdings(after)
    assert {member: len(shards) for member, shards in now.items()} == {"a": 8, "b": 8, "c": 8}
    assert now["a"] < was["a"] and now["b"] < was["b"]
    assert after.generation == before.generation + 1


def test_who_leaves_gives_its_part_and_nothing_else_moves() -> None:
    before = make_table(SHARDS, [newcomer("a"), newcomer("b"), newcomer("c")])
    after = make_table(SHARDS, claims_of(before, "a", "c"))
    was, now = holdings(before), holdings(after)
    assert now["a"] > was["a"] and now["c"] > was["c"]
    assert len(now["a"]) == len(now["c"]) == 12


def test_the_claim_from_the_later_table_counts() -> None:
    first = make_table(SHARDS, [newcomer("a"), newcomer("b")])
    (stale,) = claims_of(first, "a")
    second = make_table(SHARDS, claims_of(first, "b"))  # "a" was removed without learning of it
    third = make_table(SHARDS, [stale, *claims_of(second, "b")])
    assert holdings(third)["b"] < holdings(second)["b"]
    assert not holdings(third)["a"] & holdings(third)["b"]
    assert third.generation == second.generation + 1


def test_a_claim_of_shards_that_do_not_exist_is_dropped() -> None:
    odd = Claim(Owner("a", "a:1", {"rooms": [7, 99], "no.such": [0]}), 3)
    assert set(make_table(SHARDS, [odd]).addresses()) == set(SHARDS)


@given(
    st.lists(st.sets(st.sampled_from("abcdefgh"), min_size=1), min_size=2, max_size=8),
    st.integers(min_value=1, max_value=8),
)
def test_through_any_changes_shards_are_spread_and_move_only_when_they_must(
    memberships: list[set[str]], partitions: int
) -> None:
    shards = [Shard(topic, partition) for topic in EVENT_TOPICS for partition in range(partitions)]
    table = OwnerTable(0, [])
    for members in memberships:
        held = {member: mine for member, mine in holdings(table).items() if member in members}
        claims = claims_of(table, *members) + [newcomer(name) for name in sorted(members - held.keys())]
        table = make_table(shards, claims)
        now = holdings(table)
        assert sorted(shard for mine in now.values() for shard in mine) == sorted(shards), "each shard once"
        sizes = [len(mine) for mine in now.values()]
        assert max(sizes) - min(sizes) <= 1
        kept = sum(len(held[member] & now[member]) for member in held)
        assert kept == most_that_can_stay([len(mine) for mine in held.values()], len(shards), len(members))


def most_that_can_stay(held: list[int], shards: int, members: int) -> int:
    """The best that an even spread allows: as many as possible of those above the quota keep one more."""
    quota, more = divmod(shards, members)
    return sum(min(size, quota) for size in held) + min(more, sum(1 for size in held if size > quota))


def test_a_table_goes_over_the_wire() -> None:
    table = make_table(SHARDS, [newcomer("a"), newcomer("b")])
    encoded = msgspec.json.encode(table)
    assert msgspec.json.decode(encoded, type=OwnerTable) == table
    assert len(encoded) < 300
    assert by_topic([Shard("rooms", 2), Shard("rooms", 0)]) == {"rooms": [0, 2]}


class Node:
    """One member, and the tables that it was told of."""

    def __init__(self, settings: Settings, port: int, stuck_seconds: float = 20.0) -> None:
        self.address = f"node:{port}"
        self.told: list[dict[Shard, str]] = []
        own = msgspec.structs.replace(settings, advertise=self.address)
        self.lost: set[Shard] = set()
        self.owners = Owners(own, self.hear, self.lost.update, stuck_seconds)

    async def hear(self, table: dict[Shard, str]) -> None:
        self.told.append(table)


@pytest.fixture
async def nodes(settings: Settings) -> AsyncIterator[list[Node]]:
    """Three nodes of an installation with eight shards; none has joined."""
    found = [Node(settings, port) for port in (1, 2, 3)]
    yield found
    for node in found:
        await node.owners.stop()


async def until(holds: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    """Poll until something holds; fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"expected within {seconds} s: {what}"
        await asyncio.sleep(0.02)


def agreed(*nodes: Node) -> bool:
    """Whether these nodes, and no others, own all eight shards, know it, and have told their listeners."""
    tables = [dict(node.owners.table) for node in nodes]
    mine = sorted(shard for node in nodes for shard in node.owners.mine())
    return (
        all(table == tables[0] and node.told[-1:] == [table] for node, table in zip(nodes, tables, strict=True))
        and set(tables[0].values()) == {node.address for node in nodes}
        and mine == sorted(tables[0])
        and len(mine) == 8
        and all(node.owners.owner_of(shard) == node.address for node in nodes for shard in node.owners.mine())
    )


async def test_two_and_three_members_share_and_leave(nodes: list[Node]) -> None:
    first, second, third = nodes
    assert first.owners.owner_of(Shard("rooms", 0)) is None
    await first.owners.start()
    await until(lambda: agreed(first), "the only member owns all")
    await second.owners.start()
    await until(lambda: agreed(first, second), "two members share")
    assert len(first.owners.mine()) == len(second.owners.mine()) == 4
    await third.owners.start()
    await until(lambda: agreed(first, second, third), "three members share")
    before = {node.address: node.owners.mine() for node in nodes}
    assert sorted(len(mine) for mine in before.values()) == [2, 3, 3]
    await second.owners.stop()
    await until(lambda: agreed(first, third), "the others take what is left")
    assert first.owners.mine() > before[first.address] and third.owners.mine() > before[third.address]


async def test_a_member_that_is_silently_out_of_the_group_joins_anew(settings: Settings) -> None:
    node = Node(settings, 1, stuck_seconds=1.0)
    await node.owners.start()
    await until(lambda: agreed(node), "the only member owns all")
    stuck = node.owners._consumer
    assert stuck is not None
    # Without its heartbeat the client goes on as if nothing were wrong, while the group puts it out.
    stuck._coordinator._heartbeat_task.cancel()
    await until(lambda: node.owners._consumer is not stuck and len(node.told) > 1, "a fresh consumer has joined")
    assert agreed(node)
    await node.owners.stop()


async def test_a_member_whose_membership_task_dies_joins_anew(settings: Settings) -> None:
    node = Node(settings, 1)
    await node.owners.start()
    await until(lambda: agreed(node), "the only member owns all")
    assert node.owners._consumer is not None
    node.owners._consumer._coordinator._coordination_task.cancel()
    await until(lambda: len(node.told) > 1 and agreed(node), "a fresh consumer has joined")
    await node.owners.stop()


async def test_a_listener_that_fails_is_called_again(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    calls: list[int] = []

    async def listener(table: dict[Shard, str]) -> None:
        calls.append(len(table))
        raise RuntimeError("the listener's own trouble")

    owners, other = Owners(settings, listener, lambda lost: None), Node(settings, 2)
    await owners.start()
    await until(lambda: len(calls) == 1, "a first call")
    await other.owners.start()
    await until(lambda: len(calls) > 1, "a call after the one that failed")
    assert "the listener's own trouble" in caplog.text
    await owners.stop()
    await other.owners.stop()


async def test_kafka_may_come_later(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    node = Node(msgspec.structs.replace(settings, kafka=f"127.0.0.1:{port}"), 1)
    await node.owners.start()
    await until(lambda: "joined anew" in caplog.text, "a first attempt that fails")
    assert node.owners.table == {} and node.owners.mine() == frozenset()
    async with proxied(settings.kafka, port):
        await until(lambda: agreed(node), "the only member owns all")
        await node.owners.stop()


async def test_a_killed_broker_leaves_a_member_its_shards(tmp_path: Path) -> None:
    broker = EmbeddedKafka(tmp_path / "kafka", heap="384m")
    await asyncio.to_thread(broker.start)
    settings = load(broker.access(), partitions=2, feed_partitions=2)
    await ensure_topics(settings)
    nodes = [Node(settings, port) for port in (1, 2)]
    for node in nodes:
        await node.owners.start()
    await until(lambda: agreed(*nodes), "two members share")
    before = [node.owners.mine() for node in nodes]
    await asyncio.to_thread(broker.kill)
    assert [node.owners.mine() for node in nodes] == before
    await asyncio.to_thread(broker.start)
    third = Node(settings, 3)
    await third.owners.start()
    await until(lambda: agreed(*nodes, third), "three members share after the broker has come back", 60)
    assert all(node.owners.mine() < was for node, was in zip(nodes, before, strict=True))
    for node in (*nodes, third):
        await node.owners.stop()
    await asyncio.to_thread(broker.stop)
