"""Monthly partitions: which month an id is of, making them in time, putting them aside and taking them back."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from uuid import UUID

import pytest
from click import unstyle as unstyled
from hypothesis import given as drawn
from hypothesis import strategies as st
from typer.testing import CliRunner

from events.core.clock import uuid7
from events.messages import Message, MessageEdited, MessagePosted, message_key
from infra.base import months, postgres, rows
from infra.base.months import EARLY, LATE, MonthError, bounds, month_of
from infra.base.settings import Settings
from infra.ops.cli import app
from projectors.read_models.projector import ReadModels
from projectors.read_models.redrive import redrive
from tests.given import Fact, Given, given
from tests.infra.ops.operating import history, klatsch
from tests.projectors.scenes import created, joined, posted, registered
from tests.running import running


def id_of(year: int, month: int, day: int = 15) -> str:
    return uuid7(int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1000))


def said(seq: int, id: str, room: str = "r", text: str = "hello") -> Fact:
    content = {"text": text}
    event = MessagePosted(message=id, seq=seq, token=f"t{seq}", type="text", content=content, data={})
    return Fact(room, event, "ada")


async def counts(writer: Given) -> dict[str, int]:
    return {month.name: month.rows for month in await months.listing(writer.connection) if month.rows}


@drawn(st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31, 23, 59, 59)))
def test_an_id_is_of_the_month_of_its_time(moment: datetime) -> None:
    id = uuid7(int(moment.replace(tzinfo=UTC).timestamp() * 1000))
    assert month_of(id) == f"{moment.year}-{moment.month:02}"


@drawn(st.one_of(st.text(max_size=40), st.uuids(version=4).map(str), st.text("0123456789abcdefABCDEF-", max_size=36)))
def test_every_id_has_one_month_whose_bounds_it_keeps(id: str) -> None:
    low, high = bounds(month_of(id))
    assert low <= id < high or id.startswith(high)


@pytest.mark.parametrize(
    ("id", "month"),
    [("", EARLY), ("-", EARLY), ("r-m1", LATE), (str(UUID(int=2**128 - 1)), LATE), ("0699e991-a800", LATE),
     ("0699e991-a7ff-7fff", "2199-12"), ("00000000-0000-7000", "1970-01"), ("6f2c1d5e-9f7a", LATE)],
)  # fmt: skip
def test_ends(id: str, month: str) -> None:
    assert month_of(id) == month


async def test_months_are_made_ahead_and_when_an_old_one_is_needed(settings: Settings) -> None:
    async with given(settings, created("r", "ada"), joined("r", "ada")) as writer:
        await writer.then({})
        assert await months.existing(writer.connection) == {EARLY, LATE, *months.ahead()} and len(months.ahead()) == 3
        ids = [id_of(2004, 10), id_of(1970, 1), "not-a-uuid", "~" * 50, uuid7(), "-", id_of(2190, 6)]
        await writer.events(*(said(n, id) for n, id in enumerate(ids, 1)))
        await writer.then({})
        assert await counts(writer) == {
            "2004-10": 1, "1970-01": 1, "2190-06": 1, LATE: 2, EARLY: 1, months.present(): 1,
        }  # fmt: skip
        assert {row["id"] for row in await writer.connection.fetch("select id from messages")} == set(ids)
        spans = await writer.connection.fetch("select month, first, last from spans where room = 'r' order by first")
        assert [tuple(row) for row in spans][:3] == [("2004-10", 1, 1), ("1970-01", 2, 2), (LATE, 3, 4)]


async def test_making_a_month_does_not_wait_for_readers_nor_they_for_it(settings: Settings) -> None:
    reader, writer, maker = [await postgres.connect(settings) for _ in range(3)]
    try:
        async with asyncio.timeout(20), reader.transaction():
            await reader.fetch("select * from messages")
            async with writer.transaction():
                message = Message(
                    id="x", room="r", seq=1, author="ada", token="t", type="text", content={}, data={}, edited=None,
                    created="2004-10-01T00:00:00.000Z", updated="2004-10-01T00:00:00.000Z", deleted=None, revision=0,
                    rank=None, version=1,
                )  # fmt: skip
                await rows.store(writer, {message.key: message})
                await months.ensure(maker, settings.schema, {"2004-10", "2004-11"})
            async with maker.transaction():
                await months.ensure(maker, settings.schema, {"2001-01"})
                # While it is being attached others read, and look for messages by their ids.
                assert await reader.fetchval("select count(*) from messages") == 1
                assert (await rows.load(reader, [message_key("x")]))[message_key("x")] == message
    finally:
        for connection in (reader, writer, maker):
            await connection.close()


async def test_a_month_is_put_aside_kept_up_to_date_and_taken_back(settings: Settings) -> None:
    old, older, new = id_of(2004, 10), id_of(2004, 9), uuid7()
    scene = [created("r", "ada"), joined("r", "ada"), said(1, older), said(2, old), said(3, new)]
    async with given(settings, *scene) as writer, running(ReadModels(settings)):
        await writer.level()
        await months.detach(writer.connection, settings, "2004-10")
        listed = {month.name: month.state for month in await months.listing(writer.connection)}
        assert (listed["2004-10"], listed["2004-09"]) == ("archived", "attached")
        found = await writer.connection.fetch("select id from messages order by seq")
        assert [row["id"] for row in found] == [older, new]
        # The log goes on about it: somebody knew it still, and somebody imports more.
        late = id_of(2004, 10, 20)
        edit = Fact("r", MessageEdited(message=old, content={"text": "edited"}, data={}), "ada")
        await writer.events(edit, said(4, late), said(5, uuid7()))
        await writer.level()
        assert await writer.connection.fetchval("select seq from rooms") == 5
        assert await writer.connection.fetchval("select count(*) from parked") == 0
        assert await rows.load(writer.connection, [message_key(old)]) == {message_key(old): None}
        await months.attach(writer.connection, settings, "2004-10")
        loaded = await rows.load(writer.connection, [message_key(old), message_key(late)])
        contents = [message.content for message in loaded.values() if isinstance(message, Message)]
        assert contents == [{"text": "edited"}, {"text": "hello"}]
        assert {month.state for month in await months.listing(writer.connection)} == {"attached"}


async def test_an_archived_month_whose_table_was_taken_away(settings: Settings) -> None:
    scene = [created("r", "ada"), joined("r", "ada"), said(1, id_of(2004, 10)), said(2, uuid7())]
    async with given(settings, *scene) as writer, running(ReadModels(settings)):
        await writer.level()
        await months.detach(writer.connection, settings, "2004-10")
        await writer.connection.execute("drop table messages_2004_10")
        with pytest.raises(MonthError, match=r"2004-10: expected the table .*messages_2004_10, found none; bring it"):
            await months.attach(writer.connection, settings, "2004-10")
        # What comes for it makes it again, outside.
        await writer.events(said(3, id_of(2004, 10)))
        await writer.level()
        (month,) = [one for one in await months.listing(writer.connection) if one.name == "2004-10"]
        assert (month.state, month.rows) == ("archived", 1)


@pytest.mark.parametrize(
    ("month", "words"),
    [("2004-13", "expected a month such as"), ("x", "expected a month such as"), (EARLY, "expected a month such as"),
     ("2004-10", "found no table"), (months.present(), "expected a month before"),
     (months.present(-1), "expected a month before")],
)  # fmt: skip
async def test_what_is_not_put_aside(settings: Settings, month: str, words: str) -> None:
    connection = await postgres.connect(settings)
    try:
        await months.ensure(connection, settings.schema, months.ahead())
        with pytest.raises(MonthError, match=words):
            await months.detach(connection, settings, month)
    finally:
        await connection.close()


async def test_neither_twice_nor_while_somebody_reads(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(months, "_LOCK_SECONDS", 1)
    monkeypatch.setattr(months, "_ATTEMPTS", 1)
    connection, reader = await postgres.connect(settings), await postgres.connect(settings)
    try:
        await months.ensure(connection, settings.schema, {"2004-10"})
        async with reader.transaction():
            await reader.fetch("select * from messages")
            with pytest.raises(MonthError, match="2004-10: messages are being read all the time"):
                await months.detach(connection, settings, "2004-10")
        await months.detach(connection, settings, "2004-10")
        with pytest.raises(MonthError, match="found it archived already"):
            await months.detach(connection, settings, "2004-10")
        await months.attach(connection, settings, "2004-10")
        with pytest.raises(MonthError, match="found it attached already"):
            await months.attach(connection, settings, "2004-10")
        with pytest.raises(MonthError, match="found none; see 'months'"):
            await months.attach(connection, settings, "2003-10")
    finally:
        await connection.close()
        await reader.close()


async def test_a_redrive_makes_the_months_that_it_needs(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    old = id_of(2003, 2)
    async with given(settings, created("r", "ada"), joined("r", "ada")) as writer:
        with monkeypatch.context() as broken:
            broken.setattr("projectors.read_models.messages.needed", lambda records: set())
            await writer.events(said(1, old))
            await writer.then({})
            assert await writer.connection.fetchval("select count(*) from parked") == 1
        assert await redrive(writer.connection, settings, "r") == (1, 0)
        assert await counts(writer) == {"2003-02": 1}


@pytest.mark.parametrize(
    "month", [EARLY, LATE, "2025-13", "2025-00", "2025-1", "2025-01\n", "２０２５-01", "2200-01", "x", ""]
)
@pytest.mark.parametrize("command", ["detach", "attach"])
def test_what_is_no_month_is_an_error_of_the_argument(command: str, month: str) -> None:
    """Said before an installation is asked."""
    found = CliRunner().invoke(app, ["months", command, month])
    words = " ".join(re.sub(r"[^\x20-\x7e]+", " ", unstyled(found.output)).split())
    assert found.exit_code == 2 and "expected a month of 1970 to 2199 such as 2025-01" in words, found.output


async def test_the_list_of_months_has_months(settings: Settings) -> None:
    scene = (registered("ada"), created("r-1", "ada"), joined("r-1", "ada"), posted("r-1", "ada", 1, "x"))
    async with history(settings, *scene) as writer, running(ReadModels(settings)):
        await writer.level()
        names = [line.split()[0] for line in (await klatsch(settings, "months")).splitlines()]
    assert names == [*sorted(months.ahead()), "undated"], "the message of the scene has no id with a time"
