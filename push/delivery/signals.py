"""Moves what a presence hub says: notes to and from ``klatsch.signals``, signals to connections, departures to the
log.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

import msgspec

from infra.base.incarnation import Incarnation
from infra.base.settings import Settings
from push import metrics
from push.delivery.bounds import FeedUnavailable
from push.delivery.note_writer import NoteWriter
from push.delivery.tail import TopicTail
from push.presence import gossip
from push.presence.devices import Device
from push.presence.gossip import GossipMessage
from push.presence.last_seen import LastSeenWriter, NoteSeen
from push.presence.presence_hub import PresenceHub
from push.protocol.items import FeedRow

_log = logging.getLogger("klatsch.push")

#: Seconds between turns: what happens within one is told together, once.
TURN_SECONDS = 0.25
#: Devices that are told without letting others run. A write costs some 10 µs.
_DEVICES = 500


class Signals:
    """One process's share in the signals."""

    def __init__(
        self, settings: Settings, presence_hub: PresenceHub, note_seen: NoteSeen | None = None,
        heard: Callable[[GossipMessage], None] | None = None,
    ) -> None:  # fmt: skip
        """``heard``: is given notes about what others have let happen (``GossipMessage.usage``)."""
        self.presence_hub = presence_hub
        self.notes = NoteWriter(settings)
        self._tail = TopicTail(settings, self, backlog=0, topic="signals")
        self._next: dict[int, int] = {}
        self._seen = None if note_seen is None else LastSeenWriter(note_seen)
        self._heard = heard
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, seconds: float = 60.0) -> None:
        """Begin to read, then to write. Raises Unavailable after ``seconds``."""
        self._tasks.append(asyncio.create_task(self._tail.run()))
        try:
            await asyncio.wait_for(self._tail.reached.wait(), seconds)
        except BaseException as error:
            await self._end()
            if isinstance(error, TimeoutError):
                raise FeedUnavailable(f"the signals were not reached within {seconds:.0f} s") from None
            raise
        await self.notes.start()
        self._tasks.append(asyncio.create_task(self._turns()))
        if self._seen is not None:
            await self._seen.start()

    async def stop(self) -> None:
        """Say that this node has ended, and end."""
        await self.notes.stop([self.presence_hub.bye()])
        await self._end()
        if self._seen is not None:
            await self._seen.stop()

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def ready(self) -> bool:
        """Whether the others' notes are being read at present."""
        return self._tail.ready

    # What the tail reports.

    def next_offsets(self) -> dict[int, int]:
        """See tail.Listener."""
        return self._next

    def reset(self, topic: Incarnation, starts: dict[int, int]) -> None:
        """See tail.Listener."""
        self._next = dict(starts)
        self.presence_hub.lost()

    async def take(self, batches: dict[int, Sequence[FeedRow]]) -> None:
        """See tail.Listener."""
        for number, records in batches.items():
            for record in records:
                try:
                    note = gossip.decode(record.value or b"")
                    if note.usage is None:
                        self.presence_hub.take(note)
                    elif self._heard is not None:
                        self._heard(note)
                    metrics.NOTES.labels("read").inc()
                except msgspec.DecodeError:
                    metrics.UNREADABLE.inc()
            self._next[number] = records[-1].offset + 1

    # Turns.

    async def _turns(self) -> None:
        while True:
            began = time.monotonic()
            try:
                await self._turn()
            except Exception:
                # What this turn had to tell is lost, which signals may be; the next one has its own.
                _log.exception("a turn of the signals")
            took = time.monotonic() - began
            metrics.TURN.observe(took)
            await asyncio.sleep(max(TURN_SECONDS - took, TURN_SECONDS / 10))

    async def _turn(self) -> None:
        tick = self.presence_hub.turn()
        metrics.PRESENT.set(len(self.presence_hub))
        if tick.gossip:
            self.notes.put(tick.gossip)
        if self._seen is not None:
            for departure in tick.departed:
                self._seen.add(departure)
        for number, (device, signals) in enumerate(tick.signals, 1):
            self._tell(device, signals)
            if number % _DEVICES == 0:
                await asyncio.sleep(0)

    def _tell(self, device: Device, signals: list[bytes]) -> None:
        try:
            sent = device.hearer.signal(signals)
        except Exception:
            _log.exception("a signal to a connection of user %s", device.user)
            sent = False
        metrics.SIGNALS.labels("sent" if sent else "dropped").inc(len(signals))
        if not sent:
            self.presence_hub.missed(device)
