"""Whatever the clients of Kafka and Postgres raise of a part that is away is answered as such, by both transports, and
a shard opens again after it. Tests ``infra/away.py``."""

from __future__ import annotations

import inspect
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import confluent_kafka
import pytest
from aiokafka import errors as aiokafka_errors
from asyncpg import exceptions as asyncpg_errors
from confluent_kafka import error as confluent_errors

from api import rpc
from api.http import translate
from infra import away
from producers import shard
from push.bounds import Unavailable

#: Ours to prevent: misuse of a client, whatever its part does.
MISUSE = {
    aiokafka_errors.IllegalOperation,
    confluent_kafka.ConcurrentModificationException,
    confluent_kafka.IllegalStateException,
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


@pytest.mark.parametrize("kind", EITHER)
async def test_it_is_told_with_a_time_to_wait(kind: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    # Some want arguments that only their client has.
    error = kind.__new__(kind)
    problem = translate(error)
    assert (problem.code, problem.retry_after) == ("unavailable", 1)
    assert isinstance(error, away.POSTGRES if kind in POSTGRES else away.KAFKA) and isinstance(error, shard._AWAY)

    async def lost(*_: Any) -> None:
        raise error

    monkeypatch.setattr(rpc, "authenticate", lost)
    backend = cast(Any, SimpleNamespace(_services=None))
    with pytest.raises(Unavailable):
        await rpc.Rpc.authenticate(backend, "token", {"client": ("127.0.0.1", 1), "headers": []})
