"""Processes tell each other what they have let happen, so that a limit is nearly one for all of them.

Each turn a process tells who has taken more than a share of a quota since it told of them last
(``limiter.TOLD_SHARE``), and how many connections applications have to it. Nothing is told while nobody else is there.
How close it is, and what it costs: docs/decisions/0078-limits-of-all-processes-together.md.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from time import monotonic

from api.core.limits import Limits
from events.core.clock import uuid7
from push.presence.gossip import GossipMessage, TakenNote, UsageNote

log = logging.getLogger(__name__)

#: Seconds between turns.
TURN_SECONDS = 0.25
#: Seconds between two signs of life, and without one after which another process is held to be gone.
ALIVE_SECONDS, GONE_SECONDS = 5.0, 16.0
#: Subjects of one limit that are told in a turn, those of the others in the next ones: some 60 bytes each.
SUBJECTS = 500


class _Other:
    """Another process."""

    __slots__ = ("connections", "heard")

    def __init__(self) -> None:
        self.heard = 0.0
        self.connections: Mapping[str, int] = {}


class Sharing:
    """What one process tells the others, and hears of them."""

    def __init__(
        self, limits: Limits, tell: Callable[[list[GossipMessage]], None],
        own: Callable[[], Mapping[str, int]] = dict, clock: Callable[[], float] = monotonic,
    ) -> None:  # fmt: skip
        """``tell`` writes notes for all; ``own``: open connections of applications here whose plan bounds them."""
        self._limits = limits
        self._tell = tell
        self._own = own
        self._clock = clock
        self.node = uuid7()
        self._others: dict[str, _Other] = {}
        #: What was told last, and when.
        self._told: Mapping[str, int] = {}
        self._alive = float("-inf")
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="sharing")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._tell([GossipMessage(node=self.node, usage=UsageNote(), bye=True)])

    async def _run(self) -> None:
        while True:
            try:
                self.turn()
            except Exception:
                # What this turn had to tell is lost; the next one has its own.
                log.exception("a turn of the limits")
            await asyncio.sleep(TURN_SECONDS)

    def turn(self) -> None:
        """Tells what is to be told."""
        now = self._clock()
        for node in [node for node, other in self._others.items() if now > other.heard + GONE_SECONDS]:
            del self._others[node]
        self._limits.share(bool(self._others))
        taken = [TakenNote(name, subject, round(seconds, 4)) for name, subject, seconds in self._limits.due(SUBJECTS)]
        connections = dict(self._own())
        if not taken and connections == self._told and now < self._alive + ALIVE_SECONDS:
            return
        self._told, self._alive = connections, now
        self._tell([GossipMessage(node=self.node, usage=UsageNote(taken=taken, connections=connections))])

    def heard(self, note: GossipMessage) -> None:
        """Another process has told something."""
        if note.usage is None or note.node == self.node:
            return
        if note.bye:
            self._others.pop(note.node, None)
            return
        other = self._others.get(note.node)
        if other is None:
            other = self._others[note.node] = _Other()
            # It does not know of this one yet.
            self._alive = float("-inf")
            self._limits.share(True)
        other.heard, other.connections = self._clock(), note.usage.connections
        for one in note.usage.taken:
            self._limits.add(one.limit, one.subject, one.seconds)

    def connections(self, app: str) -> int:
        """Open connections of an application to the other processes."""
        return sum(other.connections.get(app, 0) for other in self._others.values())
