"""Of which application a reader is. Tests ``infra/ops/commands/readers.py``; what readers see: ``tests/api``."""

from __future__ import annotations

import pytest

from events.apps import AppCreated
from infra.base.postgres import connected
from infra.base.readers import ReaderError
from infra.base.settings import Settings
from infra.ops.commands import people, readers
from projectors.read_models.projector import ReadModels
from tests.given import Fact
from tests.infra.ops.operating import Heard, history
from tests.running import running


def app(id: str, name: str) -> Fact:
    return Fact(id, AppCreated(name=name, key=f"kk_{id}", secret=f"secret-{id}"))


async def of(settings: Settings, text: str) -> str:
    """The last statement that would make a reader of the application."""
    heard = Heard()
    await readers.create(settings, "reports", text, json=False, sql=True, say=heard.append, warn=heard.append)
    return heard[-3]


async def test_an_application_is_named_by_id_or_by_name(settings: Settings) -> None:
    scene = (app("a-1", "Harbour"), app("a-2", "Twin"), app("a-3", "Twin"), app("a-4", "a-1"), app("a-5", "default"))
    async with history(settings, *scene) as writer, running(ReadModels(settings)):
        await writer.level()
        for text, id in (("Harbour", "a-1"), ("a-1", "a-1"), ("a-3", "a-3")):
            assert (await of(settings, text)).endswith(f"values ('reports', '{id}');")
        with pytest.raises(ReaderError, match="expected one application, 'Twin' may be a-2, a-3; use an id"):
            await of(settings, "Twin")
        for nothing in ("Nothing", "a\x00b"):
            with pytest.raises(ReaderError, match="expected the id or name of an application, found none called"):
                await of(settings, nothing)
        # It has no row before it has an event, and another may be called by its id.
        assert (await of(settings, "default")).endswith("values ('reports', 'default');")
        async with connected(settings) as connection:
            assert await connection.fetchval("select count(*) from apps where id = 'default'") == 0
            assert await people.stream_id(connection, "default", "--stream") == "default"
