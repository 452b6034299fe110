"""The readers' rule, positions, cursors, and text as people search for it.
Tests ``events/core/log.py``, ``events/core/positions.py`` and ``events/core/text.py``."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from events.core import clock, feed, text
from events.core.log import TermFilter, opened_headers, term_headers
from events.core.positions import BadPosition, Position, Shard, encode_vector, parse_position, parse_vector, reached

#: Each step: offset, the term in its header ("opened" for a log.opened), and whether readers believe it.
TERMS: dict[str, tuple[int | None, list[tuple[int, int | str | None, bool]]]] = {
    "the writer's own": (None, [(0, "opened", True), (1, 0, True), (2, 0, True)]),
    "an old owner after a new one": (None, [(0, "opened", True), (1, 0, True), (2, "opened", True), (3, 0, False),
                                            (4, 2, True), (5, 0, False), (6, 2, True)]),
    "two who open": (None, [(0, "opened", True), (1, "opened", True), (2, 0, False), (3, 1, True)]),
    "without a term": (None, [(0, "opened", True), (1, None, False), (2, 0, True)]),
    "from the middle, with the stored term": (7, [(9, 7, True), (10, 4, False), (11, "opened", True), (12, 7, False)]),
    "from the middle, without one": (None, [(9, 4, True), (10, 7, True), (11, 4, False), (12, 7, True)]),
    "a term that nobody has opened": (None, [(0, "opened", True), (1, 5, False), (2, 0, True), (3, 999999, False),
                                             (4, 4, False), (5, "9" * 400, False), (6, 0, True)]),
    "the same, from the middle": (7, [(9, 8, False), (10, 7, True), (11, 999999, False), (12, 7, True)]),
    "the same, without the stored term": (None, [(9, 9, False), (10, 999999, False), (11, 7, True), (12, 8, True)]),
    "a term that is no number": (5, [(9, "x", False), (10, 5, True), (11, "", False), (12, "-1", False)]),
}  # fmt: skip


@pytest.mark.parametrize("what", TERMS)
def test_a_reader_believes_the_latest_owner_only(what: str) -> None:
    start, steps = TERMS[what]
    rule = TermFilter(start)
    for offset, term, believed in steps:
        if term == "opened":
            headers = opened_headers()
        elif isinstance(term, int):
            headers = term_headers(term)
        else:
            headers = [] if term is None else [("term", str(term).encode())]
        assert rule.admits(offset, headers) is believed, offset


@given(st.lists(st.one_of(st.none(), st.integers(0, 12)), max_size=12), st.integers(0, 12))
def test_a_reader_that_starts_in_the_middle_with_its_term_believes_the_same(terms: list[int | None], cut: int) -> None:
    """None opens; a number is a record of the owner that opened at that offset."""
    headers = [opened_headers() if term is None else term_headers(term) for term in [None, *terms]]
    rule = TermFilter()
    whole = [rule.admits(offset, one) for offset, one in enumerate(headers) if offset < cut]
    later = TermFilter(rule.term)
    rest = [later.admits(offset, one) for offset, one in enumerate(headers) if offset >= cut]
    once = TermFilter()
    assert whole + rest == [once.admits(offset, one) for offset, one in enumerate(headers)]


SHARDS = st.builds(Shard, st.sampled_from(["users", "rooms", "handles", "apps"]), st.integers(0, 500))
VECTORS = st.dictionaries(SHARDS, st.integers(0, 10**18 - 1))


@given(VECTORS)
def test_vectors_come_back_as_they_were(vector: dict[Shard, int]) -> None:
    assert parse_vector(encode_vector(vector)) == vector
    assert encode_vector(dict(reversed(vector.items()))) == encode_vector(vector)


@given(VECTORS, VECTORS)
def test_who_has_reached_both_has_reached_each(one: dict[Shard, int], other: dict[Shard, int]) -> None:
    both = {shard: max(one.get(shard, 0), other.get(shard, 0)) for shard in one.keys() | other.keys()}
    assert reached(both, one) and reached(both, other) and reached(one, {}) and reached(one, one)
    assert all(not reached({shard: offset}, {shard: offset + 1}) for shard, offset in one.items())


def test_positions_are_topic_partition_offset() -> None:
    assert parse_position("rooms/3/1234") == Position("rooms", 3, 1234)
    assert str(Position("rooms", 3, 1234)) == "rooms/3/1234" and Position("rooms", 3, 1).shard == Shard("rooms", 3)
    assert parse_vector("rooms/0/5, rooms/0/3,,users/1/2") == {Shard("rooms", 0): 5, Shard("users", 1): 2}
    for wrong in (
        "",
        "rooms",
        "rooms/1",
        "rooms/a/1",
        "rooms/1/-1",
        "rooms/1/2/3",
        "rooms/²/1",
        "rooms/1/1" + "0" * 19,
    ):
        with pytest.raises(BadPosition, match="expected topic/partition/offset"):
            parse_position(wrong)
    with pytest.raises(BadPosition, match=r'got "it\'s"$'):
        parse_position("it's")


@given(st.integers(0, 2**41 - 2), st.integers(0, feed.ITEMS - 1))
def test_cursors_ascend_and_stay_exact_in_json_numbers(offset: int, index: int) -> None:
    cursor = feed.cursor(offset, index)
    assert feed.split_cursor(cursor) == (offset, index) and 0 < cursor <= 2**53
    assert feed.cursor(offset, index) < feed.cursor(offset + 1, 0)
    # After all records below an offset comes its first item, and nothing of the record before does.
    assert feed.end_cursor(offset) < feed.cursor(offset, 0)
    assert feed.end_cursor(offset + 1) >= cursor
    assert feed.split_cursor(0) == (-1, 0)


@pytest.mark.long
@given(st.lists(st.tuples(st.lists(st.text()), st.dictionaries(st.text(), st.text())), max_size=5))
def test_feed_records_come_back_as_they_were(items: list[tuple[list[str], dict[str, str]]]) -> None:
    record = [feed.FeedItem(users, msgspec.Raw(msgspec.json.encode(delta))) for users, delta in items]
    value = feed.encode_record(record)
    assert b"\n" not in value
    found = feed.decode_record(value).items
    assert [(item.recipients, msgspec.json.decode(item.delta)) for item in found] == items


def test_a_feed_record_holds_no_more_than_a_cursor_can_name() -> None:
    item = feed.FeedItem([], msgspec.Raw(b"{}"))
    assert feed.encode_record([item] * feed.ITEMS)
    with pytest.raises(ValueError, match="4096"):
        feed.encode_record([item] * (feed.ITEMS + 1))


def test_users_keep_their_feed_partition_in_every_version() -> None:
    assert [feed.partition_of(user, 8) for user in ("ada", "bob", "eve")] == [0, 0, 6]
    assert feed.by_partition(["ada", "eve", "bob"], 8) == {0: ["ada", "bob"], 6: ["eve"]}


@given(st.text())
@example("𝓐𝓭𝓪")
@example("ẞ")
@example("İ")
@example("ﬀ")
@example("ᾳͅ")
def test_folded_text_stays_as_it_is(written: str) -> None:
    folded = text.fold(written)
    assert text.fold(folded) == folded
    assert text.fold(written.upper()) == text.fold(written.upper().lower()) or "İ" in written.upper()


@pytest.mark.parametrize(
    ("written", "folded"),
    [("Ünïcode", "unicode"), ("ÉCOLE", "ecole"), ("Straße", "strasse"), ("Ａｄａ", "ada"), ("𝓐𝓭𝓪", "ada"), ("ℌ", "h"),
     ("Ångström", "angstrom"), ("한국어", "한국어"), ("Łódź", "lodz"), ("", ""), ("e\u0301", "e")],
)  # fmt: skip
def test_text_is_folded_without_case_accents_and_width(written: str, folded: str) -> None:
    assert text.fold(written) == folded


@given(st.text(max_size=30), st.integers(0, 30), st.integers(1, 30))
def test_every_part_of_a_line_is_found_by_its_grams(written: str, start: int, length: int) -> None:
    folded = text.fold(written)
    for line in folded.split("\n"):
        part = line[start : start + length]
        if part:
            assert set(text.query_grams(part)) <= set(text.grams(folded))


def test_grams_do_not_cross_lines() -> None:
    assert text.grams("ab\nc") == ["a", "ab", "b", "c"]
    assert text.query_grams("abcd") == ["abc", "bcd"] and text.query_grams("ab") == ["ab"]


def test_times_are_of_one_width_so_that_text_order_is_time_order() -> None:
    moments = ["1999-12-31T23:59:59.999Z", clock.now(), clock.after(clock.now(), 0.001), clock.after(clock.now(), 1e6)]
    assert moments == sorted(moments) and {len(moment) for moment in moments} == {24}
    assert clock.from_datetime(clock.to_datetime(moments[0])) == moments[0]


def test_ids_ascend_with_time_and_are_version_7() -> None:
    ids = [clock.uuid7(milliseconds) for milliseconds in (0, 1, 1_700_000_000_000, 2**48 - 1)]
    assert ids == sorted(ids) and all(one[14] == "7" and one[19] in "89ab" and len(one) == 36 for one in ids)
    assert len({clock.uuid7() for _ in range(1000)}) == 1000
