"""Lists that one person owns: Postgres reads what is theirs and still there, by an index, however much others have.
Tests ``schemas/sql/``."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from api.support.pages import LAST_OFFSET
from infra.base import postgres
from infra.base.postgres import Connection, queries
from tests.infra.test_plans import Plans
from tests.parts import Parts
from tests.servers import installation

#: Sessions that are open, and that have ended; as many people as one may hold for friends or block by default;
#: other people.
OPEN, ENDED, RELATED, OTHERS = 100, 5_000, 5_000, 2_000

#: Openings in the log whose times run backwards; every second one that has ended was closed.
SESSIONS = """
insert into sessions ("user", id, opened, expires, closed, sliding, since, version)
select $1, n::text, now() - n * interval '1 second', now() + case when n > $2 then -1 else 1 end * interval '1 day',
       case when n > $2 and n % 2 = 0 then now() end, false, n, n
from generate_series(1, $2::int + $3::int) n
"""
RELATIONSHIPS = """
insert into relationships ("user", other, type, created, updated, version)
select $1, 'other-' || n, 'friend', now(), now() - n * interval '1 second', n from generate_series(1, $2) n
"""


@pytest.fixture(scope="module")
async def connection(parts: Parts) -> AsyncIterator[Connection]:
    async with installation(parts) as settings:
        connection = await postgres.connect(settings, jit="off")
        await connection.execute(SESSIONS, "ada", OPEN, ENDED)
        await connection.execute(RELATIONSHIPS, "ada", RELATED)
        for n in range(OTHERS):
            await connection.execute(SESSIONS, f"user-{n}", 3, 7)
            await connection.execute(RELATIONSHIPS, f"user-{n}", 20)
        await connection.execute("vacuum analyze sessions, relationships")
        yield connection
        await connection.close()


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize(
    ("file", "name", "key", "count", "index"),
    [("sessions", "open", "since", OPEN, "sessions_open"),
     ("relationships", "outgoing", "version", RELATED, "relationships_pkey")],
)  # fmt: skip
async def test_pages_read_what_is_ones_own(
    connection: Connection, file: str, name: str, key: str, count: int, index: str, mode: str
) -> None:
    await connection.execute(f"set plan_cache_mode = {mode}")
    below, seen = LAST_OFFSET, list[int]()
    while len(seen) < count:
        plans = Plans(connection)
        rows = await plans.fetch(queries(file)[name], "ada", below, 50)
        nodes = list(plans.nodes())
        assert {node["Index Name"] for node in nodes if "Index Name" in node} == {index}, nodes
        assert not any(node["Node Type"] == "Seq Scan" for node in nodes), nodes
        assert plans.buffers <= 20 + count / 10
        seen += [row[key] for row in rows]
        below = seen[-1]
    assert seen == list(range(count, 0, -1))
