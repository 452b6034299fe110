"""Which applications' events a fold from the log's beginning passes over: read from the log first."""

from __future__ import annotations

from infra.base.postgres import Connection, queries
from infra.base.settings import Settings
from projectors.core.source import ResumeAt
from projectors.read_models.projector import event_shards
from projectors.rebuild.reading import ShardReader


async def swept(connection: Connection, schema: str) -> list[str]:
    """The applications whose rows were removed from a schema."""
    query = queries("app_erasure")["done"].replace("{live}", f'"{schema}".')
    return [row["app"] for row in await connection.fetch(query)]


async def cleared(settings: Settings) -> list[str]:
    """The applications whose rows are gone, as the log says it. Raises LogMismatch, KafkaError.

    Not those that are erased and have rows yet: these are folded with them, so that what is removed is known.
    """
    found = set[str]()
    reader = ShardReader(settings)
    await reader.start()
    try:
        for shard, end in (await reader.ends(event_shards(settings, ("apps",)))).items():
            async for batch in reader.read(shard, ResumeAt(), end):
                found.update(
                    entry.stream for entry in batch.entries
                    if entry.record is not None and entry.record.type == "app.erasure_completed"
                )  # fmt: skip
    finally:
        await reader.stop()
    return sorted(found)
