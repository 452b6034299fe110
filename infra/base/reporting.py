"""Processes that nobody asks report by themselves: workers tell the API every few seconds how they are."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import msgspec
import psutil

from infra.base.settings import Settings

log = logging.getLogger(__name__)

#: Path of the route of the API that takes reports; not for clients.
REPORT_PATH = "/internal/report"
#: Seconds between two reports, and without any after which a process counts as silent: two were missed.
REPORT_SECONDS = 5.0
QUIET_SECONDS = 2 * REPORT_SECONDS + 1.0


class ProcessReport:
    """What any process can say of itself."""

    def __init__(self, settings: Settings, roles: list[str], started: str) -> None:
        """``started``: when, as a Time."""
        self._said = {
            "address": settings.address, "roles": roles, "pid": os.getpid(), "started": started,
            "restarts": settings.restarts, "ended": settings.ended,
        }  # fmt: skip
        self._process = psutil.Process(os.getpid())

    def figures(self) -> dict[str, Any]:
        """``cpu`` in seconds, ``memory`` in bytes; ``restarts``: how often `up` has started it again."""
        return {**self._said, "cpu": time.process_time(), "memory": self._process.memory_info().rss}


async def report(
    api: str, headers: Mapping[str, str], figures: Callable[[], dict[str, Any]], every: float = REPORT_SECONDS
) -> None:
    """Reports to the API at this base URL for ever; while it is away nobody is told. ``headers`` prove who reports."""
    limit = aiohttp.ClientTimeout(total=REPORT_SECONDS)
    async with aiohttp.ClientSession(headers=headers, timeout=limit) as http:
        while True:
            try:
                async with http.post(f"{api}{REPORT_PATH}", data=msgspec.json.encode(figures())) as answer:
                    if answer.status >= 400:
                        log.warning("%s does not take a report of this process: %d", api, answer.status)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                log.debug("no report to %s: %r", api, error)
            await asyncio.sleep(every)
