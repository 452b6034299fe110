"""Deltas for large rooms, which name the room and not its members: who gets them is found at delivery.
Tests ``push/delivery/subscriptions.py`` and ``push/delivery/delivery_batch.py``."""

from __future__ import annotations

import json
from collections.abc import Sequence

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from events.core.feed import FeedItem, Stay, covers, encode_record, end_cursor, room_mark
from events.core.log import opened_headers, term_headers
from push.delivery.delivery_batch import DeliveryBatch
from push.delivery.ring import Ring
from push.delivery.subscriptions import Subscription
from push.protocol.items import FeedDelta, FeedReader
from tests.push.protocol.test_items import Nowhere, Row

ROOM = "lounge"
#: What happens at an offset: somebody joins, leaves, or says something.
Happening = tuple[str, str]


def test_stays_cover_what_was_heard() -> None:
    stays: list[Stay] = [(3, 7), (9, None)]
    assert [offset for offset in range(12) if covers(stays, offset)] == [4, 5, 6, 7, 10, 11]


def delta(offset: int, kind: str, user: str) -> bytes:
    position = f"rooms/0/{offset}"
    return json.dumps({"type": kind, "position": position, "stream": ROOM, "data": {"user": user}}).encode()


def record(offset: int, happening: Happening) -> Row:
    """The feed record of one event of a large room: for its members, and for one who joins."""
    kind, user = happening
    told = msgspec.Raw(delta(offset, kind, user))
    items = [FeedItem(recipients=[room_mark(ROOM)], delta=told)]
    if kind == "member.joined":
        items.append(FeedItem(recipients=[user], delta=told))
    return Row(offset, term_headers(0), encode_record(items))


def heard(happenings: Sequence[Happening], user: str) -> list[int]:
    """The offsets that a user receives, by keeping the roster."""
    inside, found = False, []
    for offset, (kind, who) in enumerate(happenings, 1):
        joins = who == user and kind == "member.joined"
        if inside or joins:
            found.append(offset)
        if who == user and kind != "message.posted":
            inside = joins
    return found


def stays(happenings: Sequence[Happening], user: str) -> dict[str, list[Stay]]:
    """What the read models say of a user after these."""
    found: list[Stay] = []
    for offset, (kind, who) in enumerate(happenings, 1):
        if who == user and kind == "member.joined":
            found.append((offset, None))
        elif who == user and kind == "member.left":
            found[-1] = (found[-1][0], offset)
    return {ROOM: found} if found else {}


@st.composite
def lives(draw: st.DrawFn) -> list[Happening]:
    """What may happen in a room: nobody joins who is in it or leaves who is not."""
    inside: set[str] = set()
    found: list[Happening] = []
    for user in draw(st.lists(st.sampled_from("abc"), max_size=25)):
        if user not in inside:
            found.append(("member.joined", user))
            inside.add(user)
        elif draw(st.booleans()):
            found.append(("member.left", user))
            inside.discard(user)
        else:
            found.append(("message.posted", user))
    return found


@given(lives(), st.data())
def test_whoever_comes_whenever_gets_what_they_were_there_for(happenings: list[Happening], data: st.DataObject) -> None:
    """A user connects while the feed goes on; the read models are ahead of it, and their answer takes its time."""
    size = len(happenings)
    connects = data.draw(st.integers(0, size), label="events fed when the user connects")
    answered = data.draw(st.integers(connects, size), label="events fed when the stays are told")
    ahead = data.draw(st.integers(connects, size), label="events that the read models have")
    leaves = data.draw(st.booleans(), label="was connected before")
    ring, reader = Ring(0, 1000, 1 << 20), FeedReader()
    reader.read(Row(0, opened_headers(), b""))
    got: list[FeedDelta] = []

    def feed(first: int, last: int) -> None:
        turn = DeliveryBatch()
        for offset in range(first, last + 1):
            ring.add(offset, reader.read(record(offset, happenings[offset - 1])), turn)
        for _, items in turn.end():
            got.extend(items)

    feed(1, connects)
    if leaves:
        before = Subscription(0, ring.user_state("a"), 0, Nowhere())
        before.user_state.subscriptions.append(before)
        ring.learned(before.user_state, stays(happenings[:connects], "a"))
        ring.forget(before)
    box = ring.user_state("a")
    subscription = Subscription(0, box, 0, Nowhere())
    box.subscriptions.append(subscription)
    box.missed = []
    feed(connects + 1, answered)
    ring.learned(box, stays(happenings[:ahead], "a"))
    subscription.live = True
    got += ring.after(box, 0, 10_000)
    feed(answered + 1, size)
    assert [item.at for item in got] == heard(happenings, "a")


def test_what_goes_out_of_the_ring_is_forgotten_whole() -> None:
    ring, reader = Ring(0, 2, 1 << 20), FeedReader()
    reader.read(Row(0, opened_headers(), b""))
    box = ring.user_state("a")
    subscription = Subscription(0, box, 0, Nowhere())
    box.subscriptions.append(subscription)
    ring.learned(box, {ROOM: [(0, None)]})
    for offset in range(1, 8):
        ring.add(offset, reader.read(record(offset, ("message.posted", "b"))), DeliveryBatch())
    assert [item.at for item in ring.after(box, 0, 10)] == [6, 7]
    ring.forget(subscription)
    for offset in range(8, 11):
        ring.add(offset, reader.read(record(offset, ("message.posted", "b"))), DeliveryBatch())
    assert "a" not in ring.user_states and ring.covers(end_cursor(9))
    assert not ring._large_rooms[ROOM].inside
