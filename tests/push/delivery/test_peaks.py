"""Peaks of connections by hour. Tests ``push/delivery/peaks.py``."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from push.delivery.peaks import Peak, PeakWriter
from push.delivery.peers import Peers
from push.protocol.backend import ConnectionIdentity
from push.protocol.codes import Disconnect

NINE = datetime(2026, 11, 28, 9, tzinfo=UTC)


class Connection:
    client = "c"

    def cut(self, disconnect: Disconnect) -> None:
        raise AssertionError("nobody is cut")


def joined(peers: Peers, app: str) -> Connection:
    found = Connection()
    identity = ConnectionIdentity(user=f"u-{app}", session=f"s-{app}", expires=2e9, app=app)
    assert peers.join(found, identity, time.monotonic()) is None
    return found


def test_a_peak_is_the_most_at_once_and_what_stays_open_counts_on() -> None:
    peers = Peers()
    one, two = joined(peers, "a"), joined(peers, "a")
    joined(peers, "b")
    peers.leave(one)
    joined(peers, "a")
    # A renewed token is no further connection.
    assert peers.join(two, ConnectionIdentity(user="u-a", session="s-a", expires=2e9, app="a"), 0.0) is None
    assert peers.take_peaks() == {"a": 2, "b": 1}
    peers.leave(two)
    assert peers.take_peaks() == {"a": 2, "b": 1}, "they were open when the hour began"
    assert peers.take_peaks() == {"a": 1, "b": 1}


class Log:
    """Takes peaks, unless it is away."""

    def __init__(self) -> None:
        self.away = False
        self.told: list[Peak] = []

    async def __call__(self, peak: Peak) -> None:
        if self.away:
            raise ConnectionError("away")
        self.told.append(peak)


async def test_each_hour_is_told_and_what_could_not_be_is_told_later() -> None:
    peers, log, now = Peers(), Log(), [NINE + timedelta(minutes=12)]
    writer = PeakWriter(peers, log, lambda: now[0])
    joined(peers, "a")
    last = joined(peers, "b")
    now[0] = NINE + timedelta(hours=1, seconds=1)
    log.away = True
    writer.take()
    assert not await writer.flush() and not log.told
    peers.leave(last)
    joined(peers, "a")
    now[0] += timedelta(hours=1)
    writer.take()
    log.away = False
    assert await writer.flush()
    ten = NINE + timedelta(hours=1)
    assert log.told == [Peak("a", NINE, 1), Peak("b", NINE, 1), Peak("a", ten, 2), Peak("b", ten, 1)]


async def test_an_orderly_stop_tells_of_the_running_hour() -> None:
    peers, log = Peers(), Log()
    writer = PeakWriter(peers, log, lambda: NINE + timedelta(minutes=30))
    await writer.start()
    peers.leave(joined(peers, "a"))
    await writer.stop()
    assert log.told == [Peak("a", NINE, 1)]
