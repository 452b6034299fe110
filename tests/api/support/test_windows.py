"""The windows in which a search goes through months: each message in one of them, in one order over all rooms."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from api.support.windows import TOP, MessageRank, MonthPart, RankWindow, windows
from infra.base.months import bounds, month_of

ROOMS = ["a", "b", "c"]
#: Ids of some months, of their first moments too, and such as begin with no time.
IDS = [
    *bounds("2026-10"), bounds("2026-08")[0],
    *(f"{bounds(month)[0]}-7{n}" for month in ("2026-08", "2026-09", "2026-10") for n in range(3)), "zzz", "",
]  # fmt: skip

#: A room, an id, and where it stands if elsewhere.
Said = tuple[str, str, str | None]
SAID: st.SearchStrategy[list[Said]] = st.lists(
    st.tuples(st.sampled_from(ROOMS), st.sampled_from(IDS), st.none() | st.sampled_from(IDS[:-2])),
    max_size=12, unique_by=lambda one: one[1],
)  # fmt: skip


def listed(said: list[Said], archived: str = "") -> list[dict[str, Any]]:
    """What the query ``months`` gives."""
    found = []
    for month in sorted({month_of(id) for _, id, _ in said} - {archived}, reverse=True):
        there = [one for one in said if month_of(one[1]) == month]
        ranks = [rank for _, _, rank in there if rank is not None]
        found.append({
            "month": month, "rooms": sorted({room for room, _, _ in there}), "low": min(ranks, default=None),
            "high": max(ranks, default=None), "ranked": sorted({room for room, _, rank in there if rank is not None}),
        })  # fmt: skip
    return found


def has(window: RankWindow, room: str, id: str, rank: str | None, seq: int) -> bool:
    part: MonthPart | None = window.month if rank is None else window.ranked
    place = MessageRank(id if rank is None else rank, room, seq)
    return part is not None and room in part.rooms and part.low <= id < part.high and window.low <= place < window.high


@given(SAID)
def test_each_message_is_in_one_window(said: list[Said]) -> None:
    found = list(windows(listed(said)))
    assert all(before.low == after.high for before, after in pairwise(found))
    assert not found or found[0].high == TOP
    for seq, one in enumerate(said, 1):
        assert sum(has(window, *one, seq) for window in found) == 1


@given(SAID)
def test_around_an_archived_month_none_is_missed(said: list[Said]) -> None:
    """Also those that stand at an id which is put aside."""
    archived = "2026-09"
    found = list(windows(listed(said, archived)))
    assert all(window.month is None or window.month.low != bounds(archived)[0] for window in found)
    for seq, one in enumerate(said, 1):
        assert month_of(one[1]) == archived or sum(has(window, *one, seq) for window in found) == 1


def test_months_without_ranks_are_looked_at_alone() -> None:
    found = list(windows(listed([("a", bounds(month)[0], None) for month in ("2026-08", "2026-10")])))
    assert [window.month for window in found] == [MonthPart(["a"], *bounds(month)) for month in ("2026-10", "2026-08")]
    assert all(window.ranked is None for window in found)
