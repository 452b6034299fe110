"""Feed records as bytes: joined, cut, and lists of users kept until they change."""

from __future__ import annotations

import msgspec
import pytest

from events.core.feed import FeedItem, decode_record, encode_record, partition_of
from projectors.audience import recipients
from projectors.audience.recipients import Recipients
from projectors.feed import partition_writer
from projectors.feed.partition_writer import cut, item, join_record


def test_joined_records_are_the_bytes_of_encoded_ones() -> None:
    plain = [(["ada", 'b"ö'], b'{"id":"1"}'), (["cyd"], b'{"id":"2","data":{"text":"\xc3\xa4"}}')]
    encoded = encode_record([FeedItem(users, msgspec.Raw(delta)) for users, delta in plain])
    assert join_record(item(msgspec.json.encode(users), delta) for users, delta in plain) == encoded
    assert join_record([]) == encode_record([])


def test_records_are_cut_by_items_and_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partition_writer, "ITEMS", 3)
    monkeypatch.setattr(partition_writer, "RECORD_BYTES", 1000)
    small, large = item(b'["a"]', b"{}"), item(b'["a"]', b'"' + b"x" * 600 + b'"')
    items = [small] * 7 + [large] * 3
    assert [len(record) for record in cut(items)] == [3, 3, 2, 1, 1]
    assert [item for record in cut(items) for item in record] == items
    assert cut([]) == []
    # One item that is larger than a record has one of its own.
    assert [len(record) for record in cut([small, item(b'["a"]', b"x" * 2000), small])] == [1, 1, 1]


def test_a_crowd_is_a_set_by_partition_with_its_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipients, "CHUNK", 2)
    users = [f"user{n}" for n in range(20)]
    crowd = Recipients(users, 3)
    crowd.add("user0")
    assert len(crowd) == 20 and set(crowd) == set(users) and "user7" in crowd and "nobody" not in crowd
    for partition in range(3):
        mine = [user for user in users if partition_of(user, 3) == partition]
        lists = [msgspec.json.decode(one) for one in crowd.encoded(partition)]
        assert [user for one in lists for user in one] == mine
        assert all(1 <= len(one) <= 2 for one in lists) and crowd.count(partition) == len(mine)
    crowd.discard("user7")
    crowd.discard("nobody")
    crowd.add("new")
    told = {user for partition in range(3) for one in crowd.encoded(partition) for user in msgspec.json.decode(one)}
    assert told == set(users) - {"user7"} | {"new"} and len(crowd) == 20


def test_an_empty_group_has_no_lists() -> None:
    crowd = Recipients(["ada"], 1)
    crowd.discard("ada")
    assert crowd.encoded(0) == [] and len(crowd) == 0
    assert decode_record(join_record([])).items == []
