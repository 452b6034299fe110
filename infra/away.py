"""What the clients of Kafka and Postgres raise when a part is away: stopped, killed, unreachable, or not ready yet.

Whoever catches it tries again, or says "unavailable" with a time to wait. Part of a class's family is asked for, not
each of its members: a library adds some with each release.
"""

from __future__ import annotations

import asyncpg
from aiokafka.errors import ConsumerStoppedError, KafkaError
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
