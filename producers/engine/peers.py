"""What the other processes' shards have appended lately of a user: asked over HTTP, many users at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence

import aiohttp
import msgspec

from events.core.positions import Shard, Vector
from infra.base.rounds import Rounds

#: Path of the route through which processes ask each other; not for clients.
RECENT_PATH = "/internal/recent"
#: Users of one question.
USERS = 1000
#: Seconds for an answer. Who gives none is not asked for some seconds: Kafka tells as much, but of everybody's events.
_SECONDS = 0.3
_SILENT_SECONDS = 1.0

_decode_users = msgspec.json.Decoder(list[str]).decode


class Told(msgspec.Struct, frozen=True, array_like=True):
    """What a process says: of which shards, and for each user the next offsets that a read must have reached."""

    shards: list[Shard]
    vectors: list[list[tuple[str, int, int]]]


_decode_told = msgspec.json.Decoder(Told).decode


class Recently(msgspec.Struct, frozen=True):
    """What is known of one user's events: ``vector`` has all that shards in ``shards`` have appended."""

    vector: Vector
    shards: Collection[Shard]


_NOTHING = Recently({}, ())


def answer(question: bytes, shards: Collection[Shard], of: Callable[[str], Vector]) -> bytes:
    """What this process says. Raises msgspec.DecodeError."""
    users = _decode_users(question)
    vectors = [[(*shard, after) for shard, after in of(user).items()] for user in users]
    return msgspec.json.encode(Told(list(shards), vectors))


class OwnerPeer:
    """Another process, whose shards are asked about."""

    def __init__(self, http: aiohttp.ClientSession, address: str) -> None:
        self._http = http
        self._url = f"http://{address}{RECENT_PATH}"
        self._silent_until = 0.0
        rounds: Rounds[str, Recently] = Rounds(self._ask, USERS)
        self.recently: Callable[[str], Awaitable[Recently]] = rounds
        self.stop = rounds.stop

    async def _ask(self, users: Sequence[str]) -> list[Recently]:
        clock = asyncio.get_running_loop().time
        if clock() < self._silent_until:
            return [_NOTHING] * len(users)
        try:
            async with self._http.post(
                self._url, data=msgspec.json.encode(users), timeout=aiohttp.ClientTimeout(total=_SECONDS)
            ) as response:
                response.raise_for_status()
                told = _decode_told(await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError):
            self._silent_until = clock() + _SILENT_SECONDS
            return [_NOTHING] * len(users)
        shards = frozenset(told.shards)
        return [
            Recently({Shard(topic, number): after for topic, number, after in vector}, shards)
            for vector in told.vectors
        ]
