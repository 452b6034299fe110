"""What every role needs before it starts: the topics, the schema, and that both belong together."""

from __future__ import annotations

import asyncio

import asyncpg

from events.core.errors import KlatschError
from infra.base import kafka, postgres
from infra.base.aiokafka_private import network
from infra.base.incarnation import incarnation
from infra.base.settings import Settings


class LogReplaced(KlatschError):
    """The event topics are not those that the read models were folded from; the text says which, and what to do."""


async def prepare(settings: Settings) -> None:
    """Creates topics and schema where they are missing, and checks them. Safe to run by several at once.

    Raises TopicMismatch, TopicCreationFailed, SchemaMismatch or LogReplaced; what is there stays as it is.
    """
    await asyncio.gather(kafka.ensure_topics(settings), postgres.install(settings))
    await _same_log(settings)


async def _same_log(settings: Settings) -> None:
    """Offsets mean nothing in another log: a topic made again would be taken for the old one, and read from its middle.

    The ids that the broker gives to topics tell (KIP-516); the first start notes them in Postgres.
    """
    found = await _topic_ids(settings)
    connection = await asyncpg.connect(settings.postgres, server_settings=postgres.server_settings(settings))
    try:
        noted = await connection.fetchval(postgres.queries("ops")["note_log"], found)
    finally:
        await connection.close()
    if noted != found:
        raise LogReplaced(
            f"the topics of {settings.prefix} at {settings.kafka}: expected the ids {noted}, found {found}; "
            "they were made anew or belong to another cluster. Point KLATSCH_KAFKA at the cluster that schema "
            f"{settings.schema} was made from, or start on another KLATSCH_SCHEMA to fold this log from its beginning"
        )


async def _topic_ids(settings: Settings) -> str:
    client = kafka.consumer(settings)
    await kafka.start(client)
    try:
        ids = [(await incarnation(network(client), settings.topic(topic))).epoch for topic in kafka.EVENT_TOPICS]
    finally:
        await kafka.close(client)
    return " ".join(f"{topic}={id}" for topic, id in zip(kafka.EVENT_TOPICS, ids, strict=True))
