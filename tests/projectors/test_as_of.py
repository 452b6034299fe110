"""The event types by which the past is read come from the registry's rows, which say the truth of their folds; and
moments are read as written."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest

from events.core.positions import Shard
from events.core.records import Entity, Event, Key, Record
from events.members import Member, MemberJoined, member_key
from events.messages import MessagePosted
from events.registry import REGISTRY
from events.users import User
from infra.base import event_types
from infra.base.postgres import SQL, queries
from infra.base.rows import TABLES
from producers.registry import COMMANDS_BY_NAME
from projectors.as_of import people
from projectors.as_of.moments import BadMoment, Moment, parse_moment
from projectors.views import user_view


def types(text: str) -> set[str]:
    """Event types that stand in SQL as literals."""
    return set(re.findall(r"'([a-z]+\.[a-z_]+)'", text))


def of(type: str, *, offset: int = 1, actor: str = "a", data: Event | None = None) -> Record:
    """An event of a type; its sample, unless ``data`` is given."""
    row = REGISTRY.events[type]
    return Record(
        topic=row.topics[0], partition=0, offset=offset, id="x.0", type=type, stream="s", actor=actor, command="c",
        app="default", time="2026-11-21T08:00:00.000Z", data=row.sample if data is None else data,
    )  # fmt: skip


def test_indexes_leave_out_only_what_the_queries_leave_out() -> None:
    """So Postgres uses them, and an event type that they do not know is in them."""
    schema = (SQL / "schema_live.sql").read_text(encoding="utf-8")
    for index, besides in (("changes_structure", "besides_structure"), ("changes_message", "besides_became")):
        (statement,) = re.findall(rf"create index {index} [^;]+;", schema)
        assert "topic = 'rooms' and type not in" in " ".join(statement.split())
        needed = types(statement) - set(event_types.SETS[besides])
        assert not needed, f"{index}: take these out, and raise SCHEMA_VERSION: {needed}"


def test_sql_names_only_event_types_and_commands_that_there_are() -> None:
    for path in SQL.glob("*.sql"):
        text = path.read_text(encoding="utf-8")
        # Verification names columns by their tables.
        named = {name for name in types(text) if name.partition(".")[0] not in TABLES.values()}
        assert named <= REGISTRY.events.keys(), path.name
        assert set(re.findall(r"'([A-Z][A-Za-z]+):'", text)) <= COMMANDS_BY_NAME.keys(), path.name


def scene() -> dict[Key, Entity | None]:
    """A room with somebody in it and a message, each of which an event may read or change; and somebody invited."""
    state: dict[Key, Entity | None] = defaultdict(lambda: None)
    said = MessagePosted(message=_MESSAGE, seq=1, token="t", type="text", content={"text": "x"}, data={})
    for record in (
        of("room.created"), of("member.joined", data=MemberJoined(user="a", role="owner")),
        of("member.joined", data=MemberJoined(user=_USER, role="member")), of("message.posted", data=said),
    ):  # fmt: skip
        state.update(REGISTRY.fold(record, state))
    return state


#: Who and what most samples are about.
_USER, _MESSAGE = "7d9f3c1e-2f7b-4a62-9c5e-0d3b1a2c4e5f", "019aa000-0000-7000-8000-000000000004"


@pytest.mark.parametrize("name", [name for name, row in REGISTRY.events.items() if "rooms" in row.topics])
def test_what_a_fold_only_reads_it_does_not_change(name: str) -> None:
    row = REGISTRY.events[name]
    changed = {key[0] for key in REGISTRY.fold(of(name, offset=9), scene())}
    assert not changed & set(row.reads) and set(row.reads) <= event_types.kinds(row)


def test_what_is_renewed_is_looked_for() -> None:
    """Of a room the last event that made a message, of a member the last by which they had read."""
    assert set(event_types.renewing("room")) <= set(event_types.making("message"))
    assert {kind for row in REGISTRY.events.values() for kind in row.renews} == {"room", "member"}


def test_sets_are_those_that_queries_take() -> None:
    taken = {name for path in SQL.glob("*.sql") for name in re.findall(r"\{types (\w+)\}", path.read_text("utf-8"))}
    assert taken == event_types.SETS.keys()


@pytest.mark.parametrize("name", [name for name, row in REGISTRY.events.items() if row.renews])
def test_of_what_is_renewed_the_last_event_tells_all(name: str) -> None:
    row, once, twice = REGISTRY.events[name], scene(), scene()
    first, last = of(name, offset=8, actor=_USER), of(name, offset=9, actor=_USER)
    twice.update(REGISTRY.fold(first, twice))
    for state in (once, twice):
        state.update(REGISTRY.fold(last, state))
    for kind in row.renews:
        kept = {key: one for key, one in twice.items() if key[0] == kind}
        assert kept and kept == {key: once[key] for key in kept}


@pytest.mark.parametrize("name", [name for name, row in REGISTRY.events.items() if "rooms" in row.topics])
def test_queries_of_who_came_and_left_know_the_events_that_say_so(name: str) -> None:
    membership = types(queries("past")["membership"])
    assert membership == types(queries("projectors")["parked_members"])
    inside, outside = scene(), scene()
    outside[member_key("s", _USER)] = None
    moved = False
    for state in (inside, outside):
        for key, one in REGISTRY.fold(of(name, offset=9), state).items():
            before = state[key]
            if isinstance(one, Member):
                moved |= one.state != (before.state if isinstance(before, Member) else "left")
    assert moved == (name in membership)


def test_events_name_by_these_fields_what_queries_look_for() -> None:
    """What a query takes from an event's data: the member, the message, the other of a relationship, the visual."""
    fields = {"member": "user", "invitation": "user", "message": "message", "relationship": "other", "visual": "visual"}
    for row in REGISTRY.events.values():
        for kind, field in fields.items():
            for key in row.keys(of(row.name)):
                # What who acts does to themselves, and an author to what they say, needs no name.
                if key[0] == kind and not (kind == "member" and key[-1] == "a"):
                    assert key[-1] == getattr(row.sample, field, None), (row.name, key)


def test_profiles_are_folded_from_all_that_others_see() -> None:
    before = User(
        id="s", app="a", username="u", name="n", role="person", state="registered", credential=None, email=None,
        email_settled=0, seen=None, visual=None, added_by=None, external=None, account="regular", team=None,
        avatar=None, bio=None, data={}, custom={}, deactivated=None, created="t", updated="t", version=0,
    )  # fmt: skip
    shown = set()
    for name in people.USER:
        row = REGISTRY.events[name]
        record = of(name, actor="s")
        state = {key: before if key == before.key else None for key in map(Key, row.keys(record))}
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
