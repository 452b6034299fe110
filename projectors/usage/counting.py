"""What records of the log add to the usage of applications. Pure: no clock, no I/O; an event's own time is the time.

A window is an hour or a day of UTC, and is named by where it begins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime
from functools import lru_cache
from typing import Literal, NamedTuple

import msgspec

from events.core.clock import is_time

Length = Literal["hour", "day"]
LENGTHS: tuple[Length, ...] = ("hour", "day")
#: Topics that are counted, in the order in which shards are locked.
TOPICS = ("apps", "rooms", "users")
#: Characters of an id that can be one: longer ones are of no application, and of nobody.
_ID_CHARS = 200
#: The largest number that every reader of JSON keeps as it is.
_MOST = 2**53


class Metric(NamedTuple):
    """What is counted, and how the values of windows make one value of a longer time."""

    name: str
    #: ``sum``: add them; ``distinct``: count each person once; ``peak``: take the highest.
    kind: Literal["sum", "distinct", "peak"]
    about: str


MESSAGES, BYTES = "messages", "bytes"
ACTIVE, NEW, ROOMS, EVENTS, PEAK = "active_users", "new_users", "rooms", "events", "peak_connections"
METRICS = {
    metric.name: metric
    for metric in (
        Metric(MESSAGES, "sum", "messages posted, also those that were deleted since"),
        Metric(ACTIVE, "distinct", "users who did something: in a room, or to what is theirs"),
        Metric(NEW, "sum", "users registered, less those whose registration was given up"),
        Metric(ROOMS, "sum", "rooms created"),
        Metric(BYTES, "sum", "bytes of the content of messages, posted and edited, as the log has it: JSON in UTF-8"),
        Metric(EVENTS, "sum", "events of rooms and users, without the log's own"),
        Metric(PEAK, "peak", "connections at once: the sum of the nodes' peaks, so an upper bound"),
    )
}

#: What is the log's own, and nobody's event.
_OWN = frozenset({"log.opened", "key.used"})
#: What happens to users and messages without anybody doing something: it makes nobody active.
_PASSIVE = frozenset({
    "user.registered", "message.emotion_detected",
    # Given in the name of who was moved to another team, or is erased.
    "member.left", "invitation.declined", "invitation.withdrawn",
})  # fmt: skip
#: Actors that are no users (api/core/calls.py: SERVER).
_NOBODY = frozenset({"system", "server"})


class _Seen(msgspec.Struct, gc=False):
    """The part of an envelope that is looked at."""

    type: str
    subject: str
    time: str
    actor: str
    data: msgspec.Raw
    app: str = "default"
    via: str = ""


class _Content(msgspec.Struct, gc=False):
    content: msgspec.Raw


class _Counted(msgspec.Struct, gc=False):
    metric: str
    since: str
    value: int


_SEEN = msgspec.json.Decoder(_Seen)
_CONTENT = msgspec.json.Decoder(_Content)
_COUNTED = msgspec.json.Decoder(_Counted)


class Window(NamedTuple):
    """A value's place: ``start`` is a Time."""

    app: str
    length: Length
    start: str
    metric: str


class Actor(NamedTuple):
    """Somebody who did something in a window."""

    app: str
    length: Length
    start: str
    user: str


class UsageTally:
    """What some records add. Peaks stand in it by hour only."""

    def __init__(self) -> None:
        self.counts: Counter[Window] = Counter()
        self.actors: set[Actor] = set()

    def apps(self) -> set[str]:
        """Applications of which something is counted."""
        return {one.app for one in self.counts} | {one.app for one in self.actors}

    def drop(self, apps: Collection[str]) -> None:
        """Forgets what was counted of some applications."""
        if apps:
            self.counts = Counter({window: number for window, number in self.counts.items() if window.app not in apps})
            self.actors = {one for one in self.actors if one.app not in apps}

    def count(self, topic: str, value: bytes) -> bool:
        """Adds a valid record; False where it cannot be read, and adds nothing."""
        try:
            seen = _SEEN.decode(value)
            starts = _starts(seen.time)
            if topic == "apps":
                return self._told(seen)
            size = len(_CONTENT.decode(seen.data).content) if seen.type in ("message.posted", "message.edited") else 0
        except (msgspec.DecodeError, RecursionError, ValueError):
            return False
        if not (_is_id(seen.app) and _is_id(seen.actor)):
            return False
        if seen.type in _OWN:
            return True
        for length, start in zip(LENGTHS, starts, strict=True):
            self._add(seen, topic, length, start, size)
        return True

    def _add(self, seen: _Seen, topic: str, length: Length, start: str, size: int) -> None:
        self.counts[Window(seen.app, length, start, EVENTS)] += 1
        match seen.type:
            case "message.posted":
                self.counts[Window(seen.app, length, start, MESSAGES)] += 1
            case "room.created":
                self.counts[Window(seen.app, length, start, ROOMS)] += 1
            case "user.registered":
                self.counts[Window(seen.app, length, start, NEW)] += 1
            case "user.registration_abandoned":
                self.counts[Window(seen.app, length, start, NEW)] -= 1
        if size:
            self.counts[Window(seen.app, length, start, BYTES)] += size
        if _acts(seen, topic):
            self.actors.add(Actor(seen.app, length, start, seen.actor))

    def _told(self, seen: _Seen) -> bool:
        """What is not in the log otherwise, and is told by the nodes. Raises DecodeError, ValueError."""
        if seen.type == "usage.counted":
            told = _COUNTED.decode(seen.data)
            hour, _ = _starts(told.since)
            if not (_is_id(seen.subject) and 0 <= told.value < _MOST):
                return False
            if told.metric == PEAK:
                self.counts[Window(seen.subject, "hour", hour, PEAK)] += told.value
        return True


def _acts(seen: _Seen, topic: str) -> bool:
    """Whether the actor is a user who did something."""
    if seen.actor in _NOBODY or seen.type in _PASSIVE:
        return False
    # What a server writes of its users' profiles, and an operator of anybody's, is nothing that these have done.
    return topic == "rooms" or (seen.actor == seen.subject and seen.via != "app")


def _is_id(text: str) -> bool:
    return 0 < len(text) <= _ID_CHARS and "\x00" not in text


def _starts(time: str) -> tuple[str, str]:
    """Where the hour and the day of a Time begin. Raises ValueError for what is none."""
    if not is_time(time):
        raise ValueError(f"expected a time such as 2026-11-28T09:00:00.000Z, got {time[:100]!r}")
    return _of_hour(time[:13])


@lru_cache(maxsize=1000)
def _of_hour(text: str) -> tuple[str, str]:
    datetime.fromisoformat(f"{text}:00:00.000+00:00")
    return f"{text}:00:00.000Z", f"{text[:10]}T00:00:00.000Z"


def starts(time: str) -> dict[Length, str]:
    """Where the windows of a Time begin. Raises ValueError for what is none."""
    return dict(zip(LENGTHS, _starts(time), strict=True))
