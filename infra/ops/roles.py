"""One process with some of the roles: what each needs is started, served over HTTP, and stopped in order."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import uvicorn
from starlette.routing import BaseRoute

from api import connections, presence
from api.app import build
from api.app_eraser import AppEraser
from api.console.overview import Console
from api.console.process_stats import ProcessStats
from api.core.calls import Services
from api.core.cutting import Cutting
from api.core.guard import onlookers
from api.core.operation import Operation
from api.core.rpc import RpcBackend
from api.core.sharing import Sharing
from api.deletions import Deletions
from api.grpc import grpc_server
from api.grpc.relaying import ReportedRelay
from api.grpc.relays import Relays
from api.grpc.server import GrpcServer
from api.memberships import Memberships
from api.moving import Moving
from api.registry import all_operations
from api.support.credential_store import CredentialStore
from api.support.feed import FeedEnds
from api.support.health import Check
from api.usage import PeakTeller
from api.user_eraser import UserEraser
from infra.base import installation, postgres, request_ids
from infra.base.disk_watch import DiskWatch
from infra.base.handover import Handover
from infra.base.progress import Progress
from infra.base.settings import Settings
from infra.ops import operator_token
from producers.engine.log import LogProducer, ShardLog
from producers.engine.router import PROOF_HEADER, Producers, proof
from projectors.core.runner import Projector
from projectors.feed.projector import FeedProjector
from projectors.read_models.credential_copy import CredentialCopy
from projectors.read_models.projector import ReadModels
from push import routes as push_routes
from push.delivery.hub import Hub
from push.delivery.note_writer import NoteWriter
from push.delivery.peaks import PeakWriter
from push.delivery.signals import Signals
from push.presence.presence_hub import PresenceHub
from push.transports.ws import uvicorn_options

log = logging.getLogger(__name__)

#: Allocations between two collections, as in gc.set_threshold. Commands and deltas are trees, freed without it.
_COLLECT = (20_000, 20, 20)


def run(settings: Settings, roles: frozenset[str]) -> None:
    """Runs until SIGTERM or SIGINT. ``analytics`` and ``usage`` are run by themselves: Faust owns loop and signals."""
    request_ids.configure(logging.INFO)
    # A rebalance or a broker that is away shows in our own lines; the client repeats it for each partition.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    if roles & {"analytics", "usage"}:
        from projectors.workers import process

        token = partial(operator_token.token, settings)
        process.run(settings, roles, token, onlookers(settings), {PROOF_HEADER: proof(settings)})
        return
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(serve(settings, roles))


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def serve(settings: Settings, roles: frozenset[str]) -> None:
    """The same on the running loop; returns after an orderly stop.

    Raises TopicMismatch or SchemaMismatch when what it finds is not as this installation needs it.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    await installation.prepare(settings)
    async with AsyncExitStack() as stack:
        app, drains = await _parts(settings, roles, stack)
        settle_memory()
        config = uvicorn.Config(
            app, host=settings.host, port=settings.port, log_config=None, access_log=False, lifespan="off",
            server_header=False, **uvicorn_options(settings),
        )  # fmt: skip
        server = _Server(config)
        serving = asyncio.create_task(server.serve(), name="http")
        waiting = asyncio.create_task(stopping.wait())
        await asyncio.wait((serving, waiting), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        for drain in drains:
            await drain()
        server.should_exit = True
        await serving
    log.info("stopped")


def settle_memory() -> None:
    """What a process has made before it works stays: the collector need not look at it again, nor look so often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT)


class _Server(uvicorn.Server):
    """A server that leaves the signals to us: connections are drained before it closes them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


#: Sends clients away before the server stops.
Drain = Callable[[], Awaitable[None]]


async def _parts(settings: Settings, roles: frozenset[str], stack: AsyncExitStack) -> tuple[Any, list[Drain]]:
    checks: dict[str, Check] = {}
    hub = None
    drains: list[Drain] = []
    stats = ProcessStats(settings, roles, checks)
    more: list[BaseRoute] = stats.routes()
    handover = Handover()
    await _projectors(settings, roles, handover, stack, checks)
    services, operations = None, list[Operation]()
    if roles & {"api", "push", "relay"}:
        # A relay decides nothing: it is there to pass on what is said, and asks the owners as a client would.
        takes = bool(roles & {"api", "push"})
        services = await _services(settings, handover, stack, checks, takes)
        relays = await _started(stack, Relays(settings))
        services.add_channel, services.drop_channel = relays.add, relays.drop
    if services is not None and roles & {"api", "push"}:
        if "api" in roles:
            await _started(stack, UserEraser(services))
        if "push" in roles:
            hub = await _started(stack, Hub(settings, Memberships(services), Deletions(services), handover=handover))
            services.progress.on_revoke(hub.revoked)
            await _started(stack, Cutting(services, hub.peers, hub.revoked))
            await _started(stack, PeakWriter(hub.peers, PeakTeller(services)))
            checks["push"] = _ready_check(hub)
        # Without the role push a process has no connections of its own, but is notified of those of others.
        presence_hub = hub.presence_hub if hub is not None else PresenceHub(part=False, ttl=settings.presence_seconds)
        note_seen = partial(presence.note_seen, services) if hub is not None else None
        sharing = Sharing(services.limits, lambda notes: services.tell(notes), partial(_bounded, services, hub))
        signals = await _started(stack, Signals(settings, presence_hub, note_seen, sharing.heard))
        checks["signals"] = _ready_check(signals)
        services.tell = signals.notes.put
        services.connections = partial(_connections, hub, sharing)
        await _started(stack, sharing)
        await _started(stack, Moving(services))
        console = await _started(stack, Console(services, stats))
        more.append(console.tail.route())
        drains.append(console.tail.drain)
        operations = all_operations(hub, presence_hub, console)
        if hub is not None:
            drains.append(hub.drain)
            more += [
                *push_routes(hub, RpcBackend(services, operations, presence_hub), settings),
                connections.route(hub, settings),
            ]
    if services is not None and "relay" in roles:
        if not roles & {"api", "push"}:
            services.tell = (await _started(stack, NoteWriter(settings))).put
        relay = ReportedRelay(settings, services, relays)
        more += relay.routes
        server = await _started(stack, grpc_server(settings, services, operations or all_operations(), relay))
        # Nobody is sent here before it can be reached.
        await _started(stack, relay)
        checks["grpc"], checks["relay"] = _ready_check(server), _ready_check(relay)
        drains += [server.drain, relay.drain]
    if services is not None and "api" in roles:
        await _started(stack, AppEraser(services))
    if "api" not in roles:
        # Without the role api the operations are reached over RPC only.
        operations = []
    return build(settings, checks=checks, services=services, operations=operations, more=more), drains


def _bounded(services: Services, hub: Hub | None) -> dict[str, int]:
    """Open connections here of applications whose plan bounds them."""
    if hub is None:
        return {}
    return {app: count for app, count in hub.peers.apps().items() if services.plans.bounded(app)}


def _connections(hub: Hub | None, sharing: Sharing, app: str) -> int:
    """Open connections of an application to all processes."""
    return sharing.connections(app) + (0 if hub is None else hub.peers.of_app(app))


async def _services(
    settings: Settings, handover: Handover, stack: AsyncExitStack, checks: dict[str, Check], takes: bool
) -> Services:
    pool = await postgres.pool(settings)
    stack.push_async_callback(_close_pool, pool)
    progress = await _started(stack, Progress(settings))
    disks = await _started(stack, DiskWatch(settings))
    credential_store = await _started(stack, CredentialStore(settings, pool, disks))
    feed = await _started(stack, FeedEnds(settings))
    producers = Producers(settings, pool, progress, handover, disks, takes)
    await _started(stack, producers)
    services = Services(settings, pool, progress, producers, credential_store, feed)
    stack.callback(services.passwords.close)
    stack.callback(services.looker.close)

    async def check_postgres() -> dict[str, Any]:
        async with asyncio.timeout(2), pool.acquire() as connection:
            await connection.fetchval("select 1")
        return {"ok": progress.fresh}

    async def check_kafka() -> dict[str, Any]:
        async with asyncio.timeout(2):
            heads = await feed.heads()
        return {"ok": True, "records": sum(heads.values())}

    async def check_shards() -> dict[str, Any]:
        return producers.health()

    checks.update(postgres=check_postgres, kafka=check_kafka, shards=check_shards)
    return services


async def _projectors(
    settings: Settings, roles: frozenset[str], handover: Handover, stack: AsyncExitStack, checks: dict[str, Check]
) -> None:
    projectors: list[Projector] = []
    if "project" in roles:
        projectors += [ReadModels(settings, handover), CredentialCopy(settings)]
    if "feed" in roles:
        writer = await _started(stack, LogProducer(settings, handover))

        def feed_writer(partition: int) -> ShardLog:
            return ShardLog(writer, settings.topic("feed"), partition, settings.address)

        projectors.append(FeedProjector(settings, feed_writer, handover))
    for projector in projectors:
        task = asyncio.create_task(projector.run(), name=projector.name)
        task.add_done_callback(_ended)
        stack.push_async_callback(_stop_projector, projector, task)
        checks[projector.name] = _projector_check(projector)


async def _stop_projector(projector: Any, task: asyncio.Task[None]) -> None:
    await projector.stop()
    await asyncio.gather(task, return_exceptions=True)


def _ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("projector %s has ended: %s", task.get_name(), error)


def _projector_check(projector: Any) -> Check:
    async def check() -> dict[str, Any]:
        health: dict[str, Any] = projector.health()
        return {"ok": health["healthy"], **health}

    return check


def _ready_check(reader: Hub | Signals | GrpcServer | ReportedRelay) -> Check:
    async def check() -> dict[str, Any]:
        return {"ok": reader.ready}

    return check


async def _started(stack: AsyncExitStack, part: Any) -> Any:
    await part.start()
    stack.push_async_callback(part.stop)
    return part


async def _close_pool(pool: postgres.Pool) -> None:
    try:
        async with asyncio.timeout(5):
            await pool.close()
    except TimeoutError:
        pool.terminate()


@contextlib.asynccontextmanager
async def running(settings: Settings, roles: frozenset[str]) -> AsyncIterator[Any]:
    """The parts of some roles without a server, for tests; gives the ASGI application."""
    await installation.prepare(settings)
    async with AsyncExitStack() as stack:
        app, _ = await _parts(settings, roles, stack)
        yield app
