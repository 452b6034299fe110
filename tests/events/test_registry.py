"""The registry's walk: what holds for every event type, whatever it is. Tests ``events/registry.py``."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from events.core.records import (
    DecodeError,
    Entity,
    Event,
    EventType,
    Key,
    NewerVersion,
    Record,
    Registry,
    UnknownType,
    Upcaster,
)
from events.core.revert_rules import NotRevertible
from events.registry import REGISTRY
from infra.base.kafka import EVENT_TOPICS
from tests.events.given import Given, record

ROWS = list(REGISTRY.events.values())
#: Kinds that a fold may make although the event does not name them: nothing is ever read before.
CREATED = {"stay", "revision", "channel"}

every_event = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def encoded(event: Event, **more: Any) -> bytes:
    fields: dict[str, Any] = {"id": "x.0", "source": "klatsch/test", "stream": "s", "time": "2026-11-21T08:00:00.000Z",
                              "actor": "ada", "command": "c:1", **more}  # fmt: skip
    return REGISTRY.encode(event, **fields)


def with_data(value: bytes, /, **changes: Any) -> bytes:
    """An encoded event with other data; None takes a field away."""
    envelope = msgspec.json.decode(value)
    envelope["data"].update(changes)
    envelope["data"] = {
        name: item for name, item in envelope["data"].items() if item is not None or name not in changes
    }
    return msgspec.json.encode(envelope)


def fields(row: EventType) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(row.struct)


@every_event
def test_the_sample_comes_back_as_it_was(row: EventType) -> None:
    value = encoded(row.sample)
    found = REGISTRY.decode(value, row.topics[0], 3, 7)
    assert found.data == row.sample and REGISTRY.of(found.data) is row
    assert (found.type, found.stream, found.actor, found.command) == (row.name, "s", "ada", "c:1")
    assert str(found.position) == f"{row.topics[0]}/3/7"
    assert msgspec.json.decode(found.raw) == msgspec.json.decode(value)["data"]


@every_event
def test_the_envelope_is_a_cloudevent(row: EventType) -> None:
    envelope = msgspec.json.decode(encoded(row.sample))
    assert envelope["specversion"] == "1.0" and envelope["type"] == row.name and envelope["subject"] == "s"
    assert envelope["dataschema"] == f"urn:klatsch:event:{row.name}:{row.version}"
    assert envelope["datacontenttype"] == "application/json" and "traceparent" not in envelope
    # CloudEvents 1.0: attribute names are of a-z and 0-9.
    assert all(re.fullmatch("[a-z0-9]{1,20}", name) for name in envelope)


@every_event
def test_names_are_entity_dot_past_tense_in_a_topic_that_exists(row: EventType) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z_]+", row.name) and row.topics and set(row.topics) <= set(EVENT_TOPICS)
    assert row.about.endswith(".") and len(row.about) > 10 and isinstance(row.sample, row.struct)


@every_event
def test_fields_of_newer_code_are_ignored(row: EventType) -> None:
    value = with_data(encoded(row.sample), added_later={"deep": [1]})
    assert REGISTRY.decode(value, "rooms", 0, 0).data == row.sample


@every_event
def test_a_missing_field_is_an_error(row: EventType) -> None:
    required = [field.encode_name for field in fields(row) if field.required]
    for name in required:
        with pytest.raises(DecodeError, match=name):
            REGISTRY.decode(with_data(encoded(row.sample), **{name: None}), "rooms", 0, 0)


@every_event
def test_defaults_are_written(row: EventType) -> None:
    """A default that is changed later must not rewrite history."""
    assert msgspec.json.decode(encoded(row.sample))["data"].keys() == {field.encode_name for field in fields(row)}


@every_event
def test_a_wrong_type_of_a_field_is_an_error(row: EventType) -> None:
    for field in fields(row):
        with pytest.raises(DecodeError):
            REGISTRY.decode(with_data(encoded(row.sample), **{field.encode_name: [[]]}), "rooms", 0, 0)


def foundations() -> list[Event]:
    """The samples that make the entities which the others change."""
    names = ["user.registered", "session.opened", "visual.created", "room.created", "member.joined", "message.posted",
             "handle.claimed"]  # fmt: skip
    return [REGISTRY.events[name].sample for name in names]


@every_event
def test_the_fold_touches_only_what_the_event_names(row: EventType) -> None:
    for before in ([], foundations()):
        given = Given(*before).when(row.sample)
        record_names = set(_names(row, given))
        assert all(key in record_names or key[0] in CREATED for key in given.changes)
        assert all(key[0] in REGISTRY.entities for key in record_names | given.changes.keys())
        assert all(entity is None or entity.key == key for key, entity in given.changes.items())


def _names(row: EventType, given: Given) -> list[Key]:
    return list(REGISTRY.keys(record(row.sample, given.offset - 1)))


@every_event
def test_what_was_not_loaded_is_never_taken_for_what_does_not_exist(row: EventType) -> None:
    found = record(row.sample)
    absent = REGISTRY.fold(found, dict.fromkeys(REGISTRY.keys(found)))
    try:
        without = REGISTRY.fold(found, {})
    except KeyError:
        return
    # It reads nothing: then whatever stands there does not matter either.
    assert without == absent == Given(*foundations()).when(row.sample).changes | without


@pytest.mark.parametrize("entity", REGISTRY.entities.values(), ids=lambda entity: entity.kind)
def test_entities_are_keyed_by_their_fields(entity: type[Entity]) -> None:
    names = {field.name for field in msgspec.structs.fields(entity)}
    assert set(entity.key_fields) <= names and "version" in names


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff",
        b'{"specversion":"1.0"}',
        b"{" * 100_000,
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
    ],
)
def test_what_is_no_event_is_an_error_that_says_where(value: bytes) -> None:
    with pytest.raises(DecodeError, match="rooms/3/17"):
        REGISTRY.decode(value, "rooms", 3, 17)


def test_a_time_that_is_none_is_an_error() -> None:
    sample = REGISTRY.events["room.renamed"].sample
    for time in (
        "2026-11-21T08:00:00Z", "2026-11-21 08:00:00.000Z", "2026-11-21T08:00:00.000Z\n", "", "now",
        "٢٠٢٦-11-21T08:00:00.000Z", "2026-11-21T08:00:00.00\u00b2Z", "2026-11-21T08:00:00.000z",
    ):  # fmt: skip
        with pytest.raises(DecodeError):
            REGISTRY.decode(encoded(sample, time=time), "rooms", 0, 0)


def test_an_unknown_type_is_told_from_a_broken_record() -> None:
    value = encoded(REGISTRY.events["room.renamed"].sample).replace(b"room.renamed", b"room.melted")
    with pytest.raises(UnknownType, match=r"room\.melted"):
        REGISTRY.decode(value, "rooms", 0, 0)


class _Renamed(Event, frozen=True, kw_only=True):
    title: str
    by: str


def _fold(record: Record, state: Any) -> dict[Key, Entity | None]:
    return {}


def test_old_versions_are_upcast_step_by_step() -> None:
    steps = (
        Upcaster(1, lambda data: {"title": data["name"]}),
        Upcaster(2, lambda data: {**data, "by": "unknown"}),
    )
    row = EventType(
        name="room.renamed", struct=_Renamed, topics=("rooms",), keys=lambda record: (), fold=_fold, about="A test.",
        sample=_Renamed(title="x", by="y"), revert=NotRevertible("A test."), version=3, upcasters=steps,
    )  # fmt: skip
    registry = Registry((row,), ())
    old = encoded(REGISTRY.events["room.renamed"].sample)
    assert registry.decode(old, "rooms", 0, 0).data == _Renamed(title="Difference Engine", by="unknown")
    second = with_data(old, name=None, title="b").replace(b"renamed:1", b"renamed:2")
    assert registry.decode(second, "rooms", 0, 0).data == _Renamed(title="b", by="unknown")
    third = with_data(second, by="ada").replace(b"renamed:2", b"renamed:3")
    assert registry.decode(third, "rooms", 0, 0).data == _Renamed(title="b", by="ada")
    with pytest.raises(NewerVersion, match=r"rooms/0/7: expected room.renamed of version 3 at most, got 4: .* update"):
        registry.decode(third.replace(b"renamed:3", b"renamed:4"), "rooms", 0, 7)
    with pytest.raises(DecodeError):
        # A step that meets what it does not expect.
        registry.decode(with_data(old, name=None), "rooms", 0, 0)


def test_a_type_stands_in_the_registry_once() -> None:
    row = REGISTRY.events["room.renamed"]
    with pytest.raises(ValueError, match=r"room\.renamed"):
        Registry((row, row), ())


def test_what_an_event_sets_is_a_field_of_it_and_of_the_room() -> None:
    row = REGISTRY.events["room.renamed"]
    kinds = tuple(REGISTRY.entities.values())
    assert Registry((row,), kinds).events["room.renamed"].sets == ("name",)
    for sets, struct in ((("seq",), "RoomRenamed"), (("title", "name"), "RoomRenamed"), (("by",), "RoomRenamed")):
        with pytest.raises(ValueError, match=rf"room\.renamed sets {sets[0]}: expected fields of {struct}"):
            Registry((row._replace(sets=sets),), kinds)
    with pytest.raises(ValueError, match=r"room\.renamed sets by, title: expected fields of Room"):
        Registry((row._replace(struct=_Renamed, sets=("title", "by")),), kinds)
    with pytest.raises(ValueError, match=r"room\.renamed sets name: expected fields of the room"):
        Registry((row,), ())


@pytest.mark.parametrize("name", list(REGISTRY.events))
def test_a_version_is_one_that_this_code_knows(name: str) -> None:
    row = REGISTRY.events[name]
    good = encoded(row.sample)
    assert REGISTRY.decode(good, row.topics[0], 0, 0).data == row.sample
    known = f"{name}:{row.version}"

    def read(schema: str) -> None:
        REGISTRY.decode(good.replace(f':{known}"'.encode(), f':{schema}"'.encode()), row.topics[0], 0, 0)

    for newer in (row.version + 1, 999_999_999):
        with pytest.raises(NewerVersion):
            read(f"{name}:{newer}")
    for bad in ("0", "-1", "x", "", "01", "+1", "1.0", " 1", "1\u0661", "9" * 5000, f"{row.version}\\n"):
        with pytest.raises(DecodeError, match="expected a dataschema") as caught:
            read(f"{name}:{bad}")
        assert not isinstance(caught.value, NewerVersion | UnknownType) and len(str(caught.value)) < 400
    for foreign in (f"other.type:{row.version}", name, f"{name}:{row.version}:1"):
        with pytest.raises(DecodeError, match="expected a dataschema"):
            read(foreign)
