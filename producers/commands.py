"""What a command is, who orders it, and what comes of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from events.clock import Time
from events.keys import KeyUsed
from events.positions import Position
from events.records import Entity, Event, Key, Record, State

#: First characters of a digest: they name the secret with which it was made.
SECRET_CHARS = 4


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request to change something, imperative. It becomes events, or is refused."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A command with all that deciding needs from outside: who, when, under what key, and an id for what it makes."""

    command: Any
    #: UUIDv7: the id of the one entity that the command makes, and the root of its events' ids.
    id: str
    #: User id, or ``system``.
    actor: str
    #: Idempotency key: the same actor and key in the same stream give the first result again, for ever.
    key: str | None = None
    #: Whether the key is a client's: then it is remembered also where nothing has to happen (``key.used``).
    keep: bool = False
    #: Of the request that the client sent with the key; another request with it is refused.
    digest: str | None = None
    time: Time
    app: str = "default"
    traceparent: str | None = None
    #: Code and detail of a refusal found before it was submitted. It holds unless the key was used: that is answered.
    refusal: tuple[str, str] | None = None

    @property
    def command_key(self) -> str:
        """The ``command`` extension of the events: the command's name and key, so that keys of two commands differ."""
        return f"{type(self.command).__name__}:{self.key or self.id}"


def differ(one: str | None, other: str | None) -> bool:
    """Whether two digests are of different requests. One without, or made with another secret, does not tell."""
    if one is None or other is None or one[:SECRET_CHARS] != other[:SECRET_CHARS]:
        return False
    return one != other


class Refused(Exception):
    """The command is refused and nothing changed. ``code`` is stable; ``detail`` says expected and actual."""

    def __init__(self, code: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        #: Further members of the problem document.
        self.more = more


class Unavailable(Exception):
    """The command was not decided, or its outcome is not known: repeating it with the same key is safe.

    ``code`` is ``overloaded`` or ``lagging`` (not decided) or ``unknown`` (it may have happened).
    """

    def __init__(self, code: str, detail: str, retry_after: float = 1.0) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.retry_after = retry_after


class Outcome(NamedTuple):
    """What a command came to."""

    #: Its events as they stand in the log; none where nothing had to happen and no client's key is to be remembered.
    records: Sequence[Record]
    #: The entities that the command names, afterwards. Of a repeated one as they are now, and those that its events
    #: name too: what to show of them as the result is the caller's to find out (api/repeating.py).
    state: dict[Key, Entity | None]
    #: Whether this is the result of an earlier command with the same key.
    repeated: bool = False
    #: Of a repeated one whose state is that of its first use: the entities as they are now.
    now: State = {}

    @property
    def changed(self) -> bool:
        """Whether anything happened, now or when the key was first used."""
        return any(not isinstance(record.data, KeyUsed) for record in self.records)

    @property
    def position(self) -> Position | None:
        """Where the last event stands."""
        return self.records[-1].position if self.records else None


class CommandType(NamedTuple):
    """One row of the producers' registry."""

    struct: type[Command]
    #: Logical topic of the stream.
    topic: str
    #: The stream: the aggregate's id.
    stream: Callable[[Any], str]
    #: The entities that deciding reads, and that the events' folds name.
    names: Callable[[Order], Sequence[Key]]
    #: ``decide(order, state) -> events``; raises Refused. Pure.
    decide: Callable[[Order, State], list[Event]]

    @property
    def name(self) -> str:
        return self.struct.__name__
