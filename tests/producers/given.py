"""``given(events).when(command).then(events)`` for decisions: a turn over what the events' folds made. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from events.core.derived_ids import DEFAULT_APP
from events.core.records import Entity, Event, Key, Record
from events.registry import REGISTRY
from producers import registry
from producers.apps import AppCommand
from producers.batch.cache import ReceiptKey, receipt_key
from producers.batch.command_batch import CommandBatch
from producers.commands import ANY_APP, Command, CommandEnvelope, Outcome, Refused
from producers.messages import PostMessage
from producers.plans import PlanCommand
from producers.rooms import CreateRoom
from tests.events.given import TIME


def order(
    command: Command, *, actor: str = "ada", id: str = "id", key: str | None = None, second: int = 0, **more: Any
) -> CommandEnvelope:
    """An order with little in it; of an application an operator's, as nobody else gives it."""
    more.setdefault("app", ANY_APP if isinstance(command, AppCommand | PlanCommand) else DEFAULT_APP)
    return CommandEnvelope(command=command, id=id, actor=actor, key=key, time=TIME.format(second % 60), **more)


class Log:
    """A shard without Kafka: its records, the entities that they fold into, and what each command came to."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.state: dict[Key, Entity | None] = {}
        self.receipts: dict[ReceiptKey, list[Record]] = {}
        self.erased = frozenset[str]()

    def turn(self, *orders: CommandEnvelope) -> list[Outcome | Exception]:
        """Decides them in one turn, all in one batch; the outcome or the error of each."""
        names = {key for one in orders for key in registry.of(one.command).keys(one)}
        names |= {key for found in self.receipts.values() for one in found for key in REGISTRY.keys(one)}
        turn = CommandBatch(
            "t",
            0,
            len(self.records),
            "klatsch/test",
            {key: self.state.get(key) for key in names},
            self.receipts,
            self.erased,
        )
        for one in orders:
            assert turn.decide(one), "expected all orders to fit into one batch"
        assert len(turn.appends) == len(turn.records)
        for found in turn.records:
            self.receipts.setdefault(receipt_key(found), []).append(found)
        self.records += turn.records
        self.state.update(turn.changes)
        assert [answer.envelope for answer in turn.results] == list(orders)
        return [answer.outcome or answer.error or AssertionError("no answer") for answer in turn.results]

    def append(self, *events: Event, stream: str, actor: str = "ada") -> None:
        """Events that stand in the log, whoever decided them."""
        for event in events:
            offset = len(self.records)
            found = Record(
                topic="t", partition=0, offset=offset, id=f"g{offset}.0", type=REGISTRY.of(event).name, stream=stream,
                time=TIME.format(offset % 60), actor=actor, command=f"given:{offset}", app="default", data=event,
            )  # fmt: skip
            for key in REGISTRY.keys(found):
                self.state.setdefault(key, None)
            self.state.update(REGISTRY.fold(found, self.state))
            self.records.append(found)


class Given:
    """What stands in a stream, then a command, then what it comes to."""

    def __init__(self, *events: Event, stream: str = "s", actor: str = "ada") -> None:
        self.log = Log()
        self.log.append(*events, stream=stream, actor=actor)
        self.answer: Outcome | Exception | None = None

    def when(self, command: Command, **more: Any) -> Given:
        """The command is decided in a turn of its own."""
        (self.answer,) = self.log.turn(order(command, **more))
        return self

    def then(self, *events: Event) -> Given:
        """Exactly these events came of it, and the outcome tells the entities as they are now."""
        assert isinstance(self.answer, Outcome), repr(self.answer)
        assert [record.data for record in self.answer.records] == list(events)
        assert all(self.answer.state[key] == self.log.state.get(key) for key in self.answer.state)
        return self

    def refused(self, code: str) -> Given:
        """It was refused, and nothing was appended."""
        assert isinstance(self.answer, Refused) and self.answer.code == code, repr(self.answer)
        assert len(self.answer.detail) > 20, "it says what was expected"
        return self


def types(records: Sequence[Record]) -> list[str]:
    return [record.type for record in records]


def group(*members: str) -> CreateRoom:
    """Makes the room ``r``."""
    return CreateRoom(room="r", type="public", name="R", data={}, members=list(members))


def say(token: str, text: str = "x") -> PostMessage:
    """Says something in the room ``r``."""
    return PostMessage(room="r", token=token, content={"text": text})
