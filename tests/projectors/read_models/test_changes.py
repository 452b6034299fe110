"""What ``changes`` takes as an event's data: the log's text, if every reader can read it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as some

from events.core.log import LogOpened
from events.core.records import Record
from infra.base.postgres import Connection
from infra.base.settings import Settings
from projectors.read_models.changes import document


def record(raw: str) -> Record:
    """A record with this data."""
    return Record(
        topic="rooms", partition=0, offset=1, id="1", type="room.renamed", stream="r",
        time="2025-01-02T03:04:05.678Z", actor="ada", command="RenameRoom:1", app="",
        data=LogOpened(owner=""), raw=raw.encode(),
    )  # fmt: skip


@pytest.mark.parametrize("text", ["", "Grüße 👋", r"a\u0007b", r"\\u0000", r"\ud83d\udc4b", r"\\\\u0000 and \\ud800"])
def test_data_stays_as_it_stands_in_the_log(text: str) -> None:
    raw = f'{{ "name":"{text}" , "a":1}}'
    assert document(record(raw)) == raw.encode()


@pytest.mark.parametrize("text", [r"\u0000", r"a\\\u0000", r"\ud800", r"\udc00\ud83d", r"\\\ud800"])
def test_an_escape_that_nobody_can_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        document(record(f'{{"name":"","other":"{text}"}}'))


@pytest.fixture
async def connection(settings: Settings) -> AsyncIterator[Connection]:
    found = await asyncpg.connect(settings.postgres)
    yield found
    await found.close()


_PIECES = [r"\u0000", r"\ud800", r"\udc00", r"\u0041", r"\\", r"\n", "u0000", "ud800", "ü"]


@options(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.lists(some.sampled_from(_PIECES), max_size=6).map("".join))
async def test_postgres_can_read_what_is_taken_and_nothing_else(connection: Connection, text: str) -> None:
    raw = f'{{"other":"{text}"}}'
    try:
        await connection.fetchval("select ($1::text::json)->>'other'", raw)
        readable = True
    except asyncpg.DataError:
        readable = False
    try:
        taken = document(record(raw)) == raw.encode()
    except ValueError:
        taken = False
    assert taken == readable
