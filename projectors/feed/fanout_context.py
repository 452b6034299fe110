"""What the feed must know of a turn's events before it can tell: read from the read models, all events at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from events.core.positions import Shard, Vector
from events.core.records import Entity, Key, Record, is_of
from events.members import MemberJoined
from events.relationships import Relationship, RelationshipSet, relationship_key
from infra.base import rows
from infra.base.postgres import Connection, queries
from infra.base.progress import Progress
from projectors.audience import AUDIENCES, CONTACT_ROOM, EventContext, Lookup, follows_nothing
from projectors.feed.pairs import Pairs
from projectors.feed.rosters import Rosters

#: Seconds that a turn waits for the read models before the session starts again.
BEHIND_SECONDS = 15.0


class FanoutContext:
    """What is known of the events of one turn."""

    def __init__(self, rosters: Rosters, pairs: Pairs) -> None:
        self.rosters = rosters
        self.pairs = pairs
        #: Where the log ended when the read models were asked, if they had to be level with all of it.
        self.heads: Vector = {}
        #: By the event's stream and offset.
        self.contacts: dict[tuple[str, int], list[str]] = {}
        #: Whom a user blocks, and who blocks a user.
        self.blocked: dict[str, set[str]] = {}
        self.blockers: dict[str, set[str]] = {}
        self.entities: dict[Key, Entity | None] = {}

    def of(self, record: Record) -> EventContext:
        """What is known of one of them, its roster as of now. Raises KeyError for what was not learnt."""
        lookup = AUDIENCES[record.type].lookup(record)
        contacts: Collection[str] = ()
        if lookup.contacts:
            contacts = self.pairs.correct(record, self.contacts[record.stream, record.offset])
        return EventContext(
            roster=frozenset() if lookup.roster is None else self.rosters.members(lookup.roster),
            contacts=contacts,
            blocked=frozenset() if lookup.blocks is None else self.blocked[lookup.blocks],
            blockers=frozenset() if lookup.blocks is None else self.blockers[lookup.blocks],
            entities=self.entities,
        )

    def told(self, record: Record) -> None:
        """Takes note of what was told of, for the turns to come."""
        if is_of(record, RelationshipSet):
            reverse = self.entities[relationship_key(record.data.other, record.stream)]
            self.pairs.note(record, self.heads, isinstance(reverse, Relationship) and reverse.type == "block")


class _Wanted(NamedTuple):
    level: Vector
    rooms: dict[str, int]
    #: Events as of which the contacts of their streams must be known.
    contacts: list[Record]
    blocks: set[str]
    keys: set[Key]
    #: Whether what happened in other shards before matters.
    all: bool


async def load(
    connection: Connection,
    progress: Progress,
    context: FanoutContext,
    records: Sequence[Record],
    heads: Callable[[], Awaitable[Vector]],
) -> None:
    """Reads what the records need that is not known yet, once the read models are level with them.

    ``heads`` tells where the log ends now: whose audience depends on other shards is told of when all that was in the
    log then can be read. Raises ReadModelsBehind, and one of ``applying.DATA_ERRORS`` when a record holds what Postgres
    cannot take.
    """
    wanted = _wanted(records, context.rosters)
    if wanted.all:
        context.heads = await heads()
    level = {shard: max(offset, wanted.level.get(shard, 0)) for shard, offset in context.heads.items()}
    await progress.reach(wanted.level | level, BEHIND_SECONDS)
    if wanted.rooms:
        await context.rosters.load(connection, wanted.rooms)
    if wanted.contacts:
        await _load_contacts(connection, context, wanted.contacts)
    if wanted.blocks:
        context.blocked.update({user: set() for user in wanted.blocks})
        context.blockers.update({user: set() for user in wanted.blocks})
        for row in await connection.fetch(queries("projectors")["blocks"], list(wanted.blocks)):
            (context.blocked if row["own"] else context.blockers)[row["user"]].add(row["other"])
    if wanted.keys:
        context.entities.update(await rows.load(connection, wanted.keys))
        followed = _followed(records, context) - context.entities.keys()
        if followed:
            context.entities.update(await rows.load(connection, followed))


async def _load_contacts(connection: Connection, context: FanoutContext, records: Sequence[Record]) -> None:
    context.contacts.update({(record.stream, record.offset): [] for record in records})
    columns = zip(*((record.stream, record.offset, record.time) for record in records), strict=True)
    for row in await connection.fetch(queries("projectors")["contacts"], *map(list, columns), CONTACT_ROOM):
        record = records[row["place"] - 1]
        context.contacts[record.stream, record.offset].append(row["contact"])


def _wanted(records: Sequence[Record], rosters: Rosters) -> _Wanted:
    everywhere = any(AUDIENCES[record.type].lookup(record).everywhere for record in records)
    wanted = _Wanted({}, {}, [], set(), set(), everywhere)
    for record in records:
        lookup = AUDIENCES[record.type].lookup(record)
        if lookup == Lookup():
            continue
        shard, upto = Shard(record.topic, record.partition), 0
        if lookup.roster is not None and lookup.roster not in rosters:
            # Just before the event: a later one of the same room finds the roster kept up to itself.
            upto = record.offset
            wanted.rooms.setdefault(lookup.roster, record.offset)
        if lookup.contacts:
            wanted.contacts.append(record)
            upto = record.offset + 1
        if lookup.blocks is not None:
            wanted.blocks.add(lookup.blocks)
        if lookup.keys:
            wanted.keys.update(lookup.keys)
            upto = record.offset + 1
        if upto:
            wanted.level[shard] = max(upto, wanted.level.get(shard, 0))
    return wanted


def _followed(records: Iterable[Record], context: FanoutContext) -> set[Key]:
    """Keys that only the entities can name."""
    joining: dict[str, set[str]] = {}
    for record in records:
        if isinstance(record.data, MemberJoined):
            joining.setdefault(record.stream, set()).add(record.data.user)
    keys: set[Key] = set()
    for record in records:
        follow = AUDIENCES[record.type].follow
        if follow is not follows_nothing:
            keys.update(follow(record, context.of(record), joining.get(record.stream, ())))
    return keys
