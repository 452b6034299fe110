"""The whole installation in one look: what Kafka, Postgres and every process say now, asked at most once a second."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from time import monotonic
from typing import Any, TypeVar

import aiohttp
import asyncpg
import msgspec

from api.calls import Services
from api.console.follower import Follower
from api.console.own import FIGURES_PATH, Own
from api.console.tail import Tail
from api.problems import Problem
from events.clock import now
from events.positions import Shard, Vector
from infra import away
from infra.postgres import lock_key, process_name, queries
from infra.progress import READ_MODELS
from infra.settings import Settings
from producers.router import PROOF_HEADER, proof
from projectors.rebuild import fresh

T = TypeVar("T")

#: Seconds for which one look serves all who ask, and for which what takes longer to count does.
_FRESH_SECONDS, _SLOW_SECONDS = 0.8, 30.0
#: Seconds that another process gets to answer.
_ANSWER_SECONDS = 0.5
#: What a part that is away raises.
_AWAY: tuple[type[Exception], ...] = (Problem, *away.PARTS)


class Console:
    """What operators look at. Costs nothing while nobody looks."""

    def __init__(self, services: Services, own: Own) -> None:
        self.follower = Follower(services.settings)
        self.tail = Tail(services, self.follower)
        self._services = services
        self._own = own
        self._http: aiohttp.ClientSession | None = None
        self._looking = asyncio.Lock()
        self._figures: dict[str, Any] = {}
        self._looked = self._measured = float("-inf")
        self._slow: dict[str, Any] = {}

    async def start(self) -> None:
        self._http = aiohttp.ClientSession(headers={PROOF_HEADER: proof(self._services.settings)})

    async def stop(self) -> None:
        await self.follower.stop()
        if self._http is not None:
            await self._http.close()

    async def figures(self) -> dict[str, Any]:
        """The figures, at most a second old. What cannot be had is null, and ``faults`` says why."""
        async with self._looking:
            if monotonic() - self._looked > _FRESH_SECONDS:
                self._figures = await self._look()
                self._looked = monotonic()
            return self._figures

    async def _look(self) -> dict[str, Any]:
        faults: dict[str, str] = {}
        heads, stored = await asyncio.gather(
            _or_fault(faults, "kafka", self._services.feed.heads()), _or_fault(faults, "postgres", self._stored())
        )
        processes = await self._processes((stored or {}).pop("addresses", set()))
        return {
            "at": now(),
            "installation": self._services.settings.prefix,
            "shards": self._shards(heads, (stored or {}).pop("positions", None), processes),
            "processes": processes,
            "parked": (stored or {}).get("parked"),
            "stores": (stored or {}).get("stores"),
            "rebuild": (stored or {}).get("rebuild"),
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

    async def _stored(self) -> dict[str, Any]:
        """What Postgres knows."""
        settings, sql = self._services.settings, queries("console")
        name = process_name(settings, "")
        async with asyncio.timeout(5), self._services.pool.acquire() as connection:
            rows = await connection.fetch(queries("projectors")["read_positions"], READ_MODELS)
            names = await connection.fetch(sql["processes"], name)
            parked = await connection.fetch(sql["parked"])
            if monotonic() - self._measured > _SLOW_SECONDS:
                sizes = await connection.fetch(sql["sizes"])
                self._slow = {**(await connection.fetchrow(sql["database"])), "tables": [dict(row) for row in sizes]}
                self._measured = monotonic()
            rebuild = await _rebuild(connection, settings)
        return {
            "positions": {Shard(row["topic"], row["partition"]): (row["next_offset"], row["term"]) for row in rows},
            "addresses": {row["name"].removeprefix(name) for row in names},
            "parked": [dict(row) for row in parked],
            "stores": self._slow,
            "rebuild": rebuild,
        }

    async def _processes(self, addresses: set[str]) -> list[dict[str, Any]]:
        """Every process: of the table of owners, and of those that are connected to Postgres."""
        others = (addresses | set(self._services.producers.owners.values())) - {self._own.address}
        found = await asyncio.gather(self._own.figures(), *map(self._ask, sorted(others)))
        return sorted(({"answering": True, **one} for one in found), key=lambda one: str(one["address"]))

    async def _ask(self, address: str) -> dict[str, Any]:
        assert self._http is not None
        try:
            limit = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
            async with self._http.get(f"http://{address}{FIGURES_PATH}", timeout=limit) as response:
                response.raise_for_status()
                return msgspec.json.decode(await response.read(), type=dict[str, Any])
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return {"address": address, "answering": False, "error": _why(error)}


def _why(error: Exception) -> str:
    match error:
        case aiohttp.ClientResponseError():
            return f"it answered {error.status}"
        case aiohttp.ClientConnectorError():
            return "nothing listens there, or it cannot be reached"
        case TimeoutError():
            return f"no answer within {_ANSWER_SECONDS} s"
        case _:
            return f"{type(error).__name__}: {error}"[:200]


async def _or_fault(faults: dict[str, str], part: str, asked: Awaitable[T]) -> T | None:
    try:
        return await asked
    except _AWAY as error:
        faults[part] = f"{type(error).__name__}: {error}"[:200]
        return None


async def _rebuild(connection: Any, settings: Settings) -> dict[str, Any] | None:
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
