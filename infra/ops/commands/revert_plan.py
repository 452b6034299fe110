"""``klatsch undo`` and ``klatsch restore``: what would take some events back, and the commands that do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

import msgspec

from events.core.clock import now, uuid7
from events.core.positions import Shard
from events.core.records import Entity, Event, Key, Record
from events.members import MemberJoined
from events.message_entity import Message, message_key
from events.messages import MessageRestored
from events.rooms import RoomCreated
from infra.base.postgres import Connection, Row, queries
from infra.ops.commands import revert_commands
from infra.ops.commands.errors import CannotDo
from infra.ops.irc.plan import ImportOrder as Item
from producers import registry
from producers.batch.command_batch import CommandBatch
from producers.commands import ANY_APP, CommandEnvelope
from producers.revert import key_of
from producers.revertible import Revert
from projectors.as_of import folding
from projectors.as_of.folding import Past
from projectors.read_models import messages

#: Who takes back, in the log.
OPERATOR = "operator"
#: Events that one call takes back.
MOST = 200_000
_UNCHANGED = "it is as it was already"


class RevertStep(NamedTuple):
    """One event that is taken back, or not."""

    record: Record
    #: The command that takes it back; None: nothing does, or nothing need.
    envelope: CommandEnvelope | None
    #: What it would append now.
    events: Sequence[Event]
    #: Why it is not taken back.
    reason: str

    @property
    def item(self) -> Item:
        """As ``POST /v1/import`` takes it."""
        assert self.envelope is not None
        command = self.envelope.command
        return Item(
            command=type(command).__name__, fields=msgspec.to_builtins(command), actor=OPERATOR,
            time=self.envelope.time, key=self.envelope.key or "",
        )  # fmt: skip


async def done_by(connection: Connection, people: list[str], since: str, until: str, room: str | None) -> list[Record]:
    """What people caused in a time, in all rooms or one. Raises CannotDo for too much."""
    return _bounded(await connection.fetch(queries("past")["done_by"], people, since, until, room))


async def done_since(connection: Connection, room: str, cut: int) -> list[Record]:
    """What happened in a room from a cut on. Raises CannotDo for too much."""
    return _bounded(await connection.fetch(queries("past")["done_since"], room, cut))


def _bounded(rows: list[Row]) -> list[Record]:
    if len(rows) > MOST:
        raise CannotDo(f"expected at most {MOST:,} events at a time, got {len(rows):,}; take a shorter time")
    return [folding.record(row) for row in rows]


async def plan(connection: Connection, chosen: Sequence[Record]) -> list[RevertStep]:
    """How each of the events is taken back, the last one of a stream first. ``chosen`` is sorted by stream."""
    steps: list[RevertStep] = []
    for stream, group in groupby(chosen, key=lambda record: record.stream):
        steps += await _of_stream(connection, stream, list(group))
    return steps


async def _of_stream(connection: Connection, stream: str, chosen: list[Record]) -> list[RevertStep]:
    commands = await _commands(connection, stream, chosen)
    wanted = [one for _, one in commands if not isinstance(one, str)]
    named = {key for one in wanted for key in registry.of(one).keys(_envelope(one, chosen[0], None))}
    state = await messages.load(connection, named)
    preview = _Preview(Shard(chosen[0].topic, chosen[0].partition), state)
    steps = [
        RevertStep(record, None, (), one)
        if isinstance(one, str)
        else preview.step(record, _envelope(one, record, state[key_of(one)]))
        for record, one in reversed(commands)
    ]
    return _first_members(await _those_who_may(connection, stream, steps, state))


async def _those_who_may(
    connection: Connection, stream: str, steps: list[RevertStep], state: Mapping[Key, Entity | None]
) -> list[RevertStep]:
    """The steps, without what would bring erased accounts back, or somebody into a room of another team."""
    about = [(step, *_brings_back(step, state)) for step in steps]
    ids = {user for _, user, _ in about if user is not None}
    if not ids:
        return steps
    users = {row["id"]: row for row in await connection.fetch(queries("operate")["standing"], list(ids), stream)}
    found = []
    for step, user, enters in about:
        row = None if user is None else users.get(user)
        if row is not None and row["erased"] and (enters or row["hidden"]):
            step = step._replace(envelope=None, events=(), reason="the account was erased since, for good")
        elif row is not None and enters and row["apart"]:
            step = step._replace(envelope=None, events=(), reason="they are of another team than the room")
        found.append(step)
    return found


def _brings_back(step: RevertStep, state: Mapping[Key, Entity | None]) -> tuple[str | None, bool]:
    """Whom a step brings back, or what they said; and whether they enter the room."""
    for event in step.events:
        if isinstance(event, MemberJoined):
            return event.user, True
        if isinstance(event, MessageRestored):
            message = state.get(message_key(event.message))
            return (message.author if isinstance(message, Message) else None), False
    return None, False


def _first_members(steps: list[RevertStep]) -> list[RevertStep]:
    """Those with whom a room was made come and go with it: the steps, with what becomes of the room as the reason."""
    rooms = {step.record.command: step for step in steps if isinstance(step.record.data, RoomCreated)}
    return [
        step._replace(reason=_with_room(rooms[step.record.command]))
        if isinstance(step.record.data, MemberJoined) and step.record.command in rooms
        else step
        for step in steps
    ]


def _with_room(made: RevertStep) -> str:
    """What is said of the first members of a room, from the step of its creation."""
    deleted = made.envelope is not None or made.reason == _UNCHANGED
    return (
        "it goes with the room, which is deleted" if deleted else f"it goes with the room, which stays: {made.reason}"
    )


async def _commands(connection: Connection, stream: str, chosen: list[Record]) -> list[tuple[Record, Revert | str]]:
    """What takes each event back, or why nothing does, from the fold of the stream around it."""
    offsets = {record.offset for record in chosen}
    made = {record.command for record in chosen if isinstance(record.data, RoomCreated)}
    found: list[tuple[Record, Revert | str]] = []
    state: Past = {}
    shard, last = Shard(chosen[0].topic, chosen[0].partition), chosen[-1].offset
    async for records in folding.events(connection, shard, stream, upto=last):
        for record in records:
            changes = folding.changes(record, state)
            if record.offset in offsets:
                key = revert_commands.entity_of(record)
                before = None if key is None else state.get(key)
                after = before if key is None or key not in changes else changes[key]
                back = revert_commands.revert_command(record, before, after)
                first = isinstance(record.data, MemberJoined) and record.command in made
                found.append((record, "it goes with the room" if first else back))
            for key, entity in changes.items():
                folding.put(state, key, entity)
    return found


def _envelope(command: Revert, record: Record, present: Entity | None) -> CommandEnvelope:
    """The key holds until the entity changes: repeating is harmless, and what was taken back twice can be again."""
    version = -1 if present is None else present.version
    return CommandEnvelope(
        command=command, id=uuid7(), actor=OPERATOR, key=f"undo:{record.id}:{version}", time=now(), app=ANY_APP
    )


class _Preview:
    """Decides as the shard's owner will, one command on what the one before left."""

    def __init__(self, shard: Shard, state: dict[Key, Entity | None]) -> None:
        self._shard = shard
        self._state = state
        self._batch = self._new()

    def _new(self) -> CommandBatch:
        # Offsets of what is to come, above all that there are.
        return CommandBatch(self._shard.topic, self._shard.partition, folding.END, "preview", self._state, {})

    def step(self, record: Record, envelope: CommandEnvelope) -> RevertStep:
        if not self._batch.decide(envelope):
            self._state.update(self._batch.changes)
            self._batch = self._new()
            self._batch.decide(envelope)
        answer = self._batch.results[-1]
        if answer.outcome is None:
            return RevertStep(record, None, (), str(answer.error))
        events = [one.data for one in answer.outcome.records]
        return RevertStep(record, envelope, events, "") if events else RevertStep(record, None, (), _UNCHANGED)
