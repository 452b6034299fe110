"""What a command is, who orders it, and what comes of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, Literal, NamedTuple

import msgspec
from typing_extensions import TypeVar

from events.core.clock import Time
from events.core.derived_ids import DEFAULT_APP
from events.core.errors import KlatschError
from events.core.faults import Fault, sentence
from events.core.positions import Position
from events.core.records import Entity, EntityT, Event, EventT, Key, Record, State, existing, is_of
from events.keys import KeyUsed

#: The application of commands that reach all of them: an operator's, and those of the system.
ANY_APP = "*"
#: The team of what the system does by itself: it reaches those of all.
ANY_TEAM = "*"
#: First characters of a digest: they name the secret with which it was made.
SECRET_CHARS = 4


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request to change something, imperative. It becomes events, or is refused."""


#: The command of an order. ``CommandEnvelope`` alone is of any command.
CommandT_co = TypeVar("CommandT_co", bound=Command, covariant=True, default=Command)
#: The command that a row is about. A row alone, as tables hold it, is about ``Any``, which nothing checks: so a row is
#: found by the type of the command that its functions are given, and never otherwise.
CommandT = TypeVar("CommandT", bound=Command, default=Any)


class CommandEnvelope(msgspec.Struct, Generic[CommandT_co], frozen=True, kw_only=True):
    """A command with all that deciding needs from outside: who, when, under what key, and an id for what it makes."""

    command: CommandT_co
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
    #: Id of the application for which it is given. A stream of another one does not exist; ``*`` reaches all.
    app: str = DEFAULT_APP
    #: Id of the actor's team, or ANY_TEAM; None: they are in none. A room of another one does not exist to them.
    team: str | None = None
    #: ``app``: the application's own server gives it for the actor, whose rights it does not need.
    via: Literal["app"] | None = None
    traceparent: str | None = None
    #: Code and detail of a refusal found before it was submitted. It holds unless the key was used: that is answered.
    refusal: tuple[str, str] | None = None
    #: Code, detail and seconds of the Unavailable that it comes to if anything would have to be written.
    no_room: tuple[str, str, float] | None = None

    @property
    def command_key(self) -> str:
        """The ``command`` extension of the events: the command's name and key, so that keys of two commands differ."""
        return f"{type(self.command).__name__}:{self.key or self.id}"


def differ(one: str | None, other: str | None) -> bool:
    """Whether two digests are of different requests. One without, or made with another secret, does not tell."""
    if one is None or other is None or one[:SECRET_CHARS] != other[:SECRET_CHARS]:
        return False
    return one != other


#: Codes for whoever gave the command, who goes on from there (or, of an import, lists them): no problems of clients.
INNER_CODES = frozenset({"conflict", "held", "moved", "outrun", "registered", "unused"})


class Refused(KlatschError):
    """The command is refused and nothing changed. ``code`` is stable; ``detail`` says expected and actual.

    ``errors``: the members of which it is the fault; without a detail of its own it is said by them.
    ``retry_after``: seconds after which it is worth trying again, where that depends on time alone.
    """

    def __init__(
        self, code: str, detail: str = "", *, errors: Sequence[Fault] = (), retry_after: float | None = None,
        **more: Any,
    ) -> None:  # fmt: skip
        detail = detail or sentence(errors)
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = errors
        self.retry_after = retry_after
        #: Further members of the problem document.
        self.more = more


class Unavailable(KlatschError):
    """The command was not decided, or its outcome is not known: repeating it with the same key is safe.

    ``code`` is ``unknown`` where it may have happened; with any other (``overloaded``, ``lagging``, ``parked``,
    ``no_owner``, ``insufficient_storage``) it was not decided.
    """

    def __init__(self, code: str, detail: str, retry_after: float = 1.0) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.retry_after: float = retry_after


class Outcome(NamedTuple):
    """What a command came to."""

    #: Its events as they stand in the log; none where nothing had to happen and no client's key is to be remembered.
    records: Sequence[Record]
    #: The entities that the command names, afterwards. Of a repeated one as they are now, and those that its events
    #: name too: what to show of them as the result is the caller's to find out (api/core/repeating.py).
    state: dict[Key, Entity | None]
    #: Whether this is the result of an earlier command with the same key.
    repeated: bool = False
    #: Of a repeated one whose state is that of its first use: the entities as they are now.
    now: State = {}

    @property
    def changed(self) -> bool:
        """Whether anything happened, now or when the key was first used."""
        return any(not isinstance(record.data, KeyUsed) for record in self.records)

    def record(self, event: type[EventT]) -> Record[EventT]:
        """The first of its events of this type. Raises LookupError where it has none."""
        for record in self.records:
            if is_of(record, event):
                return record
        raise LookupError(
            f"expected an event {event.__name__}, got {[type(one.data).__name__ for one in self.records]}"
        )

    def entity(self, kind: type[EntityT], key: Key) -> EntityT:
        """One of ``state`` that exists afterwards. Raises LookupError where it does not, or was not named."""
        return existing(self.state, kind, key)

    @property
    def position(self) -> Position | None:
        """Where the last event stands."""
        return self.records[-1].position if self.records else None


class CommandType(NamedTuple, Generic[CommandT]):
    """One row of the producers' registry."""

    struct: type[CommandT]
    #: Logical topic of the stream.
    topic: str
    #: The stream: the aggregate's id.
    stream: Callable[[CommandT], str]
    #: The entities that deciding reads, and that the events' folds name.
    keys: Callable[[CommandEnvelope[CommandT]], Sequence[Key]]
    #: ``decide(order, state) -> events``; raises Refused. Pure.
    decide: Callable[[CommandEnvelope[CommandT], State], list[Event]]
    #: Whether a command is taken on a full disk too, while a quarter of its floor is left (infra.base.disk): it lets
    #: somebody in or keeps somebody out. Its events must be small, and how often it is given must be limited.
    vital: Callable[[CommandT], bool] = lambda command: False

    @property
    def name(self) -> str:
        return self.struct.__name__
