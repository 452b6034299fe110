"""The processes of an installation: what each says of itself, and for how long nothing has come from it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from time import monotonic
from typing import Any, NamedTuple

import aiohttp
import msgspec

from api.console.history import Point
from api.console.process_stats import FIGURES_PATH, HISTORY_PATH, ProcessStats
from infra.base.reporting import QUIET_SECONDS

log = logging.getLogger(__name__)

#: Seconds that another process gets to answer.
_ANSWER_SECONDS = 0.5
_LIMIT = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
#: Seconds for which a process that has gone is still shown.
GONE_SECONDS = 120.0

_decode_points = msgspec.json.Decoder(list[Point]).decode


class _Heard(NamedTuple):
    at: float
    figures: dict[str, Any]


class Processes:
    """Asks all processes; remembers what each said last."""

    def __init__(self, stats: ProcessStats, http: aiohttp.ClientSession) -> None:
        self._own = stats
        self._http = http
        self._heard: dict[str, _Heard] = {}
        self._others: list[str] = []
        #: Others that have told the points that they keep.
        self._asked: set[str] = set()
        #: Whether there were others at the last look, and all have done so.
        self.caught_up = False

    async def figures(self, addresses: Iterable[str]) -> list[dict[str, Any]]:
        """Those at these addresses, this one, those that report by themselves, and those that went lately.

        With each: ``answering``, ``silent`` (seconds since its figures came) and, unless it answers, ``error``;
        ``gone`` with those that went.
        """
        others = self._others = sorted(set(addresses) - {self._own.address})
        mine, *answers = await asyncio.gather(self._own.figures(), *map(self._ask, others))
        await asyncio.gather(*(self._catch_up(address) for address in others if address not in self._asked))
        self._asked.intersection_update(others)
        self.caught_up = bool(others) and len(self._asked) == len(others)
        found: dict[str, dict[str, Any]] = {self._own.address: _well(mine)}
        for address, answer in zip(others, answers, strict=True):
            for report in answer.pop("reports", ()):
                self._own.reported.take(report["figures"], report["silent"])
            if "error" in answer:
                found[address] = self._missed(address, answer["error"])
            else:
                self._heard[address] = _Heard(monotonic(), answer)
                found[address] = _well(answer)
        for report in self._own.reported.all():
            found.setdefault(report["figures"]["address"], _reported(report))
        for address in self._heard.keys() - found.keys():
            error = "it has gone: no connection to Postgres, and no shard"
            found[address] = {**self._missed(address, error), "gone": True}
        self._forget()
        return sorted(found.values(), key=lambda one: str(one["address"]))

    async def tell(self, point: Point) -> None:
        """Hands a point to all others, so that one of them has it if this process ends."""
        body = msgspec.json.encode([point])
        await asyncio.gather(*(self._tell(address, body) for address in self._others))

    async def _tell(self, address: str, body: bytes) -> None:
        try:
            async with self._http.post(f"http://{address}{HISTORY_PATH}", data=body, timeout=_LIMIT) as response:
                response.raise_for_status()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.debug("%s did not receive a sample: %r", address, error)

    async def _ask(self, address: str) -> dict[str, Any]:
        """Its figures, or ``{"error"}``."""
        try:
            async with self._http.get(f"http://{address}{FIGURES_PATH}", timeout=_LIMIT) as response:
                response.raise_for_status()
                return msgspec.json.decode(await response.read(), type=dict[str, Any])
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return {"error": _why(error)}

    async def _catch_up(self, address: str) -> None:
        """Takes over the points that another keeps; one that does not answer is asked again at the next look."""
        try:
            async with self._http.get(f"http://{address}{HISTORY_PATH}", timeout=_LIMIT) as response:
                response.raise_for_status()
                self._own.points.add(_decode_points(await response.read()))
        except (aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError) as error:
            log.debug("%s did not return its samples: %r", address, error)
        else:
            self._asked.add(address)

    def _missed(self, address: str, error: str) -> dict[str, Any]:
        last = self._heard.get(address)
        if last is None:
            return {"address": address, "answering": False, "error": error, "silent": None}
        return {**last.figures, "answering": False, "error": error, "silent": round(monotonic() - last.at, 1)}

    def _forget(self) -> None:
        now = monotonic()
        for address in [address for address, last in self._heard.items() if now - last.at > GONE_SECONDS]:
            del self._heard[address]


def _well(figures: dict[str, Any]) -> dict[str, Any]:
    return {**figures, "answering": True, "silent": 0.0}


def _reported(report: dict[str, Any]) -> dict[str, Any]:
    silent = report["silent"]
    error = {} if silent <= QUIET_SECONDS else {"error": "it no longer reports"}
    return {**report["figures"], "answering": not error, "silent": silent, **error}


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
