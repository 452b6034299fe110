"""The shard's loop on a real Kafka and Postgres: group commit, deduplication, unknown outcomes, rival owners."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from events.members import Member, member_key
from events.messages import MessagePosted
from events.rooms import room_key
from infra.base import kafka
from infra.base.settings import Settings
from producers.commands import Outcome, Refused
from producers.engine.log import OutcomeUnknown, Superseded
from producers.members import AddMember, MarkRead, RemoveMember
from producers.rooms import ChangeRoom, CreateRoom
from projectors.read_models.projector import ReadModels
from tests.producers.proxy import proxied
from tests.producers.shards import ROOM, SHARD, owning, posted, project, settled, valid
from tests.running import running, until

Append = Callable[..., Awaitable[int]]
Records = Sequence[tuple[bytes, bytes]]


@pytest.fixture(params=["without projector", "with projector"])
def projectors(request: pytest.FixtureRequest, settings: Settings) -> tuple[ReadModels, ...]:
    """The read models' projector, or none."""
    return (ReadModels(settings),) if request.param == "with projector" else ()


async def test_commands_that_wait_are_one_batch(settings: Settings, projectors: tuple[ReadModels, ...]) -> None:
    async with running(*projectors), owning(settings) as shard:
        await shard.room()
        before = shard.log.appends
        said = await asyncio.gather(*(shard.say(f"t{n}") for n in range(400)))
        assert sorted(message.seq for message in said) == list(range(1, 401))
        assert shard.log.appends - before <= 10
        assert await posted(settings) == {message.token: message.seq for message in said}


async def test_a_key_gives_the_first_result_for_ever(settings: Settings) -> None:
    """In memory, projected, after a restart of the owner with and without a projector, and from an emptied cache."""
    async with owning(settings) as shard:
        await shard.room(ROOM, "bob")
        first = await shard.say("same", "first")
        assert await shard.say("same", "again") == first
        twice = await asyncio.gather(*(shard.say("many", f"{n}") for n in range(20)))
        assert all(message == twice[0] for message in twice)
        assert (await shard.say("same", "bob's own", "bob")).seq == 3
    async with owning(settings) as shard:
        assert await shard.say("same", "after a restart") == first
        async with running(ReadModels(settings)):
            await shard.projected()
        assert await shard.say("same", "projected") == first
        shard.owner._cache.clear()
        assert await shard.say("same", "from an empty cache") == first
    async with owning(settings) as shard:
        assert await shard.say("same", "another restart") == first
        said = [r.data for r in await valid(settings) if isinstance(r.data, MessagePosted)]
        assert [(m.seq, m.token, m.content["text"]) for m in said] == [
            (1, "same", "first"), (2, "many", twice[0].content["text"]), (3, "same", "bob's own"),
        ]  # fmt: skip


async def test_the_keys_of_two_commands_and_of_two_streams_differ(settings: Settings) -> None:
    async with owning(settings) as shard:
        await shard.room("one")
        await shard.room("two")
        assert [(await shard.say("t", room=room)).seq for room in ("one", "two", "one")] == [1, 1, 1]
        outcome = await shard.do(ChangeRoom(room="one", name="New"), "t")
        assert not outcome.repeated and outcome.records[0].type == "room.renamed"


@pytest.mark.parametrize("events", [1, 2, 3])
async def test_a_command_that_was_projected_in_part_is_repeated_whole(settings: Settings, events: int) -> None:
    """The projector died between the events of one command, and the owner too: the half is in Postgres, half is not."""
    command = CreateRoom(room=ROOM, type="public", name="R", data={}, members=["ada", "bob"])
    async with owning(settings) as shard:
        first = await shard.do(command, "create")
        assert [record.type for record in first.records] == ["room.created", "member.joined", "member.joined"]
    await project(settings, events)
    async with owning(settings) as shard:
        again = await shard.do(command, "create")
        assert again.repeated
        assert [record.id for record in again.records] == [record.id for record in first.records]
        assert again.state.keys() == first.state.keys() and again.state[room_key(ROOM)] == first.state[room_key(ROOM)]


@pytest.mark.parametrize("written", [True, False], ids=["written", "not written"])
async def test_an_unknown_outcome_ends_in_one_event(
    settings: Settings, projectors: tuple[ReadModels, ...], written: bool
) -> None:
    async with running(*projectors), owning(settings) as shard:
        await shard.room()

        async def instead(append: Append, records: Records) -> int:
            shard.log.instead = None
            if written:
                base = await append(records)
                if projectors:
                    # The read models have it before the shard opens again: only their rows tell that it happened.
                    await shard.progress.reach({SHARD: base + len(records)}, 20)
            raise OutcomeUnknown("the test says so")

        opens = shard.log.opens
        shard.log.instead = instead
        said = await asyncio.gather(*(shard.say(f"t{n}") for n in range(30)))
        assert shard.log.opens == opens + 1
        assert await posted(settings) == {message.token: message.seq for message in said}
        assert (await shard.say("next")).seq == 31


async def test_lost_acknowledgements_end_in_one_event(settings: Settings) -> None:
    async with proxied(settings.kafka) as proxy, owning(settings, through=proxy.bootstrap) as shard:
        await shard.room()
        proxy.lose_answers = True
        saying = asyncio.gather(*(shard.say(f"t{n}") for n in range(30)))
        # The messages themselves, then the log.opened of a fresh producer: the broker has both.
        await proxy.answers_lost(2)
        assert not saying.done()
        proxy.lose_answers = False
        said = await saying
        assert await posted(settings) == {message.token: message.seq for message in said}


async def test_a_broker_that_refuses_is_tried_until_it_takes(settings: Settings) -> None:
    async with owning(settings) as shard:
        await shard.room()
        await _limit(settings, 10)
        opens = shard.log.opens
        saying = asyncio.gather(*(shard.say(f"t{n}") for n in range(30)))

        async def tried() -> bool:
            return shard.log.opens > opens + 2

        await until(tried, "the shard is opened again and again")
        assert not saying.done() and not shard.owner.open
        await _limit(settings, kafka.MAX_BATCH_BYTES)
        said = await saying
        assert await posted(settings) == {message.token: message.seq for message in said}


async def _limit(settings: Settings, size: int) -> None:
    """Makes the broker take batches of at most ``size`` bytes."""
    topic = settings.topic(SHARD.topic)
    (spec,) = (spec for spec in kafka.topic_specs(settings) if spec.topic == topic)
    async with kafka.admin(settings) as admin:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, {**spec.settings, "max.message.bytes": str(size)})
        for answer in await admin.alter_configs([resource]):
            assert [row[0] for row in answer.resources] == [0], answer


async def test_an_unknown_outcome_of_a_command_without_a_key_of_its_own(settings: Settings) -> None:
    async with owning(settings) as shard:
        await shard.room()

        async def instead(append: Append, records: Records) -> int:
            shard.log.instead = None
            await append(records)
            raise OutcomeUnknown("the test says so")

        shard.log.instead = instead
        outcome = await shard.do(ChangeRoom(room=ROOM, name="Once"))
        assert outcome.repeated and outcome.records[0].type == "room.renamed"
        assert [record.type for record in await valid(settings)].count("room.renamed") == 1


async def test_who_lost_against_a_command_of_unknown_outcome_is_refused(settings: Settings) -> None:
    """Commands that build on one whose outcome is unknown are told nothing before it is known."""
    async with owning(settings) as shard:
        gate = asyncio.Event()

        async def instead(append: Append, records: Records) -> int:
            await gate.wait()
            shard.log.instead = None
            raise OutcomeUnknown("nothing was written")

        await settled(shard)
        shard.log.instead = instead
        making = asyncio.create_task(shard.room())
        saying = asyncio.create_task(shard.say("t"))
        done, _ = await asyncio.wait((making, saying), timeout=0.3)
        assert not done
        gate.set()
        await making
        assert (await saying).seq == 1
        assert await posted(settings) == {"t": 1}


async def test_a_stop_in_the_middle_of_an_append_says_unknown_and_one_in_the_queue_says_moved(
    settings: Settings,
) -> None:
    async with owning(settings) as shard:
        await shard.room()
        appending, never = asyncio.Event(), asyncio.Event()

        async def instead(append: Append, records: Records) -> int:
            await append(records)
            appending.set()
            await never.wait()
            return -1

        shard.log.instead = instead
        first = asyncio.create_task(shard.say("first"))
        await appending.wait()
        second = asyncio.create_task(shard.say("second"))

        async def waiting() -> bool:
            return len(shard.owner._waiting) == 1

        await until(waiting, "the second waits")
        await shard.owner.stop()
        codes = [error.code for error in await asyncio.gather(first, second, return_exceptions=True)]  # type: ignore[union-attr]
        assert codes == ["unknown", "moved"]
    async with owning(settings) as shard:
        assert (await shard.say("second")).seq == 2 and (await shard.say("first")).seq == 1


async def test_two_owners_lose_and_double_nothing(settings: Settings, projectors: tuple[ReadModels, ...]) -> None:
    async with running(*projectors), owning(settings, "old:1") as old:
        await old.room()
        async with owning(settings, "new:1") as new:
            await settled(new)
            # The same commands to both: whoever gets one in, both tell the same.
            said = await asyncio.gather(*(owner.say(f"t{n}") for n in range(40) for owner in (old, new)))
            assert [message.seq for message in said[::2]] == [message.seq for message in said[1::2]]
            assert await posted(settings) == {message.token: message.seq for message in said}


async def test_an_old_owner_appends_nothing_after_a_new_one_opened(settings: Settings) -> None:
    async with owning(settings, "old:1") as old:
        await old.room()
        await old.say("1")
        async with owning(settings, "new:1") as new:
            await new.say("2")
            superseded: list[int] = []

            async def instead(append: Append, records: Records) -> int:
                try:
                    return await append(records)
                except Superseded:
                    superseded.append(len(records))
                    raise

            old.log.instead = instead
            # Decided again on the new owner's state.
            assert (await old.say("3")).seq == 3 and superseded == [1]
            assert (await old.say("2", "another")).seq == 2
        assert await posted(settings) == {"1": 1, "2": 2, "3": 3}


async def test_an_old_owner_does_not_answer_from_what_it_remembers(settings: Settings) -> None:
    """Nothing to append, nothing to be superseded by: still, what it says must be true of the log."""
    async with owning(settings, "old:1") as old:
        await old.room(ROOM, "bob")
        await old.say("1")
        await old.do(MarkRead(room=ROOM, seq=1), actor="bob")
        async with owning(settings, "new:1") as new:
            await new.do(RemoveMember(room=ROOM, user="bob"))
            with pytest.raises(Refused, match="expected a room that you are in"):
                await old.do(MarkRead(room=ROOM, seq=1), actor="bob")
            await new.do(AddMember(room=ROOM, user="bob"))
            outcome = await old.do(AddMember(room=ROOM, user="bob"))
            assert isinstance(outcome.state[member_key(ROOM, "bob")], Member)
            await new.do(ChangeRoom(room=ROOM, name="Other"))
            await new.do(ChangeRoom(room=ROOM, name="Room"))
            await new.do(ChangeRoom(room=ROOM, name="Third"))
            # As the old owner remembers it, that is its name already.
            await old.do(ChangeRoom(room=ROOM, name="Room"))
            names = [record.data.name for record in await valid(settings) if record.type == "room.renamed"]  # type: ignore[attr-defined]
            assert names[-1] == "Room"


async def test_outcomes_hold_what_the_command_names(settings: Settings) -> None:
    async with owning(settings) as shard:
        await shard.room(ROOM, "bob")
        outcome: Outcome = await shard.do(RemoveMember(room=ROOM, user="ada", successor="bob"))
        assert [record.type for record in outcome.records] == ["member.left", "member.role_changed"]
        assert outcome.position == outcome.records[-1].position
        room = outcome.state[room_key(ROOM)]
        assert room is not None and room.owner == "bob" and room.members == 1  # type: ignore[attr-defined]
