"""What applications used and the log has not by itself. Stream: the application's id (topic ``apps``)."""

from __future__ import annotations

from typing import Literal

from events.core.clock import Time
from events.core.records import Changes, Event, EventType, Key, Record, State
from events.core.revert_rules import NotRevertible


class UsageCounted(Event, frozen=True, kw_only=True):
    """What one node has counted of an application in a window of time. All nodes together are the sum."""

    metric: Literal["peak_connections"]
    #: Where the window begins, and where it ends: an hour later.
    since: Time
    until: Time
    value: int
    #: Which life of which process: one that was started again is another.
    node: str


def keys(record: Record) -> tuple[Key, ...]:
    """None: it is counted by itself, and changes no entity."""
    return ()


def counted(record: Record[UsageCounted], state: State) -> Changes:
    return {}


ROWS = (
    EventType(
        name="usage.counted", struct=UsageCounted, topics=("apps",), keys=keys, fold=counted,
        about="A node told the most connections that an application had to it at once, in an hour.",
        sample=UsageCounted(
            metric="peak_connections", since="2026-11-22T08:00:00.000Z", until="2026-11-22T09:00:00.000Z", value=120,
            node="127.0.0.1:8400/019aa000-0000-7000-8000-000000000030",
        ),
        revert=NotRevertible("it tells what was"),
    ),
)  # fmt: skip
