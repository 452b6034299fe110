"""A log that was written before there were applications folds to the rows that its own version had. Tests
``events/registry.py``, ``projectors/read_models/applying.py`` and ``infra/ops/commands/importing.py``.

``before_applications/log.jsonl`` is the export of an installation of commit de9efc8 (schema 13, three event topics).
Its people registered, befriended and blocked each other, made rooms of each kind, and spoke, edited, deleted, pinned
and left in them. ``rows.json`` is what its read models had then. Neither is ever changed.
"""

from __future__ import annotations

import io
import json
import secrets
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from events.core.positions import Shard
from infra.base import postgres, rows
from infra.base.settings import Settings
from infra.ops.commands.importing import import_
from projectors.read_models.projector import ReadModels
from projectors.rebuild.models import MODELS
from projectors.verify.run import verify
from tests.given import Given
from tests.parts import delete_topics
from tests.running import running

_FOLDER = Path(__file__).parent / "before_applications"
#: Fields that have come since, with what they are in rows of events that do not have them.
SINCE: dict[str, dict[str, Any]] = {
    "user": {"app": "default", "external": None, "account": "regular", "avatar": None, "bio": None, "custom": {},
             "deactivated": None, "team": None, "tokens_before": None, "erased": None, "erasure": {}},
    "session": {"sliding": False, "device": None},
    "visual": {"app": "default"},
    "room": {"app": "default", "slug": None, "team": None, "custom": {}},
    "member": {"custom": {}},
}  # fmt: skip
#: Kinds of which the story had none.
EMPTY = {"listening"}


async def _rows(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    """The entities of each kind, as Postgres writes their rows in JSON."""
    found = {}
    async with postgres.connected(settings) as connection:
        for kind, table in rows.TABLES.items():
            columns = ", ".join(f'"{field}"' for field in rows.table(kind).fields)
            asked = f"select to_json(t) as row from (select {columns} from {table}) t"  # noqa: S608 - of the registry
            found[kind] = [row["row"] for row in await connection.fetch(asked)]
    return found


def _sorted(listed: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True) for row in listed)


async def test_the_rows_are_those_of_the_version_that_wrote_it(settings: Settings) -> None:
    before: dict[str, Any] = json.loads((_FOLDER / "rows.json").read_bytes())
    name = f"t{secrets.token_hex(5)}"
    theirs = msgspec.structs.replace(settings, prefix=name, schema=name, partitions=before["partitions"])
    try:
        await import_(theirs, _FOLDER / "log.jsonl", console=Console(file=io.StringIO()))
        ends = {Shard(topic, partition): offset for topic, partition, offset in before["positions"]}
        async with postgres.connected(theirs) as connection:
            waiting = Given(theirs, connection)
            waiting.ends = ends
            async with running(ReadModels(theirs)):
                await waiting.level()
            await waiting.stop()
            assert await connection.fetchval("select count(*) from parked") == 0
            assert await connection.fetchval("select count(*) from changes where app <> 'default'") == 0
        now = await _rows(theirs)
        assert {kind for kind, listed in before["tables"].items() if not listed} <= EMPTY
        for kind, listed in now.items():
            expected = [SINCE.get(kind, {}) | row for row in before["tables"].get(kind, [])]
            if kind == "session":
                # It was used when it was opened.
                expected = [row | {"used": row["opened"]} for row in expected]
            assert _sorted(listed) == _sorted(expected), kind
        assert (await verify(theirs, MODELS["all"], jobs=1)).equal
    finally:
        await delete_topics(settings, name)
        await postgres.drop(theirs)
