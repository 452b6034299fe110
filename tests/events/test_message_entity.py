"""Where messages stand among those of all rooms: within a room as they are numbered, whatever ids and clocks say."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from msgspec.structs import replace

from events.core.clock import first_id, from_datetime, to_datetime, uuid7
from events.core.records import Entity
from events.message_entity import END_ID, FIRST_ID, new_message
from events.messages import Message, MessageEdited, MessagePosted, as_posted, message_key
from events.rooms import Room, RoomCreated, room_key
from infra.base.months import EARLY, LATE, bounds
from tests.events.given import Given, record

#: Two seconds apart, around the end of a month.
MOMENTS = [to_datetime(f"2026-{day}").timestamp() for day in ("10-31T23:59:58Z", "11-01T00:00:00Z", "11-01T00:00:02Z")]
IDS = st.builds(lambda moment, ms: uuid7(int(moment * 1000) + ms), st.sampled_from(MOMENTS), st.integers(0, 3))


def room() -> Room:
    found = Given(RoomCreated(type="group", visibility="private", name="r", data={})).state[room_key("s")]
    assert isinstance(found, Room)
    return found


def conversation(*told: tuple[str, str]) -> list[Message]:
    """The messages of a room, of these ids and times."""
    found, place = [], room()
    for seq, (id, time) in enumerate(told, 1):
        event = MessagePosted(message=id, seq=seq, token="t", type="text", content={}, data={})
        posted = replace(record(event, seq), time=time)
        message, place = new_message(posted, place, as_posted(posted))
        assert place.rank == (message.rank or id)
        found.append(message)
    return found


def stands(messages: list[Message]) -> list[str]:
    return [message.rank or message.id for message in messages]


@drawn(st.lists(IDS | st.text("0189abcdef-rm~", min_size=1, max_size=12) | st.uuids(version=4).map(str), max_size=12))
def test_no_message_stands_before_one_that_precedes_it(ids: list[str]) -> None:
    times = [from_datetime(to_datetime("2026-11-01T00:00:00.000Z")) for _ in ids]
    found = conversation(*zip(ids, times, strict=True))
    assert all(before <= after for before, after in pairwise(stands(found)))
    for message in found:
        # What needs no rank has none: then it is found by its id.
        assert message.rank != message.id and stands([message])[0] < END_ID


def test_a_clock_that_is_behind_and_one_that_is_ahead() -> None:
    first, behind, ahead, after = [uuid7(1_700_000_000_000 + ms) for ms in (5000, 0, 60_000, 6000)]
    found = conversation(*((id, "2023-11-14T22:13:20.000Z") for id in (first, behind, ahead, after)))
    assert [message.rank for message in found] == [None, first, None, ahead]


def test_an_id_without_a_time_stands_at_its_own_time() -> None:
    later = uuid7(1_700_000_001_000)
    found = conversation(("r-m1", "2023-11-14T22:13:20.000Z"), (later, "2023-11-14T22:13:21.000Z"))
    assert [message.rank for message in found] == ["018bcfe5-6800", None]
    # A leap second is no time of the calendar that Python has; the message stands where its room is.
    found = conversation((later, "2023-11-14T22:13:21.000Z"), ("x", "2016-12-31T23:59:60.000Z"))
    assert [message.rank for message in found] == [None, later]


@pytest.mark.parametrize("time", ["1970-01-01T00:00:00.000Z", "2026-11-21T08:15:30.123Z", "1969-01-01T00:00:00.000Z"])
def test_the_first_id_of_a_moment(time: str) -> None:
    milliseconds = max(0, int(to_datetime(time).timestamp() * 1000))
    assert first_id(time) <= uuid7(milliseconds) < uuid7(milliseconds + 1)
    assert first_id("2016-12-31T23:59:60.000Z") == ""


def test_ids_with_a_time_are_those_of_the_months() -> None:
    assert (bounds(EARLY)[1], bounds(LATE)[0]) == (FIRST_ID, END_ID)


def test_an_edit_moves_nothing() -> None:
    state: dict[Any, Entity | None] = {}
    given = Given(RoomCreated(type="group", visibility="private", name="r", data={}))
    for seq in (1, 2):
        id = uuid7(1_700_000_000_000 - seq * 1000)
        given.when(MessagePosted(message=id, seq=seq, token=str(seq), type="text", content={}, data={}))
        state[seq] = given.state[message_key(id)]
    second = state[2]
    assert isinstance(second, Message) and second.rank is not None
    given.when(MessageEdited(message=second.id, content={"text": "x"}, data={}))
    edited = given.state[second.key]
    assert isinstance(edited, Message) and edited.rank == second.rank and edited.revision == 1
