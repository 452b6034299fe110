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

    The ids that the broker gives to topics tell (KIP-516); the first start that has a topic notes its id in Postgres.
    """
    found, sql = await _topic_ids(settings), postgres.queries("ops")
    connection = await asyncpg.connect(settings.postgres, server_settings=postgres.server_settings(settings))
    try:
        async with connection.transaction():
            noted = parse_ids(await connection.fetchval(sql["noted_log"]) or "")
            if same := noted.items() <= found.items():
                await connection.execute(sql["note_log"], _text(found))
    finally:
        await connection.close()
    if not same:
        raise LogReplaced(
            f"the topics of {settings.prefix} at {settings.kafka}: expected the ids {_text(noted)}, "
            f"found {_text(found)}; "
            "they were made anew or belong to another cluster. Point KLATSCH_KAFKA at the cluster that schema "
            f"{settings.schema} was made from, or start on another KLATSCH_SCHEMA to fold this log from its beginning"
        )


def parse_ids(text: str) -> dict[str, str]:
    """The ids of topics as they stand in ``installation.log``, by topic; a topic that is newer is not among them."""
    return dict(part.split("=", 1) for part in text.split())


def _text(ids: dict[str, str]) -> str:
    return " ".join(f"{topic}={id}" for topic, id in ids.items())


async def _topic_ids(settings: Settings) -> dict[str, str]:
    client = kafka.consumer(settings)
    await kafka.start(client)
    try:
        ids = [(await incarnation(network(client), settings.topic(topic))).epoch for topic in kafka.EVENT_TOPICS]
    finally:
        await kafka.close(client)
    return dict(zip(kafka.EVENT_TOPICS, ids, strict=True))
