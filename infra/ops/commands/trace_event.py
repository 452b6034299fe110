"""What the read models know of an event's way: its command and position, whether it was applied, who was there."""

from __future__ import annotations

import msgspec

from events.core.feed import Stay, covers
from events.core.positions import BadPosition, Position, parse_position
from infra.base.postgres import Connection, Row, queries
from infra.base.progress import READ_MODELS
from infra.ops.commands import people
from infra.ops.commands.errors import CannotDo
from producers.messages import PostMessage
from projectors.core.source import entry_of


class TracedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The event, and what the read models made of it."""

    position: Position
    type: str
    stream: str
    actor: str
    #: Key of the command: the client's token of a message.
    command: str
    time: str
    #: The message's number in its room, where it is a message.
    seq: int | None = None
    #: Whether the rows include it.
    applied: bool = True
    #: The next offset that the rows of this shard will include.
    next_offset: int = 0
    #: Why it was put aside: parked or skipped, by which consumer, why.
    aside: list[str] = []


class TracedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Who a message may be for, with their times in its room."""

    id: str
    name: str
    #: Offsets of the room's shard: after the first, up to the second (None: still there).
    stays: list[Stay]
    #: Up to which number they have read, and since when.
    read: int | None
    read_at: str | None

    def inside(self, offset: int) -> bool:
        """Whether they were in the room just before an event of it."""
        return covers(self.stays, offset)


async def find(connection: Connection, what: str) -> TracedEvent | None:
    """The event that made a message, by the message's id, or the one at a position; None where no row knows of it."""
    try:
        position = parse_position(what)
    except BadPosition:
        return await _by_message(connection, what) if "\x00" not in what else None
    row = await connection.fetchrow(queries("operate")["event_at"], *position)
    if row is not None:
        return await _applied(connection, row, row["data"].get("seq"))
    return await _put_aside(connection, await connection.fetch(queries("projectors")["parked_at"], *position))


async def _by_message(connection: Connection, message: str) -> TracedEvent | None:
    sql = queries("operate")
    row = await connection.fetchrow(sql["message"], message)
    if row is None:
        return await _put_aside(connection, await connection.fetch(sql["parked_message"], msgspec.json.encode(message)))
    # What a client sent is found by its token; what events of members made, among the events of the room.
    key = f"{PostMessage.__name__}:{row['token']}"
    made = await connection.fetch(sql["event_by_command"], row["room"], row["author"], key)
    made = [one for one in made if one["data"].get("message") == message] if row["token"] else []
    made = made or await connection.fetch(sql["event_of_message"], row["room"], row["version"], message)
    return await _applied(connection, made[0], row["seq"]) if made else None


async def _put_aside(connection: Connection, rows: list[Row]) -> TracedEvent | None:
    """An event that is parked, from its record."""
    for row in rows:
        position = Position(row["topic"], row["partition"], row["offset"])
        entry = entry_of(position.shard, position.offset, row["stream"].encode(), row["value"])
        if entry.record is not None:
            record = entry.record
            event = TracedEvent(
                position=position, type=record.type, stream=record.stream, actor=record.actor, command=record.command,
                time=record.time, seq=getattr(record.data, "seq", None), applied=False,
            )  # fmt: skip
            return await stand(connection, event)
    return None


async def _applied(connection: Connection, row: Row, seq: int | None) -> TracedEvent:
    event = TracedEvent(
        position=Position(row["topic"], row["partition"], row["offset"]), type=row["type"], stream=row["stream"],
        actor=row["actor"], command=row["command"], time=row["time"], seq=seq,
    )  # fmt: skip
    return await stand(connection, event)


async def stand(connection: Connection, event: TracedEvent) -> TracedEvent:
    """With how far the rows are, and what was put aside."""
    sql = queries("operate")
    place = await connection.fetchrow(sql["applied"], READ_MODELS, event.position.topic, event.position.partition)
    aside = await connection.fetch(sql["put_aside"], *event.position)
    return msgspec.structs.replace(
        event,
        next_offset=0 if place is None else place["next_offset"],
        aside=[f"{row['state']} by {row['consumer']}: {row['why']}" for row in aside],
    )


def _called(name: str, username: str) -> str:
    """A name as people say it, with the username where there is another one."""
    return f"{name} ({username})" if username and name not in ("", username) else username or name


async def person(connection: Connection, who: str, room: str) -> TracedPerson:
    """Somebody by id or username, and their times in a room. Raises CannotDo."""
    sql = queries("operate")
    id = await people.user_id(connection, who)
    row = None if id is None else await connection.fetchrow(sql["user"], id)
    if row is None:
        raise CannotDo(f"--for: expected the id or the username of somebody who is registered, got {who!r}")
    stays = await connection.fetch(sql["stays_of"], room, row["id"])
    reads = [one for one in stays if one["read"] is not None]
    return TracedPerson(
        id=row["id"],
        name=_called(row["name"], row["username"]),
        stays=[(one["since"], one["until"]) for one in stays],
        read=reads[-1]["read"] if reads else None,
        read_at=reads[-1]["read_at"] if reads else None,
    )


async def fed_below(connection: Connection, position: Position) -> dict[int, int]:
    """By feed partition: the offset below which all of the event's shard is known to be fed."""
    rows = await connection.fetch(queries("operate")["fed_below"], str(position.shard))
    return {row["feed_partition"]: row["below"] or 0 for row in rows}
