"""Private members of libraries: all are listed with a reason, were read in the versions at hand, and are still there.
Tests ``infra/base/aiokafka_private.py``."""

from __future__ import annotations

import ast
import gc
import warnings
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from aiokafka.client import AIOKafkaClient
from packaging.specifiers import SpecifierSet

from infra.base import aiokafka_private, kafka
from infra.base.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
#: Each function there says why.
PRIVATE = "infra/base/aiokafka_private.py"
#: File and member; why it is touched. Before a version is added below, these are read again in that library.
TOUCHED = {
    ("infra/ops/generate/reference/system.py", "_labelnames"): "prometheus_client tells a metric's labels nowhere else",
    ("projectors/rebuild/reading.py", "_AUTO_OFFSET_RESET"): "a public error of librdkafka: its own begin so",
    ("projectors/workers/faust_batches.py", "_add_gap"): "no setting for batches, see _batching",
    ("projectors/workers/faust_batches.py", "_create_worker_consumer"): "no setting for batches, see _batching",
    ("projectors/workers/faust_batches.py", "_fetch_records"): "no setting for batches, see _batching",
    ("projectors/workers/health.py", "_committed_offset"): "the one sign of Faust's that an agent gets on",
    ("push/transports/http.py", "_unset_keepalive_if_required"): "a refusal ends the wait for a request, as one does",
    ("push/transports/transport.py", "uvicorn._types"): "what uvicorn passes to send, only as an annotation",
    # Two classes of one file, of ours.
    ("clients/python/klatsch_client/client.py", "_disconnected"): "ours",
    ("clients/python/klatsch_client/client.py", "_publication"): "ours",
    ("clients/python/klatsch_client/client.py", "_say"): "ours",
    ("clients/python/klatsch_client/client.py", "_subscribed"): "ours",
    ("push/transports/door.py", "_count"): "ours",
    ("push/transports/door.py", "_forget"): "ours",
    ("push/transports/door.py", "_inside"): "ours",
}
#: Versions in which the private members were read.
READ_IN = {
    "aiokafka": SpecifierSet(">=0.14,<0.15"),
    "faust-streaming": SpecifierSet(">=0.15.3,<0.16"),
    "prometheus-client": SpecifierSet(">=0.23,<1"),
    "uvicorn": SpecifierSet(">=0.54,<0.55"),
}
#: Names with an underscore that their libraries document.
PUBLIC = {"_asdict", "_exit", "_fields", "_make", "_replace"}
#: Local variables of others are private too.
FRAMES = {"f_locals"}
REFLECTION = {"delattr", "getattr", "hasattr", "setattr"}


def is_private(name: str) -> bool:
    return (name.startswith("_") and not name.startswith("__") and name not in PUBLIC) or name in FRAMES


def own(tree: ast.AST) -> set[str]:
    """Classes, functions and attributes that a file defines."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name, ctx=ast.Store()):
                found.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                found.add(name)
    return found


def touched(tree: ast.AST) -> Iterator[str]:
    """Private names of others: any but a file's own on ``self``, ``cls``, or a class of the file."""
    ours = own(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=of), attr=name) if name in ours and (
                of in ("self", "cls") or of in ours
            ):
                continue
            case ast.Attribute(attr=name) if is_private(name):
                yield name
            case ast.Call(func=ast.Name(id=by), args=[_, ast.Constant(value=str(name)), *_]) if by in REFLECTION:
                if is_private(name):
                    yield name
            case ast.ImportFrom(module=str(module), names=names):
                if any(map(is_private, module.split("."))):
                    yield module
                yield from (f"{module}.{one.name}" for one in names if is_private(one.name))
            case ast.Import(names=names):
                yield from (one.name for one in names if any(map(is_private, one.name.split("."))))


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("consumer._client", ["_client"]),
        (
            "class A:\n def __init__(self): self._client = 1\n def f(self, a): return self._client, a._client",
            ["_client"],
        ),
        ("class A(B):\n def f(self): return self._theirs", ["_theirs"]),
        ("class A(B):\n def _f(self): return super()._f()", ["_f"]),
        ("getattr(consumer, '_client')", ["_client"]),
        ("from uvicorn._types import ASGISendEvent", ["uvicorn._types"]),
        ("from aiokafka.util import _x", ["aiokafka.util._x"]),
        ("import asyncpg._version", ["asyncpg._version"]),
        ("frame.f_locals", ["f_locals"]),
        ("row._replace(a=1), A.__name__", []),
        ("class A:\n def _f(self): pass\nA._f", []),
    ],
)
def test_what_counts_as_touched(code: str, found: list[str]) -> None:
    assert list(touched(ast.parse(code))) == found


@pytest.mark.long
def test_private_members_of_others_are_touched_in_the_listed_places_only() -> None:
    folders = ("events", "producers", "projectors", "push", "api", "infra", "clients/python")
    # What the compiler of gRPC's contract writes is not ours.
    files = [one for folder in folders for one in (ROOT / folder).rglob("*.py") if not one.name.endswith("_pb2.py")]
    assert ROOT / PRIVATE in files
    found = {
        (name, member)
        for file in files
        if (name := file.relative_to(ROOT).as_posix()) != PRIVATE
        for member in touched(ast.parse(file.read_text("utf-8")))
    }
    assert found == set(TOUCHED)


@pytest.mark.parametrize("library", READ_IN)
def test_private_members_were_read_in_the_version_at_hand(library: str) -> None:
    try:
        found = version(library)
    except PackageNotFoundError:
        assert library == "faust-streaming", f"expected {library}, which is a dependency on every platform"
        pytest.skip("Faust has no build for this platform")
    assert found in READ_IN[library], (
        f"read the private members of {library} again (see {PRIVATE} and TOUCHED here), then raise READ_IN"
    )


async def test_a_consumer_that_was_not_started_has_a_network_and_no_tasks(settings: Settings) -> None:
    consumer = kafka.consumer(settings)
    assert isinstance(aiokafka_private.network(consumer), AIOKafkaClient)
    assert aiokafka_private.tasks(consumer) == []
    aiokafka_private.cancel_fetch(consumer)
    await consumer.stop()


async def test_a_consumer_lets_records_gather(settings: Settings) -> None:
    consumer = kafka.consumer(settings)
    aiokafka_private.let_gather(consumer, 10_000_000, 700)
    await kafka.start(consumer)
    try:
        fetcher = consumer._fetcher
        assert (fetcher._fetch_min_bytes, fetcher._fetch_max_wait_ms) == (10_000_000, 700)
    finally:
        await kafka.close(consumer)


async def test_a_member_that_is_running_has_tasks_until_it_stops(settings: Settings) -> None:
    consumer = kafka.consumer(settings, group_id="members", session_timeout_ms=6_000, request_timeout_ms=10_000)
    consumer.subscribe([settings.topic("rooms")])
    await kafka.start(consumer)
    running = aiokafka_private.tasks(consumer)
    assert len(running) == 3 and aiokafka_private.is_member(consumer)
    assert not aiokafka_private.membership_ended(consumer)
    await kafka.close(consumer)
    assert aiokafka_private.tasks(consumer) == [] and all(task.done() for task in running)
    assert aiokafka_private.membership_ended(consumer) and not aiokafka_private.is_member(consumer)


async def test_a_producer_tells_its_sender_and_its_sockets(settings: Settings) -> None:
    producer = kafka.producer(settings)
    assert aiokafka_private.sender(producer) is None and aiokafka_private.sockets(producer) == []
    await kafka.start(producer)
    sender = aiokafka_private.sender(producer)
    assert sender is not None and not sender.done()
    assert aiokafka_private.sockets(producer)
    await producer.stop()
    assert sender.done() and aiokafka_private.sockets(producer) == []


async def test_a_producer_that_is_marked_closed_warns_of_nothing(settings: Settings) -> None:
    producer = kafka.producer(settings)
    aiokafka_private.mark_closed(producer)
    with warnings.catch_warnings(record=True, action="always") as said:
        del producer
        gc.collect()
    assert said == []
