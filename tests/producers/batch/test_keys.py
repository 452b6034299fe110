"""What a shard knows of its old command keys: never less than there is, whoever wrote it, whatever was mended."""

from __future__ import annotations

import asyncio
import random

import pytest

from infra.base import postgres
from infra.base.settings import Settings
from producers.batch import keys
from producers.batch.cache import ReceiptKey
from producers.batch.keys import KeyDigests, digest
from producers.engine import idempotency_index
from projectors.read_models.projector import ReadModels
from tests.producers.shards import ROOM, SHARD, Running, owning
from tests.running import running, until


def key(number: int) -> ReceiptKey:
    return (f"room-{number % 7}", "ada", f"PostMessage:{number}")


def packed(numbers: range) -> bytes:
    return b"".join(sorted(digest(key(number)).to_bytes(4) for number in numbers))


@pytest.mark.long
def test_all_that_was_put_in_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "FRESH", 100)
    found = KeyDigests()
    found.load([packed(range(2000)), packed(range(2000, 2500))], [])
    for number in range(2500, 3000):
        found.add([key(number)])
    assert all(key(number) in found for number in range(3000))
    wrong = sum(key(number) in found for number in range(3000, 53_000))
    assert wrong < 50, f"expected hardly any of 50,000 new keys, got {wrong}"


def test_what_is_not_learnt_may_have_happened() -> None:
    found = KeyDigests()
    assert key(1) in found
    found.load([packed(range(10))], ["room-1"])
    assert key(2) in found and key(16) not in found
    assert key(15) in found, "of a doubtful stream nothing is certain"
    found.mark_uncertain()
    assert key(16) in found


async def _learnt(stage: Running) -> bool:
    return stage.owner._idempotency._keys.whole


async def test_postgres_makes_the_same_digests(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys of any characters, in several windows, from another owner: all known, and the next one is not."""
    monkeypatch.setattr(idempotency_index, "WINDOW", 16)
    dice = random.Random(3)
    tokens = [
        "".join(chr(dice.choice((0x20, 0x41, 0xE9, 0x20AC, 0x1F600))) for _ in range(5)) + str(n) for n in range(50)
    ]
    async with running(ReadModels(settings)):
        async with owning(settings) as stage:
            await stage.room()
            for token in tokens:
                await stage.say(token)
            await stage.projected()
        async with owning(settings) as stage:
            await until(lambda: _learnt(stage), "the keys are learnt")
            may_have = [stage.owner._idempotency.may_contain((ROOM, "ada", f"PostMessage:{token}")) for token in tokens]
            assert all(may_have)
            assert not stage.owner._idempotency.may_contain((ROOM, "ada", "PostMessage:new"))


async def test_a_new_command_is_not_looked_up(settings: Settings) -> None:
    async with running(ReadModels(settings)), owning(settings) as stage:
        await stage.room()
        first = await stage.say("first")
        await stage.projected()
        await until(lambda: _learnt(stage), "the keys are learnt")
        connection = await postgres.connect(settings)
        try:
            # Whoever looks up meets no table.
            await connection.execute("alter table changes rename to away")
            assert (await stage.say("second")).seq == first.seq + 1
            await connection.execute("alter table away rename to changes")
        finally:
            await connection.close()
        await stage.projected()
        assert (await stage.say("first")).message == first.message


async def test_keys_are_learnt_again_when_rows_were_mended(settings: Settings) -> None:
    """A row that was missing when they were learnt is there now, and its command has happened."""
    async with running(ReadModels(settings)):
        async with owning(settings) as stage:
            await stage.room()
            first = await stage.say("first")
            await stage.projected()
        connection = await postgres.connect(settings)
        try:
            await connection.execute("create table kept as select * from changes where command like '%first'")
            await connection.execute("delete from changes where command like '%first'")
            async with owning(settings) as stage:
                await until(lambda: _learnt(stage), "the keys are learnt")
                assert not stage.owner._idempotency.may_contain((ROOM, "ada", "PostMessage:first"))
                await connection.execute("insert into changes select * from kept")
                stage.owner.forget()
                assert (await stage.say("first")).message == first.message
                await until(lambda: _learnt(stage), "the keys are learnt again")
                assert stage.owner._idempotency.may_contain((ROOM, "ada", "PostMessage:first"))
        finally:
            await connection.close()


async def test_postgres_may_be_away_while_keys_are_learnt(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency_index, "_RETRY_SECONDS", 0.05)
    gone = asyncio.Event()
    read = idempotency_index.IdempotencyIndex._read

    async def failing(self: idempotency_index.IdempotencyIndex, found: KeyDigests) -> None:
        if not gone.is_set():
            gone.set()
            raise ConnectionError("away")
        await read(self, found)

    monkeypatch.setattr(idempotency_index.IdempotencyIndex, "_read", failing)
    async with running(ReadModels(settings)), owning(settings) as stage:
        await stage.room()
        await until(lambda: _learnt(stage), "the keys are learnt")
        assert gone.is_set() and stage.owner.shard == SHARD
