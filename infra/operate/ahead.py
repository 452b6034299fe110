"""Events of which the read models know nothing, from the log itself: not applied yet, void, or of an unknown type."""

from __future__ import annotations

from typing import Any

import msgspec

from events.positions import BadPosition, Position, Shard, parse_position
from infra.operate.errors import CannotDo
from infra.operate.filters import head_of
from infra.operate.log import LogReader, Raw
from infra.operate.way import Event
from infra.postgres import queries
from infra.progress import READ_MODELS


class _Numbered(msgspec.Struct):
    seq: int | None = None


async def find(connection: Any, log: LogReader, what: str) -> Event | None:
    """The event at a position, or that which made a message and is not applied yet; None where the log has no such.

    Raises CannotDo for a position that the log does not have, or has nothing that can be read at.
    """
    try:
        position = parse_position(what)
    except BadPosition:
        return await _message(connection, log, what)
    return _event(await log.one(position))


async def _message(connection: Any, log: LogReader, message: str) -> Event | None:
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


def _event(raw: Raw) -> Event:
    head = head_of(raw)
    if head is None:
        raise CannotDo(
            f"expected an event at {raw.position}, got what cannot be read: klatsch events show {raw.position}"
        )
    try:
        seq = msgspec.json.decode(head.data, type=_Numbered).seq
    except msgspec.DecodeError:
        seq = None
    return Event(
        position=Position(*raw.shard, raw.offset), type=head.type, stream=head.subject, actor=head.actor,
        command=head.command, time=head.time, seq=seq, applied=False,
    )  # fmt: skip
