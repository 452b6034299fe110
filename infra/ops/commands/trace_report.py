"""What ``klatsch trace`` has found, and how it says it to people."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from events.core.clock import to_datetime
from events.core.feed import ROOM_MARK
from infra.ops.commands.event_format import clean
from infra.ops.commands.trace_event import TracedEvent, TracedPerson
from infra.ops.commands.trace_feed import FeedEntry, Look

#: Recipients that are named in full.
NAMED = 5
#: Milliseconds by which an event is older than its record, from which on its time was given, as importers do. Commands
#: are decided within a second or refused; the clocks of two machines may differ by a minute.
_OLD_MS = 60_000


class TraceConnection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A connection of the person, or a node that could not be asked."""

    node: str
    client: str = ""
    #: Whether it gets new deltas as they come.
    live: bool = False
    #: Whether the event was handed to it, in its turn or before it began.
    handed: bool = False
    #: Whether all that was handed to it went out.
    keeps_up: bool = False
    error: str | None = None


class TraceOutcome(msgspec.Struct, frozen=True):
    """How far it came to one person."""

    #: ``read``, ``sent``, ``waiting``, ``catching up``, ``not connected``, ``not fed``, ``not for them``, ``void`` or
    #: ``unknown``.
    state: str
    why: str


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """The way of an event."""

    event: TracedEvent
    #: Unix milliseconds.
    appended: int
    term: int | None
    valid: bool
    #: By feed partition: of all, or of the person's only.
    fed: dict[int, Look]
    person: TracedPerson | None
    sent: list[TraceConnection]
    outcome: TraceOutcome | None
    #: Names of those who are named above, by id.
    names: dict[str, str]

    def name(self, id: str) -> str:
        """A person or a room as people would say it."""
        return self.names.get(id) or id


def text(found: Trace) -> list[str]:
    """What it is, then a line for each stage of its way, with times in UTC and how long after the stage before."""
    event = found.event
    what = event.type if event.seq is None else f"Message {event.seq} ({event.type})"
    lines = [
        f"{what} of {found.name(event.stream)}, by {found.name(event.actor)}", "",
        _stage("accepted", f"at {event.time}: the command {event.command} was decided"),
        _stage("appended", _appended(found)),
        _stage("projected", _projected(event)),
    ]  # fmt: skip
    lines += _fed(found)
    if found.person is not None:
        lines += _person(found, found.person)
    elif not any(look.items for look in found.fed.values()):
        lines.append(_stage("sent", "to nobody, as nobody was named"))
    else:
        lines.append(_stage("sent", "ask with --for USER: nodes only know present connections"))
    return [clean(line) for line in lines]


def _stage(name: str, what: str) -> str:
    return f"  {name:<10} {what}"


def lasted(milliseconds: float) -> str:
    """A time between two stages, with its unit: ``2 ms``, ``1.5 s``, ``3 min``, ``5 h``, ``12 days``."""
    seconds = milliseconds / 1000
    for least, unit, name in ((172_800, 86_400, "days"), (7200, 3600, "h"), (120, 60, "min")):
        if seconds >= least:
            return f"{seconds / unit:,.0f} {name}"
    return f"{seconds:.1f} s" if seconds >= 1 else f"{max(milliseconds, 0):.0f} ms"


def _appended(found: Trace) -> str:
    place = f"in the log at {found.event.position}, in term {found.term}"
    try:
        later = found.appended - to_datetime(found.event.time).timestamp() * 1000
    except ValueError:
        # A time that is none of the calendar, such as a leap second.
        return f"at {_moment(found.appended)}: {place}"
    if later > _OLD_MS:
        place = f"{place}, at {_moment(found.appended)}: an import, which keeps old times"
    void = "" if found.valid else "; void: another owner had opened the shard before"
    return f"{lasted(later)} later: {place}{void}"


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")[:23] + "Z"


def _projected(event: TracedEvent) -> str:
    aside = "".join(f"; {one}" for one in event.aside)
    if event.next_offset <= event.position.offset:
        return f"not yet: the read models are at {event.position._replace(offset=event.next_offset)}{aside}"
    if event.applied:
        return f"yes: the read models include it, so reads show it{aside}"
    return f"no: it changes nothing in the read models{aside}"


def _fed(found: Trace) -> list[str]:
    lines: list[str] = []
    for number, look in sorted(found.fed.items()):
        for item in look.items:
            what = f"{lasted(item.timestamp - found.appended)} after that: in the feed at feed/{number}/{item.offset}"
            lines.append(_stage("fed" if not lines else "", f"{what}, for {_recipients(found, item)}"))
    states = {look.state for look in found.fed.values() if not look.items}
    for state, words in (
        ("awaited", "not yet in all partitions of the feed"), ("gone", "the feed no longer has that time"),
        ("unknown", "not found among what was fed since"),
    ):  # fmt: skip
        if state in states:
            lines.append(_stage("" if lines else "fed", words))
    return lines or [_stage("fed", "to nobody here: nobody in these partitions of the feed is to receive it")]


def _recipients(found: Trace, item: FeedEntry) -> str:
    names = [_recipient(found, id) for id in item.recipients[:NAMED]]
    more = len(item.recipients) - len(names)
    return ", ".join(names) + (f" and {more:,} more" if more else "")


def _recipient(found: Trace, id: str) -> str:
    if id.startswith(ROOM_MARK):
        return f"all who were in {found.name(id.removeprefix(ROOM_MARK))}"
    return found.name(id)


def _person(found: Trace, person: TracedPerson) -> list[str]:
    lines: list[str] = []
    for one in found.sent:
        if one.error is not None:
            what = f"not known: {one.node} does not answer: {one.error}"
        else:
            state = "it went out" if one.keeps_up else "it was handed over, but the client does not keep up"
            what = f"to connection {one.client} at {one.node}: {state if one.handed else 'not yet'}"
        lines.append(_stage("" if lines else "sent", what))
    lines = lines or [_stage("sent", "no connection is there now")]
    lines.append(_stage("read", _read(found.event, person)))
    if found.outcome is not None:
        lines += ["", f"{person.name}: {found.outcome.state}: {found.outcome.why}"]
    return lines


def _read(event: TracedEvent, person: TracedPerson) -> str:
    if event.type == "message.posted" and person.id == event.actor:
        # To post is to have read up to there, whatever the client says.
        return "yes: their own message"
    if person.read is None:
        return "nothing in this room"
    upto = f"their client has said number {person.read}, at {person.read_at}"
    if event.seq is None:
        return upto
    return f"{'yes' if person.read >= event.seq else 'no'}: {upto}"
