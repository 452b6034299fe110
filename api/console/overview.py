"""The whole installation in one look: what Kafka, Postgres and every process say now, asked at most once a second."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from random import uniform
from time import monotonic
from typing import Any, TypeVar

import aiohttp
import asyncpg

from api.console.follower import TailFollower
from api.console.history import EVERY_SECONDS, Point, Rates
from api.console.process_stats import ProcessStats
from api.console.processes import Processes
from api.console.tail import TailEndpoint
from api.core.calls import Services
from api.support.problems import Problem
from events.core.clock import Time, now, to_datetime
from events.core.positions import Shard, Vector
from infra.base import away
from infra.base.disk import Disk
from infra.base.postgres import Connection, lock_key, process_name, queries
from infra.base.progress import READ_MODELS
from infra.base.settings import Settings
from producers.engine.router import PROOF_HEADER, proof
from projectors.rebuild import fresh

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Seconds for which one look serves all who ask, and for which what takes longer to count does.
_FRESH_SECONDS, _SLOW_SECONDS = 0.8, 30.0
#: What a part that is away raises.
_AWAY: tuple[type[Exception], ...] = (Problem, *away.PARTS)


class Console:
    """What operators look at: at most once a second; while nobody does, once in EVERY_SECONDS in all processes
    together, for the charts of consoles that are opened later."""

    def __init__(self, services: Services, stats: ProcessStats) -> None:
        self.follower = TailFollower(services.settings)
        self.tail = TailEndpoint(services, self.follower)
        self._services = services
        self._own = stats
        self._http: aiohttp.ClientSession | None = None
        self._others: Processes | None = None
        self._rates = Rates()
        self._keeping: asyncio.Task[None] | None = None
        self._looking = asyncio.Lock()
        self._figures: dict[str, Any] = {}
        self._looked = self._measured = float("-inf")
        self._slow: dict[str, Any] = {}

    async def start(self) -> None:
        self._http = aiohttp.ClientSession(headers={PROOF_HEADER: proof(self._services.settings)})
        self._others = Processes(self._own, self._http)
        self._keeping = asyncio.create_task(self._keep(), name="console history")

    async def stop(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        await self.follower.stop()
        if self._http is not None:
            await self._http.close()

    @property
    def points(self) -> list[Point]:
        """What the installation did in the last KEPT_SECONDS, a point in EVERY_SECONDS; in order."""
        return self._own.points.all()

    async def figures(self) -> dict[str, Any]:
        """The figures, at most a second old. What cannot be had is null, and ``faults`` says why."""
        async with self._looking:
            if monotonic() - self._looked > _FRESH_SECONDS:
                self._figures = await self._look()
                self._looked = monotonic()
            return self._figures

    async def _keep(self) -> None:
        """Looks for the sake of the points that are kept, unless somebody has just looked, here or elsewhere.

        What others kept before this process began comes with a look: it has one even where others are always first.
        """
        assert self._others is not None
        while True:
            await asyncio.sleep(EVERY_SECONDS * uniform(0.9, 1.1))
            if self._others.caught_up and not self._own.points.lacks(_milliseconds(now())):
                continue
            try:
                async with self._looking:
                    await self._look(sizes=False)
            except Exception:
                log.exception("the console's charts lack a point")

    async def _look(self, sizes: bool = True) -> dict[str, Any]:
        assert self._others is not None
        faults: dict[str, str] = {}
        heads, stored = await asyncio.gather(
            _or_fault(faults, "kafka", self._services.feed.heads()), _or_fault(faults, "postgres", self._stored(sizes))
        )
        stored = stored or {}
        addresses = stored.pop("addresses", set()) | set(self._services.producers.owners.values())
        processes = await self._others.figures(addresses)
        shards = self._shards(heads, stored.pop("positions", None), processes)
        at = now()
        point = Point(_milliseconds(at), self._rates.add(_milliseconds(at), shards, processes))
        if self._own.points.add([point]):
            await self._others.tell(point)
        return {
            "at": at,
            "installation": self._services.settings.prefix,
            "sample": point,
            "shards": shards,
            "processes": processes,
            "parked": stored.get("parked"),
            "stores": stored.get("stores"),
            "rebuild": stored.get("rebuild"),
            "disks": [_disk(one) for one in self._services.producers.disks.disks],
            "tail": {"watchers": self.follower.watchers, "dropped": self.follower.dropped},
            "faults": faults,
        }

    def _shards(self, heads: Vector | None, positions: Any, processes: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Each shard: owner, end, what the read models have (``applied``) and by how much the feed is behind."""
        owners = self._services.producers.owners
        fed: dict[str, int] = {}
        for process in processes:
            for shard, lag in process.get("lag", {}).get("feed", {}).items():
                # Several instances read the log for the feed, each for its own part.
                fed[shard] = max(lag, fed.get(shard, 0))
        shards = sorted(heads or owners or positions or ())
        return [
            {
                "topic": shard.topic,
                "partition": shard.partition,
                "owner": owners.get(shard),
                "end": heads[shard] if heads else None,
                "applied": positions[shard][0] if positions and shard in positions else None,
                "term": positions[shard][1] if positions and shard in positions else None,
                "feed_lag": fed.get(str(shard)),
            }
            for shard in shards
        ]

    async def _stored(self, sizes: bool) -> dict[str, Any]:
        """What Postgres knows."""
        settings, sql = self._services.settings, queries("console")
        name = process_name(settings, "")
        async with asyncio.timeout(5), self._services.pool.acquire() as connection:
            rows = await connection.fetch(queries("projectors")["read_positions"], READ_MODELS)
            names = await connection.fetch(sql["processes"], name)
            parked = await connection.fetch(sql["parked"])
            if sizes and monotonic() - self._measured > _SLOW_SECONDS:
                tables = await connection.fetch(sql["sizes"])
                [database] = await connection.fetch(sql["database"])
                self._slow = {**database, "tables": [dict(row) for row in tables]}
                self._measured = monotonic()
            rebuild = await _rebuild(connection, settings)
        return {
            "positions": {Shard(row["topic"], row["partition"]): (row["next_offset"], row["term"]) for row in rows},
            "addresses": {row["name"].removeprefix(name) for row in names},
            "parked": [dict(row) for row in parked],
            "stores": self._slow or None,
            "rebuild": rebuild,
        }


def _milliseconds(at: Time) -> int:
    return int(to_datetime(at).timestamp() * 1000)


def _disk(one: Disk) -> dict[str, Any]:
    return {"folder": one.folder, "total": one.total, "free": one.free, "floor": one.floor, "state": one.state}


async def _or_fault(faults: dict[str, str], part: str, asked: Awaitable[T]) -> T | None:
    try:
        return await asked
    except _AWAY as error:
        faults[part] = away.words(error, part)
        return None


async def _rebuild(connection: Connection, settings: Settings) -> dict[str, Any] | None:
    """How far a rebuild is: its model, state and next offsets by shard, and whether somebody works on it now; None when
    there is none."""
    schema = fresh.beside(settings, "next")
    marker = await fresh.marker(connection, schema)
    if marker is None:
        return None
    try:
        # S608: the schema's name is that of the settings, which the installation has checked.
        rows = await connection.fetch(f'select topic, partition, next_offset from "{schema}".positions')  # noqa: S608
    except asyncpg.UndefinedTableError:
        # It has just been switched or dropped.
        return None
    places: Mapping[str, int] = {f"{row['topic']}/{row['partition']}": row["next_offset"] for row in rows}
    holder = await connection.fetchrow(queries("rebuild")["working"], lock_key(f"{settings.schema}/operate"))
    return {"model": marker.model, "state": marker.state, "places": places, "working": holder is not None}
