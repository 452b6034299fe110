"""What ``klatsch trace`` has found, and how it says it to people."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from infra.operate.fed import Fed, Look
from infra.operate.lines import clean
from infra.operate.way import Event, Person

#: Recipients that are named in full.
NAMED = 5


class Sent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
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


class Outcome(msgspec.Struct, frozen=True):
    """How far it came to one person."""

    #: ``read``, ``sent``, ``waiting``, ``catching up``, ``not connected``, ``not fed``, ``not for them``, ``void`` or
    #: ``unknown``.
    state: str
    why: str


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """The way of an event."""

    event: Event
    #: Unix milliseconds.
    appended: int
    term: int | None
    valid: bool
    #: By feed partition: of all, or of the person's only.
    fed: dict[int, Look]
    person: Person | None
    sent: list[Sent]
    outcome: Outcome | None
    #: Names of those who are named above, by id.
    names: dict[str, str]

    def name(self, id: str) -> str:
        """A person or a room as people would say it."""
        return self.names.get(id) or id


def text(found: Trace) -> list[str]:
    """A stage a line."""
    event = found.event
    number = "" if event.seq is None else f", number {event.seq}"
    lines = [
        f"{event.type} in {found.name(event.stream)}{number}", "",
        _stage("accepted", f"of {found.name(event.actor)}, with the key {event.command}, at {event.time}"),
        _stage("appended", f"{event.position}, term {found.term}, at {_moment(found.appended)}"
               + ("" if found.valid else "; void")),
        _stage("projected", _projected(event)),
    ]  # fmt: skip
    lines += _fed(found)
    if found.person is not None:
        lines += _person(found, found.person)
    elif not any(look.items for look in found.fed.values()):
        lines.append(_stage("sent", "to nobody, as nobody was named"))
    else:
        lines.append(_stage("sent", "ask with --for USER: nodes know it of present connections only"))
    return [clean(line) for line in lines]


def _stage(name: str, what: str) -> str:
    return f"  {name:<10} {what}"


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")[:23] + "Z"


def _projected(event: Event) -> str:
    aside = "".join(f"; {one}" for one in event.aside)
    if event.next_offset <= event.position.offset:
        return f"not yet: the read models are at {event.position._replace(offset=event.next_offset)}{aside}"
    return ("yes" if event.applied else "no: it changes nothing") + aside


def _fed(found: Trace) -> list[str]:
    lines: list[str] = []
    for number, look in sorted(found.fed.items()):
        for item in look.items:
            lines.append(_stage("fed" if not lines else "", f"feed/{number}/{item.offset} {_to(found, item)}"))
    states = {look.state for look in found.fed.values() if not look.items}
    for state, words in (
        ("awaited", "not yet in all partitions of the feed"), ("gone", "the feed no longer has that time"),
        ("unknown", "not found among what was fed since"),
    ):  # fmt: skip
        if state in states:
            lines.append(_stage("" if lines else "fed", words))
    return lines or [_stage("fed", "to nobody here: nobody of these partitions of the feed is to hear of it")]


def _to(found: Trace, item: Fed) -> str:
    names = [found.name(id) for id in item.recipients[:NAMED]]
    more = len(item.recipients) - len(names)
    return f"at {_moment(item.timestamp)}, to {', '.join(names)}" + (f" and {more:,} more" if more else "")


def _person(found: Trace, person: Person) -> list[str]:
    lines: list[str] = []
    for one in found.sent:
        if one.error is not None:
            what = f"{one.node} does not answer: {one.error}"
        else:
            state = "sent" if one.keeps_up else "handed over, but the client does not keep up"
            what = f"{one.node}, connection {one.client}: {state if one.handed else 'not'}"
        lines.append(_stage("" if lines else "sent", what))
    lines = lines or [_stage("sent", "no connection is there now")]
    read = "nothing in this room" if person.read is None else f"up to number {person.read}, at {person.read_at}"
    lines.append(_stage("read", read))
    if found.outcome is not None:
        lines += ["", f"{person.name}: {found.outcome.state}: {found.outcome.why}"]
    return lines
