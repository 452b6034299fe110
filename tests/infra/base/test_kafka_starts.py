"""A start of a Kafka client that is cancelled, wherever it waits, leaves no connection and no task behind.
Tests ``infra/base/kafka.py``."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.client import ConnectionGroup

from events.core.positions import Shard
from infra.base import aiokafka_private, kafka
from infra.base.settings import Settings
from producers.engine.log import LogProducer, OutcomeUnknown
from projectors.core.heads import Heads
from push.delivery.bounds import Bounds
from tests.running import until

# On a loop of their own: what servers of other tests do on the common one is no leftover of these.
pytestmark = pytest.mark.asyncio(loop_scope="module")


class CutShort:
    """Awaits some work, and cancels the task the time after so many that it waits for something."""

    def __init__(
        self, work: Coroutine[Any, Any, None], after: int, cut: Callable[[], object] | None = None
    ) -> None:  # fmt: skip
        """``cut`` is called instead."""
        self._work = work
        self._after = after
        self._cut = cut
        #: How often it waited.
        self.waits = 0

    def __await__(self) -> Generator[Any, Any, None]:
        steps = self._work.__await__()
        error: BaseException | None = None
        while True:
            try:
                waiting = next(steps) if error is None else steps.throw(error)
            except StopIteration:
                return
            task = asyncio.current_task()
            if self.waits == self._after and task is not None:
                (self._cut or task.cancel)()
            self.waits += 1
            error = None
            try:
                yield waiting
            except BaseException as thrown:
                error = thrown


async def _consumer(settings: Settings) -> None:
    client = kafka.consumer(settings)
    await kafka.start(client)
    await kafka.close(client)


async def _member(settings: Settings) -> None:
    client = kafka.consumer(settings, group_id=f"{settings.prefix}.test")
    client.subscribe([settings.topic("users")])
    await kafka.start(client)
    await kafka.close(client)


async def _producer(settings: Settings) -> None:
    client = kafka.producer(settings)
    await kafka.start(client)
    await kafka.close(client)


async def _admin(settings: Settings) -> None:
    async with kafka.admin(settings):
        pass


async def _ends(settings: Settings) -> None:
    await kafka.end_offsets(settings, settings.topic("users"), 1)


async def _log(settings: Settings) -> None:
    producer = LogProducer(settings)
    try:
        await producer.start()
    finally:
        await producer.stop()


STARTS = {one.__name__[1:]: one for one in (_consumer, _member, _producer, _admin, _ends, _log)}


def _recorded(monkeypatch: pytest.MonkeyPatch) -> list[asyncio.BaseTransport]:
    """The connections that are opened from now on."""
    found: list[asyncio.BaseTransport] = []
    loop = asyncio.get_running_loop()
    plain = loop.create_connection

    async def create_connection(*arguments: Any, **named: Any) -> Any:
        pair = await plain(*arguments, **named)
        found.append(pair[0])
        return pair

    monkeypatch.setattr(loop, "create_connection", create_connection)
    return found


@pytest.mark.parametrize("start", list(STARTS.values()), ids=list(STARTS))
async def test_a_start_that_is_cancelled_leaves_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, start: Callable[[Settings], Coroutine[Any, Any, None]]
) -> None:
    opened = _recorded(monkeypatch)
    before = asyncio.all_tasks()

    async def nothing_left() -> bool:
        return asyncio.all_tasks() <= before and all(one.is_closing() for one in opened)

    after = 0
    while True:
        cut = CutShort(start(settings), after)
        with suppress(asyncio.CancelledError):
            await asyncio.create_task(_await(cut))
        await until(nothing_left, f"all is closed, cut after {after}")
        # What is collected while it is open says so: pytest makes it an error.
        gc.collect()
        if cut.waits <= after:
            break
        after += 1
    assert after >= 4 and opened


async def test_a_start_that_runs_out_of_time_leaves_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = _recorded(monkeypatch)
    before = asyncio.all_tasks()
    timeouts: list[asyncio.Timeout] = []
    plain = asyncio.timeout

    def timeout(seconds: float | None) -> asyncio.Timeout:
        timeouts.append(plain(seconds))
        return timeouts[-1]

    async def nothing_left() -> bool:
        return asyncio.all_tasks() <= before and all(one.is_closing() for one in opened)

    for after in range(6):
        producer = LogProducer(settings)
        timeouts.clear()
        cut = CutShort(producer.start(), after, lambda: timeouts[0].reschedule(0))
        with monkeypatch.context() as patched:
            patched.setattr(asyncio, "timeout", timeout)
            with pytest.raises(OutcomeUnknown):
                await asyncio.create_task(_await(cut))
        await producer.stop()
        await until(nothing_left, f"all is closed, out of time after {after}")
        gc.collect()
    assert opened


async def _await(cut: CutShort) -> None:
    await cut


@pytest.mark.parametrize("kind", [kafka.consumer, kafka.producer], ids=["consumer", "producer"])
async def test_a_connection_that_comes_after_the_close_is_closed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, kind: Callable[[Settings], Any]
) -> None:
    client = kind(settings)
    await kafka.start(client)
    network = client.client if isinstance(client, AIOKafkaProducer) else aiokafka_private.network(client)
    opened, go, asked = _recorded(monkeypatch), asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    plain = loop.create_connection

    async def late(*arguments: Any, **named: Any) -> Any:
        asked.set()
        await go.wait()
        return await plain(*arguments, **named)

    monkeypatch.setattr(loop, "create_connection", late)
    # A connection of another group than those that are there.
    ready = asyncio.create_task(network.ready(network.get_random_node(), group=ConnectionGroup.COORDINATION))
    await asked.wait()
    await kafka.close(client)
    go.set()
    await ready
    assert opened and all(one.is_closing() for one in opened)
    del network, client
    # What is collected while it is open says so: pytest makes it an error.
    gc.collect()


@pytest.mark.parametrize("after", range(4))
async def test_who_was_cancelled_while_connecting_asks_again(settings: Settings, after: int) -> None:
    heads = Heads(settings, [Shard("users", 0)])
    bounds = Bounds(settings)

    async def ask() -> None:
        await heads()

    async def get() -> None:
        await bounds.get(settings.topic("feed"), 1)

    try:
        for question in (ask, get):
            with suppress(asyncio.CancelledError):
                await asyncio.create_task(_await(CutShort(question(), after)))
            await question()
    finally:
        await heads.stop()
        await bounds.stop()
