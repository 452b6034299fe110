"""Where to look for a room's messages: windows hold the nearest ones, and the months in which they are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from api.support.spans import Span, Spans
from infra.base.months import bounds

MONTHS = [f"2020-{month:02}" for month in range(1, 10)]

#: The month of each message, by its number: mostly in order, as clocks are.
ROOM = st.lists(st.integers(0, 8), max_size=40).map(lambda months: [*sorted(months[:30]), *months[30:]])


def spans_of(room: list[int], archived: set[int]) -> list[Span]:
    found = []
    for month in sorted(set(room)):
        seqs = [seq for seq, of in enumerate(room, 1) if of == month]
        time = f"{MONTHS[month]}-01T00:00:00.000Z"
        found.append(Span(MONTHS[month], seqs[0], seqs[-1], time, time, month in archived))
    return found


@given(ROOM, st.sets(st.integers(0, 8)), st.integers(0, 45), st.integers(1, 10))
def test_windows_lead_through_all_that_is_there(room: list[int], archived: set[int], place: int, size: int) -> None:
    spans = Spans(spans_of(room, archived))
    there = {seq for seq, month in enumerate(room, 1) if month not in archived}

    def within(first: int, last: int, low: str, high: str) -> set[int]:
        return {seq for seq in there if first <= seq <= last and low <= bounds(MONTHS[room[seq - 1]])[0] < high}

    found: set[int] = set()
    at = place
    while (window := spans.window_below(at, size)) is not None:
        assert min(there) <= window.first <= window.last < at and window.last - window.first < size
        found |= within(*window)
        at = window.first
    assert found == {seq for seq in there if seq < place} and not spans.below(at)
    found, at = set(), place
    while (window := spans.window_above(at, size)) is not None:
        assert at < window.first <= window.last <= max(there) and window.last - window.first < size
        found |= within(*window)
        at = window.last
    assert found == {seq for seq in there if seq > place} and not spans.above(at)
    gone = {seq for seq, month in enumerate(room, 1) if month in archived}
    assert spans.archived(1, 100) == bool(gone) and not Spans(spans_of(room, set())).archived(1, 100)


@given(ROOM, st.integers(0, 8), st.integers(0, 8))
def test_times_leave_out_months(room: list[int], since: int, until: int) -> None:
    spans = Spans(spans_of(room, set()), f"{MONTHS[since]}-01T00:00:00.000Z", f"{MONTHS[until]}-01T00:00:00.000Z")
    wanted = [seq for seq, month in enumerate(room, 1) if since <= month < until]
    assert spans.below(10**6) == bool(wanted)
    if wanted:
        window = spans.window_below(10**6, 1000)
        assert window is not None and window.last == max(wanted) and window.low >= bounds(MONTHS[since])[0]
