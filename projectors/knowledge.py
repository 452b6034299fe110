"""What the feed must know of a turn's events before it can tell: read from the read models, all events at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from events.members import MemberJoined
from events.positions import Shard, Vector
from events.records import Entity, Key, Record
from infra import rows
from infra.postgres import queries
from infra.progress import Progress
from projectors.audience import AUDIENCES, CONTACT_ROOM, Known, Needs, follows_nothing
from projectors.rosters import Rosters

#: Seconds that a turn waits for the read models before the session starts again.
BEHIND_SECONDS = 15.0


class Knowledge:
    """What is known of the events of one turn."""

    def __init__(self, rosters: Rosters) -> None:
        self.rosters = rosters
        self.contacts: dict[str, list[str]] = {}
        self.entities: dict[Key, Entity | None] = {}

    def of(self, record: Record) -> Known:
        """What is known of one of them, its roster as of now. Raises KeyError for what was not learnt."""
        needs = AUDIENCES[record.type].needs(record)
        return Known(
            roster=frozenset() if needs.roster is None else self.rosters.members(needs.roster),
            contacts=() if needs.contacts is None else self.contacts[needs.contacts],
            entities=self.entities,
        )


class _Wanted(NamedTuple):
    level: Vector
    rooms: dict[str, int]
    contacts: set[str]
    keys: set[Key]


async def learn(connection: Any, progress: Progress, knowledge: Knowledge, records: Sequence[Record]) -> None:
    """Reads what the records need that is not known yet, once the read models are level with them.

    Raises ReadModelsBehind, and one of ``applying.DATA_ERRORS`` when a record holds what Postgres cannot take.
    """
    wanted = _wanted(records, knowledge.rosters)
    await progress.reach(wanted.level, BEHIND_SECONDS)
    if wanted.rooms:
        await knowledge.rosters.load(connection, wanted.rooms)
    if wanted.contacts:
        users = list(wanted.contacts)
        knowledge.contacts.update({user: [] for user in users})
        for row in await connection.fetch(queries("projectors")["contacts"], users, CONTACT_ROOM):
            knowledge.contacts[row["user"]].append(row["contact"])
    if wanted.keys:
        knowledge.entities.update(await rows.load(connection, wanted.keys))
        followed = _followed(records, knowledge) - knowledge.entities.keys()
        if followed:
            knowledge.entities.update(await rows.load(connection, followed))


def _wanted(records: Iterable[Record], rosters: Rosters) -> _Wanted:
    wanted = _Wanted({}, {}, set(), set())
    for record in records:
        needs = AUDIENCES[record.type].needs(record)
        if needs == Needs():
            continue
        shard, upto = Shard(record.topic, record.partition), 0
        if needs.roster is not None and needs.roster not in rosters:
            # Just before the event: a later one of the same room finds the roster kept up to itself.
            upto = record.offset
            wanted.rooms.setdefault(needs.roster, record.offset)
        if needs.contacts is not None:
            wanted.contacts.add(needs.contacts)
            upto = record.offset + 1
        if needs.keys:
            wanted.keys.update(needs.keys)
            upto = record.offset + 1
        if upto:
            wanted.level[shard] = max(upto, wanted.level.get(shard, 0))
    return wanted


def _followed(records: Iterable[Record], knowledge: Knowledge) -> set[Key]:
    """Keys that only the entities can name."""
    joining: dict[str, set[str]] = {}
    for record in records:
        if isinstance(record.data, MemberJoined):
            joining.setdefault(record.stream, set()).add(record.data.user)
    keys: set[Key] = set()
    for record in records:
        follow = AUDIENCES[record.type].follow
        if follow is not follows_nothing:
            keys.update(follow(record, knowledge.of(record), joining.get(record.stream, ())))
    return keys
