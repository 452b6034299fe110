"""Verification on real Kafka and Postgres: it names exactly what is wrong, and heals exactly that."""

from __future__ import annotations

from typing import Any

import pytest

from events.channels import STREAM
from events.core.positions import Position, parse_vector
from events.core.records import Changes, Record, State
from events.messages import MessagePosted
from events.registry import REGISTRY
from infra.base import months
from infra.base.kafka import EVENT_TOPICS
from infra.base.postgres import Connection
from infra.base.rows import TABLES
from infra.base.settings import Settings
from projectors.read_models.projector import ReadModels
from projectors.read_models.redrive import pass_over
from projectors.rebuild.building import alone, prepare
from projectors.rebuild.follower import RebuildFollower
from projectors.rebuild.fresh import RebuildError, beside
from projectors.rebuild.models import MODELS, model
from projectors.rebuild.run import rebuild
from projectors.verify.comparing import spec
from projectors.verify.findings import Difference, Findings
from projectors.verify.run import verify
from tests.given import Fact, Given, given
from tests.projectors.rebuilding import scene, tables
from tests.projectors.scenes import created, joined, left, not_understood, posted, registered
from tests.running import running

ALL = MODELS["all"]


@pytest.mark.parametrize("kind", REGISTRY.entities)
def test_every_kind_of_entity_is_compared_and_named_by_its_stream(kind: str) -> None:
    found = spec(TABLES[kind])
    assert set(found.keys) == set(REGISTRY.entities[kind].key_fields) <= set(found.columns)
    # All channels are of one stream, which no column of theirs names.
    assert found.stream in found.columns or (found.stream == "" and kind in ("channel", "channel_user"))
    assert found.topic in EVENT_TOPICS


async def _verified(settings: Settings, **how: Any) -> Findings:
    return await verify(settings, ALL, jobs=1, **how)


def _named(found: Findings) -> dict[tuple[str, tuple[Any, ...]], Difference]:
    return {(one.table, tuple(one.key.values())): one for one in found.differences}


async def test_rows_of_the_projector_are_equal(settings: Settings) -> None:
    async with given(settings, *scene()) as writer:
        await writer.then({})
        before = await tables(writer.connection, settings.schema)
        found = await _verified(settings)
        assert found.equal and found.log.sound and found.healed == 0, found
        assert {one.table for one in found.tables} >= {"users", "members", "messages", "spans"}
        assert sum(one.actual for one in found.tables if one.table.startswith("changes")) == len(before["changes"])
        # Nothing is left of it, and nothing was touched.
        assert await writer.connection.fetchval("select to_regnamespace($1)", f"{settings.schema}_verify") is None
        assert await tables(writer.connection, settings.schema) == before


async def test_three_corrupted_rows_are_named_and_healed(settings: Settings) -> None:
    """An unread watermark, a membership, a message: while the projector works and events come in."""
    async with given(settings, *scene()) as writer, running(ReadModels(settings)):
        await writer.level()
        right = await tables(writer.connection, settings.schema)
        message = await writer.connection.fetchval("select id from messages where seq = 5")
        offset = await writer.connection.fetchval("select version from messages where seq = 5")
        [watermark] = await writer.connection.fetch("select * from members where \"user\" = 'ada'")
        await writer.connection.execute("update members set read = read - 2 where \"user\" = 'ada'")
        await writer.connection.execute("delete from members where \"user\" = 'bob'")
        await writer.connection.execute('update messages set content = \'{"text": "forged"}\' where id = $1', message)

        found = await _verified(settings)
        named = _named(found)
        assert set(named) == {("members", ("r", "ada")), ("members", ("r", "bob")), ("messages", (message,))}
        assert found.counts == {"members": 2, "messages": 1}
        ada, bob = named["members", ("r", "ada")], named["members", ("r", "bob")]
        assert (ada.kind, ada.columns) == ("differs", {"read": (watermark["read"], watermark["read"] - 2)})
        assert (bob.kind, bob.columns["state"]) == ("missing", ("joined", None))
        forged = named["messages", (message,)]
        shard = writer.shard("rooms", "r")
        assert forged.columns == {"content": ({"text": "Überraschung 東京 👩‍🚀"}, {"text": "forged"})}
        assert forged.event is not None and forged.event.position == f"{shard}/{offset}"
        assert [one.event and one.event.type for one in (ada, bob, forged)] == [
            "member.role_changed", "member.joined", "message.posted",
        ]  # fmt: skip

        healed = await _verified(settings, healing=True)
        assert (healed.healed, healed.settled) == (3, 0) and _named(healed).keys() == named.keys()
        assert await tables(writer.connection, settings.schema) == right
        again = await _verified(settings)
        assert again.equal and all(one.equal for one in again.tables)


async def test_every_table_is_compared_and_healed(settings: Settings) -> None:
    async with given(settings, *scene()) as writer:
        await writer.then({})
        right = await tables(writer.connection, settings.schema)
        for table in ALL.tables:
            await writer.connection.execute(f"delete from {table} where ctid in (select ctid from {table} limit 1)")  # noqa: S608
        found = await _verified(settings, healing=True)
        full = {table for table in ALL.tables if right[table]}
        assert set(found.counts) == full and set(found.counts.values()) == {1}
        assert all(one.kind == "missing" for one in found.differences)
        assert await tables(writer.connection, settings.schema) == right


async def test_a_row_too_many(settings: Settings) -> None:
    async with given(settings, *scene()) as writer:
        await writer.then({})
        right = await tables(writer.connection, settings.schema)
        await writer.connection.execute(
            "insert into members select room, 'ghost', role, state, since, joined, read, read_at, notifications,"
            " willing, custom, version from members where \"user\" = 'ada'"
        )
        found = await _verified(settings, healing=True)
        (one,) = found.differences
        assert (one.kind, one.key, one.columns["role"]) == (
            "too many",
            {"room": "r", "user": "ghost"},
            (None, "member"),
        )
        assert one.event is not None and one.event.type == "member.joined"
        assert await tables(writer.connection, settings.schema) == right


async def test_rows_of_channels_say_their_stream(settings: Settings) -> None:
    async with given(settings, *scene()) as writer:
        await writer.then({})
        await writer.connection.execute("update channels set name = 'forged'; update channel_users set number = 9")
        found = await _verified(settings, healing=True)
        assert found.counts == {"channels": 2, "channel_users": 2} and found.healed == 4
        named = _named(found)
        one = named["channels", (1,)]
        assert one.stream == STREAM and one.columns == {"name": ("Raid", "forged")}
        assert one.event is not None and one.event.type == "channel.deleted"
        assert {one.stream for one in named.values()} == {STREAM}
        assert (await _verified(settings)).equal


async def test_one_model_only(settings: Settings) -> None:
    async with given(settings, *scene()) as writer:
        await writer.then({})
        await writer.connection.execute("update users set name = 'Mallory'; update rooms set name = 'Mallory'")
        found = await verify(settings, model("rooms"), jobs=1, healing=True)
        assert found.counts == {"rooms": 1}
        assert await writer.connection.fetchval("select count(*) from users where name = 'Mallory'") == 2


async def test_healing_goes_by_what_has_happened_since(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that is gone hides later events from the fold of the live rows: they are not lost either."""
    async with given(settings, *scene()) as writer, running(ReadModels(settings)):
        await writer.level()
        await writer.connection.execute("delete from members where \"user\" = 'bob'")
        right = (await tables(writer.connection, settings.schema))["rooms"]

        async def meanwhile(
            connection: Connection, settings: Settings, follower: Any, waiting: list[Difference]
        ) -> tuple[int, int]:
            monkeypatch.undo()
            await writer.events(left("r", "bob"))
            await writer.level()
            # The live fold knows no such member.
            assert (await tables(writer.connection, settings.schema))["rooms"] == right
            return await healing.heal(connection, settings, follower, waiting)

        from projectors.verify import healing, run

        monkeypatch.setattr(run, "heal", meanwhile)
        found = await _verified(settings, healing=True)
        assert found.counts == {"members": 1} and found.healed == 3
        assert await writer.connection.fetchval("select state from members where \"user\" = 'bob'") == "left"
        assert await writer.connection.fetchval("select members from rooms") == 1
        assert await writer.connection.fetchval("select count(*) from stays") == 2


async def test_parked_streams_are_left_out(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async with given(settings, *scene(), created("s", "ada"), joined("s", "ada")) as writer:
        with monkeypatch.context() as patch:
            not_understood(patch, "message.edited")
            await writer.then({})
        await writer.connection.execute("update rooms set name = 'Mallory'")
        found = await _verified(settings)
        assert (found.waiting, set(_named(found))) == (["r"], {("rooms", ("s",))})


async def test_skipped_events_are_left_out(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    row = REGISTRY.events["message.posted"]

    def broken(record: Record[MessagePosted], state: State) -> Changes:
        if record.data.content == {"text": "bad"}:
            raise RuntimeError("no longer understood")
        return row.fold(record, state)

    async with given(settings, *scene(), posted("r", "ada", 9, "bad")) as writer:
        with monkeypatch.context() as patch:
            patch.setitem(REGISTRY.events, "message.posted", row._replace(fold=broken))
            await writer.then({})
            [at] = await writer.connection.fetch('select topic, partition, "offset" from parked')
            assert len(await pass_over(writer.connection, Position(*at), "made by a test", "ada")) == 1
        await writer.events(posted("r", "ada", 10))
        await writer.then({})
        before = await tables(writer.connection, settings.schema)
        found = await _verified(settings)
        assert found.equal and found.log.sound, found
        await rebuild(settings, ALL, jobs=1)
        assert await tables(writer.connection, settings.schema) == before


async def test_a_skipped_event_that_cannot_be_read_is_no_fault_of_the_log(settings: Settings) -> None:
    async with given(settings, *scene()) as writer:
        (at,) = await writer.raw(writer.shard("rooms", "r"), (b"r", b"no json"))
        await writer.then({})
        found = await _verified(settings)
        assert not found.log.sound and found.log.tally.unreadable_count == 1
        await pass_over(writer.connection, at, "made by a test", "ada")
        await writer.events(posted("r", "ada", 9))
        await writer.then({})
        found = await _verified(settings)
        assert found.equal and found.log.sound and found.log.tally.unreadable_count == 0, found


async def test_an_event_that_is_refused_now(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async with given(settings, *scene()) as writer:
        await writer.then({})
        before = await tables(writer.connection, settings.schema)
        not_understood(monkeypatch, "message.edited")
        found = await _verified(settings, healing=True)
        (refused,) = found.log.refused
        assert refused.startswith("stream r at rooms/") and "no longer understood" in refused
        assert not found.log.sound and found.equal
        assert await tables(writer.connection, settings.schema) == before


async def test_archived_months_are_compared_too(settings: Settings) -> None:
    old = "0193f000-0000-7000-8000-000000000001"
    month = months.month_of(old)
    said = MessagePosted(message=old, seq=9, token="x", type="text", content={"text": "long ago"}, data={})
    async with given(settings, *scene(), Fact("r", said, "ada")) as writer:
        await writer.then({})
        await months.detach(writer.connection, settings, month)
        assert (await _verified(settings)).equal
        await writer.connection.execute(f"update {months.table_of(month)} set content = '{{}}'")  # noqa: S608
        found = await _verified(settings, healing=True)
        assert set(_named(found)) == {("messages", (old,))} and found.healed == 1
        assert (await _verified(settings)).equal
        # Its table may be taken away; then nobody expects it.
        await writer.connection.execute(f"drop table {months.table_of(month)}")
        found = await _verified(settings, healing=True)
        assert found.equal and found.healed == 0


async def _log(writer: Given, settings: Settings, *facts: Fact) -> Findings:
    await writer.events(*facts)
    await writer.then({})
    found = await _verified(settings)
    assert found.equal
    return found


async def test_what_the_log_must_keep(settings: Settings) -> None:
    async with given(settings, *scene()) as writer:
        twice = joined("r", "eve")._replace(command="once")
        found = await _log(
            writer, settings, posted("r", "ada", 11), posted("nowhere", "ada", 1), twice, left("r", "eve"), twice,
            registered("eve"), joined("r", "stranger"),
        )  # fmt: skip
        assert not found.log.sound
        assert found.log.gaps == ["room r: expected messages 1 to 11, got 9 with 9 numbers from 1 to 11"]
        assert found.log.dangling == ["members.user of r/stranger: stranger does not exist"]
        (repeated,) = found.log.repeated
        assert repeated.startswith("stream r: the command once of eve was carried out 2 times, first at offset ")


async def test_void_unknown_and_unreadable_records_are_counted(settings: Settings) -> None:
    async with given(settings, *scene()) as old, given(settings) as new:
        shard = old.shard("rooms", "r")
        log = await old.log(shard)
        await new.events(posted("r", "ada", 9))
        with pytest.raises(Exception, match="another owner has written"):
            await log.append([(b"r", old.value(posted("r", "ada", 9)))] * 2)
        await (await new.log(shard)).open()
        await new.raw(
            shard, (b"q", b"no json"), (b"r", new.value(posted("r", "ada", 1)).replace(b"e.posted", b"e.eaten"))
        )
        await new.then({})
        tally = (await _verified(settings)).log.tally
        assert tally.void == {str(shard): {"0": 2}}
        assert tally.unknown == {"'message.eaten'": 1}
        assert tally.unreadable_count == 1 and tally.unreadable[0].startswith(f"{shard}/")


async def test_an_attempt_that_is_ahead_is_begun_again(settings: Settings) -> None:
    """The rows were rebuilt after a verification was killed, as an upgrade does."""
    async with given(settings, *scene()) as writer:
        async with alone(settings) as connection:
            await prepare(connection, settings, beside(settings, "verify"), ALL, False)
        async with RebuildFollower(settings, beside(settings, "verify")) as follower:
            await follower.reach(await follower.ends(list(await follower.places())))
        assert set(parse_vector((await _verified(settings)).vector).values()) == {0}
        await writer.then({})
        assert (await _verified(settings)).equal


async def test_what_cannot_be_verified(settings: Settings) -> None:
    async with given(settings, *scene()) as writer:
        await writer.then({})
        async with alone(settings):
            with pytest.raises(RebuildError, match="another rebuild, verification, healing or erasure"):
                await _verified(settings, healing=True)
        await writer.connection.execute(f"drop schema {settings.schema} cascade")
        with pytest.raises(RebuildError, match="is not there: nothing to verify"):
            await _verified(settings)
