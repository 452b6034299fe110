"""What the clients of Kafka and Postgres raise when a part is away: stopped, killed, unreachable, or not ready yet.

Whoever catches it tries again, or says "unavailable" with a time to wait; nobody else lists such errors. Part of a
class's family is asked for, not each of its members: a library adds some with each release.
"""

from __future__ import annotations

import asyncpg
from aiokafka.errors import (
    ConsumerStoppedError,
    KafkaConnectionError,
    KafkaError,
    KafkaStorageError,
    NodeNotReadyError,
    RequestTimedOutError,
)
from confluent_kafka import KafkaException

#: Of asyncpg, a connection that ends under a query is an InternalClientError, and one that has ended an InterfaceError;
#: TimeoutError is an OSError.
POSTGRES: tuple[type[Exception], ...] = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
#: aiokafka's, and librdkafka's.
KAFKA: tuple[type[Exception], ...] = (OSError, KafkaError, ConsumerStoppedError, KafkaException)
#: Either.
PARTS: tuple[type[Exception], ...] = (*POSTGRES, *KAFKA[1:])
#: Of those: what says that its disk is full, or broken (Postgres: 53100; Kafka: 56).
FULL: tuple[type[Exception], ...] = (asyncpg.DiskFullError, KafkaStorageError)

_TITLES = {"kafka": "Kafka", "postgres": "Postgres"}
#: What Postgres says of itself while it lets nobody in (SQLSTATE 57P03), and as people would say it.
_NOT_YET = {
    "starting up": "still starting",
    "not yet accepting": "still starting",
    "shutting down": "stopping",
    "recovery mode": "recovering from a crash",
}


def words(error: Exception, part: str = "") -> str:
    """What is wrong, on one line of at most 200 characters: ``Kafka does not answer``, ``Postgres is still starting``.

    ``part``: what was asked (``kafka``, ``postgres``), where that is known; a socket's error does not tell.
    """
    said = " ".join(str(error).split())
    match error:
        case asyncpg.CannotConnectNowError():
            state = next((state for sign, state in _NOT_YET.items() if sign in said), "not open to clients")
            return f"Postgres is {state}"
        case asyncpg.PostgresConnectionError() | asyncpg.AdminShutdownError() | asyncpg.CrashShutdownError():
            return "Postgres does not answer"
        case KafkaConnectionError() | NodeNotReadyError() | RequestTimedOutError():
            return "Kafka does not answer"
        case OSError() if part in _TITLES:
            return f"{_TITLES[part]} does not answer"
        case TimeoutError() if not said:
            return "no answer in time"
    return f"{type(error).__name__}: {said}".removesuffix(": ")[:200]
