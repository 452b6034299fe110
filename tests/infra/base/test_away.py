"""Whatever the clients of Kafka and Postgres raise of a part that is away is answered as such, by both transports, and
a shard opens again after it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import confluent_kafka
import pytest
from aiokafka import errors as aiokafka_errors
from asyncpg import exceptions as asyncpg_errors
from confluent_kafka import error as confluent_errors

from api.core import rpc
from api.support import health, problems
from infra.base import away
from infra.base.disk import RETRY_SECONDS
from producers.engine import shard
from push.delivery.bounds import FeedUnavailable

#: Ours to prevent: misuse of a client, whatever its part does.
MISUSE = {
    aiokafka_errors.IllegalOperation,
    confluent_kafka.ConcurrentModificationException,
    confluent_kafka.IllegalStateException,
}


ROOT = Path(__file__).resolve().parents[3]
#: Each is a part of what says that Kafka or Postgres is away.
FAMILIES = {
    "ConsumerStoppedError", "InterfaceError", "InternalClientError", "KafkaError", "KafkaException", "PostgresError",
}  # fmt: skip
#: What catches one of them for another reason.
NOT_AWAY = {
    ("infra/base/kafka_access.py", "KafkaException"): "a probe: the only client there is librdkafka's",
    ("projectors/rebuild/reading.py", "KafkaException"): "librdkafka's errors become those that others catch",
}


def raised_by(module: ModuleType) -> set[type[Exception]]:
    found = (one for _, one in inspect.getmembers(module, inspect.isclass))
    return {one for one in found if issubclass(one, Exception) and not issubclass(one, Warning)} - MISUSE


POSTGRES = raised_by(asyncpg_errors) | {OSError, TimeoutError, ConnectionResetError, ConnectionRefusedError}
KAFKA = raised_by(aiokafka_errors) | raised_by(confluent_kafka) | raised_by(confluent_errors)
EITHER: list[type[Exception]] = sorted([*POSTGRES, *KAFKA], key=lambda one: f"{one.__module__}.{one.__name__}")


def test_all_of_them_are_looked_at() -> None:
    assert len(POSTGRES) > 200 and len(KAFKA) > 100
    assert asyncpg_errors.InternalClientError in POSTGRES


def caught(tree: ast.AST) -> Iterator[str]:
    """Families that are named where errors are caught, or in a tuple of classes to be caught."""
    for node in ast.walk(tree):
        match node:
            case ast.ExceptHandler(type=ast.expr() as classes) | (ast.Tuple() as classes):
                pass
            case ast.Call(func=ast.Name(id="suppress"), args=found):
                classes = ast.Tuple(found)
            case _:
                continue
        for one in ast.walk(classes):
            name = one.attr if isinstance(one, ast.Attribute) else one.id if isinstance(one, ast.Name) else ""
            if name in FAMILIES:
                yield name


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("try: f()\nexcept KafkaError: g()", {"KafkaError"}),
        ("try: f()\nexcept (OSError, asyncpg.PostgresError): g()", {"PostgresError"}),
        ("AWAY = (OSError, KafkaException)", {"KafkaException"}),
        ("with suppress(KafkaError): f()", {"KafkaError"}),
        ("try: f()\nexcept away.KAFKA as error: raise KafkaError() from error", set()),
    ],
)
def test_what_counts_as_caught(code: str, found: set[str]) -> None:
    assert set(caught(ast.parse(code))) == found


@pytest.mark.long
def test_nobody_else_lists_them() -> None:
    folders = ("events", "producers", "projectors", "push", "api", "infra")
    found = {
        (name, family)
        for folder in folders
        for file in (ROOT / folder).rglob("*.py")
        if (name := file.relative_to(ROOT).as_posix()) != "infra/base/away.py"
        for family in caught(ast.parse(file.read_text("utf-8")))
    }
    assert found == set(NOT_AWAY)


@pytest.mark.parametrize("kind", EITHER)
async def test_it_is_told_with_a_time_to_wait(kind: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    # Some want arguments that only their client has.
    error = kind.__new__(kind)
    problem = problems.of(error)
    told = ("insufficient_storage", RETRY_SECONDS) if issubclass(kind, away.FULL) else ("unavailable", 1)
    assert (problem.code, problem.retry_after) == told
    assert isinstance(error, away.POSTGRES if kind in POSTGRES else away.KAFKA) and isinstance(error, shard._AWAY)

    async def lost(*_: Any) -> None:
        raise error

    monkeypatch.setattr(rpc, "authenticate", lost)
    backend = cast(Any, SimpleNamespace(_services=None))
    with pytest.raises(FeedUnavailable):
        await rpc.RpcBackend.authenticate(backend, "token", {"client": ("127.0.0.1", 1), "headers": []})


@pytest.mark.parametrize(
    ("error", "part", "said"),
    [
        (TimeoutError(), "kafka", "Kafka does not answer"),
        (ConnectionRefusedError(111, "refused"), "postgres", "Postgres does not answer"),
        (aiokafka_errors.KafkaConnectionError("Unable to bootstrap\nfrom x"), "", "Kafka does not answer"),
        (asyncpg_errors.CannotConnectNowError("the database system is starting up"), "", "Postgres is still starting"),
        (asyncpg_errors.CannotConnectNowError("the database system is shutting down"), "", "Postgres is stopping"),
        (
            asyncpg_errors.CannotConnectNowError("the database system is not yet accepting connections\nDETAIL:  No."),
            "feed",
            "Postgres is still starting",
        ),
        (asyncpg_errors.ConnectionDoesNotExistError("closed in the middle"), "feed", "Postgres does not answer"),
        (TimeoutError(), "feed", "no answer in time"),
        (ValueError("odd\nDETAIL:  of it"), "feed", "ValueError: odd DETAIL: of it"),
        (ValueError(), "feed", "ValueError"),
    ],
)
async def test_it_is_said_in_plain_words_on_one_line(error: Exception, part: str, said: str) -> None:
    async def check() -> dict[str, Any]:
        raise error

    assert away.words(error, part) == said
    assert await health.ask({part or "hub": check}) == {part or "hub": {"ok": False, "error": said}}
