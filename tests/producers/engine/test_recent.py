"""What a user's next read must have reached."""

from __future__ import annotations

from events.core.positions import Shard
from producers.engine.recent import KEPT_SECONDS, Recent

USERS, ROOMS, OTHER = Shard("users", 0), Shard("rooms", 0), Shard("rooms", 1)


def test_a_read_waits_for_the_users_own_events() -> None:
    recent = Recent()
    recent.note("ann", ROOMS, 7, 0)
    recent.note("ann", ROOMS, 5, 0)
    recent.note("ann", USERS, 2, 0)
    recent.note("ben", OTHER, 3, 0)
    assert recent.of("ann") == {ROOMS: 7, USERS: 2} and recent.of("ben") == {OTHER: 3} and recent.of("eve") == {}


def test_what_the_read_models_have_had_for_long_is_dropped() -> None:
    recent = Recent()
    recent.note("ann", ROOMS, 7, 0)
    recent.note("ben", ROOMS, 9, 1)
    recent.reached({ROOMS: 9}, KEPT_SECONDS - 0.1)
    # Another process may be told of it later than this one.
    assert recent.of("ann") == {ROOMS: 7}
    recent.reached({ROOMS: 7}, KEPT_SECONDS * 2)
    assert recent.of("ann") == {} and recent.of("ben") == {ROOMS: 9}
    recent.reached({ROOMS: 9}, KEPT_SECONDS * 2)
    assert len(recent) == 0


def test_who_writes_again_is_kept_for_longer() -> None:
    recent = Recent()
    recent.note("ann", ROOMS, 7, 0)
    recent.note("ben", ROOMS, 8, 0)
    recent.note("ann", ROOMS, 9, KEPT_SECONDS)
    recent.reached({ROOMS: 9}, KEPT_SECONDS)
    assert recent.of("ann") == {ROOMS: 9} and recent.of("ben") == {}


def test_of_which_shards_all_is_known() -> None:
    recent = Recent()
    recent.note("ann", ROOMS, 7, 0)
    assert recent.shards == set()
    recent.begin(ROOMS)
    assert recent.shards == {ROOMS} and recent.of("eve") == {}
    recent.end(ROOMS)
    assert recent.shards == set() and recent.of("ann") == {ROOMS: 7}


def test_of_more_users_than_it_keeps_it_knows_nothing_less() -> None:
    recent = Recent(users=2)
    for number, user in enumerate(("ann", "ben", "cid", "dan")):
        recent.note(user, ROOMS, number + 1, number)
    assert len(recent) == 2
    assert recent.of("dan") == {ROOMS: 4} and recent.of("cid") == {ROOMS: 3}
    assert recent.of("ann")[ROOMS] >= 1 and recent.of("ben") == {ROOMS: 2}
