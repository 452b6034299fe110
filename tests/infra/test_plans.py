"""How Postgres answers pages and searches: by index, in the months concerned, and alike at both ends of a long room.
Tests ``api/history.py``, ``api/search.py`` and ``schemas/sql/messages.sql``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from api import history
from api.history import Filters, page_of, spans_of
from api.search import Months
from api.support.highlights import Wanted
from api.support.looking import Looker
from api.support.windows import TOP, MessageRank
from events.messages import message_key
from infra.base import months, postgres, rows
from infra.base.months import month_of
from infra.base.postgres import Connection, queries
from infra.base.settings import Settings
from tests.parts import Parts
from tests.servers import installation

#: A long room, and many short ones, all over these months.
LONG, SHORT, ROOMS, MONTHS = 200_000, 2_000, 100, 24

#: Messages of one room, evenly over the time; every 20,000th with a word of its own.
FILL = """
insert into messages (id, room, seq, author, token, type, content, data, created, updated, revision, version, words)
select substr(stamp, 1, 8) || '-' || substr(stamp, 9) || '-7' || lpad(to_hex(seq % 4096), 3, '0') || '-8000-'
           || lpad(to_hex($2 * 1000000::bigint + seq), 12, '0'),
       $1, seq, 'user-' || seq % 50, 't', 'text', jsonb_build_object('text', said), '{}', at, at, 0, seq,
       array_to_tsvector(array['#' || $1, 'hello', 'w' || seq % 1000] || (
           case when seq % 20000 = 7 then array['rare'] else array[]::text[] end))
from (
    select seq, to_timestamp(at / 1000.0) as at, lpad(to_hex(at), 12, '0') as stamp,
           'hello w' || seq % 1000 || case when seq % 20000 = 7 then ' rare' else '' end as said
    from (select seq, $4::bigint + (seq - 1) * (($5::bigint - $4::bigint) / $3) as at from generate_series(1, $3) seq) s
) m
"""
#: They came late: all of them stand at the last one.
LATE = "update messages set rank = (select max(id) from messages where room = $1) where room = $1"
SPANS = """
insert into spans (room, month, first, last, since, until, low, high)
select room, $1, min(seq), max(seq), min(created), max(created), min(rank), max(rank)
from messages where id >= $2 and id < $3 group by room
"""


class Plans:
    """A connection that explains what it is asked, and keeps the plans."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.plans: list[dict[str, Any]] = []

    async def fetch(self, sql: str, *arguments: Any) -> list[Any]:
        plans = await self._connection.fetchval(f"explain (analyze, buffers, format json) {sql}", *arguments)
        self.plans.append(plans[0]["Plan"])
        found: list[Any] = await self._connection.fetch(sql, *arguments)
        return found

    def nodes(self) -> Iterator[dict[str, Any]]:
        """All that was done, but for what was left out."""
        waiting = list(self.plans)
        while waiting:
            node = waiting.pop()
            waiting += node.get("Plans", [])
            if node["Actual Loops"]:
                yield node

    @property
    def buffers(self) -> int:
        """Blocks of 8 KiB that were looked at."""
        return sum(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in self.plans)

    @property
    def months(self) -> set[str]:
        """Partitions of messages that were looked into."""
        names = (str(node.get("Relation Name", "")) for node in self.nodes())
        return {name for name in names if name.startswith("messages_")}

    def check(self) -> None:
        """Every look into months with messages was by an index."""
        names = (str(node.get("Relation Name", "")) for node in self.nodes())
        scans = [
            node["Node Type"] for node, name in zip(self.nodes(), names, strict=True) if name.startswith("messages_202")
        ]
        assert scans and set(scans) <= {"Index Scan", "Bitmap Heap Scan", "Index Only Scan"}, scans


@pytest.fixture(scope="module")
async def connection(parts: Parts) -> AsyncIterator[Connection]:
    async with installation(parts) as settings:
        connection = await postgres.connect(settings, plan_cache_mode="force_custom_plan", jit="off")
        begin, end = datetime(2020, 1, 1, tzinfo=UTC), datetime(2020 + MONTHS // 12, 1, 1, tzinfo=UTC)
        place = [int(moment.timestamp() * 1000) for moment in (begin, end)]
        names = {f"{2020 + n // 12}-{n % 12 + 1:02}" for n in range(MONTHS)}
        await months.ensure(connection, settings.schema, names)
        await connection.execute(FILL, "long", 0, LONG, *place, timeout=300)
        for n in range(1, ROOMS + 1):
            await connection.execute(FILL, f"short-{n}", n, SHORT, *place)
        await connection.execute(FILL, "late", ROOMS + 1, SHORT, *place)
        await connection.execute(LATE, "late")
        for name in sorted(names):
            await connection.execute(SPANS, name, *months.bounds(name))
        await connection.execute("vacuum analyze", timeout=300)
        yield connection
        await connection.close()


async def read(connection: Connection, place: history.PageStart, limit: int = 50) -> tuple[dict[str, Any], Plans]:
    plans = Plans(connection)
    spans = await spans_of(connection, "long")
    page, _ = await page_of(plans, "long", spans, place, limit)  # type: ignore[arg-type]  # Plans asks in its place
    plans.check()
    return {name: msgspec.json.decode(v) if isinstance(v, msgspec.Raw) else v for name, v in page.items()}, plans


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("limit", [50, 200])
async def test_the_first_page_of_a_long_room_costs_what_the_last_does(
    connection: Connection, limit: int, mode: str
) -> None:
    await connection.execute(f"set plan_cache_mode = {mode}")
    page, last = await read(connection, history.PageStart("older", 2**53, Filters()), limit)
    assert page["messages"][-1]["seq"] == LONG and page["newer"] is None
    for place in (history.PageStart("older", limit + 1, Filters()), history.PageStart("newer", 0, Filters())):
        page, first = await read(connection, place, limit)
        assert [message["seq"] for message in page["messages"]] == list(range(1, limit + 1)) and page["older"] is None
        assert len(first.months) == len(last.months) == 1
        assert first.buffers <= last.buffers * 1.2 + 10
    for seq in range(1000, LONG, LONG // 7):
        page, middle = await read(connection, history.PageStart("around", seq, Filters()), limit)
        assert [message["seq"] for message in page["messages"]][limit // 2 - 1] == seq
        assert len(middle.months) <= 2 and middle.buffers <= 2 * last.buffers + 20
    await connection.execute("reset plan_cache_mode")


@pytest.mark.parametrize(
    ("filters", "most"),
    [
        (Filters(author="user-7"), 3), (Filters(type="text"), 3), (Filters(since="2020-05-02T00:00:00.000Z"), 3),
        (Filters(since="2020-05-02T00:00:00.000Z", until="2020-05-03T00:00:00.000Z"), 1),
        (Filters(until="2020-02-01T00:00:00.000Z"), 2), (Filters(author="nobody"), 4),
    ],
)  # fmt: skip
async def test_filters_look_at_the_months_concerned(connection: Connection, filters: Filters, most: int) -> None:
    page, plans = await read(connection, history.PageStart("older", 2**53, filters))
    assert len(plans.months) <= most
    assert all(filters.author in (None, message["author"]) for message in page["messages"])
    # A filter that nothing fits ends, and goes on with the cursor.
    assert bool(page["messages"]) != (filters.author == "nobody") and page["more"]


@pytest.fixture(scope="module")
def looker() -> Iterator[Looker]:
    looker = Looker()
    yield looker
    looker.close()


async def found(
    connection: Connection, looker: Looker, text: str, room: list[str], filters: Filters = Filters()
) -> tuple[list[int], Plans]:
    plans = Plans(connection)
    hits, _ = await Months(plans.fetch, looker, Wanted(text), filters, Settings(search_seconds=600)).through(
        room, TOP, 50
    )
    return [message.seq for message, _ in hits], plans


async def test_rare_words_are_found_by_the_index_of_words(connection: Connection, looker: Looker) -> None:
    rare = [seq for seq in range(LONG, 0, -1) if seq % 20_000 == 7]
    seqs, plans = await found(connection, looker, "rare", ["long"])
    plans.check()
    assert seqs == rare and len(plans.months) <= MONTHS and plans.buffers < 50 * MONTHS
    seqs, plans = await found(
        connection, looker, '"hello w7 rare"', ["long"], filters=Filters(until="2020-02-01T00:00:00.000Z")
    )
    assert seqs == rare[-1:] and plans.months == {"messages_2020_01"}


async def test_common_words_end_with_the_first_month(connection: Connection, looker: Looker) -> None:
    for rooms in (["long"], [f"short-{n}" for n in range(1, ROOMS + 1)]):
        seqs, plans = await found(connection, looker, "hello", rooms)
        assert len(seqs) == 50 and plans.months == {"messages_2021_12"}
        plans.check()
    seqs, plans = await found(connection, looker, "w7 hello", ["short-3"])
    assert seqs == [1007, 7] and plans.buffers < 100 * MONTHS


async def test_messages_that_came_late_are_found_by_their_rank(connection: Connection, looker: Looker) -> None:
    for text, wanted in (("hello", [*range(SHORT, SHORT - 50, -1)]), ("w7 hello", [1007, 7])):
        seqs, plans = await found(connection, looker, text, ["late"])
        plans.check()
        assert seqs == wanted and plans.buffers < 100 * MONTHS
    # Where nothing stands elsewhere, nobody looks for it.
    _, plans = await found(connection, looker, "hello", ["short-1", "short-2"])
    assert plans.months == {"messages_2021_12"}


@pytest.mark.parametrize("most", [30, 150, 1_000])
async def test_one_search_looks_at_so_many_messages(connection: Connection, looker: Looker, most: int) -> None:
    """All 200 have the words, one of them only the phrase: pages are short, and their cursors come to it."""
    settings, seen, rounds = Settings(search_messages=most, search_seconds=600), list[int](), 0
    below: MessageRank | None = TOP
    wanted = Wanted('"hello w7 rare"')
    # The word that only the phrase's messages have is not asked for: as with a phrase of common words.
    wanted.tsquery = "'hello' & 'w7'"
    while below is not None:
        plans, rounds = Plans(connection), rounds + 1
        hits, below = await Months(plans.fetch, looker, wanted, Filters(), settings).through(["long"], below, 50)
        rows = [plan["Actual Rows"] for plan in plans.plans[1:]]
        assert sum(rows) <= most and len(hits) <= 50
        # Not one query a message: their number does not grow with the messages that are no match.
        assert len(rows) <= MONTHS + most / 50
        seen += [message.seq for message, _ in hits]
    assert rounds == 200 // most + 1
    assert seen == [seq for seq in range(LONG, 0, -1) if seq % 20_000 == 7]


async def test_a_search_that_is_late_gets_on_nevertheless(connection: Connection, looker: Looker) -> None:
    """However long others keep it waiting: each page looks at a message or ends a month, and the next goes on there."""
    settings, seen, rounds = Settings(search_seconds=-1), list[int](), 0
    below: MessageRank | None = TOP
    while below is not None:
        hits, below = await Months(connection.fetch, looker, Wanted("rare"), Filters(), settings).through(
            ["long"], below, 50
        )
        seen += [message.seq for message, _ in hits]
        rounds += 1
        assert len(hits) <= 1 and rounds <= MONTHS + 10
    assert seen == [seq for seq in range(LONG, 0, -1) if seq % 20_000 == 7]


async def test_messages_are_loaded_by_their_ids(connection: Connection) -> None:
    ids = [
        row["id"] for row in await connection.fetch("select id from messages where room = 'long' and seq % 9000 = 1")
    ]
    for some in (ids, ids[:1], [*ids[:3], "nothing", "~"]):
        plans = Plans(connection)
        loaded = await rows.load(plans, [message_key(id) for id in some])  # type: ignore[arg-type]  # Plans asks in its place
        assert sum(message is not None for message in loaded.values()) == len([id for id in some if id in ids])
        plans.check()
        assert plans.months <= {months.table_of(month_of(id)) for id in some}


#: Public rooms, five in each hour.
PUBLIC = """
insert into rooms (id, app, type, name, settings, state, data, custom, seq, members, pins, created, updated, version,
    folded, grams)
select 'public-' || n, 'default', 'public', 'R', '{}', 'active', '{}', json_build_object('n', n % 1000,
    'tags', array['a']), 1, 1, 0, at, at, n, 'r', '{}'
from (select n, '2022-01-01'::timestamptz + n * interval '12 minutes' as at from generate_series(1, $1) n) s
"""


async def test_public_rooms_are_listed_by_their_latest_activity(connection: Connection) -> None:
    many = 10_000
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(PUBLIC, many)
    await connection.execute("analyze rooms")
    try:
        listed, place = [], ("9999-12-31T23:59:59.999Z", "~")
        for _ in range(4):
            plans = Plans(connection)
            rows = await plans.fetch(queries("rooms")["public"], "somebody", *place, 50, "default", None)
            assert plans.buffers < 500
            listed += [row["id"] for row in rows]
            place = (rows[-1]["updated"], rows[-1]["id"])
        assert listed == [f"public-{n}" for n in range(many, many - 200, -1)]
        # Few of them, by what their custom objects contain: not all are looked through. And those that all have.
        last = ("somebody", "9999-12-31T23:59:59.999Z", "~", 50)
        plans = Plans(connection)
        few = await plans.fetch(queries("rooms")["public_with"], *last, {"n": 7.0, "tags": []}, "default", None)
        assert [row["id"] for row in few] == [f"public-{n}" for n in range(many - 993, 0, -1000)]
        assert plans.buffers < 500
        plans = Plans(connection)
        all_ = await plans.fetch(queries("rooms")["public_with"], *last, {"tags": ["a"]}, "default", None)
        assert [row["id"] for row in all_] == listed[:50] and plans.buffers < 500
        # A team whose rooms are older than all those.
        await connection.execute("update rooms set team = 'g' where version <= 70 and id like 'public-%'")
        plans = Plans(connection)
        teams = await plans.fetch(queries("rooms")["public"], *last, "default", "g")
        assert [row["id"] for row in teams] == [f"public-{n}" for n in range(70, 20, -1)] and plans.buffers < 500
    finally:
        await transaction.rollback()


async def test_a_command_is_found_by_its_number(settings: Settings) -> None:
    """Queries and indexes name the same number of stream, actor and command, else every look-up reads all changes."""
    columns: tuple[Any, ...] = (["r"], ["ada"], ["k"])
    asked: tuple[tuple[str, str, tuple[Any, ...], str], ...] = (
        ("shard", "receipts", columns, "changes_command"),
        ("operate", "event_by_command", ("r", "ada", "k"), "changes_command"),
        ("past", "posted", columns, "changes_command"),
        ("past", "posted_otherwise", columns, "changes_actor"),
        ("past", "read_before", (["r"], [7], ["ada"]), "changes_actor"),
    )
    connection = await postgres.connect(settings, enable_seqscan="off")
    try:
        for file, name, arguments, index in asked:
            rows_ = await connection.fetch(f"explain {queries(file)[name]}", *arguments)
            plan = "\n".join(row[0] for row in rows_)
            assert f"using {index} on changes" in plan or f"Bitmap Index Scan on {index}" in plan, plan
    finally:
        await connection.close()
