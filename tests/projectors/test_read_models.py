"""Read models on real Kafka and Postgres: rows, changes, competition, take-over, restart."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from events.core.positions import Shard, parse_vector
from events.members import member_key
from events.messages import Message, message_key
from events.rooms import Room, room_key
from events.sessions import SessionClosed, SessionOpened
from infra.base import postgres, rows
from infra.base.kafka import EVENT_TOPICS
from infra.base.progress import listen_to, positions_channel, revoked_channel
from infra.base.settings import Settings
from projectors.core import metrics
from projectors.core.locks import Locks
from projectors.core.source import LogMismatch
from projectors.read_models import projector as read_models
from projectors.read_models.projector import ReadModels
from tests.given import Fact, given
from tests.projectors.scenes import created, joined, left, posted, registered
from tests.running import running, until


async def test_rows_are_the_fold_of_the_log(settings: Settings) -> None:
    facts = [created("r", "ada"), joined("r", "ada"), joined("r", "bob"), posted("r", "ada", 1), left("r", "bob")]
    async with given(settings, *facts) as writer:
        await writer.then({})
        found = await rows.load(writer.connection, [room_key("r"), message_key("r-m1"), member_key("r", "bob")])
        room, message = found[room_key("r")], found[message_key("r-m1")]
        assert isinstance(room, Room) and (room.seq, room.last, room.members) == (1, "r-m1", 1)
        assert isinstance(message, Message) and message.author == "ada"
        bob = found[member_key("r", "bob")]
        assert bob is not None and getattr(bob, "state", None) == "left"
        await writer.then({message_key("nobody"): None})


async def test_every_event_is_a_change_and_log_opened_is_none(settings: Settings) -> None:
    async with given(settings, registered("ada"), created("r", "ada"), posted("r", "ada", 1)) as writer:
        await writer.then({})
        changes = await writer.connection.fetch('select * from changes order by topic, partition, "offset"')
        assert [row["type"] for row in changes if row["topic"] == "rooms"] == ["room.created", "message.posted"]
        assert [row["type"] for row in changes if row["topic"] == "users"] == ["user.registered"]
        message = changes[1]
        assert (message["actor"], message["stream"], message["data"]["content"]) == ("ada", "r", {"text": "hello"})
        positions = await writer.connection.fetch("select * from positions where next_offset > 0")
        assert {Shard(row["topic"], row["partition"]): row["next_offset"] for row in positions} == writer.ends
        assert {row["term"] for row in positions} == {0}


async def test_a_restart_goes_on_where_it_was(settings: Settings) -> None:
    async with given(settings, created("r", "ada"), joined("r", "ada")) as writer:
        await writer.then({})
        await writer.events(*(posted("r", "ada", seq) for seq in range(1, 2501)))
        await writer.then({})
        assert await writer.connection.fetchval("select count(*) from changes") == 2502
        assert await writer.connection.fetchval("select seq from rooms") == 2500


async def test_void_records_are_not_applied(settings: Settings) -> None:
    async with given(settings, created("r", "ada"), joined("r", "ada")) as old, given(settings) as new:
        log = await old.log(old.shard("rooms", "r"))
        await new.events(posted("r", "ada", 1, "true"))
        # The old owner's batch gets into the log, but it is told nothing, and nobody reads it.
        with pytest.raises(Exception, match="another owner has written"):
            await log.append([(b"r", old.value(posted("r", "ada", 1, "void")))])
        # The void record broke the new owner's contiguity too: it opens again.
        await (await new.log(new.shard("rooms", "r"))).open()
        await new.events(posted("r", "ada", 2, "also true"))
        await new.then({})
        texts = await new.connection.fetch("select content->>'text' as text from messages order by seq")
        assert [row["text"] for row in texts] == ["true", "also true"]


async def test_two_projectors_without_locks_never_both_apply(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unlocked(Locks[Shard]):
        async def claim(self) -> set[Shard]:
            self.held, self._free = self.held | set(self._free.values()), {}
            return self.held

    monkeypatch.setattr(read_models, "Locks", Unlocked)
    outrun = 0

    class Counting(ReadModels):
        async def _resume(self, *args: Any) -> None:
            nonlocal outrun
            outrun += 1
            await super()._resume(*args)

    async with given(settings, created("r", "ada"), joined("r", "ada")) as writer:
        async with running(Counting(settings), Counting(settings)):
            for seq in range(1, 301):
                await writer.events(posted("r", "ada", seq))
            await writer.level()
        # Two resumes are the two starts; more of them are turns that lost.
        assert outrun > 2
        assert await writer.connection.fetchval("select count(*) from changes") == 302
        # member.version and room.members would betray an event that was folded twice.
        [room] = await writer.connection.fetch("select seq, members from rooms")
        assert tuple(room) == (300, 1)


async def test_another_takes_over_within_a_second(settings: Settings) -> None:
    first, second = ReadModels(settings), ReadModels(settings)
    async with given(settings, created("r", "ada")) as writer, running(first):
        await writer.level()
        async with running(second):

            async def states() -> bool:
                return (first.health()["state"], second.health()["state"]) == ("running", "standby")

            await until(states, "one works, one stands by")
            started = asyncio.get_running_loop().time()
            await first.stop()

            async def taken_over() -> bool:
                return bool(second.health()["state"] == "running")

            await until(taken_over, "the other works", 2.0)
            assert asyncio.get_running_loop().time() - started < 1.5
            await writer.events(joined("r", "ada"))
            await writer.level()


async def test_a_killed_connection_is_survived(settings: Settings) -> None:
    projector = ReadModels(settings)
    async with given(settings, created("r", "ada"), joined("r", "ada")) as writer, running(projector):
        await writer.level()
        killed = await writer.connection.fetchval(
            "select count(pg_terminate_backend(pid)) from (select distinct pid from pg_locks"
            " where locktype = 'advisory' and (classid::bigint << 32 | objid::bigint) = any($1)) holder",
            [
                postgres.lock_key(f"{settings.schema}/read_models/{shard}")
                for shard in read_models.event_shards(settings)
            ],
        )
        assert killed == 1
        await writer.events(posted("r", "ada", 1))
        await writer.level()
        assert await writer.connection.fetchval("select seq from rooms") == 1


def _note(heard: list[tuple[str, str]], channel: str, payload: str) -> None:
    heard.append((channel, payload))


async def test_listeners_hear_positions_and_closed_sessions(settings: Settings) -> None:
    heard: list[tuple[str, str]] = []
    listener = await postgres.connect(settings)
    async with given(settings) as writer:
        for channel in (positions_channel(settings), revoked_channel(settings)):
            await listen_to(listener, channel, partial(_note, heard, channel))
        opened = SessionOpened(session="s1", expires="2030-01-01T00:00:00.000Z")
        await writer.events(
            registered("ada"), Fact("ada", opened, "ada"), Fact("ada", SessionClosed(session="s1"), "ada")
        )
        await writer.then({})

        async def both() -> bool:
            return (revoked_channel(settings), "s1") in heard and any(
                channel == positions_channel(settings) and parse_vector(payload).items() >= writer.ends.items()
                for channel, payload in heard
            )

        await until(both, "position and revocation notified")
    await listener.close()


async def test_a_log_that_is_shorter_is_refused(settings: Settings) -> None:
    async with given(settings, created("r", "ada")) as writer:
        await writer.then({})
        await writer.connection.execute("update positions set next_offset = 1000 where topic = 'rooms'")
        with pytest.raises(LogMismatch, match="expected offset 1000, got a log of 0 to"):
            await asyncio.wait_for(ReadModels(settings).run(), 20)


async def test_lag_is_told_while_working(settings: Settings) -> None:
    def told() -> list[float]:
        samples = next(iter(metrics.LAG.collect())).samples
        return [sample.value for sample in samples if sample.labels["projector"] == "read_models"]

    projector = ReadModels(settings)
    async with given(settings, created("r", "ada"), joined("r", "ada")) as writer:
        async with running(projector):
            await writer.level()

            async def level() -> bool:
                # Each topic has two partitions, whether somebody has written to them or not.
                return told() == [0.0] * 2 * len(EVENT_TOPICS) and projector.health()["lag"] == {}

            await until(level, "no lag is told")
            # An owner of the log that opens it again leaves no event, and no lag either.
            shard = writer.shard("rooms", "r")
            log = await writer.log(shard)
            await log.open()
            writer.ends[shard] = log.next_offset
            await writer.level()
            await until(level, "no lag is told")
        assert told() == []


async def test_rows_that_are_too_far_behind_are_not_ready(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    projector, most = ReadModels(settings), settings.shard_lag
    lag = {Shard("rooms", 0): most, Shard("users", 1): 1}
    monkeypatch.setattr(projector, "lag", lambda: lag)
    projector.working()
    assert projector.health()["healthy"] and projector.health()["state"] == "running"
    lag[Shard("rooms", 0)] = most + 1
    health = projector.health()
    assert (health["healthy"], health["state"]) == (False, "behind")
    assert health["error"] == f"expected at most {most} events to go, got rooms/0 by {most + 1}"
