"""Decisions about usage that nodes count, as it is not in the log by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from events.apps import app_key
from events.core.clock import Time
from events.core.faults import wrong
from events.core.records import Event, Key, State
from events.usage import UsageCounted
from producers.apps import AppCommand, present
from producers.commands import CommandEnvelope, CommandType, Refused

#: Characters of an address with an id.
_NODE_CHARS = 320


class CountUsage(AppCommand, frozen=True, kw_only=True):
    """Note what a node has counted of an application in a window of time."""

    metric: Literal["peak_connections"]
    since: Time
    until: Time
    value: Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]
    node: Annotated[str, msgspec.Meta(min_length=1, max_length=_NODE_CHARS)]


def _keys(envelope: CommandEnvelope[CountUsage]) -> Sequence[Key]:
    return (app_key(envelope.command.app),)


def count(envelope: CommandEnvelope[CountUsage], state: State) -> list[Event]:
    command = envelope.command
    present(state, command.app)
    if command.until <= command.since:
        raise Refused("invalid", errors=[wrong("/until", f"a time after {command.since}", command.until)])
    return [
        UsageCounted(
            metric=command.metric, since=command.since, until=command.until, value=command.value, node=command.node
        )
    ]


COMMANDS = (CommandType(CountUsage, "apps", lambda c: c.app, _keys, count),)
