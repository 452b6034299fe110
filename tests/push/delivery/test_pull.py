"""Pulling while deltas come: page after page, none is left out and none comes twice."""

from __future__ import annotations

import asyncio
import time

import msgspec

from push.delivery import pull
from push.delivery.hub import Hub
from push.protocol.backend import ConnectionIdentity
from tests.push.feeding import Feed

COUNT = 600


async def test_nothing_is_lost_between_pages(hub: Hub, feed: Feed) -> None:
    identity = ConnectionIdentity(user="ann", session="s", expires=time.time() + 150)
    since = (await pull.changes(hub, identity, None, 7)).next_cursor

    async def write() -> None:
        for n in range(COUNT):
            await feed.send("ann", str(n))

    writing = asyncio.create_task(write())
    found: list[str] = []
    deadline = asyncio.get_running_loop().time() + 15
    while len(found) < COUNT and asyncio.get_running_loop().time() < deadline:
        page = await pull.changes(hub, identity, since, 7)
        assert not page.reset and len(page.items) <= 7
        found += [msgspec.json.decode(item)["data"]["text"] for item in page.items]
        since = page.next_cursor
    await writing
    assert found == [str(n) for n in range(COUNT)]
