"""What records add to usage, without servers. Tests ``projectors/usage/counting.py``."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from events.core.records import Event
from events.messages import MessageEdited, MessageEmotionDetected, MessagePosted
from events.registry import REGISTRY
from events.rooms import RoomCreated
from events.users import UserRegistered, UserRegistrationAbandoned
from projectors.usage.counting import (
    ACTIVE,
    BYTES,
    EVENTS,
    MESSAGES,
    METRICS,
    NEW,
    PEAK,
    ROOMS,
    Actor,
    UsageTally,
    Window,
)

TIME = "2026-11-28T09:59:59.999Z"
LATER = "2026-11-28T10:00:00.000Z"
APP = "0198c0de-0000-7000-8000-000000000001"


def value(event: Event, stream: str, actor: str, *, time: str = TIME, app: str = APP, via: str | None = None) -> bytes:
    return REGISTRY.encode(
        event, id="e", source="s", stream=stream, time=time, actor=actor, command="c", app=app,
        via=via or msgspec.UNSET,
    )  # fmt: skip


def posted(text: str) -> MessagePosted:
    return MessagePosted(message="m", seq=1, token="t", type="text", content={"text": text}, data={})


def counted(topic: str, *values: bytes) -> UsageTally:
    tally = UsageTally()
    for one in values:
        assert tally.count(topic, one)
    return tally


def hour(tally: UsageTally, start: str = "2026-11-28T09:00:00.000Z", app: str = APP) -> dict[str, int]:
    return {window.metric: n for window, n in tally.counts.items() if (window.app, window.length, window.start)
            == (app, "hour", start)}  # fmt: skip


def test_a_message_counts_in_its_hour_and_its_day_with_the_bytes_of_its_content() -> None:
    tally = counted("rooms", value(posted("Grüße"), "r", "ada"), value(posted("b"), "r", "bob", time=LATER))
    assert hour(tally) == {EVENTS: 1, MESSAGES: 1, BYTES: len('{"text":"Grüße"}'.encode())}
    assert hour(tally, "2026-11-28T10:00:00.000Z")[BYTES] == len('{"text":"b"}')
    assert tally.counts[Window(APP, "day", "2026-11-28T00:00:00.000Z", MESSAGES)] == 2
    assert {actor.user for actor in tally.actors if actor.length == "day"} == {"ada", "bob"}
    assert Actor(APP, "hour", "2026-11-28T10:00:00.000Z", "ada") not in tally.actors


def test_an_edit_adds_bytes_and_no_message() -> None:
    tally = counted("rooms", value(MessageEdited(message="m", content={"text": "other"}, data={}), "r", "ada"))
    assert hour(tally) == {EVENTS: 1, BYTES: len('{"text":"other"}')}


def test_a_registration_that_was_given_up_is_no_new_user() -> None:
    event = UserRegistered(username="ada", name="Ada", role="person", credential=None, data={})
    tally = counted("users", value(event, "u", "u"), value(UserRegistrationAbandoned(), "u", "system"))
    assert hour(tally) == {EVENTS: 2, NEW: 0} and not tally.actors


@pytest.mark.parametrize(
    ("topic", "event", "stream", "actor", "via", "active"),
    [
        ("rooms", RoomCreated(type="group", visibility="private", name="r", data={}), "r", "ada", "app", True),
        ("rooms", posted("x"), "r", "system", None, False),
        ("rooms", posted("x"), "r", "server", "app", False),
        ("rooms", MessageEmotionDetected(message="m", emotion="joy", shown=True), "r", "worker", None, False),
        ("users", REGISTRY.events["user.profile_changed"].sample, "ada", "ada", None, True),
        ("users", REGISTRY.events["user.profile_changed"].sample, "ada", "ada", "app", False),
        ("users", REGISTRY.events["user.deactivated"].sample, "ada", "operator", None, False),
    ],
)
def test_active_is_who_did_something(
    topic: str, event: Event, stream: str, actor: str, via: str | None, active: bool
) -> None:
    tally = counted(topic, value(event, stream, actor, via=via))
    assert {one.user for one in tally.actors} == ({actor} if active else set())
    assert hour(tally)[EVENTS] == 1


def test_the_logs_own_events_count_nothing_and_newer_types_are_events() -> None:
    used = REGISTRY.events["key.used"].sample
    assert not counted("rooms", value(used, "r", "ada")).counts
    newer = value(posted("x"), "r", "ada").replace(b'"message.posted"', b'"message.sung"')
    assert hour(counted("rooms", newer)) == {EVENTS: 1}


def test_records_of_before_there_were_applications_are_of_the_default_one() -> None:
    old = value(posted("x"), "r", "ada").replace(f',"app":"{APP}"'.encode(), b"")
    assert b'"app"' not in old
    assert hour(counted("rooms", old), app="default")[MESSAGES] == 1


@pytest.mark.parametrize(
    "bad",
    [
        b"", b"no json", b"[]", b"{}", b"\xff",
        value(posted("x"), "r", "ada", time="2026-13-28T09:59:59.999Z"),
        value(posted("x"), "r", "ada", time="0000-01-01T00:00:00.000Z"),
        value(posted("x"), "r", "ada", time="yesterday"),
        value(posted("x"), "r", "a\x00a"), value(posted("x"), "r", "ada", app="x\x00"),
        value(posted("x"), "r", "ada", app="x" * 201), value(posted("x"), "r", ""),
        value(posted("x"), "r", "ada").replace(b'"content"', b'"contents"'),
    ],
)  # fmt: skip
def test_what_cannot_be_read_adds_nothing(bad: bytes) -> None:
    tally = UsageTally()
    assert not tally.count("rooms", bad)
    assert not tally.counts and not tally.actors


def told(**data: Any) -> bytes:
    found = {"metric": PEAK, "since": "2026-11-28T09:00:00.000Z", "until": "2026-11-28T10:00:00.000Z", "value": 3}
    envelope = {"type": "usage.counted", "subject": APP, "time": TIME, "actor": "system", "data": {**found, **data}}
    return msgspec.json.encode(envelope)


def test_peaks_of_nodes_are_added_by_hour() -> None:
    assert hour(counted("apps", told(), told(value=4))) == {PEAK: 7}
    assert not counted("apps", told(metric="other")).counts
    # Other events of the topic are no usage of an application: a plan's stream is none.
    assert not counted("apps", value(REGISTRY.events["app.renamed"].sample, APP, "operator")).counts


@pytest.mark.parametrize("bad", [{"value": -1}, {"value": 2**60}, {"value": "3"}, {"since": "now"}])
def test_bad_peaks_add_nothing(bad: dict[str, Any]) -> None:
    tally = UsageTally()
    assert not tally.count("apps", told(**bad)) and not tally.counts


def test_every_metric_says_what_it_is() -> None:
    assert all(metric.about and name == metric.name for name, metric in METRICS.items())
    assert {ROOMS, ACTIVE} < METRICS.keys()
