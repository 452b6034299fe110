"""Events of which the read models know nothing, from the log itself: not applied yet, void, or of an unknown type."""

from __future__ import annotations

import msgspec

from events.core.positions import BadPosition, Position, Shard, parse_position
from infra.base.postgres import Connection, queries
from infra.base.progress import READ_MODELS
from infra.ops.commands.errors import CannotDo
from infra.ops.commands.filters import head_of
from infra.ops.commands.log import LogReader, RawRecord
from infra.ops.commands.trace_event import TracedEvent


class _Numbered(msgspec.Struct):
    seq: int | None = None


async def find(connection: Connection, log: LogReader, what: str) -> TracedEvent | None:
    """The event at a position, or that which made a message and is not applied yet; None where the log has no such.

    Raises CannotDo for a position that the log does not have, or has nothing that can be read at.
    """
    try:
        position = parse_position(what)
    except BadPosition:
        return await _message(connection, log, what)
    return _event(await log.one(position))


async def _message(connection: Connection, log: LogReader, message: str) -> TracedEvent | None:
    """Reads what the read models have before them, which is little on a system that is well."""
    rows = await connection.fetch(queries("progress")["positions"], READ_MODELS)
    starts = {Shard(row["topic"], row["partition"]): row["next_offset"] for row in rows if row["topic"] == "rooms"}
    _, ends = await log.bounds(list(starts))
    wanted = msgspec.json.encode(message)
    async for batch in log.read(starts, ends):
        for raw in batch:
            if raw.valid and raw.value is not None and wanted in raw.value:
                return _event(raw)
    return None


def _event(raw: RawRecord) -> TracedEvent:
    head = head_of(raw)
    if head is None:
        raise CannotDo(
            f"expected an event at {raw.position}, got what cannot be read: klatsch events show {raw.position}"
        )
    try:
        seq = msgspec.json.decode(head.data, type=_Numbered).seq
    except msgspec.DecodeError:
        seq = None
    return TracedEvent(
        position=Position(*raw.shard, raw.offset), type=head.type, stream=head.subject, actor=head.actor,
        command=head.command, time=head.time, seq=seq, applied=False,
    )  # fmt: skip
