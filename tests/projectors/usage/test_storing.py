"""Usage in a real Postgres, from a real log. Tests ``projectors/usage/storing.py``, ``projectors/usage/recount.py``."""

from __future__ import annotations

import asyncio
from random import Random

import msgspec
import pytest

from events.core.log import term_headers
from events.core.positions import Shard
from events.messages import MessagePosted
from infra.base import kafka, postgres
from infra.base.postgres import Connection
from infra.base.settings import Settings
from projectors.rebuild.models import MODELS
from projectors.rebuild.run import rebuild as rebuild_models
from projectors.usage import recount, storing
from projectors.usage.counting import PEAK
from projectors.usage.storing import LogGap, UsageRecord
from projectors.verify.run import verify
from tests.given import Given, given
from tests.projectors.usage.stories import APPS, Told, expected, logged, stored, story, tell, value

TIME = "2026-11-28T09:30:00.000Z"


def message(text: str = "hello") -> MessagePosted:
    return MessagePosted(message="m", seq=1, token="t", type="text", content={"text": text}, data={})


async def _counted_in_pieces(settings: Settings, random: Random, connection: Connection) -> None:
    """Counts the log as workers that are killed do: in pieces that come again, two at once, in any order of shards."""
    records = await logged(settings)
    places = dict.fromkeys(records, 0)
    await storing.init(connection, records)
    async with postgres.connected(settings) as other:
        while any(places[shard] < len(records[shard]) for shard in records):
            pieces: dict[Shard, list[UsageRecord]] = {}
            for shard in random.sample(sorted(records), k=random.randrange(1, len(records) + 1)):
                # Up to ten of them were counted before.
                begin, end = max(0, places[shard] - random.randrange(10)), places[shard] + random.randrange(40)
                pieces[shard] = records[shard][begin:end]
                places[shard] = min(end, len(records[shard]))
            # One worker has lost a shard to another, and does not know it yet: both count the same records.
            both = [one for piece in pieces.values() for one in piece]
            random.shuffle(both)
            await asyncio.gather(storing.count(connection, both), storing.count(other, both[::-1]))


@pytest.mark.parametrize("seed", range(3))
async def test_a_random_story_counts_once_however_often_it_is_read(settings: Settings, seed: int) -> None:
    random = Random(seed)
    told = story(random, 240)
    async with given(settings) as writer:
        await tell(writer, told)
        await _counted_in_pieces(settings, random, writer.connection)
        right = expected(told)
        assert await stored(writer.connection) == right and right[0] and {key[0] for key in right[0]} == set(APPS)
        found = await recount.verify(settings)
        assert found.equal and [one.actual for one in found.tables] == [len(right[0]), len(right[1])]
        # Counted anew by a replay of the log, the tables are the same to the byte.
        assert await recount.rebuild(settings) == len(told)
        assert await stored(writer.connection) == right


async def test_a_crash_before_the_commit_counts_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async with given(settings) as writer:
        await tell(writer, told := story(Random(7), 60))
        records = [one for piece in (await logged(settings)).values() for one in piece]
        await storing.init(writer.connection, storing.shards(settings))

        async def killed(*_: object) -> None:
            raise ConnectionError("killed")

        with monkeypatch.context() as patch:
            patch.setattr(storing, "move", killed)
            with pytest.raises(ConnectionError):
                await storing.count(writer.connection, records)
        assert await stored(writer.connection) == ({}, set())
        await storing.count(writer.connection, records)
        assert await stored(writer.connection) == expected(told)


async def test_what_a_replaced_owner_wrote_is_void(settings: Settings) -> None:
    told = Told("default", "r", "ada", message(), TIME)
    async with given(settings) as writer, given(settings) as owner:
        shard = writer.shard("rooms", "r")
        await writer.raw(shard, (b"r", value(told)))
        term = (await writer.log(shard)).term
        await owner.raw(shard, (b"r", value(told)))
        # The one before comes late.
        producer = kafka.producer(settings)
        await producer.start()
        try:
            await producer.send_and_wait(settings.topic("rooms"), value(told), b"r", partition=shard.partition,
                                         headers=term_headers(term))  # fmt: skip
        finally:
            await producer.stop()
        records = await logged(settings)
        # One record at a time: the filter goes on from what was stored.
        await storing.init(writer.connection, records)
        for one in records[shard]:
            await storing.count(writer.connection, [one])
        assert len(records[shard]) == 5
        assert (await stored(writer.connection))[0]["default", "day", "messages", "2026-11-28T00:00:00.000Z"] == 2
        assert (await recount.verify(settings)).equal


async def test_a_gap_is_refused(settings: Settings) -> None:
    async with given(settings) as writer:
        await storing.init(writer.connection, storing.shards(settings))
        late = UsageRecord(Shard("rooms", 0), 5, [], b"")
        with pytest.raises(LogGap, match="rooms/0: expected records from 0 on, got 5"):
            await storing.count(writer.connection, [late])
        assert (await storing.places(writer.connection))[Shard("rooms", 0)].offset == 0


async def _some(writer: Given) -> None:
    """A story, counted."""
    await tell(writer, story(Random(1), 60))
    records = [one for piece in (await logged(writer.settings)).values() for one in piece]
    await storing.init(writer.connection, storing.shards(writer.settings))
    await storing.count(writer.connection, records)


async def test_a_row_that_was_tampered_with_is_named_by_verify_and_healed(settings: Settings) -> None:
    async with given(settings) as writer:
        await _some(writer)
        right = await stored(writer.connection)
        row = await writer.connection.fetchrow("select * from usage_metrics where metric = 'messages' limit 1")
        assert row is not None
        where = (row["app"], row["length"], row["start"])
        await writer.connection.execute(
            "update usage_metrics set value = value - 1 where metric = 'messages' and app = $1 and length = $2 and"
            " start = $3::timestamptz", *where,
        )  # fmt: skip
        await writer.connection.execute("insert into usage_actors values ('default', 'day', '2026-11-28', 'ghost')")
        found = await verify(settings, MODELS["all"], jobs=1)
        assert not found.equal and found.counts == {"usage_metrics": 1, "usage_actors": 1}
        value_, ghost = found.differences
        assert (value_.table, value_.kind, value_.stream) == ("usage_metrics", "differs", row["app"])
        assert value_.columns == {"value": (row["value"], row["value"] - 1)}
        assert value_.key == {"app": row["app"], "length": row["length"], "metric": "messages", "start": row["start"]}
        assert (ghost.table, ghost.kind, ghost.key["user"]) == ("usage_actors", "too many", "ghost")
        healed = await verify(settings, MODELS["all"], jobs=1, healing=True)
        assert healed.healed == 2 and await stored(writer.connection) == right
        assert (await verify(settings, MODELS["all"], jobs=1)).equal


async def test_a_rebuild_of_the_read_models_leaves_usage_as_it_is(settings: Settings) -> None:
    async with given(settings) as writer:
        await _some(writer)
        right, places = await stored(writer.connection), await storing.places(writer.connection)
        await rebuild_models(settings, MODELS["all"], jobs=1)
        async with postgres.connected(settings) as connection:
            assert (await stored(connection), await storing.places(connection)) == (right, places)


async def test_counting_anew_needs_no_worker_and_one_goes_on_from_it(settings: Settings) -> None:
    async with given(settings) as writer:
        await tell(writer, first := story(Random(1), 60))
        early = [one for piece in (await logged(settings)).values() for one in piece]
        assert await recount.rebuild(settings) == 60
        assert await stored(writer.connection) == expected(first)
        await tell(writer, more := story(Random(2), 40))
        # A worker that had begun before is given the beginning again, and what is new.
        await storing.count(writer.connection, early)
        late = [one for piece in (await logged(settings)).values() for one in piece]
        await storing.count(writer.connection, late)
        assert await stored(writer.connection) == expected(first + more)


async def test_a_days_peak_is_that_of_its_highest_hour(settings: Settings) -> None:
    def told(hour: int, number: int) -> bytes:
        begin, end = (f"2026-11-28T{one:02}:00:00.000Z" for one in (hour, hour + 1))
        data = {"metric": PEAK, "since": begin, "until": end, "value": number}
        return msgspec.json.encode(
            {"type": "usage.counted", "subject": "a", "time": TIME, "actor": "system", "data": data}
        )

    async with given(settings) as writer:
        shard = writer.shard("apps", "a")
        # Two nodes in the same hour, and one an hour later; the second node's comes last.
        await writer.raw(shard, *[(b"a", told(*one)) for one in ((9, 3), (10, 5), (9, 4))])
        await storing.init(writer.connection, storing.shards(settings))
        for one in (await logged(settings))[shard]:
            await storing.count(writer.connection, [one])
        rows = await writer.connection.fetch("select length, start, value from usage_metrics order by 1, 2")
        day, nine, ten = "2026-11-28T00:00:00.000Z", "2026-11-28T09:00:00.000Z", "2026-11-28T10:00:00.000Z"
        assert [tuple(row) for row in rows] == [("day", day, 7), ("hour", nine, 7), ("hour", ten, 5)]
        assert (await recount.verify(settings)).equal
