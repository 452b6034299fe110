"""The hub on a real Kafka: live deltas, resuming from the ring, from Kafka, and places that are lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiokafka.admin import NewPartitions
from prometheus_client import REGISTRY

from events.core.feed import cursor, end_cursor
from infra.base import kafka
from infra.base.settings import Settings
from push.delivery import pull
from push.delivery.hub import Hub
from push.delivery.subscriptions import Subscription
from push.protocol import codes
from push.protocol.backend import ConnectionIdentity
from push.protocol.codes import Disconnect
from push.protocol.commands import Since
from push.protocol.items import FeedDelta, FeedRow
from tests.push.conftest import until
from tests.push.feeding import Feed, delete_before, item


class Sink:
    """Keeps what it is given; ``takes`` bounds how much older it takes at once."""

    def __init__(self, hub: Hub, user: str, takes: int = 1000) -> None:
        self.texts: list[str] = []
        self.cursors: list[int] = []
        self.disconnect: Disconnect | None = None
        self.takes = takes
        self.waiting = 0
        self._hub = hub
        self._user = user
        self.subscription: Subscription | None = None

    def follow(self, position: int) -> Sink:
        self.subscription = self._hub.subscribe(self._user, position, self)
        self._hub.advance(self.subscription)
        return self

    def deliver(self, items: Sequence[FeedDelta]) -> int:
        self.texts += [json.loads(item.delta)["data"]["text"].strip() for item in items]
        self.cursors += [item.cursor for item in items]
        return self.waiting

    def room(self) -> int:
        return self.takes

    def caught_up(self) -> None:
        pass

    def cut(self, disconnect: Disconnect) -> None:
        self.disconnect = disconnect
        if self.subscription is not None:
            self._hub.unsubscribe(self.subscription)


@asynccontextmanager
async def small_hub(settings: Settings, records: int = 4) -> AsyncIterator[Hub]:
    """A hub whose ring holds almost nothing, so that resuming goes to Kafka."""
    hub = Hub(settings, ring_records=records)
    await hub.start()
    try:
        yield hub
    finally:
        await hub.stop()


async def now(hub: Hub, user: str) -> int:
    return (await hub.locate(user, None)).offset


async def test_a_user_gets_their_own_deltas_in_order_and_nobody_else_s(hub: Hub, feed: Feed) -> None:
    ann = Sink(hub, "ann").follow(await now(hub, "ann"))
    bob = Sink(hub, "bob").follow(await now(hub, "bob"))
    await feed.send("ann", "1", "2", "3")
    await feed.send("bob", "x")
    await until(lambda: len(ann.texts) == 3 and bob.texts)
    assert ann.texts == ["1", "2", "3"]
    assert bob.texts == ["x"]
    assert ann.cursors == sorted(set(ann.cursors))


async def test_all_connections_of_a_user_get_a_delta_and_a_room_shares_its_bytes(hub: Hub, feed: Feed) -> None:
    users = [name for name in (f"u{n}" for n in range(50)) if feed.partition(name) == 0]
    sinks = [Sink(hub, user).follow(await now(hub, user)) for user in [*users, users[0]]]
    await feed.record(0, [item(users, 1, "all")])
    await until(lambda: all(sink.texts == ["all"] for sink in sinks))
    assert len({sink.cursors[0] for sink in sinks}) == 1


async def test_what_was_missed_comes_from_the_ring_and_goes_on_live(hub: Hub, feed: Feed) -> None:
    place = await now(hub, "ann")
    await feed.send("ann", *map(str, range(20)))
    await until(lambda: hub.here("ann").cursor > place + 20 * 4096)
    sink = Sink(hub, "ann", takes=3).follow(place)
    await feed.send("ann", "live")
    await until(lambda: len(sink.texts) == 21)
    assert sink.texts == [*map(str, range(20)), "live"]


async def test_what_the_ring_has_lost_comes_from_kafka_without_gap_or_duplicate(settings: Settings, feed: Feed) -> None:
    await feed.send("ann", "before")
    async with small_hub(settings) as hub:
        place = await now(hub, "ann")
        texts = [str(n) for n in range(500)]
        await feed.send("ann", *texts)
        await until(lambda: hub.here("ann").cursor >= place + 500 * 4096)
        sink = Sink(hub, "ann").follow(place)
        assert not sink.texts
        # New deltas arrive while the old ones are still being read.
        await feed.send("ann", *[f"live {n}" for n in range(50)])
        await until(lambda: len(sink.texts) >= 550)
        assert sink.texts == [*texts, *[f"live {n}" for n in range(50)]]


async def test_a_crowd_that_comes_back_shares_readings_and_each_gets_its_own(settings: Settings, feed: Feed) -> None:
    users = [f"u{n}" for n in range(40)]
    async with small_hub(settings) as hub:
        places = {user: await now(hub, user) for user in users}
        for n in range(10):
            for partition in range(2):
                there = [user for user in users if feed.partition(user) == partition]
                await feed.record(partition, [item([user], n * 100 + i, f"{user} {n}") for i, user in enumerate(there)])
        await until(lambda: all(hub.here(user).cursor >= places[user] + 10 * 4096 for user in users))
        sinks = {user: Sink(hub, user).follow(places[user]) for user in users}
        await until(lambda: all(len(sink.texts) == 10 for sink in sinks.values()))
        for user, sink in sinks.items():
            assert sink.texts == [f"{user} {n}" for n in range(10)]


async def test_one_who_takes_no_more_does_not_hold_up_the_others(settings: Settings, feed: Feed) -> None:
    async with small_hub(settings) as hub:
        place = await now(hub, "ann")
        texts = [str(n) for n in range(300)]
        await feed.send("ann", *texts, size=2000)
        await until(lambda: hub.here("ann").cursor >= place + 300 * 4096)
        full, other = Sink(hub, "ann", takes=0), Sink(hub, "ann")
        full.follow(place)
        other.follow(place)
        await until(lambda: len(other.texts) == 300)
        assert not full.texts
        full.takes = 10
        assert full.subscription is not None
        hub.advance(full.subscription)
        await until(lambda: len(full.texts) == 300)
        assert full.texts == other.texts == texts


async def test_void_records_of_a_writer_that_was_replaced_are_not_delivered(hub: Hub, feed: Feed) -> None:
    sink = Sink(hub, "ann").follow(await now(hub, "ann"))
    partition = feed.partition("ann")
    old = await feed.open(partition)
    await feed.record(partition, [item(["ann"], 1, "valid")])
    await feed.open(partition)
    await feed.record(partition, [item(["ann"], 2, "void")], term=old)
    await feed.record(partition, [item(["ann"], 3, "new")])
    await until(lambda: "new" in sink.texts)
    assert sink.texts == ["valid", "new"]


async def test_a_reading_that_starts_at_a_void_record_still_finds_the_valid_ones(
    settings: Settings, feed: Feed
) -> None:
    partition = feed.partition("ann")
    old = await feed.open(partition)
    await feed.open(partition)
    void = await feed.record(partition, [item(["ann"], 1, "void")], term=old)
    for n in range(20):
        await feed.record(partition, [item(["ann"], 2 + n, str(n))])
    async with small_hub(settings, records=2) as hub:
        sink = Sink(hub, "ann").follow(end_cursor(void))
        await until(lambda: len(sink.texts) >= 20)
        assert [text for text in sink.texts if text != "void"] == [str(n) for n in range(20)]


async def test_redelivered_deltas_are_dropped_by_their_position(hub: Hub, feed: Feed) -> None:
    sink = Sink(hub, "ann").follow(await now(hub, "ann"))
    partition = feed.partition("ann")
    await feed.record(partition, [item(["ann"], 7, "a"), item(["ann"], 3, "other shard", "users/1")])
    await feed.record(partition, [item(["ann"], 6, "old"), item(["ann"], 7, "again"), item(["ann"], 8, "b")])
    await until(lambda: "b" in sink.texts)
    assert sink.texts == ["a", "other shard", "b"]


async def test_two_views_of_one_event_reach_their_viewers_once(hub: Hub, feed: Feed) -> None:
    ann = next(name for name in ("ann", "anna", "anne") if feed.partition(name) == feed.partition("bob"))
    author, reader = Sink(hub, ann).follow(await now(hub, ann)), Sink(hub, "bob").follow(await now(hub, "bob"))
    partition = feed.partition("bob")
    await feed.record(partition, [item([ann], 5, "with command"), item(["bob"], 5, "without")])
    await feed.record(partition, [item(["bob"], 5, "again"), item([ann, "bob"], 6, "next")])
    await until(lambda: "next" in reader.texts and "next" in author.texts)
    assert author.texts == ["with command", "next"]
    assert reader.texts == ["without", "next"]


async def test_a_slow_sink_is_cut_and_has_lost_nothing_when_it_comes_back(settings: Settings, feed: Feed) -> None:
    hub = Hub(settings)
    await hub.start()
    try:
        sink = Sink(hub, "ann").follow(await now(hub, "ann"))
        await feed.send("ann", "1")
        await until(lambda: sink.texts)
        sink.waiting = settings.push_queue + 1
        await feed.send("ann", "2", "3")
        await until(lambda: sink.disconnect)
        assert sink.disconnect == codes.SLOW
        again = Sink(hub, "ann").follow(sink.cursors[0])
        await until(lambda: len(again.texts) == 2)
        assert again.texts == ["2", "3"]
    finally:
        await hub.stop()


async def test_places_that_are_lost_are_told_from_places_that_are_kept(settings: Settings, feed: Feed) -> None:
    await feed.send("ann", *map(str, range(30)))
    partition = feed.partition("ann")
    async with small_hub(settings) as hub:
        end = await now(hub, "ann")
        first = cursor(1, 0)
        before = {source: _catch_ups(source) for source in ("ring", "kafka", "snapshot")}
        assert (await hub.locate("ann", Since(first, hub.epoch))).recovered
        assert (await hub.locate("ann", Since(first, ""))).recovered
        assert (await hub.locate("ann", Since(end, hub.epoch))).recovered
        await delete_before(settings, partition, 10)
        for since in (
            Since(first, hub.epoch),  # deleted
            Since(end + 4096, hub.epoch),  # beyond the end
            Since(end, "another"),  # of another topic
            Since(0, hub.epoch),  # no place at all
        ):
            place = await hub.locate("ann", since)
            assert (place.recovering, place.recovered, place.offset, place.epoch) == (True, False, 0, hub.epoch)
        assert (await hub.locate("ann", Since(end_cursor(10), hub.epoch))).recovered
        after = {source: _catch_ups(source) - count for source, count in before.items()}
        assert after == {"ring": 1, "kafka": 3, "snapshot": 4}


def _catch_ups(source: str) -> float:
    return REGISTRY.get_sample_value("klatsch_push_catch_ups_total", {"source": source}) or 0.0


async def test_records_deleted_under_a_reader_cut_it_so_that_it_asks_again(settings: Settings, feed: Feed) -> None:
    await feed.send("ann", *map(str, range(30)))
    async with small_hub(settings) as hub:
        await delete_before(settings, feed.partition("ann"), 10)
        sink = Sink(hub, "ann").follow(cursor(1, 0))
        await until(lambda: sink.disconnect)
        assert sink.disconnect == codes.INSUFFICIENT_STATE
        assert not sink.texts


async def test_a_node_that_is_behind_another_does_not_repeat_what_the_client_has(hub: Hub, feed: Feed) -> None:
    await feed.send("ann", "1", "2")
    # log.opened is at 0. The client has had "next", at 3, from elsewhere; this node reads it after the client came.
    await until(lambda: hub.here("ann").cursor == end_cursor(3))
    sink = Sink(hub, "ann").follow(cursor(3, 0))
    await feed.send("ann", "next", "after")
    await until(lambda: sink.texts)
    assert sink.texts == ["after"]


async def test_here_names_the_log_s_vector_that_the_feed_has_reached(hub: Hub, feed: Feed) -> None:
    partition = feed.partition("ann")
    await feed.record(partition, [item(["ann"], 41), item(["ann"], 7, shard="users/1")])
    await until(lambda: hub.here("ann").vector)
    vector = {str(shard): offset for shard, offset in hub.here("ann").vector.items()}
    assert vector == {"rooms/0": 42, "users/1": 8}


async def test_pull_pages_through_everything_and_says_where_to_go_on(settings: Settings, feed: Feed) -> None:
    identity = ConnectionIdentity(user="ann", session="s", expires=2e9)
    async with small_hub(settings) as hub:
        start = await pull.changes(hub, identity, None, 10)
        assert (start.items, start.reset) == ([], False)
        texts = [str(n) for n in range(95)]
        await feed.send("ann", *texts)
        await until(lambda: hub.here("ann").cursor >= cursor(95, 0))
        got: list[str] = []
        at = start.next_cursor
        while len(got) < 95:
            page = await pull.changes(hub, identity, at, 10)
            assert len(page.items) <= 10 and not page.reset
            got += [json.loads(delta)["data"]["text"].strip() for delta in page.items]
            at = page.next_cursor
        assert got == texts
        assert (await pull.changes(hub, identity, at, 10)).items == []
        await delete_before(settings, feed.partition("ann"), 20)
        late = await pull.changes(hub, identity, start.next_cursor, 10)
        assert late.reset and not late.items
        with pytest.raises(pull.BadCursor, match="expected a cursor"):
            await pull.changes(hub, identity, "17", 10)


async def test_an_epoch_is_one_life_of_the_topic_with_one_partition_count(settings: Settings, hub: Hub) -> None:
    again = Hub(settings)
    await again.start()
    await again.stop()
    assert again.epoch == hub.epoch
    old = hub.epoch
    async with kafka.admin(settings) as client:
        await client.create_partitions({settings.topic("feed"): NewPartitions(3)})
    await until(lambda: hub.epoch != old)
    assert hub.epoch.rpartition(".")[0] == old.rpartition(".")[0]
    assert (old[-2:], hub.epoch[-2:]) == (".2", ".3")


async def test_drain_sends_all_away_within_its_time(settings: Settings, hub: Hub) -> None:
    class Peer:
        def __init__(self, name: str) -> None:
            self.client = name
            self.disconnect: Disconnect | None = None

        def cut(self, disconnect: Disconnect) -> None:
            self.disconnect = disconnect

    peers = [Peer(str(n)) for n in range(20)]
    for peer in peers:
        assert hub.peers.join(peer, ConnectionIdentity(user="u", session="s", expires=2e9), 0.0) is None
    await asyncio.wait_for(hub.peers.drain(0.2), 2)
    assert all(peer.disconnect == codes.SHUTDOWN for peer in peers)
    assert hub.peers.join(Peer("late"), ConnectionIdentity(user="u", session="s", expires=2e9), 0.0) == codes.SHUTDOWN


async def test_large_records_at_the_end_are_not_all_read_at_the_start(
    settings: Settings, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A feed that was worked off in one go has large records: what the ring has no room for is left where it is."""
    user, large = "ada", 200
    partition = feed.partition(user)
    for number in range(large):
        await feed.record(partition, [item([user], number, "x" * 20_000)])
    read: list[int] = []
    hub = Hub(settings, ring_bytes=400_000)
    take = hub.take

    async def counted(batches: dict[int, Sequence[FeedRow]]) -> None:
        read.extend(map(len, batches.values()))
        await take(batches)

    monkeypatch.setattr(hub, "take", counted)
    await hub.start()
    try:
        assert 16 <= sum(read) <= 30
        # What is older comes from Kafka.
        sink = Sink(hub, user).follow((await hub.locate(user, Since(0, ""))).offset)
        await until(lambda: len(sink.texts) == large)
    finally:
        await hub.stop()
