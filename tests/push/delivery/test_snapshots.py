"""Snapshots for lost places: all of somebody's connections share one, and who goes away takes it from nobody."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from push.delivery.bounds import FeedUnavailable
from push.delivery.snapshots import Snapshots
from push.protocol.backend import ConnectionIdentity
from tests.running import until


class Hub:
    def __init__(self, epoch: str) -> None:
        self.epoch = epoch


class Backend:
    """Answers when it is let; counts."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.free = asyncio.Event()
        self.error: Exception | None = None

    async def snapshot(self, identity: ConnectionIdentity) -> bytes:
        self.asked.append(identity.user)
        await self.free.wait()
        if self.error is not None:
            raise self.error
        return b'{"cursor":%d,"epoch":"e.2"}' % len(self.asked)


def identity(user: str, session: str = "s") -> ConnectionIdentity:
    return ConnectionIdentity(user=user, session=session, expires=2**40)


def snapshots(backend: Any, epoch: str = "e.2") -> Snapshots:
    hub: Any = Hub(epoch)
    return Snapshots(hub, backend)


async def test_all_connections_of_somebody_share_one() -> None:
    backend = Backend()
    made = snapshots(backend)
    many = [asyncio.create_task(made.take(identity("ada", f"s{n}"))) for n in range(30)]
    bob = asyncio.create_task(made.take(identity("bob")))
    await asyncio.sleep(0)
    many[0].cancel()

    async def both() -> bool:
        return len(backend.asked) == 2

    await until(both, "a snapshot is asked for, for each of the two")
    assert backend.asked == ["ada", "bob"]
    backend.free.set()
    items = await asyncio.gather(*many[1:])
    assert {item.delta for item in items} == {b'{"type":"snapshot","data":{"cursor":2,"epoch":"e.2"}}'}
    assert (await bob).cursor == 2 and many[0].cancelled()
    assert (await made.take(identity("ada"))).cursor == 3, "a later one is made anew"


async def test_what_cannot_be_made_is_told_to_all_who_wait_and_tried_again() -> None:
    backend = Backend()
    made = snapshots(backend)
    backend.error = FeedUnavailable("lagging")
    backend.free.set()
    found = await asyncio.gather(*(made.take(identity("ada")) for _ in range(2)), return_exceptions=True)
    assert [str(one) for one in found] == ["lagging", "lagging"] and backend.asked == ["ada"]
    backend.error = None
    assert (await made.take(identity("ada"))).cursor == 2
    with pytest.raises(FeedUnavailable, match="expected a snapshot of epoch"):
        await snapshots(backend, "another").take(identity("ada"))
