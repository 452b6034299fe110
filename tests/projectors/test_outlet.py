"""Feed records as bytes: joined, cut, and lists of users kept until they change."""

from __future__ import annotations

import msgspec
import pytest

from events.feed import FeedItem, decode_record, encode_record, partition_of
from projectors import crowds, outlet
from projectors.crowds import Crowd
from projectors.outlet import cut, item, join_record


def test_joined_records_are_the_bytes_of_encoded_ones() -> None:
    plain = [(["ada", 'b"ö'], b'{"id":"1"}'), (["cyd"], b'{"id":"2","data":{"text":"\xc3\xa4"}}')]
    encoded = encode_record([FeedItem(users, msgspec.Raw(delta)) for users, delta in plain])
    assert join_record(item(msgspec.json.encode(users), delta) for users, delta in plain) == encoded
    assert join_record([]) == encode_record([])


def test_records_are_cut_by_items_and_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlet, "ITEMS", 3)
    monkeypatch.setattr(outlet, "RECORD_BYTES", 1000)
    small, large = item(b'["a"]', b"{}"), item(b'["a"]', b'"' + b"x" * 600 + b'"')
    items = [small] * 7 + [large] * 3
    assert [len(record) for record in cut(items)] == [3, 3, 2, 1, 1]
    assert [item for record in cut(items) for item in record] == items
    assert cut([]) == []
    # One item that is larger than a record has one of its own.
    assert [len(record) for record in cut([small, item(b'["a"]', b"x" * 2000), small])] == [1, 1, 1]


def test_a_crowd_is_a_set_by_partition_with_its_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowds, "CHUNK", 2)
    users = [f"user{n}" for n in range(20)]
    crowd = Crowd(users, 3)
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
    crowd = Crowd(["ada"], 1)
    crowd.discard("ada")
    assert crowd.encoded(0) == [] and len(crowd) == 0
    assert decode_record(join_record([])).items == []
