"""What a rebuild remembers of a shard: what a piece changed and made, and what may be let go."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from events.handles import Handle
from events.messages import Message
from projectors.rebuild import cache as caching
from projectors.rebuild.cache import NotLoaded, RebuildCache

TIME = "2025-01-02T03:04:05.678Z"


def handle(id: str, version: int = 1) -> Handle:
    return Handle(id=id, user="ada", state="confirmed", claimed=TIME, version=version)


def message(id: str, **more: Any) -> Message:
    return Message(
        id=id, room="r", seq=1, author="ada", token="", type="text", content={}, data={}, created=TIME, updated=TIME,
        edited=None, deleted=None, revision=0, rank=None, version=1, **more,
    )  # fmt: skip


def test_a_piece_ends_with_what_it_changed_and_what_it_made() -> None:
    cache = RebuildCache(whole=True)
    a, b = handle("a"), handle("b")
    cache.update({a.key: a, b.key: b})
    assert cache.settle() == ({}, {"handle": [a, b]})
    assert cache[a.key] is a
    newer = replace(b, version=2)
    cache[b.key] = newer
    c = message("c")
    cache[c.key] = c
    # What was only read is no change.
    assert cache.settle() == ({b.key: newer}, {"message": [c]})
    assert cache.settle() == ({}, {})


def test_what_is_gone_and_comes_again_is_new() -> None:
    cache = RebuildCache(whole=True)
    a = handle("a")
    cache[a.key] = a
    cache.settle()
    # Where it was stays in the older half of what is remembered.
    cache.grown([("handle", caching.CACHE_BYTES + 1)])
    cache[a.key] = None
    assert cache.settle() == ({a.key: None}, {})
    assert cache[a.key] is None
    again = handle("a", 3)
    cache[a.key] = again
    assert cache.settle() == ({}, {"handle": [again]})
    # Made and gone within a piece: nothing to store.
    b = handle("b")
    cache[b.key] = b
    cache[b.key] = None
    assert cache.settle() == ({}, {})


def test_what_is_let_go_must_be_loaded_and_what_lasts_stays() -> None:
    cache = RebuildCache(whole=True)
    user, old = handle("user"), message("old")
    cache.update({user.key: user, old.key: old})
    cache.settle()
    cache.grown([("message", caching.CACHE_BYTES + 1)])
    assert cache[old.key] is old
    assert cache.settle() == ({}, {})
    assert cache.has(("message", "never"))
    for _ in range(2):
        cache.grown([("message", caching.CACHE_BYTES + 1)])
    assert not cache.has(old.key)
    with pytest.raises(NotLoaded):
        cache[old.key]
    assert cache[user.key] is user
    assert cache[handle("nobody").key] is None
    cache.add({old.key: old, ("message", "never"): None})
    assert cache[old.key] is old
    assert cache[("message", "never")] is None


def test_after_a_failure_nothing_is_known() -> None:
    cache = RebuildCache(whole=True)
    a = handle("a")
    cache[a.key] = a
    cache.settle()
    cache.forget()
    with pytest.raises(NotLoaded):
        cache[a.key]
