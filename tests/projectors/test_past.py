"""The lists of event types by which the past is read are those of the registry, and moments are read as written."""

from __future__ import annotations

import re

import pytest

from events import REGISTRY
from events.positions import Shard
from events.records import EventType, Key, Record
from events.users import User
from infra.postgres import SQL, queries
from projectors.past import people
from projectors.past.moments import BadMoment, Moment, parse_moment
from projectors.views import user_view


def named(row: EventType) -> set[str]:
    """The kinds of entities that an event of the type names."""
    record = Record(
        topic=row.topics[0], partition=0, offset=0, id="x.0", type=row.name, stream="s", actor="a", command="c",
        app="default", time="2026-11-21T08:00:00.000Z", data=row.sample,
    )  # fmt: skip
    return {key[0] for key in map(Key, row.names(record))}


def types(text: str) -> set[str]:
    return set(re.findall(r"'([a-z]+\.[a-z_]+)'", text))


def test_what_made_a_room_is_all_that_names_it_but_what_is_said_and_read() -> None:
    rooms = {row.name for row in REGISTRY.events.values() if named(row) & {"room", "member"}}
    listed = types(queries("past")["structure"])
    # An invitation takes the room's name with it, and leaves the room as it is.
    wanted = rooms - {"message.posted", "member.read", "member.invited"}
    assert listed == wanted == types(queries("past")["structure_sizes"])
    assert {"message.posted", "member.read"} == types(queries("past")["read_before"])


def test_what_became_of_a_message_is_all_that_names_it_but_what_made_it() -> None:
    messages = {row.name for row in REGISTRY.events.values() if "message" in named(row)}
    made = types(queries("past")["said_before"])
    assert made < messages and types(queries("past")["became"]) == messages - made


def test_indexes_serve_the_same_types() -> None:
    schema = (SQL / "schema_live.sql").read_text(encoding="utf-8")
    for index, query in (("changes_structure", "structure"), ("changes_message", "became")):
        (statement,) = re.findall(rf"create index {index} [^;]+;", schema)
        assert types(statement) == types(queries("past")[query])


def test_people_are_folded_from_all_that_names_them() -> None:
    for kind, listed in (("user", people.USER), ("relationship", people.RELATIONSHIP), ("visual", people.VISUAL)):
        assert set(listed) == {row.name for row in REGISTRY.events.values() if kind in named(row)}


def test_profiles_are_folded_from_all_that_others_see() -> None:
    before = User(
        id="s", username="u", name="n", role="person", state="registered", credential=None, email=None,
        email_settled=0, seen=None, visual=None, added_by=None, data={}, created="t", updated="t", version=0,
    )  # fmt: skip
    shown = set()
    for name in people.USER:
        row = REGISTRY.events[name]
        record = Record(
            topic=row.topics[0], partition=0, offset=1, id="x.0", type=name, stream="s", actor="s", command="c",
            app="default", time="2026-11-21T08:00:00.000Z", data=row.sample,
        )  # fmt: skip
        state = {key: before if key == before.key else None for key in map(Key, row.names(record))}
        after = row.fold(record, state).get(before.key, before)
        if not isinstance(after, User) or user_view(after) | {"version": 0} != user_view(before):
            shown.add(name)
    assert shown - {"user.registration_abandoned"} <= set(people.PROFILE)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-21T08:15:30Z", "2026-11-21T08:15:30.000Z"),
        ("2026-11-21T08:15:30.1239Z", "2026-11-21T08:15:30.123Z"),
        ("2026-11-21T10:15:30+02:00", "2026-11-21T08:15:30.000Z"),
        # A plus sign that was not escaped.
        ("2026-11-21T10:15:30 02:00", "2026-11-21T08:15:30.000Z"),
        ("2026-11-21 08:15:30Z", "2026-11-21T08:15:30.000Z"),
    ],
)
def test_times(text: str, time: str) -> None:
    assert parse_moment(text) == Moment(time=time) and str(parse_moment(text)) == time


def test_positions() -> None:
    moment = parse_moment("rooms/3/1235,users/1/88")
    assert moment == Moment(vector={Shard("rooms", 3): 1235, Shard("users", 1): 88})
    assert str(moment) == "rooms/3/1235,users/1/88"


@pytest.mark.parametrize(
    "text", ["", "2026-11-21T08:15:30", "0001-01-01T00:00:00+23:00", "rooms/x/1", "rooms/1", "now"]
)
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(BadMoment, match="expected"):
        parse_moment(text)
