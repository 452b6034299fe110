"""The emotion worker's process: a Faust app with one agent over the rooms' topic, and its health over HTTP.

Faust brings its own event loop habits and consumers, so it never shares a process with another role.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from math import nan
from typing import Any

import msgspec
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest

from events.core.clock import now
from events.core.errors import KlatschError
from infra.base import reporting
from infra.base.aiokafka_private import let_gather
from infra.base.kafka_access import tls_context
from infra.base.settings import Settings
from infra.base.sites import Sites
from projectors.workers.emotion_worker import GivenUp, KafkaRecord, Worker

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LAG = Gauge("klatsch_emotions_lag_records", "Records between the committed offset and the partition's end.")
#: Seconds for which the committed offsets may stand still while there is something to read; Faust commits every 2.8 s,
#: and one request may wait for the API for 300 s. After that the consumer counts as stuck: it is started again, and
#: reads again what was not committed.
STUCK_SECONDS = 400.0
#: Seconds for which Faust may be on its way to its partitions, from the start or in a rebalance, until each has
#: answered a fetch: a group waits 60 s for its members, a look for the committed offsets 30 s. Faust leaves partitions
#: paused where two rebalances meet (its ``tables/recovery.py``: "rebalance again"), and then nothing ever moves.
SETTLE_SECONDS = 120.0
#: The same before it is called stalled: a wait for the API that is longer than a restart of it.
STALLED_SECONDS = 60.0
_LOOK_SECONDS = 1.0
#: How much the worker's process stands back (nice(2)): beside a busy one it gets a tenth of a processor.
NICE = 10
#: Milliseconds for which the broker lets records gather, unless this many bytes of them come before: the price of a
#: fetch, in Faust's two threads and in the broker, is that of dealing with some records. Nobody waits for an emotion.
GATHER_MS, GATHER_BYTES = 200, 512 * 1024
#: Batches that wait in memory for their turn, each of up to a MiB, and that are taken at once; seconds for which they
#: may wait for each other, as often as a worker looks that has nothing to do.
BATCHES, WITHIN_SECONDS = 16, 0.1
#: Records that are dealt with at once, others are served in between: as many as emotions that one request sets.
TOGETHER = 100


class Stuck(KlatschError):
    """The worker does not get on; whoever runs it starts it again, as consumers recover by nothing else."""


def run(
    settings: Settings,
    operator_token: Callable[[], str],
    may_look: Callable[[str | None], bool],
    proof: Mapping[str, str],
) -> None:
    """Runs until SIGTERM or SIGINT. Raises Stuck, or what made Faust crash. ``may_look``: see api.core.guard.onlookers;
    ``proof``: headers with which a process of the installation shows itself to the API.

    Where Faust has no build (Linux on ARM) it says so and returns: everything else works without emotions.
    """
    if importlib.util.find_spec("faust") is None:
        log.warning(
            "Faust is not installed (it has no build for this platform): no emotions are detected, all else works"
        )
        return
    # Where processors are short, who waits for a message goes first; nobody waits for an emotion.
    os.nice(NICE)
    asyncio.run(serve(settings, operator_token, may_look, proof))


def api_of(settings: Settings) -> str:
    """Base URL of the API for workers: KLATSCH_API, else port 8400 of this machine."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host
    return settings.api or f"http://{host}:8400"


async def serve(
    settings: Settings,
    operator_token: Callable[[], str],
    may_look: Callable[[str | None], bool],
    proof: Mapping[str, str],
) -> None:
    """The same on the running loop."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    worker = Worker(api_of(settings), operator_token)
    await worker.start()
    app = _app(settings, worker)
    health = Health(app, worker, settings.topic("rooms"), settings.partitions)
    site = await _http(settings, health, may_look)
    starting = asyncio.create_task(_start(app, worker))
    watching = asyncio.create_task(health.watch())
    me = reporting.ProcessReport(settings, ["analytics"], now())
    telling = asyncio.create_task(
        reporting.report(api_of(settings), proof, lambda: {**me.figures(), **health.report()[1]})
    )
    stop = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait((watching, stop), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (starting, watching, telling, stop):
            task.cancel()
        results = await asyncio.gather(starting, watching, telling, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(8):
                await app.stop()
        await worker.stop()
        await site.cleanup()
    for result in results:
        if isinstance(result, Exception):
            raise result
    log.info("stopped")


async def _start(app: Any, worker: Worker) -> None:
    """The account first: without it nothing can be set, and no record is read in vain."""
    while not worker.has_account:
        try:
            await worker.account()
        except GivenUp as error:
            log.warning("%s; trying again", error)
            await asyncio.sleep(_LOOK_SECONDS)
    await app.start()


def _credentials(settings: Settings) -> Any:
    """How Faust gets into Kafka; None: it asks for nothing."""
    import faust

    context = tls_context(settings)
    if settings.kafka_user:
        return faust.SASLCredentials(
            username=settings.kafka_user, password=settings.kafka_password, ssl_context=context,
            mechanism=settings.kafka_sasl,
        )  # fmt: skip
    return None if context is None else faust.SSLCredentials(context)


def _app(settings: Settings, worker: Worker) -> Any:
    import faust

    app = faust.App(
        f"{settings.prefix}-emotions",
        broker=[f"aiokafka://{address.strip()}" for address in settings.kafka.split(",")],
        broker_credentials=_credentials(settings),
        # No tables, no leader: so the only topics are ours, which exist.
        store="memory://",
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        consumer_auto_offset_reset="earliest",
        broker_request_timeout=30.0,
        broker_session_timeout=10.0,
        broker_heartbeat_interval=3.0,
        stream_wait_empty=False,
        stream_buffer_maxsize=BATCHES,
    )
    app.transport = _batching()(app.conf.broker_consumer, app)
    topic = app.topic(settings.topic("rooms"), key_type=bytes, value_type=bytes, key_serializer="raw",
                      value_serializer="raw", internal=False)  # fmt: skip

    @app.agent(topic, name="emotions")
    async def detect(stream: Any) -> None:
        async for events in stream.take_events(BATCHES, within=WITHIN_SECONDS):
            found = chain.from_iterable(event.message.value for event in events)
            records = (KafkaRecord(r.partition, r.offset, r.headers or (), r.value or b"") for r in found)
            while some := list(islice(records, TOGETHER)):
                await worker.together(some)

    async def revoked(sender: Any, partitions: Any, **rest: Any) -> None:
        worker.forget([tp.partition for tp in partitions])

    signal_: Any = app.on_partitions_revoked
    signal_.connect(revoked)
    return app


def batches(records: Sequence[Any]) -> list[Sequence[Any]]:
    """Records of one fetch of a partition, as they are to be given to Faust.

    To Faust a partition that was read up to offset 0 was not read at all, and it counts no gap after it: what comes
    next would be acknowledged beyond a hole, and nothing of the partition be committed. So offset 1 comes alone.
    """
    return [records[:1], records[1:]] if len(records) > 1 and records[0].offset == 1 else [records]


def _batching() -> Any:
    """Faust's transport over a consumer that lets records gather, and gives those of a partition as one message.

    Faust has no setting for either. What it does for each message (tasks, a stream's turn, an account of offsets) costs
    several times as much as an emotion. The message has its last record's offset; the others are to Faust as those that
    a compacted topic lacks: they are over once that one is acknowledged.
    """
    from faust.transport.drivers import aiokafka as driver

    class Thread(driver.AIOKafkaConsumerThread):
        def _create_worker_consumer(self, transport: Any) -> Any:
            consumer = super()._create_worker_consumer(transport)
            let_gather(consumer, GATHER_BYTES, GATHER_MS)
            return consumer

        async def _fetch_records(self, *arguments: Any, **options: Any) -> Any:
            found = await super()._fetch_records(*arguments, **options)
            return {
                partition: [replace(batch[-1], value=batch, headers=()) for batch in batches(records)]
                for partition, records in found.items()
                if records
            }

    class Batching(driver.Consumer):
        def _new_consumer_thread(self) -> Any:
            return Thread(self, loop=self.loop, beacon=self.beacon)

        async def _add_gap(self, tp: Any, offset_from: int, offset_to: int) -> None:
            # Faust counts the message after a gap as a part of it too, and an offset that stands twice among those that
            # are done ends what it commits at once: one batch in 2.8 s, however many there were.
            await super()._add_gap(tp, offset_from, offset_to - 1)

    class Transport(driver.Transport):
        Consumer = Batching

    return Transport


class Health:
    """Whether the worker gets on: the only sign of it is that committed offsets move while there is something to read.

    An agent that has died leaves a process that looks alive, and so does a consumer that never got its partitions.
    """

    def __init__(
        self, app: Any, worker: Worker, topic: str, partitions: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._app = app
        self._worker = worker
        self._topic = topic
        self._partitions = partitions
        self._committed: dict[int, int] = {}
        self._clock = clock
        self._moved = self._settled = clock()
        #: Records between the committed offsets and the ends; None while no fetch has told where a partition ends.
        self.lag: int | None = None
        LAG.set(nan)
        self.assigned = 0

    async def watch(self) -> None:
        """Looks every second; raises Stuck, or the reason for which Faust has crashed."""
        while True:
            self.check()
            await asyncio.sleep(_LOOK_SECONDS)

    def check(self) -> None:
        """One look. Raises as ``watch``."""
        if self._app.crashed:
            raise self._app.crash_reason or Stuck("Faust has crashed and does not say why")
        if not (self._app.started or self._worker.has_account):
            # The API is waited for, and Faust starts after that.
            self._moved = self._settled = self._clock()
            return
        if self._worker.waits:
            # To start it again makes no room.
            self._moved = self._clock()
        if self._app.started and self._app.consumer is not None:
            self._look()
        if self.settled:
            self._settled = self._clock()
        elif self._clock() - self._settled > SETTLE_SECONDS:
            raise Stuck(
                f"expected Faust to have its partitions, and an answer from each, within {SETTLE_SECONDS:.0f} s; it "
                f"has {self.assigned} of {self._partitions} partitions after {self._app.rebalancing_count} rebalances"
                f"{', one of which goes on' if self._app.rebalancing else ''}"
            )
        if self._clock() - self._moved > STUCK_SECONDS:
            raise Stuck(
                f"expected the committed offsets to move, they have stood for {STUCK_SECONDS:.0f} s "
                f"with {'an unknown number of' if self.lag is None else self.lag} records to read"
            )

    @property
    def settled(self) -> bool:
        """Whether the group has given out its partitions, and all that are read here have told where they end."""
        app = self._app
        return bool(app.started and app.rebalancing_count and not app.rebalancing) and self.lag is not None

    def _look(self) -> None:
        consumer = self._app.consumer
        try:
            mine = [tp for tp in consumer.assignment() if tp.topic == self._topic]
        except Exception as error:
            # Between two assignments Faust has no consumer to ask.
            log.debug("no assignment: %r", error)
            mine = []
        committed = {tp.partition: consumer._committed_offset[tp] or 0 for tp in mine}
        ends = {tp.partition: consumer.highwater(tp) for tp in mine}
        self.assigned = len(mine)
        self.lag = None
        if None not in ends.values():
            self.lag = sum(max(0, ends[partition] - offset) for partition, offset in committed.items())
        LAG.set(nan if self.lag is None else self.lag)
        if committed != self._committed or self.lag == 0:
            self._committed, self._moved = committed, self._clock()

    @property
    def waits(self) -> str:
        """What the API lacks before anything gets on; empty: nothing."""
        return self._worker.waits

    def report(self) -> tuple[bool, dict[str, Any]]:
        """Readiness, and what it rests on. Several workers share the partitions, so one may have none."""
        parts: dict[str, dict[str, Any]] = {
            "faust": {"ok": bool(self._app.started and not self._app.crashed), "assigned": self.assigned},
            "account": {"ok": self._worker.has_account},
            "progress": self._progress(),
        }
        if self._worker.waits:
            waiting = "progress" if self._worker.has_account else "account"
            parts[waiting] = {**parts[waiting], "ok": False, "state": f"waits for {self._worker.waits}"}
        return all(part["ok"] for part in parts.values()), {"parts": parts}

    def _progress(self) -> dict[str, Any]:
        still = self._clock() - self._moved
        found: dict[str, Any] = {"ok": still < STALLED_SECONDS, "lag": self.lag, "seconds_since_moved": round(still, 1)}
        if not found["ok"]:
            left = "an unknown number of" if self.lag is None else self.lag
            found["state"] = f"no progress for {still:.0f} s with {left} records to read; see its log"
        return found


async def _http(settings: Settings, health: Health, may_look: Callable[[str | None], bool]) -> web.AppRunner:
    sites = Sites(settings)

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        """As api.core.guard does it: under our names only, and nothing is taken for what its type does not say."""
        host = request.headers.get("host")
        if host is None or sites.named(host.encode("latin-1", "replace")):
            response = await handler(request)
        else:
            response = web.Response(status=421, text="expected a name of this installation as Host; see KLATSCH_HOSTS")
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    async def alive(request: web.Request) -> web.Response:
        return web.Response(body=b'{"ok":true}', content_type="application/json")

    async def ready(request: web.Request) -> web.Response:
        ok, body = health.report()
        if not may_look(request.headers.get("authorization")):
            body = {}
        if health.waits:
            # Also for callers that may see nothing else: they would stop everything for a part that is not ready.
            body = {**body, "waits": health.waits}
        return web.Response(
            body=msgspec.json.encode({"ok": ok, **body}), status=200 if ok else 503, content_type="application/json"
        )

    async def metrics(request: web.Request) -> web.Response:
        if not may_look(request.headers.get("authorization")):
            return web.Response(status=401, text="expected the metrics token, or an operator's; see KLATSCH_METRICS")
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application(middlewares=[guard])
    app.add_routes([web.get("/healthz", alive), web.get("/readyz", ready), web.get("/metrics", metrics)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, settings.host, settings.port).start()
    return runner
