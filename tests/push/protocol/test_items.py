"""The reader of feed records and the ring, without Kafka."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from events.core.feed import FeedItem, cursor, encode_record, end_cursor
from events.core.log import opened_headers, term_headers
from push.delivery.delivery_batch import DeliveryBatch
from push.delivery.ring import Ring
from push.delivery.subscriptions import Subscription
from push.protocol.codes import Disconnect
from push.protocol.items import FeedDelta, FeedReader, Marked, News, RoomChange, first_needed
from tests.push.feeding import item


class Row:
    """A Kafka record."""

    def __init__(self, offset: int, headers: list[tuple[str, bytes]], value: bytes) -> None:
        self.offset = offset
        self.timestamp = 0
        self.headers: Sequence[tuple[str, bytes]] = headers
        self.value: bytes | None = value


def row(offset: int, items: Sequence[FeedItem], term: int = 0) -> Row:
    return Row(offset, term_headers(term), encode_record(items))


def opened(offset: int) -> Row:
    return Row(offset, opened_headers(), b'{"items":[]}')


class Nowhere:
    """A sink that is not looked at."""

    def deliver(self, items: Sequence[FeedDelta]) -> int:
        return 0

    def room(self) -> int:
        return 0

    def caught_up(self) -> None:
        pass

    def cut(self, disconnect: Disconnect) -> None:
        pass


def texts(reader: FeedReader, *rows: Row) -> list[tuple[int, list[str]]]:
    """Cursor and recipients of what the reader lets through."""
    return [(item.cursor, users) for row in rows for users, item in reader.read(row)]


def test_cursors_are_the_records_offset_and_the_index_in_it() -> None:
    found = texts(FeedReader(), opened(0), row(1, [item(["a"], 1), item(["b"], 2)]), row(5, [item(["a"], 3)]))
    assert found == [(cursor(1, 0), ["a"]), (cursor(1, 1), ["b"]), (cursor(5, 0), ["a"])]


def test_a_delta_tells_the_node_who_is_in_a_room_by_their_own_will() -> None:
    def news(type: str, **data: object) -> News | None:
        delta = {"id": "i", "type": type, "position": "rooms/0/7", "stream": "r", "actor": "b", "data": data}
        reader = FeedReader()
        reader.read(opened(0))
        ((_, found),) = reader.read(row(1, [FeedItem(["a"], msgspec.Raw(msgspec.json.encode(delta)))]))
        return found.news

    assert news("member.joined", user="a", role="member", willing=False) == RoomChange("a", "r", True, willing=False)
    # Deltas that were fed before there was such a thing.
    assert news("member.joined", user="a", role="member") == RoomChange("a", "r", True)
    assert news("member.left", user="a") == RoomChange("a", "r", False)
    assert news("member.read", user="b", seq=1) == Marked("b", "r")
    assert news("member.invited", user="a") is None


def test_records_without_a_term_or_with_an_old_one_are_dropped() -> None:
    reader = FeedReader()
    bare = Row(3, [], encode_record([item(["a"], 3)]))
    found = texts(reader, opened(0), row(1, [item(["a"], 1)]), opened(2), row(4, [item(["a"], 2)], term=0), bare)
    assert found == [(cursor(1, 0), ["a"])]
    assert texts(reader, row(5, [item(["a"], 2)], term=2)) == [(cursor(5, 0), ["a"])]


def test_what_a_void_writer_fed_does_not_make_the_valid_deltas_look_repeated() -> None:
    reader = FeedReader()
    # The reading begins in the midst: the first record is of a term that a later one proves void.
    assert texts(reader, row(10, [item(["a"], 9)], term=2))
    found = texts(reader, row(11, [item(["a"], 7), item(["a"], 8)], term=5))
    assert found == [(cursor(11, 0), ["a"]), (cursor(11, 1), ["a"])]


def test_an_unreadable_item_is_skipped_and_counted_and_its_neighbours_are_not() -> None:
    reader = FeedReader()
    deltas = (b'{"position":"rooms/0/1"}', b"{}", b'{"position":"x"}', b'{"position":"rooms/0/2"}')
    value = encode_record([FeedItem(["a"], msgspec.Raw(delta)) for delta in deltas])
    found = texts(reader, opened(0), Row(1, term_headers(0), value), Row(2, term_headers(0), b"junk"))
    assert found == [(cursor(1, 0), ["a"]), (cursor(1, 3), ["a"])]
    assert reader.unreadable == 3


def test_the_vector_is_the_next_position_of_each_source_shard() -> None:
    reader = FeedReader()
    texts(reader, opened(0), row(1, [item(["a"], 4), item(["a"], 9, shard="users/3"), item(["b"], 5)]))
    assert {str(shard): offset for shard, offset in reader.vector.items()} == {"rooms/0": 6, "users/3": 10}


@given(st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=20))
def test_redelivery_in_any_batches_gives_each_delta_once_and_in_order(turns: list[tuple[int, bool]]) -> None:
    """A writer that stops before it stored its progress writes the last turn again, batched as it happens."""
    reader = FeedReader()
    positions, offset, done = [], 1, 0
    rows: list[Row] = [opened(0)]
    for count, crashed in turns:
        batch = list(range(done + 1, done + 1 + count))
        rows.append(row(offset, [item(["a"], n) for n in batch]))
        offset += 1
        if not crashed:
            done += count
    for found in rows:
        for _, delta in reader.read(found):
            positions.append(int(delta.delta.split(b"rooms/0/")[1].split(b'"')[0]))
    assert positions == sorted(set(positions))
    assert set(range(1, done + 1)) <= set(positions)


def ring_of(records: int, max_records: int = 100, max_bytes: int = 1 << 20) -> Ring:
    ring = Ring(0, max_records, max_bytes)
    for offset in range(records):
        ring.add(offset, [(["a", "b"] if offset % 2 else ["a"], FeedDelta(cursor(offset, 0), b"{}"))], DeliveryBatch())
    return ring


def test_a_ring_forgets_the_oldest_records_and_users_who_have_nothing_left() -> None:
    ring = ring_of(10, max_records=3)
    assert (ring.first, ring.next) == (7, 10)
    assert [item.cursor for item in ring.after(ring.user_state("a"), 0, 100)] == [
        cursor(offset, 0) for offset in (7, 8, 9)
    ]
    for offset in range(10, 13):
        ring.add(offset, [(["a"], FeedDelta(cursor(offset, 0), b"{}"))], DeliveryBatch())
    assert "b" not in ring.user_states


def test_a_ring_is_bounded_by_bytes_even_when_one_record_is_larger() -> None:
    ring = ring_of(10, max_bytes=1000)
    assert 0 < len(ring.after(ring.user_state("a"), 0, 100)) < 10
    ring.add(10, [(["a"], FeedDelta(cursor(10, 0), b"x" * 5000))], DeliveryBatch())
    assert "a" not in ring.user_states
    assert ring.first == 11
    assert not ring.covers(end_cursor(10)) and ring.covers(end_cursor(11))


def test_a_ring_covers_a_place_when_nothing_above_it_was_forgotten() -> None:
    ring = ring_of(10, max_records=3)
    assert not ring.covers(cursor(6, 0))
    assert not ring.covers(end_cursor(6))
    # Record 6 is gone, and may have had more items than the one at index 0.
    assert ring.covers(end_cursor(7))
    assert ring.covers(cursor(7, 0))
    assert ring.covers(ring.end)


def test_after_gives_the_oldest_missed_items_first() -> None:
    ring = ring_of(10)
    box = ring.user_state("a")
    assert [item.cursor for item in ring.after(box, cursor(4, 0), 3)] == [cursor(offset, 0) for offset in (5, 6, 7)]
    assert ring.after(box, cursor(9, 0), 3) == []


def test_live_subscriptions_are_touched_once_a_turn_and_others_are_not() -> None:
    ring = Ring(0, 10, 1 << 20)
    box = ring.user_state("a")
    live, reading = Subscription(0, box, 0, Nowhere()), Subscription(0, box, 0, Nowhere())
    live.live = True
    box.subscriptions += [live, reading]
    turn = DeliveryBatch()
    deliveries = sum(ring.add(n, [(["a"], FeedDelta(cursor(n, 0), b"{}"))], turn) for n in range(3))
    assert deliveries == 3
    [(touched, items)] = turn.end()
    assert (touched, [item.cursor for item in items]) == (live, [cursor(n, 0) for n in range(3)])
    assert turn.end() == []


def test_who_is_in_several_audiences_of_a_turn_gets_each_item_once_and_in_order() -> None:
    ring, turn = Ring(0, 10, 1 << 20), DeliveryBatch()
    subscriptions = {}
    for user in ("a", "b"):
        subscription = subscriptions[user] = Subscription(0, ring.user_state(user), 0, Nowhere())
        subscription.live = True
        subscription.user_state.subscriptions.append(subscription)
    ring.learned(ring.user_state("a"), {"lounge": [(-2, None)]})
    for offset, names in enumerate((["a", "b"], ["a"], ["a", "b"], ["room:lounge", "a"])):
        ring.add(offset, [(names, FeedDelta(cursor(offset, 0), b"{}"))], turn)
    got = {subscription: [item.cursor for item in items] for subscription, items in turn.end()}
    assert got[subscriptions["a"]] == [cursor(offset, 0) for offset in range(4)]
    assert got[subscriptions["b"]] == [cursor(offset, 0) for offset in (0, 2)]
    assert [item.cursor for item in ring.after(ring.user_state("a"), cursor(1, 0), 9)] == [cursor(2, 0), cursor(3, 0)]


def test_first_needed_is_the_record_of_the_cursor_unless_it_was_read_to_its_end() -> None:
    assert first_needed(cursor(7, 3)) == 7
    assert first_needed(end_cursor(7)) == 7
    assert first_needed(end_cursor(0)) == first_needed(0) == 0
