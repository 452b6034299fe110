"""Reads of the past of a long room: by the small indexes, which need not know the types of events that they hold. Tests
``schemas/sql/past.sql``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from infra.base import postgres
from infra.base.postgres import queries
from tests.infra.test_plans import Plans
from tests.parts import Parts
from tests.servers import installation

#: Events of a room: most of them are messages, all of one day.
EVENTS = """
insert into changes (topic, partition, "offset", id, type, stream, actor, command, app, time, data)
select 'rooms', 0, n, n::text, case when n % 1000 = 0 then $1 else 'message.posted' end, 'r', 'ada', n::text, 'default',
       '2026-11-21T08:00:00Z', json_build_object('message', 'm' || n % 500)
from generate_series(1, 50000) n
"""
PLACE = (["r"], [50_001])


@pytest.fixture(scope="module")
async def connection(parts: Parts) -> AsyncIterator[Any]:
    async with installation(parts) as settings:
        connection = await postgres.connect(settings, jit="off")
        # Of a type that came after the index was made.
        await connection.execute(EVENTS, "room.painted")
        await connection.execute("analyze changes")
        yield connection
        await connection.close()


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize(
    ("name", "arguments", "index"),
    [
        ("structure", (*PLACE, None), "changes_structure"),
        ("structure_sizes", (*PLACE, 1000), "changes_structure"),
        ("became", (*PLACE, ["m0"]), "changes_message"),
    ],
)
async def test_few_events_are_found_among_many_by_an_index(
    connection: Any, name: str, arguments: tuple[Any, ...], index: str, mode: str
) -> None:
    """Also those of a type that came after the index was made."""
    async with connection.transaction():
        await connection.execute(f"set local plan_cache_mode = {mode}")
        plans = Plans(connection)
        rows = await plans.fetch(queries("past")[name], *arguments)
    found = rows[0]["size"] if name == "structure_sizes" else len(rows)
    assert found == 50
    nodes = list(plans.nodes())
    assert {node["Index Name"] for node in nodes if "Index Name" in node} == {index}, nodes
    assert plans.buffers < 200
