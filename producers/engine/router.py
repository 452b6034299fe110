"""Where commands go: to the shard's owner, here or in another process, which is asked over HTTP, once."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import time
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import aiohttp
import msgspec
from aiokafka.partitioner import murmur2

from events.core.errors import KlatschError
from events.core.positions import Shard, Vector
from events.core.records import Entity, Key, Record
from events.registry import REGISTRY
from infra.base import kafka, request_ids
from infra.base.disk_watch import DiskWatch
from infra.base.erased_apps import ErasedApps
from infra.base.handover import Handover
from infra.base.postgres import Pool
from infra.base.progress import Invalidation, Progress
from infra.base.settings import Settings
from producers import metrics, registry
from producers.commands import Command, CommandEnvelope, Outcome, Refused, Unavailable
from producers.engine import peers, storage
from producers.engine.log import LogProducer, ShardLog
from producers.engine.owners import Owners
from producers.engine.peers import OwnerPeer
from producers.engine.recent import Recent
from producers.engine.shard import ShardOwner

log = logging.getLogger(__name__)

#: Path of the route through which processes hand each other commands; not for clients.
ORDERS_PATH = "/internal/orders"
#: Header that proves that the caller knows the installation's secret.
PROOF_HEADER = "Klatsch-Internal"
#: Seconds between looks at the table of owners while a shard has none.
_TABLE_SECONDS = 0.05
#: Shards of a process that learn their old command keys at the same time.
LEARNING = 2


@lru_cache(maxsize=100_000)
def partition_of(stream: str, partitions: int) -> int:
    """The partition of a stream: Kafka's default partitioner, so that any tool finds a key where it expects it."""
    return int((murmur2(stream.encode()) & 0x7FFFFFFF) % partitions)


def proof(settings: Settings) -> str:
    """The value of PROOF_HEADER."""
    return hmac.new(bytes.fromhex(settings.secret), b"internal orders", hashlib.sha256).hexdigest()


class NotOwner(KlatschError):
    """The shard is another's; the table tells whose, a moment later at most."""


class Producers:
    """The command side of one process: the shards that it owns, and the way to all others."""

    def __init__(
        self, settings: Settings, pool: Pool, progress: Progress, handover: Handover | None = None,
        disks: DiskWatch | None = None, takes: bool = True,
    ) -> None:  # fmt: skip
        """``handover`` is told of all that the shards of this process append. ``disks`` must have room for it.

        Without ``takes`` the process owns no shard: every command goes to the process that does.
        """
        self._settings = settings
        self._pool = pool
        self._progress = progress
        self._writer = LogProducer(settings, handover)
        self.disks = disks or DiskWatch(settings)
        self._owners = Owners(settings, self._changed, self._lost, takes=takes)
        self._shards: dict[Shard, ShardOwner] = {}
        #: Shards that were another's in a table that ``_changed`` may not have seen.
        self._moved: set[Shard] = set()
        self._recent = Recent()
        self._peers: dict[str, OwnerPeer] = {}
        self._all = settings.partitions * len(kafka.EVENT_TOPICS)
        self._http: aiohttp.ClientSession | None = None
        self._changing = asyncio.Lock()
        self._gate = asyncio.Semaphore(LEARNING)
        self._erased = ErasedApps(pool.fetch, progress)
        progress.on_advance(self._advanced)
        progress.on_touch(self._touched)

    async def start(self) -> None:
        self._http = aiohttp.ClientSession(
            headers={PROOF_HEADER: proof(self._settings)}, connector=aiohttp.TCPConnector(limit=256)
        )
        await self._writer.start()
        await self._owners.start()

    async def stop(self) -> None:
        """Gives up all shards; commands that wait are answered as not decided."""
        await self._owners.stop()
        await asyncio.gather(*(shard.stop() for shard in self._shards.values()))
        self._shards.clear()
        await self._writer.stop()
        await asyncio.gather(*(peer.stop() for peer in self._peers.values()))
        if self._http is not None:
            await self._http.close()

    def health(self) -> dict[str, Any]:
        """For readiness: shards owned, those open, and whether every shard has an owner."""
        owned = len(self._owners.table)
        return {
            "ok": bool(owned) and all(shard.open for shard in self._shards.values()),
            "owned": len(self._shards),
            "open": sum(shard.open for shard in self._shards.values()),
            "shards_with_owner": owned,
        }

    @property
    def owners(self) -> Mapping[Shard, str]:
        """``host:port`` of each shard's owner, as this process knows it."""
        return self._owners.table

    async def submit(self, envelope: CommandEnvelope) -> Outcome:
        """Decides an order at its shard's owner. Raises Refused, or Unavailable: repeating with the key is safe."""
        shard = self._shard_of(envelope.command)
        deadline = asyncio.get_running_loop().time() + self._settings.command_seconds
        while True:
            try:
                if (owner := self._shards.get(shard)) is not None:
                    return await owner.submit(self._within(envelope, owner))
                return await self._forward(shard, envelope, deadline)
            except NotOwner:
                pass
            except Unavailable as unavailable:
                if unavailable.code != "moved":
                    raise
            if asyncio.get_running_loop().time() > deadline:
                raise Unavailable("no_owner", f"shard {shard} has no owner at the moment", retry_after=1.0)
            await asyncio.sleep(_TABLE_SECONDS)

    async def recent(self, user: str) -> tuple[Vector, set[Shard]]:
        """What a read of the user must have reached to show all that was acknowledged to them, by any process; and the
        shards of which nobody can say it: there it must reach what the log has."""
        vector = self._recent.of(user)
        if len(self._recent.shards) == self._all:
            return vector, set()
        table = self._owners.table
        others = {address for address in table.values() if address != self._settings.address}
        told = await asyncio.gather(*(self._peer(address).recently(user) for address in others))
        known = set(self._recent.shards)
        for one in told:
            known.update(one.shards)
            for shard, after in one.vector.items():
                vector[shard] = max(after, vector.get(shard, 0))
        shards = (Shard(topic, number) for topic in kafka.EVENT_TOPICS for number in range(self._settings.partitions))
        return vector, {shard for shard in shards if shard not in known}

    def tell(self, question: bytes) -> bytes:
        """The answer to another process's ``recent``. Raises msgspec.DecodeError."""
        return peers.answer(question, self._recent.shards, self._recent.of)

    def _peer(self, address: str) -> OwnerPeer:
        peer = self._peers.get(address)
        if peer is None:
            assert self._http is not None
            peer = self._peers[address] = OwnerPeer(self._http, address)
        return peer

    def owns(self, command: Command) -> bool:
        """Whether this process decides a command: then orders are decided in the order in which they are submitted."""
        return self._shard_of(command) in self._shards

    def _shard_of(self, command: Command) -> Shard:
        row = registry.of(command)
        return Shard(row.topic, partition_of(row.stream(command), self._settings.partitions))

    async def accept(self, value: bytes) -> bytes:
        """Decides an order that another process sent. Raises NotOwner, Refused, Unavailable."""
        envelope = registry.decode_envelope(value)
        shard = self._shard_of(envelope.command)
        owner = self._shards.get(shard)
        if owner is None:
            raise NotOwner(str(shard))
        return encode_outcome(await owner.submit(self._within(envelope, owner)))

    def _within(self, envelope: CommandEnvelope, owner: ShardOwner) -> CommandEnvelope:
        vital = registry.of(envelope.command).vital(envelope.command)
        return storage.within(envelope, self.disks, vital=vital, open=owner.open)

    async def _forward(self, shard: Shard, envelope: CommandEnvelope, deadline: float) -> Outcome:
        address = self._owners.owner_of(shard)
        if address is None or address == self._settings.address:
            raise NotOwner(str(shard))
        assert self._http is not None
        left = max(0.1, deadline - asyncio.get_running_loop().time())
        try:
            async with self._http.post(
                f"http://{address}{ORDERS_PATH}",
                data=registry.encode_envelope(envelope),
                headers={request_ids.HEADER: request_ids.current()},
                timeout=aiohttp.ClientTimeout(total=left, connect=min(left, 2.0)),
            ) as response:
                body = await response.read()
        except aiohttp.ClientConnectorError as error:
            # Nothing was sent: the owner is gone, and the table will say so.
            raise NotOwner(str(shard)) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable("unknown", f"the owner at {address} did not answer ({error!r})") from error
        return _outcome(response.status, body, shard, address)

    def _touched(self, touched: Invalidation) -> None:
        self._erased.refresh()
        if touched.all and not touched.coming:
            for owner in self._shards.values():
                owner.forget()

    def _advanced(self, vector: Mapping[Shard, int]) -> None:
        for shard, owner in self._shards.items():
            owner.projected(vector.get(shard, 0))
        self._recent.reached(vector, time.monotonic())

    def _lost(self, shards: Iterable[Shard]) -> None:
        for shard in shards:
            self._moved.add(shard)
            self._recent.end(shard)

    async def _changed(self, table: dict[Shard, str]) -> None:
        async with self._changing:
            mine = {shard for shard, address in table.items() if address == self._settings.address}
            lost = [self._shards.pop(shard) for shard in list(self._shards) if shard not in mine]
            # Another's in between: what that one has appended is not known here.
            back = [self._shards.pop(shard) for shard in self._moved & self._shards.keys()]
            self._moved.clear()
            await asyncio.gather(*(owner.stop() for owner in back))
            for shard in mine - self._shards.keys():
                writer = ShardLog(
                    self._writer, self._settings.topic(shard.topic), shard.partition, self._settings.address
                )
                owner = self._shards[shard] = ShardOwner(
                    self._settings, shard, writer, self._pool, self._progress, self._gate, self._recent, self._erased,
                )  # fmt: skip
                owner.start()
            metrics.SHARDS.set(len(self._shards))
            await asyncio.gather(*(owner.stop() for owner in lost))
            for owner in lost:
                self._recent.end(owner.shard)
            gone = [self._peers.pop(address) for address in self._peers.keys() - set(table.values())]
            await asyncio.gather(*(peer.stop() for peer in gone))


class _Wire(msgspec.Struct):
    """An outcome on its way between processes."""

    records: list[tuple[str, int, int, str, str, str, str, str, str, str, msgspec.Raw]]
    state: list[tuple[Key, dict[str, Any] | None]]
    repeated: bool


def encode_outcome(outcome: Outcome) -> bytes:
    """An outcome as JSON, for the process that a client asked."""
    records = [
        (r.topic, r.partition, r.offset, r.id, r.type, r.stream, r.time, r.actor, r.command, r.app,
         msgspec.Raw(msgspec.json.encode(r.data)))
        for r in outcome.records
    ]  # fmt: skip
    state = [(key, None if entity is None else msgspec.to_builtins(entity)) for key, entity in outcome.state.items()]
    return msgspec.json.encode(_Wire(records=records, state=state, repeated=outcome.repeated))


def decode_outcome(value: bytes) -> Outcome:
    """The inverse."""
    wire = msgspec.json.decode(value, type=_Wire)
    records = [
        Record(topic=topic, partition=partition, offset=offset, id=id, type=type_, stream=stream, time=time,
               actor=actor, command=command, app=app,
               data=msgspec.json.decode(data, type=REGISTRY.events[type_].struct))
        for topic, partition, offset, id, type_, stream, time, actor, command, app, data in wire.records
    ]  # fmt: skip
    state: dict[Key, Entity | None] = {
        key: None if entity is None else msgspec.convert(entity, REGISTRY.entities[key[0]])
        for key, entity in wire.state
    }
    return Outcome(records, state, wire.repeated)


def _outcome(status: int, body: bytes, shard: Shard, address: str) -> Outcome:
    if status == 200:
        return decode_outcome(body)
    # With a body it says that the owner does not know itself by this address.
    if status == 421 and not body:
        raise NotOwner(str(shard))
    try:
        problem = msgspec.json.decode(body, type=dict[str, Any])
        kind, code, detail = problem["error"], problem["code"], problem["detail"]
    except (msgspec.DecodeError, KeyError) as error:
        raise Unavailable("unknown", f"the owner at {address} answered {status}") from error
    if kind == "refused":
        raise Refused(
            code, detail, errors=problem.get("errors", ()), retry_after=problem.get("retry_after"), **problem["more"]
        )
    raise Unavailable(code, detail, problem.get("retry_after", 1.0))
