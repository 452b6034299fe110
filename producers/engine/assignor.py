"""Which process owns which shard: the pure decision and its form in the group protocol. Joining is in ``owners.py``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

from events.core.positions import Shard

log = logging.getLogger(__name__)


class Owner(msgspec.Struct, frozen=True):
    """A process and the shards that it has or claims, by topic: ``{"rooms": [0, 3]}``."""

    #: Unique to one run of a process: after a restart the same address is another member.
    member: str
    #: ``host:port`` for forwarded commands.
    address: str
    partitions: dict[str, list[int]] = {}

    @property
    def shards(self) -> list[Shard]:
        return [Shard(topic, partition) for topic, found in self.partitions.items() for partition in found]


class Claim(msgspec.Struct, frozen=True):
    """What a member tells the group: what it had by the last table that it has seen."""

    owner: Owner
    #: Number of that table; 0 when it has seen none.
    generation: int = 0
    #: Whether it takes shards; else it is told the tables, to know who does.
    takes: bool = True


class OwnerTable(msgspec.Struct, frozen=True):
    """What the leader tells every member."""

    #: One above the highest that any member has claimed from.
    generation: int
    owners: list[Owner]

    def addresses(self) -> dict[Shard, str]:
        return {shard: owner.address for owner in self.owners for shard in owner.shards}


def make_table(shards: Sequence[Shard], claims: Sequence[Claim]) -> OwnerTable:
    """Give every shard to one member: evenly, each topic spread, and none moves without need.

    Where several members claim a shard, the one with the highest generation has it: the others missed a table.
    """
    taking = [claim for claim in claims if claim.takes]
    holdings = _held(shards, taking)
    if holdings:
        _spread(shards, holdings)
    return OwnerTable(
        generation=max(claim.generation for claim in claims) + 1,
        owners=[
            Owner(claim.owner.member, claim.owner.address, by_topic(holdings.get(claim.owner.member, ())))
            for claim in claims
        ],
    )


def _spread(shards: Sequence[Shard], holdings: dict[str, list[Shard]]) -> None:
    """Even out what members hold, and give them what nobody does."""
    _release(holdings, len(shards))
    held = {shard for mine in holdings.values() for shard in mine}
    quota = len(shards) // len(holdings)
    for shard in shards:
        if shard not in held:
            # Below the quota first, so that none ends two above another; then where the topic is rarest.
            least = min(
                holdings,
                key=lambda member: (
                    max(len(holdings[member]) - quota + 1, 0),
                    _of_topic(holdings[member], shard.topic),
                    len(holdings[member]),
                    member,
                ),
            )
            holdings[least].append(shard)


def _held(shards: Sequence[Shard], claims: Sequence[Claim]) -> dict[str, list[Shard]]:
    """What each member keeps of its claim before anything is evened out."""
    wanted = set(shards)
    holdings: dict[str, list[Shard]] = {claim.owner.member: [] for claim in claims}
    for claim in sorted(claims, key=lambda claim: (-claim.generation, claim.owner.member)):
        mine = wanted.intersection(claim.owner.shards)
        wanted -= mine
        holdings[claim.owner.member] = sorted(mine)
    return holdings


def _release(holdings: dict[str, list[Shard]], total: int) -> None:
    """Take what is above an even share, from the topic of which the member has most."""
    quota, more = divmod(total, len(holdings))
    for member, mine in sorted(holdings.items(), key=lambda item: (-len(item[1]), item[0])):
        share = quota
        if len(mine) > quota and more:
            # The remainder stays with those who have it already.
            share, more = quota + 1, more - 1
        while len(mine) > share:
            most = max(mine, key=lambda shard: (_of_topic(mine, shard.topic), shard))
            mine.remove(most)
        holdings[member] = mine


def _of_topic(shards: Iterable[Shard], topic: str) -> int:
    return sum(1 for shard in shards if shard.topic == topic)


def by_topic(shards: Iterable[Shard]) -> dict[str, list[int]]:
    """``{"rooms": [0, 3]}``, in order."""
    grouped: dict[str, list[int]] = {}
    for topic, partition in sorted(shards):
        grouped.setdefault(topic, []).append(partition)
    return grouped


class ShardAssignor(AbstractPartitionAssignor):  # type: ignore[misc]
    """The decision in the form in which the group protocol carries it.

    A member's metadata carries its Claim, and every member's assignment the whole Table. The assignment's own list of
    partitions stays empty: nothing is consumed through this group, so there must be nothing to fetch, to seek, or for
    monitoring to take for a lag.
    """

    #: Known to the broker; every member must have the same one, so changing it needs a full stop.
    name = "klatsch-shards"

    def __init__(
        self, shards: Sequence[Shard], member: str, address: str, on_table: Callable[[OwnerTable], None],
        takes: bool = True,
    ) -> None:  # fmt: skip
        self._shards = shards
        self._claim = Claim(Owner(member, address), takes=takes)
        self._on_table = on_table

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """What this member sends when it joins."""
        return ConsumerProtocolMemberMetadata(0, list(topics), msgspec.json.encode(self._claim))

    def assign(
        self, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """Called on the group's leader only."""
        claims = []
        for name, metadata in members.items():
            try:
                claims.append(msgspec.json.decode(metadata.user_data, type=Claim))
            except msgspec.DecodeError as error:
                log.error("group member %s gets no shards: expected a claim of a Klatsch process: %s", name, error)
        table = make_table(self._shards, claims)
        answer = ConsumerProtocolMemberAssignment(0, [], msgspec.json.encode(table))
        return dict.fromkeys(members, answer)

    def on_assignment(self, assignment: ConsumerProtocolMemberAssignment) -> None:
        """Called on every member. The next claim is what the table gives, also when it gives nothing."""
        table = msgspec.json.decode(assignment.user_data, type=OwnerTable)
        mine = next((owner for owner in table.owners if owner.member == self._claim.owner.member), self._claim.owner)
        self._claim = Claim(mine, table.generation, self._claim.takes)
        self._on_table(table)
